// SPDX-License-Identifier: Apache-2.0
// An id that was used is never made again (8461-3.1-e).
#include "sts/id.h"

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

} // namespace mailtight::sts
