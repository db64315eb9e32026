// SPDX-License-Identifier: Apache-2.0
#include "intake/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace mailtight::intake {

file_handle::~file_handle() {
    if (fd_ >= 0)
        ::close(fd_);
}

std::string last_system_error() {
    return std::generic_category().message(errno);
}

std::expected<opened_file, std::string> open_regular(const std::string& path, follow_links links) {
    // O_NONBLOCK: opening a pipe that nobody writes to must not wait for ever.
    const int flags =
        O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (links == follow_links::no ? O_NOFOLLOW : 0);
    opened_file out;
    out.handle = file_handle(::open(path.c_str(), flags));
    if (!out.handle || ::fstat(out.handle.get(), &out.facts) != 0)
        return std::unexpected(last_system_error());
    if (!S_ISREG(out.facts.st_mode))
        return std::unexpected(std::string("not a regular file"));
    return out;
}

std::expected<std::size_t, std::string> read_more(const file_handle& from, std::string& into,
                                                  std::size_t limit) {
    const auto before = into.size();
    into.resize(before + limit);
    ssize_t got = 0;
    do
        got = ::read(from.get(), into.data() + before, limit);
    while (got < 0 && errno == EINTR);
    into.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0)
        return std::unexpected(last_system_error());
    return static_cast<std::size_t>(got);
}

std::expected<void, std::string> read_rest(const file_handle& from, std::string& into, std::size_t limit) {
    constexpr std::size_t piece = 256 * 1024;
    while (into.size() <= limit) {
        const auto got = read_more(from, into, std::min(piece, limit + 1 - into.size()));
        if (!got)
            return std::unexpected(got.error());
        if (*got == 0)
            return {};
    }
    return std::unexpected(fmt::format("larger than {} MiB", limit / (1024 * 1024)));
}

} // namespace mailtight::intake
