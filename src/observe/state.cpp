// SPDX-License-Identifier: Apache-2.0
#include "observe/state.h"

#include "base/limits.h"
#include "mail/domain_name.h"

namespace mailtight::observe {

namespace {
/// Probes kept for sharing. Beyond it the oldest is forgotten, so that the memory of a long scan stays flat.
constexpr std::size_t probes_kept = 20'000;
/// Conversations at once with the hosts of one provider, however many addresses it has.
constexpr std::size_t connections_per_provider = 40;
} // namespace

observer::state::state(io::loop& on, io::resolver& resolver, probe::context probes, observe_options wanted)
    : loop(on)
    , dns(resolver)
    , probe(probes)
    , options(std::move(wanted))
    , all_smtp_(on, options.smtp_connections) {
    std::random_device entropy;
    random_label = "mailtight-" + std::to_string(entropy());
}

io::task<model::smtp_fact> observer::state::probe_once(std::string host, base::ip_address address) {
    probe_key key{address, host};
    if (auto known = probes_.find(key); known != probes_.end()) {
        auto shared = known->second;
        ++counted.shared;
        co_await shared->done;
        co_return shared->fact;
    }
    auto mine = std::make_shared<shared_probe>(loop);
    probes_.emplace(key, mine);
    probe_order_.push_back(key);
    if (probe_order_.size() > probes_kept) {
        // A probe under way keeps its frame alive through the shared pointer; forgetting it costs a second
        // probe at most.
        probes_.erase(probe_order_.front());
        probe_order_.pop_front();
    }
    try {
        mine->fact = co_await probe_politely(std::move(host), address);
    } catch (...) {
        mine->done.set(); // nobody may wait for ever, not even for a programmer's error
        throw;
    }
    mine->done.set();
    co_return mine->fact;
}

io::task<model::smtp_fact> observer::state::probe_politely(std::string host, base::ip_address address) {
    const std::string names[] = {address.to_string(), "@" + mail::organizational_domain(host)};
    const std::size_t limits[] = {options.connections_per_host, connections_per_provider};
    std::shared_ptr<polite_gate> gates[2];
    io::semaphore::permit permits[2];
    for (int i = 0; i < 2; ++i) {
        auto& gate = gates_[names[i]];
        if (!gate)
            gate = std::make_shared<polite_gate>(loop, limits[i]);
        gates[i] = gate;
        ++gates[i]->users;
        permits[i] = co_await gates[i]->gate.acquire();
    }
    auto running = co_await all_smtp_.acquire();
    ++counted.smtp;
    auto fact = co_await probe::probe_mx(probe, std::move(host), address);
    if (fact.tls.completed())
        ++counted.handshakes;
    if (fact.without_sni.completed())
        ++counted.handshakes;
    using enum model::connect_outcome;
    if (fact.connect == connected || fact.connect == refused)
        port25_proven = true;
    for (int i = 0; i < 2; ++i) {
        permits[i] = {};
        if (--gates[i]->users == 0)
            gates_.erase(names[i]);
    }
    co_return fact;
}

io::task<bool> observer::state::port25_is_closed() {
    if (port25_proven)
        co_return false;
    if (options.smtp_control.empty())
        co_return false;
    if (control_done_) {
        auto done = control_done_;
        co_await *done;
        co_return control_closed_ && !port25_proven;
    }
    control_done_ = std::make_shared<io::event>(loop);
    bool reached = false;
    auto found = co_await dns.addresses(options.smtp_control);
    for (const auto& address : found.addresses) {
        auto fact = co_await probe::probe_mx(probe, options.smtp_control, address);
        if (fact.connect == model::connect_outcome::connected) {
            reached = true;
            break;
        }
    }
    control_closed_ = !reached;
    port25_detail = reached ? ""
                            : "the control host " + options.smtp_control +
                                  (found.addresses.empty() ? " has no address that we can find"
                                                           : " cannot be reached either");
    control_done_->set();
    co_return control_closed_ && !port25_proven;
}

bool fits(std::string_view prefix, std::string_view domain) {
    return prefix.size() + 1 + domain.size() <= base::limits::dns_name_text_max;
}

} // namespace mailtight::observe
