// SPDX-License-Identifier: Apache-2.0
// The moment of a renewal, from dates alone. Pure.
#pragma once

#include "base/time.h"
#include "wire/acme.h"

#include <string_view>

namespace mailtight::publish {

/// Two thirds of the lifetime.
base::utc_seconds by_lifetime(base::utc_seconds not_before, base::utc_seconds not_after);
/// A moment in the window, drawn evenly but from the certificate's name: every machine, and every restart,
/// comes to the same (RFC 9773 §4.2).
base::utc_seconds in_window(const wire::acme_window& window, std::string_view renewal_id);

} // namespace mailtight::publish
