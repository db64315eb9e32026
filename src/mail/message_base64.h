// SPDX-License-Identifier: Apache-2.0
// Base64 as gateways leave it: foreign bytes, wrapped anywhere or nowhere, padding missing or in the middle,
// text behind it. Pure; takes any bytes; gives at most three quarters of them.
#pragma once

#include <string>
#include <string_view>

namespace mailtight::mail {

/// Decodes what is there (RFC 2045 §6.8: bytes outside the alphabet are ignored). It ends where text follows:
/// behind the padding or an empty line, a line that is no base64. Chunks that were each encoded for
/// themselves, with padding in the middle, are joined.
std::string decode_damaged_base64(std::string_view text);

} // namespace mailtight::mail
