// SPDX-License-Identifier: Apache-2.0
// What can be asked of the store, and the rows that answer. Only counted reports enter totals; quarantined
// ones are asked for by name.
#pragma once

#include "base/time.h"
#include "model/received.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::store {

using day = std::chrono::sys_days;

/// Every field narrows; an empty one does not. Days are of the report's period (its start), both included.
struct filter {
    std::vector<std::string> domains;   ///< policy domains attributed to these domains of ours
    std::vector<std::string> reporters; ///< as model::reporter_of() names them
    std::string result_type;
    std::string mx;
    std::optional<day> from, to;
    enum class which { counted, quarantined, tests, all } what = which::counted;
    bool only_failures = false; ///< list: reports with failed sessions
};
struct page {
    std::size_t limit = 1000;
    std::size_t offset = 0; ///< newest first
};

/// One report in a list.
struct report_row {
    std::int64_t number = 0;
    std::string reporter, organization, report_id, report_domain;
    base::utc_seconds start{}, end{}, received_at{};
    model::way_in way{};
    model::trust trust{};
    std::uint64_t success = 0, failure = 0; ///< headline
    std::size_t warnings = 0;
    std::string state;            ///< "counted", "quarantined", "superseded", "test"
    std::string why;              ///< where not counted
    std::uint64_t times_seen = 1; ///< duplicates included
    bool several = false;         ///< it has policies of another domain than report_domain
};
struct stored_report {
    report_row row;
    model::received_report report;      ///< json "" where the raw body has expired
    std::vector<std::int64_t> versions; ///< other reports under the same key: corrections, forgeries
};
/// Headline sessions of one domain on one UTC day.
struct day_row {
    std::string domain;
    store::day day{};
    std::uint64_t success = 0, failure = 0;
    std::uint64_t sts_success = 0, sts_failure = 0, tlsa_success = 0, tlsa_failure = 0, none_success = 0,
                  none_failure = 0;
    std::uint64_t reporters = 0, reports = 0;
};
struct reporter_row {
    std::string domain, reporter, organization;
    std::uint64_t success = 0, failure = 0, reports = 0;
    day first{}, last{};
    base::utc_seconds last_received{};
    std::chrono::seconds
        usual_interval{};  ///< between the ends of consecutive periods, median of the last; 0 unknown
    bool verified = false; ///< at least one of its reports was
};
/// Sessions that one reporter tells of on one day, over all domains asked about.
struct reporter_day_row {
    std::string reporter, organization;
    store::day day{};
    std::uint64_t success = 0, failure = 0;
    std::uint64_t sts_success = 0, sts_failure = 0, tlsa_success = 0, tlsa_failure = 0, none_success = 0,
                  none_failure = 0;
    std::uint64_t reports = 0; ///< where a result or an MX is asked for: at least
    bool verified = false;     ///< at least one of the reports was
};
/// Headline sessions of one domain in the period.
struct domain_row {
    std::string domain;
    std::uint64_t success = 0, failure = 0;
};
struct mx_row {
    std::string reporter, mx; ///< mx "" : the reporter does not say
    std::uint64_t failure = 0;
    day first{}, last{};
};
struct result_row {
    std::string result_type;
    std::uint64_t count = 0;
    std::uint64_t reporters = 0;
    day first{}, last{};
};
/// One kind of failure: same domain, reporter, policy type, result, reason and MX, over the period.
struct failure_row {
    std::string domain, reporter, organization, policy_type, result_type, reason_code, mx;
    std::string policy_mode;      ///< of the policy text in the report: "enforce", "testing", "none", ""
    std::int64_t policy_text = 0; ///< of the last one
    std::uint64_t count = 0;
    day first{}, last{};
    std::vector<std::string> sending_ips, receiving_ips; ///< some
    std::int64_t last_report = 0;
};
/// The failures that most sessions met.
struct worst_failures {
    std::vector<failure_row> rows;
    std::size_t left_out = 0; ///< kinds, over all reporters, that fewer sessions met
};
struct policy_row {
    std::string domain, type;
    std::vector<std::string> strings;
    std::int64_t text = 0; ///< their number: failure_row::policy_text
    std::uint64_t success = 0, failure = 0;
    day first{}, last{};
    std::vector<std::string> reporters;
};
struct quarantine_row {
    std::string why, domain, reporter;
    model::trust trust{};
    std::uint64_t reports = 0, success = 0, failure = 0;
    base::utc_seconds last{};
};
struct sizes {
    std::uint64_t reports = 0, policy_results = 0, details = 0, bytes = 0;
    std::uint64_t schema = 0;
};

/// What happened to the totals since a report.
struct touched {
    std::int64_t newest = 0;          ///< number of the newest report
    std::int64_t rules = 0;           ///< grows when domains or what counts change: then all totals may have
    std::vector<std::string> domains; ///< of ours that reports after the given one name
};

} // namespace mailtight::store
