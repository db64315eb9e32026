// SPDX-License-Identifier: Apache-2.0
#include "publish/changed.h"

#include "base/text.h"
#include "sts/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace mailtight::publish {
namespace {

constexpr std::size_t told_most = 3, text_most = 120;

std::string shown(std::string_view text) {
    return base::printable(text, text_most);
}

/// Those of `from` that are not in `other`; both sorted here, since hosts come as DNS gave them.
std::vector<std::string> only_in(std::vector<std::string> from, std::vector<std::string> other) {
    std::ranges::sort(from);
    std::ranges::sort(other);
    std::vector<std::string> out;
    std::ranges::set_difference(from, other, std::back_inserter(out));
    return out;
}

std::string policy_words(const model::watched_state& before, const model::watched_state& now) {
    if (before.policy.empty())
        return "a policy can be fetched";
    if (now.policy.empty())
        return "the policy can no longer be fetched";
    const auto was = sts::parse_policy(before.policy), is = sts::parse_policy(now.policy);
    if (was && is && was->mode != is->mode)
        return fmt::format("the policy's mode went from {} to {}", sts::to_string(was->mode),
                           sts::to_string(is->mode));
    if (was && is && was->max_age != is->max_age)
        return fmt::format("the policy's max_age went from {} to {}", was->max_age, is->max_age);
    if (was && is && was->mx != is->mx)
        return "the policy names other MX hosts";
    return "the policy's text is another";
}

std::string record_words(const model::watched_state& before, const model::watched_state& now) {
    if (before.record_id.empty())
        return fmt::format("the record was published, with id {}", shown(now.record_id));
    if (now.record_id.empty())
        return "the record was removed";
    return fmt::format("the id went from {} to {}", shown(before.record_id), shown(now.record_id));
}

} // namespace

std::string what_changed(const model::watched_state& before, const model::watched_state& now) {
    std::vector<std::string> all;
    if (before.verdict != now.verdict)
        all.push_back(before.verdict.empty() ? fmt::format("the verdict is {}", shown(now.verdict))
                                             : fmt::format("the verdict changed from {} to {}",
                                                           shown(before.verdict), shown(now.verdict)));
    if (before.policy != now.policy)
        all.push_back(policy_words(before, now));
    for (const auto& host : only_in(before.mx, now.mx))
        all.push_back(fmt::format("{} is no longer an MX host", shown(host)));
    for (const auto& host : only_in(now.mx, before.mx))
        all.push_back(fmt::format("{} is a new MX host", shown(host)));
    if (before.record_id != now.record_id)
        all.push_back(record_words(before, now));
    for (const auto& problem : only_in(now.findings, before.findings))
        all.push_back(fmt::format("new: {}", shown(problem)));
    for (const auto& problem : only_in(before.findings, now.findings))
        all.push_back(fmt::format("over: {}", shown(problem)));
    if (all.size() <= told_most)
        return base::join(all, "; ");
    const auto more = all.size() - told_most;
    all.resize(told_most);
    return fmt::format("{}; and {} more", base::join(all, "; "), more);
}

} // namespace mailtight::publish
