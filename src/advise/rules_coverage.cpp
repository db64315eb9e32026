// SPDX-License-Identifier: Apache-2.0
// The policy held against the MX hosts: who is left out, and what admits nobody (RFC 8461 §4.1).
#include "advise/providers.h"
#include "advise/rules.h"
#include "advise/words.h"
#include "base/text.h"
#include "sts/match.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::advise {
namespace {

/// A wildcard that admits none of the hosts although hosts lie below its name, or are that name.
bool meant_for(const std::string& pattern, std::string_view host) {
    if (!pattern.starts_with("*."))
        return false;
    const std::string_view base_name = std::string_view(pattern).substr(2);
    return base::iequals(base_name, host) || base::iends_with(host, "." + std::string(base_name));
}

struct coverage {
    std::vector<std::string> outside; ///< hosts that no pattern admits
    std::vector<std::pair<std::string, std::vector<std::string>>> never_matches; ///< wildcard, hosts meant
    std::vector<std::string> unused; ///< patterns for no host at all
};

coverage hold_against(const sts::policy& policy, const std::vector<std::string>& hosts) {
    coverage c;
    for (const std::string& host : hosts)
        if (!sts::admitted_by(policy.mx, host)) // 8461-4.1-a, 8461-4.1-b
            c.outside.push_back(host);
    for (const std::string& pattern : policy.mx) {
        if (std::ranges::any_of(hosts, [&](const auto& host) { return sts::pattern_admits(pattern, host); }))
            continue;
        std::vector<std::string> meant;
        for (const std::string& host : hosts)
            if (meant_for(pattern, host))
                meant.push_back(host);
        if (meant.empty())
            c.unused.push_back(pattern);
        else
            c.never_matches.emplace_back(pattern, std::move(meant));
    }
    return c;
}

} // namespace

void coverage_rules(const reading& r, collector& out) {
    if (!r.active() || !r.fetched || r.seen.null_mx || r.hosts.empty())
        return;
    const sts::policy& policy = *r.readable();
    const coverage c = hold_against(policy, r.hosts);
    std::vector<std::string> unexplained = c.outside;
    for (const auto& [pattern, meant] : c.never_matches) {
        const bool leaves_out = std::ranges::any_of(
            meant, [&](const auto& host) { return std::ranges::count(c.outside, host) > 0; });
        out.emit("policy.wildcard-never-matches",
                 {.subject = pattern,
                  .message = fmt::format("{} does not match {}: the wildcard stands for exactly one label",
                                         pattern, list(meant, 4)),
                  .evidence = "mx: " + pattern,
                  .severity = leaves_out ? std::nullopt : std::optional(findings::severity::info)});
        std::erase_if(unexplained, [&](const auto& host) { return std::ranges::count(meant, host) > 0; });
    }
    const std::string patterns = "the policy admits " + list(policy.mx);
    if (!unexplained.empty() && c.outside.size() == r.hosts.size() &&
        unexplained.size() == c.outside.size()) {
        out.emit(
            "mx.none-in-policy",
            {.subject = r.seen.domain,
             .message = r.hosts.size() == 1
                            ? fmt::format("the only mail server, {}, is not in the policy", r.hosts.front())
                            : "",
             .evidence = fmt::format("MX: {}; {}", list(r.hosts), patterns)});
    } else {
        for (const std::string& host : unexplained)
            out.emit("mx.not-in-policy",
                     {.subject = host,
                      .message = fmt::format("{} is an MX host and not in the policy", host),
                      .evidence = patterns});
    }
    const auto preset = patterns_of_providers(r.hosts);
    if (c.outside.empty())
        for (const std::string& pattern : c.unused)
            if (std::ranges::count(preset, base::lower(pattern)) ==
                0) // what a provider prescribes is no leftover
                out.emit(
                    "mx.policy-entry-unused",
                    {.subject = pattern, .evidence = fmt::format("mx: {}; MX: {}", pattern, list(r.hosts))});
}

} // namespace mailtight::advise
