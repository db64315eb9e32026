// SPDX-License-Identifier: Apache-2.0
// The service's face, and how it starts and stops.
#include "resolve/service.h"

#include "resolve/facts.h"
#include "resolve/service_state.h"

#include <algorithm>

namespace mailtight::resolve {

namespace {

constexpr std::size_t probes_at_once = 4;

} // namespace

service::state::state(io::loop& on, io::resolver& resolver, const base::clock& time, fetch_fn fetches_with,
                      probe_fn probes_with, keeper& kept_by, service_options with,
                      std::function<void(const service_event&)> told)
    : loop(on)
    , dns(resolver)
    , clock(time)
    , fetch(std::move(fetches_with))
    , probe(std::move(probes_with))
    , keep(kept_by)
    , options(std::move(with))
    , tell(std::move(told))
    , policies(options.domains, options.bytes)
    , fetch_gate(on, std::max<std::size_t>(options.fetches, 1))
    , probe_gate(on, probes_at_once)
    , failure_tokens(10 * static_cast<double>(options.looks_after_failures))
    , failure_tokens_at(on.now()) {
    take_prefetch_list();
}

void service::state::take_prefetch_list() {
    prefetched.clear();
    to_prefetch.clear();
    prefetch_again = {};
    for (const auto& name : options.prefetch)
        if (const auto hop = mail::parse_next_hop(name); hop.can_have_policy())
            prefetched.insert(hop.domain);
}

service::service(io::loop& on, io::resolver& dns, const base::clock& clock, fetch_fn fetch, probe_fn probe,
                 keeper& keep, service_options options, std::function<void(const service_event&)> tell)
    : state_(std::make_shared<state>(on, dns, clock, std::move(fetch), std::move(probe), keep,
                                     std::move(options), std::move(tell))) {}

service::~service() {
    stop();
}

io::task<store::result<void>> service::start() {
    return state::start(state_);
}

io::task<store::result<void>> service::state::start(std::shared_ptr<state> self) {
    const auto now = self->clock.now();
    auto loaded = co_await self->keep.load([of = self.get(), now](model::kept_policy kept) {
        if (!sts::worthless(kept.state, now))
            of->policies.put(kept);
    });
    auto exceptions = co_await self->keep.overrides();
    if (exceptions) {
        self->take_exceptions(std::move(*exceptions));
        self->exceptions_read = now;
    }
    self->keep.watch(
        [weak = self->weak_from_this()](model::kept_policy theirs) {
            if (const auto of = weak.lock())
                of->take_over(std::move(theirs));
        },
        [weak = self->weak_from_this()](std::string domain) {
            if (const auto of = weak.lock())
                of->forget(domain);
        },
        [weak = self->weak_from_this()] {
            if (const auto of = weak.lock())
                of->exceptions_read = {}; // the next beat reads them
        });
    self->loop.spawn(care(self));
    if (loaded && !exceptions)
        loaded = std::unexpected(exceptions.error());
    co_return loaded;
}

void service::stop() {
    state_->stopping = true;
    for (const auto& who : state_->deadlines)
        who->done.set();
}

void service::change(const service_options& to) {
    auto& mine = state_->options;
    mine.deciding = to.deciding;
    mine.looking = to.looking;
    mine.refreshes_a_second = to.refreshes_a_second;
    mine.probe_every = to.probe_every;
    mine.prefetch = to.prefetch;
    state_->take_prefetch_list();
}

void service::on_stopped(std::function<void(const model::session_seen&)> tell) {
    state_->tell_of_stop = std::move(tell);
}

void service::answered(const tls_decision& answer, const asked_about& what) {
    if (state_->tell_of_stop && stops(answer, what))
        for (const auto& attempt : stopped_by(answer, what))
            state_->tell_of_stop(attempt);
}

shared_decision service::known(std::string_view key) {
    return state_->known(key);
}

shared_decision service::last_given(std::string_view key) const {
    const auto found = state_->places.find(key);
    return found == state_->places.end() ? nullptr : found->second->current;
}

io::task<shared_decision> service::decide(std::string key) {
    return state::decide(state_, std::move(key));
}

io::task<shared_decision> service::look_live(std::string key) {
    return state::look_live(state_, std::move(key));
}

bool service::delivery_failed(std::string_view key, std::string_view words) {
    const auto hop = mail::parse_next_hop(key);
    if (!hop.can_have_policy())
        return false;
    ++state_->counts.failed_deliveries;
    const auto mine = state_->look_again(hop, sts::occasion::failed_delivery);
    if (!mine)
        return false;
    state_->loop.spawn(state::tell_of_failure(state_, hop.domain, std::string(words), mine));
    return true;
}

io::task<service::refreshed> service::refresh(std::string key) {
    return state::refresh(state_, std::move(key));
}

io::task<std::size_t> service::purge(std::string domain) {
    return state::purge(state_, std::move(domain));
}

io::task<std::size_t> service::adopt(std::vector<model::kept_policy> policies) {
    return state::adopt(state_, std::move(policies));
}

io::task<store::result<void>> service::set_override(model::policy_override value) {
    return state::set_exception(state_, std::move(value));
}

io::task<store::result<bool>> service::remove_override(std::string domain) {
    return state::remove_exception(state_, std::move(domain));
}

std::vector<model::policy_override> service::overrides() const {
    std::vector<model::policy_override> all;
    for (const auto& [domain, each] : state_->exceptions)
        all.push_back(each);
    std::ranges::sort(all, {}, &model::policy_override::domain);
    return all;
}

const policy_table& service::policies() const {
    return state_->policies;
}

service::figures service::counted() const {
    return state_->counts;
}

void service::count_repeated(const tls_decision& given) {
    ++state_->counts.hits;
    state_->count(given, {});
}

} // namespace mailtight::resolve
