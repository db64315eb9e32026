// SPDX-License-Identifier: Apache-2.0
// How much one source may hand in: a token bucket each, a minute's worth deep (8460-7-a). A source is an IPv4
// address or an IPv6 /64. Bounded memory; the loop's thread only. The room's own.
#pragma once

#include "base/ip.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace mailtight::intake {

/// The key of a source; an IPv4 address inside IPv6 counts as itself.
std::string source_of(const base::ip_address& address);

class rate_limit {
public:
    using time_point = std::chrono::steady_clock::time_point;
    explicit rate_limit(std::uint64_t per_minute, std::size_t sources_max = 10'000);
    /// Takes one of the source's tokens; false where none is left.
    bool take(const std::string& source, time_point now);
    /// Until the source has a token again, at least a second.
    std::chrono::seconds wait(const std::string& source, time_point now) const;
    std::size_t sources() const { return buckets_.size(); }

private:
    struct bucket {
        double tokens = 0;
        time_point at{};
    };
    double filled(const bucket& of, time_point now) const;
    void make_room(time_point now);

    double depth_;
    std::size_t sources_max_;
    std::unordered_map<std::string, bucket> buckets_;
};

} // namespace mailtight::intake
