// SPDX-License-Identifier: Apache-2.0
#include "api/attempts.h"

#include <algorithm>

namespace mailtight::api {

attempts::attempts(limit of, std::size_t slots)
    : limit_(of)
    , key_(base::random_hash_key())
    , slots_(std::max<std::size_t>(slots, 2)) {}

attempts::pair attempts::slots_of(std::string_view key) const {
    const auto hash = base::keyed_hash(key_, key);
    const auto half = slots_.size() / 2; // one in each half: never twice the same
    return {hash % half, half + (hash >> 32) % (slots_.size() - half)};
}

attempts::slot attempts::settled(slot of, time_point now) const {
    if (of.used == 0 || now <= of.since)
        return of;
    const auto back = (now - of.since) / limit_.each_after;
    const auto gained = static_cast<std::uint32_t>(std::min<std::int64_t>(back, of.used));
    of.used -= gained;
    of.since += limit_.each_after * gained;
    return of;
}

bool attempts::take(std::string_view key, time_point now) {
    bool left = false;
    const auto both = slots_of(key);
    for (const auto at : both) {
        slots_[at] = settled(slots_[at], now);
        left = left || slots_[at].used < limit_.most;
    }
    if (!left)
        return false;
    for (const auto at : both) {
        auto& each = slots_[at];
        if (each.used == 0)
            each.since = now;
        each.used = std::min(each.used + 1, limit_.most);
    }
    return true;
}

void attempts::give_back(std::string_view key, time_point now) {
    for (const auto at : slots_of(key)) {
        slots_[at] = settled(slots_[at], now);
        if (slots_[at].used > 0)
            --slots_[at].used;
    }
}

std::chrono::seconds attempts::wait(std::string_view key, time_point now) const {
    auto least = std::chrono::seconds::max();
    for (const auto at : slots_of(key)) {
        const auto each = settled(slots_[at], now);
        if (each.used < limit_.most)
            return std::chrono::seconds(0);
        least =
            std::min(least, std::chrono::ceil<std::chrono::seconds>(each.since + limit_.each_after - now));
    }
    return std::max(least, std::chrono::seconds(1));
}

} // namespace mailtight::api
