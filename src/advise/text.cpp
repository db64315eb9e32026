// SPDX-License-Identifier: Apache-2.0
// The person's view: the verdict first, then the four parts, the mail servers, what is wrong (worst first),
// what to publish. Nothing is shown twice, and every problem ends with what to do.
#include "advise/text.h"

#include "advise/dns_forms.h"
#include "advise/page.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::advise {

namespace {

std::string count(std::size_t number, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", number, number == 1 ? one : many);
}

// The headline

ink ink_of(verdict v) {
    switch (v) {
    case verdict::protected_:
        return ink::green;
    case verdict::broken:
    case verdict::unreachable:
        return ink::red;
    default:
        return ink::yellow;
    }
}

std::string verdict_sentence(const model::observation& seen, const judgement& judged) {
    switch (judged.verdict) {
    case verdict::protected_:
        return "Senders that support MTA-STS deliver only over authenticated TLS, and everything they need "
               "is in order.";
    case verdict::testing:
        return judged.ready_to_enforce.value_or(false)
                   ? "The policy is in testing, and everything passes. Read the TLS reports of two weeks "
                     "before "
                     "you enforce."
                   : "The policy is in testing: senders report failures, and deliver all the same.";
    case verdict::unverified: {
        if (!seen.smtp_tried)
            return "The records and the policy are correct. The mail servers were NOT tested (--no-smtp): "
                   "run it again without that option.";
        if (seen.port25_closed)
            return fmt::format(
                "The mail servers were NOT tested: outgoing port 25 is blocked here ({}). The records and "
                "the policy are correct. Run this again from a host where port 25 is open, such as the "
                "mail server itself.",
                shown(seen.port25_detail));
        return "Some or all mail servers were NOT tested. The records and the policy are correct. Run this "
               "again from a host that reaches them on port 25.";
    }
    case verdict::retiring:
        return "The policy says none: senders that fetch it again stop applying MTA-STS.";
    case verdict::broken:
        return judged.mode == sts::mode::enforce
                   ? "MTA-STS is published with errors, in enforce: senders that support it refuse or delay "
                     "mail, or ignore the policy."
                   : "MTA-STS is published with errors: senders cannot rely on it as it is.";
    case verdict::absent:
        if (judged.no_such_domain)
            return "This domain does not exist in DNS. Is the name spelled correctly? If it is, the domain "
                   "may "
                   "have expired, or was never registered. There is nothing to publish before it exists.";
        if (seen.null_mx)
            return "This domain takes no mail (null MX), so there is nothing that MTA-STS could protect.";
        return "This domain has no MTA-STS: anybody on the path can read its incoming mail by stripping "
               "STARTTLS.";
    case verdict::unreachable:
        return "DNS did not answer, so nothing is known about this domain. If other domains fail, too, the "
               "problem is this machine's resolver: run mailtight doctor.";
    }
    return {};
}

void headline(page& to, const model::observation& seen, const judgement& judged) {
    std::string name = shown(seen.domain);
    if (!seen.display.empty() && seen.display != seen.domain)
        name = shown(seen.display) + " (" + name + ")";
    std::string word(to_string(judged.verdict));
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::toupper(c); });
    if (judged.no_such_domain)
        word = "DOES NOT EXIST";
    if (judged.mode && judged.verdict == verdict::broken)
        word += fmt::format(" (mode {})", sts::to_string(*judged.mode));
    to.line(to.paint(ink::bold, name) + ": " + to.paint(ink_of(judged.verdict), word));
    to.wrapped("", verdict_sentence(seen, judged));
    for (const auto& note : seen.notes)
        to.wrapped("Note: ", shown(note), ink::dim);
}

// The four parts

void part(page& to, std::string_view name, part_state state, const std::string& words) {
    ink colour = ink::dim;
    std::string word(to_string(state));
    switch (state) {
    case part_state::valid:
        colour = ink::green;
        break;
    case part_state::invalid:
        colour = ink::red;
        word = "INVALID";
        break;
    case part_state::missing:
        colour = ink::yellow;
        break;
    case part_state::not_tested:
        word = "not tested";
        break;
    }
    to.wrapped("  " + padded(name, 16) + to.paint(colour, padded(word, 12)), words);
}

std::string mail_servers_words(const judgement& judged) {
    if (judged.mx.empty())
        return {};
    std::size_t pass = 0, untested = 0, outside = 0;
    for (const auto& host : judged.mx) {
        pass += host.all_pass();
        outside += !host.in_policy.value_or(true);
        untested += host.any_not_tested();
    }
    std::string words = fmt::format("{} of {} pass", pass, count(judged.mx.size(), "MX host", "MX hosts"));
    if (untested)
        words += fmt::format(", {} not tested", untested);
    if (outside)
        words += fmt::format(", {} not in the policy", outside);
    return words;
}

