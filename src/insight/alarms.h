// SPDX-License-Identifier: Apache-2.0
// Alarms: what is so now (alarms_now), and what is to be told of it (step_alarms: each once, then a reminder,
// then resolved). Pure; the caller keeps the states.
#pragma once

#include "base/time.h"
#include "insight/failures.h"
#include "insight/trends.h"
#include "store/questions.h"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::insight {

using store::day;

struct alarm {
    std::string key;  ///< stable: "new-failure/example.com/certificate-expired/mx1.example.com"
    std::string kind; ///< "new-failure", "failure-share", "above-baseline", "many-reporters",
                      ///< "nothing-arriving", "way-in", "policy-refresh", "store"
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
    /// Keys of the alarms that are active: a failure that was told as new stays so until it ends.
    std::vector<std::string> active;
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
    std::string by; ///< who silenced it; "" : on a command line
};
/// A mute that nobody gave an end.
inline constexpr base::utc_seconds mute_without_end{std::chrono::seconds(253'402'300'799)}; // the year 9999
/// The key of the alarm that a kind of failure raises, and the prefix of those of a domain, or of one of its
/// result types.
std::string failure_alarm_key(std::string_view domain, std::string_view result_type, std::string_view mx);
std::string failure_alarm_prefix(std::string_view domain, std::string_view result_type = {});
/// Whether the alarm of this key is silent under this mute.
bool silences(const mute& one, std::string_view key, base::utc_seconds now);
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

} // namespace mailtight::insight
