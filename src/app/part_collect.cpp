// SPDX-License-Identifier: Apache-2.0
// Collecting in the daemon: datagrams, logs and lines on their way into the collector, with what the policy
// service knows; and the collector's figures.
#include "app/drained_input.h"
#include "app/log_sources.h"
#include "app/policy_time.h"
#include "app/reporting.h"
#include "app/reports_part.h"
#include "app/result_lines.h"
#include "app/results_desk.h"
#include "app/sending_part.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

namespace {

using namespace std::chrono_literals;

constexpr auto unwritten_alarm = 120s;
constexpr std::size_t line_clients = 1'000; ///< each may have a long line under way

boost::json::value time_or_null(base::utc_seconds at) {
    if (at == base::utc_seconds{})
        return nullptr;
    return boost::json::string(base::format_utc(at));
}

/// A few of them may wait for the loop: small enough that memory stays small.
struct datagram_pile : tally::pile {
    datagram_pile()
        : pile(pile_bytes) {}
    explicit datagram_pile(pile spare)
        : pile(std::move(spare)) {}
    static constexpr std::size_t pile_bytes = 8u << 20;
};

/// `/path`, or `unix:/path,mode=0622` as other listeners are written.
std::expected<io::drain_options, std::string> drain_at(const std::string& text, unsigned permissions) {
    io::drain_options made;
    made.path = text;
    made.permissions = permissions;
    if (text.starts_with("unix:")) {
        auto at = io::parse_listen_address(text, 0);
        if (!at)
            return std::unexpected("collect.datagram-listen: " + at.error());
        made.path = at->unix_path;
        if (text.find(",mode=") != std::string::npos)
            made.permissions = at->unix_mode;
    }
    if (!made.path.starts_with('/'))
        return std::unexpected(
            fmt::format("collect.datagram-listen: '{}' is no path", base::printable(text, 200)));
    return made;
}

class collect_part final : public collecting_part {
public:
    explicit collect_part(daemon_core& core)
        : core_(core)
        , collector_(core.loop(), policy_time(), knowing(core), options(core))
        , logs_(
              core.loop(), core.with->clock, [] { return policy_time().ahead(); }, collector_,
              [this](std::string_view what) { complain(what); })
        , sink_{.take =
                    [this](const tally::told& what) {
                        ++lines_told_;
                        collector_.take(what, policy_time().now());
                    },
                .refused =
                    [this](const tally::read_error& why) {
                        ++lines_refused_;
                        core_.log->write(base::event::result_refused,
                                         {{"where", why.where}, {"error", why.words}});
                    },
                .written = [this] { return collector_.flush(); },
                .full = [this] { return collector_.full(); }}
        , lines_(core.loop(), line_options(core), result_lines(core.loop(), sink_)) {
        core.api->results = sink_;
    }
    ~collect_part() override { core_.collecting = nullptr; }

    std::expected<void, std::string> open() override {
        const auto permissions = parse_permissions(core_.set.datagram_permissions);
        if (!permissions)
            return std::unexpected(fmt::format("collect.datagram-permissions: '{}' is no mode such as 0622",
                                               base::printable(core_.set.datagram_permissions, 20)));
        for (const auto& text : core_.set.datagram_listen) {
            auto at = drain_at(text, *permissions);
            if (!at)
                return std::unexpected(at.error());
            auto opened =
                drained_input<datagram_pile>::open(core_.loop(), std::move(*at), [this](datagram_pile got) {
                    collector_.take(std::move(got), policy_time().now());
                    return datagram_pile(collector_.spare(datagram_pile::pile_bytes));
                });
            if (!opened)
                return std::unexpected("collect.datagram-listen: " + opened.error());
            sockets_.push_back(std::move(*opened));
        }
        if (auto opened = logs_.open(core_.set); !opened)
            return opened;
        for (const auto& text : core_.set.result_lines_listen) {
            auto at = listen_at("collect.lines-listen", text, 8646);
            if (!at)
                return std::unexpected(at.error());
            if (auto bound = lines_.listen(*at); !bound)
                return std::unexpected("collect.lines-listen: " + bound.error());
        }
        running_ = true;
        return {};
    }
    void start() override {
        collector_.start();
        logs_.start();
        if (!core_.delivering)
            core_.loop().spawn(keep_tidy(core_));
    }
    void stop() override {
        for (auto& each : sockets_)
            each->close();
        logs_.stop();
        lines_.stop();
        running_ = false;
    }
    bool idle() const override { return lines_.open_connections() == 0; }
    io::task<> drain(io::loop::time_point deadline) override {
        if (auto written = co_await collector_.drain(deadline); !written)
            complain(written.error().message);
        collector_.stop(); // while what is joined with is still there
    }
    bool failing() const override { return !running_ || cannot_write() || !log_trouble().empty(); }
    intake::way_status status() const override {
        const auto figures = collector_.counted();
        intake::way_status now;
        now.name = "collect";
        now.where = base::join(places(), ", ");
        now.running = running_;
        now.accepted = figures.sessions;
        now.refused = figures.bad_datagrams + lines_refused_;
        now.open = lines_.open_connections();
        now.last_error = figures.last_error;
        now.last_error_at = figures.last_error_at;
        now.last_success = figures.last_written;
        if (auto trouble = log_trouble(); !trouble.empty() && !cannot_write()) {
            now.last_error = std::move(trouble);
            now.last_error_at = core_.now();
        }
        return now;
    }

