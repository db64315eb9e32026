// SPDX-License-Identifier: Apache-2.0
// What the daemon does by itself, in turns: the watchdog, word of ways in that fail, retention, the digest;
// and its state as JSON and as metrics.
#include "app/daemon_core.h"
#include "app/pages_certificates.h"
#include "app/pages_part.h"
#include "app/publish_part.h"
#include "app/report_facts.h"
#include "app/reports_part.h"
#include "app/sending_part.h"
#include "app/turns.h"
#include "base/text.h"
#include "io/process.h"
#include "tlsrpt/record.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <utility>

#include <unistd.h>

namespace mailtight::app {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view digest_fact = "digest/last";
constexpr auto certificate_warning = std::chrono::days(14);
constexpr auto probe_idle = 5min; ///< where nothing else is written
constexpr auto told_again = 5min; ///< that the store cannot be written
constexpr int digest_hour = 6;    ///< UTC: it lies there in the morning

boost::json::value time_or_null(base::utc_seconds at) {
    if (at == base::utc_seconds{})
        return nullptr;
    return boost::json::string(base::format_utc(at));
}

boost::json::array parts_json(const daemon_core& core) {
    boost::json::array rows;
    for (const auto& each : core.parts) {
        const auto now = each->status();
        rows.push_back(boost::json::object{{"name", now.name},
                                           {"where", base::printable(now.where)},
                                           {"running", now.running},
                                           {"failing", each->failing()},
                                           {"accepted", now.accepted},
                                           {"refused", now.refused},
                                           {"open", now.open},
                                           {"last_success", time_or_null(now.last_success)},
                                           {"last_error", base::printable(now.last_error)},
                                           {"last_error_at", time_or_null(now.last_error_at)}});
    }
    return rows;
}

/// Those of files, of listeners that are no policy host's.
std::vector<io::tls_server::loaded> certificates_of_files(const daemon_core& core) {
    auto all = core.certificates.certificates();
    if (core.pages)
        std::ranges::move(core.pages->certificates(), std::back_inserter(all));
    return all;
}

/// And those that were got for names of the pages.
std::vector<io::tls_server::loaded> own_certificates(const daemon_core& core) {
    auto all = certificates_of_files(core);
    if (core.pages && core.pages->orders())
        for (auto& row : core.pages->orders()->rows())
            if (row.not_after)
                all.push_back({.names = {row.name}, .not_after = *row.not_after, .file = row.name});
    return all;
}

} // namespace

io::task<boost::json::object> status_of(daemon_core& core) {
    const auto& counted = core.keeper->counters();
    boost::json::object out{{"version", MAILTIGHT_VERSION},
                            {"pid", ::getpid()},
                            {"since", base::format_utc(core.since)},
                            {"domains", core.domains.size()},
                            {"parts", parts_json(core)}};
    boost::json::object store{{"where", store_name(store_place(core.set))},
                              {"writable", core.store_ok},
                              {"queued_bytes", counted.queued_bytes},
                              {"commits", counted.commits},
                              {"last_error", base::printable(counted.last_error)}};
    auto size = co_await core.ask<store::sizes>([](store::store& from) { return from.size(); });
    if (size) {
        store["reports"] = size->reports;
        store["bytes"] = size->bytes;
        store["schema"] = size->schema;
    } else {
        store["last_error"] = base::printable(size.error().message);
    }
    out["store"] = std::move(store);
    out["reports"] = boost::json::object{{"inputs", counted.inputs},
                                         {"added", counted.added},
                                         {"duplicates", counted.duplicates},
                                         {"corrections", counted.corrections},
                                         {"kept_apart", counted.quarantined},
                                         {"tests", counted.tests},
                                         {"refused", counted.refused},
                                         {"later", counted.later},
                                         {"last", time_or_null(counted.last_report)}};
    boost::json::array alarms, certificates;
    for (const auto& alarm : core.alarms->active())
        alarms.push_back(boost::json::object{{"key", base::printable(alarm.key)},
                                             {"title", base::printable(alarm.title)},
                                             {"since", base::format_utc(alarm.since)}});
    for (const auto& each : certificates_of_files(core))
        certificates.push_back(boost::json::object{{"file", each.file},
                                                   {"names", boost::json::value_from(each.names)},
                                                   {"not_after", base::format_utc(each.not_after)}});
    out["alarms"] = std::move(alarms);
    out["certificates"] = std::move(certificates);
    out["sending"] = core.sending ? boost::json::value(core.sending->status_json()) : nullptr;
    out["collect"] = core.collecting ? boost::json::value(core.collecting->status_json()) : nullptr;
    out["deliver"] = core.delivering ? boost::json::value(core.delivering->status_json()) : nullptr;
    out["publish"] = core.hosting ? boost::json::value(core.hosting->status_json()) : nullptr;
    out["web"] = core.pages ? boost::json::value(core.pages->status_json()) : nullptr;
    out["carry"] = core.carrying ? boost::json::value(core.carrying->status_json()) : nullptr;
    co_return out;
}

