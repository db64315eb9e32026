// SPDX-License-Identifier: Apache-2.0
// Everything seen of one domain in one look: facts with their evidence, no judgement. `observe` fills it,
// `advise` reads it, tests write it by hand. A fact that was not looked for says so (not_asked, not_tried).
#pragma once

#include "base/time.h"
#include "model/dns_facts.h"
#include "model/probe_facts.h"
#include "model/report_evidence.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::model {

/// One MX host as seen.
struct mx_host_fact {
    std::string host; ///< MX target as written (lower case); for an implicit MX the domain itself
    std::uint16_t preference = 0;
    bool is_address_literal = false; ///< an address stands where a name belongs
    address_fact addresses;          ///< chain of `addresses.a` shows that the target is a CNAME
    std::vector<smtp_fact> probes;   ///< one an address
    tlsa_fact tlsa;                  ///< at _25._tcp.<TLSA base domain>
    std::string tlsa_base; ///< the TLSA base domain (RFC 7672 §2.2.3), or "" where none was found or asked
    txt_fact host_tlsrpt;  ///< `_smtp._tls.<host>`, looked up only where a TLSA RRset is secure
};

/// One report address of the TLSRPT record and whether it can work.
struct rua_fact {
    std::string uri;
    bool mailto = false;
    mx_set_fact mx;         ///< mailto: of the address's domain
    address_fact addresses; ///< mailto without MX: of the domain; https: of the host
    connect_outcome connect = connect_outcome::not_tried; ///< https: best over all addresses
    tls_fact tls;                                         ///< https
    std::string detail;
};

/// Which mail service answers for the domain's policy elsewhere (delegation), or a parent's policy.
struct parent_fact {
    std::string domain; ///< the organisational domain, where the checked name is below it; "" else
    txt_fact sts_txt;
};

struct observation {
    std::string domain;  ///< A-label form
    std::string display; ///< U-label form
    base::utc_seconds checked_at{};
    std::vector<std::string> notes; ///< what was understood of the typed name, options that narrowed the look

    // DNS of the records
    txt_fact sts_txt;                         ///< `_mta-sts.D`
    std::vector<server_answer> sts_by_server; ///< each authoritative server asked directly
    txt_fact tlsrpt_txt;                      ///< `_smtp._tls.D`
    txt_fact sts_doubled;                     ///< `_mta-sts.D.D`
    txt_fact tlsrpt_doubled;                  ///< `_smtp._tls.D.D`
    txt_fact sts_obsolete;                    ///< `_smtp_sts.D` / `_smtp-sts.D` of old drafts
    txt_fact wildcard_txt;                    ///< a random sibling label `_<random>.D`
    txt_fact apex_txt;  ///< D itself: SPF, and STS or TLSRPT records put in the wrong place
    txt_fact dmarc_txt; ///< `_dmarc.D`, else of the organisational domain
    dns_fact zone_soa;  ///< name = the zone that holds D
    ns_fact zone_ns;
    parent_fact parent;

    // policy host
    address_fact policy_host;         ///< `mta-sts.D`
    address_fact policy_host_sibling; ///< random sibling of `mta-sts.D`, where a wildcard may answer
    std::vector<fetch_fact>
        fetches;  ///< one an address with the default agent, then the other agents on the first good one
    caa_fact caa; ///< for `mta-sts.D`, climbed

    // mail
    mx_set_fact mx_set;
    bool implicit_mx = false; ///< no MX record: the domain itself
    bool null_mx = false;     ///< a single `0 .`
    std::vector<mx_host_fact> mx;
    std::size_t mx_not_looked_at = 0; ///< hosts beyond limits::mx_hosts
    bool smtp_tried = false;          ///< false with --no-smtp
    bool port25_closed =
        false; ///< every port-25 connection of the run failed locally, and the control host too
    std::string port25_detail;

    std::vector<rua_fact> rua;

    // history, where there is any (the last run, the store); empty in a first look
    std::optional<std::string> last_policy_sha256, last_id;
    std::optional<std::vector<mx_record>> last_mx;
    std::optional<base::utc_seconds> testing_since;
    /// Names below that take mail and have no policy, where the domain is looked after.
    std::vector<std::string> unprotected_below;
    std::optional<report_evidence> reports; ///< where a store knows the domain
};

} // namespace mailtight::model
