// SPDX-License-Identifier: Apache-2.0
// What concerns several parts at once: delegation, and the authority that has to renew the certificate.
#include "advise/issuers.h"
#include "advise/rules.h"
#include "advise/words.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::advise {
namespace {

void delegation(const reading& r, collector& out) {
    if (!half_delegated(r))
        return;
    out.emit("delegation.half", // 8461-8.2-a, 8461-8.2-b
             {.subject = r.policy_host,
              .message = fmt::format("_mta-sts.{} is delegated to {}, but {} does not exist", r.seen.domain,
                                     r.seen.sts_txt.owner(), r.policy_host),
              .evidence = lookup_words(r.seen.sts_txt) + "; " + lookup_words(r.seen.policy_host.a)});
}

/// The certificate that the policy host shows, where it is one that has to be renewed.
const base::certificate* policy_certificate(const reading& r) {
    for (const auto* fetch : r.by_address)
        if (fetch->tls.certificate_ok() && !fetch->tls.chain.empty())
            return &fetch->tls.chain.front();
    return nullptr;
}

/// RFC 8659 §4.3: for a wildcard certificate `issuewild` counts where there is one, else `issue`.
void renewal(const reading& r, collector& out) {
    const model::caa_fact& caa = r.seen.caa;
    const base::certificate* leaf = policy_certificate(r);
    if (!r.published || !leaf || !caa.ok())
        return;
    const bool named = std::ranges::any_of(
        leaf->dns_names, [&](const auto& name) { return base::iequals(name, r.policy_host); });
    const auto has_tag = [&](std::string_view tag) {
        return std::ranges::any_of(caa.records, [&](const auto& e) { return base::iequals(e.tag, tag); });
    };
    const std::string_view tag = !named && has_tag("issuewild") ? "issuewild" : "issue";
    if (!has_tag(tag))
        return; // nothing is restricted
    std::vector<std::string> allowed;
    for (const auto& entry : caa.records)
        if (base::iequals(entry.tag, tag)) {
            const std::string_view value = entry.value;
            allowed.push_back(base::lower(base::trim(value.substr(0, value.find(';')))));
        }
    const bool forbids_all = std::ranges::all_of(allowed, [](const auto& name) { return name.empty(); });
    const auto names =
        caa_names_of(leaf->issuer_organization.empty() ? leaf->issuer : leaf->issuer_organization);
    if (names.empty() && !forbids_all)
        return; // an authority that we do not know: no judgement
    if (std::ranges::any_of(names, [&](const auto& name) { return std::ranges::count(allowed, name) > 0; }))
        return;
    out.emit(
        "caa.forbids-issuer",
        {.subject = caa.found_at.empty() ? caa.name : caa.found_at,
         .message = fmt::format("the CAA records do not allow {}, which issued the certificate of {}",
                                leaf->issuer_organization.empty() ? leaf->issuer : leaf->issuer_organization,
                                r.policy_host),
         .evidence = forbids_all ? fmt::format("{} \";\" forbids every authority", tag)
                                 : fmt::format("{} {}", tag, list(allowed))});
}

/// 8461-3.4-c: names below that take mail; each by itself while they are few.
void names_below(const reading& r, collector& out) {
    constexpr std::size_t by_itself = 10;
    const auto& names = r.seen.unprotected_below;
    if (!r.published)
        return; // then the domain itself is the matter
    for (std::size_t i = 0; i < std::min(names.size(), by_itself); ++i)
        out.emit("subdomain.unprotected",
                 {.subject = names[i],
                  .message = fmt::format("{} takes mail and has no policy: that of {} does not cover it",
                                         names[i], r.seen.domain),
                  .fix = fmt::format("mailtight domain add {} --like {}", names[i], r.seen.domain)});
    if (names.size() <= by_itself)
        return;
    const std::vector<std::string> others(names.begin() + by_itself, names.end());
    out.emit("subdomain.unprotected",
             {.subject = "*." + r.seen.domain,
              .message = fmt::format("{} more names below {} take mail and have no policy", others.size(),
                                     r.seen.domain),
              .evidence = list(others, 50),
              .fix = fmt::format("mailtight domain add NAME --like {}, for each of them", r.seen.domain)});
}

} // namespace

bool no_domain_rule(const reading& r, collector& out) {
    if (r.no_such_domain)
        out.emit("domain.absent", {.subject = r.seen.domain, .evidence = lookup_words(r.seen.mx_set)});
    return r.no_such_domain;
}

void across_rules(const reading& r, collector& out) {
    delegation(r, out);
    renewal(r, out);
    names_below(r, out);
}

} // namespace mailtight::advise
