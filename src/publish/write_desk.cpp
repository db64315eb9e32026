// SPDX-License-Identifier: Apache-2.0
#include "publish/write_desk.h"

#include <algorithm>
#include <iterator>

namespace mailtight::publish {

namespace {

constexpr std::size_t most_at_once = 256;

} // namespace

write_desk::write_desk(io::loop& on, io::worker& thread, store::domain_store& to)
    : state_(std::make_shared<state>(
          state{.loop = on, .thread = thread, .to = to, .waiting = {}, .busy = false, .count = {}})) {}

void write_desk::put(std::shared_ptr<wish> one) {
    state_->waiting.push_back(std::move(one));
    if (!std::exchange(state_->busy, true))
        state_->loop.spawn(carry(state_));
}

io::task<> write_desk::carry(std::shared_ptr<state> self) {
    while (!self->waiting.empty()) {
        // Those who wait longest first; among these in the order of their rows.
        const auto many = static_cast<std::ptrdiff_t>(std::min(most_at_once, self->waiting.size()));
        const auto end = self->waiting.begin() + many;
        wishes some(std::make_move_iterator(self->waiting.begin()), std::make_move_iterator(end));
        self->waiting.erase(self->waiting.begin(), end);
        std::ranges::sort(some, {}, [](const auto& each) -> const std::string& { return each->order; });
        self->count.writes += some.size();
        ++self->count.transactions;
        std::exception_ptr error;
        try {
            co_await self->thread.run<void>([some, to = &self->to] {
                const bool light =
                    std::ranges::all_of(some, [](const auto& each) { return each->how == weight::light; });
                const auto call_all = [&](store::domain_store& in) {
                    for (const auto& each : some)
                        each->call(in);
                };
                if (some.size() > 1 && to->together(light, call_all))
                    return;
                call_all(*to);
            });
        } catch (...) {
            error = std::current_exception();
        }
        for (const auto& each : some) {
            each->error = error;
            each->done.set();
        }
    }
    self->busy = false;
}

} // namespace mailtight::publish