void refresh_metrics(daemon_core& core) {
    using base::metric;
    const auto& counted = core.keeper->counters();
    auto& to = core.metrics;
    to.set(metric::inputs_refused, static_cast<double>(counted.refused));
    to.set(metric::commits, static_cast<double>(counted.commits));
    to.set(metric::store_failures, static_cast<double>(counted.later));
    to.set(metric::store_writable, core.store_ok ? 1 : 0);
    to.set(metric::store_failed_writes, static_cast<double>(counted.failed_writes));
    to.set(metric::queued, static_cast<double>(counted.queued_bytes));
    to.set(metric::last_report, static_cast<double>(counted.last_report.time_since_epoch().count()));
    to.set(metric::up_since, static_cast<double>(core.since.time_since_epoch().count()));
    std::map<std::string, intake::way_status> ways; // several listeners of one kind are one series
    for (const auto& each : core.parts) {
        if (!each->is_way_in())
            continue;
        const auto now = each->status();
        auto [sum, first] = ways.try_emplace(now.name, now);
        if (first) {
            sum->second.running = !each->failing();
            continue;
        }
        sum->second.running = sum->second.running && !each->failing();
        sum->second.accepted += now.accepted;
        sum->second.refused += now.refused;
        sum->second.open += now.open;
    }
    for (const auto& [name, now] : ways) {
        to.set(metric::way_in_up, now.running ? 1 : 0, {name});
        to.set(metric::way_in_accepted, static_cast<double>(now.accepted), {name});
        to.set(metric::way_in_refused, static_cast<double>(now.refused), {name});
        to.set(metric::way_in_connections, static_cast<double>(now.open), {name});
    }
    if (core.sending)
        core.sending->refresh_metrics(to);
    if (core.collecting)
        core.collecting->refresh_metrics(to);
    if (core.delivering)
        core.delivering->refresh_metrics(to);
    if (core.pages)
        core.pages->refresh_metrics(to);
    if (core.hosting)
        core.hosting->refresh_metrics(to);
    if (core.carrying)
        core.carrying->refresh_metrics(to);
    to.clear(metric::certificate_ends); // a name that the pages had
    for (const auto& each : own_certificates(core))
        to.set(metric::certificate_ends, static_cast<double>(each.not_after.time_since_epoch().count()),
               {each.file});
}

io::task<> keep_watchdog(daemon_core& core) {
    const auto interval = io::watchdog_interval();
    if (!interval)
        co_return;
    for (;;) {
        io::notify_manager("WATCHDOG=1");
        co_await core.loop().sleep_for(*interval);
    }
}

namespace {

struct watched_store {
    std::uint64_t later = 0, failed = 0; ///< counted before
    std::chrono::steady_clock::time_point probe_at{}, told_at{};
};

/// Whether the store takes what is written. Only a write says so, and there may be no report for hours.
io::task<> watch_store(daemon_core& core, watched_store& seen) {
    const auto& counted = core.keeper->counters();
    const auto unavailable = [&] {
        const auto now = core.loop().now();
        if (core.store_ok || now - seen.told_at >= told_again) {
            seen.told_at = now;
            core.log->write(base::event::store_unavailable, {{"error", counted.last_error}});
        }
        if (std::exchange(core.store_ok, false))
            core.alarms->wake();
    };
    if (counted.later > seen.later || counted.failed_writes > seen.failed) {
        unavailable();
    } else if (!core.store_ok || core.loop().now() >= seen.probe_at) {
        seen.probe_at = core.loop().now() + probe_idle;
        const std::string now = base::format_utc(core.now());
        auto tried =
            co_await core.keeper->write([now](store::store& to) { return to.set_fact("probe/write", now); });
        if (const auto names = our_domains(core.set); tried && !core.domains_known && names)
            tried = co_await take_domains(core, *names, core.set.count_unverified);
        if (!tried) {
            unavailable();
        } else if (!core.store_ok) {
            core.log->write(base::event::store_recovered);
            core.store_ok = true;
            core.alarms->wake();
        }
    }
    seen.later = counted.later;
    seen.failed = counted.failed_writes;
}

} // namespace

