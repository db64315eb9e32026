// SPDX-License-Identifier: Apache-2.0
// From what is owed to a report in the outbox: who asks for it is looked up now (A40), then results and
// deliveries are filed in one transaction (sender_together.cpp). What DNS does not say is asked again, for a
// day (8460-5.5-a).
#include "base/text.h"
#include "deliver/sender_state.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::deliver {
namespace {

using model::report_audience;

/// The one record of a set that counts, where it names an address that reports can go to.
std::optional<tlsrpt::record> record_among(const std::vector<std::string>& texts) {
    // 8460-3-u, 8460-3-v: what is no TLSRPT record is passed over, and two of them are none.
    auto judged = tlsrpt::judge_rrset(texts);
    using enum tlsrpt::rrset_judgement::outcome;
    if (judged.result == multiple || judged.result == absent || !judged.judgement.value)
        return std::nullopt;
    const bool usable = std::ranges::any_of(judged.judgement.value->rua, [](const auto& uri) {
        return uri.scheme != tlsrpt::report_uri::scheme_type::other;
    });
    return usable ? std::move(judged.judgement.value) : std::nullopt;
}

/// By what two addresses are the same one.
std::string place_of(const std::string& address, const std::string& uri) {
    return address.empty() ? uri : base::lower(address);
}

std::set<std::string> recipients_of(std::span<const model::counted_result> results) {
    std::set<std::string> out;
    for (const auto& each : results)
        out.insert(each.domain);
    return out;
}

filing because(filing::kind what, std::string words) {
    return {.what = what, .words = std::move(words)};
}

} // namespace

io::task<> sender::state::take_owed(std::shared_ptr<state> self) {
    const auto room = filed_together - std::min(filed_together, self->filing_now);
    if (room == 0)
        co_return;
    auto taken = co_await ask<std::vector<model::due_report>>(
        self, [of = self.get(), now = self->policy_time.now(), room](store::result_store& s) {
            return s.take_due(now, of->options.machine, owed_lease, room);
        });
    if (!taken)
        co_return;
    self->more_owed = taken->size() >= room;
    for (auto& each : *taken)
        self->loop.spawn(file_and_tell(self, std::move(each)));
}

io::task<> sender::state::file_and_tell(std::shared_ptr<state> self, model::due_report due) {
    filing done;
    {
        const in_hand booked(self->filing_now);
        if (self->dry()) { // stays owed: looked at again a day later
            done = co_await dry_one(self, due);
            co_await postpone(self, due, self->policy_time.now() + std::chrono::days(1));
        } else {
            const auto soonest = due.last_part_at + between_parts; // a supplement waits for others
            if (due.last_part_at != seconds{} && self->policy_time.now() < soonest)
                done = {.what = filing::kind::not_yet, .number = 0, .words = {}, .again_at = soonest};
            else
                done = co_await file_one(self, due);
            if (done.what == filing::kind::not_yet)
                co_await postpone(self, due, done.again_at);
        }
    }
    self->count(done, due);
    self->more_waiting = self->more_waiting || done.what == filing::kind::filed;
    self->look_for_more();
}

void sender::state::count(const filing& done, const model::due_report& due) {
    using enum filing::kind;
    switch (done.what) {
    case filed:
        ++counters.filed;
        return say(sender_event::kind::filed, due.domain, due.day);
    case nobody_asks:
        ++counters.nobody_asks;
        return say(sender_event::kind::nobody_asks, due.domain, due.day, done.words);
    case not_made:
        ++counters.not_made;
        return say(sender_event::kind::not_made, due.domain, due.day, done.words);
    case not_yet:
    case not_ours:
    case trouble:
        return;
    }
}

io::task<filing> sender::state::file_one(std::shared_ptr<state> self, model::due_report due) {
    std::expected<askers, filing> found;
    {
        const in_hand booked(self->asking);
        found = co_await find_askers(self, due);
    }
    using enum filing::kind;
    if (!found && found.error().what != nobody_asks && found.error().what != not_made)
        co_return std::move(found.error());
    co_return co_await write_together(self, std::move(due), std::move(found));
}

io::task<> sender::state::postpone(std::shared_ptr<state> self, model::due_report due, seconds until) {
    static_cast<void>(
        co_await ask<void>(self, [due, until](store::result_store& s) { return s.postpone(due, until); }));
}

io::task<std::expected<askers, filing>> sender::state::find_askers(std::shared_ptr<state> self,
                                                                   model::due_report due) {
    using enum filing::kind;
    const auto& rails = self->options.rails;
    if (!rails.to_self && std::ranges::find(rails.own_domains, due.domain) != rails.own_domains.end())
        co_return std::unexpected(because(not_made, "it is a domain of ours"));
    if (due.audience == report_audience::tlsa_base && !self->options.tlsa_base)
        co_return std::unexpected(because(not_made, "reports to TLSA base domains are off"));
    auto texts = co_await self->ways.record(due.domain);
    if (!texts) {
        const auto now = self->policy_time.now();
        const auto begun = due.first_tried == seconds{} ? now : due.first_tried;
        const auto& rules = self->options.retries;
        if (now < begun + rules.in_all) {
            const auto wait =
                std::min(rules.first * (std::int64_t{1} << std::min(due.tries, 16u)), rules.longest);
            auto later = because(not_yet, "DNS gives no answer");
            later.again_at = std::min(now + wait, begun + rules.in_all);
            co_return std::unexpected(std::move(later));
        }
        texts = co_await last_seen(self, due);
        if (!texts)
            co_return std::unexpected(because(trouble, "the results cannot be read"));
        if (texts->empty())
            co_return std::unexpected(because(nobody_asks, "DNS gave no answer for a day"));
    }
    askers out;
    auto record = record_among(*texts);
    if (!record)
        co_return std::unexpected(because(nobody_asks, {}));
    out.record = std::move(*record);
    if (due.audience == report_audience::tlsa_base)
        co_await find_served(self, due, out);
    co_return out;
}