/// What stands in the way of a part, in the words of its worst finding.
std::string worst_of(const judgement& judged, std::string_view part_name) {
    for (const auto& one : judged.findings) {
        const auto* entry = findings::find_code(one.code);
        if (entry && entry->part == part_name && one.severity == findings::severity::error)
            return shown(one.message);
    }
    return {};
}

void parts(page& to, const model::observation& seen, const judgement& judged) {
    to.line();
    std::string policy;
    if (judged.policy)
        policy = fmt::format("mode {}, max_age {} ({})", sts::to_string(judged.policy->mode),
                             judged.policy->max_age,
                             base::format_duration(std::chrono::seconds(judged.policy->effective_max_age())));
    std::vector<std::string> rua;
    if (judged.tlsrpt_value)
        for (const auto& uri : judged.tlsrpt_value->rua)
            rua.push_back(shown(uri.text));
    part(to, "MTA-STS record", judged.sts_record,
         judged.sts_value ? "id " + shown(judged.sts_value->id)
                          : (seen.sts_txt.texts.empty() ? std::string() : shown(seen.sts_txt.texts.front())));
    part(to, "Policy file", judged.policy_file, policy.empty() ? worst_of(judged, "policy_file") : policy);
    part(to, "Mail servers", judged.mail_servers, mail_servers_words(judged));
    part(to, "TLSRPT record", judged.tlsrpt_record,
         rua.empty() ? worst_of(judged, "tlsrpt_record") : base::join(rua, ", "));
}

// The mail servers

std::string best_certificate(const model::mx_host_fact& host) {
    for (const auto& probe : host.probes)
        if (probe.tls.completed() && !probe.tls.chain.empty()) {
            const auto& leaf = probe.tls.chain.front();
            return fmt::format("{}, certificate by {} until {}", probe.tls.version,
                               shown(leaf.issuer_organization), base::format_date(leaf.not_after));
        }
    return {};
}

void mail_servers(page& to, const model::observation& seen, const judgement& judged) {
    if (judged.mx.empty())
        return;
    to.heading("Mail servers");
    for (const auto& host : judged.mx) {
        const model::mx_host_fact* fact = nullptr;
        for (const auto& one : seen.mx)
            if (one.host == host.host)
                fact = &one;
        std::string head = "  " + shown(host.host);
        if (fact)
            head += seen.implicit_mx ? " (no MX record: the domain itself)"
                                     : fmt::format(" (preference {})", fact->preference);
        if (host.in_policy)
            head += *host.in_policy ? ", in the policy" + (host.admitted_by == host.host
                                                               ? std::string()
                                                               : " by " + shown(host.admitted_by))
                                    : ", " + to.paint(ink::red, "NOT in the policy");
        if (host.dane)
            head += ", DANE " + shown(*host.dane);
        to.line(head);
        if (host.all_pass()) {
            to.wrapped("    " + to.paint(ink::green, "pass") + "  ",
                       "all five criteria" + (fact ? ": " + best_certificate(*fact) : std::string()));
            continue;
        }
        std::vector<std::string> passed, untested;
        for (const auto& one : host.criteria) {
            if (one.state == criterion_state::pass)
                passed.push_back(one.name);
            else if (one.state == criterion_state::not_tested)
                untested.push_back(one.name);
        }
        for (const auto& one : host.criteria)
            if (one.state == criterion_state::fail)
                to.wrapped("    " + to.paint(ink::red, "FAIL") + "  ",
                           one.name + (one.why.empty() ? "" : ": " + shown(one.why)));
        if (!passed.empty())
            to.wrapped("    " + to.paint(ink::green, "pass") + "  ", base::join(passed, "; "));
        if (!untested.empty())
            to.wrapped("    " + to.paint(ink::dim, "not tested") + "  ", base::join(untested, "; "),
                       ink::dim);
    }
}

// The findings

ink ink_of(findings::severity s) {
    switch (s) {
    case findings::severity::error:
        return ink::red;
    case findings::severity::warning:
        return ink::yellow;
    case findings::severity::info:
        return ink::blue;
    case findings::severity::ok:
        return ink::green;
    }
    return ink::plain;
}

