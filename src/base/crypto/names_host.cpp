// SPDX-License-Identifier: Apache-2.0
// RFC 9525 §6.3: a presented DNS-ID against the host that was asked for. Text only.
#include "base/crypto/certificate.h"
#include "base/ip.h"
#include "base/limits.h"
#include "base/text.h"

#include <algorithm>

namespace mailtight::base {
namespace {

/// Letters, digits, hyphens and underscores in labels of 1 to 63: whatever else a certificate claims as a
/// name (a star further right, an escaped NUL, a final dot) names no host.
bool is_plain_name(std::string_view name) {
    if (name.empty() || name.size() > limits::dns_name_text_max)
        return false;
    std::size_t label = 0;
    for (const char c : name) {
        if (c == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if (!is_alnum(c) && c != '-' && c != '_') {
            return false;
        } else if (++label > limits::dns_label_max) {
            return false;
        }
    }
    return label > 0;
}

} // namespace

bool dns_name_matches(std::string_view presented, std::string_view host) {
    // RFC 9525 §6.1.2, §6.4: an address is never a DNS-ID, even where a dNSName spells it.
    if (!is_plain_name(host) || ip_address::parse(host))
        return false;
    if (!presented.starts_with("*."))
        return is_plain_name(presented) && iequals(presented, host);
    // 8461-3.3-f: the star is the whole left-most label and stands for exactly one.
    presented.remove_prefix(2);
    const auto dot = host.find('.');
    return dot != std::string_view::npos && is_plain_name(presented) &&
           iequals(presented, host.substr(dot + 1));
}

bool names_host(const certificate& cert, std::string_view host) { // 8461-4.2-c, 8461-3.3-e
    return std::ranges::any_of(
        cert.dns_names, [&](const std::string& presented) { return dns_name_matches(presented, host); });
}

} // namespace mailtight::base
