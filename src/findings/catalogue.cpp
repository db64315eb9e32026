// SPDX-License-Identifier: Apache-2.0
// Puts the groups together, in the order in which they are documented and shown.
#include "findings/finding.h"
#include "findings/groups.h"

#include <algorithm>
#include <vector>

namespace mailtight::findings {

std::string_view to_string(severity s) {
    switch (s) {
    case severity::ok:
        return "ok";
    case severity::info:
        return "info";
    case severity::warning:
        return "warning";
    case severity::error:
        return "error";
    }
    return "info";
}

severity code_entry::weigh(situation where) const {
    switch (where) {
    case situation::enforce:
        return in_enforce;
    case situation::testing:
        return in_testing;
    case situation::none:
        return in_none;
    case situation::absent:
        return in_absent;
    }
    return in_enforce;
}

std::span<const code_entry> catalogue() {
    static const std::vector<code_entry> all = [] {
        std::vector<code_entry> rows;
        for (const auto group : {sts_record_codes(), policy_host_codes(), policy_codes(), mx_codes(),
                                 dane_codes(), tlsrpt_codes(), across_codes()})
            rows.insert(rows.end(), group.begin(), group.end());
        return rows;
    }();
    return all;
}

const code_entry* find_code(std::string_view code) {
    static const std::vector<const code_entry*> sorted = [] {
        std::vector<const code_entry*> rows;
        for (const code_entry& row : catalogue())
            rows.push_back(&row);
        std::ranges::sort(rows, {}, &code_entry::code);
        return rows;
    }();
    const auto at = std::ranges::lower_bound(sorted, code, {}, &code_entry::code);
    return at != sorted.end() && (*at)->code == code ? *at : nullptr;
}

} // namespace mailtight::findings
