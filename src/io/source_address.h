// SPDX-License-Identifier: Apache-2.0
// Which of this host's addresses a connection would come from. Sends nothing.
#pragma once

#include "base/ip.h"

#include <optional>

namespace mailtight::io {

/// By the routes of this host (and the address selection of RFC 6724); nothing where there is no way there.
std::optional<base::ip_address> source_address_to(const base::ip_address& destination);

} // namespace mailtight::io
