// SPDX-License-Identifier: Apache-2.0
#include "io/command.h"

#include "io/descriptor.h"
#include "io/spawn.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mailtight::io {

namespace {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t said_bytes = 2'000;
constexpr auto look_again = 50ms; ///< whether it has ended

struct pipe_ends {
    descriptor read, write;
};
bool open_pipe(pipe_ends& into) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return false;
    into = {descriptor{ends[0]}, descriptor{ends[1]}};
    return true;
}

/// A program that ends before its input does must not end this one: SIGPIPE is held back on this thread, and
/// taken out again.
class no_sigpipe {
public:
    no_sigpipe() {
        sigset_t pending;
        ::sigemptyset(&pipe_);
        ::sigaddset(&pipe_, SIGPIPE);
        ::sigpending(&pending);
        was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
        ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    ~no_sigpipe() {
        const timespec now{};
        if (!was_pending_)
            ::sigtimedwait(&pipe_, nullptr, &now);
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    no_sigpipe(const no_sigpipe&) = delete;
    no_sigpipe& operator=(const no_sigpipe&) = delete;

private:
    sigset_t pipe_{}, before_{};
    bool was_pending_ = false;
};

/// Writes what goes; closes at the end, or where nobody reads.
void feed(descriptor& to, std::string_view& input) {
    while (!input.empty()) {
        const auto put = ::write(to.get(), input.data(), input.size());
        if (put < 0 && errno == EAGAIN)
            return;
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            break;
        input.remove_prefix(static_cast<std::size_t>(put));
    }
    to = descriptor{};
}

/// Reads what is there; closes at the end.
void listen_to(descriptor& from, std::string& said, std::size_t most) {
    std::array<char, 4'096> buffer;
    for (;;) {
        const auto got = ::read(from.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EAGAIN)
            return;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        const auto room = most - std::min(most, said.size());
        said.append(buffer.data(), std::min(static_cast<std::size_t>(got), room));
    }
    from = descriptor{};
}

} // namespace

command_result run_command(const std::vector<std::string>& words, std::string_view input,
                           std::chrono::milliseconds time, std::size_t wanted_bytes) {
    command_result result;
    pipe_ends in, complaints, out;
    if (words.empty() || !open_pipe(in) || !open_pipe(complaints) || (wanted_bytes > 0 && !open_pipe(out))) {
        result.error = words.empty() ? "no program is named" : std::strerror(errno);
        return result;
    }
    const no_sigpipe guard;
    pid_t child = 0;
    if (const int error =
            spawn_program(child, words, in.read.get(), out.write.get(), complaints.write.get())) {
        result.error = fmt::format("cannot start {}: {}", words.front(), std::strerror(error));
        return result;
    }
    in.read = descriptor{};
    complaints.write = descriptor{};
    out.write = descriptor{};
    ::fcntl(in.write.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(complaints.read.get(), F_SETFL, O_NONBLOCK);
    if (out.read)
        ::fcntl(out.read.get(), F_SETFL, O_NONBLOCK);

    const auto deadline = steady::now() + time;
    int status = 0;
    bool late = false;
    // Its end counts, not that of the pipe: a process it leaves behind may hold that open.
    for (;;) {
        const pid_t ended = ::waitpid(child, &status, late ? 0 : WNOHANG);
        if (ended == child)
            break;
        if (ended < 0 && errno != EINTR) { // somebody else took its end
            result.error = fmt::format("cannot learn how {} ended: {}", words.front(), std::strerror(errno));
            return result;
        }
        if (steady::now() >= deadline) {
            late = true;
            ::kill(child, SIGKILL);
            continue;
        }
        std::array<pollfd, 3> waits{
            {{in.write.get(), POLLOUT, 0}, {complaints.read.get(), POLLIN, 0}, {out.read.get(), POLLIN, 0}}};
        ::poll(waits.data(), waits.size(), static_cast<int>(look_again.count())); // -1 is passed over
        if (in.write)
            feed(in.write, input);
        if (complaints.read)
            listen_to(complaints.read, result.said, said_bytes);
        if (out.read)
            listen_to(out.read, result.wrote, wanted_bytes);
    }
    if (complaints.read)
        listen_to(complaints.read, result.said, said_bytes);
    if (out.read)
        listen_to(out.read, result.wrote, wanted_bytes);
    if (late)
        result.error = fmt::format("{} did not end within {} s", words.front(), time.count() / 1'000);
    else if (WIFEXITED(status))
        result.exit_status = WEXITSTATUS(status);
    else
        result.error = fmt::format("{} was ended by signal {}", words.front(), WTERMSIG(status));
    return result;
}

} // namespace mailtight::io
