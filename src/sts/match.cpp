// SPDX-License-Identifier: Apache-2.0
// Lengths decide nearly every mismatch, the bytes the rest; what then looks like a match must be a pattern of
// the grammar against a name without empty labels.
#include "sts/match.h"

#include "base/text.h"
#include "sts/policy.h"

namespace mailtight::sts {
namespace {
// Without an early exit, so that the compiler can compare many bytes at once.
bool same_ignoring_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size())
        return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        difference |= static_cast<unsigned>(base::to_lower(a[i]) ^ base::to_lower(b[i]));
    return difference == 0;
}
} // namespace

// 8461-4.1-b; A48: the dot at the end is dropped on the DNS side only.
bool pattern_admits(std::string_view pattern, std::string_view host) {
    if (host.ends_with('.'))
        host.remove_suffix(1);
    std::string_view fixed = pattern;
    std::string_view compared = host;
    if (pattern.starts_with("*.")) {
        const std::size_t dot = host.find('.');
        if (dot == host.npos || dot == 0) // `*` is one label: not none, and not an empty one
            return false;
        fixed.remove_prefix(2);
        compared.remove_prefix(dot + 1);
    }
    return same_ignoring_case(fixed, compared) && valid_mx_pattern(pattern);
}

std::optional<std::size_t> admitted_by(std::span<const std::string> patterns, std::string_view host) {
    for (std::size_t i = 0; i < patterns.size(); ++i)
        if (pattern_admits(patterns[i], host))
            return i;
    return std::nullopt;
}

} // namespace mailtight::sts
