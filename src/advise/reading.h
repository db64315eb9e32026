// SPDX-License-Identifier: Apache-2.0
// What the rules share: the observation with its texts parsed once, and the answers to the questions that
// many rules ask ("is MTA-STS published at all?", "which policy do senders see?"). Pure; lives as long as the
// observation.
#pragma once

#include "findings/finding.h"
#include "model/observation.h"
#include "sts/policy.h"
#include "sts/record.h"
#include "tlsrpt/record.h"

#include <optional>
#include <string>
#include <vector>

namespace mailtight::advise {

/// The state of a TXT record of ours (`_mta-sts` or `_smtp._tls`) as senders find it.
enum class record_state {
    not_asked,
    failed,   ///< DNS gave no answer that says anything
    absent,   ///< nothing there that is or was meant to be a record
    dangling, ///< an alias without a record at its end
    loop,     ///< an alias that leads back to itself
    multiple,
    invalid, ///< one record, or a text that was clearly meant to be one
    valid,
};

struct reading {
    const model::observation& seen;

    record_state sts = record_state::not_asked;
    sts::rrset_judgement sts_set;
    bool sts_by_wildcard = false; ///< what answers at `_mta-sts` is a wildcard's text
    record_state tlsrpt = record_state::not_asked;
    tlsrpt::rrset_judgement tlsrpt_set;

    /// True where the owner means to do MTA-STS: something stands at `_mta-sts`, right or wrong. Policy host
    /// and policy are judged only then.
    bool published = false;

    /// DNS says that the name itself does not exist, and nothing that was seen speaks against it. False for
    /// an empty non-terminal, for a dangling alias and where a look-up failed.
    bool no_such_domain = false;

    std::vector<const model::fetch_fact*> by_address; ///< one an address, with our own agent
    std::vector<const model::fetch_fact*> by_agent;   ///< the other agents
    /// The fetch whose body is judged: the first that senders would accept, else the first that has a body.
    const model::fetch_fact* primary = nullptr;
    bool fetched = false; ///< `primary` is one that senders accept
    std::optional<sts::policy_judgement> policy;

    findings::situation situation = findings::situation::absent;

    std::string policy_host; ///< `mta-sts.D`
    std::string policy_url;
    std::vector<std::string> hosts; ///< MX names that mail goes to, without literals

    /// The policy that senders follow: valid record, accepted fetch, usable text.
    const sts::policy* followed() const;
    /// The policy as far as it can be read, followed or not.
    const sts::policy* readable() const;
    bool active() const; ///< readable, in enforce or testing
};

reading read(const model::observation& seen);

/// True where a text was meant to be a record of this version word (`STSv1`, `TLSRPTv1`) but is none: wrong
/// case, quotes, a leading space.
bool meant_as_record(std::string_view text, std::string_view version_word);

} // namespace mailtight::advise
