// SPDX-License-Identifier: Apache-2.0
// What a look at the domain just now showed, for the failures that reports tell of: each of them is joined
// with it, so that a person reads whether it is still so. Pure.
#pragma once

#include "advise/diagnose.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::insight {

/// All of it may be missing: nobody looked.
struct known_today {
    std::optional<std::string> policy; ///< body that is served now
    std::optional<base::utc_seconds> policy_since;
    std::vector<std::string> mx;

    std::optional<base::utc_seconds> looked_at;
    std::vector<std::pair<std::string, std::string>> findings; ///< code and subject
    std::vector<std::string> mx_sound;                         ///< tested, and every criterion passes
    std::vector<std::string> mx_in_policy;
    std::vector<std::string> mx_dane_sound; ///< DANE was checked and matches
    bool policy_sound = false;              ///< fetched, trusted and valid
};

/// Whether what the diagnosis names is among today's findings; nothing where it was not looked at, or where
/// something else is wrong there, which may hide it.
std::optional<bool> still_so(const advise::diagnosis& said, std::string_view mx, const known_today& today);

/// The diagnosis of a failure; the context holds the policy and MX hosts of today already, where they are
/// known.
advise::diagnosis diagnose_today(const tlsrpt::failure_detail& failure, advise::failure_context context,
                                 const known_today& today);

} // namespace mailtight::insight
