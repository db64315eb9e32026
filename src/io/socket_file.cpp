// SPDX-License-Identifier: Apache-2.0
#include "io/socket_file.h"

#include "io/descriptor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <vector>

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mailtight::io {

namespace {

constexpr auto unchanged = static_cast<id_t>(-1); ///< to chown(2)
constexpr std::size_t entry_bytes = 65'536;       ///< of a user's or a group's entry

/// A number as it is, or what `look_up` finds.
template<class LookUp>
std::optional<id_t> id_of(const std::string& name, LookUp look_up) {
    if (name.empty())
        return unchanged;
    id_t number = 0;
    const auto end = name.data() + name.size();
    if (const auto [at, wrong] = std::from_chars(name.data(), end, number); wrong == std::errc{} && at == end)
        return number;
    return look_up();
}

std::optional<id_t> user_id(const std::string& name) {
    return id_of(name, [&]() -> std::optional<id_t> {
        std::vector<char> buffer(entry_bytes);
        passwd entry{};
        passwd* found = nullptr;
        if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || !found)
            return std::nullopt;
        return entry.pw_uid;
    });
}

std::optional<id_t> group_id(const std::string& name) {
    return id_of(name, [&]() -> std::optional<id_t> {
        std::vector<char> buffer(entry_bytes);
        ::group entry{};
        ::group* found = nullptr;
        if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || !found)
            return std::nullopt;
        return entry.gr_gid;
    });
}

} // namespace

sockaddr_un unix_address_of(const std::string& path) {
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    std::memcpy(local.sun_path, path.data(), std::min(path.size(), socket_path_most));
    return local;
}

int clear_stale_socket(const std::string& path, int type) {
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0)
        return errno == ENOENT ? 0 : errno;
    if (!S_ISSOCK(found.st_mode)) // whatever it is, it is not ours to remove
        return EEXIST;
    const descriptor probe{::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    const auto local = unix_address_of(path);
    if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) == 0 ||
        errno != ECONNREFUSED)
        return EADDRINUSE;
    return ::unlink(path.c_str()) == 0 ? 0 : errno;
}

std::optional<std::string> make_folders_above(const std::string& path) {
    for (auto slash = path.find('/', 1); slash != path.npos; slash = path.find('/', slash + 1)) {
        const auto folder = path.substr(0, slash);
        if (::mkdir(folder.c_str(), 0755) == 0)
            ::chmod(folder.c_str(), 0755); // a daemon's umask may shut out those that the socket is for
        else if (errno != EEXIST)
            return fmt::format("cannot make the directory {}: {}", folder, std::strerror(errno));
    }
    return std::nullopt;
}

std::optional<std::string> give_file(const std::string& path, const std::string& owner,
                                     const std::string& group) {
    if (owner.empty() && group.empty())
        return std::nullopt;
    const auto user = user_id(owner);
    if (!user)
        return fmt::format("there is no user \"{}\" on this machine", owner);
    const auto members = group_id(group);
    if (!members)
        return fmt::format("there is no group \"{}\" on this machine", group);
    if (::lchown(path.c_str(), *user, *members) == 0)
        return std::nullopt;
    return fmt::format("cannot give {} to {}{}{}: {}", path, owner, group.empty() ? "" : ":", group,
                       std::strerror(errno));
}

} // namespace mailtight::io
