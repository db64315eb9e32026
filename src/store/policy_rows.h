// SPDX-License-Identifier: Apache-2.0
// A kept policy as a row of `sending_policy` and back. Shared by the reading and the writing side.
#pragma once

#include "model/sending.h"
#include "store/sql.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace mailtight::store {

/// The columns in the order of read_policy(): for a select.
inline constexpr std::string_view policy_columns =
    "change, domain, id, body, fetched_at, failed_fault, failed_id, failed_at, failed_detail, record_what, "
    "record_id, record_ttl, record_detail, record_at, refresh_at, failing_since, failures, tried_at, "
    "used_at, "
    "removed_at";
inline constexpr int change_column = 0, domain_column = 1, removed_column = 19;

/// Text that both engines take: what is no UTF-8, and control characters, become visible; long ones are cut.
std::string shown(std::string_view text);

/// The values of a row, with the texts that they refer to. Stays where it is.
class policy_values {
public:
    policy_values(const model::kept_policy& from, std::int64_t change);
    policy_values(const policy_values&) = delete;
    policy_values& operator=(const policy_values&) = delete;
    const sql::values& all() const { return values_; }

private:
    std::string body_, id_, failed_id_, failed_detail_, record_id_, record_detail_;
    sql::values values_;
};
model::kept_policy read_policy(const sql::row& from);
/// When the policy was fetched last, whether it came or not.
base::utc_seconds tried_at(const sts::resolution_state& state);

} // namespace mailtight::store
