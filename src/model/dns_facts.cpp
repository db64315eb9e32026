// SPDX-License-Identifier: Apache-2.0
// Names of the DNS statuses.
#include "model/dns_facts.h"

namespace mailtight::model {

std::string_view to_string(dns_status status) {
    switch (status) {
    case dns_status::not_asked:
        return "not-asked";
    case dns_status::ok:
        return "ok";
    case dns_status::no_data:
        return "no-data";
    case dns_status::nx_domain:
        return "nxdomain";
    case dns_status::servfail:
        return "servfail";
    case dns_status::refused:
        return "refused";
    case dns_status::bogus:
        return "bogus";
    case dns_status::timeout:
        return "timeout";
    case dns_status::malformed:
        return "malformed";
    case dns_status::cname_loop:
        return "cname-loop";
    }
    return "unknown";
}

bool is_dns_error(dns_status status) {
    switch (status) {
    case dns_status::servfail:
    case dns_status::refused:
    case dns_status::bogus:
    case dns_status::timeout:
    case dns_status::malformed:
        return true;
    case dns_status::not_asked:
    case dns_status::ok:
    case dns_status::no_data:
    case dns_status::nx_domain:
    case dns_status::cname_loop:
        return false;
    }
    return false;
}

std::string_view to_string(dnssec state) {
    switch (state) {
    case dnssec::unknown:
        return "unknown";
    case dnssec::insecure:
        return "insecure";
    case dnssec::secure:
        return "secure";
    case dnssec::bogus:
        return "bogus";
    }
    return "unknown";
}

} // namespace mailtight::model
