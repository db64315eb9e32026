// SPDX-License-Identifier: Apache-2.0
// `status`: what the running daemon says of itself, for a person or as it came.
#include "app/control_client.h"
#include "app/options.h"
#include "app/terminal.h"
#include "base/text.h"
#include "base/time.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

namespace {

/// The daemon is ours, yet of another version perhaps: what is missing reads as nothing.
std::string text(const boost::json::object& from, std::string_view key) {
    const auto* value = from.if_contains(key);
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
}
std::uint64_t number(const boost::json::object& from, std::string_view key) {
    const auto* value = from.if_contains(key);
    if (!value)
        return 0;
    if (value->is_uint64())
        return value->as_uint64();
    return value->is_int64() && value->as_int64() > 0 ? static_cast<std::uint64_t>(value->as_int64()) : 0;
}
bool flag(const boost::json::object& from, std::string_view key) {
    const auto* value = from.if_contains(key);
    return value && value->is_bool() && value->as_bool();
}
std::vector<boost::json::object> rows(const boost::json::object& from, std::string_view key) {
    std::vector<boost::json::object> all;
    if (const auto* value = from.if_contains(key); value && value->is_array())
        for (const auto& row : value->as_array())
            if (row.is_object())
                all.push_back(row.as_object());
    return all;
}
boost::json::object object(const boost::json::object& from, std::string_view key) {
    const auto* value = from.if_contains(key);
    return value && value->is_object() ? value->as_object() : boost::json::object{};
}

std::string bytes_words(std::uint64_t bytes) {
    if (bytes < 10'000)
        return fmt::format("{} B", bytes);
    if (bytes < 10'000'000)
        return fmt::format("{} kB", bytes / 1000);
    return fmt::format("{} MB", bytes / 1'000'000);
}

std::string ago(const std::string& utc, base::utc_seconds now) {
    const auto at = base::parse_utc(utc);
    if (!at)
        return "never";
    return *at > now ? "at " + utc : base::format_duration(now - *at) + " ago"; // a clock that was set back
}

std::string join_texts(const boost::json::object& from, std::string_view key) {
    std::string out;
    if (const auto* list = from.if_contains(key); list && list->is_array())
        for (const auto& each : list->as_array())
            if (each.is_string())
                out += (out.empty() ? "" : ", ") + std::string(each.as_string());
    return out;
}

/// What mail servers were told, and out of what.
void show_sending(const boost::json::object& sending, base::utc_seconds now) {
    print("\nSending\n");
    for (const auto& each : rows(sending, "listeners"))
        print(fmt::format(
            "  {:<9} {}, {} open{}\n", text(each, "kind"), text(each, "where"), number(each, "open"),
            number(each, "refused") > 0 ? fmt::format(", {} refused", number(each, "refused")) : ""));
    const auto answers = number(sending, "answers"), hits = number(sending, "hits");
    if (answers == 0)
        print(
            "  answers   none yet: no mail server has asked; mailtight doctor prints the lines for yours\n");
    else
        print(fmt::format("  answers   {}, {} % of them at once, {} over the budget\n", answers,
                          hits * 100 / answers, number(sending, "over_budget")));
    print(fmt::format("  known     {} destinations ({} enforce, {} testing, {} none, {} without a policy), "
                      "{}\n",
                      number(sending, "destinations"), number(sending, "enforce"), number(sending, "testing"),
                      number(sending, "none"), number(sending, "without"),
                      bytes_words(number(sending, "bytes"))));
    const auto oldest = text(sending, "oldest_fetch");
    print(fmt::format("  fetches   {}, {} failed{}\n", number(sending, "fetches"),
                      number(sending, "fetch_failures"),
                      oldest.empty() ? "" : "; the oldest policy was fetched " + ago(oldest, now)));
    if (number(sending, "overrides") > 0)
        print(fmt::format("  overrides {}: see mailtight cache overrides\n", number(sending, "overrides")));
    if (!text(sending, "last_fault").empty())
        print(fmt::format("  last fault {}: {}\n", ago(text(sending, "last_fault_at"), now),
                          text(sending, "last_fault")));
    if (const auto domains = join_texts(sending, "refresh_alarms"); !domains.empty())
        print(fmt::format("  CANNOT BE REFRESHED: {}\n", domains));
    const auto store = object(sending, "store");
    if (flag(store, "away"))
        print(fmt::format("  DATABASE AWAY since {}, {} destinations wait to be written: {}\n",
                          ago(text(store, "last_error_at"), now), number(store, "unwritten"),
                          text(store, "last_error")));
}

/// Results of deliveries: where they come from, and whether they are kept.
void show_collect(const boost::json::object& collect, base::utc_seconds now) {
    print("\nCounting\n");
    print(fmt::format("  sessions  {}, {} failed, {} stopped by a policy; {} wait to be written, last {}\n",
                      number(collect, "sessions"), number(collect, "failures"),
                      number(collect, "stopped_by_policy"), number(collect, "waiting"),
                      ago(text(collect, "last_written"), now)));
    for (const auto& each : rows(collect, "sockets")) {
        print(fmt::format("  datagrams {}, {}\n", number(each, "datagrams"), text(each, "where")));
        if (number(each, "queue_was_full") > 0)
            print(fmt::format("            THE QUEUE WAS FULL {} times{}: mailtight doctor says how to raise "
                              "it\n",
                              number(each, "queue_was_full"),
                              number(each, "queue_length") == 0 // hidden by the service manager
                                  ? std::string()
                                  : fmt::format(" (it takes {})", number(each, "queue_length"))));
    }
    for (const auto& each : rows(collect, "logs")) {
        print(fmt::format("  log       {} {}: {} lines, {} sessions\n", text(each, "kind"),
                          text(each, "where"), number(each, "lines"), number(each, "sessions")));
        if (!text(each, "trouble").empty())
            print(fmt::format("            CANNOT BE READ: {}\n", text(each, "trouble")));
        else if (number(each, "lines") > 0 && !flag(each, "tells_tls"))
            print("            it says nothing about TLS: set smtp_tls_loglevel = 1 in main.cf\n");
    }
    if (number(collect, "lines_told") + number(collect, "lines_refused") > 0)
        print(fmt::format("  lines     {} taken, {} refused\n", number(collect, "lines_told"),
                          number(collect, "lines_refused")));
    if (number(collect, "bad_datagrams") > 0)
        print(fmt::format("  refused   {} datagrams, the last {}: {}\n", number(collect, "bad_datagrams"),
                          ago(text(collect, "last_bad_at"), now), text(collect, "last_bad")));
    if (!flag(collect, "writable"))
        print(fmt::format("  CANNOT BE WRITTEN since {}: {}\n", ago(text(collect, "last_error_at"), now),
                          text(collect, "last_error")));
}

/// Our own reports.
void show_deliver(const boost::json::object& deliver, base::utc_seconds now) {
    print("\nReporting\n");
    print(fmt::format("  as        {}{}\n", text(deliver, "contact"),
                      text(deliver, "dry_run").empty() ? "" : ", DRY RUN into " + text(deliver, "dry_run")));
    print(fmt::format("  owed      {} reports; {} sessions are in none yet\n", number(deliver, "due"),
                      number(deliver, "unreported_sessions")));
    const auto kept = object(deliver, "kept");
    print(fmt::format("  outbox    {} wait, {} sent, {} refused, {} given up, {} suppressed; last sent {}\n",
                      number(deliver, "waiting"), number(kept, "sent"), number(kept, "refused"),
                      number(kept, "given_up"), number(kept, "suppressed"),
                      ago(text(deliver, "last_sent"), now)));
    if (const auto oldest = text(deliver, "oldest_waiting"); !oldest.empty())
        print(fmt::format("            the oldest waits since {}\n", ago(oldest, now)));
    if (!text(deliver, "mail_waits").empty())
        print(fmt::format("  NO MAIL GOES OUT: {}\n", text(deliver, "mail_waits")));
    if (!text(deliver, "last_error").empty())
        print(fmt::format("  last error {}: {}\n", ago(text(deliver, "last_error_at"), now),
                          text(deliver, "last_error")));
}

/// Policies of our own domains: served, and looked after.
void show_publish(const boost::json::object& publish, const boost::json::object& carry) {
    print("\nPublishing\n");
    if (!publish.empty()) {
        for (const auto& each : rows(publish, "listeners"))
            print(fmt::format("  {:<9} {}\n", text(each, "kind"), text(each, "where")));
        print(fmt::format("  serves    {} policies, {} certificates\n", number(publish, "policies"),
                          number(publish, "certificates")));
        print(
            fmt::format("  answers   {} policies given, {} not found, {} refused; {} answers to challenges\n",
                        number(publish, "given"), number(publish, "not_found"), number(publish, "refused"),
                        number(publish, "challenges")));
        print(fmt::format("  TLS       {} handshakes, {} for names that are not ours, {} failed\n",
                          number(publish, "handshakes"), number(publish, "unknown_name"),
                          number(publish, "failed_handshakes")));
        if (flag(publish, "store_away"))
            print(fmt::format("  DATABASE AWAY: {}\n", text(publish, "last_error")));
    }
    if (carry.empty())
        return;
    const auto watch = object(carry, "watch"), orders = object(carry, "certificates");
    print(fmt::format("  domains   {} looked after; {} in hand, {} steps done, {} failed\n",
                      number(carry, "domains"), number(carry, "under_way"), number(carry, "steps"),
                      number(carry, "failures")));
    const auto waiting = object(carry, "waiting");
    print(fmt::format("  waiting   {} plans, {} certificates, {} full looks, {} cheap ones\n",
                      number(waiting, "plan"), number(waiting, "certificate"), number(waiting, "watch"),
                      number(waiting, "glance")));
    print(fmt::format("  watching  {} full looks, {} cheap ones, {} failed; {} saw something else\n",
                      number(watch, "full"), number(watch, "cheap"), number(watch, "failed"),
                      number(watch, "differed")));
    for (const auto& each : rows(carry, "zone_transfers"))
        print(fmt::format("  zones     {}\n", text(each, "why")));
    if (number(orders, "issued") + number(orders, "failed") + number(orders, "held_back") > 0)
        print(
            fmt::format("  ordered   {} certificates, {} failed, {} held back by certificates.orders-per-hour"
                        "\n",
                        number(orders, "issued"), number(orders, "failed"), number(orders, "held_back")));
}

void show(const boost::json::object& status) {
    const base::system_clock clock;
    const auto now = clock.now();
    const auto store = object(status, "store"), reports = object(status, "reports");
    const auto since = base::parse_utc(text(status, "since")).value_or(now);
    print(fmt::format("mailtight {}, process {}, up for {}\n", text(status, "version"), number(status, "pid"),
                      base::format_duration(now - std::min(since, now))));
    print(fmt::format("store     {}, {} reports, {}{}\n", text(store, "where"), number(store, "reports"),
                      bytes_words(number(store, "bytes")),
                      flag(store, "writable") ? "" : ", CANNOT BE WRITTEN: " + text(store, "last_error")));
    print(fmt::format("reports   taken in for {} domain{}; last {}\n", number(status, "domains"),
                      number(status, "domains") == 1 ? "" : "s", ago(text(reports, "last"), now)));
    print(fmt::format("since up  {} inputs: {} reports added, {} already known, {} corrected, {} kept apart, "
                      "{} without a report, {} put off\n",
                      number(reports, "inputs"), number(reports, "added"), number(reports, "duplicates"),
                      number(reports, "corrections"), number(reports, "kept_apart"),
                      number(reports, "refused"), number(reports, "later")));
    print("\n");
    for (const auto& part : rows(status, "parts")) {
        const bool failing = flag(part, "failing"), running = flag(part, "running");
        print(fmt::format("{:<8} {:<9} {}\n",
                          failing   ? "FAILING"
                          : running ? "ok"
                                    : "STOPPED",
                          text(part, "name"), text(part, "where")));
        if (number(part, "accepted") + number(part, "refused") + number(part, "open") > 0)
            print(fmt::format("{:<18} {} accepted, {} refused, {} open\n", "", number(part, "accepted"),
                              number(part, "refused"), number(part, "open")));
        if (!text(part, "last_error").empty())
            print(fmt::format("{:<18} last error {}: {}\n", "", ago(text(part, "last_error_at"), now),
                              text(part, "last_error")));
    }
    for (const auto& each : rows(status, "certificates"))
        print(fmt::format("{:<8} {:<9} {} until {}\n", "", "cert", text(each, "file"),
                          text(each, "not_after").substr(0, 10)));
    const auto web = object(status, "web");
    for (const auto& each : rows(web, "acme")) {
        const auto ends = text(each, "not_after"), trouble = text(each, "trouble");
        print(fmt::format("{:<8} {:<9} {} {}{}\n", ends.empty() ? "WAITS" : "", "cert", text(each, "name"),
                          ends.empty() ? "has no certificate yet: nobody can open the pages under this name"
                                       : "until " + ends.substr(0, 10),
                          text(each, "state") == "ordering" ? ", one is ordered just now" : ""));
        if (!trouble.empty())
            print(fmt::format("{:<18} last error: {}\n", "", trouble));
    }
    if (const auto sending = object(status, "sending"); !sending.empty())
        show_sending(sending, now);
    if (const auto collect = object(status, "collect"); !collect.empty())
        show_collect(collect, now);
    if (const auto deliver = object(status, "deliver"); !deliver.empty())
        show_deliver(deliver, now);
    const auto publish = object(status, "publish"), carry = object(status, "carry");
    if (!publish.empty() || !carry.empty())
        show_publish(publish, carry);
    const auto alarms = rows(status, "alarms");
    if (!alarms.empty())
        print("\nAlarms\n");
    for (const auto& alarm : alarms)
        print(fmt::format("  {}, raised {}\n    {}\n", text(alarm, "title"),
                          text(alarm, "since").substr(0, 10), text(alarm, "key")));
}

} // namespace

int cmd_status(const common_options& common) {
    io::loop loop;
    auto answer = call_daemon(loop, common.set, "/status", {}, "GET", std::chrono::seconds(30));
    if (!answer) {
        complain(answer.error().message);
        return not_done;
    }
    if (!answer->is_object()) {
        complain("the daemon's answer cannot be read");
        return not_done;
    }
    const auto& status = answer->as_object();
    if (common.json)
        print(boost::json::serialize(status) + "\n");
    else
        show(status);
    bool bad = !flag(object(status, "store"), "writable");
    for (const auto& part : rows(status, "parts"))
        bad = bad || flag(part, "failing") || !flag(part, "running");
    bad = bad || flag(object(object(status, "sending"), "store"), "away");
    return bad ? problems_found : fine;
}

} // namespace mailtight::app
