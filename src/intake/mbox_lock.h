// SPDX-License-Identifier: Apache-2.0
// The two locks by which delivery agents keep each other, and us, from an mbox: the file PATH.lock, and the
// kernel's on the open file. The first is never removed here: only its owner, or a person, knows that nobody
// is writing. Blocking calls. The room's own.
#pragma once

#include "base/time.h"
#include "intake/files.h"

#include <expected>
#include <optional>
#include <string>

namespace mailtight::intake {

struct mbox_lock {
    /// What is to be told of it: empty as long as a delivery may take; then who holds it, and how it is
    /// removed where nobody seems to.
    std::string trouble;
};
/// When the mbox was first found locked, and now; one is the other where it could be read until now.
struct mbox_wait {
    base::utc_seconds since, now;
};
/// Nothing: the mbox may be read.
std::optional<mbox_lock> find_mbox_lock(const std::string& mbox, mbox_wait wait);
/// Takes a reader's lock of the kernel's, which goes with the file. Nothing: it is ours. The error, for a
/// person: nothing can be locked there at all.
std::expected<std::optional<mbox_lock>, std::string>
lock_for_reading(const file_handle& file, const std::string& mbox, mbox_wait wait);

} // namespace mailtight::intake
