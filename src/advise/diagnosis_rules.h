// SPDX-License-Identifier: Apache-2.0
// What a diagnosis rule is made of, and the small language of its conditions. The rules themselves are one
// table, diagnosis_rules.cpp; diagnose.cpp searches it. The room's own.
#pragma once

#include "advise/diagnose.h"

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::advise {

/// What to change, by the software at hand; "" : the general words say it all.
struct per_server {
    std::string_view postfix = {}, exim = {}, sendmail = {}, exchange = {}, google = {}, microsoft = {};
};

/// One row. Texts may hold {domain}, {mx}, {at mx}, {reason}, {reporter}, {for mx}, {patterns}, {result}; and
/// in commands alone the names that are safe to paste: {DOMAIN}, {MX}, {CONNECT}.
struct rule {
    std::string_view name;        ///< a contract
    std::string_view result_type; ///< one or several, separated by blanks; "" : any
    std::string_view when;        ///< clauses joined by " and "; "" : always
    std::string_view title;
    std::string_view cause;
    std::string_view confidence; ///< "certain", "likely", "possible"
    std::string_view fix;
    const per_server* at = nullptr;
    std::string_view check;
    std::string_view finding = {}; ///< the code of `check` for the same thing, or ""
    bool ours = true;
};
std::span<const rule> rule_table();

/// A condition, read. Each clause may begin with "no ":
///   reason has A | B | C          the reason code or the additional information holds one of these, whatever
///                                 the case; `_` and `-` count as blanks, and words only match whole
///   reason given
///   greeting has A | B            the EHLO answer or banner does, the same way
///   MX given                      the report names the MX host
///   MX outside policy             it is not in the policy that the report shows
///   MX inside policy of today     it is in the policy that is served now
///   MX one wildcard deep          only because a wildcard of the policy covers exactly one label
///   MX among those of today       it is an MX host of the domain now
///   MX at Google Workspace, MX at Microsoft 365
///   policy type T                 of the report
///   policy older                  the report's policy is not the one of today
///   policy published              a policy is served now
struct clause {
    enum class subject {
        reason_has,
        reason_given,
        greeting_has,
        mx_given,
        mx_outside,
        mx_inside_today,
        mx_one_wildcard_deep,
        mx_among_today,
        mx_at_google,
        mx_at_microsoft,
        policy_type,
        policy_older,
        policy_published
    } what;
    bool negated = false;
    std::vector<std::string> words; ///< prepared by plain_words()
};
std::expected<std::vector<clause>, std::string> read_condition(std::string_view when);

/// True where a name can be pasted into a shell: it comes from a report, so it may hold anything.
bool paste_safe(std::string_view name);

/// Lower case, `_` and `-` as blanks, runs of blanks as one.
std::string plain_words(std::string_view text);
/// True where `text` holds `words` with no letter or digit directly before or behind; both prepared.
bool holds_words(std::string_view text, std::string_view words);

} // namespace mailtight::advise
