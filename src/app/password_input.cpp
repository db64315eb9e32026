// SPDX-License-Identifier: Apache-2.0
// read_password(): the terminal's echo is off while it is typed, and comes back whatever ends the reading.
#include "app/access_commands.h"
#include "base/crypto/password.h"
#include "base/text.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

namespace mailtight::app {

namespace {

constexpr std::size_t line_most = 1'024;

class descriptor {
public:
    explicit descriptor(int fd, bool owned)
        : fd_(fd)
        , owned_(owned) {}
    ~descriptor() {
        if (owned_ && fd_ >= 0)
            ::close(fd_);
    }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    int fd() const { return fd_; }

private:
    int fd_;
    bool owned_;
};

/// Without echo, and with the signals that a person can send held back until it is on again.
class silent_terminal {
public:
    explicit silent_terminal(int fd)
        : fd_(fd) {
        sigset_t typed;
        sigemptyset(&typed);
        for (const int signal : {SIGINT, SIGQUIT, SIGTSTP, SIGTERM, SIGHUP})
            sigaddset(&typed, signal);
        ::sigprocmask(SIG_BLOCK, &typed, &before_mask_);
        if (::tcgetattr(fd_, &before_) != 0)
            return;
        auto silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        silent.c_lflag |= ECHONL;
        changed_ = ::tcsetattr(fd_, TCSAFLUSH, &silent) == 0;
    }
    ~silent_terminal() {
        if (changed_)
            ::tcsetattr(fd_, TCSAFLUSH, &before_);
        ::sigprocmask(SIG_SETMASK, &before_mask_, nullptr);
    }
    silent_terminal(const silent_terminal&) = delete;
    silent_terminal& operator=(const silent_terminal&) = delete;
    bool silent() const { return changed_; }

private:
    int fd_;
    termios before_{};
    sigset_t before_mask_{};
    bool changed_ = false;
};

/// The first line, without its end.
std::expected<std::string, std::string> first_line(int fd) {
    std::string line;
    line.reserve(line_most + 2); // so that no copies are left behind as it grows
    for (char c = 0;;) {
        const auto got = ::read(fd, &c, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return std::unexpected(std::string(std::strerror(errno)));
        if (got == 0 || c == '\n')
            break;
        if (line.size() > line_most)
            return std::unexpected(fmt::format("a password has at most {} bytes", line_most));
        line += c;
    }
    if (line.ends_with('\r'))
        line.pop_back();
    return line;
}

std::expected<std::string, std::string> asked_for(int fd, const std::string& question) {
    const silent_terminal silence(fd);
    if (!silence.silent())
        return std::unexpected("the terminal cannot be silenced; give --password-file");
    std::string_view rest = question;
    while (!rest.empty()) {
        const auto written = ::write(fd, rest.data(), rest.size());
        if (written <= 0)
            break;
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    return first_line(fd);
}

} // namespace

std::expected<std::string, std::string> read_password(const std::string& file, const std::string& name) {
    if (file == "-")
        return first_line(STDIN_FILENO);
    if (!file.empty()) {
        const descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC), true);
        if (opened.fd() < 0)
            return std::unexpected(fmt::format("{}: {}", base::printable(file), std::strerror(errno)));
        return first_line(opened.fd());
    }
    const descriptor terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY), true);
    if (terminal.fd() < 0)
        return std::unexpected("there is no terminal to ask at; give --password-file FILE, or - for "
                               "standard input");
    auto first = asked_for(terminal.fd(), fmt::format("New password for {}: ", name));
    if (!first)
        return first;
    if (auto why = base::unfit_password(*first, name))
        return std::unexpected(*why);
    auto second = asked_for(terminal.fd(), "The same again: ");
    if (!second)
        return second;
    const bool same = base::equal_secrets(*first, *second);
    base::wipe(*second);
    if (!same)
        return std::unexpected("the two are not the same; nothing was changed");
    return first;
}

} // namespace mailtight::app
