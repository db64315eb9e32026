// SPDX-License-Identifier: Apache-2.0
// The room's own: which records of an RRset count, by index. tlsa.h is its face.
#pragma once

#include "dane/tlsa.h"

namespace mailtight::dane {

/// Indexes of the usable records that digest agility leaves (RFC 7671 §9), ascending.
std::vector<std::size_t> effective_indexes(std::span<const tlsa> rrset);

} // namespace mailtight::dane
