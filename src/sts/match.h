// SPDX-License-Identifier: Apache-2.0
// MX matching (RFC 8461 §4.1): does a policy admit an MX host, and by which pattern. Pure, no allocation on
// the way.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mailtight::sts {

/// ASCII case-insensitive; one trailing dot of `host` (the DNS side) is dropped (A48); `*` stands for exactly
/// the left-most label.
bool pattern_admits(std::string_view pattern, std::string_view host);
/// Index of the first pattern that admits the host, or nothing.
std::optional<std::size_t> admitted_by(std::span<const std::string> patterns, std::string_view host);

} // namespace mailtight::sts
