// SPDX-License-Identifier: Apache-2.0
// The groups that the catalogue is made of, one file each. Only catalogue.cpp reads them.
// A row is: code, title, weight in (enforce, testing, none, absent), consequence, fix, reference, part, and
// whether it needs history. A weight of `ok` says: in this situation it is no problem, and nothing is told.
#pragma once

#include "findings/finding.h"

#include <span>

namespace mailtight::findings {

std::span<const code_entry> sts_record_codes();
std::span<const code_entry> policy_host_codes();
std::span<const code_entry> policy_codes();
std::span<const code_entry> mx_codes();
std::span<const code_entry> dane_codes();
std::span<const code_entry> tlsrpt_codes();
std::span<const code_entry> across_codes();

/// Short names for the columns of the tables.
namespace column {
inline constexpr severity no = severity::ok;
inline constexpr severity info = severity::info;
inline constexpr severity warn = severity::warning;
inline constexpr severity error = severity::error;
inline constexpr bool seen_once = false;
inline constexpr bool needs_history = true;
} // namespace column

} // namespace mailtight::findings
