// SPDX-License-Identifier: Apache-2.0
// Delivering in the daemon: the report sender with its ways out, what it says for the log, and its figures.
#include "app/policy_time.h"
#include "app/reporting.h"
#include "app/reports_part.h"
#include "app/results_desk.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::app {

namespace {

/// From so many on, and where they are more than a quarter of those sent, it is no longer a few dead domains.
constexpr std::uint64_t given_up_alarm = 10;

boost::json::value time_or_null(base::utc_seconds at) {
    if (at == base::utc_seconds{})
        return nullptr;
    return boost::json::string(base::format_utc(at));
}

base::event event_of(deliver::sender_event::kind what) {
    using kind = deliver::sender_event::kind;
    switch (what) {
    case kind::filed:
        return base::event::outgoing_filed;
    case kind::nobody_asks:
    case kind::not_made:
        return base::event::outgoing_not_made;
    case kind::sent:
        return base::event::outgoing_sent;
    case kind::later:
        return base::event::outgoing_later;
    case kind::refused:
        return base::event::outgoing_refused;
    case kind::given_up:
        return base::event::outgoing_given_up;
    case kind::suppressed:
        return base::event::outgoing_suppressed;
    case kind::trouble:
        return base::event::outgoing_trouble;
    }
    return base::event::outgoing_trouble;
}

class deliver_part final : public delivering_part {
public:
    deliver_part(daemon_core& core, deliver::sender_options options, deliver::ways_out out)
        : core_(core)
        , contact_(options.who.contact)
        , no_mail_(why_no_mail(core.set, *options.keys))
        , keys_(options.keys->signers.size())
        , sender_(core.loop(), std::move(out), policy_time(), core.with->clock, std::move(options),
                  [this](const deliver::sender_event& event) { heard(event); }) {}

    ~deliver_part() override {
        core_.desk->set_sender(nullptr);
        core_.delivering = nullptr;
    }

    std::expected<void, std::string> open() override {
        running_ = true;
        if (!no_mail_.empty())
            core_.log->write(base::event::outgoing_trouble, {{"why", no_mail_}});
        core_.desk->set_sender(&sender_);
        return {};
    }
    void start() override { sender_.start(); }
    void stop() override {
        sender_.stop();
        running_ = false;
    }
    bool idle() const override { return sender_.idle(); }
    io::task<> drain(io::loop::time_point deadline) override {
        while (!sender_.idle() && core_.loop().now() < deadline)
            co_await core_.loop().sleep_for(std::chrono::milliseconds(20));
    }
    bool failing() const override { return !running_ || (core_.set.deliver_mail && !no_mail_.empty()); }
    intake::way_status status() const override {
        const auto figures = sender_.counted();
        intake::way_status now;
        now.name = "deliver";
        now.where = "as " + contact_;
        now.running = running_;
        now.accepted = figures.sent_mail + figures.sent_https;
        now.refused = figures.refused + figures.given_up;
        now.last_error = no_mail_.empty() ? figures.last_error : no_mail_;
        now.last_error_at = no_mail_.empty() ? figures.last_error_at : core_.since;
        now.last_success = figures.last_sent;
        return now;
    }

    deliver::sender& sender() override { return sender_; }
    void bounced(std::string message) override { core_.loop().spawn(sender_.bounced(std::move(message))); }

    boost::json::object status_json() const override {
        const auto figures = sender_.counted();
        const auto& stored = figures.stored;
        return {{"contact", contact_},
                {"keys", keys_},
                {"mail_waits", no_mail_},
                {"dry_run", core_.set.dry_run},
                {"filed", figures.filed},
                {"nobody_asks", figures.nobody_asks},
                {"not_made", figures.not_made},
                {"sent_mail", figures.sent_mail},
                {"sent_https", figures.sent_https},
                {"failed_tries", figures.failed_tries},
                {"refused", figures.refused},
                {"given_up", figures.given_up},
                {"suppressed", figures.suppressed},
                {"last_sent", time_or_null(figures.last_sent)},
                {"last_error", base::printable(figures.last_error)},
                {"last_error_at", time_or_null(figures.last_error_at)},
                {"due", stored.due},
                {"waiting", stored.waiting},
                {"unreported_sessions", stored.unreported_sessions},
                {"oldest_due", time_or_null(stored.oldest_due)},
                {"oldest_waiting", time_or_null(stored.oldest_waiting)},
                {"kept", boost::json::object{{"sent", stored.sent},
                                             {"refused", stored.refused},
                                             {"given_up", stored.given_up},
                                             {"suppressed", stored.suppressed}}}};
    }

