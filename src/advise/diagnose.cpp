// SPDX-License-Identifier: Apache-2.0
// Searches the table of rules for the first that fits a failure, and fills in its texts.
#include "advise/diagnose.h"

#include "advise/diagnosis_rules.h"
#include "advise/policy_age.h"
#include "advise/words.h"
#include "base/ip.h"
#include "base/text.h"
#include "sts/match.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>

namespace mailtight::advise {

namespace {

using tlsrpt::failure_detail;

constexpr std::size_t reason_shown = 200; // bytes of a reporter's own words inside a sentence

std::string cut(std::string_view text, std::size_t limit) {
    if (text.size() <= limit)
        return std::string(text);
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U)
        --limit; // never inside a character
    return std::string(text.substr(0, limit)) + "…";
}

/// Everything that the conditions ask of one failure, worked out once.
struct facts {
    const failure_detail& failure;
    const failure_context& context;
    policy_pair policies;
    std::string reason; ///< as the reporter wrote it
    std::string said;   ///< the same, prepared for holds_words()
    std::string greeting;
    mail_server server = mail_server::unknown;
};

facts facts_of(const failure_detail& failure, const failure_context& context) {
    facts f{failure, context, policies_of(context), failure.reason_code, {}, {}};
    // A link tells nothing, and its words would match by chance.
    if (!failure.additional_information.empty() && !failure.additional_information.contains("://"))
        f.reason += (f.reason.empty() ? "" : "; ") + failure.additional_information;
    f.said = plain_words(f.reason);
    f.greeting = plain_words(failure.receiving_mx_helo + " " + context.server_banner);
    f.server = recognise_server(failure.receiving_mx, f.greeting);
    return f;
}

std::optional<bool> outside(const facts& f) {
    if (f.failure.receiving_mx.empty() || f.policies.patterns_then.empty())
        return std::nullopt;
    return !sts::admitted_by(f.policies.patterns_then, f.failure.receiving_mx);
}

/// Outside, and a wildcard of the policy ends as the host does: too deep, or the bare name behind the
/// wildcard.
std::optional<bool> one_wildcard_deep(const facts& f) {
    if (!outside(f).value_or(false))
        return std::nullopt;
    return std::ranges::any_of(f.policies.patterns_then, [&](const std::string& pattern) {
        return pattern.starts_with("*.") && (base::iends_with(f.failure.receiving_mx, pattern.substr(1)) ||
                                             base::iequals(f.failure.receiving_mx, pattern.substr(2)));
    });
}

bool any_word(std::string_view text, const std::vector<std::string>& words) {
    return std::ranges::any_of(words, [&](const std::string& word) { return holds_words(text, word); });
}

/// Nothing where it is not known.
std::optional<bool> holds(const clause& one, const facts& f) {
    using enum clause::subject;
    switch (one.what) {
    case reason_has:
        return any_word(f.said, one.words);
    case reason_given:
        return !f.said.empty();
    case greeting_has:
        return any_word(f.greeting, one.words);
    case mx_given:
        return !f.failure.receiving_mx.empty();
    case mx_outside:
        return outside(f);
    case mx_inside_today:
        if (!f.policies.now || f.failure.receiving_mx.empty())
            return std::nullopt;
        return sts::admitted_by(f.policies.now->mx, f.failure.receiving_mx).has_value();
    case mx_one_wildcard_deep:
        return one_wildcard_deep(f);
    case mx_among_today:
        if (f.context.mx_today.empty() || f.failure.receiving_mx.empty())
            return std::nullopt;
        return std::ranges::any_of(f.context.mx_today, [&](const std::string& host) {
            return base::iequals(host, f.failure.receiving_mx);
        });
    case mx_at_google:
        return f.server == mail_server::google_workspace;
    case mx_at_microsoft:
        return f.server == mail_server::microsoft_365;
    case policy_type:
        return any_word(plain_words(f.context.policy_type), one.words);
    case policy_older:
        return f.policies.differ();
    case policy_published:
        if (!f.context.policy_today)
            return std::nullopt;
        return f.policies.now.has_value() || sts::parse_policy(*f.context.policy_today).has_value();
    }
    return std::nullopt;
}

struct read_rule {
    const rule* row;
    std::vector<std::string_view> result_types;
    std::vector<clause> condition;
};
const std::vector<read_rule>& read_rules() {
    static const std::vector<read_rule> all = [] {
        std::vector<read_rule> made;
        for (const rule& row : rule_table()) {
            auto condition = read_condition(row.when);
            assert(condition && "a condition of diagnosis_rules.cpp that cannot be read");
            made.push_back({&row,
                            row.result_type.empty() ? std::vector<std::string_view>{}
                                                    : base::split(row.result_type, ' '),
                            condition ? std::move(*condition) : std::vector<clause>{}});
        }
        return made;
    }();
    return all;
}

const rule& find_rule(const facts& f) {
    for (const read_rule& one : read_rules()) {
        const bool type =
            one.result_types.empty() || std::ranges::any_of(one.result_types, [&](std::string_view word) {
                return base::iequals(word, f.failure.result_type);
            });
        const auto applies = [&](const clause& c) {
            const auto known = holds(c, f);
            return known && *known != c.negated;
        };
        if (type && std::ranges::all_of(one.condition, applies))
            return *one.row;
    }
    return *read_rules().back().row; // the last rule has no condition
}

/// The names that stand for `{…}` in the texts of a rule.
std::string filled(std::string_view text, const facts& f) {
    const std::string& mx = f.failure.receiving_mx;
    const std::string reporter = cut(f.context.reporter, 100);
    std::string domain = f.context.domain.empty() ? "the domain" : f.context.domain;
    std::string connect = paste_safe(mx) ? mx + ":25" : "YOUR-MX-HOST:25";
    if (const auto ip = base::ip_address::parse(f.failure.receiving_ip))
        connect = ip->is_v6() ? "[" + ip->to_string() + "]:25" : ip->to_string() + ":25";
    const std::array<std::pair<std::string_view, std::string>, 10> names{{
        {"{domain}", domain},
        {"{DOMAIN}", paste_safe(f.context.domain) ? f.context.domain : "YOUR-DOMAIN"},
        {"{mx}", mx.empty() ? "the mail server" : mx},
        {"{at mx}", mx.empty() ? "of the mail server" : "at " + mx},
        {"{for mx}", mx.empty() ? "" : " for " + mx},
        {"{MX}", paste_safe(mx) ? mx : "YOUR-MX-HOST"},
        {"{CONNECT}", connect},
        {"{reason}", cut(f.reason, reason_shown)},
        {"{reporter}", reporter.empty() ? "the sender" : reporter},
        {"{patterns}", list(f.policies.patterns_then, 4)},
    }};
    std::string out;
    while (!text.empty()) {
        const auto brace = text.find('{');
        out += text.substr(0, brace);
        if (brace == std::string_view::npos)
            break;
        text.remove_prefix(brace);
        if (text.starts_with("{result}")) {
            out += cut(f.failure.result_type, 100);
            text.remove_prefix(8);
            continue;
        }
        const auto* known =
            std::ranges::find_if(names, [&](const auto& name) { return text.starts_with(name.first); });
        if (known == names.end()) {
            out += '{';
            text.remove_prefix(1);
            continue;
        }
        // A sentence that begins with a stand-in for a missing name begins with a capital.
        std::string value = known->second;
        if ((out.empty() || out.ends_with(". ")) && value.starts_with("the "))
            value[0] = 'T';
        out += value;
        text.remove_prefix(known->first.size());
    }
    return out;
}

std::string_view words_for(mail_server server, const per_server& at) {
    switch (server) {
    case mail_server::postfix:
        return at.postfix;
    case mail_server::exim:
        return at.exim;
    case mail_server::sendmail:
        return at.sendmail;
    case mail_server::exchange:
        return at.exchange;
    case mail_server::google_workspace:
        return at.google;
    case mail_server::microsoft_365:
        return at.microsoft;
    case mail_server::unknown:
    case mail_server::other_service:
        break;
    }
    return {};
}

/// The general fix, and on a line of its own what it means on the server at hand; where that is not known, on
/// the commonest ones.
std::string fix_for(const rule& row, const facts& f) {
    std::string fix = filled(row.fix, f);
    const auto add = [&](mail_server server) {
        if (const auto words = words_for(server, *row.at); !words.empty())
            fix += fmt::format("\n{}: {}", to_string(server), words);
    };
    if (f.server == mail_server::other_service)
        return fix + "\nWhere the server is your hoster's, ask the hoster for it.";
    if (!row.at)
        return fix;
    if (f.server != mail_server::unknown)
        add(f.server);
    else
        for (const auto common : {mail_server::postfix, mail_server::exim, mail_server::exchange})
            add(common);
    return fix;
}

std::string who_words(const failure_context& context) {
    if (!context.reporters_failing || !context.reporters_fine || *context.reporters_failing == 0)
        return {};
    const std::uint64_t failing = *context.reporters_failing, fine = *context.reporters_fine;
    if (failing == 1 && fine == 0)
        return "Only one reporter sends reports here, so there is nothing to compare with.";
    if (failing == 1)
        return fmt::format(
            "1 of {} reporters sees it, {} without it: its path, its cache or its list of roots comes "
            "first to mind.",
            fine + 1, fine == 1 ? "1 delivers" : fmt::format("{} deliver", fine));
    if (fine == 0)
        return fmt::format("All {} reporters see it: the fault is on this side.", failing);
    return fmt::format("{} of {} reporters see it: most likely the fault is on this side.", failing,
                       failing + fine);
}

/// "14:05 UTC".
std::string clock_words(base::utc_seconds at) {
    return base::format_utc(at).substr(11, 5) + " UTC";
}

} // namespace

