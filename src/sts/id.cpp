// SPDX-License-Identifier: Apache-2.0
// Ids come from a clock or from the content; both ways end only at an id that was never used (8461-3.1-e).
#include "sts/id.h"

#include "base/encode.h"
#include "base/limits.h"
#include "base/text.h"

#include <algorithm>

namespace mailtight::sts {

bool valid_id(std::string_view id) { // 8461-3.1-j
    return !id.empty() && id.size() <= base::limits::id_length_max && std::ranges::all_of(id, base::is_alnum);
}

std::string id_from_time(base::utc_seconds changed_at, const std::set<std::string>& used) {
    for (;; changed_at += std::chrono::seconds(1)) { // ends: `used` is finite
        auto id = base::format_compact(changed_at);
        if (!used.contains(id))
            return id;
    }
}

std::string id_from_content(std::string_view policy_bytes,
                            const std::set<std::string>& used_for_other_policies) {
    constexpr std::size_t length = 20; // 100 bits of SHA-256 in base32
    std::string id = base::base32(base::sha256(policy_bytes)).substr(0, length);
    for (std::uint64_t counter = 1; used_for_other_policies.contains(id); ++counter) {
        std::string mixed(policy_bytes);
        mixed += '\0';
        mixed += std::to_string(counter);
        id = base::base32(base::sha256(mixed)).substr(0, length);
    }
    return id;
}

std::string next_id(std::string_view new_policy, std::string_view published_policy,
                    std::string_view published_id, base::utc_seconds now, const std::set<std::string>& used) {
    if (new_policy == published_policy && valid_id(published_id))
        return std::string(published_id);
    if (published_id.empty())
        return id_from_time(now, used);
    auto taken = used;
    taken.emplace(published_id);
    return id_from_time(now, taken);
}

} // namespace mailtight::sts
