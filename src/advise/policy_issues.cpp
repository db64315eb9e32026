// SPDX-License-Identifier: Apache-2.0
#include "advise/policy_issues.h"

#include "advise/words.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "mail/domain_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace mailtight::advise {
namespace {

using findings::severity;
using problem = sts::policy_problem;

std::string_view code_of(problem what) {
    switch (what) {
    case problem::empty:
    case problem::not_a_policy:
        return "policy.not-a-policy";
    case problem::too_large:
        return "policy-host.too-large";
    case problem::encoding:
        return "policy.encoding";
    case problem::bom:
        return "policy.bom";
    case problem::bare_cr:
    case problem::mixed_line_endings:
        return "policy.line-ending"; // 8461-3.2-d
    case problem::trailing_blank_lines:
    case problem::blank_line:
    case problem::leading_space:
    case problem::syntax:
        return "policy.syntax"; // 8461-3.2-m, 8461-3.2-o
    case problem::version_missing:
    case problem::version_invalid:
        return "policy.version-missing"; // 8461-3.2-e
    case problem::version_not_first:
        return "policy.version-not-first";
    case problem::mode_missing:
        return "policy.mode-missing";
    case problem::mode_invalid:
        return "policy.mode-invalid"; // 8461-3.2-f
    case problem::max_age_missing:
        return "policy.max-age-missing";
    case problem::max_age_invalid:
        return "policy.max-age-invalid"; // 8461-3.2-r
    case problem::max_age_too_large:
        return "policy.max-age-too-large"; // 8461-3.2-g
    case problem::mx_missing:
        return "policy.mx-missing"; // 8461-3.2-n
    case problem::mx_syntax:
    case problem::mx_address:
        return "policy.mx-syntax"; // 8461-3.2-q, 8461-3.2-k
    case problem::mx_null:
        return "policy.mx-null";
    case problem::mx_unicode:
        return "policy.mx-unicode"; // 8461-3.2-l
    case problem::duplicate_field:
        return "policy.duplicate-field"; // 8461-3.2-w
    case problem::key_case:
    case problem::unknown_field:
        return "policy.unknown-field"; // 8461-3.2-v
    }
    return "policy.syntax";
}

std::optional<severity> weight_of(problem what, bool switched_off) {
    switch (what) {
    case problem::mx_address:
        return switched_off ? std::optional(severity::info) : std::nullopt;
    case problem::mixed_line_endings:
        return severity::info;
    case problem::key_case:
        return severity::warning;
    default:
        return std::nullopt; // the catalogue's
    }
}

/// Where senders do something else than with the other faults of the same code.
std::string_view consequence_of(problem what, bool switched_off) {
    if (what == problem::mx_address && switched_off) // 8461-3.2-n: none needs no mx, and nobody compares any
        return "Nothing as long as the mode is none: the policy is valid, and senders compare no mail server "
               "with it. In testing and enforce, the line would admit none.";
    if (what == problem::mx_address) // 8461-3.2-q: grammatical, and nobody's name
        return "The policy itself is valid, but this line admits no mail server: senders compare it with the "
               "names of the MX records, and their certificates must prove that name. In enforce, mail to "
               "the "
               "server that it was meant for is held back or returned, unless another line admits it; in "
               "testing it is delivered and reported.";
    return {};
}

/// True for what a file in the wrong encoding shows all over, and what disappears with the cause.
bool is_consequence(problem what) {
    switch (what) {
    case problem::syntax:
    case problem::leading_space:
    case problem::version_missing:
    case problem::version_invalid:
    case problem::version_not_first:
    case problem::mode_missing:
    case problem::mode_invalid:
    case problem::max_age_missing:
    case problem::max_age_invalid:
    case problem::mx_missing:
    case problem::mx_syntax:
    case problem::unknown_field:
    case problem::key_case:
        return true;
    default:
        return false;
    }
}

bool has(const sts::policy_judgement& judged, problem what) {
    return std::ranges::any_of(judged.issues, [&](const auto& issue) { return issue.problem == what; });
}

/// `Mode: enforce` is one mistake: the missing field tells it.
bool explained_by_missing(const sts::policy_issue& issue, const sts::policy_judgement& judged) {
    if (issue.problem != problem::key_case)
        return false;
    const std::string key = base::lower(issue.detail);
    const auto names = [&](std::string_view word) { return key.starts_with(word); };
    return (names("version") && has(judged, problem::version_missing)) ||
           (names("mode") && has(judged, problem::mode_missing)) ||
           (names("max_age") && has(judged, problem::max_age_missing)) ||
           (names("mx") && has(judged, problem::mx_missing));
}

std::string place(const sts::policy_issue& issue) {
    const std::string bytes = issue.detail.substr(0, 200);
    if (issue.line == 0)
        return bytes;
    return bytes.empty() ? fmt::format("line {}", issue.line)
                         : fmt::format("line {}: \"{}\"", issue.line, bytes);
}

} // namespace

