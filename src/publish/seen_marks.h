// SPDX-License-Identifier: Apache-2.0
// What only successive looks can tell and the planner has to know, kept as marks of the domain: since when
// the `_mta-sts` record is as it is, how long its forms live in caches, the lifetime of the MX records, and
// that there was nothing before us. Pure; what cannot be read counts as not known.
#pragma once

#include "model/looked_after.h"
#include "plan/situation.h"

#include <cstdint>
#include <optional>
#include <string>

namespace mailtight::publish {

inline constexpr const char* seen_marks_prefix = "seen/"; ///< of all of them
inline constexpr const char* record_mark = "seen/record";
inline constexpr const char* mx_mark = "seen/mx";
inline constexpr const char* past_mark = "seen/past";

/// The `_mta-sts` record. `since` is when it was first seen so: never too early.
struct record_history {
    std::string id; ///< "-" : none; "?" : something that does not count
    base::utc_seconds since{};
    std::uint32_t ttl = 0;        ///< the largest seen with it
    std::uint32_t ttl_before = 0; ///< the largest of anything before that caches may have held when it came
    friend bool operator==(const record_history&, const record_history&) = default;
};
std::optional<record_history> parse_record(const model::mark& from);
std::string to_text(const record_history& value);
/// After this look; nothing where it did not tell.
std::optional<record_history> after_look(const std::optional<record_history>& before,
                                         const plan::record_seen& now, base::utc_seconds at);

/// The lifetime of the MX records: the largest seen, until caches cannot hold it any more.
struct lifetime {
    std::uint32_t ttl = 0;
    base::utc_seconds at{}; ///< when it was last seen so large
    friend bool operator==(const lifetime&, const lifetime&) = default;
};
std::optional<lifetime> parse_lifetime(const model::mark& from);
lifetime after_look(const std::optional<lifetime>& before, std::uint32_t ttl, base::utc_seconds at);

} // namespace mailtight::publish