    const api::result_sink& sink() const override { return sink_; }
    void stopped(const model::session_seen& attempt) override {
        ++stopped_;
        collector_.take(tally::told(attempt), policy_time().now());
    }

    boost::json::object status_json() const override;
    void refresh_metrics(base::metrics& to) const override;
    std::vector<insight::alarm> alarms() const override;

private:
    static tally::know_fn knowing(daemon_core& core) {
        return [&core](std::string_view domain) {
            if (core.sending)
                return core.sending->known(domain);
            model::policy_facts nothing;
            nothing.domain = domain;
            return nothing;
        };
    }
    static tally::collector_options options(daemon_core& core) {
        auto made = collector_options_of(core.set);
        made.complain = [&core](std::string_view what) {
            core.log->write(base::event::results_trouble, {{"error", std::string(what)}});
        };
        made.failed = [&core](const std::string& domain, const std::string& words) {
            if (core.sending)
                core.sending->delivery_failed(domain, words);
        };
        return made;
    }
    static io::request_server_options line_options(daemon_core& core) {
        io::request_server_options made;
        made.request_bytes = result_line_bytes;
        made.listening.connections = made.listening.per_source = line_clients;
        made.listening.complain = complaints_to(core);
        return made;
    }
    /// Where reports are delivered, the sender does this.
    static io::task<> keep_tidy(daemon_core& core) {
        for (;;) {
            const auto today = std::chrono::floor<std::chrono::days>(policy_time().now());
            const auto days = std::chrono::days(std::max<std::uint64_t>(core.set.keep_results, 2));
            auto more = co_await core.desk->expire(today - days);
            co_await core.loop().sleep_for(more && *more ? std::chrono::milliseconds(200)
                                                         : std::chrono::milliseconds(1h));
        }
    }
    void complain(std::string_view what) {
        core_.log->write(base::event::results_trouble, {{"error", std::string(what)}});
    }
    bool cannot_write() const {
        const auto figures = collector_.counted();
        return !figures.last_error.empty() && figures.last_error_at > figures.last_written &&
               figures.waiting > 0;
    }
    /// Of the first log that cannot be read; "": all can, or will with the next line that is written.
    std::string log_trouble() const {
        for (const auto& each : logs_.list())
            if (!each.trouble.empty() && !each.rotated)
                return fmt::format("{} {}: {}", each.kind, each.where, base::printable(each.trouble));
        return "";
    }
    std::vector<std::string> places() const {
        std::vector<std::string> all;
        for (const auto& each : sockets_)
            all.push_back("datagrams " + each->path());
        for (const auto& each : logs_.list())
            all.push_back(each.where.empty() ? each.kind : each.kind + " " + each.where);
        if (const auto bound = lines_.address(); !bound.empty())
            all.push_back("lines " + bound);
        return all;
    }

