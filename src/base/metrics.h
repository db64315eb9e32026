// SPDX-License-Identifier: Apache-2.0
// Numbers for Prometheus, declared once in a table (metrics_table.cpp) from which the documentation comes;
// the library hides in metrics.cpp. Any thread may count. Label values come from a bounded set chosen by the
// program, or are cut off by it: a remote side cannot make series.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::base {

enum class metric {
    reports,
    inputs_refused,
    reports_by_state,
    commits,
    queued,
    store_failures,
    store_writable,
    store_failed_writes,
    last_report,
    way_in_up,
    way_in_accepted,
    way_in_refused,
    way_in_connections,
    alarms_active,
    alarm_active,
    notices,
    sessions,
    certificate_ends,
    store_bytes,
    up_since,
    policy_answers,
    policy_cache,
    policy_looks,
    policy_fetch_failures,
    policy_answer_time,
    policy_over_budget,
    policy_failed_deliveries,
    policy_domains,
    policy_memory,
    policy_oldest_fetch,
    policy_failing,
    policy_alarms,
    policy_unwritten,
    policy_connections,
    results_told,
    results_refused,
    result_sessions,
    results_waiting,
    results_written,
    results_folded,
    results_lost,
    results_relabelled,
    datagrams_cut,
    datagram_queue_full,
    log_lines,
    outgoing_reports,
    outgoing_deliveries,
    outgoing_tries_failed,
    outgoing_stored,
    outgoing_oldest_waiting,
    outgoing_unreported,
    outgoing_last_sent,
    hosted_policies,
    hosted_certificates,
    hosted_certificates_first_end,
    hosted_certificates_ending,
    hosted_certificates_overdue,
    hosted_answers,
    hosted_handshakes,
    hosted_connections,
    web_requests,
    web_connections,
    web_refused,
    plan_steps,
    plan_under_way,
    certificates_ordered,
    domain_looks,
    domains_looked_after,
    domain_work_waiting,
};

struct metric_entry {
    metric what;
    std::string_view name; ///< "mailtight_reports_total"
    enum class kind { counter, gauge, histogram } type;
    std::string_view help;
    std::vector<std::string_view> labels;
    std::vector<double> bounds = {}; ///< of a histogram: the upper ends of its buckets, the last left out
};
std::string_view to_string(metric_entry::kind type);
std::span<const metric_entry> metric_table();

class metrics {
public:
    metrics();
    ~metrics();
    /// Adds to a counter. `labels`: the values, in the order of the table.
    void add(metric what, double more = 1, std::initializer_list<std::string_view> labels = {});
    /// Sets a gauge; a counter is raised to the value, never lowered (for counters kept elsewhere).
    void set(metric what, double value, std::initializer_list<std::string_view> labels = {});
    /// Raises a histogram without labels to what is counted elsewhere: per bucket, one more than bounds, and
    /// the sum of all values.
    void set_histogram(metric what, std::span<const std::uint64_t> counts, double sum);
    /// Forgets every series of a metric: for gauges whose labels come and go.
    void clear(metric what);
    /// The text exposition format, version 0.0.4.
    std::string expose() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace mailtight::base