std::vector<policy_fault> text_faults(const sts::policy_judgement& judged) {
    std::vector<policy_fault> faults;
    const bool nothing = has(judged, problem::not_a_policy) || has(judged, problem::empty);
    const bool garbled =
        has(judged, problem::bom) || has(judged, problem::bare_cr) || has(judged, problem::encoding);
    const bool switched_off = judged.value && judged.value->mode == sts::mode::none;
    for (const sts::policy_issue& issue : judged.issues) {
        if (nothing && issue.problem != problem::not_a_policy && issue.problem != problem::empty)
            continue;
        if (garbled && is_consequence(issue.problem))
            continue;
        if (explained_by_missing(issue, judged))
            continue;
        // A line that is an mx line with a fault explains that none is left.
        if (issue.problem == problem::mx_missing &&
            (has(judged, problem::mx_syntax) || has(judged, problem::mx_null) ||
             has(judged, problem::mx_unicode)))
            continue;
        const std::string_view code = code_of(issue.problem);
        const auto told = std::ranges::find(faults, code, &policy_fault::code);
        if (told == faults.end()) {
            std::string_view words = sts::explain(issue.problem);
            if (words.ends_with('.'))
                words.remove_suffix(1);
            faults.push_back({std::string(code), std::string(words), place(issue),
                              weight_of(issue.problem, switched_off),
                              std::string(consequence_of(issue.problem, switched_off))});
            continue;
        }
        if (!told->consequence.empty() &&
            consequence_of(issue.problem, switched_off).empty()) { // the graver one of both
            told->consequence.clear();
            told->message = sts::explain(issue.problem);
            if (told->message.ends_with('.'))
                told->message.pop_back();
        }
        if (told->evidence.size() < 500)
            told->evidence += "; " + place(issue);
        if (!weight_of(issue.problem, switched_off))
            told->severity.reset(); // the graver one of both
    }
    return faults;
}

std::vector<policy_fault> wisdom_faults(const sts::policy& policy, std::uint64_t provider_max_age) {
    using namespace std::chrono_literals;
    constexpr std::uint64_t day = 86'400, week = 7 * day, two_weeks = 14 * day;
    std::vector<policy_fault> faults;
    const std::uint64_t age = policy.max_age;
    const std::string evidence = fmt::format(
        "max_age: {} ({})", age, base::format_duration(std::chrono::seconds(policy.effective_max_age())));
    const bool prescribed = provider_max_age != 0 && age >= provider_max_age;
    if (policy.mode != sts::mode::none && age < base::limits::max_age_guides_min) { // A5: 0 is never kept
        faults.push_back({"policy.max-age-short",
                          age == 0
                              ? "the max_age is 0: no sender keeps the policy"
                              : "the max_age is under one day, the least that the administrator guides allow",
                          evidence, age == 0 ? std::optional(severity::error) : severity::warning});
    } else if (policy.mode == sts::mode::enforce && age < two_weeks &&
               !prescribed) { // 8461-3.2-i, 8461-10.2-a
        faults.push_back({"policy.max-age-short",
                          "the max_age is shorter than the weeks that the standard expects", evidence,
                          age < week ? severity::warning : severity::info});
    } else if (policy.mode == sts::mode::testing && (age < week || age > two_weeks) &&
               age <= base::limits::max_age_max && !prescribed) {
        faults.push_back({"policy.max-age-testing",
                          "the max_age is not within the one to two weeks recommended for testing", evidence,
                          std::nullopt});
    }
    for (const std::string& pattern : policy.mx)
        if (pattern.starts_with("*.") &&
            mail::is_public_suffix(base::lower(pattern.substr(2)))) // 8461-10.4-a
            faults.push_back({"policy.wildcard-too-broad",
                              fmt::format("{} admits every host below {}", pattern, pattern.substr(2)),
                              "mx: " + pattern, std::nullopt});
    return faults;
}

} // namespace mailtight::advise
