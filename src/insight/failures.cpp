// SPDX-License-Identifier: Apache-2.0
#include "insight/failures.h"

#include "base/text.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace mailtight::insight {

namespace {

constexpr std::size_t addresses_kept = 16;

void add_once(std::vector<std::string>& all, const std::string& text, std::size_t limit = SIZE_MAX) {
    if (!text.empty() && all.size() < limit && std::ranges::find(all, text) == all.end())
        all.push_back(text);
}

/// The policy in the report that tells of the failure; where it is not known, the one that the reporter of
/// this row saw last; else the last that anybody saw. A policy that was mended since explains no failure of
/// before.
const store::policy_row* policy_of(const store::failure_row& row,
                                   std::span<const store::policy_row> policies) {
    const store::policy_row* best = nullptr;
    bool best_same = false;
    for (const auto& one : policies) {
        if (one.domain != row.domain || one.type != row.policy_type)
            continue;
        if (row.policy_text != 0 && one.text == row.policy_text)
            return &one;
        const bool same = std::ranges::find(one.reporters, row.reporter) != one.reporters.end();
        if (!best || std::tuple(same, one.last) > std::tuple(best_same, best->last)) {
            best = &one;
            best_same = same;
        }
    }
    return best;
}

void add(failure_group& to, const store::failure_row& row) {
    to.count += row.count;
    switch (advise::fate_of(row.policy_type, row.policy_mode, row.result_type)) {
    case advise::fate::held_back:
        to.held_back += row.count;
        break;
    case advise::fate::delivered:
        to.delivered += row.count;
        break;
    case advise::fate::unknown:
        to.unknown += row.count;
        break;
    }
    add_once(to.reporters, row.reporter);
    to.first = to.first == day{} ? row.first : std::min(to.first, row.first);
    to.last = std::max(to.last, row.last);
    to.last_report = std::max(to.last_report, row.last_report);
    for (const auto& ip : row.sending_ips)
        add_once(to.sending_ips, ip, addresses_kept);
    for (const auto& ip : row.receiving_ips)
        add_once(to.receiving_ips, ip, addresses_kept);
}

} // namespace

std::string days_words(day first, day last) {
    tlsrpt::report frame;
    frame.start = first;
    frame.end = last;
    const std::string words = advise::period_words(frame);
    return words.substr(words.find(' ') + 1); // without "on" or "from"
}

std::vector<failure_group> group_failures(std::span<const store::failure_row> rows,
                                          std::span<const store::reporter_row> reporters,
                                          std::span<const store::policy_row> policies,
                                          const known_today& today) {
    std::map<std::tuple<std::string, std::string, std::string, std::string, std::string>, std::size_t> places;
    std::vector<failure_group> groups;
    std::vector<const store::failure_row*> newest; // of each group: its policy is the one to judge by
    // Who sees this result at this MX, whatever reason each gives for it.
    std::map<std::tuple<std::string, std::string, std::string>, std::set<std::string>> seen_by;
    for (const auto& row : rows) {
        const std::string result = base::lower(row.result_type);
        seen_by[{row.domain, result, row.mx}].insert(row.reporter);
        const auto [at, fresh] =
            places.try_emplace({row.domain, row.policy_type, result, row.reason_code, row.mx}, groups.size());
        if (fresh) {
            failure_group made;
            made.domain = row.domain;
            made.policy_type = row.policy_type;
            made.result_type = result;
            made.reason_code = row.reason_code;
            made.mx = row.mx;
            groups.push_back(std::move(made));
            newest.push_back(&row);
        } else if (row.last > newest[at->second]->last)
            newest[at->second] = &row;
        add(groups[at->second], row);
    }

    for (std::size_t i = 0; i < groups.size(); ++i) {
        failure_group& group = groups[i];
        const auto& failing = seen_by[{group.domain, group.result_type, group.mx}];
        for (const auto& one : reporters)
            group.reporters_fine +=
                one.domain == group.domain && one.success > 0 && !failing.contains(one.reporter);
        tlsrpt::failure_detail failure;
        failure.result_type = group.result_type;
        failure.count = group.count;
        failure.receiving_mx = group.mx;
        failure.reason_code = group.reason_code;
        if (group.receiving_ips.size() == 1)
            failure.receiving_ip = group.receiving_ips.front();
        advise::failure_context context;
        context.domain = group.domain;
        context.policy_type = group.policy_type;
        if (const auto* policy = policy_of(*newest[i], policies))
            context.policy_strings = policy->strings;
        context.reporter = newest[i]->organization.empty() ? newest[i]->reporter : newest[i]->organization;
        context.reporters_failing = failing.size();
        context.reporters_fine = group.reporters_fine;
        context.mx_today = today.mx;
        context.policy_today = today.policy;
        context.policy_today_since = today.policy_since;
        group.diagnosis = diagnose_today(failure, std::move(context), today);
    }
    std::ranges::sort(groups, [](const failure_group& a, const failure_group& b) {
        return std::tie(b.count, a.domain, a.result_type, a.mx, a.reason_code, a.policy_type) <
               std::tie(a.count, b.domain, b.result_type, b.mx, b.reason_code, b.policy_type);
    });
    return groups;
}

} // namespace mailtight::insight
