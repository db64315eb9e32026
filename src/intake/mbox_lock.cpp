// SPDX-License-Identifier: Apache-2.0
#include "intake/mbox_lock.h"

#include "base/text.h"
#include "intake/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>

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

} // namespace

std::optional<mbox_lock> find_mbox_lock(const std::string& mbox, base::utc_seconds now) {
    const auto path = mbox + ".lock";
    struct stat facts{};
    if (::lstat(path.c_str(), &facts) != 0)
        return {};
    const base::utc_seconds since{std::chrono::seconds(facts.st_mtim.tv_sec)};
    const auto age = now - since;
    if (age < delivery_most)
        return mbox_lock{};
    const auto held = fmt::format("nothing is read: {} is there since {}", path, base::format_utc(since));
    const auto holder = holder_of(path);
    if (holder && is_there(*holder))
        return mbox_lock{fmt::format("{}, and process {}, which it names, is running", held, *holder)};
    const auto who = holder ? fmt::format("process {}, which it names, is gone", *holder)
                            : std::string("it names no process of this machine");
    if (age < left_behind_after)
        return mbox_lock{fmt::format("{}; {}", held, who)};
    return mbox_lock{
        fmt::format("{}; {}. If nothing delivers into the mbox just now, remove it: rm {}", held, who, path)};
}

} // namespace mailtight::intake
