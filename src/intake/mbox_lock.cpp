// SPDX-License-Identifier: Apache-2.0
#include "intake/mbox_lock.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

namespace mailtight::intake {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds delivery_most = 1min;     ///< agents write a mail in less
constexpr std::chrono::seconds left_behind_after = 5min; ///< when agents themselves take a lock for dead
constexpr std::size_t content_bytes = 256;

/// The process that a lock names, as most agents write it. Others leave the file empty, write 0, or add the
/// name of their host behind a colon: then nobody here knows.
std::optional<pid_t> holder_of(const std::string& path) {
    const auto file = open_regular(path, follow_links::no);
    std::string content;
    if (!file || !read_more(file->handle, content, content_bytes))
        return {};
    const auto text = base::trim(content);
    pid_t holder = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), holder);
    if (error != std::errc() || end != text.data() + text.size() || holder <= 0)
        return {};
    return holder;
}

bool is_there(pid_t process) {
    return ::kill(process, 0) == 0 || errno != ESRCH;
}

/// " (procmail)", where the kernel says so.
std::string called(pid_t process) {
    const auto file = open_regular(fmt::format("/proc/{}/comm", process), follow_links::no);
    std::string name;
    if (!file || !read_more(file->handle, name, content_bytes) || base::trim(name).empty())
        return {};
    return fmt::format(" ({})", base::printable(base::trim(name)));
}

} // namespace

std::optional<mbox_lock> find_mbox_lock(const std::string& mbox, mbox_wait wait) {
    const auto path = mbox + ".lock";
    struct stat facts{};
    if (::lstat(path.c_str(), &facts) != 0)
        return {};
    const base::utc_seconds made{std::chrono::seconds(facts.st_mtim.tv_sec)};
    const auto age = wait.now - std::min(made, wait.since); // a lock may be made again and again
    if (age < delivery_most)
        return mbox_lock{};
    const auto held = fmt::format("nothing is read since {}: {} is there since {}",
                                  base::format_utc(wait.since), path, base::format_utc(made));
    const auto holder = holder_of(path);
    if (holder && is_there(*holder))
        return mbox_lock{
            fmt::format("{}, and process {}{}, which it names, is running", held, *holder, called(*holder))};
    const auto who = holder ? fmt::format("process {}, which it names, is gone", *holder)
                            : std::string("it names no process of this machine");
    if (wait.now - made < left_behind_after)
        return mbox_lock{fmt::format("{}; {}", held, who)};
    return mbox_lock{
        fmt::format("{}; {}. If nothing delivers into the mbox just now, remove it: rm {}", held, who, path)};
}

std::expected<std::optional<mbox_lock>, std::string>
lock_for_reading(const file_handle& file, const std::string& mbox, mbox_wait wait) {
    const auto whole = [] {
        struct flock range{};
        range.l_type = F_RDLCK;
        range.l_whence = SEEK_SET;
        return range;
    };
    auto wanted = whole();
    if (::fcntl(file.get(), F_OFD_SETLK, &wanted) == 0)
        return std::nullopt;
    if (errno != EAGAIN && errno != EACCES)
        return std::unexpected(fmt::format("{} cannot be locked: {}", mbox, last_system_error()));
    if (wait.now - wait.since < delivery_most)
        return mbox_lock{};
    auto other = whole();
    const bool known = ::fcntl(file.get(), F_OFD_GETLK, &other) == 0 && other.l_type != F_UNLCK &&
                       other.l_pid > 0; // not of another container, and not by an open file's lock
    const auto who = known ? fmt::format("process {}{}", other.l_pid, called(other.l_pid))
                           : std::string("another program (lslocks may name it)");
    return mbox_lock{fmt::format("nothing is read since {}: {} holds the kernel's lock (fcntl) on {}",
                                 base::format_utc(wait.since), who, mbox)};
}

} // namespace mailtight::intake
