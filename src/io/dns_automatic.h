// SPDX-License-Identifier: Apache-2.0
// Validates here where the named servers let DNSSEC through. Some forwarders strip the signatures, and then
// everything below a signed zone would be bogus: one test question (`. DNSKEY`) before the first real one
// finds out, and if the signatures are missing the answers are taken unvalidated, which every fact says
// (`unknown`).
#pragma once

#include "io/dns_forwarder.h"

namespace mailtight::io {

class dns_automatic final : public dns_backend {
public:
    dns_automatic(loop& on, std::vector<endpoint> servers, std::chrono::milliseconds timeout,
                  std::unique_ptr<dns_backend> validating);
    task<dns_lookup> ask(wire::dns_question question) override;
    /// Complete once the first question has been answered.
    std::string description() const override;

private:
    task<bool> servers_strip();
    task<> decide();

    loop& loop_;
    std::chrono::milliseconds timeout_;
    dns_forwarder plain_;
    std::unique_ptr<dns_backend> validating_;
    enum class state { undecided, deciding, decided } state_ = state::undecided;
    bool stripped_ = false;
    event decided_;
};

} // namespace mailtight::io
