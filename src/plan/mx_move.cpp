// SPDX-License-Identifier: Apache-2.0
// While one MX host stays that every held policy admits, the others may come and go. So a move waits only
// where senders may hold an enforce policy that admits none of the hosts which stay.
#include "plan/mx_move.h"

#include "plan/held.h"
#include "plan/say.h"

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

/// The end of the last enforce policy that admits none of them.
base::utc_seconds shut_out(const picture& p, const std::vector<std::string>& hosts) {
    return latest_end(p, [&](const held& one) {
        return one.enforces() && one.ends > p.now &&
               std::ranges::none_of(hosts, [&](const std::string& host) { return one.admits(host); });
    });
}

void add_coming(const picture& p, step_list& list, const std::string& host, bool aside) {
    step one{.kind = step_kind::add_mx,
             .by = step_actor::person,
             .title = fmt::format("Add the MX record for {}", host),
             .why =
                 "The policy admits it by then, and resolvers have forgotten the id before. Leave the old MX "
                 "hosts as they are for now.",
             .how = fmt::format("Set the new server up first: TLS 1.2 or later, and a valid certificate that "
                                "names {}.",
                                host),
             .not_before = p.past.record_since.value_or(p.now) + p.record_wait(),
             .until_words = "resolvers know the new id",
             .host = host};
    list.add(std::move(one), so::ready, aside);
}

void add_leaving(const picture& p, step_list& list, const mx_choice& mx, const std::string& host,
                 bool aside) {
    const bool enforced = enforced_until(p) > p.now;
    auto stays = staying(p, mx, enforced);
    step one{.kind = step_kind::remove_mx,
             .by = step_actor::person,
             .title = fmt::format("Remove the MX record of {}", host),
             .why = {},
             .how = fmt::format("Keep {} running for another {}: some resolvers still name it.", host,
                                say_length(std::max<std::uint64_t>(p.seen.mx_ttl, 3'600))),
             .host = host};
    const bool none_left = stays.empty() && mx.coming.empty();
    stays.insert(stays.end(), mx.coming.begin(), mx.coming.end()); // for the dates of what is still ahead
    const auto last = shut_out(p, stays);
    if (none_left) {
        one.blocked = enforced ? "No other MX host is there that passes." : "No other MX host is there.";
    } else if (last > p.now) {
        const auto watchers = p.past.record_since.value_or(p.now) + p.record_wait() + p.options.id_watchers;
        const auto all = std::max(last + p.options.margin, watchers);
        one.earliest = watchers;
        one.not_before = p.options.unattended ? all : watchers;
        one.until_words = "no sender holds a policy that admits only the old MX hosts";
        one.why =
            fmt::format("Senders that look at the id admit the new MX host from {} on. Those that keep a "
                        "policy for its whole max_age refuse it until {}.",
                        say_moment(watchers), say_moment(all));
    } else {
        one.why = "Every policy that a sender may hold admits an MX host that stays.";
    }
    list.add(std::move(one), none_left ? so::waits : so::ready, aside);
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
