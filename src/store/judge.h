// SPDX-License-Identifier: Apache-2.0
// Whether a report counts, and for which domains of ours (A22): the one place where that is decided, for
// reports that arrive and for reports that are looked at again when domains or rules have changed. Pure.
#pragma once

#include "model/received.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::store {

enum class state : std::uint8_t { counted = 0, quarantined = 1, superseded = 2, test = 3 };
std::string_view to_string(state s);

/// Why a report is kept apart; what a person reads, and what quarantine() groups by.
namespace why {
inline constexpr std::string_view no_date = "no date";
inline constexpr std::string_view no_organisation = "no organisation";
inline constexpr std::string_view no_domain = "no domain";
inline constexpr std::string_view not_ours = "not one of our domains";
inline constexpr std::string_view not_verified = "not verified";
inline constexpr std::string_view outvoted = "a better trusted report says otherwise";
inline constexpr std::string_view corrected = "replaced by a correction";
inline constexpr std::string_view expired = "counted before, and expired since";
} // namespace why

/// Our domains (each with the number of its word) and the rule for unverified reports.
struct rules {
    std::map<std::string, std::int64_t, std::less<>> own;
    bool count_unverified = false;
    std::int64_t of(std::string_view domain) const; ///< 0: not ours
};

struct judgement {
    mailtight::store::state state = state::quarantined;
    std::string_view why;             ///< one of why::, "" where it counts
    std::vector<std::int64_t> owners; ///< per policy; 0 for none; all 0 unless counted
    std::int64_t report_owner = 0;    ///< of the report as a whole, where report_domain is ours
};
judgement judge(const model::received_report& report, const rules& by);

/// The domains a report names, lower case, each once: its own and its policies'. Names longer than DNS allows
/// are left out.
std::vector<std::string> domains_named(const model::received_report& report);

} // namespace mailtight::store
