// SPDX-License-Identifier: Apache-2.0
// In which order the addresses of a host are tried.
#pragma once

#include "base/ip.h"

#include <cstddef>
#include <span>
#include <vector>

namespace mailtight::resolve {

/// IPv6 and IPv4 in turn, IPv6 first (RFC 8305 §4), each family in the order that DNS gave; at most `most`.
std::vector<base::ip_address> in_order_of_trial(std::span<const base::ip_address> addresses,
                                                std::size_t most);

} // namespace mailtight::resolve
