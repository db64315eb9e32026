// SPDX-License-Identifier: Apache-2.0
// From the outbox to the world: what is due is taken under a lease, tried, and what became of it is written.
// A success is written until it is written: until then nobody but us may believe that the report is still
// owed, and we don't.
#include "base/text.h"
#include "deliver/sender_state.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::deliver {
namespace {

using namespace std::chrono_literals;
using model::delivery_state;
using model::outgoing_delivery;

constexpr std::chrono::milliseconds first_pause{250}, longest_pause{30'000};
constexpr std::chrono::seconds until_the_one_before{30};

/// The order in which the addresses of a report are tried where one is enough.
std::pair<base::utc_seconds, std::int64_t> turn_of(const outgoing_delivery& one) {
    return {one.next_at, one.number};
}

/// Why the list has nothing for it; "" : it is not on the list.
std::string suppressed_because(std::span<const store::suppressed_address> list, const outgoing_delivery& one,
                               base::utc_seconds now) {
    for (const auto& each : list) {
        if (each.until && *each.until <= now)
            continue;
        const bool is_domain = each.who.starts_with('@');
        const auto name = std::string_view(each.who).substr(is_domain ? 1 : 0);
        const auto& what = !is_mail(one) || is_domain ? one.host : one.address;
        if (is_domain ? is_mail(one) && base::iequals(name, what) : base::iequals(name, what))
            return fmt::format("on the suppression list: {}", each.why);
    }
    return {};
}

outgoing_delivery ended(outgoing_delivery one, delivery_state how, std::string words, base::utc_seconds now) {
    one.state = how;
    one.words = std::move(words);
    one.ended_at = now;
    return one;
}

} // namespace

io::task<store::result<std::size_t>> sender::state::take_outbox(std::shared_ptr<state> self) {
    const auto room = self->options.at_once - std::min(self->options.at_once, self->inside.size());
    if (room == 0)
        co_return 0;
    struct taken {
        std::vector<outgoing_delivery> deliveries;
        suppression nothing_for;
    };
    auto got = co_await ask<taken>(self,
                                   [of = self.get(), now = self->policy_time.now(),
                                    room](store::result_store& s) -> store::result<taken> {
                                       taken out;
                                       auto due = s.take_deliveries(now, of->options.machine,
                                                                    of->options.lease, room);
                                       if (!due)
                                           return std::unexpected(due.error());
                                       out.deliveries = std::move(*due);
                                       if (out.deliveries.empty())
                                           return out;
                                       auto list = s.suppressed();
                                       if (!list)
                                           return std::unexpected(list.error());
                                       out.nothing_for = std::move(*list);
                                       return out;
                                   });
    if (!got)
        co_return std::unexpected(got.error());
    self->more_waiting = got->deliveries.size() >= room;
    const auto nothing_for = std::make_shared<const suppression>(std::move(got->nothing_for));
    std::map<std::int64_t, std::vector<outgoing_delivery>> groups; // 8460-3-x: each for itself, or in turn
    for (auto& each : got->deliveries)
        if (self->inside.insert(each.number).second) // else it is in our hands already, its lease too short
            groups[self->options.first_that_works ? each.report : each.number].push_back(std::move(each));
    for (auto& [_, group] : groups) {
        std::ranges::sort(group, {}, turn_of);
        self->loop.spawn(deliver_group(self, std::move(group), nothing_for));
    }
    co_return got->deliveries.size();
}

io::task<> sender::state::deliver_group(std::shared_ptr<state> self, std::vector<outgoing_delivery> group,
                                        std::shared_ptr<const suppression> nothing_for) {
    for (const auto& each : group) {
        co_await deliver_one(self, each, nothing_for);
        self->inside.erase(each.number);
    }
    self->look_for_more();
}

store::result<sender::state::preparation> sender::state::prepare(store::result_store& s,
                                                                 const outgoing_delivery& one,
                                                                 const suppression& nothing_for, seconds now,
                                                                 seconds real_now) {
    preparation out;
    auto report = s.report(one.report);
    if (!report)
        return std::unexpected(report.error());
    if (!*report || (*report)->body.empty()) {
        out.next = ended(one, delivery_state::given_up, "the report is no longer kept", now);
        return out;
    }
    out.report = std::move(**report);
    const bool copy = is_copy(one);
    const auto& all = out.report.deliveries;
    if (options.first_that_works && !copy) { // 8460-3-y
        const auto other = [&](auto matches) {
            return std::ranges::any_of(all, [&](const outgoing_delivery& each) {
                return each.number != one.number && !is_copy(each) && matches(each);
            });
        };
        if (other([](const auto& each) { return each.state == delivery_state::sent; })) {
            out.next = ended(one, delivery_state::skipped, "another address has taken it", now);
            return out;
        }
        if (other([&](const auto& each) {
                return each.state == delivery_state::waiting && turn_of(each) < turn_of(one);
            })) { // it is being tried just now, perhaps by another machine
            out.next = one;
            out.next->next_at = now + until_the_one_before;
            return out;
        }
        out.skip_others = std::ranges::none_of(
            all, [](const auto& each) { return is_copy(each) && each.state == delivery_state::waiting; });
    }
    if (!copy) {
        auto why = suppressed_because(nothing_for, one, now);
        if (why.empty() && one.first_at == seconds{}) { // 8460-7-d
            auto so_far = s.sent_on(std::chrono::floor<std::chrono::days>(now), one.address, one.host);
            if (!so_far)
                return std::unexpected(so_far.error());
            for (const auto& [_, each] : side.beginning) {
                so_far->to_address += is_mail(one) && base::iequals(each.address, one.address) ? 1 : 0;
                so_far->to_host += each.host == one.host ? 1 : 0;
                ++so_far->in_all;
            }
            why = over_a_cap(*so_far, one);
        }
        if (!why.empty()) {
            out.next = ended(one, delivery_state::suppressed, std::move(why), now);
            return out;
        }
    }
    if (one.first_at == seconds{})
        side.beginning.emplace(one.number, one);
    if (is_mail(one)) { // signing takes its time: better here than on the loop
        static const key_ring no_keys;
        out.mail = make_mail(options.who, out.report, one, (options.keys ? *options.keys : no_keys).signers,
                             real_now);
        out.report.body = {};
    }
    return out;
}

std::string sender::state::over_a_cap(const store::result_store::sent_so_far& so_far,
                                      const outgoing_delivery& one) const {
    const auto& rails = options.rails;
    if (is_mail(one) && so_far.to_address >= rails.per_address)
        return fmt::format("{} reports began to go to this address today", so_far.to_address);
    if (so_far.to_host >= rails.per_host)
        return fmt::format("{} reports began to go to {} today", so_far.to_host,
                           base::printable(one.host, 255));
    if (so_far.in_all >= rails.per_day)
        return fmt::format("{} reports began to go out today", so_far.in_all);
    return {};
}

io::task<> sender::state::deliver_one(std::shared_ptr<state> self, outgoing_delivery one,
                                      std::shared_ptr<const suppression> nothing_for) {
    if (self->stopping) { // given back
        co_await record(self, one, false);
        co_return;
    }
    auto ready =
        co_await ask<preparation>(self, [of = self.get(), one, nothing_for, now = self->policy_time.now(),
                                         real_now = self->real_time.now()](store::result_store& s) {
            return of->prepare(s, one, *nothing_for, now, real_now);
        });
    if (!ready)
        co_return;
    if (ready->next) {
        if (co_await record(self, *ready->next, false) && ready->next->state != delivery_state::waiting)
            self->tell_of(*ready->next, ready->report);
        co_return;
    }
    trial seen;
    if (is_mail(one))
        seen = co_await try_mail(self, one, std::move(ready->mail));
    else
        seen = co_await try_post(self, one, std::move(ready->report.body));
    const auto next = after(one, seen.outcome, self->options.retries, self->policy_time.now(), self->dice());
    // Before anything else: from here on it is never sent again.
    const bool written =
        co_await record(self, next, ready->skip_others && next.state == delivery_state::sent);
    if (!written)
        co_return;
    self->tell_of(next, ready->report);
    if (seen.no_such_user && next.state == delivery_state::refused && !is_copy(next))
        co_await suppress(self, ready->report, next, seen.outcome.words);
}

/// True where it is written. A failure that cannot be written is forgotten: the lease runs out, and it is
/// tried again. A success is not.
io::task<bool> sender::state::record(std::shared_ptr<state> self, outgoing_delivery now, bool skip_others) {
    for (auto pause = first_pause;; pause = std::min(pause * 2, longest_pause)) {
        const auto done = co_await ask<void>(
            self, [of = self.get(), now, skip_others](store::result_store& s) -> store::result<void> {
                auto written = s.tried(now, skip_others);
                if (written)
                    of->side.beginning.erase(now.number);
                return written;
            });
        if (done)
            co_return true;
        if (self->closed || (now.state != delivery_state::sent && !done.error().again()))
            co_return false;
        co_await self->loop.sleep_for(pause);
    }
}

void sender::state::tell_of(const outgoing_delivery& now, const model::outgoing_report& of) {
    using enum sender_event::kind;
    auto what = later;
    switch (now.state) {
    case delivery_state::sent:
        what = sent;
        ++(is_mail(now) ? counters.sent_mail : counters.sent_https);
        counters.last_sent = policy_time.now();
        break;
    case delivery_state::waiting:
        ++counters.failed_tries;
        break;
    case delivery_state::refused:
        what = refused;
        ++counters.failed_tries;
        ++counters.refused;
        break;
    case delivery_state::given_up:
        what = given_up;
        ++counters.given_up;
        break;
    case delivery_state::suppressed:
        what = suppressed;
        ++counters.suppressed;
        break;
    case delivery_state::skipped:
    case delivery_state::copied:
        return;
    }
    say(what, of.domain, of.day, now.words, now.uri);
}

} // namespace mailtight::deliver
