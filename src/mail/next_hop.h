// SPDX-License-Identifier: Apache-2.0
// What a mail server's look-up key names (A19, RFC 8461 §3.4): a mail domain, a smart host in
// brackets, or something that has no policy. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mailtight::mail {

struct next_hop {
    enum class kind {
        domain,     ///< MX hosts are looked up for it
        smart_host, ///< `[host]` or `[host]:port`: the host itself, without MX (8461-3.4-a)
        // without a policy, and why
        empty,
        parent,          ///< `.example.com`, which Postfix asks after every miss (8461-3.4-c)
        address_literal, ///< 8461-3.4-b
        local_path,      ///< a unix path, as LMTP transports have it
        single_label,    ///< `localhost`, `[mail]`: no public Policy Domain has one label
        not_a_name,      ///< anything that DNS cannot hold, or too long for `_mta-sts.` in front
    };
    kind what = kind::empty;
    std::string domain; ///< A-labels, lower case, no trailing dot; "" where it has no policy
    /// `host:port`, `[host]:port`; the policy does not depend on it (A18), TLSA does. 0: a service whose
    /// number is not known.
    std::uint16_t port = 25;
    bool can_have_policy() const { return what == kind::domain || what == kind::smart_host; }
    friend bool operator==(const next_hop&, const next_hop&) = default;
};
/// Understands a key in any case, with U-labels (8461-3.1-a), a trailing dot, brackets, a port.
next_hop parse_next_hop(std::string_view key);
/// Why the key has no policy, for a person; "" where it can have one.
std::string_view explain(next_hop::kind what);

} // namespace mailtight::mail
