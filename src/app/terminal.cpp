// SPDX-License-Identifier: Apache-2.0
#include "app/terminal.h"

#include "base/text.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace mailtight::app {

namespace {

int first_fault = 0; ///< see print_fault()

bool dumb() {
    const char* term = std::getenv("TERM");
    return term && std::string_view(term) == "dumb";
}

std::size_t columns_of(int fd) {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}

} // namespace

std::size_t terminal_width() {
    if (!::isatty(STDOUT_FILENO))
        return 80;
    return std::clamp<std::size_t>(columns_of(STDOUT_FILENO), 40, 120);
}

bool stdout_terminal() {
    return ::isatty(STDOUT_FILENO);
}

bool stdout_colour() {
    const char* no_color = std::getenv("NO_COLOR");
    return ::isatty(STDOUT_FILENO) && !(no_color && *no_color) && !dumb();
}

void say(std::string_view message) {
    std::fprintf(stderr, "mailtight: %.*s\n", static_cast<int>(message.size()), message.data());
}

void complain(std::string_view message) {
    std::fprintf(stderr, "mailtight: error: %.*s\n", static_cast<int>(message.size()), message.data());
}

bool print(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() && std::fflush(stdout) == 0)
        return true;
    if (first_fault == 0 && errno != EPIPE)
        first_fault = errno;
    return false;
}

bool print_csv(std::string_view csv) {
    if (!stdout_terminal())
        return print(csv);
    std::string shown;
    while (!csv.empty()) {
        auto line = csv.substr(0, csv.find('\n'));
        csv.remove_prefix(std::min(csv.size(), line.size() + 1));
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        shown += base::printable(line, line.size()) + '\n';
    }
    return print(shown);
}

int print_fault() {
    return std::exchange(first_fault, 0);
}

void hold_standard_streams() {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            // Opened the wrong way round: what is closed still fails to be read or written.
            static_cast<void>(::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY));
}

progress_line::progress_line(bool wanted)
    : active_(wanted && ::isatty(STDERR_FILENO) && !dumb()) {}

progress_line::~progress_line() {
    clear();
}

void progress_line::show(const std::string& words) {
    if (!active_)
        return;
    drawn_ = true;
    std::string line = base::printable(words);
    const std::size_t width = columns_of(STDERR_FILENO) - 1;
    while (base::display_width(line) > width && !line.empty()) {
        line.pop_back();
        while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0) == 0x80)
            line.pop_back();
    }
    std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
    std::fflush(stderr);
}

void progress_line::clear() {
    if (!drawn_)
        return;
    drawn_ = false;
    std::fputs("\r\x1b[K", stderr);
    std::fflush(stderr);
}

} // namespace mailtight::app
