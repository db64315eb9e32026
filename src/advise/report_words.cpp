// SPDX-License-Identifier: Apache-2.0
// The sentence that opens a report, and what became of its failed sessions. Receiving a report is no problem
// by itself, so a day without failures ends with "Nothing to do."
#include "advise/diagnose.h"

#include "advise/diagnosis_rules.h"
#include "advise/policy_age.h"
#include "advise/words.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ranges>

namespace mailtight::advise {

namespace {

using namespace std::chrono;
using tlsrpt::policy_type;
using tlsrpt::result_type;

constexpr std::array<std::string_view, 12> months{"January",   "February", "March",    "April",
                                                  "May",       "June",     "July",     "August",
                                                  "September", "October",  "November", "December"};

year_month_day date_of(base::utc_seconds at) {
    return year_month_day{floor<days>(at)};
}
std::string month_of(year_month_day d) {
    return std::string(months[(unsigned{d.month()} + 11) % 12]);
}

std::string short_name(std::string_view organization) {
    std::string name(base::trim(organization));
    if (name.size() > 80)
        name = base::printable(name, 80);
    return name;
}

std::string reporter_name(const tlsrpt::report& report) {
    if (!base::trim(report.organization_name).empty())
        return short_name(report.organization_name);
    const auto at = report.contact_info.rfind('@');
    if (at != std::string::npos && at + 1 < report.contact_info.size())
        return short_name(std::string_view(report.contact_info).substr(at + 1));
    return "A reporter without a name";
}

bool named(const tlsrpt::policy_result& policy, std::string_view domain) {
    return domain.empty() || base::iequals(policy.domain, domain);
}

failed_fate& operator+=(failed_fate& sum, const failed_fate& more) {
    sum.held_back += more.held_back;
    sum.delivered += more.delivered;
    sum.unknown += more.unknown;
    return sum;
}

/// What failed most often, by the rule that explains it, and whether anything is wrong on this side.
struct worst {
    std::string title, mx;
    std::uint64_t count = 0;
    std::size_t kinds = 0;
    bool ours = false;
};
worst worst_failure(const tlsrpt::report& report, std::string_view domain) {
    constexpr std::size_t looked_at = 1000; // a report may hold a million
    worst found;
    for (const auto& policy : report.policies) {
        if (!named(policy, domain))
            continue;
        failure_context context;
        context.domain = policy.domain;
        context.policy_type = policy.type;
        context.policy_strings = policy.strings;
        context.mx_patterns = policy.mx_patterns;
        for (const auto& detail : policy.details) {
            if (found.kinds == looked_at)
                return found;
            const diagnosis said = diagnose(detail, context);
            found.ours = found.ours || said.ours;
            ++found.kinds;
            if (detail.count >= found.count) {
                found.count = detail.count;
                found.title = said.title;
                found.mx = detail.receiving_mx;
            }
        }
    }
    return found;
}

enum class kind { none_found, with_policy, mixed };
kind kind_of(const tlsrpt::report& report, std::string_view domain) {
    bool found = false, none = false;
    for (const auto& policy : report.policies)
        if (named(policy, domain) && policy.success + policy.failure > 0)
            (policy.known_type() == policy_type::no_policy_found ? none : found) = true;
    return found && none ? kind::mixed : none ? kind::none_found : kind::with_policy;
}

} // namespace

std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3; at -= 3)
        digits.insert(at - 3, ",");
    return digits;
}

std::string share_words(std::uint64_t part, std::uint64_t whole) {
    if (part == 0 || whole == 0)
        return "0 %";
    const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    return percent < 0.1                    ? "under 0.1 %"
           : percent > 99.9 && part < whole ? "over 99.9 %"
                                            : fmt::format("{:.1f} %", percent);
}

std::string day_words(base::utc_seconds at) {
    const auto d = date_of(at);
    return fmt::format("{} {} {}", unsigned{d.day()}, month_of(d), int{d.year()});
}

