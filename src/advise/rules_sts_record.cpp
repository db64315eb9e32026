// SPDX-License-Identifier: Apache-2.0
// What is wrong with the TXT record `_mta-sts` and with the DNS around it.
#include "advise/record_issues.h"
#include "advise/rules.h"
#include "advise/words.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace mailtight::advise {
namespace {

using findings::severity;

std::string record_name(const reading& r) {
    return "_mta-sts." + r.seen.domain; // 8461-3.1-a
}

bool names_a_record(const model::txt_fact& fact) {
    return fact.ok() && std::ranges::any_of(fact.texts, [](const std::string& text) {
               return sts::claims_record(text) || meant_as_record(text, "STSv1");
           });
}

bool wildcard_text(const reading& r, const model::txt_fact& fact) {
    return r.seen.wildcard_txt.ok() && r.seen.wildcard_txt.texts == fact.texts;
}

bool doubled(const reading& r) {
    return names_a_record(r.seen.sts_doubled) && !wildcard_text(r, r.seen.sts_doubled);
}

bool obsolete(const reading& r) {
    const model::txt_fact& fact = r.seen.sts_obsolete;
    return fact.ok() && !wildcard_text(r, fact) &&
           std::ranges::any_of(fact.texts, [](const std::string& text) {
               return base::lower(text.substr(0, 64)).starts_with("v=sts");
           });
}

bool parent_protected(const reading& r) {
    return !r.seen.parent.domain.empty() && names_a_record(r.seen.parent.sts_txt);
}

/// Why there is no record: the most useful of the reasons (rules.h, 2).
void nothing_published(const reading& r, collector& out) {
    if (doubled(r) || obsolete(r))
        return; // told by misplaced()
    if (parent_protected(r)) {
        // 8461-3.4-c: no sender looks in the parent domain
        out.emit("subdomain.unprotected",
                 {.subject = r.seen.domain,
                  .message = fmt::format(
                      "{} has an MTA-STS record, {} has none, and senders do not look at the parent",
                      r.seen.parent.domain, r.seen.domain),
                  .evidence = fmt::format("{}: {}", "_mta-sts." + r.seen.parent.domain,
                                          quoted(r.seen.parent.sts_txt.texts))});
        return;
    }
    if (r.fetched && r.policy && r.policy->value) {
        const bool retired = r.policy->value->mode == sts::mode::none;
        out.emit(
            "policy.absent-without-record",
            {.subject = r.policy_host,
             .message = fmt::format("{} serves a policy in mode {}, but {} announces none", r.policy_host,
                                    sts::to_string(r.policy->value->mode), record_name(r)),
             .evidence = lookup_words(r.seen.sts_txt),
             .severity = retired ? std::optional(severity::info) : std::nullopt});
        return;
    }
    std::string evidence = lookup_words(r.seen.sts_txt);
    if (r.seen.sts_txt.ok())
        evidence = fmt::format("{} holds only {}", record_name(r), quoted(r.seen.sts_txt.texts));
    if (names_a_record(r.seen.apex_txt))
        evidence +=
            fmt::format("; a text meant for it stands at {} itself, where no sender looks", r.seen.domain);
    out.emit("sts-record.absent",
             {.subject = record_name(r),
              .evidence = evidence,
              .severity = r.seen.null_mx ? std::optional(severity::info) : std::nullopt});
}

void misplaced(const reading& r, collector& out) {
    if (doubled(r))
        out.emit("sts-record.doubled-name",
                 {.subject = r.seen.sts_doubled.name,
                  .message = fmt::format("the MTA-STS record stands at {} in place of {}",
                                         r.seen.sts_doubled.name, record_name(r)),
                  .evidence = quoted(r.seen.sts_doubled.texts)});
    if (obsolete(r))
        out.emit("sts-record.obsolete-name",
                 {.subject = r.seen.sts_obsolete.name, .evidence = quoted(r.seen.sts_obsolete.texts)});
}

/// Exactly one record counts (or one text was meant to be one) and it is not right.
void faulty_record(const reading& r, collector& out) {
    const std::string name = record_name(r);
    if (r.sts_set.result == sts::rrset_judgement::outcome::absent) {
        out.emit("sts-record.syntax", // 8461-3.1-i, 8461-3.1-m, 8461-3.1-n
                 {.subject = name,
                  .message = "the text at this name does not begin with exactly v=STSv1; and so is no record",
                  .evidence = quoted(r.seen.sts_txt.texts)});
        return;
    }
    const std::string& text = r.seen.sts_txt.texts.at(*r.sts_set.chosen);
    for (record_fault& f : sts_faults(r.sts_set.judgement))
        out.emit(f.code, {.subject = name,
                          .message = std::move(f.message),
                          .evidence = fmt::format("\"{}\"", text),
                          .severity = f.severity});
}

void surroundings(const reading& r, collector& out) {
    const std::string name = record_name(r);
    if (r.sts_by_wildcard && !r.seen.wildcard_txt.texts.empty())
        out.emit("sts-record.wildcard",
                 {.subject = name,
                  .evidence = fmt::format("{}, a name made up for this question, gives the same answer: {}",
                                          r.seen.wildcard_txt.name, quoted(r.seen.wildcard_txt.texts))});
    const bool counts = r.sts == record_state::valid || r.sts == record_state::multiple ||
                        (r.sts == record_state::invalid && r.sts_set.chosen);
    if (counts && !r.sts_set.unrelated.empty() && !r.sts_by_wildcard) {
        std::vector<std::string> texts;
        for (const std::size_t index : r.sts_set.unrelated)
            texts.push_back(r.seen.sts_txt.texts.at(index));
        out.emit("sts-record.unrelated-txt", {.subject = name, .evidence = quoted(texts)}); // 8461-3.1-n
    }
}

void authoritative_servers(const reading& r, collector& out) {
    std::map<std::vector<std::string>, std::vector<std::string>> by_answer;
    for (const model::server_answer& answer : r.seen.sts_by_server) {
        const bool says_something = answer.status == model::dns_status::ok ||
                                    answer.status == model::dns_status::no_data ||
                                    answer.status == model::dns_status::nx_domain;
        if (says_something)
            by_answer[answer.texts].push_back(
                fmt::format("{} ({})", answer.server, answer.address.to_string()));
    }
    if (by_answer.size() < 2)
        return;
    std::vector<std::string> evidence;
    for (const auto& [texts, servers] : by_answer)
        evidence.push_back(fmt::format("{}: {}", list(servers), texts.empty() ? "no record" : quoted(texts)));
    out.emit("sts-record.servers-disagree",
             {.subject = record_name(r), .evidence = base::join(evidence, "; ")});
}

} // namespace

