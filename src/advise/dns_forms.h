// SPDX-License-Identifier: Apache-2.0
// The DNS records to publish, in the form that a person or a tool wants. Pure. Records that are right already
// are left out; the order is the order of publishing. Every remote text is escaped for the language that it
// is put into.
#pragma once

#include "advise/advise.h"
#include "advise/dns_providers.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::advise {

enum class dns_format { table, bind, nsupdate, dnscontrol, octodns, terraform, cloudflare, route53 };
std::string_view to_string(dns_format format);
std::optional<dns_format> parse_dns_format(std::string_view word);

/// Where the records belong: the zone that holds the domain (which may be a parent of it) and who serves it.
struct dns_place {
    std::string domain;
    std::string zone;
    std::vector<std::string> servers;
    const dns_provider* provider = nullptr; ///< null where it is not known
};
dns_place place_of(const model::observation& seen);

/// What is to be done with the records that stand where this one is to be published, for a person; "" where
/// there are none, or where it is right already.
std::string instead_words(const suggested_record& record);
/// The document of this format, ending in a newline.
std::string dns_document(const suggestion& what, const dns_place& where, dns_format format,
                         std::size_t width = 80);

/// One record as the provider's web form has it: a line a field, `TXT Name: _mta-sts`.
std::string web_form(const suggested_record& record, const dns_place& where);

} // namespace mailtight::advise
