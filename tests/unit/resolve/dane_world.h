// SPDX-License-Identifier: Apache-2.0
// What the tests of destinations share: records, a fixed clock, and one look.
#pragma once

#include "resolve/destination.h"
#include "support/dns_world.h"

#include <string>

namespace mailtight::tests {

using entry = model::tlsa_fact::entry;
inline const entry good_tlsa{3, 1, 1, std::string(32, 'k')};
inline const entry strong_tlsa{3, 1, 2, std::string(64, 'k')};
inline const entry pkix_tlsa{1, 1, 1, std::string(32, 'k')};
inline const entry short_tlsa{3, 1, 1, "too short"};

inline constexpr base::utc_seconds look_time = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1};
struct look_clock final : base::clock {
    base::utc_seconds now() const override { return look_time; }
};

inline mail::next_hop to_domain(std::string name = "example.com", std::uint16_t port = 25) {
    return {.what = mail::next_hop::kind::domain, .domain = std::move(name), .port = port};
}
inline mail::next_hop to_smart_host(std::string name, std::uint16_t port = 25) {
    return {.what = mail::next_hop::kind::smart_host, .domain = std::move(name), .port = port};
}

inline resolve::destination look(io::resolver& dns, mail::next_hop hop = to_domain(),
                                 resolve::destination_options options = {}) {
    io::loop loop;
    const look_clock clock;
    return loop.block_on(resolve::look_at(loop, dns, clock, std::move(hop), options));
}

/// A world with one signed MX host, `mx.example.com`, whose TLSA records are good.
inline void with_dane(dns_world& world) {
    world.mx("example.com", {{10, "mx.example.com"}});
    world.addresses("mx.example.com", {"192.0.2.1"});
    world.tlsa("_25._tcp.mx.example.com", {good_tlsa});
}

} // namespace mailtight::tests
