// SPDX-License-Identifier: Apache-2.0
// Domain names: what a person typed, turned into the A-label form that DNS and the policies use (IDNA 2008 by
// libidn2), and the organisational domain by the public suffix list (libpsl). Pure apart from the suffix
// list, loaded once.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::mail {

/// A domain as typed, understood.
struct typed_domain {
    std::string name;    ///< A-labels, lower case, without trailing dot
    std::string display; ///< U-label form for people (equals name where there is none)
    std::vector<std::string>
        notes; ///< what was understood beyond a plain domain ("took the domain of the mail address …")
};
enum class domain_error {
    empty,
    too_long,
    label_too_long,
    empty_label,
    bad_character,
    idna,
    single_label,
    address,
    too_long_for_sts
};
std::string_view explain(domain_error error);

/// Understands a domain typed by a person: U-labels, A-labels, upper case, a trailing dot, surrounding spaces
/// or quotes; a mail address or a URL pasted instead (and `_mta-sts.`, `mta-sts.`, `_smtp._tls.` in front) is
/// understood with a note. A name so long that `_smtp._tls.` no longer fits before it is refused
/// (RFC 1035 §2.3.4).
std::expected<typed_domain, domain_error> understand_domain(std::string_view typed);

/// A host or domain name from a remote side, lower-cased, one trailing dot dropped; letters, digits, hyphens
/// and underscores in labels of 1 to 63, at most 253 in all. Nothing where it is none.
std::optional<std::string> canonical_name(std::string_view name);

/// Decodes A-labels for display; what cannot be decoded stays. The result is safe only through
/// base::printable().
std::string to_unicode(std::string_view name);
/// The A-label form of a U-label name, or nothing.
std::optional<std::string> to_ascii(std::string_view name);

/// With the dots that IDNA takes for one (RFC 3490 §3.1, UTS 46: ideographic, fullwidth, halfwidth) as ".".
std::string with_plain_dots(std::string_view text);

/// The registrable domain (public suffix and one label): `a.b.example.co.uk` -> `example.co.uk`; a name that
/// is itself a public suffix (or a single label) gives itself. Names below unknown top-level domains count
/// one label as the suffix.
std::string organizational_domain(std::string_view name);
/// True where the name is a public suffix such as `com` or `co.uk`.
bool is_public_suffix(std::string_view name);
/// True where `name` is `ancestor` or below it, ASCII case-insensitively; nothing is within "".
bool is_within(std::string_view name, std::string_view ancestor);
/// The name without its first label, or "".
std::string_view parent(std::string_view name);

} // namespace mailtight::mail
