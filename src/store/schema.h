// SPDX-License-Identifier: Apache-2.0
// The schema as steps that were once published and never change again: a database of any earlier version is
// brought up step by step, each in a transaction, its version kept beside it. Every part of the product has
// its own list of steps in the one database; a part of a later version than this program knows is refused.
#pragma once

#include "store/sql.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace mailtight::store {

/// One step: statements without values, in order. In them, the dialect's words stand as marks: `{serial}` a
/// primary key that numbers itself, `{counting}` one that never gives a number twice, `{number_key}` one that
/// is given, `{blob}` bytes,
/// `{bytewise}` text in the order of its bytes,
/// `{clustered}` the end of a table kept in key order, `{numbers}` whatever gives reports their numbers.
using schema_step = std::span<const std::string_view>;

struct schema_part {
    std::string_view name;
    std::span<const schema_step> steps; ///< step n leads to version n
};

/// What is kept of reports received.
const schema_part& reports_schema();
/// What a sender keeps of other people's policies.
const schema_part& policies_schema();
/// What a sender counts and reports.
const schema_part& results_schema();
/// What a publisher looks after.
const schema_part& domains_schema();
/// Who may ask.
const schema_part& access_schema();

/// The version of a part in this database; 0 where there is none of it.
std::int64_t schema_version(sql::connection& on, const schema_part& part);
/// Brings the part up to `upto` (0: the newest). Throws sql::failure, kind::newer where the database is
/// ahead.
void migrate(sql::connection& on, const schema_part& part, std::int64_t upto = 0);
/// Throws sql::failure unless the part is exactly of this program's version: for those who may not write.
void require_current(sql::connection& on, const schema_part& part);

} // namespace mailtight::store
