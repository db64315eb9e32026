// SPDX-License-Identifier: Apache-2.0
#include "publish/watch_faults.h"

#include "sts/match.h"
#include "sts/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace mailtight::publish {
namespace {

using namespace std::chrono_literals;
using model::watched_state;

constexpr auto rolling_out = 24h;        ///< a new body may be so long ahead of its id: people write records
constexpr auto heard_everywhere = 10min; ///< after a policy's end some machine may still give it

/// Codes of check that are alarms of a kind of their own.
constexpr auto known_codes = std::to_array<std::pair<std::string_view, change_kind>>({
    {"policy-host.cert-expires-soon", change_kind::certificate_expiring},
    {"policy-host.addresses-disagree", change_kind::addresses_disagree},
    {"sts-record.servers-disagree", change_kind::servers_disagree},
    {"subdomain.unprotected", change_kind::sub_domain_unprotected},
});
/// Codes that say what the facts say.
constexpr auto said_by_facts =
    std::to_array<std::string_view>({"mx.not-in-policy", "mx.none-in-policy", "policy.changed-without-id",
                                     "policy.id-changed-without-policy", "sts-record.absent"});

void add(std::string_view domain, fault one, faults& into) {
    auto key = key_of(domain, one);
    into.emplace(std::move(key), std::move(one));
}

/// A policy that a person's own server gives may have got other line ends on its way.
bool same_policy(const std::string& one, const std::string& other, bool byte_for_byte) {
    if (one == other || byte_for_byte)
        return one == other;
    const auto left = sts::parse_policy(one), right = sts::parse_policy(other);
    return left && right && *left == *right;
}

bool was_ours(const watch_memory& memory, const std::string& body, base::utc_seconds at) {
    return std::ranges::any_of(memory.served, [&](const model::served_policy& each) {
        return each.ours && same_policy(each.body, body, memory.hosted_here) &&
               (!each.last_served || at <= *each.last_served + heard_everywhere);
    });
}

void uncovered_hosts(const watch_memory& memory, const watched_state& now, faults& into) {
    const auto policy = sts::parse_policy(now.policy);
    if (!policy || policy->mode == sts::mode::none)
        return;
    const bool enforced = policy->mode == sts::mode::enforce;
    for (const auto& host : now.mx)
        if (!sts::admitted_by(policy->mx, host))
            add(memory.domain,
                {.what = change_kind::mx_without_policy,
                 .subject = host,
                 .detail = enforced ? "the policy enforces: strict senders do not deliver to it"
                                    : "the policy tests: senders deliver, and report a failure",
                 .error = enforced,
                 .at_once = true},
                into);
}

bool has_gone(const watched_state& now, std::span<const look_at> looks, std::string watched_state::* field) {
    return (now.*field).empty() &&
           std::ranges::any_of(looks, [&](const look_at& each) { return !(each.state->*field).empty(); });
}

void what_has_gone(const watch_memory& memory, const watched_state& now, std::span<const look_at> looks,
                   faults& into) {
    if (memory.leaving)
        return;
    const auto& ours = memory.publication;
    bool gone = has_gone(now, looks, &watched_state::policy) && (!ours || !ours->body.empty());
    if (gone) { // mode none and then nothing: somebody left as one should
        const auto before = std::ranges::find_if(
            looks.rbegin(), looks.rend(), [](const look_at& each) { return !each.state->policy.empty(); });
        const auto last = ours                     ? sts::parse_policy(ours->body)
                          : before != looks.rend() ? sts::parse_policy(before->state->policy)
                                                   : std::unexpected(sts::policy_issue{});
        gone = !last || last->mode != sts::mode::none;
    }
    if (gone)
        add(memory.domain,
            {.what = change_kind::policy_gone,
             .detail = "senders that hold it keep to it until it expires; others see no policy",
             .error = true},
            into);
    if (has_gone(now, looks, &watched_state::record_id) && (!ours || !ours->body.empty()))
        add(memory.domain,
            {.what = change_kind::record_gone,
             .detail = "senders that hold no policy look for none any more",
             .error = true},
            into);
}

void id_and_policy(const watch_memory& memory, const watched_state& now, std::span<const look_at> looks,
                   faults& into) {
    if (now.record_id.empty() || now.policy.empty())
        return;
    const auto& ours = memory.publication;
    const auto at = looks.back().at;
    const bool under_way =
        ours && ours->id != now.record_id && now.policy == ours->body && at < ours->since + rolling_out;
    std::string other_body, other_id;
    base::utc_seconds id_since = at;
    bool same_ids = true, same_bodies = true;
    for (auto each = looks.rbegin(); each != looks.rend() && (same_ids || same_bodies); ++each) {
        const auto& then = *each->state;
        if (then.policy.empty() || then.record_id.empty())
            continue;
        same_ids = same_ids && then.record_id == now.record_id;
        same_bodies = same_bodies && then.policy_sha256 == now.policy_sha256;
        if (same_ids && !same_bodies && other_body.empty())
            other_body = then.policy_sha256;
        if (same_ids)
            id_since = each->at;
        if (same_bodies && !same_ids && other_id.empty())
            other_id = then.record_id;
    }
    // 8461-3.1-e: A49
    if (!other_body.empty() && !under_way)
        add(memory.domain,
            {.what = change_kind::policy_without_id,
             .subject = now.record_id,
             .detail = "senders that hold the policy of before do not fetch the new one",
             .error = true},
            into);
    if (!other_id.empty() && !(ours && ours->id == now.record_id) && at - id_since < rolling_out)
        add(memory.domain,
            {.what = change_kind::id_without_policy,
             .subject = now.record_id,
             .detail = fmt::format("the id was {}", other_id),
             .at_once = true},
            into);
}

/// 8461-10.3-a: whoever controls the DNS for a while can plant a policy.
void stranger(const watch_memory& memory, const watched_state& now, base::utc_seconds at, faults& into) {
    if (!memory.publication || memory.publication->body.empty() || now.policy.empty() ||
        same_policy(memory.publication->body, now.policy, memory.hosted_here) ||
        was_ours(memory, now.policy, at))
        return;
    add(memory.domain,
        {.what = change_kind::foreign_policy,
         .subject = now.policy_sha256.substr(0, 16),
         .detail = fmt::format("its id in DNS is {}", now.record_id.empty() ? "none" : now.record_id),
         .error = true,
         .at_once = true},
        into);
}

/// Higher is better; nothing where it says nothing of the domain.
std::optional<int> rank(std::string_view verdict) {
    constexpr auto order =
        std::to_array<std::string_view>({"absent", "broken", "retiring", "testing", "protected"});
    const auto found = std::ranges::find(order, verdict);
    return found == order.end() ? std::nullopt : std::optional(static_cast<int>(found - order.begin()));
}

/// What our own policy is to come to.
int wanted_rank(const watch_memory& memory) {
    const auto policy = memory.publication ? sts::parse_policy(memory.publication->body)
                                           : std::unexpected(sts::policy_issue{});
    if (!policy || policy->mode == sts::mode::enforce)
        return *rank("protected");
    return policy->mode == sts::mode::testing ? *rank("testing") : *rank("retiring");
}

} // namespace

