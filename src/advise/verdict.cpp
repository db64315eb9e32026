// SPDX-License-Identifier: Apache-2.0
// Entry: judge(). All rules run over one reading; then parts, verdict, readiness and exit status follow from
// the findings and the criteria, as the contract of the command line says.
#include "advise/criteria.h"
#include "advise/rules.h"
#include "base/text.h"

#include <algorithm>

namespace mailtight::advise {
namespace {

part_state record_part(record_state state) {
    switch (state) {
    case record_state::not_asked:
    case record_state::failed:
        return part_state::not_tested;
    case record_state::absent:
        return part_state::missing;
    case record_state::dangling:
    case record_state::loop:
    case record_state::multiple:
    case record_state::invalid:
        return part_state::invalid;
    case record_state::valid:
        break;
    }
    return part_state::valid;
}

bool is_missing_page(const reading& r) {
    return !r.by_address.empty() && std::ranges::all_of(r.by_address, [](const auto* fetch) {
        return fetch->outcome == model::fetch_outcome::http_status &&
               (fetch->status == 404 || fetch->status == 410);
    });
}

part_state policy_part(const reading& r, const collector& found) {
    if (!r.published)
        return r.fetched && r.readable()                                           ? part_state::valid
               : r.sts == record_state::not_asked || r.sts == record_state::failed ? part_state::not_tested
                                                                                   : part_state::missing;
    if (is_missing_page(r))
        return part_state::missing;
    const auto& host = r.seen.policy_host;
    if (host.addresses.empty() && host.a.absent() && host.aaaa.absent())
        return part_state::missing;
    if (found.has_error("policy_file"))
        return part_state::invalid;
    return r.fetched ? part_state::valid : part_state::not_tested;
}

part_state servers_part(const reading& r, const std::vector<mx_judgement>& hosts, const collector& found) {
    const auto any = [&](criterion_state state) {
        return std::ranges::any_of(hosts, [&](const mx_judgement& host) {
            return std::ranges::any_of(host.criteria, [&](const criterion& c) { return c.state == state; });
        });
    };
    // In mode none nobody checks the servers, and what fails weighs less.
    const bool matters = r.situation != findings::situation::none;
    if (found.has_error("mail_servers") || (matters && any(criterion_state::fail)))
        return part_state::invalid;
    if (r.seen.null_mx)
        return part_state::missing;
    if (hosts.empty())
        return r.seen.mx_set.absent() ? part_state::missing : part_state::not_tested;
    return any(criterion_state::not_tested) || r.seen.mx_not_looked_at > 0 ? part_state::not_tested
                                                                           : part_state::valid;
}

verdict verdict_of(const reading& r, const judgement& j, const collector& found) {
    if (r.sts == record_state::not_asked || (r.sts == record_state::failed && !r.published))
        return verdict::unreachable;
    if (!r.published)
        return verdict::absent;
    for (const std::string_view part : {"sts_record", "policy_file", "mail_servers", "across"})
        if (found.has_error(part))
            return verdict::broken;
    if (!r.fetched || !r.readable())
        return r.by_address.empty() ? verdict::unverified
                                    : verdict::broken; // nothing was fetched: --no-https
    if (r.readable()->mode == sts::mode::none)
        return verdict::retiring;
    if (!r.seen.null_mx && j.mail_servers == part_state::not_tested)
        return verdict::unverified;
    return r.readable()->mode == sts::mode::enforce ? verdict::protected_ : verdict::testing;
}

std::optional<bool> readiness(const reading& r, const judgement& j, const collector& found) {
    if (j.verdict == verdict::unreachable)
        return std::nullopt;
    const bool usable = r.followed() && r.followed()->mode != sts::mode::none &&
                        !found.has_error("policy_file") && !found.has_error("sts_record") &&
                        !found.has_error("across");
    const bool refused = j.mail_servers == part_state::invalid || j.mail_servers == part_state::missing;
    if (!usable || refused || r.seen.null_mx)
        return false;
    if (j.mail_servers == part_state::not_tested)
        return std::nullopt;
    return every_criterion_passes(j.mx, r.seen);
}

std::string presence(const model::txt_fact& fact, std::string_view start) {
    if (fact.status == model::dns_status::not_asked || model::is_dns_error(fact.status))
        return "not known";
    const bool there = std::ranges::any_of(fact.texts, [&](const std::string& text) {
        return base::iequals(std::string_view(text).substr(0, start.size()), start);
    });
    return there ? "present" : "absent";
}

} // namespace

std::string_view to_string(verdict v) {
    switch (v) {
    case verdict::protected_:
        return "protected";
    case verdict::testing:
        return "testing";
    case verdict::unverified:
        return "unverified";
    case verdict::retiring:
        return "retiring";
    case verdict::broken:
        return "broken";
    case verdict::absent:
        return "absent";
    case verdict::unreachable:
        return "unreachable";
    }
    return "unreachable";
}

std::string_view to_string(part_state s) {
    switch (s) {
    case part_state::valid:
        return "valid";
    case part_state::invalid:
        return "invalid";
    case part_state::missing:
        return "missing";
    case part_state::not_tested:
        return "not-tested";
    }
    return "not-tested";
}

int judgement::exit_status() const {
    if (verdict == advise::verdict::absent || verdict == advise::verdict::broken)
        return 1;
    for (const part_state part : {sts_record, policy_file, tlsrpt_record, mail_servers})
        if (part == part_state::invalid)
            return 1;
    return verdict == advise::verdict::unverified || verdict == advise::verdict::unreachable ? 3 : 0;
}

judgement judge(const model::observation& seen, const judge_options& options) {
    const reading r = read(seen);
    collector found(r.situation, seen.domain, options);
    if (!no_domain_rule(r, found)) {
        sts_record_rules(r, found);
        policy_host_rules(r, found);
        policy_rules(r, found);
        coverage_rules(r, found);
        mx_rules(r, found);
        dane_rules(r, found);
        tlsrpt_rules(r, found);
        across_rules(r, found);
    }

    judgement j;
    j.no_such_domain = r.no_such_domain;
    if (!j.no_such_domain)
        j.mx = judge_mail_servers(r);
    j.sts_record = record_part(r.sts);
    j.tlsrpt_record = record_part(r.tlsrpt);
    if (j.tlsrpt_record == part_state::valid && found.has_error("tlsrpt_record"))
        j.tlsrpt_record = part_state::invalid;
    j.policy_file = policy_part(r, found);
    j.mail_servers = servers_part(r, j.mx, found);
    j.verdict = verdict_of(r, j, found);
    j.ready_to_enforce = readiness(r, j, found);
    if (r.primary && r.fetched) {
        j.policy_text = r.primary->body;
        if (const sts::policy* policy = r.readable()) {
            j.policy = *policy;
            if (r.published)
                j.mode = policy->mode;
        }
    }
    j.sts_value = r.sts_set.judgement.value;
    j.tlsrpt_value = r.tlsrpt_set.judgement.value;
    if (!j.no_such_domain)
        reports_rules(r, found);
    if (seen.reports && j.ready_to_enforce.value_or(false) &&
        std::ranges::any_of(seen.reports->failures, &model::report_evidence::failure::against_enforce))
        j.ready_to_enforce = false;
    j.findings = found.take();
    j.suggestion = suggest(seen, {});
    if (!j.no_such_domain)
        j.also_recommended = "SPF " + presence(seen.apex_txt, "v=spf1") + ", DMARC " +
                             presence(seen.dmarc_txt, "v=DMARC1") + ", DKIM not visible without a selector";
    return j;
}

} // namespace mailtight::advise
