// SPDX-License-Identifier: Apache-2.0
// What is done unasked. `records` publishes, certifies and writes DNS within the mode that a person has
// chosen: a first policy in testing, back to testing, and changes that keep the mode. Only `all` enforces,
// switches off, and takes anything away.
#include "publish/carrier_state.h"
#include "sts/policy.h"

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
    if (what.kind == verify_policy || wish.leave == model::leave::all)
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
