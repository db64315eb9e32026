// SPDX-License-Identifier: Apache-2.0
#include "advise/policy_age.h"

#include "advise/words.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace mailtight::advise {

namespace {

std::set<std::string> lower_set(std::span<const std::string> names) {
    std::set<std::string> all;
    for (const std::string& name : names)
        all.insert(base::lower(name));
    return all;
}

std::vector<std::string> without(const std::set<std::string>& these, const std::set<std::string>& those) {
    std::vector<std::string> left;
    std::ranges::set_difference(these, those, std::back_inserter(left));
    return left;
}

} // namespace

std::optional<sts::policy> policy_of(std::span<const std::string> strings) {
    std::string body;
    for (const std::string& line : strings) {
        body += line;
        body += '\n';
    }
    auto read = sts::parse_policy(body);
    return read ? std::optional(std::move(*read)) : std::nullopt;
}

policy_pair policies_of(const failure_context& context) {
    policy_pair both;
    if (context.policy_type != "sts")
        return both;
    both.then = policy_of(context.policy_strings);
    both.patterns_then = both.then && !both.then->mx.empty() ? both.then->mx : context.mx_patterns;
    if (context.policy_today) {
        auto now = sts::parse_policy(*context.policy_today);
        if (now)
            both.now = std::move(*now);
    }
    return both;
}

std::optional<bool> policy_pair::differ() const {
    if (!now || (!then && patterns_then.empty()))
        return std::nullopt;
    return !difference().empty();
}

std::string policy_pair::difference() const {
    if (!now)
        return {};
    std::vector<std::string> points;
    if (then && then->mode != now->mode)
        points.push_back(
            fmt::format("it is in {} (now {})", sts::to_string(then->mode), sts::to_string(now->mode)));
    const auto old_names = lower_set(patterns_then), new_names = lower_set(now->mx);
    if (!old_names.empty() || then) {
        if (const auto lacks = without(new_names, old_names); !lacks.empty())
            points.push_back("it lacks " + list(lacks, 4));
        if (const auto more = without(old_names, new_names); !more.empty())
            points.push_back("it still has " + list(more, 4));
    }
    if (then && then->max_age != now->max_age)
        points.push_back(fmt::format("its max_age is {} (now {})", then->max_age, now->max_age));
    return list(points);
}

std::string policy_age_words(const policy_pair& both, const failure_context& context) {
    const auto differ = both.differ();
    if (!differ)
        return {};
    if (!*differ)
        return "The policy in the report is the one served now.";
    std::string words =
        fmt::format("The policy in the report is not the one served now: {}.", both.difference());
    if (context.policy_today_since)
        words += fmt::format(" The one of now is served since {}.", day_words(*context.policy_today_since));
    return words;
}

} // namespace mailtight::advise
