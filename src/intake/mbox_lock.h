// SPDX-License-Identifier: Apache-2.0
// The file PATH.lock, by which delivery agents keep each other, and us, from an mbox. It is never removed
// here: only its owner, or a person, knows that nobody is writing. Blocking calls. The room's own.
#pragma once

#include "base/time.h"

#include <optional>
#include <string>

namespace mailtight::intake {

struct mbox_lock {
    /// What is to be told of it: empty as long as a delivery may take; then who holds it, and how it is
    /// removed where nobody seems to.
    std::string trouble;
};
/// Nothing: the mbox may be read.
std::optional<mbox_lock> find_mbox_lock(const std::string& mbox, base::utc_seconds now);

} // namespace mailtight::intake
