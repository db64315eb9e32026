// SPDX-License-Identifier: Apache-2.0
// What a DNS answer says to the question that was asked: the CNAME chain walked, the records picked, the TTL
// worked out. Pure. Only records whose owner the chain leads to count; whatever else a server puts into the
// answer is not believed.
#pragma once

#include "wire/dns_message.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::wire {

struct dns_answer {
    enum class kind {
        found,     ///< records of the type
        no_data,   ///< the name exists, without the type
        nx_domain, ///< the name at the end of the chain does not exist
        goes_on,   ///< the chain leads to a name about which the message says nothing: ask for it
        loop,      ///< the chain comes back, or is longer than limits::cname_hops
        lame,      ///< a referral, or nothing at all about a name that another server holds
        failed,    ///< an rcode other than NOERROR and NXDOMAIN
    } result = kind::failed;
    std::vector<std::string> chain;  ///< targets of the CNAMEs followed
    std::uint32_t ttl = 0;           ///< smallest of chain and answer, the negative TTL where absent
    std::vector<dns_record> records; ///< of the type, at the end of the chain; moved out of the message
    std::string zone;                ///< owner of the SOA in the authority section, where absent
};

/// Reads the answer to `question`. `chain_so_far` are targets that earlier messages led to; a target among
/// them (or the question's name) is a loop. With type CNAME the chain is not followed: the record is the
/// answer (RFC 1034 §3.6.2).
dns_answer read_dns_answer(dns_message message, const dns_question& question,
                           const std::vector<std::string>& chain_so_far = {});

} // namespace mailtight::wire
