// SPDX-License-Identifier: Apache-2.0
// Entries: open_listen_socket and open_datagram_socket. First a socket of the service manager at the same
// address (sd_listen_fds(3)), then one of our own.
#include "io/listen_socket.h"

#include "io/socket_file.h"

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
    if (!at.tcp)
        return any_address::of(unix_address_of(at.unix_path));
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

int option_of(int socket, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

/// The descriptor of the service manager at this address; each is taken once.
descriptor adopted(const listen_address& at, int type) {
    static std::set<int> taken;
    constexpr int first = 3, most = 1'000;
    if (number_of(std::getenv("LISTEN_PID")) != ::getpid())
        return descriptor{};
    const int count = std::min(number_of(std::getenv("LISTEN_FDS")), most);
    for (int fd = first; fd < first + count; ++fd) {
        any_address local;
        if (taken.contains(fd) || ::getsockname(fd, local.get(), &local.size) != 0 ||
            option_of(fd, SO_TYPE) != type || (type == SOCK_STREAM && option_of(fd, SO_ACCEPTCONN) != 1))
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

/// 0, or the error.
int prepare(int socket, const listen_address& at) {
    const int yes = 1;
    if (!at.tcp) {
        // Between bind() and chmod() nobody but us may come in.
        ::fchmod(socket, 0600);
        return clear_stale_socket(at.unix_path, SOCK_STREAM);
    }
    if (::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0)
        return errno;
    if (at.tcp->address.is_v6() && ::setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) != 0)
        return errno;
    return 0;
}

} // namespace

bool listen_socket::note_file(const std::string& path) {
    struct stat made{};
    if (::lstat(path.c_str(), &made) != 0)
        return false;
    file = path;
    device = made.st_dev;
    inode = made.st_ino;
    return true;
}

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
    result.socket = adopted(at, SOCK_STREAM);
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
        if (::chmod(at.unix_path.c_str(), at.unix_mode) != 0 || !result.note_file(at.unix_path))
            return cannot(at, errno);
    }
    if (::listen(socket, backlog) != 0) {
        const int error = errno;
        result.remove_file();
        return cannot(at, error);
    }
    return result;
}

std::expected<listen_socket, std::string> open_datagram_socket(const datagram_socket_options& options) {
    const auto& path = options.path;
    const auto cannot_open = [&path](std::string_view why) {
        return std::unexpected(fmt::format("cannot take datagrams at {}: {}", path, why));
    };
    if (path.empty() || path.front() != '/' || path.find('\0') != path.npos)
        return cannot_open("a unix socket needs an absolute path");
    if (path.size() > socket_path_most)
        return cannot_open(fmt::format("the path of a unix socket has at most {} bytes, this one has {}",
                                       socket_path_most, path.size()));
    listen_socket result;
    result.socket = adopted({.unix_path = path}, SOCK_DGRAM);
    if (result.socket)
        return result;
    if (auto fault = make_folders_above(path))
        return cannot_open(*fault);
    result.socket = descriptor{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!result.socket)
        return cannot_open(std::strerror(errno));
    ::fchmod(result.socket.get(), 0600); // between bind() and chmod() nobody but us may send
    if (const int error = clear_stale_socket(path, SOCK_DGRAM))
        return cannot_open(error == EADDRINUSE ? "another program takes them there" : std::strerror(error));
    const auto local = unix_address_of(path);
    if (::bind(result.socket.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0)
        return cannot_open(std::strerror(errno));
    if (!result.note_file(path))
        return cannot_open(std::strerror(errno));
    auto fault = give_file(path, options.owner, options.group);
    if (!fault && ::chmod(path.c_str(), options.permissions) != 0)
        fault = std::strerror(errno);
    if (fault) {
        result.remove_file();
        return cannot_open(*fault);
    }
    return result;
}

std::expected<listen_socket, std::string> inherit_datagram_socket(int socket) {
    any_address local;
    if (::getsockname(socket, local.get(), &local.size) != 0 || local.bytes.ss_family != AF_UNIX ||
        option_of(socket, SO_TYPE) != SOCK_DGRAM)
        return std::unexpected(fmt::format("descriptor {} is no socket of unix datagrams", socket));
    ::fcntl(socket, F_SETFD, FD_CLOEXEC);
    listen_socket result;
    result.socket = descriptor{socket};
    return result;
}

std::string unix_path_of(int socket) {
    any_address local;
    return ::getsockname(socket, local.get(), &local.size) == 0 ? unix_path_of(local) : "";
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
