// SPDX-License-Identifier: Apache-2.0
// What DNS answered, kept apart as it must be: absent, empty, failing, lying and silent are different facts.
#pragma once

#include "base/ip.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::model {

enum class dns_status {
    not_asked,
    ok,         ///< at least one record of the type
    no_data,    ///< the name exists, without this type
    nx_domain,  ///< the name does not exist
    servfail,   ///< the resolver gave up
    refused,    ///< REFUSED, NOTIMP or another error code; detail says which
    bogus,      ///< DNSSEC validation failed
    timeout,    ///< no answer in time
    malformed,  ///< an answer that is no DNS message or answers another question
    cname_loop, ///< the chain comes back to itself or is longer than limits::cname_hops
};
std::string_view to_string(dns_status status);
/// True for the statuses that say nothing about what exists (servfail, refused, bogus, timeout, malformed).
bool is_dns_error(dns_status status);

/// RFC 4035 status of an answer, with the erratum 5395 reading; `unknown` where nobody validated.
enum class dnssec { unknown, insecure, secure, bogus };
std::string_view to_string(dnssec state);

/// One question, answered. Names are lower case without trailing dot.
struct dns_fact {
    std::string name;
    std::string type; ///< "TXT", "MX", "A", …
    dns_status status = dns_status::not_asked;
    dnssec security = dnssec::unknown;
    std::uint32_t ttl =
        0; ///< smallest of the chain and the answer; for an absent answer the negative TTL (SOA)
    std::vector<std::string> chain; ///< targets of the CNAMEs followed, in order; empty without a CNAME
    std::string detail;             ///< why it failed, extended error text included
    /// The name whose records answered: the last CNAME target, or `name`.
    const std::string& owner() const { return chain.empty() ? name : chain.back(); }
    bool ok() const { return status == dns_status::ok; }
    bool absent() const { return status == dns_status::no_data || status == dns_status::nx_domain; }
};

struct txt_fact : dns_fact {
    std::vector<std::string> texts; ///< one a record, its character-strings joined (8461-3.1-r)
};

struct mx_record {
    std::uint16_t preference = 0;
    std::string host; ///< "" for the root (null MX, RFC 7505)
    friend bool operator==(const mx_record&, const mx_record&) = default;
};
struct mx_set_fact : dns_fact {
    std::vector<mx_record> records; ///< by preference, then name
};

/// A and AAAA of one host.
struct address_fact {
    dns_fact a, aaaa;
    std::vector<base::ip_address> addresses; ///< IPv4 first
    bool any_error() const { return is_dns_error(a.status) || is_dns_error(aaaa.status); }
};

struct tlsa_fact : dns_fact {
    struct entry {
        std::uint8_t usage = 0, selector = 0, matching = 0;
        std::string data;
    };
    std::vector<entry> records;
};

struct caa_fact : dns_fact {
    struct entry {
        std::uint8_t flags = 0;
        std::string tag, value;
    };
    std::vector<entry> records;
    std::string found_at; ///< the name of the climb that had the records
};

struct ns_fact : dns_fact {
    std::vector<std::string> hosts;
};

/// The names of an address.
struct ptr_fact : dns_fact {
    std::vector<std::string> hosts;
};

/// What one authoritative server answered when asked directly.
struct server_answer {
    std::string server; ///< its name
    base::ip_address address;
    dns_status status = dns_status::not_asked;
    std::vector<std::string> texts; ///< TXT values, or A/AAAA/CNAME text for another type; sorted
    std::uint32_t ttl = 0;
    std::string detail;
};

} // namespace mailtight::model
