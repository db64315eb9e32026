// SPDX-License-Identifier: Apache-2.0
// The log of the daemon: events declared once in a table (log_events.cpp), each with a sentence for the
// operator from which the documentation comes; lines for people or JSON, to stderr or the journal. Every
// value passes through printable(): a remote side cannot write lines. An event that repeats is held back and
// counted. Any thread may write. Failing to write is not told: there is nowhere to tell it.
#pragma once

#include "base/time.h"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mailtight::base {

enum class log_level { debug, info, warning, error };
std::string_view to_string(log_level level);
std::optional<log_level> parse_log_level(std::string_view word);

/// What is told. The names in the table are a contract: people search and alert by them.
enum class event {
    started,
    ready,
    stopping,
    stopped,
    reloaded,
    reload_failed,
    listening,
    listener_trouble,
    pages_off,
    web_first_start,
    web_used,
    web_refused,
    part_failed,
    way_in_failed,
    way_in_recovered,
    report_stored,
    report_kept_apart,
    report_refused,
    test_arrived,
    store_unavailable,
    store_recovered,
    store_slow,
    domains_changed,
    certificate_ends_soon,
    alarm_raised,
    alarm_reminder,
    alarm_resolved,
    notice_failed,
    digest_sent,
    retention_done,
    control_used,
    control_refused,
    policies_loaded,
    policy_fetched,
    policy_changed,
    policy_fetch_failed,
    policy_refresh_alarm,
    policy_refresh_recovered,
    delivery_failed,
    policy_store_trouble,
    results_trouble,
    result_refused,
    outgoing_filed,
    outgoing_not_made,
    outgoing_sent,
    outgoing_later,
    outgoing_refused,
    outgoing_given_up,
    outgoing_suppressed,
    outgoing_trouble,
    sealing_key_made,
    hosting_loaded,
    hosting_trouble,
    plan_step_done,
    plan_step_failed,
    certificate_issued,
    certificate_failed,
    internal_error,
};

struct event_entry {
    event what;
    std::string_view name; ///< "report.stored"
    log_level level;
    std::string_view text; ///< for the operator: what it means, and what to do where something is to be done
};
std::span<const event_entry> log_events();
const event_entry& entry_of(event what);

struct log_field {
    std::string_view name;
    std::string value;
};

struct log_options {
    log_level least = log_level::info;
    bool json = false;
    bool journal = false;       ///< `<4>` in front and no time: the journal adds its own
    std::uint64_t repeats = 20; ///< of one event within the window; more are counted
    std::chrono::seconds window{60};
    std::function<void(std::string_view line)> sink; ///< instead of stderr: for tests
};

class log {
public:
    log(const base::clock& clock, log_options options);
    ~log();
    void write(event what, std::initializer_list<log_field> fields = {});
    void write(event what, std::span<const log_field> fields);
    /// From here on; what is held back is kept.
    void set_level(log_level least);

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// True where stderr goes to the journal (JOURNAL_STREAM of systemd names it).
bool stderr_is_journal();

} // namespace mailtight::base
