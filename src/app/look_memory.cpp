// SPDX-License-Identifier: Apache-2.0
#include "app/look_memory.h"

#include <algorithm>
#include <utility>

namespace mailtight::app {

void look_memory::remember(live_look look) {
    std::string domain = look.seen.domain;
    looks_[std::move(domain)] = std::make_shared<const live_look>(std::move(look));
    if (looks_.size() > looks_most)
        looks_.erase(std::ranges::min_element(looks_, {},
                                              [](const auto& each) { return each.second->seen.checked_at; }));
}

std::shared_ptr<const live_look> look_memory::fresh(std::string_view domain, base::utc_seconds now) const {
    const auto found = looks_.find(domain);
    if (found == looks_.end() || now - found->second->seen.checked_at > lasts)
        return nullptr;
    return found->second;
}

look_memory::by_domain look_memory::all(base::utc_seconds now) const {
    by_domain made = looks_;
    std::erase_if(made, [&](const auto& each) { return now - each.second->seen.checked_at > lasts; });
    return made;
}

} // namespace mailtight::app
