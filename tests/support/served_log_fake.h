// SPDX-License-Identifier: Apache-2.0
// The log of served policies of the database in memory: entries are opened and closed, never changed.
#pragma once

#include "model/looked_after.h"
#include "sts/policy.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::tests {

struct served_log {
    std::vector<model::served_policy> all;

    static void add_id(model::served_policy& to, std::string_view id) {
        if (!id.empty() && std::ranges::find(to.ids, id) == to.ids.end())
            to.ids.emplace_back(id);
    }
    model::served_policy* open_one(std::string_view domain, std::string_view body) {
        for (auto& each : all)
            if (each.domain == domain && each.body == body && !each.last_served)
                return &each;
        return nullptr;
    }
    void open_entry(std::string_view domain, std::string_view body, std::string_view id, bool ours,
                    base::utc_seconds from) {
        model::served_policy fresh{
            .domain = std::string(domain), .body = std::string(body), .first_served = from, .ours = ours};
        if (const auto read = sts::parse_policy(body)) {
            fresh.mode = read->mode;
            fresh.max_age = read->effective_max_age();
        }
        add_id(fresh, id);
        all.push_back(std::move(fresh));
    }
    /// What is open and not what our hosts serve.
    void close_others(std::string_view domain, const std::optional<model::publication>& ours,
                      base::utc_seconds seen) {
        for (auto& each : all)
            if (each.domain == domain && !each.last_served && !(ours && ours->body == each.body))
                each.last_served = seen;
    }
};

} // namespace mailtight::tests
