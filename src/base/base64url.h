// SPDX-License-Identifier: Apache-2.0
// base64url without padding (RFC 4648 §5; RFC 7515 §2): how JOSE writes bytes. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mailtight::base {

std::string base64url(std::string_view bytes);
/// Strict, but padding may stand: authorities give out keys both ways. Nothing on anything else.
std::optional<std::string> unbase64url(std::string_view text);

} // namespace mailtight::base
