// SPDX-License-Identifier: Apache-2.0
// Domain names between their text and their bytes in a DNS message. The text is lower case without a final
// dot, the root is "", and a byte that could mislead a reader (a dot inside a label, NUL, space, anything
// that is no printable ASCII) stands as `\DDD` (RFC 1035 §5.1). Pure; takes any bytes.
#pragma once

#include "base/ip.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::wire {

/// The uncompressed bytes of a name given as text, the final zero octet included; a final dot is understood.
/// Nothing on an empty label, a label above 63 octets, a name above 255, or a broken escape.
std::optional<std::string> dns_name_bytes(std::string_view text);

/// The name that starts at `offset` of a whole message, compression followed. `offset` moves behind it.
/// Nothing where it runs out of the message, points forward or at itself, or exceeds 255 octets (RFC 1035
/// §4.1.4).
std::optional<std::string> read_dns_name(std::string_view message, std::size_t& offset);

/// The one text of a name that all facts use (lower case, no final dot, escapes as above), or nothing where
/// the text is no name.
std::optional<std::string> canonical_dns_name(std::string_view text);

/// Where the names of an address are: `1.2.0.192.in-addr.arpa`, nibbles under `ip6.arpa` (RFC 1035 §3.5, RFC
/// 3596 §2.5).
std::string reverse_name(const base::ip_address& address);

} // namespace mailtight::wire
