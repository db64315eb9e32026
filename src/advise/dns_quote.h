// SPDX-License-Identifier: Apache-2.0
// Text put into another language so that it stays text there. Any bytes go in; what cannot be said is
// escaped, never passed through.
#pragma once

#include <string>
#include <string_view>

namespace mailtight::advise {

/// A TXT value in a zone file: quoted character-strings of at most 255 bytes, `"` and `\` escaped, other
/// bytes as \DDD (RFC 1035 §5.1).
std::string zone_text(std::string_view value);
/// A name in a zone file, with a final dot; foreign bytes as \DDD.
std::string zone_name(std::string_view name);
/// A string of JSON, which is one of JavaScript and of YAML too (beyond ASCII made visible).
std::string json_string(std::string_view text);
/// A string of HCL: as JSON, and no template can begin in it.
std::string hcl_string(std::string_view text);

} // namespace mailtight::advise
