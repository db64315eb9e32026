// SPDX-License-Identifier: Apache-2.0
// The next hops that were asked about, by every way of writing them; bounded, those that were not used for
// longest go first (a clock with one hand, so that a use costs one bit).
#include "resolve/service_state.h"

#include <algorithm>

namespace mailtight::resolve {

namespace {

constexpr std::size_t spellings_max = 8; ///< `Example.COM`, `example.com.`: more are parsed each time

std::string canonical(const mail::next_hop& hop) {
    auto key = hop.what == mail::next_hop::kind::smart_host ? "[" + hop.domain + "]" : hop.domain;
    return hop.port == 25 ? key : key + ":" + std::to_string(hop.port);
}

} // namespace

std::shared_ptr<place> service::state::place_of(std::string_view key, const mail::next_hop& hop) {
    const auto name = canonical(hop);
    auto found = places.find(name);
    if (found == places.end()) {
        make_room();
        auto made = std::make_shared<place>();
        made->hop = hop;
        made->keys.push_back(name);
        made->use_told = base::utc_seconds{};
        places_of[hop.domain].push_back(made);
        clock_hand.push_back(made);
        found = places.emplace(name, std::move(made)).first;
    }
    const auto at = found->second;
    if (key != name && at->keys.size() < spellings_max && places.emplace(key, at).second)
        at->keys.emplace_back(key);
    return at;
}

void service::state::drop_place(const std::shared_ptr<place>& which) {
    for (const auto& key : which->keys)
        places.erase(key);
    const auto of = places_of.find(which->hop.domain);
    if (of != places_of.end()) {
        std::erase(of->second, which);
        if (of->second.empty())
            places_of.erase(of);
    }
    replace(*which, nullptr);
}

void service::state::make_room() {
    while (!clock_hand.empty() && clock_hand.size() >= std::max<std::size_t>(options.destinations, 1)) {
        auto next = std::move(clock_hand.front());
        clock_hand.pop_front();
        if (std::exchange(next->used, false))
            clock_hand.push_back(std::move(next));
        else
            drop_place(next);
    }
}

} // namespace mailtight::resolve