io::task<> watch_parts(daemon_core& core) {
    std::map<const part*, bool> was_failing;
    std::uint64_t refused = 0;
    watched_store watched{.probe_at = core.loop().now() + probe_idle};
    base::utc_seconds warned{};
    for (;;) {
        co_await core.loop().sleep_for(5s);
        if (core.stop->is_set())
            co_return; // parts that were told to stop have not failed
        for (const auto& each : core.parts) {
            if (!each->is_way_in())
                continue; // they tell of their troubles themselves
            const auto now = each->status();
            auto& before = was_failing[each.get()];
            if (each->failing() == before)
                continue;
            before = !before;
            core.log->write(before ? base::event::way_in_failed : base::event::way_in_recovered,
                            {{"way", now.name}, {"at", now.where}, {"error", before ? now.last_error : ""}});
        }
        const auto& counted = core.keeper->counters();
        co_await watch_store(core, watched);
        if (counted.refused > refused)
            core.log->write(base::event::report_refused,
                            {{"inputs", std::to_string(counted.refused - refused)}});
        refused = counted.refused;
        if (core.now() - warned < std::chrono::days(1))
            continue;
        warned = core.now();
        for (const auto& each : own_certificates(core))
            if (each.not_after - core.now() < certificate_warning)
                core.log->write(base::event::certificate_ends_soon,
                                {{"file", each.file}, {"not_after", base::format_utc(each.not_after)}});
    }
}

io::task<> keep_retention(daemon_core& core) {
    co_await core.loop().sleep_for(1min);
    for (;;) {
        const auto before = [&core](std::uint64_t days) {
            return days == 0 ? base::utc_seconds{}
                             : core.now() - std::chrono::days(static_cast<std::int64_t>(days));
        };
        const auto bodies = before(core.set.keep_bodies), details = before(core.set.keep_details);
        std::size_t rounds = 0;
        for (bool more = true; more && (bodies != base::utc_seconds{} || details != base::utc_seconds{});) {
            auto left = std::make_shared<bool>(false);
            auto done = co_await core.keeper->write([=](store::store& in) -> store::result<void> {
                auto again = in.expire(bodies, details);
                if (!again)
                    return std::unexpected(again.error());
                *left = *again;
                return {};
            });
            more = done && *left;
            rounds += more ? 1 : 0;
            co_await core.loop().sleep_for(50ms); // reports come first
        }
        if (rounds > 0)
            core.log->write(base::event::retention_done, {{"rounds", std::to_string(rounds)}});
        const auto size = co_await core.ask<store::sizes>([](store::store& from) { return from.size(); });
        if (size)
            core.metrics.set(base::metric::store_bytes, static_cast<double>(size->bytes));
        co_await core.loop().sleep_for(1h);
    }
}

io::task<> send_digests(daemon_core& core) {
    constexpr std::array days = {"sunday",   "monday", "tuesday", "wednesday",
                                 "thursday", "friday", "saturday"};
    for (;;) {
        co_await core.loop().sleep_for(10min);
        const auto now = core.now();
        const auto today = day_of(now);
        if (core.set.alarm_mail.empty() || now - today < std::chrono::hours(digest_hour) ||
            core.set.digest != days[std::chrono::weekday(today).c_encoding()])
            continue;
        const std::string date = base::format_date(now);
        auto last = co_await core.ask<std::optional<std::string>>(
            [](store::store& from) { return from.fact(digest_fact); });
        if (!last || last->value_or("") == date || !co_await core.turn->ours("alarms"))
            continue;
        auto letter = co_await core.ask<insight::letter>(
            [now](store::store& from) { return weekly_digest(from, now); });
        if (!letter) {
            core.log->write(base::event::store_slow, {{"error", letter.error().message}});
            continue;
        }
        co_await core.alarms->post(std::move(*letter));
        co_await core.keeper->write([date](store::store& to) { return to.set_fact(digest_fact, date); });
        core.log->write(base::event::digest_sent, {{"to", base::join(core.set.alarm_mail, ", ")}});
    }
}

io::task<> watch_records(daemon_core& core) {
    co_await core.loop().sleep_for(30s);
    for (;;) {
        // One question at a time: nobody waits for it.
        const auto domains = core.domains;
        for (const auto& domain : domains) {
            const std::string fact = std::string(record_prefix) + domain.name;
            const auto record = co_await core.with->dns->txt("_smtp._tls." + domain.name);
            if (model::is_dns_error(record.status))
                continue;
            const bool published =
                tlsrpt::judge_rrset(record.texts).result == tlsrpt::rrset_judgement::outcome::valid;
            auto known = co_await core.ask<std::optional<std::string>>(
                [fact](store::store& from) { return from.fact(fact); });
            if (!known || known->has_value() == published)
                continue;
            const std::string since = published ? base::format_utc(core.now()) : "";
            co_await core.keeper->write([fact, since](store::store& to) { return to.set_fact(fact, since); });
        }
        co_await core.loop().sleep_for(6h);
    }
}

} // namespace mailtight::app
