// SPDX-License-Identifier: Apache-2.0
// Counted results, as they are written, read back and made into a report.
#pragma once

#include "model/delivery.h"

#include <chrono>
#include <compare>

namespace mailtight::model {

struct counted_fault {
    session_fault what;
    std::uint64_t count = 0;
    friend bool operator==(const counted_fault&, const counted_fault&) = default;
};

/// The sessions of a UTC day to a recipient's domain under one policy.
struct counted_result {
    std::chrono::sys_days day{};
    std::string domain;
    applied_policy policy;
    std::uint64_t success = 0, failure = 0;
    std::vector<counted_fault> faults;
    std::string record_seen; ///< the latest TLSRPT record that the mail server saw; "" : none seen
    friend bool operator==(const counted_result&, const counted_result&) = default;
};

} // namespace mailtight::model
