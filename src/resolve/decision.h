// SPDX-License-Identifier: Apache-2.0
// From what is known of a destination to what a sender does: one value that every dialect, the API and
// explain() show. Pure. DANE before MTA-STS (8461-2-a, A20); an unknown DANE state is never "no
// policy".
#pragma once

#include "model/sending.h"
#include "resolve/destination.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::resolve {

enum class decision { enforce, testing, none, dane, no_policy, unknown };
std::string_view to_string(decision d);
enum class decision_source { live, cache, override_, dane, key };
std::string_view to_string(decision_source s); ///< `override_` is "override"

/// One MX host against the policy.
struct mx_admission {
    std::string host;
    std::string admitted_by; ///< the pattern; "" : not admitted
    host_class dane = host_class::none;
};

struct tls_decision {
    /// Unknown beside an enforced policy in `policy`: that policy holds, and no weaker answer may be given in
    /// its place (an attacker who delays DNS would win it); TEMP until the state is known.
    decision what = decision::unknown;
    decision_source source = decision_source::live;
    // Beside the two above, since each answer that is given again looks at them.
    /// Set by the service where something newer is known: do not repeat it.
    mutable bool superseded = false;
    /// Until when the same answer may be given again without asking the service.
    base::utc_seconds good_until{};
    mail::next_hop hop;
    /// enforce, testing, none; also beside dane, for reports.
    std::optional<sts::held_policy> policy;
    base::utc_seconds expires_at{}, next_check_at{}; ///< of the policy
    std::vector<mx_admission> mx;
    bool mx_known = false;               ///< false: the patterns stand for the hosts
    bool dane_only = false;              ///< every host has usable TLSA
    std::vector<mx_standing> dane_hosts; ///< the records, for reports and explain
    std::string reason; ///< unknown: what to tell the mail server; else "" or a warning worth its log
    std::vector<std::string> notes; ///< everything worth saying, in sentences: errors, the override, DANE
                                    ///< without a policy for the rest
    std::optional<sts::policy_fault> fault; ///< the latest look for the policy failed so
    std::string fault_detail;               ///< with a fault: what was seen, printable
    std::string fault_reason;               ///< the same in a word for reports, where it is known
    bool mx_bogus = false; ///< DNSSEC of the MX records does not validate (of a host: see dane_hosts)
    std::optional<model::policy_override> exception;
};
using shared_decision = std::shared_ptr<const tls_decision>;

/// What a mail server goes by when it gets the answer.
struct asked_about {
    enum class kind {
        destination, ///< all of it: what the answer stops is stopped
        route,       ///< whether and how: it asks about each MX host afterwards
        mx_host,     ///< the one it is about to connect to
    } what = kind::destination;
    std::string_view host; ///< mx_host
};

struct decision_input {
    mail::next_hop hop;
    const sts::resolution_state* state = nullptr; ///< null: nothing known of a policy
    const destination* where = nullptr;           ///< null: not known in time
    const model::policy_override* exception = nullptr;
    bool from_cache = false;
};
struct decision_options {
    bool defer_on_dns_error = false; ///< A14: TEMP where `_mta-sts` cannot be looked up and nothing is held
    bool dane = true;                ///< false: DANE is left to others
};
tls_decision decide(const decision_input& from, const decision_options& options, base::utc_seconds now);

} // namespace mailtight::resolve