    daemon_core& core_;
    tally::collector collector_;
    log_sources logs_;
    std::uint64_t lines_told_ = 0, lines_refused_ = 0, stopped_ = 0;
    api::result_sink sink_;
    io::request_server lines_;
    std::vector<std::unique_ptr<drained_input<datagram_pile>>> sockets_;
    bool running_ = false;
};

boost::json::object collect_part::status_json() const {
    const auto figures = collector_.counted();
    boost::json::array sockets, logs;
    for (const auto& each : sockets_) {
        const auto counted = each->counted();
        sockets.push_back(boost::json::object{{"where", each->path()},
                                              {"datagrams", counted.datagrams},
                                              {"cut", counted.cut},
                                              {"queue_was_full", counted.queue_was_full},
                                              {"queue_length", counted.queue_length}});
    }
    for (const auto& each : logs_.list())
        logs.push_back(boost::json::object{{"kind", each.kind},
                                           {"where", each.where},
                                           {"lines", each.lines},
                                           {"sessions", each.sessions},
                                           {"tells_tls", each.tells_tls},
                                           {"trouble", base::printable(each.trouble)}});
    return {{"datagrams", figures.datagrams},
            {"bad_datagrams", figures.bad_datagrams},
            {"lines_told", lines_told_},
            {"lines_refused", lines_refused_},
            {"stopped_by_policy", stopped_},
            {"sessions", figures.sessions},
            {"failures", figures.failures},
            {"relabelled", figures.relabelled},
            {"folded", figures.folded},
            {"lost", figures.lost},
            {"written", figures.written},
            {"waiting", figures.waiting},
            {"last_written", time_or_null(figures.last_written)},
            {"writable", !cannot_write()},
            {"last_error", base::printable(figures.last_error)},
            {"last_error_at", time_or_null(figures.last_error_at)},
            {"last_bad", base::printable(figures.last_bad)},
            {"last_bad_at", time_or_null(figures.last_bad_at)},
            {"sockets", std::move(sockets)},
            {"logs", std::move(logs)}};
}

void collect_part::refresh_metrics(base::metrics& to) const {
    using base::metric;
    const auto number = [](auto value) { return static_cast<double>(value); };
    const auto figures = collector_.counted();
    to.set(metric::results_told, number(figures.datagrams - figures.bad_datagrams), {"datagram"});
    to.set(metric::results_told, number(lines_told_), {"lines"});
    to.set(metric::results_told, number(stopped_), {"policy"});
    to.set(metric::results_refused, number(figures.bad_datagrams), {"datagram"});
    to.set(metric::results_refused, number(lines_refused_), {"lines"});
    std::uint64_t from_logs = 0;
    for (const auto& each : logs_.list()) {
        from_logs += each.sessions;
        to.set(metric::log_lines, number(each.lines),
               {each.where.empty() ? each.kind : fmt::format("{}:{}", each.kind, each.where)});
    }
    to.set(metric::results_told, number(from_logs), {"log"});
    to.set(metric::result_sessions, number(figures.sessions - std::min(figures.failures, figures.sessions)),
           {"success"});
    to.set(metric::result_sessions, number(figures.failures), {"failure"});
    to.set(metric::results_waiting, number(figures.waiting));
    to.set(metric::results_written, number(figures.last_written.time_since_epoch().count()));
    to.set(metric::results_folded, number(figures.folded));
    to.set(metric::results_lost, number(figures.lost));
    to.set(metric::results_relabelled, number(figures.relabelled));
    for (const auto& each : sockets_) {
        const auto counted = each->counted();
        to.set(metric::datagrams_cut, number(counted.cut), {each->path()});
        to.set(metric::datagram_queue_full, number(counted.queue_was_full), {each->path()});
    }
}

std::vector<insight::alarm> collect_part::alarms() const {
    const auto figures = collector_.counted();
    if (!cannot_write() || policy_time().now() - figures.last_written < unwritten_alarm)
        return {};
    insight::alarm alarm;
    alarm.key = "collect/unwritten";
    alarm.kind = "collect";
    alarm.weight = insight::weight::error;
    alarm.title = "Results of deliveries cannot be written";
    alarm.text = fmt::format("{} sessions wait in memory, since {}: {}", figures.waiting,
                             base::format_utc(figures.last_error_at), base::printable(figures.last_error));
    alarm.fix =
        "Make room on the disk, or bring the database back; they are written then by themselves. What "
        "waits is lost if the daemon ends before.";
    return {alarm};
}

} // namespace

std::expected<std::unique_ptr<collecting_part>, std::string> make_collect_part(daemon_core& core) {
    return std::make_unique<collect_part>(core);
}

} // namespace mailtight::app
