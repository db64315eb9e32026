// SPDX-License-Identifier: Apache-2.0
// What is ready to be filed or dropped goes to the store together: while one transaction is written, the next
// gathers. A report costs a third of what it costs alone. Each is filed or not for itself: where the engine
// refuses a group, its members are tried alone, so that no report stands in the way of others.
#include "deliver/sender_state.h"

#include <algorithm>
#include <iterator>

namespace mailtight::deliver {
namespace {
/// How long look-ups that end shortly after another are waited for.
constexpr std::chrono::milliseconds gather{10};

ready_group take_some(ready_group& from) {
    const auto end = from.begin() + static_cast<std::ptrdiff_t>(std::min(from.size(), filed_together));
    ready_group out(std::make_move_iterator(from.begin()), std::make_move_iterator(end));
    from.erase(from.begin(), end);
    return out;
}

void give_up(const ready_group& group, const store::store_error& why) {
    for (const auto& each : group)
        each->done = {.what = filing::kind::trouble, .number = 0, .words = why.message, .again_at = {}};
}
} // namespace

io::task<filing> sender::state::write_together(std::shared_ptr<state> self, model::due_report due,
                                               std::expected<askers, filing> found) {
    const auto one = std::make_shared<ready_filing>(self->loop, std::move(due));
    if (found)
        one->who = std::move(*found);
    else
        one->done = std::move(found.error());
    self->ready.push_back(one);
    if (!std::exchange(self->writing_ready, true))
        self->loop.spawn(write_ready(self));
    co_await one->written;
    co_return one->done;
}

io::task<> sender::state::write_ready(std::shared_ptr<state> self) {
    while (!self->ready.empty()) {
        co_await self->loop.sleep_for(std::chrono::milliseconds(0)); // who begins in the same turn comes too
        if (self->asking > 0 && self->ready.size() < filed_together)
            co_await self->loop.sleep_for(gather);
        const auto group = take_some(self->ready);
        ready_group filed, dropped;
        for (const auto& each : group)
            (each->who ? filed : dropped).push_back(each);
        if (!filed.empty())
            co_await file_group(self, filed);
        if (!dropped.empty())
            co_await drop_group(self, dropped);
        for (const auto& each : group)
            each->written.set();
    }
    self->writing_ready = false;
}

io::task<> sender::state::file_group(std::shared_ptr<state> self, ready_group group) {
    auto done = co_await ask<std::vector<filing>>(
        self, [of = self.get(), group, now = self->policy_time.now()](store::result_store& s) {
            return of->file_all(s, group, now);
        });
    if (done)
        for (std::size_t i = 0; i < group.size(); ++i)
            group[i]->done = std::move((*done)[i]);
    else if (group.size() > 1 && done.error().what == store::store_error::kind::wrong)
        for (const auto& each : group)
            co_await file_group(self, {each});
    else
        give_up(group, done.error());
}

io::task<> sender::state::drop_group(std::shared_ptr<state> self, ready_group group) {
    std::vector<model::due_report> all;
    for (const auto& each : group)
        all.push_back(each->due);
    const auto done =
        co_await ask<void>(self, [all = std::move(all)](store::result_store& s) { return s.drop_all(all); });
    if (!done)
        give_up(group, done.error());
}

store::result<std::vector<filing>> sender::state::file_all(store::result_store& s, const ready_group& group,
                                                           seconds now) const {
    asked_already known;
    std::vector<model::due_report> all;
    std::vector<prepared_targets> to;
    std::map<std::int64_t, std::size_t> place; // by fence: no two leases have the same
    for (const auto& each : group) {
        auto found = targets(s, known, each->due, *each->who, now);
        if (!found)
            return std::unexpected(found.error());
        place[each->due.fence] = all.size();
        all.push_back(each->due);
        to.push_back(std::move(*found));
    }
    std::vector<std::string> why(all.size());
    const auto numbers =
        s.file_all(all, [&](const model::due_report& due, std::span<const model::counted_result> results,
                            std::uint32_t part) {
            const auto i = place.at(due.fence);
            return compose(due, to[i].deliveries, *group[i]->who, to[i].reports_there, results, part, why[i]);
        });
    if (!numbers)
        return std::unexpected(numbers.error());
    std::vector<filing> out(all.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto& number = (*numbers)[i];
        out[i].what = number           ? filing::kind::filed
                      : why[i].empty() ? filing::kind::not_ours
                                       : filing::kind::not_made;
        out[i].number = number.value_or(0);
        out[i].words = std::move(why[i]);
    }
    return out;
}

} // namespace mailtight::deliver