std::string period_words(const tlsrpt::report& report) {
    if (!report.start && !report.end)
        return "on a day that the report does not name";
    const auto from = report.start.value_or(*(report.end ? report.end : report.start));
    const auto to = std::max(report.end.value_or(from), from);
    const auto first = date_of(from), last = date_of(to);
    std::string words;
    if (first == last) {
        words = "on " + day_words(from);
        if (report.start && report.end && to - from < hours(23) && to > from) {
            const hh_mm_ss begin{from - floor<days>(from)}, end{to - floor<days>(to)};
            words += fmt::format(" from {:02}:{:02} to {:02}:{:02} UTC", begin.hours().count(),
                                 begin.minutes().count(), end.hours().count(), end.minutes().count());
        }
    } else if (first.year() == last.year() && first.month() == last.month())
        words = fmt::format("from {} to {}", unsigned{first.day()}, day_words(to));
    else if (first.year() == last.year())
        words = fmt::format("from {} {} to {}", unsigned{first.day()}, month_of(first), day_words(to));
    else
        words = fmt::format("from {} to {}", day_words(from), day_words(to));
    if (std::ranges::find(report.inferred, "start") != report.inferred.end())
        words += " (the day is not in the report itself)";
    return words;
}

fate fate_of(std::string_view type, std::string_view mode, std::string_view result) {
    const auto failed = tlsrpt::parse_result_type(result);
    switch (const auto known = tlsrpt::parse_policy_type(type);
            known.value_or(policy_type::no_policy_found)) {
    case policy_type::no_policy_found:
        return known ? fate::delivered : fate::unknown;
    case policy_type::tlsa:
        // RFC 7672 §2.2: where no record is usable, encryption without a check of the name is enough.
        return failed == result_type::tlsa_invalid ? fate::unknown : fate::held_back;
    case policy_type::sts:
        // Then no policy applies, unless an older one was in the sender's cache.
        if (failed == result_type::sts_policy_fetch_error || failed == result_type::sts_policy_invalid ||
            failed == result_type::sts_webpki_invalid)
            return mode == "enforce" ? fate::unknown : fate::delivered;
        return mode == "enforce" ? fate::held_back : mode.empty() ? fate::unknown : fate::delivered;
    }
    return fate::unknown;
}

failed_fate fate_of_failures(const tlsrpt::policy_result& policy) {
    const auto applied = policy_of(policy.strings);
    const std::string_view mode = applied ? sts::to_string(applied->mode) : "";
    failed_fate sum;
    // Details may add up to more than the total, or to less (8460-4-d): then the worst fate counts first.
    std::uint64_t left = policy.failure;
    const auto take = [&](fate which, std::uint64_t count) {
        count = std::min(count, left);
        left -= count;
        (which == fate::held_back   ? sum.held_back
         : which == fate::delivered ? sum.delivered
                                    : sum.unknown) += count;
    };
    for (const fate wanted : {fate::held_back, fate::unknown, fate::delivered})
        for (const auto& detail : policy.details)
            if (fate_of(policy.type, mode, detail.result_type) == wanted)
                take(wanted, detail.count);
    take(fate_of(policy.type, mode, {}), left);
    return sum;
}

std::string fate_words(const failed_fate& fate) {
    std::vector<std::string> parts;
    if (fate.held_back)
        parts.push_back(grouped(fate.held_back) + " held back");
    if (fate.delivered)
        parts.push_back(grouped(fate.delivered) + " delivered anyway");
    if (fate.unknown)
        parts.push_back(grouped(fate.unknown) + " with unknown outcome");
    return list(parts);
}

