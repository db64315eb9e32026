// SPDX-License-Identifier: Apache-2.0
// What of a policy may stand in a reply, and how. Pure; the room's own. Whatever filled the policy (a fetch,
// an import, a pin, another machine's database), it is judged here, right before it becomes part of a reply.
#pragma once

#include "resolve/reply.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::resolve {

/// A pattern that can stand in a reply and mean there what the policy means: RFC 8461 §3.2 in form, of two
/// labels at least (Postfix reads `hostname`, `nexthop` and `dot-nexthop` in `match=` as orders, not as
/// names), no address.
bool speakable_pattern(std::string_view pattern);
/// The same of the name of a host; an underscore is seen in the wild and harmless.
bool speakable_host(std::string_view host);
/// A line of a policy that Postfix can take between `{ policy_string = ` and ` }`.
bool speakable_line(std::string_view line);

/// Those of the patterns that can be spoken, lower case, each once, in the policy's order.
std::vector<std::string> patterns_for(const sts::policy& policy);
/// The lines of its text that can be spoken; its canonical lines where the text has none.
std::vector<std::string> lines_for(const sts::held_policy& held);

/// What the names in `match=` come from.
struct match_list {
    std::vector<std::string> names; ///< patterns as Postfix and Sendmail write them (`.b.example`), or hosts
    bool concrete = false;          ///< hosts, looked up and admitted
};
/// The patterns themselves: Sendmail and Postfix compare with them.
match_list match_patterns(const tls_decision& decision);
/// The MX hosts that the policy admits, where they are known; else the patterns. Empty: it admits none.
match_list match_hosts(const tls_decision& decision);

/// ` policy_type=sts …` for Postfix 3.10, or nothing where it cannot be said in full.
std::optional<std::string> tlsrpt_attributes(const tls_decision& decision);

/// The policy that this decision makes a mail server keep, where it has to keep one.
const sts::held_policy* enforced_policy(const tls_decision& decision);
/// True where the only thing unknown is DANE, so that a mail server which looks for it by itself may go on.
bool only_dane_is_unknown(const tls_decision& decision);
/// Why no mail can go although (or because) the policy is known: it admits no host.
std::string nothing_admitted(const tls_decision& decision);

} // namespace mailtight::resolve
