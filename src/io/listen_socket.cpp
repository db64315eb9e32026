// SPDX-License-Identifier: Apache-2.0
// Entry: open_listen_socket. First a socket of the service manager at the same address (sd_listen_fds(3)),
// then one of our own.
#include "io/listen_socket.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <set>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace mailtight::io {

namespace {

/// A socket address of any family.
struct any_address {
    sockaddr_storage bytes{};
    socklen_t size = sizeof bytes;
    sockaddr* get() { return reinterpret_cast<sockaddr*>(&bytes); }

    template<class T>
    T as() const {
        T value{};
        std::memcpy(&value, &bytes, sizeof value);
        return value;
    }
    template<class T>
    static any_address of(const T& value) {
        any_address result;
        std::memcpy(&result.bytes, &value, sizeof value);
        result.size = sizeof value;
        return result;
    }
};

any_address to_native(const listen_address& at) {
    if (!at.tcp) {
        sockaddr_un local{};
        local.sun_family = AF_UNIX;
        std::memcpy(local.sun_path, at.unix_path.data(),
                    std::min(at.unix_path.size(), sizeof local.sun_path - 1));
        return any_address::of(local);
    }
    const auto bytes = at.tcp->address.bytes();
    if (at.tcp->address.is_v4()) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(at.tcp->port);
        std::memcpy(&v4.sin_addr, bytes.data(), sizeof v4.sin_addr);
        return any_address::of(v4);
    }
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(at.tcp->port);
    std::memcpy(&v6.sin6_addr, bytes.data(), sizeof v6.sin6_addr);
    return any_address::of(v6);
}

std::optional<endpoint> to_endpoint(const any_address& from) {
    if (from.bytes.ss_family == AF_INET) {
        const auto v4 = from.as<sockaddr_in>();
        std::array<std::uint8_t, 4> raw{};
        std::memcpy(raw.data(), &v4.sin_addr, raw.size());
        return endpoint{base::ip_address::v4(raw), ntohs(v4.sin_port)};
    }
    if (from.bytes.ss_family == AF_INET6) {
        const auto v6 = from.as<sockaddr_in6>();
        std::array<std::uint8_t, 16> raw{};
        std::memcpy(raw.data(), &v6.sin6_addr, raw.size());
        // Only a socket from elsewhere that serves both families says it this way.
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
            return endpoint{base::ip_address::v4({raw[12], raw[13], raw[14], raw[15]}), ntohs(v6.sin6_port)};
        return endpoint{base::ip_address::v6(raw), ntohs(v6.sin6_port)};
    }
    return std::nullopt;
}

std::string unix_path_of(const any_address& from) {
    if (from.bytes.ss_family != AF_UNIX)
        return {};
    const auto local = from.as<sockaddr_un>();
    return {local.sun_path, strnlen(local.sun_path, sizeof local.sun_path)};
}

int number_of(const char* text) {
    int value = 0;
    if (text)
        std::from_chars(text, text + std::strlen(text), value);
    return value;
}

/// The descriptor that the service manager listens with at this address; each is taken once.
descriptor adopted(const listen_address& at) {
    static std::set<int> taken;
    constexpr int first = 3, most = 1'000;
    if (number_of(std::getenv("LISTEN_PID")) != ::getpid())
        return descriptor{};
    const int count = std::min(number_of(std::getenv("LISTEN_FDS")), most);
    for (int fd = first; fd < first + count; ++fd) {
        any_address local;
        int type = 0, listening = 0;
        socklen_t type_size = sizeof type, listening_size = sizeof listening;
        if (taken.contains(fd) || ::getsockname(fd, local.get(), &local.size) != 0 ||
            ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) != 0 || type != SOCK_STREAM ||
            ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_size) != 0 || listening == 0)
            continue;
        const bool same = at.tcp ? to_endpoint(local) == at.tcp : unix_path_of(local) == at.unix_path;
        if (!same)
            continue;
        taken.insert(fd);
        ::fcntl(fd, F_SETFD, FD_CLOEXEC);
        ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
        return descriptor{fd};
    }
    return descriptor{};
}

