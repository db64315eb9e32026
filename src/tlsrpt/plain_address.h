// SPDX-License-Identifier: Apache-2.0
// Addresses that are canonical beyond doubt, told without a branch for each character: two addresses stand in
// every failure detail. What fails here is asked of base::ip_address. Pure. Private to the reader.
#pragma once

#include <string_view>

namespace mailtight::tlsrpt {

/// True only where base::ip_address::parse(text)->to_string() is the text itself; false says nothing.
bool is_plain_address(std::string_view text);

} // namespace mailtight::tlsrpt