/// A40: the record as the mail server saw it. Nothing where the store cannot say; empty where none was seen.
io::task<std::optional<std::vector<std::string>>> sender::state::last_seen(std::shared_ptr<state> self,
                                                                           model::due_report due) {
    std::vector<std::string> out;
    if (due.audience == report_audience::tlsa_base) // theirs is another record than the one that was seen
        co_return out;
    using rows = std::vector<model::counted_result>;
    const auto read = co_await ask<rows>(
        self, [due](store::result_store& s) { return s.results(due.day, due.domain, due.audience, false); });
    if (!read)
        co_return std::nullopt;
    for (const auto& each : *read)
        if (!each.record_seen.empty())
            out = {each.record_seen};
    co_return out;
}

io::task<> sender::state::find_served(std::shared_ptr<state> self, model::due_report due, askers& into) {
    using rows = std::vector<model::counted_result>;
    const auto read = co_await ask<rows>(
        self, [due](store::result_store& s) { return s.results(due.day, due.domain, due.audience, false); });
    if (!read)
        co_return;
    const auto recipients = recipients_of(*read);
    if (recipients.size() != 1)
        co_return;
    into.sole_recipient = *recipients.begin();
    const auto texts = co_await self->ways.record(into.sole_recipient);
    const auto theirs = texts ? record_among(*texts) : std::nullopt;
    if (theirs)
        for (const auto& uri : theirs->rua)
            into.served.push_back(place_of(uri.address, uri.text));
}

store::result<sender::state::prepared_targets> sender::state::targets(store::result_store& s,
                                                                      asked_already& known,
                                                                      const model::due_report& due,
                                                                      const askers& who, seconds now) const {
    if (!known.nothing_for) {
        auto list = s.suppressed();
        if (!list)
            return std::unexpected(list.error());
        known.nothing_for = std::move(*list);
    }
    const auto today = std::chrono::floor<std::chrono::days>(now);
    std::optional<store::store_error> failed;
    const auto so_far = [&](const std::string& address, const std::string& host) {
        const auto [at, fresh] = known.sent.try_emplace({address, host});
        if (fresh) {
            if (auto sent = s.sent_on(today, address, host))
                at->second = *sent;
            else
                failed = sent.error();
        }
        return at->second;
    };
    prepared_targets out;
    out.deliveries = targets_of(who.record, options.rails, *known.nothing_for, so_far, now);
    if (failed)
        return std::unexpected(*failed);
    // 8460-3-h: the sessions are those of that day, and so are the reports that may be among them.
    const auto that_day = s.sent_on(due.day, {}, due.domain);
    if (!that_day)
        return std::unexpected(that_day.error());
    out.reports_there = that_day->to_host;
    return out;
}

std::optional<model::outgoing_report>
sender::state::compose(const model::due_report& due, const std::vector<model::outgoing_delivery>& targets,
                       const askers& who, std::uint64_t reports_there,
                       std::span<const model::counted_result> results, std::uint32_t part,
                       std::string& why) const {
    std::uint64_t success = 0, failure = 0;
    for (const auto& each : results) {
        success += each.success;
        failure += each.failure;
    }
    why = why_not(options.rails, success, failure, reports_there);
    if (!why.empty())
        return std::nullopt;
    auto deliveries = targets;
    const auto recipients = recipients_of(results);
    if (recipients.size() == 1 && *recipients.begin() == who.sole_recipient)
        std::erase_if(deliveries, [&](const model::outgoing_delivery& to) {
            return std::ranges::find(who.served, place_of(to.address, to.uri)) != who.served.end();
        });
    if (deliveries.empty()) {
        why = "whoever asks has it with the report of the recipient's domain";
        return std::nullopt;
    }
    auto out = file_report(options.who, due, part, results, policy_time.now(), options.limits);
    const auto& copy = options.copy_to;
    const bool has_it = std::ranges::any_of(deliveries, [&](const auto& to) {
        return to.state == model::delivery_state::waiting && base::iequals(to.address, copy);
    });
    if (!copy.empty() && !has_it) {
        model::outgoing_delivery one;
        one.uri = fmt::format("{}{}", copy_scheme, copy);
        one.address = copy;
        one.host = base::lower(copy.substr(copy.rfind('@') + 1));
        one.next_at = policy_time.now();
        deliveries.push_back(std::move(one));
    }
    out.deliveries = std::move(deliveries);
    return out;
}

} // namespace mailtight::deliver