std::unexpected<std::string> cannot(const listen_address& at, int error) {
    std::string_view hint;
    if (error == EADDRINUSE)
        hint = ": another program listens there";
    else if (error == EADDRNOTAVAIL)
        hint = ": no interface of this machine has it";
    else if (error == EACCES)
        hint = at.tcp ? ": ports below 1024 need root or CAP_NET_BIND_SERVICE" : "";
    return std::unexpected(
        fmt::format("cannot listen at {}: {}{}", at.to_string(), std::strerror(error), hint));
}

/// Removes a socket's file that nobody listens at any more. 0, or why it cannot be replaced.
int clear_stale(const listen_address& at) {
    struct stat found{};
    if (::lstat(at.unix_path.c_str(), &found) != 0)
        return errno == ENOENT ? 0 : errno;
    if (!S_ISSOCK(found.st_mode)) // whatever it is, it is not ours to remove
        return EEXIST;
    const descriptor probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    auto local = to_native(at);
    if (::connect(probe.get(), local.get(), local.size) == 0 || errno != ECONNREFUSED)
        return EADDRINUSE;
    return ::unlink(at.unix_path.c_str()) == 0 ? 0 : errno;
}

/// 0, or the error.
int prepare(int socket, const listen_address& at) {
    const int yes = 1;
    if (!at.tcp) {
        // Between bind() and chmod() nobody but us may come in.
        ::fchmod(socket, 0600);
        return clear_stale(at);
    }
    if (::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0)
        return errno;
    if (at.tcp->address.is_v6() && ::setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) != 0)
        return errno;
    return 0;
}

} // namespace

void listen_socket::remove_file() {
    struct stat now{};
    if (!file.empty() && ::lstat(file.c_str(), &now) == 0 && now.st_dev == device && now.st_ino == inode)
        ::unlink(file.c_str());
    file.clear();
}

std::expected<listen_socket, std::string> open_listen_socket(const listen_address& at, int backlog) {
    listen_socket result;
    if (at.tcp)
        result.bound = *at.tcp;
    result.socket = adopted(at);
    if (result.socket)
        return result;

    auto local = to_native(at);
    result.socket =
        descriptor{::socket(local.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!result.socket)
        return cannot(at, errno);
    const int socket = result.socket.get();
    if (const int error = prepare(socket, at))
        return cannot(at, error);
    if (::bind(socket, local.get(), local.size) != 0)
        return cannot(at, errno);
    if (at.tcp) {
        any_address bound;
        if (::getsockname(socket, bound.get(), &bound.size) == 0)
            result.bound = to_endpoint(bound).value_or(*at.tcp);
    } else {
        struct stat made{};
        result.file = at.unix_path;
        if (::chmod(at.unix_path.c_str(), at.unix_mode) != 0 || ::lstat(at.unix_path.c_str(), &made) != 0)
            return cannot(at, errno);
        result.device = made.st_dev;
        result.inode = made.st_ino;
    }
    if (::listen(socket, backlog) != 0) {
        const int error = errno;
        result.remove_file();
        return cannot(at, error);
    }
    return result;
}

peer peer_of(int socket) {
    peer who;
    any_address remote;
    if (::getpeername(socket, remote.get(), &remote.size) != 0)
        return who;
    who.address = to_endpoint(remote);
    if (remote.bytes.ss_family != AF_UNIX)
        return who;
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return who;
    who.user = peer::credentials{credentials.uid, credentials.gid, credentials.pid, {}};
    std::vector<gid_t> groups(64);
    for (int attempt = 0; attempt < 2; ++attempt) { // the kernel says how many where there are more
        size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
        const bool done = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0;
        if (!done && errno != ERANGE)
            break;
        groups.resize(size / sizeof(gid_t));
        if (done) {
            who.user->groups.assign(groups.begin(), groups.end());
            break;
        }
    }
    return who;
}

} // namespace mailtight::io
