// SPDX-License-Identifier: Apache-2.0
// One pile after the other, in slices: while a slice is joined on the loop, the next is read beside it. The
// loop is never held for longer than `hold`, and no more than two slices of results are in memory.
#include "tally/collector_state.h"

#include "base/text.h"

#include <fmt/format.h>

namespace mailtight::tally {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t slice_entries = 2'000;
constexpr std::size_t joined_at_once = 32; ///< between looks at the clock
constexpr auto hold = 1ms;
constexpr std::size_t piles_bytes = 64u << 20; ///< that wait; beyond it the newest is lost, and counted
constexpr std::size_t spares_kept = 2;
constexpr std::size_t shown_bytes = 200;

std::string describe(const read_error& error, std::string_view input) {
    return fmt::format("{}{}{}: {}", error.words, error.where.empty() ? "" : " at ",
                       base::printable(error.where, 100), base::printable(input, shown_bytes));
}

} // namespace

void collector::state::take(pile what, base::utc_seconds at) {
    if (stopped || what.empty())
        return;
    const auto bytes = what.bytes();
    if (!piles.empty() && bytes_of_piles + bytes > piles_bytes) {
        counts.lost += what.inputs();
        return;
    }
    bytes_of_piles += bytes;
    counts.datagrams += what.inputs();
    auto mine = std::make_shared<pile_under_way>();
    mine->what = std::move(what);
    mine->at = at;
    mine->number = ++piles_taken;
    piles.push_back(std::move(mine));
    if (!std::exchange(reading, true))
        loop.spawn(read_piles(shared_from_this()));
}

/// On the reading thread, or on the loop when that has ended its work.
void collector::state::read(pile_under_way& of, pile_under_way::slice& into, std::size_t from,
                            std::size_t to) {
    into.read.reserve(to - from);
    read_error last;
    std::string_view last_bytes;
    for (auto i = from; i < to; ++i) {
        const auto& entry = of.what.entries()[i];
        const auto bytes = of.what.bytes_of(entry);
        auto got = reader.read(bytes);
        if (got) {
            into.read.push_back({std::move(*got), entry.times});
        } else {
            into.bad += entry.times;
            last = std::move(got.error());
            last_bytes = bytes;
        }
    }
    if (into.bad > 0)
        into.last_bad = describe(last, last_bytes);
}

std::shared_ptr<pile_under_way::slice> collector::state::begin_slice(pile_under_way& of) {
    of.ahead = std::make_shared<pile_under_way::slice>();
    return of.ahead;
}

io::task<> collector::state::read_piles(std::shared_ptr<state> self) {
    while (!self->stopped && !self->piles.empty()) {
        const auto of = self->piles.front();
        while (!self->stopped && (of->next < of->what.entries().size() || of->ahead)) {
            io::started<bool> job;
            const auto from = of->next;
            const auto to = std::min(from + slice_entries, of->what.entries().size());
            auto ready = std::exchange(of->ahead, nullptr);
            if (from < to) {
                of->next = to;
                job = io::start(self->loop, self->reading_thread->run<bool>([raw = self.get(), of, from, to,
                                                                             into = self->begin_slice(*of)] {
                    raw->read(*of, *into, from, to);
                    return true;
                }));
            }
            if (ready) {
                of->joining = std::move(ready);
                co_await join_slice(self, of);
            }
            if (from < to)
                co_await job.get();
        }
        if (self->stopped)
            co_return;
        self->piles.pop_front();
        self->bytes_of_piles -= of->what.bytes();
        self->piles_joined = of->number;
        std::erase_if(self->waiting_for_piles, [&](const auto& each) {
            if (each.first <= of->number)
                each.second->set();
            return each.first <= of->number;
        });
        if (self->spares.size() < spares_kept) {
            of->what.clear();
            self->spares.push_back(std::move(of->what));
        }
    }
    self->reading = false;
}

void collector::state::join_some(pile_under_way& of, std::size_t at_most) {
    auto& slice = *of.joining;
    for (; at_most > 0 && slice.joined < slice.read.size(); --at_most) {
        auto& each = slice.read[slice.joined++];
        const auto& facts = facts_of(each.what.domain);
        count(join(std::move(each.what), facts, of.at), of.at, each.times);
    }
}

void collector::state::note_bad(const pile_under_way::slice& from, base::utc_seconds at) {
    if (from.bad == 0)
        return;
    counts.bad_datagrams += from.bad;
    counts.last_bad = from.last_bad;
    counts.last_bad_at = at;
}

io::task<> collector::state::join_slice(std::shared_ptr<state> self, std::shared_ptr<pile_under_way> of) {
    self->note_bad(*of->joining, of->at);
    of->joining->bad = 0;
    while (!self->stopped && of->joining->joined < of->joining->read.size()) {
        const auto until = self->loop.now() + hold;
        while (of->joining->joined < of->joining->read.size() && self->loop.now() < until)
            self->join_some(*of, joined_at_once);
        co_await self->loop.sleep_for(0ms);
    }
}

/// At the end: all of it, at once. The coroutine that was at it finds nothing left to do.
void collector::state::finish_piles() {
    reading_thread->rest();
    for (; !piles.empty(); piles.pop_front()) {
        auto& of = *piles.front();
        for (;;) {
            if (of.joining) {
                note_bad(*of.joining, of.at);
                of.joining->bad = 0;
                join_some(of, of.joining->read.size());
                of.joining.reset();
            }
            if (of.ahead) {
                of.joining = std::exchange(of.ahead, nullptr);
            } else if (of.next < of.what.entries().size()) {
                of.joining = std::make_shared<pile_under_way::slice>();
                read(of, *of.joining, std::exchange(of.next, of.what.entries().size()),
                     of.what.entries().size());
            } else {
                break;
            }
        }
        piles_joined = of.number;
    }
    for (const auto& [number, done] : std::exchange(waiting_for_piles, {}))
        done->set();
}

} // namespace mailtight::tally
