// SPDX-License-Identifier: Apache-2.0
// The store in a PostgreSQL database: for many machines, which may all write at once. Statements travel in a
// pipeline: those without rows are sent and their results read later, so that a report costs no journey of
// its own.
#pragma once

#include "store/sql.h"

#include <memory>

namespace mailtight::store::postgres {

/// Connects. A connection that is lost is made anew at the next begin(). Throws sql::failure.
std::unique_ptr<sql::connection> connect(const open_options& options);

} // namespace mailtight::store::postgres
