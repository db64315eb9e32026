// SPDX-License-Identifier: Apache-2.0
// What is looked at before an authority is asked for a certificate, since each of its refusals counts: do all
// addresses of the policy host lead to us, is it more than a wildcard's answer, do its CAA records admit this
// authority. The judgement is pure; look_before() asks.
#pragma once

#include "io/resolver.h"
#include "model/dns_facts.h"
#include "publish/challenge.h"

#include <string>
#include <string_view>
#include <vector>

namespace mailtight::publish {

/// What DNS says, without opinion.
struct preflight_facts {
    std::string host; ///< mta-sts.DOMAIN, or a name of ours
    model::address_fact addresses;
    model::address_fact sibling; ///< of a label that nobody can have meant; a wildcard answers for it, too
    model::caa_fact caa;         ///< of the name of the climb that had any (RFC 8659 §3)
};

struct preflight_rules {
    bool looked_after = false;
    std::vector<base::ip_address> ours;  ///< empty: not known, so that no address is held against it
    std::vector<std::string> identities; ///< the authority's names in CAA records; empty: not known
    std::string account;                 ///< URL, for accounturi (RFC 8657); "" : not known
    std::vector<challenge_kind> kinds;
    bool policy_host = true; ///< the name is to lead where policies are served; else it is a name of ours
};

struct preflight_verdict {
    std::string in_the_way; ///< for a person, with the fix; "" : go on
    /// Of the rules' kinds: those that can succeed.
    std::vector<challenge_kind> kinds;
};
preflight_verdict judge(const preflight_facts& seen, const preflight_rules& rules);

/// Asks all of it of mta-sts.DOMAIN, at once where it can. `label`: of the sibling, unguessable.
io::task<preflight_facts> look_before(io::loop& on, io::resolver& dns, std::string domain, std::string label);
/// The same of any host name.
io::task<preflight_facts> look_before_name(io::loop& on, io::resolver& dns, std::string host,
                                           std::string label);
/// Of the kinds that are configured, for a name of ours: those that can succeed by what is bound here (port
/// 443 for tls-alpn-01, port 80 for http-01) and whether its record can be written. Where neither port is
/// bound, something may lead both here, so both are left.
std::vector<challenge_kind> kinds_here(std::vector<challenge_kind> configured, bool port_443, bool port_80,
                                       bool records);
/// A label that nobody can have meant.
std::string unlikely_label();
/// The names under which an authority stands in CAA records, by the URL of its directory; empty: not known.
std::vector<std::string> caa_identities(std::string_view directory);

} // namespace mailtight::publish
