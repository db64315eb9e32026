// SPDX-License-Identifier: Apache-2.0
// Switching MTA-STS off, in the two ways of the administrator guides. 8461-8.3-a: what senders hold decides
// about every date.
#include "plan/change_steps.h"
#include "plan/held.h"
#include "plan/mx_move.h"
#include "plan/publication.h"
#include "plan/say.h"
#include "plan/setup_steps.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::plan {
namespace {

using so = step_list::so;

constexpr std::uint64_t none_max_age = 86'400; // the guides: about a day
constexpr std::uint64_t long_wait = 1'209'600; // 14 days: beyond, mode none is the better way

/// Nobody can fetch anything any more: not from us, and not from somebody else's host at the same name.
bool file_is_gone(const picture& p) {
    const bool told = p.seen.policy_known || (p.hosted_here() && !p.seen.host_resolves);
    return !p.ours && !p.seen.policy && told;
}

bool something_stands(const picture& p) {
    return !file_is_gone(p) || !p.record_absent();
}

bool ever_announced(const picture& p) {
    return p.past.record_since || p.past.record_gone_since || p.seen.sts.state == record_seen::what::one ||
           std::ranges::any_of(p.past.served, [](const auto& one) { return !one.ids.empty(); });
}

bool ever_published(const picture& p) {
    return something_stands(p) || ever_announced(p) || !p.senders.empty();
}

void add_remove_record(const picture& p, step_list& list, std::string why) {
    step one{.kind = step_kind::remove_record,
             .by = list.who_decides(list.who_writes_dns()),
             .title = "Delete the TXT record " + p.record_name(),
             .why = std::move(why)};
    if (!p.seen.sts.chain.empty())
        one.title = "Delete the CNAME record " + p.record_name();
    if (!p.record_absent())
        one.records = sts_records(p, "");
    if (p.record_unknown())
        one.blocked = "DNS gave no answer for this name.";
    if (p.seen.sts.state == record_seen::what::invalid) {
        one.by = step_actor::person;
        one.how = "Delete every record at this name that begins with v=STSv1.";
    }
    list.add(std::move(one), p.record_absent() ? so::done : p.record_unknown() ? so::waits : so::ready);
}

void add_wait_for_resolvers(const picture& p, step_list& list) {
    step one{.kind = step_kind::wait,
             .title = "Wait until resolvers have forgotten the record",
             .why = "Who still sees the record must find what it leads to.",
             .until_words = "the record's TTL has passed"};
    const bool absent = p.record_absent();
    const auto gone = absent ? p.past.record_gone_since.value_or(p.now) : p.now;
    const auto until = gone + p.record_wait();
    const bool over = absent && (!ever_announced(p) || until <= p.now);
    if (list.open())
        one.not_before = until;
    else
        one.why += fmt::format(" That takes {} from then on.",
                               say_length(static_cast<std::uint64_t>(p.record_wait().count())));
    list.add(std::move(one), over ? so::done : so::waits);
}

void add_stop_serving(const picture& p, step_list& list) {
    step one{.kind = step_kind::stop_serving,
             .by = list.who_decides(list.who_serves()),
             .title = "Withdraw the policy file",
             .why = "No sender looks for it any more."};
    if (file_is_gone(p)) {
        list.add(std::move(one), so::done);
        return;
    }
    const bool of_others = p.hosted_here() && !p.ours && p.seen.policy && !known_as_ours(p, *p.seen.policy);
    if (of_others) {
        one.by = step_actor::person;
        one.blocked = "Another web server still answers with a policy at " + p.url();
    }
    if (p.wish.host == model::hosting::delegated)
        one.how = "Ask your provider to withdraw the policy.";
    else if (!p.hosted_here() || of_others)
        one.how =
            fmt::format("Delete .well-known/mta-sts.txt on that web server. The name {} and its certificate "
                        "may go as well, if nothing else uses them.",
                        p.host_name());
    const bool unsure = !p.ours && !p.seen.policy;
    if (unsure)
        one.blocked =
            p.seen.policy_fault.empty() ? "The policy host could not be asked." : p.seen.policy_fault;
    list.add(std::move(one), unsure ? so::waits : so::ready);
}

/// The name and the certificate, where they were ours alone.
void add_clearing(const picture& p, step_list& list) {
    if (p.wish.host == model::hosting::here || p.wish.host == model::hosting::delegated) {
        step host{.kind = step_kind::remove_host,
                  .by = list.who_decides(list.who_writes_dns()),
                  .title = fmt::format("Delete the records of {}", p.host_name()),
                  .why = "Nothing answers there any more."};
        if (p.seen.host_points_here)
            for (auto change : host_records(p)) {
                std::swap(change.add, change.remove);
                host.records.push_back(std::move(change));
            }
        if (host.records.empty())
            host.by = step_actor::person;
        list.add(std::move(host), p.seen.host_points_here ? so::ready : so::done);
    }
    if (p.wish.host == model::hosting::here)
        list.add({.kind = step_kind::remove_certificate,
                  .by = list.who_decides(list.who_serves()),
                  .title = "Drop the certificate for " + p.host_name(),
                  .why = "It need not be renewed any more."},
                 p.past.certificate_here ? so::ready : so::done);
}

/// With the file withdrawn, nothing but time ends a policy that a sender holds.
void add_expiry_wait(const picture& p, step_list& list) {
    const auto end = bound_until(p) + p.options.margin;
    step one{.kind = step_kind::wait,
             .title = "Wait until every policy has expired",
             .why = "It counts from the last time that the file could be fetched, since every fetch restarts "
                    "max_age. The old MX hosts have to stay valid until then.",
             .until_words = "every policy ever served has expired"};
    if (end > p.now)
        one.not_before = end;
    list.add(std::move(one), something_stands(p) || end > p.now ? so::waits : so::done);
}

// ---- the first way: mode none first ----

/// Since when all that senders can fetch says none.
base::utc_seconds none_since(const picture& p) {
    std::optional<base::utc_seconds> since;
    for (const held& one : p.senders)
        if (one.entry.mode == sts::mode::none)
            since = since.value_or(one.entry.first_served);
        else
            since.reset();
    return since.value_or(p.now);
}

/// Every policy that asks something has expired, and who looks at the id daily has seen the new one.
base::utc_seconds free_at(const picture& p) {
    const bool announced = id_in_step(p) && p.in_force->mode == sts::mode::none;
    const auto said = announced ? p.past.record_since.value_or(p.now) : none_since(p);
    const auto looked = std::max(none_since(p), said) + std::chrono::seconds(none_max_age);
    return std::max(bound_until(p), looked) + p.record_wait();
}

void add_none_wait(const picture& p, step_list& list, base::utc_seconds until) {
    const auto bound = bound_until(p);
    step one{.kind = step_kind::wait,
             .title = "Wait until every earlier policy has expired",
             .why = bound > p.now ? fmt::format("Senders may hold a policy that was served before until {}. ",
                                                say_moment(bound))
                                  : std::string(),
             .not_before = until,
             .until_words = "every policy ever served has expired"};
    one.why += "Whoever looks again is told mode none, so the record and the file stay until then.";
    list.add(std::move(one), so::waits);
}

void remove_by_none(const picture& p, step_list& list, plan& out) {
    const auto mx = choose_mx(p);
    const bool none_now = p.in_force && p.in_force->mode == sts::mode::none;
    const bool last_was_none = !p.senders.empty() && p.senders.back().entry.mode == sts::mode::none;
    const bool refuse = enforced_until(p) > p.now;
    const auto until = free_at(p);
    const bool withdrawn = p.record_absent() && !something_stands(p) && (last_was_none || !refuse);
    if (!withdrawn && !(none_now && until <= p.now)) {
        sts::policy none{.mode = sts::mode::none, .max_age = none_max_age, .mx = {}, .extensions = {}};
        if (p.wish.keep_mx && p.in_force)
            none.mx = p.in_force->mx;
        const auto change = want(p, none, mx);
        if (!change.verified)
            add_host_steps(p, list, false);
        // Nobody refuses mail because of what was never announced, or only ever testing: no new record for
        // that.
        if (p.record_absent() && !refuse)
            add_quiet_change(p, list, change);
        else
            add_change_steps(p, list, change, mx);
        add_none_wait(p, list, until);
        if (bound_until(p) > p.now) // else no sender holds any
            out.warnings.push_back(
                fmt::format("Until {} the old MX hosts have to stay valid: some senders may hold an "
                            "earlier policy so long.",
                            say_moment(bound_until(p))));
    }
    add_remove_record(p, list, "Every policy that a sender could hold has expired.");
    add_wait_for_resolvers(p, list);
    add_stop_serving(p, list);
    if (withdrawn) // long ago, or in the other way
        add_expiry_wait(p, list);
    add_clearing(p, list);
    add_move_steps(p, list, mx, true);
}

// ---- the second way: let it expire ----

void remove_by_expiry(const picture& p, step_list& list, plan& out) {
    const auto bound = bound_until(p);
    const auto age = p.in_force ? p.in_force->effective_max_age() : 0;
    const std::string shown =
        p.in_force ? fmt::format("The policy has max_age {} ({}). ", age, say_length(age)) : std::string();
    add_remove_record(
        p, list,
        bound > p.now
            ? shown + fmt::format("MTA-STS is off when the policy with the longest life has expired: {} if "
                                  "the file is withdrawn now.",
                                  say_moment(bound))
            : shown + "No policy is known that a sender could still hold.");
    add_wait_for_resolvers(p, list);
    add_stop_serving(p, list);
    add_expiry_wait(p, list);
    add_clearing(p, list);
    add_move_steps(p, list, choose_mx(p), true);
    if (bound > p.now + std::chrono::seconds(long_wait))
        out.warnings.push_back(fmt::format(
            "This way lasts until {}. Mode none first (--by none) frees most senders within a day.",
            say_day(bound)));
}

} // namespace

void plan_removal(const picture& p, step_list& list, plan& out) {
    add_warnings(p, out);
    if (!ever_published(p)) {
        add_clearing(p, list);
        return;
    }
    const bool none_announced = p.announced() && p.in_force->mode == sts::mode::none;
    if (p.wish.off == model::off_way::by_expiry && !none_announced)
        remove_by_expiry(p, list, out);
    else
        remove_by_none(p, list, out);
}

} // namespace mailtight::plan
