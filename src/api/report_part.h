// SPDX-License-Identifier: Apache-2.0
// Some reporters put the domains of several owners into one report. Who sees the domains of one owner is told
// the policies of theirs, and nothing that counts, names or describes others. Pure.
#pragma once

#include "store/questions.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::api {

/// The one of `theirs` (in order) that is this domain or lies above it; "" : none.
std::string_view theirs_of(std::string_view domain, const std::vector<std::string>& theirs);

enum class report_share {
    whole, ///< all of it is theirs, and it is left as it is
    part,  ///< the policies of others are gone, with all that tells of the whole: texts, counts, the body
    none,  ///< nothing of it is theirs
};
/// `others`: names below theirs that belong to somebody else all the same, since there is a domain of
/// another owner in between.
report_share keep_part(store::stored_report& of, const std::vector<std::string>& theirs,
                       const std::set<std::string>& others);

} // namespace mailtight::api
