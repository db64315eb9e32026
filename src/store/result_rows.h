// SPDX-License-Identifier: Apache-2.0
// Policies and faults as they stand in rows: their keys, their columns, back again. Pure.
#pragma once

#include "model/counted.h"
#include "model/outgoing.h"
#include "store/sql.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::store {

/// 16 bytes over all that makes a policy another one.
std::string key_of(const model::applied_policy& policy);
std::string key_of(const model::session_fault& fault);
/// The same, with texts that both engines take.
model::applied_policy storable(model::applied_policy policy);
model::session_fault storable(model::session_fault fault);

/// The text, with what no engine takes replaced.
std::string storable_text(std::string text);

constexpr std::int64_t number_of(std::chrono::sys_days day) {
    return day.time_since_epoch().count();
}
constexpr std::int64_t number_of(model::report_audience audience) {
    return audience == model::report_audience::recipient_domain ? 0 : 1;
}
constexpr std::int64_t number_of(model::delivery_state state) {
    return static_cast<std::int64_t>(state);
}

/// The base domain that hears of this result too (A22); "" where there is none, or it is the domain itself,
/// whose own report has it already.
std::string base_of(const model::counted_result& result);

/// In a select, `p` being sent_policy: what read_applied_policy() reads, from `first` on.
inline constexpr std::string_view applied_policy_columns = "p.type, p.domain, p.strings, p.mx_patterns";
model::applied_policy read_applied_policy(const sql::row& from, int first);
inline constexpr std::string_view fault_columns =
    "type, sending_ip, mx, helo, receiving_ip, information, reason, count";
model::counted_fault read_fault(const sql::row& from);

/// In the order of domain and policy, equal ones added up, their faults in order of their kind.
std::vector<model::counted_result> summed(std::vector<model::counted_result> rows);

} // namespace mailtight::store
