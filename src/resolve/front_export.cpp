// SPDX-License-Identifier: Apache-2.0
// DUMP and EXPORT as postfix-tlspol has them, of what is enforced by MTA-STS now, the operator's exceptions
// included. DANE is in neither: it is looked up anew with each destination, and a list would be old at once.
#include "base/text.h"
#include "resolve/front_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mailtight::resolve {

namespace {

std::string said_of(const std::string& domain, sts::held_policy held) {
    tls_decision made;
    made.what = decision::enforce;
    made.hop = {mail::next_hop::kind::domain, domain, 25};
    made.policy = std::move(held);
    const reply said = render(dialect::tlspol, made, {});
    return said.what == reply::status::ok ? said.text : std::string();
}

/// Every enforced policy, in the order of the domains.
std::map<std::string, std::string> enforced_now(const front::state& shared, base::utc_seconds now) {
    std::map<std::string, std::string> all;
    shared.source->each([&](const model::kept_policy& one) {
        const auto& held = one.state.held;
        if (held && held->value.mode == sts::mode::enforce && now <= held->expires_at())
            if (auto said = said_of(one.domain, *held); !said.empty())
                all.emplace(one.domain, std::move(said));
        return true;
    });
    for (const auto& exception : shared.source->overrides()) {
        if (!exception.holds(now) || exception.what == model::policy_override::kind::require)
            continue;
        all.erase(exception.domain);
        if (exception.what != model::policy_override::kind::pin)
            continue;
        sts::held_policy pinned;
        pinned.value.mode = sts::mode::enforce;
        pinned.value.mx = exception.mx;
        if (auto said = said_of(exception.domain, std::move(pinned)); !said.empty())
            all.emplace(exception.domain, std::move(said));
    }
    return all;
}

} // namespace

std::string export_policies(const front::state& shared, base::utc_seconds now) {
    std::string text;
    for (const auto& [domain, said] : enforced_now(shared, now))
        fmt::format_to(std::back_inserter(text), "{:<28} {}\n", domain, said);
    return text;
}

// The counter: how often an answer for the domain was given again from what is ready.
std::string dump(const front::state& shared, base::utc_seconds now) {
    std::map<std::string, std::uint64_t, std::less<>> given;
    shared.repeats.each(
        [&](const repeat_table::entry& one) { given[one.decision->hop.domain] += one.given + 1U; });
    struct row {
        std::uint64_t given;
        std::string domain, said;
    };
    std::vector<row> rows;
    for (auto& [domain, said] : enforced_now(shared, now)) {
        const auto at = given.find(domain);
        rows.push_back({at == given.end() ? 0 : at->second, domain, std::move(said)});
    }
    std::ranges::sort(rows, [](const row& a, const row& b) {
        return a.given != b.given ? a.given > b.given : a.domain < b.domain;
    });
    std::string text;
    for (const auto& one : rows)
        fmt::format_to(std::back_inserter(text), "{:<28}  {:>6}  {}\n", one.domain, one.given, one.said);
    return text;
}

} // namespace mailtight::resolve