std::string key_of(std::string_view domain, const fault& of) {
    auto key = fmt::format("watch/{}/{}", domain, to_string(of.what));
    return of.subject.empty() ? key : fmt::format("{}/{}", key, of.subject);
}

std::vector<look_at> in_order(const std::vector<watched_state>& states, bool full_only) {
    std::vector<look_at> out;
    out.reserve(states.size() * 2);
    for (const auto& each : states)
        if (each.full || !full_only) {
            out.push_back({each.first, &each});
            if (each.last != each.first)
                out.push_back({each.last, &each});
        }
    std::ranges::sort(out, {}, &look_at::at);
    return out;
}

void faults_of_facts(const watch_memory& memory, std::span<const look_at> looks, faults& into) {
    if (looks.empty())
        return;
    const auto& now = *looks.back().state;
    uncovered_hosts(memory, now, into);
    what_has_gone(memory, now, looks, into);
    id_and_policy(memory, now, looks, into);
    stranger(memory, now, looks.back().at, into);
}

void faults_of_findings(const watch_memory& memory, std::span<const look_at> looks, faults& into) {
    if (looks.empty())
        return;
    const auto& now = *looks.back().state;
    for (const auto& each : now.findings) {
        const auto blank = each.find(' ');
        const auto code = std::string_view(each).substr(0, blank);
        const std::string subject = blank == std::string::npos ? "" : each.substr(blank + 1);
        const auto known =
            std::ranges::find(known_codes, code, &std::pair<std::string_view, change_kind>::first);
        if (known != known_codes.end()) {
            add(memory.domain,
                {.what = known->second, .subject = subject, .detail = std::string(code), .at_once = true},
                into);
            continue;
        }
        if (std::ranges::find(said_by_facts, code) != said_by_facts.end() ||
            (memory.serious && !memory.serious(code)))
            continue;
        const bool is_new = std::ranges::any_of(looks, [&](const look_at& then) {
            return std::ranges::find(then.state->findings, each) == then.state->findings.end();
        });
        if (is_new)
            add(memory.domain,
                {.what = change_kind::new_finding, .subject = each, .error = true, .at_once = true}, into);
    }
    const auto is = rank(now.verdict);
    if (!is || memory.leaving)
        return;
    std::string_view best;
    for (const auto& then : looks)
        if (const auto was = rank(then.state->verdict); was && *was > rank(best).value_or(*is))
            best = then.state->verdict;
    if (!best.empty() && *is < wanted_rank(memory))
        add(memory.domain,
            {.what = change_kind::verdict_worse,
             .detail = fmt::format("{}, was {}", now.verdict, best),
             .error = *is <= *rank("broken"),
             .at_once = true},
            into);
}

} // namespace mailtight::publish
