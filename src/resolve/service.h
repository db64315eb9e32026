// SPDX-License-Identifier: Apache-2.0
// The policy service: decisions from memory at once, from the network within the budget, and everything that
// keeps the memory true in the background: looks at the record on use, the daily fetch, looks after a failed
// delivery, the prefetch list, probes of policies in testing. Identical look-ups are one. Lives on the loop.
#pragma once

#include "io/loop.h"
#include "io/resolver.h"
#include "model/delivery.h"
#include "resolve/decision.h"
#include "resolve/keeper.h"
#include "resolve/policy_table.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::resolve {

/// How the service reaches a policy host: probe::fetch_policy behind it, or a test.
using fetch_fn = std::function<io::task<sts::policy_sighting>(std::string domain)>;
/// How it probes the MX hosts of a policy in testing; may be empty.
using probe_fn =
    std::function<io::task<std::vector<model::testing_verdict>>(std::string domain, sts::held_policy policy)>;

struct service_options {
    std::chrono::milliseconds budget{5'000}; ///< A11: of a synchronous answer
    decision_options deciding;
    destination_options looking;
    std::size_t domains = 1'000'000;    ///< policies remembered, absences included
    std::size_t bytes = 1024u << 20;    ///< of memory for them
    std::size_t destinations = 100'000; ///< MX and DANE facts remembered
    std::size_t fetches = 50;           ///< at once (8461-3.3-k)
    std::size_t refreshes_a_second = 50;
    std::size_t looks = 2'000; ///< answers that wait at once; beyond it: what is known now
    std::vector<std::string> prefetch;
    std::chrono::seconds probe_every{3'600}; ///< one probe of the MX hosts of a testing policy
    /// A domain that nobody asked about for so long is no longer refreshed, and goes when its policy ends.
    std::chrono::seconds unused_after{30 * 86'400};
    std::size_t looks_after_failures = 10;       ///< a second, over all domains
    std::chrono::milliseconds care_every{1'000}; ///< the beat of the background work
};

/// What happened, for logs and metrics.
struct service_event {
    enum class kind {
        fetched, ///< a policy, new or the same
        changed, ///< another policy than before: detail says what
        fetch_failed,
        alarm, ///< refreshes keep failing (8461-3.3-r)
        alarm_over,
        failed_delivery ///< somebody reported one; detail says what the look showed
    } what;
    std::string domain, detail;
    std::optional<sts::policy_fault> fault;
};

class service {
public:
    service(io::loop& on, io::resolver& dns, const base::clock& clock, fetch_fn fetch, probe_fn probe,
            keeper& keep, service_options options, std::function<void(const service_event&)> tell = {});
    ~service();

    /// Reads what is kept; then answers may be asked. Starts the background work. An error: it could not be
    /// read; whoever goes on all the same gets live answers, and what is kept once the database is back.
    io::task<store::result<void>> start();
    void stop();
    /// Takes over what can change while it runs: deciding, looking, refreshes_a_second, probe_every and the
    /// prefetch list. What was decided before is given again until it has run out.
    void change(const service_options& to);

    /// Told of each answer to a mail server that stops its attempt (resolve::stopped_by()), a repeated
    /// one too.
    void on_stopped(std::function<void(const model::session_seen& attempt)> tell);
    /// A mail server was answered so: by a front, not by the API or a command, which deliver nothing.
    void answered(const tls_decision& answer, const asked_about& what = {});

    /// The decision where everything is known; starts background looks where they are due. Null: decide().
    shared_decision known(std::string_view key);
    /// The answer last given for a destination, however old; null: none is remembered. For results of
    /// deliveries that followed it: counts nothing, looks at nothing.
    shared_decision last_given(std::string_view key) const;
    /// Within the budget; never throws, never empty.
    io::task<shared_decision> decide(std::string key);
    /// Like decide(), without what is remembered here and without the budget: every answer is live, and what
    /// it shows is not kept. The resolver's own cache stays.
    io::task<shared_decision> look_live(std::string key);

    /// A delivery failed (by a report, a log line, a person): looks at once, rate limited. True where a look
    /// began.
    bool delivery_failed(std::string_view key, std::string_view words);
    struct refreshed {
        bool looked = false; ///< false: too soon after the last one
        bool changed = false;
        std::string words; ///< what the look showed
        shared_decision now;
    };
    io::task<refreshed> refresh(std::string key);
    /// Forgets the policy of a domain ("" : all); the next use looks again.
    io::task<std::size_t> purge(std::string domain);
    /// Takes policies over (import); what is held and fetched later stays.
    io::task<std::size_t> adopt(std::vector<model::kept_policy> policies);

    io::task<store::result<void>> set_override(model::policy_override value);
    io::task<store::result<bool>> remove_override(std::string domain);
    std::vector<model::policy_override> overrides() const;

    const policy_table& policies() const;
    struct figures {
        std::uint64_t answers = 0, hits = 0, misses = 0, coalesced = 0, over_budget = 0;
        std::uint64_t record_looks = 0, fetches = 0, dane_looks = 0, probes = 0;
        std::array<std::uint64_t, 3> fetch_failures{}; ///< by policy_fault
        std::array<std::uint64_t, 6> decisions{};      ///< by decision
        std::uint64_t failed_deliveries = 0, alarms = 0;
        std::size_t in_flight = 0;
        /// Answers by how long they took: under 1, 5, 20, 100, 500, 2000, 5000 ms, and more.
        std::array<std::uint64_t, 8> latency{};
        std::chrono::microseconds took{0}; ///< all of them together
    };
    figures counted() const;
    void count_repeated(const tls_decision& given); ///< a front gave an answer again without asking
    struct state;

private:
    std::shared_ptr<state> state_;
};

} // namespace mailtight::resolve
