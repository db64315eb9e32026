// SPDX-License-Identifier: Apache-2.0
// The domains of bench/policy_service.py by number (farm/names.h), their replies, and where its programs
// meet.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

namespace bench {

inline std::string domain(long number) {
    return "f" + std::to_string(number) + ".bench";
}
/// What a mail server is told of it.
inline std::string reply(long number) {
    const auto name = domain(number);
    return "secure match=mx." + name + " servername=hostname";
}

/// A port of 127.0.0.1, or the path of a unix socket.
struct place {
    sockaddr_storage bytes{};
    socklen_t size = 0;
    int family = AF_UNIX;
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }

    explicit place(const std::string& where) {
        if (where.starts_with('/')) {
            auto& local = reinterpret_cast<sockaddr_un&>(bytes);
            local.sun_family = AF_UNIX;
            where.copy(local.sun_path, sizeof local.sun_path - 1);
            size = sizeof local;
            return;
        }
        auto& remote = reinterpret_cast<sockaddr_in&>(bytes);
        remote.sin_family = AF_INET;
        remote.sin_port = htons(static_cast<std::uint16_t>(std::atoi(where.c_str())));
        remote.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        family = AF_INET;
        size = sizeof remote;
    }
};

inline int listen_at(const std::string& where) {
    const place at(where);
    if (at.family == AF_UNIX)
        unlink(where.c_str());
    const int made = socket(at.family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int yes = 1;
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(made, at.get(), at.size) != 0 || listen(made, 512) != 0)
        return -1;
    return made;
}

} // namespace bench
