// SPDX-License-Identifier: Apache-2.0
// DNS providers recognised by their name servers, as data: what their web forms call the fields, and in which
// form they want a name. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::advise {

/// How a provider's form wants the name of a record.
enum class name_form {
    relative, ///< `_mta-sts`, or `_mta-sts.sub` where the zone is the parent; the form appends the zone
    full,     ///< `_mta-sts.example.com`, without final dot
};

struct dns_provider {
    std::string_view name;
    std::vector<std::string_view> servers; ///< suffixes of its name servers' names, beginning with a dot, or
                                           ///< parts of them beginning with `*`
    std::string_view name_label = "Name";
    std::string_view value_label = "Value";
    std::string_view target_label{}; ///< of a CNAME or address, where it differs
    name_form form = name_form::relative;
    std::uint32_t min_ttl = 0;
    bool quotes = false; ///< the form wants the quotes of a TXT value
    std::string_view remark{};
};
std::span<const dns_provider> dns_providers();

/// The provider whose name servers these are; null where none is known.
const dns_provider* dns_provider_of(const std::vector<std::string>& servers);
/// What fits any provider: relative names, plain labels.
const dns_provider& any_dns_provider();

/// `_mta-sts.sub` for `_mta-sts.sub.example.com` in the zone `example.com`; "@" for the zone itself; the
/// whole name where it is not in the zone.
std::string relative_name(std::string_view name, std::string_view zone);
/// The name as this provider's form wants it.
std::string form_name(std::string_view name, std::string_view zone, const dns_provider& provider);

} // namespace mailtight::advise
