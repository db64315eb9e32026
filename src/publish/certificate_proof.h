// SPDX-License-Identifier: Apache-2.0
// Whether a new certificate does where senders look: judged by handshakes over the public path. Pure.
#pragma once

#include "model/probe_facts.h"
#include "store/domains.h"

#include <span>
#include <string>

namespace mailtight::publish {

struct certificate_proof {
    enum class what {
        not_seen, ///< the new one was not presented: not loaded yet, or nobody could be reached
        good,     ///< presented, and valid wherever it was
        bad,      ///< presented, and some sender would refuse it
    } state = what::not_seen;
    std::string words; ///< of a bad one: where, and why
};
certificate_proof judge_proof(std::span<const model::fetch_fact> seen, const store::kept_certificate& fresh);

} // namespace mailtight::publish
