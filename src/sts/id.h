// SPDX-License-Identifier: Apache-2.0
// Policy ids (RFC 8461 §3.1): 1 to 32 letters and digits, without order; every change of policy is a new one,
// never one used before. Pure.
#pragma once

#include "base/time.h"

#include <set>
#include <string>
#include <string_view>

namespace mailtight::sts {

bool valid_id(std::string_view id);

/// The UTC date and time of a change, `20260102030405`; where that was used before, the first later second
/// that was not.
std::string id_from_time(base::utc_seconds changed_at, const std::set<std::string>& used = {});

} // namespace mailtight::sts
