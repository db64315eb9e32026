// SPDX-License-Identifier: Apache-2.0
// How a filter narrows a walk over the totals; shared by the questions.
#pragma once

#include "store/question.h"
#include "store/words.h"

#include <string_view>

namespace mailtight::store {

/// Our domains, then the days of one of the tables of totals, as far as the filter goes; `t` is that table.
question totals_question(sql::connection& on, dictionary& words, std::string_view select,
                         std::string_view table, const filter& of);
/// The same; of all domains, the table of what theirs come to together (whole.h), whose columns have the same
/// names but for the domain and the reason.
question whole_question(sql::connection& on, dictionary& words, std::string_view select,
                        std::string_view table, const filter& of);
/// Adds the domains (`o` is own_domain) and the reporters.
void narrow_who(question& q, sql::connection& on, dictionary& words, std::string_view reporter_column,
                const filter& of);
/// Whether the filter names what only failures have.
bool asks_failures(const filter& of);
/// Adds the result type and the MX, which only failure_day knows.
void narrow_failures(question& q, sql::connection& on, dictionary& words, const filter& of);

} // namespace mailtight::store
