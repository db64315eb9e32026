// SPDX-License-Identifier: Apache-2.0
// Answers that are no rows: is the domain ready for enforce, why does nothing arrive, how do the reporters'
// shares move. For a person and as JSON. Pure.
#pragma once

#include "advise/text.h"
#include "insight/readiness.h"
#include "insight/silence.h"
#include "insight/table.h"
#include "insight/trends.h"

#include <boost/json/object.hpp>

#include <span>
#include <string>
#include <string_view>

namespace mailtight::insight {

std::string readiness_text(std::string_view domain, const readiness& said, const advise::style& how);
/// {"domain","ready" (null: not to be said),"sentence","reasons":[{"code","met","known","text"}]}
boost::json::object readiness_json(std::string_view domain, const readiness& said);

/// The causes in the order to try, the certain ones marked.
std::string silence_text(std::string_view domain, std::span<const silence_cause> causes,
                         const advise::style& how);
/// {"domain","causes":[{"code","certain","text","fix"}]}
boost::json::object silence_json(std::string_view domain, std::span<const silence_cause> causes);

/// A row a reporter: the share of failed sessions in each window and what it weighs ("over" where a shorter
/// window is clean), when its next report is due. "late" is information alone.
table trends_table(std::span<const reporter_trend> trends);

} // namespace mailtight::insight
