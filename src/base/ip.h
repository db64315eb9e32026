// SPDX-License-Identifier: Apache-2.0
// IP addresses and networks as values: parsing, RFC 5952 text, and the judgement whether an address may be
// connected to when a remote text named it. No sockets here.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::base {

/// An IPv4 or IPv6 address (no zone). An IPv4-mapped IPv6 address stays IPv6.
class ip_address {
public:
    ip_address() = default;
    static ip_address v4(std::array<std::uint8_t, 4> bytes);
    static ip_address v6(std::array<std::uint8_t, 16> bytes);
    /// Dotted quad without leading zeros, or any RFC 4291 form without zone; anything else gives nothing.
    static std::optional<ip_address> parse(std::string_view text);

    bool is_v4() const { return v4_; }
    bool is_v6() const { return !v4_; }
    /// 4 or 16 bytes, network order.
    std::string_view bytes() const;
    /// Dotted quad, or RFC 5952.
    std::string to_string() const;

    friend auto operator<=>(const ip_address&, const ip_address&) = default;

private:
    std::array<std::uint8_t, 16> bytes_{};
    bool v4_ = true;
};

/// A network such as `127.0.0.0/8`; a bare address is a network of one.
class ip_network {
public:
    static std::optional<ip_network> parse(std::string_view text);
    bool contains(const ip_address& address) const;
    bool overlaps(const ip_network& other) const { return contains(other.base_) || other.contains(base_); }
    std::string to_string() const;

private:
    ip_address base_;
    unsigned prefix_ = 0;
};

/// Why an address is not globally routable ("private", "loopback", "link-local", "multicast",
/// "documentation", …), or nothing where it is. IPv4 inside IPv6 (mapped, compatible, NAT64 64:ff9b::/96,
/// 6to4, Teredo) is judged by what is inside; the local translation prefix 64:ff9b:1::/48 is refused whatever
/// it holds, since where it holds it is each network's own choice (RFC 8215). Source: the IANA
/// special-purpose address registries (RFC 6890 and successors).
std::optional<std::string_view> not_global_because(const ip_address& address);

/// The guard of every connection to an address learnt from DNS or a remote text: global addresses pass, and
/// those inside a network that the operator allowed (`--allow-net`).
class address_guard {
public:
    address_guard() = default;
    explicit address_guard(std::vector<ip_network> allowed)
        : allowed_(std::move(allowed)) {}
    /// Nothing where the address may be connected to, else the reason.
    std::optional<std::string> refuses(const ip_address& address) const;

    /// Networks that hold only refused addresses, for a library that connects by itself and takes such a
    /// list. One that overlaps what the operator allowed is left out whole.
    std::vector<ip_network> refused_networks() const;

private:
    std::vector<ip_network> allowed_;
};

} // namespace mailtight::base
