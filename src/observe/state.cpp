// SPDX-License-Identifier: Apache-2.0
#include "observe/state.h"

#include "base/limits.h"
#include "mail/domain_name.h"

#include <algorithm>

namespace mailtight::observe {

namespace {
/// Of probes kept for sharing, so that the memory of a long scan stays flat: some ten thousand hosts.
constexpr std::size_t probe_bytes_kept = 48 << 20;
/// Conversations at once with the hosts of one provider, however many addresses it has.
constexpr std::size_t connections_per_provider = 40;
/// Fetches at once from one address of policy hosts.
constexpr std::size_t fetches_per_address = 20;

std::size_t bytes_of(const base::certificate& cert) {
    // The texts of a certificate are about as long again as its DER, and it holds its key once more.
    return sizeof cert + 2 * cert.der.size() + cert.spki_der.size();
}

std::size_t bytes_of(const model::smtp_fact& fact) {
    std::size_t bytes = 2 * sizeof fact + fact.banner.size() + fact.reply_text.size() + fact.detail.size();
    for (const auto& capability : fact.capabilities)
        bytes += sizeof(std::string) + capability.size();
    for (const auto& cert : fact.tls.chain)
        bytes += bytes_of(cert);
    return bytes;
}
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

bool observer::state::still_wanted(const probe_key& key, shared_probe& one) {
    if (one.cut || std::ranges::any_of(one.askers, is_wanted))
        return !one.cut;
    one.cut = true;
    probes_used_.erase(one.used);
    probes_.erase(key);
    return false;
}

io::task<model::smtp_fact> observer::state::probe_once(std::string host, base::ip_address address,
                                                       wanted_fn wanted) {
    probe_key key{address, host};
    if (auto known = probes_.find(key); known != probes_.end()) {
        auto shared = known->second;
        probes_used_.splice(probes_used_.begin(), probes_used_, shared->used);
        ++counted.shared;
        if (!shared->done.is_set())
            shared->askers.push_back(std::move(wanted));
        co_await shared->done;
        co_return shared->fact;
    }
    auto mine = std::make_shared<shared_probe>(loop);
    probes_used_.push_front(key);
    mine->used = probes_used_.begin();
    mine->askers.push_back(std::move(wanted));
    probes_.emplace(key, mine);
    try {
        mine->fact = co_await probe_politely(std::move(host), address,
                                             [this, key, mine] { return still_wanted(key, *mine); });
    } catch (...) {
        mine->done.set(); // nobody may wait for ever, not even for a programmer's error
        throw;
    }
    mine->askers.clear();
    if (mine->cut) {
        mine->done.set();
        co_return mine->fact;
    }
    // Whether it shakes hands without SNI is all that anybody asks of that conversation.
    mine->fact.without_sni.chain = {};
    mine->bytes = bytes_of(mine->fact);
    probe_bytes_ += mine->bytes;
    forget_old_probes();
    mine->done.set();
    co_return mine->fact;
}

void observer::state::forget_old_probes() {
    for (auto at = probes_used_.end(); probe_bytes_ > probe_bytes_kept && at != probes_used_.begin();) {
        --at;
        const auto oldest = probes_.find(*at);
        if (oldest->second->bytes == 0)
            continue; // under way: it counts when it is done
        probe_bytes_ -= oldest->second->bytes;
        probes_.erase(oldest);
        at = probes_used_.erase(at);
    }
}

io::task<model::smtp_fact> observer::state::probe_politely(std::string host, base::ip_address address,
                                                           wanted_fn wanted) {
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
    auto with = probe;
    with.wanted = std::move(wanted);
    model::smtp_fact fact;
    if (with.go_on()) {
        ++counted.smtp;
        fact = co_await probe::probe_mx(with, std::move(host), address);
    }
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

io::task<model::fetch_fact> observer::state::fetch_politely(std::string host, base::ip_address address,
                                                            const char* agent) {
    const auto name = "https " + address.to_string();
    auto gate = gates_[name];
    if (!gate)
        gates_[name] = gate = std::make_shared<polite_gate>(loop, fetches_per_address);
    ++gate->users;
    auto permit = co_await gate->gate.acquire();
    auto fact = co_await probe::fetch_policy(probe, std::move(host), address, agent);
    permit = {};
    if (--gate->users == 0)
        gates_.erase(name);
    ++counted.fetches;
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
