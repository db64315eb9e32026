// SPDX-License-Identifier: Apache-2.0
#include "app/change_marks.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace mailtight::app {

namespace {

/// `+ mx2.example.com, - mx1.example.com`
std::string difference(std::vector<std::string> before, std::vector<std::string> after) {
    std::ranges::sort(before);
    std::ranges::sort(after);
    std::vector<std::string> words, some;
    std::ranges::set_difference(after, before, std::back_inserter(some));
    for (const auto& each : some)
        words.push_back("+ " + each);
    some.clear();
    std::ranges::set_difference(before, after, std::back_inserter(some));
    for (const auto& each : some)
        words.push_back("- " + each);
    return base::join(words, ", ");
}

std::string policy_words(const model::served_policy& of) {
    return fmt::format("policy: {}, kept {}", sts::to_string(of.mode),
                       base::format_duration(std::chrono::seconds(of.max_age)));
}

} // namespace

void sort_marks(std::vector<api::change_mark>& all) {
    std::ranges::sort(all, [](const api::change_mark& a, const api::change_mark& b) {
        return std::tie(a.at, a.domain, a.kind, a.words) < std::tie(b.at, b.domain, b.kind, b.words);
    });
}

std::vector<api::change_mark> marks_of(std::span<const model::served_policy> served,
                                       std::span<const model::watched_state> seen, store::day from,
                                       store::day to) {
    std::vector<api::change_mark> all;
    const auto add = [&](base::utc_seconds at, const std::string& domain, std::string_view kind,
                         std::string words) {
        if (at >= from && at < to + std::chrono::days(1))
            all.push_back({.at = at, .domain = domain, .kind = kind, .words = std::move(words)});
    };
    std::vector<const model::served_policy*> policies;
    for (const auto& each : served)
        policies.push_back(&each);
    std::ranges::sort(policies, {}, &model::served_policy::first_served);
    for (std::size_t i = 0; i < policies.size(); ++i) {
        const auto& now = *policies[i];
        const auto* before = i > 0 ? policies[i - 1] : nullptr;
        if (before && before->mode != now.mode)
            add(now.first_served, now.domain, "mode",
                fmt::format("{} -> {}", sts::to_string(before->mode), sts::to_string(now.mode)));
        else
            add(now.first_served, now.domain, "policy", policy_words(now));
        if (i + 1 == policies.size() && now.last_served)
            add(*now.last_served, now.domain, "policy", "policy withdrawn");
    }
    for (const bool full : {true, false}) { // each kind of look is compared with its own
        const model::watched_state* after = nullptr;
        for (const auto& state : seen) {
            if (state.full != full)
                continue;
            if (after) {
                if (auto words = difference(state.mx, after->mx); !words.empty())
                    add(after->first, after->domain, "mx", "MX: " + words);
                if (state.record_id != after->record_id)
                    add(after->first, after->domain, "record",
                        after->record_id.empty() ? "MTA-STS record gone"
                                                 : "MTA-STS record: id " + after->record_id);
            }
            after = &state;
        }
    }
    sort_marks(all);
    // Both kinds of look see the same change, minutes or hours apart: the earlier one tells it.
    std::vector<api::change_mark> out;
    for (auto& each : all)
        if (std::ranges::none_of(out, [&](const api::change_mark& told) {
                return told.kind == each.kind && told.words == each.words && told.domain == each.domain &&
                       each.kind != "policy" && each.kind != "mode" &&
                       each.at - told.at <= std::chrono::days(1);
            }))
            out.push_back(std::move(each));
    return out;
}

} // namespace mailtight::app
