// SPDX-License-Identifier: Apache-2.0
// Why a delivery failed and what to do: the rules that turn a failure of a TLS report into cause, fix, and
// how to check, for the mail server at hand. The rules are data (diagnosis_rules.cpp), read from top to
// bottom; the first that fits speaks. Pure.
#pragma once

#include "base/time.h"
#include "tlsrpt/report.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::advise {

/// The receiving software or service, recognised from the MX host and, where known, its banner.
enum class mail_server {
    unknown,
    postfix,
    exim,
    sendmail,
    exchange,
    google_workspace,
    microsoft_365,
    other_service
};
std::string_view to_string(mail_server s);
mail_server recognise_server(std::string_view mx_host, std::string_view helo_or_banner = {});

/// What else is known while one failure is explained; every field may be missing.
struct failure_context {
    std::string domain;
    std::string policy_type; ///< as in the report
    std::vector<std::string> policy_strings, mx_patterns;
    std::string reporter;
    std::optional<std::uint64_t> reporters_failing; ///< with this result at this MX in the period
    std::optional<std::uint64_t> reporters_fine; ///< that report sessions without this failure in the period
    std::optional<std::string> policy_today;     ///< body that is served now
    std::optional<base::utc_seconds> policy_today_since;
    std::vector<std::string> mx_today;
    std::optional<bool> still_so;               ///< a live probe just now: the failure is there or not
    std::optional<base::utc_seconds> looked_at; ///< when that was
    std::string server_banner;
};

struct diagnosis {
    std::string rule;  ///< name of the rule: "mx-not-in-policy", "certificate-expired", …: a contract
    std::string title; ///< "The MX host is not in the policy"
    std::string cause; ///< what most probably happened, with names
    std::string fix;   ///< what to change; then, a line each, where on the server
    std::string check; ///< how to see whether it is mended: a command a line, safe to paste
    std::string
        who; ///< "one reporter of five: its path or cache" / "all reporters: the fault is here"; "" unknown
    std::string policy_age;       ///< whether the policy in the report is today's; "" unknown
    std::string confidence;       ///< "certain", "likely", "possible"
    std::string finding;          ///< the code of `check` that shows the same thing live, or ""
    bool ours = true;             ///< false: nothing on this side is wrong
    std::optional<bool> still_so; ///< as the context says
    std::string now;              ///< the sentence on it; "" where nobody looked
};
diagnosis diagnose(const tlsrpt::failure_detail& failure, const failure_context& context);

/// What is to be said of a policy result as a whole, beside its failures: no policy found (no fault by
/// itself), a policy that is not today's, failures that the reporter does not describe. Mostly nothing.
std::vector<diagnosis> diagnose_policy(const tlsrpt::policy_result& policy, const failure_context& context);

/// One row of the table, for the documentation and the tests.
struct diagnosis_rule {
    std::string_view name, result_type, when, title;
};
std::span<const diagnosis_rule> diagnosis_rules();

/// The sentence that opens a report: who, which day, how many sessions, whether anything must be done.
/// "Google: 1,204 sessions on 3 May 2026, all as your policy asks. Nothing to do."
std::string opening_sentence(const tlsrpt::report& report, std::string_view domain = {});
/// A count for people: 1,204.
std::string grouped(std::uint64_t number);
/// A share for people: "3.7 %", "under 0.1 %".
std::string share_words(std::uint64_t part, std::uint64_t whole);

/// What became of the sessions that failed, by the mode of the policy in the report.
struct failed_fate {
    std::uint64_t held_back = 0; ///< enforce: the sender did not deliver over this session
    std::uint64_t delivered = 0; ///< testing, none, no policy found with TLS optional
    std::uint64_t unknown = 0;
};
failed_fate fate_of_failures(const tlsrpt::policy_result& policy);
enum class fate { held_back, delivered, unknown };
/// Of sessions that failed with this result under a policy of this type and mode ("" : not known).
fate fate_of(std::string_view policy_type, std::string_view mode, std::string_view result_type);
/// "2 held back", "1 held back, 3 delivered anyway and 1 unknown"; "" where nothing failed.
std::string fate_words(const failed_fate& fate);
/// The UTC day of a point in time for people: "3 May 2026".
std::string day_words(base::utc_seconds at);
/// "on 3 May 2026", "from 3 to 5 May 2026", "on a day that the report does not name".
std::string period_words(const tlsrpt::report& report);

} // namespace mailtight::advise
