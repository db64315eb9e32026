// SPDX-License-Identifier: Apache-2.0
#include "intake/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace mailtight::intake {

std::string source_of(const base::ip_address& address) {
    constexpr std::string_view mapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    const auto bytes = address.bytes();
    if (address.is_v4())
        return std::string(bytes);
    if (bytes.starts_with(mapped))
        return std::string(bytes.substr(mapped.size()));
    return std::string(bytes.substr(0, 8));
}

rate_limit::rate_limit(std::uint64_t per_minute, std::size_t sources_max)
    : depth_(static_cast<double>(per_minute))
    , sources_max_(std::max<std::size_t>(sources_max, 1)) {}

double rate_limit::filled(const bucket& of, time_point now) const {
    const double minutes = std::chrono::duration<double, std::ratio<60>>(now - of.at).count();
    return std::min(depth_, of.tokens + std::max(0.0, minutes) * depth_);
}

void rate_limit::make_room(time_point now) {
    if (buckets_.size() < sources_max_)
        return;
    // A full bucket says nothing that a new one would not.
    std::erase_if(buckets_, [&](const auto& entry) { return filled(entry.second, now) >= depth_; });
    if (buckets_.size() >= sources_max_) // a flood from everywhere: the connection limits hold it
        buckets_.erase(buckets_.begin());
}

bool rate_limit::take(const std::string& source, time_point now) {
    auto found = buckets_.find(source);
    if (found == buckets_.end()) {
        make_room(now);
        found = buckets_.emplace(source, bucket{depth_, now}).first;
    }
    auto& own = found->second;
    own.tokens = filled(own, now);
    own.at = now;
    if (own.tokens < 1)
        return false;
    own.tokens -= 1;
    return true;
}

std::chrono::seconds rate_limit::wait(const std::string& source, time_point now) const {
    const auto found = buckets_.find(source);
    const double missing = found == buckets_.end() ? 0 : 1 - filled(found->second, now);
    const double seconds = depth_ > 0 ? std::ceil(missing * 60 / depth_) : 3600;
    return std::chrono::seconds(std::clamp<long>(static_cast<long>(seconds), 1, 3600));
}

} // namespace mailtight::intake
