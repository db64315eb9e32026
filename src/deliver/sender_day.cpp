// SPDX-License-Identifier: Apache-2.0
// A day at once, for whoever asks for it: what is owed is filed whether due or not, then the outbox is worked
// off until nothing waits to be tried now.
#include "deliver/sender_state.h"

#include <fmt/format.h>

namespace mailtight::deliver {
namespace {
constexpr std::chrono::milliseconds tick{5};
} // namespace

io::task<store::result<sender::day_result>> sender::state::send_day(std::shared_ptr<state> self,
                                                                    std::chrono::sys_days day) {
    const in_hand booked(self->others);
    if (self->dry())
        co_return co_await dry_day(self, day);
    day_result out;
    const auto numbers = co_await file_day(self, day, out);
    if (!numbers)
        co_return std::unexpected(numbers.error());
    for (bool more = true; more && !self->stopping;) {
        const auto taken = co_await take_outbox(self);
        if (!taken)
            co_return std::unexpected(taken.error());
        more = *taken > 0 || !self->inside.empty();
        if (more)
            co_await self->loop.sleep_for(tick);
    }
    const auto counted = co_await count_day(self, *numbers, out);
    if (!counted)
        co_return std::unexpected(counted.error());
    co_return out;
}

io::task<store::result<std::vector<std::int64_t>>>
sender::state::file_day(std::shared_ptr<state> self, std::chrono::sys_days day, day_result& into) {
    std::vector<std::int64_t> numbers;
    std::vector<std::pair<model::due_report, seconds>> silent;
    while (!self->stopping) {
        // What is not filed stays under its lease, so that it does not come again here.
        auto taken = co_await ask<std::vector<model::due_report>>(
            self, [of = self.get(), day, now = self->policy_time.now()](store::result_store& s) {
                return s.take_due(now, of->options.machine, owed_lease, filed_together, day);
            });
        if (!taken)
            co_return std::unexpected(taken.error());
        if (taken->empty())
            break;
        std::vector<io::task<filing>> work;
        for (const auto& each : *taken)
            work.push_back(file_one(self, each));
        const auto done = co_await io::when_all(self->loop, std::move(work));
        for (std::size_t i = 0; i < done.size(); ++i) {
            const auto& due = (*taken)[i];
            self->count(done[i], due);
            switch (done[i].what) {
            case filing::kind::filed:
                ++into.filed;
                numbers.push_back(done[i].number);
                break;
            case filing::kind::nobody_asks:
                ++into.nobody_asks;
                break;
            case filing::kind::not_made:
                ++into.not_made;
                break;
            case filing::kind::not_yet:
                silent.emplace_back(due, done[i].again_at);
                [[fallthrough]];
            case filing::kind::trouble:
                into.troubles.push_back(fmt::format("{}: {}", due.domain, done[i].words));
                break;
            case filing::kind::not_ours:
                break;
            }
        }
    }
    for (const auto& [due, until] : silent)
        co_await postpone(self, due, until);
    co_return numbers;
}

io::task<store::result<void>> sender::state::count_day(std::shared_ptr<state> self,
                                                       std::vector<std::int64_t> numbers, day_result& into) {
    using found = std::optional<model::outgoing_report>;
    for (const auto number : numbers) {
        const auto report =
            co_await ask<found>(self, [number](store::result_store& s) { return s.report(number); });
        if (!report)
            co_return std::unexpected(report.error());
        if (!*report)
            continue;
        for (const auto& each : (*report)->deliveries) {
            using enum model::delivery_state;
            if (is_copy(each))
                continue;
            into.sent += each.state == sent ? 1 : 0;
            into.waiting += each.state == waiting ? 1 : 0;
            into.refused += each.state == refused || each.state == given_up ? 1 : 0;
            into.suppressed += each.state == suppressed ? 1 : 0;
        }
    }
    co_return store::result<void>{};
}

} // namespace mailtight::deliver
