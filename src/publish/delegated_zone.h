// SPDX-License-Identifier: Apache-2.0
// A zone of our own for domains that point `_mta-sts` and `_smtp._tls` at us by CNAME (RFC 8461 §8.2), as a
// file for any name server: one target a domain, so that each id changes alone. Pure.
#pragma once

#include "base/time.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::publish {

struct delegated_names {
    std::string domain, target;   ///< target: of the CNAME at `_mta-sts.DOMAIN`, within the zone
    std::string id;               ///< "" : not announced; reports are asked for all the same
    std::vector<std::string> rua; ///< empty: no TLSRPT record
};

/// The target of a domain in such a zone: a hash of its name, so that the zone tells no one whose domains it
/// holds. The CNAME at `_smtp._tls.DOMAIN` goes to tlsrpt_target() of it.
std::string delegated_target(std::string_view domain, std::string_view zone);
std::string tlsrpt_target(std::string_view target);

/// The zone as a file (RFC 1035 §5). What is no name of the zone, no id or no report address is left out:
/// nothing from a domain's data can become a line of its own.
std::string zone_of_delegated(std::string_view zone, const std::vector<delegated_names>& names,
                              std::string_view primary, std::string_view mailbox, std::uint32_t serial,
                              const std::vector<std::string>& name_servers);

/// The serial after `before`: the seconds of now, or one more where that would not be later (RFC 1982 §3.2).
std::uint32_t next_serial(std::uint32_t before, base::utc_seconds now);

} // namespace mailtight::publish
