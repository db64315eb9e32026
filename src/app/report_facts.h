// SPDX-License-Identifier: Apache-2.0
// What the store knows, gathered for insight: the inputs of alarms, digest and readiness. Blocks on the
// store; the caller chooses the thread. Shared by the commands and the daemon, so that both say the same.
#pragma once

#include "insight/insight.h"
#include "insight/render_rows.h"
#include "insight/silence.h"
#include "model/report_evidence.h"
#include "store/store.h"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mailtight::app {

/// The day of a point in time.
store::day day_of(base::utc_seconds at);

/// What is known of domains today, by name.
using known_domains_today = std::map<std::string, insight::known_today, std::less<>>;

store::result<std::vector<insight::failure_group>> failure_groups(store::store& from, const store::filter& of,
                                                                  const known_domains_today& today = {});

/// The same of the worst kinds alone, and how many were left out.
struct worst_groups {
    std::vector<insight::failure_group> groups;
    std::size_t left_out = 0;
};
store::result<worst_groups> worst_failure_groups(store::store& from, const store::filter& of,
                                                 std::size_t most, const known_domains_today& today = {});

/// What the alarms of domains follow from, in their order: one set of questions for all of them. `told` are
/// the states of the alarms told before.
store::result<std::vector<insight::alarm_inputs>> alarm_inputs(store::store& from,
                                                               std::span<const std::string> domains,
                                                               store::day today,
                                                               std::span<const insight::alarm_state> told);

/// How the failed share of each reporter moves up to today; of the filter, domains and reporters count.
store::result<std::vector<insight::reporter_trend>> trends(store::store& from, const store::filter& of,
                                                           store::day today);

/// The newest day that a counted report is about; of the filter, domains and reporters count.
store::result<std::optional<store::day>> newest_of(store::store& from, const store::filter& of);

/// What `report summary` shows.
store::result<insight::summary> summary_of(store::store& from, const store::filter& of, store::day today);

/// What the store says of why nothing comes for a domain; the rest has to be tried.
store::result<insight::silence_facts> silence_facts_of(store::store& from, const std::string& domain,
                                                       base::utc_seconds now);

/// The mode of the MTA-STS policy of this domain that reporters saw last; "" where none saw one.
store::result<std::string> mode_in_reports(store::store& from, const std::string& domain);

/// What a live look at the domain adds; empty where nobody looked.
struct live_facts {
    insight::known_today today;
    std::optional<bool> check_green;
};
store::result<insight::readiness> readiness(store::store& from, const std::string& domain,
                                            base::utc_seconds now, const live_facts& live = {});

/// What the reports of this domain tell, joined with a look at it; nothing where it is none of the store's.
store::result<std::optional<model::report_evidence>> report_evidence(store::store& from,
                                                                     const insight::known_today& today,
                                                                     const std::string& domain,
                                                                     base::utc_seconds now);

/// The week that ended yesterday, for all domains of ours.
store::result<insight::letter> weekly_digest(store::store& from, base::utc_seconds now);

// ---- small facts under names of their own ----
inline constexpr std::string_view mute_prefix = "mute/";
inline constexpr std::string_view alarm_prefix = "alarm/";
inline constexpr std::string_view record_prefix = "record-seen/"; ///< since when a TLSRPT record is published
/// The name and value of a mute in the store.
std::pair<std::string, std::string> mute_fact(const insight::mute& what);
std::optional<insight::mute> parse_mute(std::string_view name, std::string_view value);
store::result<std::vector<insight::mute>> mutes(store::store& from);
store::result<std::vector<insight::alarm_state>> alarm_states(store::store& from);

} // namespace mailtight::app