void finding(page& to, const findings::finding& one) {
    const std::string word(findings::to_string(one.severity));
    to.line();
    to.line("  " + to.paint(ink_of(one.severity), word) + "  " + one.code +
            (one.subject.empty() ? "" : "  " + to.paint(ink::bold, shown(one.subject))));
    auto row = [&](std::string_view name, const std::string& text) {
        if (!text.empty())
            to.wrapped("    " + padded(name, 6), shown(text));
    };
    to.wrapped("    ", shown(one.message));
    row("seen", one.evidence);
    row("then", one.consequence);
    row("fix", one.fix);
    if (!one.reference.empty())
        to.wrapped("          ", one.reference, ink::dim);
}

void findings_list(page& to, const std::vector<findings::finding>& found) {
    std::size_t errors = 0, warnings = 0, infos = 0;
    for (const auto& one : found) {
        errors += one.severity == findings::severity::error;
        warnings += one.severity == findings::severity::warning;
        infos += one.severity == findings::severity::info;
    }
    if (errors + warnings + infos == 0) {
        to.heading("Findings: none");
        return;
    }
    std::vector<std::string> counts;
    if (errors)
        counts.push_back(count(errors, "error", "errors"));
    if (warnings)
        counts.push_back(count(warnings, "warning", "warnings"));
    if (infos)
        counts.push_back(fmt::format("{} for information", infos));
    to.heading("Findings: " + base::join(counts, ", "));
    for (const auto& one : found)
        finding(to, one);
}

// What to publish

void policy_text(page& to, const std::string& policy) {
    for (auto part : base::split(policy, '\n')) {
        part = base::trim(part);
        if (!part.empty())
            to.line("       " + shown(part));
    }
}

void suggestion_text(page& to, const model::observation& seen, const judgement& judged) {
    const auto& made = judged.suggestion;
    const bool all_right =
        made.policy_already_right && std::all_of(made.records.begin(), made.records.end(),
                                                 [](const auto& one) { return one.already_right; });
    if (judged.no_such_domain || (made.policy.empty() && made.records.empty()))
        return;
    if (all_right) {
        to.heading("To publish: nothing; everything is as it should be");
        for (const auto& remark : made.remarks)
            to.wrapped("  ", shown(remark));
        return;
    }
    to.heading("To publish, in this order" +
               (made.provider.empty() ? std::string() : " (mail at " + shown(made.provider) + ")"));
    auto record = [&](const suggested_record& one) {
        if (one.already_right) {
            to.wrapped(fmt::format("  {}. ", one.step),
                       fmt::format("{} {}: correct already", shown(one.name), one.type), ink::dim);
            return;
        }
        to.line(fmt::format("  {}. {}  {}  {}", one.step, to.paint(ink::bold, shown(one.name)), one.type,
                            shown(one.value)));
        if (!one.why.empty())
            to.wrapped("     ", shown(one.why), ink::dim);
        if (const auto instead = instead_words(one); !instead.empty())
            to.wrapped("     ", instead);
    };
    for (const auto& one : made.records)
        if (one.step < 3)
            record(one);
    if (!made.policy.empty()) {
        to.line(fmt::format(
            "  3. {}{}", to.paint(ink::bold, "https://mta-sts." + seen.domain + "/.well-known/mta-sts.txt"),
            made.policy_already_right ? "  correct already" : ""));
        if (!made.policy_already_right)
            policy_text(to, made.policy);
    }
    for (const auto& one : made.records)
        if (one.step > 3)
            record(one);
    if (!made.needs.empty())
        to.wrapped("  ", "Replace what is in capitals: " + base::join(made.needs, ", ") + ".");
    for (const auto& remark : made.remarks)
        to.wrapped("  ", shown(remark));
    to.wrapped("  ", fmt::format("In the form your DNS provider uses: mailtight dns {}", seen.domain),
               ink::dim);
}

} // namespace

std::string check_text(const model::observation& seen, const judgement& judged, const style& how) {
    page to(how);
    headline(to, seen, judged);
    if (!judged.no_such_domain)
        parts(to, seen, judged);
    mail_servers(to, seen, judged);
    findings_list(to, judged.findings);
    if (judged.verdict != verdict::unreachable) // nothing is known that a suggestion could be made of
        suggestion_text(to, seen, judged);
    if (!judged.also_recommended.empty()) {
        to.line();
        to.wrapped("Also recommended: ", shown(judged.also_recommended));
    }
    return to.take();
}

std::string lint_text(const lint_result& result, const style& how) {
    page to(how);
    const char* what = result.what == lint_result::kind::sts      ? "MTA-STS record"
                       : result.what == lint_result::kind::tlsrpt ? "TLSRPT record"
                                                                  : "policy";
    to.line(fmt::format("{}: {}", what,
                        result.valid ? to.paint(ink::green, "valid") : to.paint(ink::red, "NOT valid")));
    for (const auto& one : result.findings)
        finding(to, one);
    return to.take();
}

} // namespace mailtight::advise
