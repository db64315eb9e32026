// SPDX-License-Identifier: Apache-2.0
#include "io/source_address.h"

#include "io/descriptor.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>

namespace mailtight::io {

std::optional<base::ip_address> source_address_to(const base::ip_address& destination) {
    constexpr std::uint16_t any_port = 25; // connecting a datagram socket only chooses the route
    const descriptor socket(::socket(destination.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (socket.get() < 0)
        return std::nullopt;
    const auto bytes = destination.bytes();
    if (destination.is_v4()) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(any_port);
        std::memcpy(&to.sin_addr, bytes.data(), bytes.size());
        socklen_t size = sizeof to;
        if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), size) != 0 ||
            ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&to), &size) != 0)
            return std::nullopt;
        std::array<std::uint8_t, 4> out{};
        std::memcpy(out.data(), &to.sin_addr, out.size());
        return base::ip_address::v4(out);
    }
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(any_port);
    std::memcpy(&to.sin6_addr, bytes.data(), bytes.size());
    socklen_t size = sizeof to;
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), size) != 0 ||
        ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&to), &size) != 0)
        return std::nullopt;
    std::array<std::uint8_t, 16> out{};
    std::memcpy(out.data(), &to.sin6_addr, out.size());
    return base::ip_address::v6(out);
}

} // namespace mailtight::io
