// SPDX-License-Identifier: Apache-2.0
// Where to listen, read from a configuration; who is at the other end, as text.
#include "io/server.h"

#include "base/text.h"

#include <fmt/format.h>

#include <charconv>

#include <sys/un.h>

namespace mailtight::io {

namespace {

using parsed = std::expected<listen_address, std::string>;

template<class T>
std::optional<T> number(std::string_view text, int radix) {
    T value = 0;
    const auto end = text.data() + text.size();
    const auto [at, wrong] = std::from_chars(text.data(), end, value, radix);
    if (text.empty() || wrong != std::errc{} || at != end)
        return std::nullopt;
    return value;
}

parsed unix_address(std::string_view text) {
    listen_address result;
    if (const auto comma = text.rfind(",mode="); comma != text.npos) {
        const auto mode = number<unsigned>(text.substr(comma + 6), 8);
        if (!mode || *mode > 0777)
            return std::unexpected(fmt::format("\"{}\" is no mode of a socket: it is written like 0660",
                                               base::printable(text.substr(comma + 6), 40)));
        result.unix_mode = *mode;
        text = text.substr(0, comma);
    }
    if (!text.starts_with('/') || text.find('\0') != text.npos)
        return std::unexpected("a unix socket needs an absolute path, like unix:/run/mailtight/lmtp");
    if (text.size() >= sizeof(sockaddr_un{}.sun_path))
        return std::unexpected(fmt::format("the path of a unix socket has at most {} bytes, this one has {}",
                                           sizeof(sockaddr_un{}.sun_path) - 1, text.size()));
    result.unix_path = text;
    return result;
}

} // namespace

parsed parse_listen_address(std::string_view text, std::uint16_t default_port) {
    if (text.starts_with("unix:"))
        return unix_address(text.substr(5));
    auto host = text;
    std::string_view port;
    bool with_port = false;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        host = text.substr(1, end == text.npos ? end : end - 1);
        const auto rest = end == text.npos ? std::string_view{} : text.substr(end + 1);
        with_port = rest.starts_with(':');
        port = with_port ? rest.substr(1) : rest;
        if (end == text.npos || (!with_port && !rest.empty()))
            host = {};
    } else if (text.find(':') == text.rfind(':') && text.find(':') != text.npos) {
        with_port = true;
        host = text.substr(0, text.find(':'));
        port = text.substr(text.find(':') + 1);
    }
    const auto address = base::ip_address::parse(host);
    const auto chosen = with_port ? number<std::uint16_t>(port, 10) : default_port;
    if (!address || !chosen || (text.starts_with('[') && address->is_v4()))
        return std::unexpected(
            fmt::format("\"{}\" is no address to listen at: write ADDRESS:PORT, [IPV6]:PORT or unix:/path "
                        "(an IP address, not a name; 0.0.0.0 or [::] for every address)",
                        base::printable(text, 100)));
    listen_address result;
    result.tcp = endpoint{*address, *chosen};
    return result;
}

std::string listen_address::to_string() const {
    if (tcp)
        return tcp->to_string();
    return unix_mode == 0660 ? "unix:" + unix_path : fmt::format("unix:{},mode={:04o}", unix_path, unix_mode);
}

std::string peer::to_string() const {
    if (address)
        return address->to_string();
    if (user)
        return fmt::format("uid {} (pid {})", user->uid, user->pid);
    return "unknown";
}

} // namespace mailtight::io
