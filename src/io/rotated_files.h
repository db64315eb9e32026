// SPDX-License-Identifier: Apache-2.0
// What rotation leaves beside a log file: `mail.log.1`, `mail.log.2`, `mail.log-20261122`. For io/ alone;
// blocks.
#pragma once

#include <cstdint>
#include <string>

namespace mailtight::io {

/// The file beside `path` (or the one there) with this inode; "" where there is none. Compressed ones are new
/// files and never found.
std::string file_with_inode(const std::string& path, std::uint64_t inode);

/// The file that was begun after `current`, which is beside `path`: the next younger of the same naming, or
/// `path` itself.
std::string file_after(const std::string& path, const std::string& current);

} // namespace mailtight::io
