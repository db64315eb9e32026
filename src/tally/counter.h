// SPDX-License-Identifier: Apache-2.0
// Results grow into counts: by UTC day, recipient domain, policy, then by fault (RFC 8460 §4.1). Holds only
// what has not been written yet; equal results add up; memory is bounded whatever is counted. No I/O.
#pragma once

#include "model/counted.h"
#include "model/delivery.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace mailtight::tally {

struct counter_limits {
    /// About so much; full() then. Beyond it faults are folded and policies lose their text; at twice as much
    /// the sessions of further domains and policies are lost, and counted as that.
    std::size_t bytes = 64u << 20;
    /// Different faults of one policy of one domain and day, of those not written yet; beyond it they are
    /// folded into one entry a result type, without addresses (A40). The store folds what comes later.
    std::size_t faults_per_policy = 1'000;
};

class counter {
public:
    explicit counter(counter_limits limits = {});
    ~counter();
    /// `times`: so many equal sessions. The day is that of `at` (8460-4.1-a).
    void add(const model::delivery_result& result, base::utc_seconds at, std::uint64_t times = 1);
    /// Full: write before more is added (what is added all the same is folded, and never lost).
    bool full() const;
    bool empty() const;
    /// All of it, in order of day and domain; the counter is empty then.
    std::vector<model::counted_result> take();
    /// Puts back what could not be written.
    void put_back(std::vector<model::counted_result> what);
    std::uint64_t sessions() const; ///< in it
    std::uint64_t folded() const;   ///< faults of sessions, ever, that were folded
    std::uint64_t lost() const;     ///< sessions, ever

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace mailtight::tally
