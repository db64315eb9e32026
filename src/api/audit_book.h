// SPDX-License-Identifier: Apache-2.0
// The audit log on its way to the database: entries are taken at once and written together soon after, on a
// thread of their own. What cannot be written waits, up to a limit; what goes beyond is counted, and the
// count is written. A flood of refusals is cut short, so that it cannot push out what somebody really did.
// Lives on the loop.
#pragma once

#include "base/time.h"
#include "store/access.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace mailtight::api {

class audit_book {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// Something that was done, or a login.
    void add(store::audit_entry entry);
    /// Something that was refused: at most 60 at once, and one more each second.
    void add_refusal(store::audit_entry entry, time_point now);
    /// What is to be written, at most so many; they stay here until taken().
    std::vector<store::audit_entry> next(std::size_t most, base::utc_seconds now);
    /// So many of those were written.
    void taken(std::size_t how_many);
    bool empty() const { return waiting_.empty() && left_out_ == 0; }
    std::size_t waiting() const { return waiting_.size(); }
    std::uint64_t lost() const { return lost_; } ///< since the start

private:
    void put(store::audit_entry entry);

    std::deque<store::audit_entry> waiting_;
    std::uint64_t left_out_ = 0; ///< since the last entry that says so
    std::uint64_t lost_ = 0;
    std::uint32_t refusals_ = 0; ///< of late
    time_point refusals_since_{};
};

} // namespace mailtight::api