void sts_record_rules(const reading& r, collector& out) {
    const std::string name = record_name(r);
    switch (r.sts) {
    case record_state::not_asked:
        break;
    case record_state::failed:
        out.emit("sts-record.lookup-failed", {.subject = name, .evidence = lookup_words(r.seen.sts_txt)});
        return;
    case record_state::absent:
        nothing_published(r, out);
        break;
    case record_state::dangling: // 8461-3.1-t
        out.emit("sts-record.cname-dangling",
                 {.subject = name,
                  .message = fmt::format("{} is an alias of {}, which has no MTA-STS record", name,
                                         r.seen.sts_txt.owner()),
                  .evidence = lookup_words(r.seen.sts_txt)});
        break;
    case record_state::loop: // 8461-3.1-t
        out.emit("sts-record.cname-loop", {.subject = name, .evidence = lookup_words(r.seen.sts_txt)});
        break;
    case record_state::multiple: { // 8461-3.1-o
        std::vector<std::string> texts;
        for (const std::size_t index : r.sts_set.counted)
            texts.push_back(r.seen.sts_txt.texts.at(index));
        out.emit("sts-record.multiple", {.subject = name, .evidence = quoted(texts)});
        break;
    }
    case record_state::invalid:
    case record_state::valid:
        faulty_record(r, out);
        break;
    }
    misplaced(r, out);
    surroundings(r, out);
    authoritative_servers(r, out);
}

} // namespace mailtight::advise