    void refresh_metrics(base::metrics& to) const override {
        using base::metric;
        const auto number = [](auto value) { return static_cast<double>(value); };
        const auto figures = sender_.counted();
        to.set(metric::outgoing_reports, number(figures.filed), {"filed"});
        to.set(metric::outgoing_reports, number(figures.nobody_asks), {"nobody-asks"});
        to.set(metric::outgoing_reports, number(figures.not_made), {"not-made"});
        to.set(metric::outgoing_deliveries, number(figures.sent_mail), {"sent-mail"});
        to.set(metric::outgoing_deliveries, number(figures.sent_https), {"sent-https"});
        to.set(metric::outgoing_deliveries, number(figures.refused), {"refused"});
        to.set(metric::outgoing_deliveries, number(figures.given_up), {"given-up"});
        to.set(metric::outgoing_deliveries, number(figures.suppressed), {"suppressed"});
        to.set(metric::outgoing_tries_failed, number(figures.failed_tries));
        const auto& stored = figures.stored;
        to.set(metric::outgoing_stored, number(stored.due), {"due"});
        to.set(metric::outgoing_stored, number(stored.waiting), {"waiting"});
        to.set(metric::outgoing_stored, number(stored.sent), {"sent"});
        to.set(metric::outgoing_stored, number(stored.refused), {"refused"});
        to.set(metric::outgoing_stored, number(stored.given_up), {"given-up"});
        to.set(metric::outgoing_stored, number(stored.suppressed), {"suppressed"});
        to.set(metric::outgoing_oldest_waiting, number(stored.oldest_waiting.time_since_epoch().count()));
        to.set(metric::outgoing_unreported, number(stored.unreported_sessions));
        to.set(metric::outgoing_last_sent, number(figures.last_sent.time_since_epoch().count()));
    }

    std::vector<insight::alarm> alarms() const override {
        std::vector<insight::alarm> all;
        if (core_.set.deliver_mail && !no_mail_.empty()) {
            insight::alarm alarm;
            alarm.key = "deliver/no-key";
            alarm.kind = "deliver";
            alarm.weight = insight::weight::error;
            alarm.title = "No report goes out by mail: there is no DKIM key";
            alarm.text = "Receivers must refuse reports that are not signed (RFC 8460 section 3), so they "
                         "wait, for a day each.";
            alarm.fix = "Run mailtight report keys make, publish the records that it prints, then start the "
                        "daemon again.";
            all.push_back(std::move(alarm));
        }
        const auto stored = sender_.counted().stored;
        if (stored.given_up >= given_up_alarm && stored.given_up * 4 > stored.sent) {
            insight::alarm alarm;
            alarm.key = "deliver/given-up";
            alarm.kind = "deliver";
            alarm.weight = insight::weight::warning;
            alarm.title = fmt::format("{} reports could not be delivered", stored.given_up);
            alarm.text = "Each was tried for a day. So many mean that something is wrong on this side: the "
                         "smart host of [mail], the address that mail comes from, the network.";
            alarm.fix = "See mailtight report outbox --state given-up for the reasons.";
            all.push_back(std::move(alarm));
        }
        return all;
    }

private:
    void heard(const deliver::sender_event& event) {
        const bool of_a_day = event.day != std::chrono::sys_days{}; // a database that is away is of none
        std::vector<base::log_field> fields = {
            {"domain", event.domain},
            {"day", of_a_day ? base::format_date(base::utc_seconds(event.day)) : std::string()},
            {"to", base::printable(event.uri, 300)},
            {"why", base::printable(event.words, 500)}};
        std::erase_if(fields, [](const base::log_field& field) { return field.value.empty(); });
        core_.log->write(event_of(event.what), fields);
    }

    daemon_core& core_;
    std::string contact_, no_mail_;
    std::size_t keys_;
    deliver::sender sender_;
    bool running_ = false;
};

} // namespace

std::expected<std::unique_ptr<delivering_part>, std::string> make_deliver_part(daemon_core& core) {
    auto options = sender_options_of(core.set);
    if (!options)
        return std::unexpected(options.error());
    const auto why = why_no_mail(core.set, *options->keys);
    auto out = ways_out_of(*core.with, core.set, [why] { return why; });
    if (!out)
        return std::unexpected(out.error());
    return std::make_unique<deliver_part>(core, std::move(*options), std::move(*out));
}

} // namespace mailtight::app
