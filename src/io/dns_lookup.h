// SPDX-License-Identifier: Apache-2.0
// One question and its outcome inside io/: what a way of asking (the forwarder, libunbound) hands to the
// caching resolver, which makes the model's facts of it.
#pragma once

#include "io/task.h"
#include "model/dns_facts.h"
#include "wire/dns_answer.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::io {

struct dns_lookup {
    model::dns_status status = model::dns_status::not_asked;
    model::dnssec security = model::dnssec::unknown;
    std::uint32_t ttl = 0;
    std::vector<std::string> chain;
    std::string detail;
    std::string zone; ///< owner of the SOA, where absent
    std::vector<decltype(wire::dns_record::data)> records;
};

/// Puts what an answer says into the outcome: the chain is appended, the TTL lowered, the records taken.
/// False where the answer goes on (the last of the chain is to be asked for).
bool absorb(dns_lookup& into, wire::dns_answer answer);

/// "SERVFAIL: DNSSEC Bogus (extended error 6): …", ready to be shown (printable).
std::string describe_failure(const wire::dns_message& message);

/// A way to get answers. Validates or has validated; never throws for what DNS says; keeps its own deadline.
class dns_backend {
public:
    virtual ~dns_backend() = default;
    /// `question.name` is canonical (wire/dns_name.h).
    virtual task<dns_lookup> ask(wire::dns_question question) = 0;
    virtual std::string description() const = 0;
};

} // namespace mailtight::io
