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

/// Derived from the policy's bytes (SHA-256, base32 prefix of 20): the same policy has the same id on every
/// machine, without a clock. Where that id was used before for another policy, a counter is mixed in until it
/// is new.
std::string id_from_content(std::string_view policy_bytes,
                            const std::set<std::string>& used_for_other_policies = {});

/// The id to publish: the present one where the policy's bytes are unchanged, else a new one from the time.
std::string next_id(std::string_view new_policy, std::string_view published_policy,
                    std::string_view published_id, base::utc_seconds now,
                    const std::set<std::string>& used = {});

} // namespace mailtight::sts
