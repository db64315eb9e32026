// SPDX-License-Identifier: Apache-2.0
// What the routes of the system and of sending ask for, of the whole installation: app/ implements it with
// the daemon's objects. Asked on the loop; what blocks runs elsewhere.
#pragma once

#include "io/loop.h"
#include "store/results.h"
#include "store/store.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::api {

/// What deliveries came to.
struct sending_view {
    bool policies = false, results = false, reports = false; ///< the parts that are switched on
    std::uint64_t destinations = 0;                          ///< remembered
    std::uint64_t enforce = 0, testing = 0, none = 0, without = 0;
    std::uint64_t answers = 0;                                    ///< to mail servers, since the start
    std::vector<std::pair<std::string_view, std::uint64_t>> said; ///< of them by decision
    std::vector<store::result_store::day_sum> days;               ///< oldest first
    std::vector<store::result_store::fault_sum> failures;         ///< the most sessions first
    store::result_store::figures outbox;
};

/// What `doctor` saw last.
struct doctor_view {
    std::optional<base::utc_seconds> looked_at; ///< nothing: not yet
    bool looking = false;
    boost::json::array checks; ///< as `doctor --json` has them
};

class system_desk {
public:
    virtual ~system_desk() = default;
    /// As `status --json`.
    virtual io::task<boost::json::object> status() = 0;
    /// What was seen in the last minutes; else a look begins, and the answer comes when it is done, or after
    /// some seconds without it. `again`: a new look, however fresh the last one is.
    virtual io::task<doctor_view> doctor(bool again) = 0;
    /// As `certificate list --json`.
    virtual io::task<store::result<boost::json::array>> certificates() = 0;
    virtual io::task<store::result<sending_view>> sending() = 0;
};

} // namespace mailtight::api
