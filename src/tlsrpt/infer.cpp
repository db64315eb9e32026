// SPDX-License-Identifier: Apache-2.0
#include "tlsrpt/infer.h"

#include "base/encode.h"
#include "base/host_name.h"
#include "base/text.h"
#include "tlsrpt/date_time.h"
#include "tlsrpt/write_report.h"

#include <algorithm>
#include <array>

namespace mailtight::tlsrpt {
namespace {

using std::chrono::days;
using std::chrono::seconds;

const place root{};

std::string domain_of(std::string_view text) {
    auto name = base::trim(text);
    if (const auto at = name.rfind('@'); at != std::string_view::npos)
        name.remove_prefix(at + 1);
    while (!name.empty() && (name.back() == '.' || name.back() == '>'))
        name.remove_suffix(1);
    return base::is_host_name(name) && name.find('.') != std::string_view::npos ? base::lower(name) : "";
}

// What a hint says, taken apart once and only where somebody asks.
struct outer_words {
    explicit outer_words(const report_hints& hints)
        : file(hints.file_name.empty() ? std::nullopt : parse_report_file_name(hints.file_name))
        , subject(hints.subject.empty() ? std::nullopt : parse_report_subject(hints.subject)) {}
    std::optional<report_file_name> file;
    std::optional<report_subject> subject;
};

// `2024-02-17T00:00:00Z_example.com`, `133526718584528772+example.com`: the domain behind a number or date.
std::string domain_in_id(std::string_view id) {
    const auto mark = id.find_first_of("_+");
    if (mark == std::string_view::npos || mark == 0 || !base::is_digit(id.front()))
        return "";
    return domain_of(id.substr(mark + 1));
}

// The one domain that all other policies name.
std::string only_domain(const report& of) {
    std::string_view only;
    for (const auto& p : of.policies) {
        if (p.domain.empty())
            continue;
        if (!only.empty() && only != p.domain)
            return "";
        only = p.domain;
    }
    return std::string(only);
}

// In this order: header, file name, subject, address; then what the report itself lets guess.
std::string infer_domain(const report& of, const report_hints& hints, const outer_words& words) {
    for (const auto& candidate :
         {domain_of(hints.report_domain), words.file ? domain_of(words.file->domain) : "",
          words.subject ? domain_of(words.subject->domain) : "", domain_of(hints.address_domain),
          domain_in_id(of.report_id), only_domain(of)})
        if (!candidate.empty())
            return candidate;
    return "";
}

void fill_domains(report& of, const report_hints& hints, const outer_words& words, remarks& notes) {
    std::optional<std::string> inferred;
    const place policies{&root, "policies"};
    place element{&policies, {}, 0};
    for (auto& p : of.policies) {
        if (p.domain.empty()) {
            const place policy{&element, "policy"};
            const place domain{&policy, "policy-domain"};
            if (!inferred)
                inferred = infer_domain(of, hints, words);
            if (inferred->empty()) {
                notes.add(quirk::policy_domain_missing, domain);
            } else {
                p.domain = *inferred;
                p.inferred.emplace_back("domain");
                notes.add(quirk::policy_domain_inferred, domain, p.domain);
            }
        }
        ++element.index;
    }
}

struct period {
    std::optional<base::utc_seconds> start, end;
};

// File name, id, the other end of the period, the mail's date: the day before it, as reports are sent.
period infer_period(const report& of, const report_hints& hints, const outer_words& words) {
    const auto fits = [&](base::utc_seconds start, base::utc_seconds end) {
        return start <= end && (!of.start || *of.start <= end) && (!of.end || start <= *of.end);
    };
    if (words.file && fits(words.file->start, words.file->end))
        return {words.file->start, words.file->end};
    const auto day = [](base::utc_seconds at) { return period{day_begin(at), day_end(at)}; };
    if (const auto at = parse_date_prefix(of.report_id); at && fits(day_begin(*at), day_end(*at)))
        return day(*at);
    if (of.start || of.end)
        return day(of.start ? *of.start : *of.end);
    if (hints.mail_date && plausible_epoch(static_cast<std::uint64_t>(
                               std::max<std::int64_t>(hints.mail_date->time_since_epoch().count(), 0))))
        return day(*hints.mail_date - days{1});
    return {};
}

void fill_period(report& of, const report_hints& hints, const outer_words& words, remarks& notes) {
    if (of.start && of.end)
        return;
    const period found = infer_period(of, hints, words);
    const place range{&root, "date-range"};
    const auto fill = [&](std::optional<base::utc_seconds>& into,
                          const std::optional<base::utc_seconds>& from, std::string_view name,
                          std::string_view member) {
        if (into || !from)
            return;
        into = from;
        of.inferred.emplace_back(name);
        notes.add(quirk::date_inferred, place{&range, member}, base::format_utc(*from));
    };
    fill(of.start, found.start, "start", "start-datetime");
    fill(of.end, found.end, "end", "end-datetime");
}

// A22: a tlsa policy names the TLSA base domain of a mail server, whatever domain the report is about.
bool names_domain(const report& of, std::string_view domain) {
    const auto fits = [&](const policy_result& p) {
        return base::iequals(p.domain, domain) || p.known_type() == policy_type::tlsa;
    };
    return of.policies.empty() || std::ranges::any_of(of.policies, fits);
}

// Letters and digits alone: one reporter writes `2024-09-03T00:00:00Z_x.org` here and
// `2024.09.03T00.00.00Z+x.org@google.com` there.
std::string bare(std::string_view id) {
    std::string out;
    for (const char c : id)
        if (base::is_alnum(c))
            out += base::to_lower(c);
    return out;
}

} // namespace

void fill_gaps(report& of, const report_hints& hints, std::string_view json, remarks& notes) {
    const outer_words words(hints);
    if (of.organization_name.empty()) {
        notes.add(quirk::organization_missing, place{&root, "organization-name"});
        for (const auto& candidate : {domain_of(hints.submitter), domain_of(of.contact_info),
                                      words.file ? domain_of(words.file->sender) : "",
                                      words.subject ? domain_of(words.subject->submitter) : ""})
            if (of.organization_name.empty() && !candidate.empty()) {
                of.organization_name = candidate;
                of.inferred.emplace_back("organization_name");
            }
    }
    if (of.contact_info.empty())
        notes.add(quirk::contact_missing, place{&root, "contact-info"});
    // Dates may come from the id that the reporter gave, never from one of ours.
    fill_period(of, hints, words, notes);
    fill_domains(of, hints, words, notes);
    if (of.report_id.empty()) { // 8460-4-b
        notes.add(quirk::report_id_missing, place{&root, "report-id"});
        of.report_id = "sha256-" + base::hex(base::sha256(json)).substr(0, 32);
        of.inferred.emplace_back("report_id");
    } else if (of.report_id.ends_with('+') || of.report_id.find_first_of(" \t\r\n") != std::string::npos) {
        notes.add(quirk::report_id_odd, place{&root, "report-id"}, of.report_id);
    }
}

void settle_period(report& of, remarks& notes) {
    if (!of.start || !of.end)
        return;
    const place range{&root, "date-range"};
    const place end{&range, "end-datetime"};
    if (*of.end < *of.start) {
        notes.add(quirk::end_before_start, range,
                  base::format_utc(*of.start) + " to " + base::format_utc(*of.end));
        return;
    }
    if (*of.end > *of.start && *of.end == day_begin(*of.end)) { // A27
        notes.add(quirk::end_is_next_midnight, end, base::format_utc(*of.end));
        *of.end -= seconds{1};
    }
    if (*of.start != day_begin(*of.start) || *of.end != day_end(*of.start)) // 8460-4.1-a
        notes.add(quirk::not_one_day, range,
                  base::format_utc(*of.start) + " to " + base::format_utc(*of.end));
}

void compare_with_hints(const report& of, const report_hints& hints, remarks& notes) {
    const outer_words words(hints);
    const std::string contact = domain_of(of.contact_info);
    const auto is_inferred = [&](std::string_view name) {
        return std::ranges::find(of.inferred, name) != of.inferred.end();
    };
    if (const auto submitter = domain_of(hints.submitter); // 8460-5.3-f
        !submitter.empty() && !contact.empty() && submitter != contact)
        notes.add(quirk::submitter_disagrees, root, submitter + " and " + contact);
    if (words.subject) {
        const auto& s = *words.subject;
        const auto inner = bare(of.report_id), outer = bare(s.report_id);
        if (!names_domain(of, s.domain))
            notes.add(quirk::subject_disagrees, "subject", s.domain);
        else if (!outer.empty() && !is_inferred("report_id") && !outer.starts_with(inner) &&
                 !inner.starts_with(outer))
            notes.add(quirk::subject_disagrees, "subject", s.report_id);
    }
    if (words.file) {
        const auto& f = *words.file;
        const bool other_day = (of.start && *of.start != f.start) ||
                               (of.end && *of.end != f.end && *of.end + seconds{1} != f.end);
        if (!names_domain(of, f.domain) || other_day)
            notes.add(quirk::file_name_disagrees, "file name", hints.file_name);
    }
}

} // namespace mailtight::tlsrpt
