// SPDX-License-Identifier: Apache-2.0
// A blocking client for tests: raw bytes over TCP or a unix socket, bounded in time, so that it can do what
// no client library would. And waiting on a loop until something is so.
#pragma once

#include "io/loop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace mailtight::tests {

/// A connection from here; closed with the object.
class raw_client {
public:
    static raw_client tcp(std::uint16_t port, std::string_view address = "127.0.0.1",
                          std::string_view from = {}) {
        if (address.find(':') != address.npos) {
            sockaddr_in6 to{};
            to.sin6_family = AF_INET6;
            to.sin6_port = htons(port);
            inet_pton(AF_INET6, std::string(address).c_str(), &to.sin6_addr);
            return {AF_INET6, reinterpret_cast<sockaddr*>(&to), sizeof to, {}};
        }
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        inet_pton(AF_INET, std::string(address).c_str(), &to.sin_addr);
        return {AF_INET, reinterpret_cast<sockaddr*>(&to), sizeof to, from};
    }
    static raw_client local(const std::string& path) {
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        path.copy(to.sun_path, sizeof to.sun_path - 1);
        return {AF_UNIX, reinterpret_cast<sockaddr*>(&to), sizeof to, {}};
    }
    raw_client(raw_client&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)) {}
    raw_client& operator=(raw_client&& other) noexcept {
        std::swap(socket_, other.socket_);
        return *this;
    }
    ~raw_client() { close(); }

    bool connected() const { return socket_ >= 0; }
    bool send(std::string_view bytes) const {
        while (!bytes.empty()) {
            const auto put = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (put <= 0)
                return false;
            bytes.remove_prefix(static_cast<std::size_t>(put));
        }
        return true;
    }
    /// At least one byte, or "" at the end, on an error or after the patience.
    std::string some() const {
        std::string bytes(65'536, '\0');
        const auto got = ::recv(socket_, bytes.data(), bytes.size(), 0);
        bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return bytes;
    }
    /// Until `end` has come (or the other side ended).
    std::string until(std::string_view end) const {
        std::string bytes;
        while (bytes.find(end) == bytes.npos) {
            const auto more = some();
            if (more.empty())
                break;
            bytes += more;
        }
        return bytes;
    }
    std::string rest() const { return until(std::string_view("\0never sent\0", 12)); }
    void finish_writing() const { ::shutdown(socket_, SHUT_WR); }
    void close() {
        if (socket_ >= 0)
            ::close(socket_);
        socket_ = -1;
    }

private:
    raw_client(int family, const sockaddr* to, socklen_t size, std::string_view from)
        : socket_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const timeval patience{20, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        if (!from.empty()) {
            sockaddr_in local{};
            local.sin_family = AF_INET;
            inet_pton(AF_INET, std::string(from).c_str(), &local.sin_addr);
            if (::bind(socket_, reinterpret_cast<sockaddr*>(&local), sizeof local) != 0)
                throw std::runtime_error("bind");
        }
        if (::connect(socket_, to, size) != 0)
            close();
    }
    int socket_;
};

/// Runs the loop until it is so; false where it is not in time. Generous: the machine may be busy.
inline bool eventually(io::loop& on, std::function<bool()> so,
                       std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    auto wait = [](io::loop& with, const std::function<bool()>& is,
                   io::loop::time_point until) -> io::task<bool> {
        while (!is()) {
            if (with.now() >= until)
                co_return false;
            co_await with.sleep_for(std::chrono::milliseconds(2));
        }
        co_return true;
    };
    return on.block_on(wait(on, so, on.now() + patience));
}

} // namespace mailtight::tests
