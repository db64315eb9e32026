// SPDX-License-Identifier: Apache-2.0
// RFC 9525 §6.3: a presented DNS-ID against the host that was asked for. Text only.
#include "base/crypto/certificate.h"
#include "base/host_name.h"
#include "base/ip.h"
#include "base/text.h"

#include <algorithm>

namespace mailtight::base {

bool dns_name_matches(std::string_view presented, std::string_view host) {
    // What is no plain name (a star further right, an escaped NUL, a final dot, U-labels) names no host, and
    // an address is never a DNS-ID, even where a dNSName spells it (RFC 9525 §6.1.2, §6.3).
    if (!is_host_name(host) || ip_address::parse(host))
        return false;
    if (!presented.starts_with("*."))
        return is_host_name(presented) && iequals(presented, host);
    // 8461-3.3-f: the star is the whole left-most label and stands for exactly one.
    presented.remove_prefix(2);
    const auto dot = host.find('.');
    return dot != std::string_view::npos && is_host_name(presented) &&
           iequals(presented, host.substr(dot + 1));
}

bool names_host(const certificate& cert, std::string_view host) { // 8461-4.2-c, 8461-3.3-e
    return std::ranges::any_of(
        cert.dns_names, [&](const std::string& presented) { return dns_name_matches(presented, host); });
}

} // namespace mailtight::base
