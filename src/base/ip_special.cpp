// SPDX-License-Identifier: Apache-2.0
// Which addresses are not globally routable: the IANA special-purpose address registries (RFC 6890, RFC 8190
// and the entries added since) as two tables, most specific prefix first, then what is inside an IPv6 address
// that carries an IPv4 one.
#include "base/ip.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace mailtight::base {
namespace {

template<std::size_t N>
struct range {
    std::array<std::uint8_t, N> prefix; ///< trailing zeros may be left out
    unsigned length;
    std::string_view reason; ///< empty: globally reachable, an exception from a wider range below
};

template<std::size_t N>
bool inside(const range<N>& r, std::span<const std::uint8_t, N> address) {
    for (unsigned bit = 0; bit < r.length; ++bit)
        if (((r.prefix[bit / 8] ^ address[bit / 8]) & (0x80U >> (bit % 8))) != 0)
            return false;
    return true;
}

using range4 = range<4>;
using range6 = range<16>;

constexpr std::array<range4, 21> table4{{
    {{0}, 8, "this network"},                         // RFC 791
    {{10}, 8, "private"},                             // RFC 1918
    {{100, 64}, 10, "shared by carriers"},            // RFC 6598
    {{127}, 8, "loopback"},                           // RFC 1122
    {{169, 254}, 16, "link-local"},                   // RFC 3927
    {{172, 16}, 12, "private"},                       // RFC 1918
    {{192, 0, 0, 9}, 32, ""},                         // RFC 7723, PCP anycast
    {{192, 0, 0, 10}, 32, ""},                        // RFC 8155, TURN anycast
    {{192, 0, 0}, 24, "protocol assignment"},         // RFC 6890
    {{192, 0, 2}, 24, "documentation"},               // RFC 5737
    {{192, 88, 99}, 24, "reserved (former 6to4)"},    // RFC 7526
    {{192, 168}, 16, "private"},                      // RFC 1918
    {{198, 18}, 15, "benchmarking"},                  // RFC 2544
    {{198, 51, 100}, 24, "documentation"},            // RFC 5737
    {{203, 0, 113}, 24, "documentation"},             // RFC 5737
    {{233, 252, 0}, 24, "documentation (multicast)"}, // RFC 6676
    {{224}, 4, "multicast"},                          // RFC 5771
    {{255, 255, 255, 255}, 32, "broadcast"},          // RFC 919
    {{240}, 4, "reserved"},                           // RFC 1112
    {{192, 31, 196}, 24, ""},                         // RFC 7535, AS112
    {{192, 175, 48}, 24, ""},                         // RFC 7534, AS112
}};

constexpr std::array<range6, 24> table6{{
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 128, "unspecified"}, // RFC 4291
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, "loopback"},    // RFC 4291
    {{0x00, 0x64, 0xFF, 0x9B, 0, 1}, 48, "local IPv4/IPv6 translation"},    // RFC 8215
    {{0x01, 0, 0, 0, 0, 0, 0, 0}, 64, "discard-only"},                      // RFC 6666
    {{0x01, 0, 0, 0, 0, 0, 0, 1}, 64, "dummy prefix"},                      // RFC 9780
    {{0x20, 0x01, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, ""},      // RFC 7723, PCP anycast
    {{0x20, 0x01, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}, 128, ""},      // RFC 8155, TURN anycast
    {{0x20, 0x01, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3}, 128, ""},      // RFC 9665, SRP anycast
    {{0x20, 0x01, 0, 2, 0, 0}, 48, "benchmarking"},                         // RFC 5180
    {{0x20, 0x01, 0, 3}, 32, ""},                                           // RFC 7450, AMT
    {{0x20, 0x01, 0, 4, 0x01, 0x12}, 48, ""},                               // RFC 7535, AS112
    {{0x20, 0x01, 0, 0x10}, 28, "deprecated (ORCHID)"},                     // RFC 4843
    {{0x20, 0x01, 0, 0x20}, 28, ""},                                        // RFC 7343, ORCHIDv2
    {{0x20, 0x01, 0, 0x30}, 28, ""},                                        // RFC 9374, drone identifiers
    {{0x20, 0x01, 0}, 23, "protocol assignment"},                           // RFC 2928
    {{0x20, 0x01, 0x0D, 0xB8}, 32, "documentation"},                        // RFC 3849
    {{0x3F, 0xFF}, 20, "documentation"},                                    // RFC 9637
    {{0x20}, 3, ""},                                                        // RFC 4291, global unicast
    {{0x5F}, 16, "segment routing"},                                        // RFC 9602
    {{0xFC}, 7, "private (unique local)"},                                  // RFC 4193
    {{0xFE, 0x80}, 10, "link-local"},                                       // RFC 4291
    {{0xFE, 0xC0}, 10, "private (site-local)"},                             // RFC 3879
    {{0xFF}, 8, "multicast"},                                               // RFC 4291
    {{0}, 0, "reserved"},                                                   // all that IANA has not given out
}};

