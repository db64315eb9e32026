// SPDX-License-Identifier: Apache-2.0
// Byte encodings and digests, over OpenSSL (only base/crypto and io/ name that library).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::base {

/// Lower-case hexadecimal of any bytes.
std::string hex(std::string_view bytes);
/// The bytes behind hexadecimal of either case; nothing on odd length or a foreign character.
std::optional<std::string> unhex(std::string_view text);
std::string base64(std::string_view bytes);
/// Strict RFC 4648 base64 with padding; nothing on anything else.
std::optional<std::string> unbase64(std::string_view text);
/// RFC 4648 base32, lower case, without padding: letters and digits only.
std::string base32(std::string_view bytes);

/// 32 raw bytes.
std::string sha256(std::string_view bytes);
/// 64 raw bytes.
std::string sha512(std::string_view bytes);

} // namespace mailtight::base