bool paste_safe(std::string_view name) {
    return !name.empty() && name.size() <= 253 && base::is_alnum(name.front()) &&
           std::ranges::all_of(name,
                               [](char c) { return base::is_alnum(c) || c == '.' || c == '-' || c == '_'; });
}

diagnosis diagnose(const failure_detail& failure, const failure_context& context) {
    const facts f = facts_of(failure, context);
    const rule& row = find_rule(f);
    diagnosis said;
    said.rule = row.name;
    said.title = row.title;
    said.cause = filled(row.cause, f);
    if (holds_words(f.said, "fallback to cached policy")) // mox, and A33
        said.cause += " Meanwhile the sender goes on with the policy in its cache.";
    said.fix = fix_for(row, f);
    said.check = filled(row.check, f);
    said.who = who_words(context);
    said.policy_age = policy_age_words(f.policies, context);
    said.confidence = row.confidence;
    said.finding = row.finding;
    said.ours = row.ours;
    said.still_so = context.still_so;
    if (context.still_so) {
        const std::string at =
            context.looked_at ? fmt::format(" (looked at {})", clock_words(*context.looked_at)) : "";
        said.now = *context.still_so
                       ? fmt::format("Still so now{}.", at)
                       : fmt::format("Not seen any more{}: it may be fixed, or show at one address or to "
                                     "one sender only.",
                                     at);
        if (*context.still_so)
            said.confidence = "certain";
    }
    return said;
}

} // namespace mailtight::advise
