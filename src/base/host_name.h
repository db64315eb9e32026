// SPDX-License-Identifier: Apache-2.0
// The form of a host or domain name as protocols write it. Pure, takes any bytes.
#pragma once

#include <string_view>

namespace mailtight::base {

/// Letters, digits, hyphens and underscores in labels of 1 to 63, at most 253 in all, without a final dot
/// (RFC 1035 §2.3.4, and the underscore that is seen in the wild). An IPv4 address has this form too.
bool is_host_name(std::string_view text);

} // namespace mailtight::base