template<std::size_t N, std::size_t M>
std::optional<std::string_view> judge(const std::array<range<N>, M>& table,
                                      std::span<const std::uint8_t, N> address) {
    const auto found = std::ranges::find_if(table, [&](const auto& r) { return inside(r, address); });
    if (found == table.end() || found->reason.empty())
        return std::nullopt;
    return found->reason;
}

std::optional<std::string_view> judge4(std::span<const std::uint8_t, 4> address) {
    return judge<4>(table4, address);
}

constexpr range6 mapped{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, 96, {}};
constexpr range6 compatible{{0}, 96, {}};
constexpr range6 nat64{{0x00, 0x64, 0xFF, 0x9B}, 96, {}};
constexpr range6 six_to_four{{0x20, 0x02}, 16, {}};
constexpr range6 teredo{{0x20, 0x01, 0, 0}, 32, {}};

std::span<const std::uint8_t> raw(const ip_address& address) {
    const auto bytes = address.bytes();
    return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

} // namespace

std::optional<std::string_view> not_global_because(const ip_address& address) {
    if (address.is_v4())
        return judge4(raw(address).first<4>());
    const auto bytes = raw(address).first<16>();
    if (inside(mapped, bytes) || inside(nat64, bytes)) // RFC 4291 §2.5.5.2; RFC 6052 §3.1
        return judge4(bytes.last<4>());
    if (inside(six_to_four, bytes)) // RFC 3056
        return judge4(bytes.subspan<2, 4>());
    if (inside(teredo, bytes)) { // RFC 4380 §4: the server, and the client's address with its bits inverted
        std::array<std::uint8_t, 4> client{};
        std::ranges::transform(bytes.last<4>(), client.begin(),
                               [](std::uint8_t b) { return static_cast<std::uint8_t>(~b); });
        const auto server = judge4(bytes.subspan<4, 4>());
        return server ? server : judge4(client);
    }
    // :: and ::1 are themselves, not the IPv4-compatible forms of 0.0.0.0 and 0.0.0.1.
    if (inside(compatible, bytes) && !inside(table6[0], bytes) && !inside(table6[1], bytes))
        return judge4(bytes.last<4>());
    return judge<16>(table6, bytes);
}

std::vector<ip_network> address_guard::refused_networks() const {
    std::vector<ip_network> all;
    for (const std::string_view text :
         {"0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
          "172.16.0.0/12", "192.0.0.0/29",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
          "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4",
          "::/3",          "2001:2::/48",     "2001:10::/28",   "2001:db8::/32",  "3fff::/20",
          "4000::/2",      "8000::/1"}) {
        const auto network = ip_network::parse(text);
        const bool allowed =
            std::ranges::any_of(allowed_, [&](const ip_network& a) { return a.overlaps(*network); });
        if (!allowed)
            all.push_back(*network);
    }
    return all;
}

std::optional<std::string> address_guard::refuses(const ip_address& address) const {
    const auto reason = not_global_because(address);
    if (!reason)
        return std::nullopt;
    std::optional<ip_address> plain; // what a connection to a mapped address really goes to
    if (const auto bytes = raw(address); address.is_v6() && inside(mapped, bytes.first<16>()))
        plain = ip_address::v4({bytes[12], bytes[13], bytes[14], bytes[15]});
    const auto allows = [&](const ip_network& network) {
        return network.contains(address) || (plain && network.contains(*plain));
    };
    if (std::ranges::any_of(allowed_, allows))
        return std::nullopt;
    return fmt::format("{} is not a global address: {}", address.to_string(), *reason);
}

} // namespace mailtight::base
