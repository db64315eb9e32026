// SPDX-License-Identifier: Apache-2.0
// Looks into the network. At most one at a time for a domain's policy and one for a next hop's hosts; the two
// run at once, and everybody who needs one that is under way waits for that one.
#include "resolve/service_state.h"

#include "base/text.h"
#include "sts/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

namespace mailtight::resolve {

namespace {

using namespace std::chrono_literals;

/// What an administrator wants to know of a policy that changed.
std::string difference(const sts::held_policy& had, const sts::held_policy& has) {
    std::vector<std::string> parts;
    if (had.id != has.id)
        parts.push_back(fmt::format("id {} is now {}", had.id, has.id));
    if (had.value.mode != has.value.mode)
        parts.push_back(
            fmt::format("mode {} is now {}", sts::to_string(had.value.mode), sts::to_string(has.value.mode)));
    if (had.value.mx != has.value.mx)
        parts.push_back(
            fmt::format("mx {} is now {}", base::join(had.value.mx, ", "), base::join(has.value.mx, ", ")));
    if (had.value.max_age != has.value.max_age)
        parts.push_back(fmt::format("max_age {} is now {}", had.value.max_age, has.value.max_age));
    return parts.empty() ? "the text changed" : base::join(parts, "; ");
}

} // namespace

sts::record_sighting sighting_of(const model::txt_fact& fact) {
    using kind = sts::record_sighting::kind;
    sts::record_sighting seen;
    seen.ttl = fact.ttl;
    if (!fact.ok()) {
        seen.what = fact.absent() ? kind::none : kind::error;
        if (fact.status == model::dns_status::nx_domain)
            seen.detail = fact.name + " does not exist";
        else if (fact.absent())
            seen.detail = fact.name + " holds no text";
        else
            seen.detail = fmt::format(
                "{}: {}{}", fact.name, fact.status == model::dns_status::bogus ? "DNSSEC is wrong, " : "",
                fact.detail.empty() ? model::to_string(fact.status) : std::string_view(fact.detail));
        return seen;
    }
    const auto judged = sts::judge_rrset(fact.texts); // 8461-3.1-n
    switch (judged.result) {
    case sts::rrset_judgement::outcome::absent:
        seen.what = kind::none;
        break;
    case sts::rrset_judgement::outcome::multiple: // 8461-3.1-o
        seen.what = kind::multiple;
        seen.detail = fmt::format("{} holds more than one record", fact.name);
        break;
    case sts::rrset_judgement::outcome::invalid: // 8461-3.1-p
        seen.what = kind::invalid;
        seen.detail = fmt::format("the record at {} is not valid", fact.name);
        break;
    case sts::rrset_judgement::outcome::valid:
        seen.what = kind::valid;
        seen.id = judged.judgement.value->id;
        break;
    }
    return seen;
}

/// Starts what is missing for an answer, and has `who` wait for it; and what is due besides.
void service::state::begin_looks(const std::shared_ptr<place>& at, const std::shared_ptr<asker>& who) {
    const auto now = clock.now();
    const auto& domain = at->hop.domain;
    const auto* exception = exception_of(domain, now);
    const bool pinned = exception && exception->what == model::policy_override::kind::pin;
    const auto next = sts::on_use(remembered(domain).state, now);
    if (next.what != sts::ask::nothing || next.answer_waits) {
        const bool joined = looking.contains(domain);
        const auto mine = look_for_policy(domain, sts::occasion::use, next.what);
        if (next.answer_waits && !pinned) {
            mine->join(who);
            counts.coalesced += joined ? 1 : 0;
        }
    }
    if (!at->where || now >= at->where->good_until) {
        counts.coalesced += at->looking ? 1 : 0;
        look_at_hosts(at)->join(who);
    }
}

std::shared_ptr<policy_look> service::state::look_for_policy(const std::string& domain, sts::occasion why,
                                                             sts::ask what) {
    auto& slot = looking[domain];
    if (!slot) {
        slot = std::make_shared<policy_look>();
        slot->why = why;
        ++counts.in_flight;
        loop.spawn(run_policy_look(shared_from_this(), domain, slot,
                                   what == sts::ask::nothing ? sts::ask::record : what));
    }
    return slot;
}

io::task<> service::state::run_policy_look(std::shared_ptr<state> self, std::string domain,
                                           std::shared_ptr<policy_look> mine, sts::ask what) {
    try {
        auto next = what;
        if (next == sts::ask::record)
            co_await see_record(self, domain, mine, &next);
        if (next == sts::ask::policy && !self->stopping)
            co_await see_policy(self, domain, mine);
    } catch (const std::exception& error) { // those who wait must not wait for ever
        mine->words = error.what();
    }
    self->looking.erase(domain);
    --self->counts.in_flight;
    const auto now = self->clock.now();
    self->judge_alarm(domain, self->remembered(domain).state, now);
    self->settle(domain, mine->awaited);
    mine->end();
}

io::task<> service::state::see_record(std::shared_ptr<state> self, std::string domain,
                                      std::shared_ptr<policy_look> mine, sts::ask* next) {
    ++self->counts.record_looks;
    // 8461-3.1-a; aliases are followed by the resolver (8461-3.1-t), strings joined there (8461-3.1-r).
    auto fact = co_await self->dns.txt("_mta-sts." + domain);
    auto seen = sighting_of(fact);
    const auto now = self->clock.now();
    auto kept = self->remembered(domain);
    const auto before = kept.state;
    mine->words = seen.what == sts::record_sighting::kind::valid ? "the record has the id " + seen.id
                  : seen.detail.empty()                          ? "there is no MTA-STS record"
                                                                 : seen.detail;
    *next = sts::record_seen(kept.state, std::move(seen), mine->why, now);
    self->policies.put(kept);
    if (*next == sts::ask::policy) // what the fetch gives is written with it
        co_return;
    const auto& after = kept.state;
    if (sts::worthless(after, now)) {
        if (before.held || before.failed)
            self->keep.remove(domain);
    } else if ((after.held || after.failed) &&
               (after.record.what != before.record.what || after.record.id != before.record.id)) {
        self->write(std::move(kept));
    }
}

io::task<> service::state::see_policy(std::shared_ptr<state> self, std::string domain,
                                      std::shared_ptr<policy_look> mine) {
    auto theirs = co_await self->keep.ask_others(domain, self->remembered(domain).state,
                                                 self->loop.now() + self->options.budget);
    if (theirs) {
        mine->words += "; another machine has fetched the policy";
        self->take_over(std::move(*theirs));
        co_return;
    }
    sts::policy_sighting seen;
    {
        const auto permit = co_await self->fetch_gate.acquire(); // 8461-3.3-k
        ++self->counts.fetches;
        mine->fetched = true;
        try {
            seen = co_await self->fetch(domain);
        } catch (const std::exception& error) {
            seen = {};
            seen.detail = error.what();
        }
    }
    const bool valid = seen.value.has_value();
    auto kept = self->remembered(domain);
    const auto had = std::move(kept.state.held);
    kept.state.held = had;
    mine->words = valid ? std::string("the policy was fetched") : "the policy cannot be had: " + seen.detail;
    sts::policy_seen(kept.state, std::move(seen), self->clock.now(), self->dice());
    const bool got = valid && kept.state.held; // no: it was purged meanwhile
    mine->changed = got && had && (had->id != kept.state.held->id || had->body != kept.state.held->body);
    // In time for the first who waits: at the end of his budget he gets the policy, durable or not.
    auto deadline = self->loop.now() + self->options.budget;
    for (const auto& who : mine->askers)
        deadline = std::min(deadline, who->deadline - self->options.budget / 10);
    co_await keep_seen(self, kept, got, deadline);
    self->keep.fetched(domain);
    self->tell_of_fetch(domain, had, kept.state, *mine, got);
}

/// A policy is durable before it is answered, so that the end of the process never loses one that was.
io::task<> service::state::keep_seen(std::shared_ptr<state> self, model::kept_policy kept, bool got,
                                     io::loop::time_point deadline) {
    if (!got) {
        self->policies.put(kept);
        self->write(std::move(kept));
        co_return;
    }
    co_await self->keep.put(kept, deadline);
    if (!newer(self->remembered(kept.domain).state, kept.state))
        self->policies.put(kept);
}

void service::state::tell_of_fetch(const std::string& domain, const std::optional<sts::held_policy>& had,
                                   const sts::resolution_state& now_is, const policy_look& seen, bool got) {
    service_event event{
        .what = service_event::kind::fetched, .domain = domain, .detail = seen.words, .fault = {}};
    if (!got && now_is.failed) {
        event.what = service_event::kind::fetch_failed;
        event.fault = now_is.failed->fault;
        ++counts.fetch_failures[static_cast<std::size_t>(now_is.failed->fault)];
    } else if (seen.changed) {
        event.what = service_event::kind::changed;
        event.detail = difference(*had, *now_is.held);
    }
    say(std::move(event));
}

io::task<> service::state::note_mx(std::shared_ptr<state> self, std::shared_ptr<place> at,
                                   std::shared_ptr<look> of) {
    co_await self->dns.mx(at->hop.domain); // the walk asks the same: it is asked once
    if (at->looking == of)
        at->mx_silent = false;
}

std::shared_ptr<look> service::state::look_at_hosts(const std::shared_ptr<place>& at) {
    if (!at->looking) {
        at->looking = std::make_shared<look>();
        ++counts.in_flight;
        ++counts.dane_looks;
        loop.spawn(run_hosts_look(shared_from_this(), at, at->looking));
    }
    return at->looking;
}

io::task<> service::state::run_hosts_look(std::shared_ptr<state> self, std::shared_ptr<place> at,
                                          std::shared_ptr<look> mine) {
    // Only where an enforced policy is held does it matter which of the look-ups is slow.
    const auto held = self->remembered(at->hop.domain).state.held;
    at->mx_silent = at->hop.what == mail::next_hop::kind::domain && held;
    if (at->mx_silent)
        self->loop.spawn(note_mx(self, at, mine));
    destination seen;
    try {
        seen = co_await look_at(self->loop, self->dns, self->clock, at->hop, self->options.looking);
    } catch (const std::exception& error) {
        seen = {};
        seen.detail = error.what();
        seen.looked_at = self->clock.now();
        seen.good_until = seen.looked_at + 30s;
    }
    const auto now = self->clock.now();
    // A look ahead of time that fails takes nothing away.
    if (!at->where || now >= at->where->good_until || judge(seen) != dane_answer::unknown)
        at->where = std::move(seen);
    at->mx_silent = false;
    at->looking.reset();
    --self->counts.in_flight;
    self->settle_place(*at, mine->awaited);
    mine->end();
}

io::task<shared_decision> service::state::look_live(std::shared_ptr<state> self, std::string key) {
    const auto begun = self->loop.now();
    decision_input from;
    from.hop = mail::parse_next_hop(key);
    sts::resolution_state policy;
    destination where;
    if (from.hop.can_have_policy()) {
        auto hosts = io::start(self->loop,
                               look_at(self->loop, self->dns, self->clock, from.hop, self->options.looking));
        ++self->counts.dane_looks;
        ++self->counts.record_looks;
        auto fact = co_await self->dns.txt("_mta-sts." + from.hop.domain);
        const auto next = sts::record_seen(policy, sighting_of(fact), sts::occasion::use, self->clock.now());
        if (next == sts::ask::policy) {
            ++self->counts.fetches;
            auto seen = co_await self->fetch(from.hop.domain);
            sts::policy_seen(policy, std::move(seen), self->clock.now(), self->dice());
        }
        where = co_await hosts.get();
        from.state = &policy;
        from.where = &where;
    }
    const auto now = self->clock.now();
    from.exception = self->exception_of(from.hop.domain, now);
    auto given = std::make_shared<const tls_decision>(resolve::decide(from, self->options.deciding, now));
    self->count(*given, self->loop.now() - begun);
    co_return given;
}

} // namespace mailtight::resolve
