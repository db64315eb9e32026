// SPDX-License-Identifier: Apache-2.0
#include "insight/known_today.h"

#include "base/text.h"
#include "findings/finding.h"

#include <algorithm>
#include <array>

namespace mailtight::insight {

namespace {

bool holds(const std::vector<std::string>& names, std::string_view name) {
    return std::ranges::any_of(names, [&](const std::string& one) { return base::iequals(one, name); });
}

/// What a sound MX host cannot have: the five criteria look for it. Others show only to a special probe.
bool seen_by_criteria(std::string_view code) {
    constexpr std::array<std::string_view, 4> codes{"mx.no-starttls", "mx.starttls-refused", "mx.tls-too-old",
                                                    "mx.lookup-failed"};
    return code.starts_with("mx.cert-") || std::ranges::find(codes, code) != codes.end();
}

std::optional<bool> gone(bool sound) {
    return sound ? std::optional(false) : std::nullopt;
}

} // namespace

std::optional<bool> still_so(const advise::diagnosis& said, std::string_view mx, const known_today& today) {
    const auto* code = findings::find_code(said.finding);
    if (!today.looked_at || !code || code->needs_history)
        return std::nullopt;
    const bool of_host = said.finding.starts_with("mx.") || said.finding.starts_with("dane.");
    if (of_host && (mx.empty() || !holds(today.mx, mx)))
        return std::nullopt; // not a host of today: the diagnosis says so itself
    for (const auto& [found, subject] : today.findings)
        if (found == said.finding && (!of_host || base::iequals(subject, mx)))
            return true;
    if (said.finding == "mx.not-in-policy")
        return gone(holds(today.mx_in_policy, mx));
    if (said.finding.starts_with("dane."))
        return gone(holds(today.mx_dane_sound, mx));
    if (of_host)
        return gone(seen_by_criteria(said.finding) && holds(today.mx_sound, mx));
    return gone(today.policy_sound);
}

advise::diagnosis diagnose_today(const tlsrpt::failure_detail& failure, advise::failure_context context,
                                 const known_today& today) {
    auto said = advise::diagnose(failure, context);
    context.still_so = still_so(said, failure.receiving_mx, today);
    context.looked_at = today.looked_at;
    return context.still_so ? advise::diagnose(failure, context) : said;
}

} // namespace mailtight::insight
