// SPDX-License-Identifier: Apache-2.0
// What comes in is joined and counted at once, on the loop; so a mark that follows it stands in the same
// batch.
#include "tally/collector_state.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::tally {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t told_at_most = 10'000; ///< domains a second whose failures are passed on
constexpr auto known_for = 20ms;             ///< a burst of results to a domain asks once
constexpr std::size_t known_at_most = 4'096;

bool relabelled(const model::session_fault& fault) {
    return fault.reason_code.starts_with("probe");
}

bool never_connected(const told& what) {
    const auto* seen = std::get_if<model::session_seen>(&what);
    return seen && seen->tls == model::tls_reached::not_tried;
}

} // namespace

collector::state::state(io::loop& on, const base::clock& time, know_fn knows, collector_options with)
    : loop(on)
    , clock(time)
    , know(std::move(knows))
    , options(std::move(with))
    , counting(std::make_unique<counter>(options.counting))
    , side(options) {
    reading_thread.emplace(on, "tally-read");
    writing_thread.emplace(on, "tally-write");
}

const model::policy_facts& collector::state::facts_of(const std::string& domain) {
    if (const auto now = loop.now(); now - known_since >= known_for || known.size() >= known_at_most) {
        known.clear();
        known_since = now;
    }
    const auto [at, is_new] = known.try_emplace(domain);
    if (is_new && know)
        at->second = know(domain);
    return at->second;
}

void collector::state::take(const told& what, base::utc_seconds at, std::uint64_t times) {
    if (stopped || times == 0)
        return;
    const auto& domain = std::visit([](const auto& each) -> const std::string& { return each.domain; }, what);
    const auto& facts = facts_of(domain);
    if (never_connected(what))
        counts.blocked += times;
    count(std::visit([&](const auto& each) { return join(each, facts, at); }, what), at, times);
}

void collector::state::count(const model::delivery_result& joined, base::utc_seconds at,
                             std::uint64_t times) {
    bool failed = false, by_probe = false;
    for (const auto& outcome : joined.outcomes) {
        failed = failed || outcome.failed;
        by_probe = by_probe || std::ranges::any_of(outcome.faults, relabelled);
    }
    counts.sessions += times;
    counts.failures += failed ? times : 0;
    counts.relabelled += by_probe ? times : 0;
    counting->add(joined, at, times);
    if (failed)
        tell_of_failure(joined);
    write_soon();
}

/// Once a domain and second: a failing domain fails often, and the policy service looks once.
void collector::state::tell_of_failure(const model::delivery_result& joined) {
    if (!options.failed)
        return;
    for (const auto& outcome : joined.outcomes) {
        if (!outcome.failed || outcome.policy.type == tlsrpt::policy_type::no_policy_found)
            continue;
        if (const auto now = clock.now(); now != told_at) {
            told_of.clear();
            told_at = now;
        }
        if (told_of.size() >= told_at_most || !told_of.insert(joined.domain).second)
            return;
        std::string words = "a session failed";
        if (!outcome.faults.empty()) {
            const auto& fault = outcome.faults.front();
            words =
                fmt::format("{}{}{}", tlsrpt::to_string(fault.type), fault.receiving_mx.empty() ? "" : " at ",
                            base::printable(fault.receiving_mx, 255));
        }
        options.failed(joined.domain, words);
        return;
    }
}

void collector::state::stop() {
    if (std::exchange(stopped, true))
        return;
    finish_piles();
    finish_writing();
}

collector::collector(io::loop& on, const base::clock& clock, know_fn know, collector_options options)
    : state_(std::make_shared<state>(on, clock, std::move(know), std::move(options))) {}

collector::~collector() {
    state_->stop();
}

void collector::start() {
    // Opens the store, so that a database that is away is known at once.
    state_->loop.spawn([](std::shared_ptr<state> self) -> io::task<> {
        static_cast<void>(co_await state::marks(self));
    }(state_));
}

void collector::take(pile what, base::utc_seconds at) {
    state_->take(std::move(what), at);
}

void collector::take(const told& what, base::utc_seconds at, std::uint64_t times) {
    state_->take(what, at, times);
}

pile collector::spare(std::size_t bytes) {
    if (state_->spares.empty())
        return pile(bytes);
    auto out = std::move(state_->spares.back());
    state_->spares.pop_back();
    return out;
}

void collector::mark(std::string name, std::string value) {
    if (state_->stopped)
        return;
    state_->new_marks[std::move(name)] = std::move(value);
    state_->write_soon();
}

io::task<store::result<std::vector<std::pair<std::string, std::string>>>> collector::marks() {
    return state::marks(state_);
}

io::task<store::result<void>> collector::flush() {
    return state::flush(state_);
}

io::task<store::result<void>> collector::drain(io::loop::time_point deadline) {
    return state::drain(state_, deadline);
}

void collector::stop() {
    state_->stop();
}

bool collector::full() const {
    return state_->away && state_->counting->full();
}

collector::figures collector::counted() const {
    auto out = state_->counts;
    out.folded = state_->folded_before + state_->counting->folded();
    out.lost += state_->lost_before + state_->counting->lost();
    out.waiting = state_->counting->sessions() + (state_->under_way ? state_->under_way->sessions : 0);
    return out;
}

} // namespace mailtight::tally
