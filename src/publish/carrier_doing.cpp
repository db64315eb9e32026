// SPDX-License-Identifier: Apache-2.0
// One step carried out. Before it the lease is kept and what is begun is written down; after it the log of
// changes has it. Body before record (RFC 8461 §8.1): the record is only written when the body that it
// announces was fetched back, byte for byte, a moment before.
#include "base/text.h"
#include "publish/carrier_state.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::publish {
namespace {

constexpr std::string_view lost_words = "another machine has taken this domain over";
constexpr std::chrono::hours ask_renewal{6};
constexpr std::size_t shown = 200; ///< bytes of what a stranger served

effect failed(std::string why) {
    return {.failed = std::move(why)};
}

std::string names_of(const plan::step& what) {
    std::vector<std::string> names;
    for (const auto& each : what.records)
        names.push_back(each.name);
    return base::join(names, ", ");
}

std::string done_words(const plan::step& what) {
    const auto logged = log_words(plan::to_string(what.kind));
    auto out = fmt::format("{} {}", logged, names_of(what));
    if (what.kind == plan::step_kind::publish_record && !what.id.empty())
        out += fmt::format(" with the id {}", what.id);
    return out;
}

/// Which body the record announces: that of the step, or what is (or should be) served.
std::string announced(const thought& known, const plan::step& what) {
    if (!what.policy.empty())
        return what.policy;
    if (known.past.publication && !known.past.publication->body.empty())
        return known.past.publication->body;
    return known.seen.seen.policy.value_or("");
}

} // namespace

io::task<effect> carrier::state::perform(std::shared_ptr<state> self, std::shared_ptr<holding> mine,
                                         std::shared_ptr<const thought> known, plan::step what,
                                         std::string who) {
    const auto words = log_words(plan::to_string(what.kind));
    if (!words.empty())
        mine->notes.doing = {.signature = signature(what),
                             .what = std::string(words),
                             .to = what.id.empty() ? names_of(what) : what.id,
                             .why = what.why,
                             .who = who};
    if (!co_await hold(self, mine))
        co_return failed(mine->lost ? std::string(lost_words) : std::string("the database is away"));
    auto done = co_await act(self, mine, known, what, who);
    if (self->closed || mine->lost)
        co_return done;
    ++(done.failed.empty() ? self->counts.steps : self->counts.failures);
    if (!done.failed.empty()) {
        mine->notes.doing.reset();
        co_return done;
    }
    if (const auto begun = mine->notes.doing) {
        const auto logged =
            co_await ask<void>(self, [begun = *begun, domain = known->wish.domain,
                                      now = self->policy_time.now()](store::domain_store& to) {
                return to.log_change({.at = now,
                                      .domain = domain,
                                      .who = begun.who,
                                      .what = begun.what,
                                      .to = begun.to,
                                      .why = begun.why});
            });
        if (logged)
            mine->notes.doing.reset();
    }
    co_return done;
}

io::task<effect> carrier::state::act(std::shared_ptr<state> self, std::shared_ptr<holding> mine,
                                     std::shared_ptr<const thought> known, plan::step what, std::string who) {
    const auto& domain = known->wish.domain;
    using enum plan::step_kind;
    switch (what.kind) {
    case verify_policy:
        co_return co_await verify(self, domain, announced(*known, what));
    case serve_policy:
    case stop_serving:
        co_return co_await publish(self, mine, domain, what, who);
    case certificate:
        co_return co_await certify(self, domain);
    case publish_record:
        co_return co_await write_sts_record(self, mine, known, what);
    case publish_tlsrpt:
    case point_host:
    case remove_record:
    case remove_host:
        co_return co_await write(self, known, what);
    case remove_certificate: {
        const auto gone = co_await ask<void>(self, [name = "mta-sts." + domain](store::domain_store& in) {
            return in.remove_certificate(name);
        });
        if (!gone)
            co_return failed(gone.error().message);
        co_return effect{.did = fmt::format("removed the certificate of mta-sts.{}", domain)};
    }
    case report_way:
    case check_mx:
    case verify_record:
    case wait:
    case evidence:
    case add_mx:
    case remove_mx:
    case mend:
    case come_back:
        break;
    }
    co_return failed(fmt::format("{} is nothing that can be done here", plan::to_string(what.kind)));
}

