// SPDX-License-Identifier: Apache-2.0
#include "plan/change_steps.h"

#include "plan/course.h"
#include "plan/say.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::plan {
namespace {

using so = step_list::so;

/// The guide's own steps, for somebody with the file in hand.
std::string upload_steps(const picture& p, const change& what) {
    if (p.wish.host == model::hosting::delegated)
        return what.policy.mode == sts::mode::none
                   ? "Ask your provider to switch MTA-STS off: mode none, not a policy that is simply gone."
                   : fmt::format("Ask your provider for a policy in mode {} that admits {}.",
                                 sts::to_string(what.policy.mode), say_list(what.policy.mx));
    if (what.policy.mode != sts::mode::none || !p.seen.policy)
        return fmt::format("1. Save the lines below as mta-sts.txt.\n"
                           "2. Upload the file into the folder .well-known of {}.\n"
                           "3. It must be found at {}",
                           p.host_name(), p.url());
    const bool drop_mx = what.policy.mx.empty();
    return fmt::format("1. Download {}\n"
                       "2. Change the value of mode to none.\n"
                       "3. Change the value of max_age to {}.\n"
                       "{}"
                       "{}. Upload the file over the old one: same web server, same folder, same name.",
                       p.url(), what.policy.max_age,
                       drop_mx ? "4. Delete every line that begins with mx.\n" : "", drop_mx ? 5 : 4);
}

/// Into enforce, or into mode none.
bool is_for_a_person_to_decide(const picture& p, const change& what) {
    return what.policy.mode != sts::mode::testing && !(p.in_force && p.in_force->mode == what.policy.mode);
}

void add_serve(const picture& p, step_list& list, const change& what) {
    step one{.kind = step_kind::serve_policy,
             .by = list.who_serves(),
             .title = fmt::format("Serve the policy: {}", say_policy(what.policy)),
             .why = "The policy changes before the record: who sees the new id must find the new policy.",
             .policy = what.body,
             .id = what.id};
    if (is_for_a_person_to_decide(p, what) && !what.served)
        one.by = list.who_decides(one.by);
    if (what.body.empty()) {
        one.by = step_actor::person;
        one.blocked = "No MX host is known that the policy could name.";
    } else if (!p.hosted_here() && !what.served) {
        one.how = upload_steps(p, what);
    }
    // Nobody is asked to change a file that could not be seen today: the last one seen may be an old one.
    const bool blind = !p.hosted_here() && !p.seen.policy_known;
    if (blind && !what.served)
        one.blocked = "The policy host could not be asked.";
    const bool waits = what.body.empty() || blind;
    list.add(std::move(one), what.served ? so::done : waits ? so::waits : so::ready);
}

void add_verify(const picture& p, step_list& list, const change& what) {
    step one{.kind = step_kind::verify_policy,
             .title = "Fetch it back from " + p.url(),
             .why = "Only a policy that comes back byte for byte, as senders get it, may be announced.",
             .policy = what.body,
             .id = what.id};
    if (!what.verified && what.served)
        one.blocked = !p.seen.policy_fault.empty() ? p.seen.policy_fault
                      : p.seen.policy              ? "Senders still get another policy."
                                                   : "It cannot be fetched yet.";
    list.add(std::move(one), what.verified ? so::done : so::ready);
}

/// Before MTA-STS is announced for the first time.
void add_check_mx(const picture& p, step_list& list, const mx_choice& mx) {
    const auto verdict = judge_mx(p, mx);
    step one{.kind = step_kind::check_mx,
             .by = step_actor::person,
             .title = "Every MX host passes",
             .why = "Each has to take mail over TLS 1.2 or later, with a valid certificate that names it."};
    if (!verdict.passes) {
        one.blocked = verdict.why;
        one.host = verdict.failing.empty() ? "" : verdict.failing.front();
        one.how = how_to_pass(p, verdict);
    }
    list.add(std::move(one), verdict.passes ? so::done : p.seen.mx_known ? so::ready : so::waits);
}

void add_publish(const picture& p, step_list& list, const change& what) {
    const bool alias = !p.wish.sts_target.empty() && !p.hosted_here();
    step one{.kind = step_kind::publish_record,
             .by = list.who_writes_dns(),
             .title = alias ? fmt::format("Point {} at {}", p.record_name(), p.wish.sts_target)
                            : fmt::format("Publish {} with the new id {}", p.record_name(), what.id),
             .why = alias ? "It comes last: it makes senders look for the policy."
                          : "The new id tells senders to fetch the policy again. It was never used before.",
             .id = what.id};
    if (what.announced) {
        one.title = alias ? one.title : fmt::format("{} has the id {}", p.record_name(), what.id);
        list.add(std::move(one), so::done);
        return;
    }
    one.records = sts_records(p, what.id);
    if (p.wish.dns == model::dns_way::by_hand)
        one.how = "Resolvers may say the old for up to 24 hours, as the TTL allows.";
    if (p.record_unknown())
        one.blocked = "DNS gave no answer for this name.";
    if (p.seen.sts.state == record_seen::what::invalid) {
        one.by = step_actor::person;
        one.blocked = "What stands there is broken, or stands there more than once.";
        one.how = "Delete every record at this name that begins with v=STSv1, then add the one below.";
    }
    list.add(std::move(one), p.record_unknown() ? so::waits : so::ready);
}

void add_verify_record(const picture& p, step_list& list, const change& what) {
    step one{.kind = step_kind::verify_record,
             .title = fmt::format("Every name server says {}", p.record_name()),
             .why = "Until then some senders are still told the old.",
             .id = what.id};
    if (what.announced && !p.seen.sts.on_all_servers)
        one.blocked = "Not every name server says so yet.";
    list.add(std::move(one), done(p, what) ? so::done : so::ready);
}

} // namespace

// 8461-8.1-c: the body, and only when it comes back, the record. Whatever fails on the way leaves the record
// alone and the new body where it is.
void add_change_steps(const picture& p, step_list& list, const change& what, const mx_choice& mx) {
    const bool first =
        std::ranges::all_of(p.senders, [&](const held& one) { return one.entry.body == what.body; });
    const bool appears = p.seen.sts.state != record_seen::what::one || first;
    add_serve(p, list, what);
    add_verify(p, list, what);
    if (appears && !what.announced && what.policy.mode != sts::mode::none)
        add_check_mx(p, list, mx);
    add_publish(p, list, what);
    add_verify_record(p, list, what);
}

void add_quiet_change(const picture& p, step_list& list, const change& what) {
    add_serve(p, list, what);
    add_verify(p, list, what);
}

} // namespace mailtight::plan
