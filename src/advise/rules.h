// SPDX-License-Identifier: Apache-2.0
// The rules, one file a part. Each is a pure function from what was seen to findings. What was not looked for
// (not_asked, not_tried) yields nothing, ever.
//
// One cause, one code. What stands back for what:
//  1. DNS silent for `_mta-sts` and no policy fetched: sts-record.lookup-failed alone; MX and TLSRPT look-ups
//  that
//     failed too are the same cause.
//  2. No MTA-STS record: neither policy host nor policy are judged. A served policy gives
//     policy.absent-without-record in place of sts-record.absent; so do a doubled name, an obsolete name and
//     a protected parent (subdomain.unprotected), in this order: doubled, obsolete, parent, file, absent.
//  3. A policy host that cannot be reached or trusted yields its fault; the text is judged only where a body
//  came,
//     and a body of a failed TLS or HTTP exchange is not judged at all.
//  4. One address at fault beside a good one: addresses-disagree with the fault as evidence. The specific
//  code is for
//     a fault that all addresses share. Unreachable, IPv6-dead and non-public addresses keep their own codes.
//  5. self-signed before chain-incomplete before untrusted; cn-only in place of name-mismatch; a certificate
//  with
//     a fault is not also said to expire soon.
//  6. Policy text: not-a-policy alone; a byte order mark, bare CRs or foreign bytes explain every syntax and
//  missing
//     field; a key in the wrong case explains itself as the missing field.
//  7. Coverage: a wildcard that cannot match explains the hosts below it; none-in-policy in place of one
//     not-in-policy a host; unused entries only where every host is covered; a literal in an MX record is not
//     also said to be outside the policy.
//  8. No mail (null MX, no MX): no coverage, no DANE.
//  9. Port 25 closed for us: mx.untestable once, no host is called unreachable.
// 10. DANE passes and the public check fails under a policy: dane.disagrees-with-sts with the faults as
// evidence, in
//     place of the mx.cert-* codes of that host.
// 11. `_mta-sts` delegated and no policy host: delegation.half in place of policy-host.no-address.
// 12. The domain does not exist: domain.absent alone, for nothing can be published in it.
#pragma once

#include "advise/collector.h"
#include "advise/reading.h"

namespace mailtight::advise {

/// Cause 12: true where the domain does not exist; then no other rule has anything to say.
bool no_domain_rule(const reading& r, collector& out);
void sts_record_rules(const reading& r, collector& out);
void policy_host_rules(const reading& r, collector& out);
void policy_rules(const reading& r, collector& out);
void coverage_rules(const reading& r, collector& out); ///< policy against MX hosts
void mx_rules(const reading& r, collector& out);
void dane_rules(const reading& r, collector& out);
void tlsrpt_rules(const reading& r, collector& out);
void across_rules(const reading& r, collector& out);
void reports_rules(const reading& r, collector& out); ///< kept reports; after the verdict

/// Cause 11: the record is delegated to a provider and the policy host does not exist.
bool half_delegated(const reading& r);

/// How the DANE check of one MX host ended, over all of its addresses.
enum class dane_state { not_checked, none, insecure, unusable, mismatch, matches };
dane_state dane_of(const model::mx_host_fact& host, const reading& r);

} // namespace mailtight::advise