/// 8461-8.1-c: what senders get is asked for over the public path.
io::task<effect> carrier::state::verify(std::shared_ptr<state> self, std::string domain, std::string body) {
    const auto got = co_await self->with.fetch(domain);
    if (!got)
        co_return failed(fmt::format("the policy of {} cannot be fetched: {}", domain, got.error()));
    if (body.empty() || *got != body)
        co_return failed(fmt::format("https://mta-sts.{}/.well-known/mta-sts.txt gives something else: {}",
                                     domain, base::printable(*got, shown)));
    co_return effect{.did = fmt::format("fetched the policy of {} back, byte for byte", domain)};
}

io::task<effect> carrier::state::publish(std::shared_ptr<state> self, std::shared_ptr<holding> mine,
                                         std::string domain, plan::step what, std::string who) {
    const bool ends = what.kind == plan::step_kind::stop_serving;
    const auto done = co_await ask<bool>(self, [of = &self->options, mine, domain, what, who, ends,
                                                now = self->policy_time.now()](store::domain_store& to) {
        return to.publish(
            {.domain = domain, .body = ends ? std::string() : what.policy, .id = what.id, .since = now},
            {.what = "plan/" + domain, .who = of->machine, .fence = mine->work.fence}, who, of->lag);
    });
    if (!done)
        co_return failed(done.error().message);
    if (!*done) {
        mine->lost = true;
        co_return failed(std::string(lost_words));
    }
    co_return effect{.did = ends ? fmt::format("withdrew the policy of {}", domain)
                                 : fmt::format("serves the policy of {} with the id {}", domain, what.id)};
}

/// Under a lease of its own, which the renewals of certificates respect.
io::task<effect> carrier::state::certify(std::shared_ptr<state> self, std::string domain) {
    store::due_work work{.kind = "certificate", .domain = domain};
    const auto taken = co_await ask<std::optional<store::due_work>>(
        self,
        [of = &self->options,
         domain](store::domain_store& from) -> store::result<std::optional<store::due_work>> {
            const auto held = from.take_lease("certificate/" + domain, of->machine, of->lease);
            if (!held)
                return std::unexpected(held.error());
            if (!*held)
                return std::nullopt;
            auto there = from.work("certificate", domain);
            if (!there)
                return std::unexpected(there.error());
            auto out = there->value_or(store::due_work{.kind = "certificate", .domain = domain});
            out.fence = (*held)->fence;
            return out;
        });
    if (!taken)
        co_return failed(taken.error().message);
    if (!*taken)
        co_return failed(fmt::format("a certificate for mta-sts.{} is being ordered already", domain));
    work = std::move(**taken);
    auto got = co_await self->with.get_certificate(work, domain);
    const auto given_back = co_await ask<bool>(
        self,
        [work, domain, again = got.again, ok = got.ok,
         now = self->policy_time.now()](store::domain_store& to) -> store::result<bool> {
            if (!ok)
                return to.done_work(work, again ? std::optional(now + *again) : std::nullopt);
            const auto kept = to.certificate("mta-sts." + domain);
            if (!kept)
                return std::unexpected(kept.error());
            // The authority may want it renewed long before that (RFC 9773): it is asked.
            return to.done_work(work,
                                *kept ? std::optional(std::min((*kept)->renew_at.value_or(now + ask_renewal),
                                                               now + ask_renewal))
                                      : std::nullopt);
        });
    static_cast<void>(given_back); // else its lease runs out
    if (!got.ok)
        co_return effect{.failed = std::move(got.words), .again = got.again};
    co_return effect{.did = fmt::format("got a certificate for mta-sts.{}", domain)};
}

io::task<effect> carrier::state::write(std::shared_ptr<state> self, std::shared_ptr<const thought> known,
                                       plan::step what) {
    auto done = co_await self->with.write_records(known->wish, what.records);
    if (!done.ok)
        co_return effect{.failed = std::move(done.words), .again = done.again};
    co_return effect{.did = done_words(what)};
}

/// 8461-8.1-c: the body first, the record second; what is not there yet is not announced.
io::task<effect> carrier::state::write_sts_record(std::shared_ptr<state> self, std::shared_ptr<holding> mine,
                                                  std::shared_ptr<const thought> known, plan::step what) {
    const auto seen = co_await verify(self, known->wish.domain, announced(*known, what));
    if (!seen.failed.empty())
        co_return seen;
    const auto& now = known->seen.seen;
    const auto bad = std::ranges::find(now.mx, std::optional(false), &plan::mx_seen::passes);
    if (now.sts.state == plan::record_seen::what::absent && bad != now.mx.end())
        co_return failed(fmt::format("{} does not pass: {}", bad->host, base::printable(bad->why, shown)));
    if (!co_await hold(self, mine)) // the fetch may have taken its time
        co_return failed(std::string(lost_words));
    co_return co_await write(self, known, what);
}

} // namespace mailtight::publish
