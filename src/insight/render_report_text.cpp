// SPDX-License-Identifier: Apache-2.0
// One report for a person. What counts comes first: the sentence, then what failed with cause, fix and check.
// How the report came and what was odd about it stand at the end. Equal failures are told once.
#include "advise/page.h"
#include "advise/words.h"
#include "base/text.h"
#include "insight/diagnosis_text.h"
#include "insight/render_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ranges>
#include <tuple>
#include <utility>

namespace mailtight::insight {

namespace {

using advise::grouped;
using advise::ink;
using advise::padded;
using advise::page;
using advise::shown;

constexpr std::size_t policies_shown = 50;
constexpr std::size_t groups_shown = 20; // of one policy; a report may hold a million details
constexpr std::size_t warnings_shown = 12;
constexpr std::size_t lines_shown = 12; // of a policy's text

/// Details that one explanation serves.
struct group {
    const tlsrpt::failure_detail* first = nullptr;
    std::uint64_t count = 0;
    std::vector<std::string> from, to; ///< addresses, each once
};

void add_once(std::vector<std::string>& all, const std::string& text) {
    constexpr std::size_t enough = 64;
    if (!text.empty() && all.size() < enough && std::ranges::find(all, text) == all.end())
        all.push_back(text);
}

std::vector<group> groups_of(const tlsrpt::policy_result& policy) {
    std::map<std::tuple<std::string_view, std::string_view, std::string_view>, std::size_t> places;
    std::vector<group> all;
    for (const auto& detail : policy.details) {
        const auto [at, fresh] =
            places.try_emplace({detail.result_type, detail.reason_code, detail.receiving_mx}, all.size());
        if (fresh)
            all.push_back({&detail, 0, {}, {}});
        group& mine = all[at->second];
        mine.count += detail.count;
        add_once(mine.from, detail.sending_mta_ip);
        add_once(mine.to, detail.receiving_ip);
    }
    // Most sessions first; of equals, the one that the report names first.
    std::ranges::sort(all, [](const group& a, const group& b) {
        return a.count != b.count ? a.count > b.count : a.first < b.first;
    });
    return all;
}

void failure(page& to, const group& one, const advise::failure_context& context, const known_today& today) {
    const auto& detail = *one.first;
    const advise::diagnosis said = diagnose_today(detail, context, today);
    std::string head = fmt::format("{}  {}", grouped(one.count), shown(detail.result_type));
    if (!detail.receiving_mx.empty())
        head += " at " + shown(detail.receiving_mx);
    to.line();
    to.wrapped("  " + to.paint(said.ours ? ink::red : ink::yellow, "failed") + "  ", head);
    to.wrapped("    ", shown(said.title), ink::bold);
    std::vector<std::string> seen;
    if (!detail.reason_code.empty())
        seen.push_back("reason " + shown(detail.reason_code));
    if (!one.to.empty())
        seen.push_back("at " + shown(advise::list(one.to, 4)));
    if (!one.from.empty())
        seen.push_back("from " + shown(advise::list(one.from, 4)));
    if (!detail.receiving_mx_helo.empty() && !base::iequals(detail.receiving_mx_helo, detail.receiving_mx))
        seen.push_back("EHLO answer " + shown(detail.receiving_mx_helo));
    diagnosis_lines(to, said, base::join(seen, "; "));
}

std::string_view policy_name(const tlsrpt::policy_result& policy) {
    switch (policy.known_type().value_or(tlsrpt::policy_type::no_policy_found)) {
    case tlsrpt::policy_type::sts:
        return "MTA-STS";
    case tlsrpt::policy_type::tlsa:
        return "DANE (TLSA)";
    case tlsrpt::policy_type::no_policy_found:
        break;
    }
    return policy.known_type() ? "No policy found" : "";
}

/// "version: STSv1, mode: enforce, …": the text in as few lines as it takes.
std::string policy_words(const tlsrpt::policy_result& policy) {
    std::vector<std::string> lines;
    for (const auto& line : policy.strings | std::views::take(lines_shown))
        lines.push_back(shown(line));
    if (policy.strings.size() > lines_shown)
        lines.push_back(fmt::format("and {} lines more", policy.strings.size() - lines_shown));
    const bool listed =
        std::ranges::any_of(policy.strings, [](const auto& line) { return line.starts_with("mx"); });
    if (!policy.mx_patterns.empty() && !listed)
        lines.push_back("MX " + shown(advise::list(policy.mx_patterns, lines_shown)));
    return base::join(lines, ", ");
}

bool has_sts_too(const tlsrpt::report& report, const tlsrpt::policy_result& tlsa) {
    return std::ranges::any_of(report.policies, [&](const auto& one) {
        return one.known_type() == tlsrpt::policy_type::sts && one.domain == tlsa.domain;
    });
}

void policy_part(page& to, const model::received_report& from, const tlsrpt::policy_result& policy,
                 const known_today& today) {
    const auto context = context_of(from, policy, today);
    std::string name(policy_name(policy));
    if (name.empty())
        name =
            policy.type.empty() ? "Policy of a kind not named" : "Policy of the kind " + shown(policy.type);
    std::string head = name + " for " + (policy.domain.empty() ? "a domain not named" : shown(policy.domain));
    if (!policy.inferred.empty())
        head += " (not in the report itself)";
    to.heading(head);
    std::string counts = grouped(policy.success) + " succeeded, " + grouped(policy.failure) + " failed";
    if (policy.failure)
        counts += " (" + advise::fate_words(advise::fate_of_failures(policy)) + ")";
    if (policy.known_type() == tlsrpt::policy_type::tlsa && has_sts_too(from.report, policy))
        counts += "; the same sessions as under MTA-STS, so they are not added";
    to.wrapped("  " + padded("sessions", 10), counts);
    if (const auto words = policy_words(policy); !words.empty())
        to.wrapped("  " + padded("policy", 10), words, ink::dim);
    for (const auto& remark : advise::diagnose_policy(policy, context)) {
        to.line();
        to.wrapped("  " + to.paint(remark.ours ? ink::red : ink::blue, "note") + "  ", shown(remark.title));
        diagnosis_lines(to, remark);
    }
    const auto groups = groups_of(policy);
    for (const group& one : groups | std::views::take(groups_shown))
        failure(to, one, context, today);
    if (groups.size() > groups_shown) {
        to.line();
        to.wrapped("  ", fmt::format("and {} kinds of failure more, each rarer: --json lists them all.",
                                     groups.size() - groups_shown));
    }
}

std::string_view trust_words(model::trust trust) {
    switch (trust) {
    case model::trust::verified:
        return "verified";
    case model::trust::authorised:
        return "authorised";
    case model::trust::unverified:
        return "not verified: shown, but counted nowhere";
    case model::trust::rejected:
        return "REJECTED: counted nowhere";
    }
    return "";
}

void origin(page& to, const model::received_report& from) {
    const auto& report = from.report;
    to.heading("The report");
    const auto row = [&](std::string_view name, const std::string& text) {
        if (!text.empty())
            to.wrapped("  " + padded(name, 10), text);
    };
    row("reporter", shown(report.organization_name) +
                        (report.contact_info.empty() ? "" : ", contact " + shown(report.contact_info)));
    row("about", shown(from.report_domain));
    if (report.start && report.end)
        row("period", base::format_utc(*report.start) + " to " + base::format_utc(*report.end));
    row("id", shown(report.report_id));
    row("source", shown(from.source) + (from.format.empty() ? "" : " (" + shown(from.format) + ")"));
    row("trust", std::string(trust_words(from.trust)) +
                     (from.trust_reason.empty() ? "" : " (" + shown(from.trust_reason) + ")"));
    if (!from.test_token.empty())
        row("test", "made by 'report test': never counted");
}

void oddities(page& to, const tlsrpt::report& report) {
    if (report.truncated) {
        to.line();
        to.wrapped(
            "",
            "The report was larger than the limits allow, so only a part of it was read; what is shown "
            "is right.",
            ink::yellow);
    }
    if (report.warnings.empty())
        return;
    to.heading("Odd about this report (and read all the same)");
    std::vector<std::pair<tlsrpt::quirk, std::vector<const tlsrpt::warning*>>> kinds;
    for (const auto& one : report.warnings) {
        auto at = std::ranges::find(kinds, one.code, [](const auto& kind) { return kind.first; });
        if (at == kinds.end())
            at = kinds.insert(kinds.end(), {one.code, {}});
        at->second.push_back(&one);
    }
    for (const auto& [code, places] : kinds | std::views::take(warnings_shown)) {
        std::string words(tlsrpt::explain(code));
        if (!places.front()->where.empty())
            words += " In " + shown(places.front()->where);
        if (!places.front()->where.empty() && places.size() > 1)
            words += fmt::format(" and {} more", places.size() - 1);
        if (!places.front()->detail.empty())
            words += fmt::format("{} \"{}\"", places.front()->where.empty() ? "" : ":",
                                 base::printable(places.front()->detail, 120));
        to.wrapped("  ", words, ink::dim);
    }
    if (kinds.size() > warnings_shown)
        to.wrapped("  ",
                   fmt::format("and {} kinds more: --json lists them all.", kinds.size() - warnings_shown),
                   ink::dim);
}

} // namespace

void diagnosis_lines(page& to, const advise::diagnosis& said, const std::string& seen) {
    const auto row = [&](std::string_view name, const std::string& text, ink colour = ink::plain) {
        if (!text.empty())
            to.wrapped("    " + padded(name, 7), text, colour);
    };
    row("seen", seen);
    row("cause", shown(said.cause));
    if (said.confidence == "possible")
        row("", "(a guess: the report does not say enough to be sure)", ink::dim);
    row("now", said.now, said.still_so.value_or(false) ? ink::red : ink::plain);
    row("who", shown(said.who));
    row("policy", said.rule == "policy-not-of-today" ? std::string() : shown(said.policy_age));
    std::string_view name = "fix";
    for (const auto line : base::split(said.fix, '\n'))
        row(std::exchange(name, ""), base::printable(line));
    name = "check";
    for (const auto line : base::split(said.check, '\n')) // commands are pasted: never wrapped
        if (!line.empty())
            to.line("    " + padded(std::exchange(name, ""), 7) + base::printable(line));
}

std::string report_text(const model::received_report& from, const advise::style& how,
                        const known_today& today) {
    page to(how);
    const auto counts = tlsrpt::headline(from.report);
    to.wrapped("", shown(advise::opening_sentence(from.report)),
               counts.failure   ? ink::yellow
               : counts.success ? ink::green
                                : ink::plain);
    if (counts.failure)
        to.wrapped("",
                   "Sessions are not messages: a sender that fails tries again, so one mail can stand for "
                   "several sessions, and most held back mail arrives later.",
                   ink::dim);
    for (const auto& policy : from.report.policies | std::views::take(policies_shown))
        policy_part(to, from, policy, today);
    if (from.report.policies.size() > policies_shown) {
        to.line();
        to.wrapped("", fmt::format("And {} policies more: --json lists them all.",
                                   from.report.policies.size() - policies_shown));
    }
    origin(to, from);
    oddities(to, from.report);
    return to.take();
}

std::string source_error_text(std::string_view source, std::string_view message, const advise::style& how) {
    page to(how);
    to.wrapped(to.paint(ink::red, "no report") + "  ", fmt::format("{}: {}", shown(source), shown(message)));
    return to.take();
}

} // namespace mailtight::insight
