// SPDX-License-Identifier: Apache-2.0
// From what stands at some names and what is wanted there to one update message (RFC 2136). Pure. What it
// holds to: the message says what stood there, whole, so that it does nothing where that changed; only our
// own records go; what others have at the name stays, TTL included; and what would make a second policy
// record is refused.
#pragma once

#include "plan/plan.h"
#include "wire/dns_update.h"

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::publish {

/// All changes of one zone in one message. `standing`: every TXT, CNAME, A and AAAA record at their names.
/// The error is for a person. An update that neither removes nor adds: nothing to do.
std::expected<wire::dns_update, std::string> plan_updates(const std::vector<plan::record_change>& wanted,
                                                          std::string zone,
                                                          const std::vector<wire::update_record>& standing);

/// Everything to be added stands there, nothing to be removed does.
bool as_wanted(const std::vector<plan::record_change>& wanted,
               const std::vector<wire::update_record>& standing);

/// The types that a change can have, and that are looked at.
std::optional<wire::dns_type> change_type(std::string_view word);
inline constexpr wire::dns_type change_types[] = {wire::dns_type::txt, wire::dns_type::cname,
                                                  wire::dns_type::a, wire::dns_type::aaaa};
/// More that is looked at where a name becomes an alias: beside any of these a server would take our old
/// record away and add nothing, without a word (erratum 4469 of RFC 2136).
inline constexpr wire::dns_type alias_rivals[] = {wire::dns_type::mx,  wire::dns_type::ns,
                                                  wire::dns_type::caa, wire::dns_type::tlsa,
                                                  wire::dns_type{33},  // SRV
                                                  wire::dns_type{65}}; // HTTPS

/// The one text of a value, for comparing: names in lower case, addresses by RFC 5952. Nothing for one that
/// is none of its type.
std::optional<std::string> canonical_value(wire::dns_type type, std::string_view value);

/// Why such changes cannot be made at all; "" : they can.
std::string wrong_with(const std::vector<plan::record_change>& wanted);

} // namespace mailtight::publish
