// SPDX-License-Identifier: Apache-2.0
// The store in one file, by SQLite: for one machine. WAL, so that readers never wait for the writer; every
// commit is on the disk when it returns.
#pragma once

#include "store/sql.h"

#include <memory>

namespace mailtight::store::sqlite {

/// Opens the file; a new one is made readable to its owner and group only, and belongs to the owner of its
/// folder where root makes it. Throws sql::failure.
std::unique_ptr<sql::connection> connect(const open_options& options);

} // namespace mailtight::store::sqlite
