// SPDX-License-Identifier: Apache-2.0
// What all protocols share: the order of the answers, and the way of a question from the ready replies over
// what the service knows to a look-up that takes its time.
#include "resolve/front.h"

#include "base/text.h"
#include "resolve/front_state.h"

#include <map>
#include <utility>

namespace mailtight::resolve {

namespace {

/// The coroutine owns all that it touches: the connection may be gone before the answer is there.
io::task<> answer_later(std::shared_ptr<front::state> shared, std::shared_ptr<answer_queue> queue,
                        std::uint64_t place, protocol in, std::string bytes, std::string key,
                        phrasing phrase) {
    const shared_decision found = co_await shared->source->decide(std::move(key));
    shared->source->told(*found, about(in, bytes));
    std::string text = phrase(*found);
    shared->repeats.put(static_cast<std::uint8_t>(in), bytes, text, found, shared->clock.now());
    queue->arrived(place, std::move(text));
}

} // namespace

front::front(io::loop& on, std::shared_ptr<policy_source> of, const base::clock& clock,
             front_options options) {
    std::map<std::string, dialect> aliases;
    for (const auto& [name, d] : options.aliases)
        aliases.emplace(base::lower(name), d);
    options.aliases = std::move(aliases);
    const std::size_t repeated = options.repeated;
    state_.reset(new state{on, std::move(of), clock, std::move(options), repeat_table(repeated)});
}

front::~front() = default;

std::optional<dialect> front::state::dialect_named(std::string_view map_name) const {
    if (!options.aliases.empty()) // the operator's word comes first
        if (const auto at = options.aliases.find(base::lower(map_name)); at != options.aliases.end())
            return at->second;
    return dialect_of(map_name);
}

void answer_queue::give(std::string_view bytes, std::string& out) {
    if (closing_)
        return;
    if (waiting_.empty())
        out += bytes;
    else
        wait({true, false, std::string(bytes)});
}

void answer_queue::give_last(std::string_view bytes, std::string& out) {
    if (closing_)
        return;
    closing_ = true;
    if (waiting_.empty()) {
        out += bytes;
        link_->finish();
    } else {
        wait({true, true, std::string(bytes)});
    }
}

void answer_queue::wait(slot one) {
    waiting_.push_back(std::move(one));
    held_up_ = held_up_ || full();
}

std::uint64_t answer_queue::later() {
    wait({});
    return first_ + waiting_.size() - 1;
}

void answer_queue::arrived(std::uint64_t place, std::string bytes, bool last) {
    auto& mine = waiting_[place - first_];
    mine.there = true;
    mine.last = last;
    mine.bytes += bytes;
    bool ends = false;
    std::string ready;
    while (!waiting_.empty() && waiting_.front().there && !ends) {
        ready += waiting_.front().bytes;
        ends = waiting_.front().last;
        waiting_.pop_front();
        ++first_;
    }
    send(ready);
    if (ends)
        link_->finish();
    else if (held_up_ && waiting_.size() <= limit_ / 2) {
        held_up_ = false;
        link_->read_on();
    }
}

void answer_queue::part(std::uint64_t place, std::string_view bytes) {
    auto& mine = waiting_[place - first_];
    mine.bytes += bytes;
    if (place == first_)
        send(std::exchange(mine.bytes, {}));
}

bool repeat(front::state& shared, answer_queue& queue, const question& asked, base::utc_seconds now,
            std::string& out) {
    const auto* ready = shared.repeats.find(static_cast<std::uint8_t>(asked.in), asked.bytes, now);
    if (!ready)
        return false;
    queue.give(ready->reply(), out);
    shared.source->count_repeated(*ready->decision);
    shared.source->told(*ready->decision, about(asked.in, asked.bytes)); // stops an attempt as any other
    return true;
}

void answer(const std::shared_ptr<front::state>& shared, const std::shared_ptr<answer_queue>& queue,
            const question& asked, base::utc_seconds now, std::string& out, phrasing phrase) {
    if (const shared_decision found = shared->source->known(asked.key)) {
        shared->source->told(*found, about(asked.in, asked.bytes));
        const std::string text = phrase(*found);
        shared->repeats.put(static_cast<std::uint8_t>(asked.in), asked.bytes, text, found, now);
        queue->give(text, out);
        return;
    }
    shared->loop.spawn(answer_later(shared, queue, queue->later(), asked.in, std::string(asked.bytes),
                                    std::string(asked.key), std::move(phrase)));
}

} // namespace mailtight::resolve
