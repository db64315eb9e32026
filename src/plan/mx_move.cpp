// SPDX-License-Identifier: Apache-2.0
// While one MX host stays that every held policy admits, the others may come and go. So a move waits only
// where senders may hold an enforce policy that admits none of the hosts which stay.
#include "plan/mx_move.h"

#include "plan/held.h"
#include "plan/say.h"
#include "sts/match.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::plan {
namespace {

using so = step_list::so;

bool among(const std::vector<std::string>& hosts, const std::string& host) {
    return std::ranges::find(hosts, host) != hosts.end();
}

/// The hosts that take mail when the leaving ones are gone.
std::vector<std::string> staying(const picture& p, const mx_choice& mx, bool tested) {
    std::vector<std::string> out;
    for (const auto& one : mail_hosts(p))
        if (!among(mx.leaving, one.host) && (!tested || one.passes.value_or(p.told("checked-mx"))))
            out.push_back(one.host);
    return out;
}

/// The end of the last enforce policy that admits none of them. A policy of a time that nobody knows admitted
/// the MX hosts of its time, which are those of the first policy that is known.
base::utc_seconds shut_out(const picture& p, const std::vector<std::string>& hosts) {
    const auto shuts = [&](const held& one) {
        return std::ranges::none_of(hosts, [&](const std::string& host) { return one.admits(host); });
    };
    const auto known =
        latest_end(p, [&](const held& one) { return one.enforces() && one.ends > p.now && shuts(one); });
    const bool unknown_shuts = !p.senders.empty() && shuts(p.senders.front());
    return std::max(known, unknown_shuts ? unknown_until(p.past, p.now, p.options).value_or(known) : known);
}

/// What senders are told when they look again admits the host.
bool told_of(const picture& p, const std::string& host) {
    return id_in_step(p) &&
           (p.in_force->mode == sts::mode::none || sts::admitted_by(p.in_force->mx, host).has_value());
}

/// When resolvers have forgotten the id before; where the new one is still to come, the earliest possible.
base::utc_seconds id_known_at(const picture& p, bool told) {
    return (told ? p.past.record_since.value_or(p.now) : p.now) + p.record_wait();
}

void add_coming(const picture& p, step_list& list, const std::string& host, bool aside) {
    const bool told = told_of(p, host);
    const bool untold = p.record_absent(); // nobody looks for a policy
    step one{.kind = step_kind::add_mx,
             .by = step_actor::person,
             .title = fmt::format("Add the MX record for {}", host),
             .why = "Leave the old MX hosts as they are for now: some senders do not admit the new one yet.",
             .how = fmt::format("Set the new server up first: TLS 1.2 or later, and a valid certificate that "
                                "names {}.",
                                host),
             .host = host};
    if (!untold) {
        one.not_before = id_known_at(p, told);
        one.until_words = "resolvers know the new id";
    }
    list.add(std::move(one), told || untold ? so::ready : so::waits, aside);
}

void date_leaving(const picture& p, step& one, base::utc_seconds last, bool told) {
    const auto all = last + p.options.margin;
    one.until_words = "no sender holds a policy that admits only the old MX hosts";
    one.not_before = all;
    if (p.record_absent()) { // who looks again learns nothing
        one.why = fmt::format("Until {} some sender may hold a policy that admits only the old MX hosts.",
                              say_moment(all));
        return;
    }
    const auto watchers = id_known_at(p, told) + p.options.id_watchers;
    one.earliest = watchers;
    one.not_before = p.options.unattended ? std::max(all, watchers) : watchers;
    if (all <= watchers)
        one.why = "By then every sender has had the time to fetch a policy that admits the new MX host.";
    else
        one.why =
            fmt::format("Senders that look at the id admit the new MX host from {} on. Those that keep a "
                        "policy for its whole max_age refuse it until {}.",
                        say_moment(watchers), say_moment(all));
}

void add_leaving(const picture& p, step_list& list, const mx_choice& mx, const std::string& host,
                 bool aside) {
    const bool enforced = enforced_until(p) > p.now;
    auto stays = staying(p, mx, enforced);
    step one{.kind = step_kind::remove_mx,
             .by = step_actor::person,
             .title = fmt::format("Remove the MX record of {}", host),
             .why = "Every policy that a sender may hold admits an MX host that stays.",
             .how = fmt::format("Keep {} running for another {}: some resolvers still name it.", host,
                                say_length(std::max<std::uint64_t>(p.seen.mx_ttl, 3'600))),
             .host = host};
    const bool none_left = stays.empty();
    if (none_left)
        one.blocked = enforced && !mx.coming.empty() ? "The new MX host has to take mail and to pass first."
                      : enforced                     ? "No other MX host is there that passes."
                                                     : "No other MX host is there.";
    const bool told = std::ranges::any_of(stays, [&](const std::string& other) { return told_of(p, other); });
    stays.insert(stays.end(), mx.coming.begin(), mx.coming.end()); // for the dates of what is still ahead
    const auto last = shut_out(p, stays);
    const bool waits_for_senders = last > p.now;
    if (waits_for_senders)
        date_leaving(p, one, last, told);
    const bool ready = !none_left && (!waits_for_senders || told || p.record_absent());
    list.add(std::move(one), ready ? so::ready : so::waits, aside);
}

} // namespace

void add_move_steps(const picture& p, step_list& list, const mx_choice& mx, bool aside) {
    for (const auto& host : mx.coming)
        add_coming(p, list, host, aside);
    for (const auto& host : mx.leaving) // 8461-8.1-b
        add_leaving(p, list, mx, host, aside);
}

void add_shrink_step(step_list& list, const mx_choice& mx) {
    if (!mx.shrink_at)
        return;
    list.add({.kind = step_kind::serve_policy,
              .by = list.who_serves(),
              .title = fmt::format("Take {} out of the policy", say_list(mx.passing_away)),
              .why = "Not in DNS any more, but resolvers may still name it.",
              .not_before = mx.shrink_at,
              .until_words = "no resolver names it"},
             so::waits);
}

std::optional<base::utc_seconds> shut_out_until(const picture& p) {
    std::vector<std::string> hosts;
    for (const auto& one : mail_hosts(p))
        hosts.push_back(one.host);
    if (!p.seen.mx_known || hosts.empty())
        return std::nullopt;
    const auto last = shut_out(p, hosts);
    return last > p.now ? std::optional(last) : std::nullopt;
}

} // namespace mailtight::plan
