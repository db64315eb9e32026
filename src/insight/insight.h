// SPDX-License-Identifier: Apache-2.0
// Answers from what the store holds: summaries, groups of failures with their diagnosis, trends, silence,
// readiness for enforce, alarms, the weekly digest. Pure over rows and a clock: the caller asks the store.
#pragma once

#include "advise/diagnose.h"
#include "base/time.h"
#include "store/questions.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mailtight::insight {

using store::day;

// ---- failures ----
struct failure_group {
    std::string domain, result_type, reason_code, mx, policy_type;
    std::uint64_t count = 0, held_back = 0, delivered = 0, unknown = 0;
    std::vector<std::string> reporters;
    std::uint64_t reporters_fine = 0;
    day first{}, last{};
    std::vector<std::string> sending_ips, receiving_ips;
    advise::diagnosis diagnosis;
    std::int64_t last_report = 0;
};
/// Rows of one domain over reporters, grouped by result, reason and MX; the most sessions first.
std::vector<failure_group> group_failures(std::span<const store::failure_row> rows,
                                          std::span<const store::reporter_row> reporters,
                                          std::span<const store::policy_row> policies,
                                          const std::vector<std::string>& mx_today = {},
                                          const std::optional<std::string>& policy_today = {});

// ---- trends ----
enum class weight { fine, info, warning, error };
std::string_view to_string(weight w);
struct window {
    int days = 0; ///< 2, 14, 90
    std::uint64_t success = 0, failure = 0;
    insight::weight weight = weight::fine; ///< under 10 % info, under 50 % warning, else error
    bool silenced = false;                 ///< a shorter window with sessions is clean
};
struct reporter_trend {
    std::string domain, reporter, organization;
    std::vector<window> windows;
    insight::weight weight = weight::fine; ///< the worst that is not silenced
    std::optional<day> last, next_expected;
    bool late = false; ///< beyond its rhythm: information, never an alarm by itself
};
/// `rows`: days of one reporter.
reporter_trend trend_of(const store::reporter_row& who, std::span<const store::day_row> rows, day today);
struct baseline {
    double usual_share = 0; ///< of failures over the 28 days before the last 2
    double share_now = 0;   ///< over the last 2
    std::uint64_t sessions_now = 0;
    bool above = false; ///< three times the usual, and enough sessions to say so
};
baseline against_baseline(std::span<const store::day_row> rows, day today);

// ---- silence ----
/// Facts that tell why nothing arrives; nothing: not known.
struct silence_facts {
    std::optional<bool> record_present;
    std::optional<base::utc_seconds> record_since; ///< first seen
    std::optional<bool> rua_deliverable;
    std::optional<bool> test_arrived;    ///< the last `report test`
    std::optional<bool> ipv6_only_fault; ///< our report address works over IPv4 and not over IPv6
    std::uint64_t quarantined = 0;       ///< arrived, but not counted
    std::uint64_t last_30_days_sessions = 0;
    std::optional<day> last_report;
};
struct silence_cause {
    std::string code; ///< "record-absent", "record-young", "rua-undeliverable", "mailbox-rejects",
                      ///< "ipv6-only", "not-counted", "little-traffic", "senders-do-not-report"
    std::string text, fix;
    bool certain = false;
};
/// In the order to try.
std::vector<silence_cause> why_silent(const silence_facts& facts, base::utc_seconds now);

// ---- readiness ----
struct readiness_facts {
    std::optional<base::utc_seconds> testing_since;
    std::vector<store::reporter_row> reporters; ///< of the last 30 days
    std::vector<failure_group> failures;        ///< of the last 14 days
    std::uint64_t sessions = 0, failed = 0;     ///< of the last 14 days
    std::vector<std::string> mx_today, mx_seen_failing;
    std::optional<bool> check_green; ///< the last check: every MX tested and right, policy matches
};
struct readiness {
    std::optional<bool> ready; ///< nothing: not to be said yet
    struct reason {
        bool met = false;
        std::string code, text; ///< "days-in-testing", "two-reporters", …
    };
    std::vector<reason> reasons;
    std::string sentence;
};
readiness ready_to_enforce(const readiness_facts& facts, base::utc_seconds now);

// ---- alarms ----
struct alarm {
    std::string key;  ///< stable: "new-failure/example.com/certificate-expired/mx1.example.com"
    std::string kind; ///< "new-failure", "failure-share", "above-baseline", "many-reporters",
                      ///< "nothing-arriving", "way-in"
    std::string domain;
    insight::weight weight = weight::warning;
    std::string title, text, fix;
};
struct alarm_thresholds {
    double share = 0.10;
    std::uint64_t sessions_least = 20;
    std::uint64_t many_reporters = 3;
    int silent_days = 7;
    std::chrono::hours reminder{24 * 7};
};
struct alarm_inputs {
    std::string domain;
    std::vector<store::day_row> days;
    std::vector<failure_group> failures;        ///< last 2 days
    std::vector<failure_group> failures_before; ///< the 28 days before
    std::optional<day> last_report, first_report;
    bool expects_reports = true;
};
std::vector<alarm> alarms_now(const alarm_inputs& facts, const alarm_thresholds& thresholds,
                              base::utc_seconds now);

/// What is remembered of an alarm between looks; kept as a fact in the store.
struct alarm_state {
    std::string key, title;
    base::utc_seconds since{}, last_sent{};
    bool active = false;
    std::string to_text() const;
    static std::optional<alarm_state> parse(std::string_view text);
};
struct mute {
    std::string key; ///< of the alarm, or a prefix ending in `/`
    base::utc_seconds until{};
    std::string why;
};
struct notice {
    enum class kind { raised, reminder, resolved } what = kind::raised;
    insight::alarm alarm;
    base::utc_seconds since{};
};
struct alarm_step {
    std::vector<notice> to_send;
    std::vector<alarm_state> states; ///< to keep
};
/// Each once, then a reminder, then resolved; muted ones are silent.
alarm_step step_alarms(std::span<const alarm> now_active, std::span<const alarm_state> before,
                       std::span<const mute> mutes, base::utc_seconds now,
                       const alarm_thresholds& thresholds = {});

/// A mail for people about notices: subject and text.
struct letter {
    std::string subject, text;
};
letter write_notices(std::span<const notice> notices);
/// JSON of one notice, for webhooks.
std::string notice_json(const notice& what);

struct digest_domain {
    std::string domain;
    std::vector<store::day_row> days; ///< last 14
    std::vector<store::reporter_row> reporters;
    std::vector<failure_group> failures; ///< last 7
    insight::readiness readiness;
};
letter write_digest(std::span<const digest_domain> domains, day from, day to);

} // namespace mailtight::insight
