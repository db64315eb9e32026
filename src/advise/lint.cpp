// SPDX-License-Identifier: Apache-2.0
// `record lint` and `policy lint`: texts without a domain. `valid` is the verdict of the grammar alone; what
// is grammatical and unwise is valid with a finding.
#include "advise/collector.h"
#include "advise/policy_issues.h"
#include "advise/record_issues.h"
#include "base/limits.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::advise {
namespace {

std::string quoted(const std::string& text) {
    return "\"" + text.substr(0, 2000) + "\"";
}

/// Which of the two records the texts are, or were meant to be.
lint_result::kind kind_of(const std::vector<std::string>& texts) {
    using kind = lint_result::kind;
    for (const std::string& text : texts)
        if (sts::claims_record(text))
            return kind::sts;
    for (const std::string& text : texts)
        if (tlsrpt::claims_record(text) || meant_as_record(text, "TLSRPTv1") ||
            text.find("rua=") != std::string::npos)
            return kind::tlsrpt;
    return kind::sts;
}

template<class Set>
void lint_set(const Set& set, const std::vector<std::string>& texts, std::string_view prefix,
              std::string_view version, std::vector<record_fault> (*faults)(const decltype(set.judgement)&),
              collector& out) {
    using outcome = typename Set::outcome;
    const std::string subject(prefix == "tlsrpt" ? "_smtp._tls" : "_mta-sts");
    switch (set.result) {
    case outcome::absent:
        out.emit(fmt::format("{}.syntax", prefix),
                 {.subject = subject,
                  .message = fmt::format("no text begins with exactly v={};", version),
                  .evidence = texts.empty() ? std::string("no text") : quoted(texts.front())});
        return;
    case outcome::multiple:
        out.emit(fmt::format("{}.multiple", prefix),
                 {.subject = subject, .evidence = fmt::format("{} records", set.counted.size())});
        return;
    case outcome::valid:
    case outcome::invalid:
        break;
    }
    for (record_fault& f : faults(set.judgement))
        out.emit(f.code, {.subject = subject,
                          .message = std::move(f.message),
                          .evidence = quoted(texts.at(*set.chosen)),
                          .severity = f.severity});
    if (prefix == "sts-record" && !set.unrelated.empty())
        out.emit("sts-record.unrelated-txt",
                 {.subject = subject, .evidence = quoted(texts.at(set.unrelated.front()))});
}

} // namespace

int lint_result::exit_status() const {
    const bool error = std::ranges::any_of(
        findings, [](const findings::finding& f) { return f.severity == findings::severity::error; });
    return valid && !error ? 0 : 1;
}

lint_result lint_records(const std::vector<std::string>& texts) {
    const judge_options everything;
    collector out(findings::situation::enforce, "the domain", everything);
    lint_result result{.what = kind_of(texts)};
    if (result.what == lint_result::kind::tlsrpt) {
        const auto set = tlsrpt::judge_rrset(texts);
        result.tlsrpt_record = set.judgement.value;
        // The record is the set's only when one text counts (8460-3-v).
        result.valid = set.result == tlsrpt::rrset_judgement::outcome::valid && set.judgement.valid;
        lint_set(set, texts, "tlsrpt", "TLSRPTv1", tlsrpt_faults, out);
    } else {
        const auto set = sts::judge_rrset(texts);
        result.sts_record = set.judgement.value;
        result.valid = set.result == sts::rrset_judgement::outcome::valid; // 8461-3.1-o, 8461-3.1-p
        lint_set(set, texts, "sts-record", "STSv1", sts_faults, out);
    }
    result.findings = out.take();
    return result;
}

lint_result lint_policy(std::string_view body) {
    const judge_options everything;
    const sts::policy_judgement judged = sts::judge_policy(body);
    findings::situation where = findings::situation::enforce;
    if (judged.value)
        where = judged.value->mode == sts::mode::testing ? findings::situation::testing
                : judged.value->mode == sts::mode::none  ? findings::situation::none
                                                         : findings::situation::enforce;
    collector out(where, "the domain", everything);
    const auto tell = [&](std::vector<policy_fault> faults) {
        for (policy_fault& f : faults)
            out.emit(f.code, {.subject = "mta-sts.txt",
                              .message = std::move(f.message),
                              .evidence = std::move(f.evidence),
                              .severity = f.severity,
                              .consequence = std::move(f.consequence)});
    };
    tell(text_faults(judged));
    if (judged.value) {
        tell(wisdom_faults(*judged.value));
        if (judged.value->mode == sts::mode::none)
            out.emit("policy.mode-none", {.subject = "mta-sts.txt", .message = {}, .evidence = "mode: none"});
    }
    if (body.size() > base::limits::policy_bytes_comfortable && body.size() <= base::limits::policy_bytes)
        out.emit("policy-host.too-large", {.subject = "mta-sts.txt",
                                           .message = "one sender reads no more than 10 KB",
                                           .evidence = fmt::format("{} bytes", body.size()),
                                           .severity = findings::severity::warning});
    lint_result result{.valid = judged.valid, .what = lint_result::kind::policy};
    result.findings = out.take();
    result.policy = judged.value;
    return result;
}

} // namespace mailtight::advise
