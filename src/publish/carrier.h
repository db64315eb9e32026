// SPDX-License-Identifier: Apache-2.0
// Carrying plans out: for each domain whose work is due, look, plan, do the first step that may be done and
// is left to us, and come back when the plan says so. Every action runs under the lease of its work; what it
// needs of the world comes as `hands`, so that all of it runs in tests with virtual time. Nothing of a plan
// is kept: whoever goes on after a crash looks and plans anew. Lives on the loop; the store is used on its
// thread, which outlives the carrier. A process takes its leases back (domain_store::take_back) before it
// starts one.
#pragma once

#include "io/loop.h"
#include "io/worker.h"
#include "plan/plan.h"
#include "store/domains.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mailtight::publish {

/// What a look gives: the planner's situation, and the state for the history.
struct looked {
    plan::situation seen;
    model::watched_state state;
};
struct done_by_hand {
    bool ok = false;
    std::string words;
    std::optional<std::chrono::seconds> again;
};

struct hands {
    std::function<io::task<looked>(model::looked_after)> look;
    std::function<io::task<model::enforce_evidence>(std::string domain)> evidence;
    std::function<io::task<done_by_hand>(model::looked_after, std::vector<plan::record_change>)>
        write_records;
    std::function<io::task<done_by_hand>(store::due_work&, std::string domain)> get_certificate;
    /// Fetches the policy over the public path: the body, or why not.
    std::function<io::task<std::expected<std::string, std::string>>(std::string domain)> fetch;
    /// What the configuration says beside the wish: policy host, report addresses.
    std::function<void(const model::looked_after&, plan::remembered&)> configured;
    /// Empty: plan::make_plan().
    std::function<plan::plan(const model::looked_after&, const plan::situation&, const plan::remembered&,
                             const model::enforce_evidence&, base::utc_seconds now,
                             const plan::plan_options&)>
        think;
};

struct carrier_options {
    std::string machine;
    plan::plan_options planning;
    std::size_t at_once = 8;
    std::chrono::seconds lease{300}, beat{1}, lag{5};
    std::chrono::seconds look_again{3'600};    ///< where nothing else says when
    std::chrono::milliseconds patience{5'000}; ///< how long a person waits for a domain that is in hand
};

struct carried {
    plan::plan plan;
    std::string did;    ///< "published _mta-sts.example.com with id …"; "" : nothing could be done
    std::string failed; ///< why the step did not succeed
    bool busy = false;  ///< nothing was tried: somebody works on the domain
};

class carrier {
public:
    using heard = std::function<void(const std::string& domain, const carried&)>;
    carrier(io::loop& on, io::worker& store_thread, store::domain_store& kept, hands with,
            const base::clock& policy_time, carrier_options options, heard tell);
    ~carrier();
    void start();
    void stop();
    bool idle() const;
    /// One domain, now: looks and plans; with `act`, does the next step that is for us to do, whatever is
    /// left to us: a person (`who`) says so.
    io::task<carried> go(std::string domain, bool act, std::string who = "operator");
    /// Makes the domain's work due now (it was changed, or a person said something).
    void wake(const std::string& domain);
    struct counters {
        std::uint64_t steps = 0, failures = 0, looks = 0, waiting = 0;
    };
    counters counted() const;
    struct state;

private:
    std::shared_ptr<state> state_;
};

/// The first step that is not done, for the table of all domains; nothing where it is where it should be.
std::optional<model::next_step> next_of(const plan::plan& of);

/// What is remembered of a domain, from the store. On the store's thread.
store::result<plan::remembered> recall(store::domain_store& kept, const model::looked_after& wish);

} // namespace mailtight::publish
