// SPDX-License-Identifier: Apache-2.0
// What is done unasked. `records` publishes, certifies and writes DNS within the mode that a person has
// chosen: a first policy in testing, back to testing, and changes that keep the mode. Only `all` enforces,
// switches off, and takes anything away. What enforced before we came stays so until somebody speaks.
#include "publish/carrier_state.h"
#include "sts/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace mailtight::publish {
namespace {

std::optional<sts::mode> mode_of(std::string_view body) {
    const auto read = sts::parse_policy(body);
    return read ? std::optional(read->mode) : std::nullopt;
}

/// What senders get today, as far as it is known.
std::optional<sts::mode> mode_now(const plan::situation& seen, const plan::remembered& past) {
    if (past.publication && !past.publication->body.empty())
        return mode_of(past.publication->body);
    return seen.policy ? mode_of(*seen.policy) : std::nullopt;
}

/// Somebody else's policy enforces, or senders may still hold it; and ours was never announced.
bool enforced_by_another(const plan::situation& seen, const plan::remembered& past) {
    if (std::ranges::any_of(past.served, [](const auto& one) { return one.ours && !one.ids.empty(); }))
        return false;
    if (mode_now(seen, past) == sts::mode::enforce)
        return true;
    return std::ranges::any_of(past.served, [&](const model::served_policy& one) {
        const auto life = std::chrono::seconds(static_cast<std::int64_t>(one.max_age));
        return !one.ours && one.mode == sts::mode::enforce &&
               (!one.last_served || *one.last_served + life > seen.looked_at);
    });
}

} // namespace

bool is_action(plan::step_kind kind) {
    using enum plan::step_kind;
    switch (kind) {
    case publish_tlsrpt:
    case point_host:
    case certificate:
    case serve_policy:
    case verify_policy:
    case publish_record:
    case remove_record:
    case stop_serving:
    case remove_host:
    case remove_certificate:
        return true;
    case report_way:
    case check_mx:
    case verify_record:
    case wait:
    case evidence:
    case add_mx:
    case remove_mx:
    case mend:
    case come_back:
        return false;
    }
    return false;
}

std::string refused_because(const model::looked_after& wish, const plan::situation& seen,
                            const plan::remembered& past, const plan::step& what) {
    using enum plan::step_kind;
    if (what.kind == verify_policy)
        return {};
    // A domain that is added is for testing where nobody named a mode: no word for taking enforce back.
    if (what.kind == serve_policy && !wish.paused && mode_of(what.policy) == sts::mode::testing &&
        enforced_by_another(seen, past))
        return fmt::format("its policy is to enforce today, and nobody has said that it is to end: mailtight "
                           "domain set {} --mode enforce keeps it",
                           wish.domain);
    if (wish.leave == model::leave::all)
        return {};
    if (wish.leave == model::leave::nothing)
        return "nothing of this domain is left to serve (leave = nothing)";
    if (what.kind == remove_record || what.kind == stop_serving || what.kind == remove_host ||
        what.kind == remove_certificate)
        return "removal is not left to serve (leave = records)";
    if (what.kind != serve_policy)
        return {};
    const auto wanted = mode_of(what.policy);
    if (wanted == sts::mode::testing || (wanted && wanted == mode_now(seen, past)))
        return {};
    return "a change of the mode is not left to serve (leave = records)";
}

} // namespace mailtight::publish
