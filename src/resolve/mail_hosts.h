// SPDX-License-Identifier: Apache-2.0
// Which hosts take a domain's mail, from the answer to the MX question (RFC 5321 §5.1, RFC 7505).
// Pure.
#pragma once

#include "model/dns_facts.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mailtight::resolve {

struct mail_host {
    std::string name; ///< as the MX record has it, lower case
    std::uint16_t preference = 0;
    friend bool operator==(const mail_host&, const mail_host&) = default;
};

struct mail_hosts {
    enum class kind {
        listed,    ///< by MX records
        implicit,  ///< there is no MX record: the domain itself, where it has an address (A15)
        null_mx,   ///< the domain takes no mail (RFC 7505 §3)
        no_domain, ///< it does not exist
        failed,    ///< the look-up failed: nothing is known
    } what = kind::failed;
    /// By preference, each name once with its best; at most limits::mx_hosts.
    std::vector<mail_host> hosts;
    std::size_t left_out = 0; ///< hosts beyond that
    bool secure = false;      ///< the answer and every CNAME on the way are (7672-2.1.3-a)
    std::string detail;       ///< why it failed
    bool bogus = false;       ///< it failed because DNSSEC does not validate
};
mail_hosts mail_hosts_of(const std::string& domain, const model::mx_set_fact& seen);

/// True where the question was not answered: a failure, a bogus answer, a chain of CNAMEs without an end.
/// What does not exist is no failure (RFC 7672 §2.1.2).
bool unanswered(const model::dns_fact& seen);
/// A failure with evidence that DNSSEC does not validate, which is a fault of the zone.
bool means_bogus(const model::dns_fact& seen);
/// "the MX look-up of example.com failed: SERVFAIL: Signature Expired (extended error 7)".
std::string words_of_failure(const model::dns_fact& seen);

} // namespace mailtight::resolve
