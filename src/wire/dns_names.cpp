// SPDX-License-Identifier: Apache-2.0
// The words of wire/dns_message.h: types, response codes, extended errors (the IANA registries of DNS
// parameters).
#include "wire/dns_message.h"

#include <utility>

namespace mailtight::wire {

namespace {

constexpr std::pair<dns_type, std::string_view> types[] = {
    {dns_type::a, "A"},         {dns_type::ns, "NS"},         {dns_type::cname, "CNAME"},
    {dns_type::soa, "SOA"},     {dns_type::mx, "MX"},         {dns_type::txt, "TXT"},
    {dns_type::aaaa, "AAAA"},   {dns_type::opt, "OPT"},       {dns_type::ds, "DS"},
    {dns_type::rrsig, "RRSIG"}, {dns_type::dnskey, "DNSKEY"}, {dns_type::tlsa, "TLSA"},
    {dns_type::caa, "CAA"},     {dns_type::ptr, "PTR"},
};

} // namespace

std::string to_string(dns_type type) {
    for (const auto& [value, name] : types)
        if (value == type)
            return std::string(name);
    return "TYPE" + std::to_string(static_cast<unsigned>(type));
}

std::optional<dns_type> dns_type_named(std::string_view name) {
    for (const auto& [value, known] : types)
        if (known == name)
            return value;
    return {};
}

std::string to_string(dns_rcode code) {
    switch (code) {
    case dns_rcode::no_error:
        return "NOERROR";
    case dns_rcode::format_error:
        return "FORMERR";
    case dns_rcode::server_failure:
        return "SERVFAIL";
    case dns_rcode::nx_domain:
        return "NXDOMAIN";
    case dns_rcode::not_implemented:
        return "NOTIMP";
    case dns_rcode::refused:
        return "REFUSED";
    case dns_rcode::bad_version:
        return "BADVERS";
    }
    return "RCODE" + std::to_string(static_cast<unsigned>(code));
}

std::string_view explain_extended_error(std::uint16_t code) {
    switch (code) {
    case 0:
        return "Other Error";
    case 1:
        return "Unsupported DNSKEY Algorithm";
    case 2:
        return "Unsupported DS Digest Type";
    case 3:
        return "Stale Answer";
    case 4:
        return "Forged Answer";
    case 5:
        return "DNSSEC Indeterminate";
    case 6:
        return "DNSSEC Bogus";
    case 7:
        return "Signature Expired";
    case 8:
        return "Signature Not Yet Valid";
    case 9:
        return "DNSKEY Missing";
    case 10:
        return "RRSIGs Missing";
    case 11:
        return "No Zone Key Bit Set";
    case 12:
        return "NSEC Missing";
    case 13:
        return "Cached Error";
    case 14:
        return "Not Ready";
    case 15:
        return "Blocked";
    case 16:
        return "Censored";
    case 17:
        return "Filtered";
    case 18:
        return "Prohibited";
    case 19:
        return "Stale NXDomain Answer";
    case 20:
        return "Not Authoritative";
    case 21:
        return "Not Supported";
    case 22:
        return "No Reachable Authority";
    case 23:
        return "Network Error";
    case 24:
        return "Invalid Data";
    default:
        return "";
    }
}

bool means_bogus(const dns_extended_error& error) {
    return error.code >= 6 && error.code <= 12;
}

std::string_view explain(dns_parse_error error) {
    switch (error) {
    case dns_parse_error::short_header:
        return "shorter than a DNS header";
    case dns_parse_error::many_questions:
        return "more than one question";
    case dns_parse_error::bad_name:
        return "a name that is too long, runs out of the message or points forward";
    case dns_parse_error::cut_short:
        return "a count or a length that reaches beyond the message";
    case dns_parse_error::bad_rdata:
        return "a record whose data is shorter or longer than its type";
    case dns_parse_error::many_records:
        return "more records than any honest answer holds";
    case dns_parse_error::bad_opt:
        return "broken EDNS data";
    }
    return "";
}

} // namespace mailtight::wire