std::string opening_sentence(const tlsrpt::report& report, std::string_view domain) {
    const auto [success, failure] = tlsrpt::headline(report, domain);
    const std::uint64_t all = success + failure < success ? UINT64_MAX : success + failure;
    const std::string begin =
        fmt::format("{}: {} {} {}", reporter_name(report), all == 0 ? "no" : grouped(all),
                    all == 1 ? "session" : "sessions", period_words(report));
    if (all == 0)
        return begin + ". Nothing to do.";
    if (failure == 0)
        switch (kind_of(report, domain)) {
        case kind::none_found:
            return begin + ", all over TLS; this reporter found no policy to apply. Nothing to do.";
        case kind::mixed:
            return begin +
                   ", all over TLS, and as your policy asks where the reporter found one. Nothing to do.";
        case kind::with_policy:
            return begin + ", all as your policy asks. Nothing to do.";
        }

    failed_fate fate;
    for (const auto& policy : report.policies)
        if (named(policy, domain))
            fate += fate_of_failures(policy);
    const worst most = worst_failure(report, domain);
    const bool one_fate = (fate.held_back > 0) + (fate.delivered > 0) + (fate.unknown > 0) == 1;
    std::string words = failure == all ? fmt::format("{}, {} failed", begin, all == 1 ? "it" : "all of them")
                                       : fmt::format("{}, {} of them failed ({})", begin, grouped(failure),
                                                     share_words(failure, all));
    if (one_fate)
        words += fate.held_back   ? " and the sender held the mail back"
                 : fate.delivered ? ", the mail was delivered all the same"
                                  : "; what became of the mail is not said";
    else if (fate.held_back)
        words += ", some mail was held back";
    words += ".";
    if (most.title.empty())
        return words + " The report does not say why.";
    std::string what = most.title;
    if (!most.mx.empty())
        what += " (" + base::printable(most.mx, 253) + ")";
    if (most.kinds > 1)
        what += ", and more below";
    return words + (most.ours ? " What to fix: " : " Probably nothing to do here: ") + what + ".";
}

std::vector<diagnosis> diagnose_policy(const tlsrpt::policy_result& policy, const failure_context& context) {
    std::vector<diagnosis> said;
    const policy_pair both = policies_of(context);
    const std::string reporter = context.reporter.empty() ? "This reporter" : short_name(context.reporter);
    const std::string check =
        "mailtight check " + (paste_safe(context.domain) ? context.domain : "YOUR-DOMAIN");
    if (policy.known_type() == policy_type::no_policy_found) {
        if (context.policy_today && sts::parse_policy(*context.policy_today))
            said.push_back(
                {.rule = "no-policy-found-though-published",
                 .title = "The reporter found no policy, though one is published",
                 .cause = reporter +
                          " delivered without a policy: it may not look for one, it may have looked "
                          "before the policy was there, or the _mta-sts record is doubled or misspelt.",
                 .fix = "See whether other reporters name the policy. If one of them does, nothing is to "
                        "be done here.",
                 .check = check,
                 .confidence = "possible",
                 .finding = "sts-record.multiple",
                 .ours = false});
        else if (policy.failure == 0 && policy.success > 0)
            said.push_back(
                {.rule = "no-policy-found",
                 .title = "No policy to apply: no fault",
                 .cause = fmt::format("{} found neither MTA-STS nor DANE for this domain, and TLS came up in "
                                      "all of {} sessions. That speaks for a policy in testing.",
                                      reporter, grouped(policy.success)),
                 .confidence = "certain",
                 .ours = false});
    }
    if (both.differ().value_or(false))
        said.push_back(
            {.rule = "policy-not-of-today",
             .title = "The report shows another policy than today's",
             .cause = policy_age_words(both, context),
             .fix = "A day after a change this is usual. Later, look whether the id of the _mta-sts record "
                    "was changed with the policy: senders fetch it again only then.",
             .confidence = "certain",
             .finding = "policy.changed-without-id",
             .ours = false});
    if (policy.failure > 0 && policy.details.empty())
        said.push_back({.rule = "failures-not-described",
                        .title = "The reporter does not say what failed",
                        .cause = fmt::format("{} counts {} and gives no details.", reporter,
                                             count(policy.failure, "failed session")),
                        .fix = "Look at the domain as a whole, and at what other reporters say of that day.",
                        .check = check,
                        .confidence = "possible"});
    return said;
}

} // namespace mailtight::advise
