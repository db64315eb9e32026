// SPDX-License-Identifier: Apache-2.0
// A valid policy left in its bytes: what a sender keeps in a cache and asks for every delivery. Views into
// the caller's body, which must outlive it; no allocation anywhere.
#pragma once

#include "sts/policy.h"

namespace mailtight::sts {

struct policy_view {
    sts::mode mode = sts::mode::none;
    std::uint64_t max_age = 0; ///< as written
    std::string_view body;
    std::size_t mx_count = 0;
    std::size_t other_fields = 0;      ///< extensions and repeated fields
    bool trailing_blank_lines = false; ///< the tolerated deviation from the grammar (A7)

    /// The first pattern that admits the host (RFC 8461 §4.1), or nothing.
    std::optional<std::string_view> admitted_by(std::string_view host) const;
};

/// True where parse_policy() makes exactly this of the body.
bool gives(std::string_view body, const policy& value);

/// Reads a body as a sender does (A7). Says yes exactly where judge_policy() gives a value.
std::optional<policy_view> read_policy_view(std::string_view body);

} // namespace mailtight::sts
