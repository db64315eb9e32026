// SPDX-License-Identifier: Apache-2.0
// What is wrong with the policy that the host serves.
#include "advise/policy_issues.h"
#include "advise/providers.h"
#include "advise/rules.h"
#include "advise/words.h"
#include "base/encode.h"
#include "base/text.h"
#include "mail/domain_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace mailtight::advise {
namespace {

using findings::severity;

void text_rules(const reading& r, collector& out) {
    for (policy_fault& f : text_faults(*r.policy))
        out.emit(f.code, {.subject = r.policy_url,
                          .message = std::move(f.message),
                          .evidence = std::move(f.evidence),
                          .severity = f.severity,
                          .consequence = std::move(f.consequence)});
}

void wisdom_rules(const reading& r, collector& out) {
    const sts::policy& policy = *r.policy->value;
    if (policy.mode == sts::mode::none) {
        out.emit("policy.mode-none", {.subject = r.policy_url, .evidence = "mode: none"}); // 8461-8.3-a
        return;
    }
    const mail_provider* provider = provider_of(r.hosts);
    std::set<std::string> told;
    for (policy_fault& f : wisdom_faults(policy, provider ? provider->max_age : 0)) {
        told.insert(f.evidence);
        out.emit(f.code, {.subject = r.policy_url,
                          .message = std::move(f.message),
                          .evidence = std::move(f.evidence),
                          .severity = f.severity});
    }
    // 8461-10.4-a: a wildcard over one's own domain is what many guides show; it deserves a word, no more.
    const std::string own = mail::organizational_domain(r.seen.domain);
    for (const std::string& pattern : policy.mx)
        if (base::iequals(pattern, "*." + own) && !told.contains("mx: " + pattern))
            out.emit("policy.wildcard-too-broad",
                     {.subject = r.policy_url,
                      .message = fmt::format("{} admits every host that can get a certificate below {}",
                                             pattern, own),
                      .evidence = "mx: " + pattern,
                      .severity = severity::info});
}

/// The policy host is an alias of another domain's policy host.
void shared_rules(const reading& r, collector& out) {
    for (const auto* chain : {&r.seen.policy_host.a.chain, &r.seen.policy_host.aaaa.chain})
        for (const std::string& target : *chain) {
            const bool foreign = target.starts_with("mta-sts.") && target != r.policy_host;
            // A provider's own host (they delegate the record too) is what it is for.
            if (!foreign || !r.seen.sts_txt.chain.empty() || is_policy_service(target))
                continue;
            out.emit("policy.shared", {.subject = r.policy_host,
                                       .message = fmt::format("{} is an alias of {}", r.policy_host, target),
                                       .evidence = fmt::format("CNAME {}", target)});
            return;
        }
}

/// What only the last look can tell: policy and id change together (8461-3.1-e).
void history_rules(const reading& r, collector& out) {
    const auto& seen = r.seen;
    if (seen.last_policy_sha256 && seen.last_id && r.sts == record_state::valid) {
        const bool text_changed = base::hex(base::sha256(r.primary->body)) != *seen.last_policy_sha256;
        const std::string& id = r.sts_set.judgement.value->id;
        const bool id_changed = id != *seen.last_id;
        if (text_changed && !id_changed)
            out.emit("policy.changed-without-id",
                     {.subject = r.policy_url, .evidence = fmt::format("id={} as at the last look", id)});
        if (!text_changed && id_changed)
            out.emit(
                "policy.id-changed-without-policy",
                {.subject = r.policy_url, .evidence = fmt::format("id={}, before {}", id, *seen.last_id)});
    }
    constexpr auto long_enough = std::chrono::days(30);
    if (seen.testing_since && r.readable() && r.readable()->mode == sts::mode::testing &&
        seen.checked_at - *seen.testing_since > long_enough)
        out.emit("policy.mode-testing-long",
                 {.subject = r.policy_url,
                  .evidence = fmt::format("in testing since {}", base::format_date(*seen.testing_since))});
}

} // namespace

void policy_rules(const reading& r, collector& out) {
    if (!r.published || !r.fetched)
        return; // what senders cannot fetch they do not read (rules.h, 3)
    text_rules(r, out);
    if (r.readable())
        wisdom_rules(r, out);
    shared_rules(r, out);
    history_rules(r, out);
}

} // namespace mailtight::advise
