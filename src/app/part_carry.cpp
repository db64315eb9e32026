// SPDX-License-Identifier: Apache-2.0
// Carrying out plans in the daemon: the carrier, the watcher and the certificates, with one thread for the
// store and the hands that the commands have too. A database that is away at the start is waited for.
#include "app/carry_hands.h"
#include "app/certificate_desk.h"
#include "app/domain_access.h"
#include "app/pages_certificates.h"
#include "app/pages_part.h"
#include "app/policy_time.h"
#include "app/publish_marks.h"
#include "app/publish_part.h"
#include "app/report_domains.h"
#include "app/sending.h"
#include "app/store_access.h"
#include "base/text.h"
#include "publish/watcher.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace mailtight::app {

namespace {

using namespace std::chrono_literals;

constexpr auto open_again = 5s;
constexpr auto keep_clean = 1h;
constexpr std::size_t alarms_shown = 200; ///< more are counted: a broken provider is many domains

std::chrono::seconds whole(std::chrono::milliseconds length) {
    return std::chrono::duration_cast<std::chrono::seconds>(length);
}

class carry_part final : public carrying_part {
public:
    carry_part(daemon_core& core, publish_settings say)
        : core_(core)
        , say_(std::move(say))
        , machine_(machine_name_of(core.set)) {}
    ~carry_part() override { core_.carrying = nullptr; }

    std::expected<void, std::string> open() override {
        running_ = true;
        return {};
    }
    void start() override { core_.loop().spawn(begin()); }
    void stop() override {
        running_ = false;
        if (carrier_)
            carrier_->stop();
        if (watcher_)
            watcher_->stop();
        if (desk_)
            desk_->stop();
    }
    bool idle() const override {
        return (!carrier_ || carrier_->idle()) && (!watcher_ || watcher_->idle()) &&
               (!desk_ || desk_->idle());
    }
    io::task<> drain(io::loop::time_point deadline) override {
        while (!idle() && core_.loop().now() < deadline)
            co_await core_.loop().sleep_for(20ms);
    }
    bool failing() const override { return !running_ || !last_error_.empty(); }
    intake::way_status status() const override {
        intake::way_status now;
        now.name = "carry";
        now.where = fmt::format("as {}, {} left to it", machine_, model::to_string(say_.leave));
        now.running = running_;
        now.last_error = last_error_;
        now.last_error_at = last_error_at_;
        if (carrier_)
            now.accepted = carrier_->counted().steps;
        return now;
    }

    void wake(std::vector<std::string> domains) override {
        if (carrier_)
            for (const auto& domain : domains)
                carrier_->wake(domain);
        if (kept_) // there may be more of them now, or fewer
            core_.loop().spawn([](carry_part& of) -> io::task<> { co_await of.count(); }(*this));
    }

    io::task<std::expected<publish::carried, std::string>> go(std::string domain, std::string who) override {
        if (!carrier_)
            co_return std::unexpected("the database is away: nothing can be done just now");
        co_return co_await carrier_->go(std::move(domain), true, std::move(who));
    }

    io::task<std::expected<boost::json::object, std::string>> carry(std::string domain, std::string who,
                                                                    std::size_t width, bool colour) override {
        const auto went = co_await go(std::move(domain), std::move(who));
        if (!went)
            co_return std::unexpected(went.error());
        const auto& done = *went;
        boost::system::error_code error;
        auto json = boost::json::parse(plan::render_json(done.plan), error);
        co_return boost::json::object{
            {"plan", error ? boost::json::value(nullptr) : std::move(json)},
            {"text", plan::render_text(done.plan, policy_time().now(), width, colour)},
            {"did", done.did},
            {"failed", done.failed},
            {"busy", done.busy}};
    }

    io::task<std::expected<void, std::string>> change_account_key() override {
        if (!desk_)
            co_return std::unexpected("no certificates are ordered here");
        co_return co_await desk_->change_account_key();
    }

    void report_way_proven(std::string domain) override {
        if (!kept_)
            return;
        core_.loop().spawn([](carry_part& of, std::string name) -> io::task<> {
            const model::mark mark{
                .at = policy_time().now(), .by = of.machine_, .text = "a test report arrived"};
            auto set = co_await of.ask<bool>([name, mark](store::domain_store& to) -> store::result<bool> {
                auto found = to.find(name);
                if (!found)
                    return std::unexpected(found.error());
                if (!*found || (*found)->marks.contains(report_way_mark))
                    return false;
                if (auto done = to.set_mark(name, report_way_mark, mark); !done)
                    return std::unexpected(done.error());
                return true;
            });
            if (set && *set)
                of.wake({name});
        }(*this, std::move(domain)));
    }

    boost::json::object status_json() const override {
        const auto steps = carrier_ ? carrier_->counted() : publish::carrier::counters{};
        const auto looks = watcher_ ? watcher_->counted() : publish::watcher::counters{};
        const auto orders = desk_ ? desk_->counted() : publish::issuer::counters{};
        return {{"machine", machine_},
                {"domains", domains_},
                {"leave", model::to_string(say_.leave)},
                {"steps", steps.steps},
                {"failures", steps.failures},
                {"under_way", steps.waiting},
                {"looks", steps.looks},
                {"watch", boost::json::object{{"full", looks.full},
                                              {"cheap", looks.cheap},
                                              {"failed", looks.failed},
                                              {"differed", looks.differed}}},
                {"certificates", boost::json::object{{"issued", orders.issued},
                                                     {"failed", orders.failed},
                                                     {"held_back", orders.waited_for_limit}}},
                {"zone_transfers", refused_transfers()},
                {"waiting", boost::json::object(waiting_.begin(), waiting_.end())},
                {"last_error", base::printable(last_error_)}};
    }

    void refresh_metrics(base::metrics& to) const override {
        using base::metric;
        const auto number = [](auto value) { return static_cast<double>(value); };
        if (carrier_) {
            const auto steps = carrier_->counted();
            to.set(metric::plan_steps, number(steps.steps), {"done"});
            to.set(metric::plan_steps, number(steps.failures), {"failed"});
            to.set(metric::plan_under_way, number(steps.waiting));
        }
        if (watcher_) {
            const auto looks = watcher_->counted();
            to.set(metric::domain_looks, number(looks.full), {"full"});
            to.set(metric::domain_looks, number(looks.cheap), {"cheap"});
            to.set(metric::domain_looks, number(looks.failed), {"failed"});
            to.set(metric::domain_looks, number(looks.differed), {"differed"});
        }
        const auto* pages = core_.pages ? core_.pages->orders() : nullptr;
        if (desk_ || pages)
            tell_orders(to, {desk_ ? desk_->counted() : publish::issuer::counters{},
                             pages ? pages->counted() : publish::issuer::counters{}});
        to.set(metric::domains_looked_after, number(domains_));
        for (const auto& [kind, waits] : waiting_)
            to.set(metric::domain_work_waiting, number(waits), {kind});
    }

    io::task<std::vector<std::string>> reporting_here() override {
        std::vector<std::string> names;
        if (!kept_)
            co_return names;
        auto all = co_await ask<std::vector<model::looked_after>>(
            [](store::domain_store& from) { return all_domains(from, {}); });
        if (all)
            for (const auto& each : *all)
                if (reports_come_here(core_.set, each))
                    names.push_back(each.domain);
        co_return names;
    }

    io::task<> gather_alarms() override {
        if (!kept_)
            co_return;
        auto standing = co_await ask<std::vector<publish::watch_alarm>>(
            [now = policy_time().now()](store::domain_store& from) {
                return publish::standing_alarms(from, now);
            });
        if (standing)
            standing_ = std::move(*standing);
    }
    std::vector<insight::alarm> alarms() const override {
        std::vector<insight::alarm> all;
        for (const auto& each : standing_) {
            if (all.size() == alarms_shown)
                break;
            insight::alarm alarm;
            alarm.key = each.key;
            alarm.kind = "watch";
            alarm.domain = each.domain;
            alarm.weight = each.error ? insight::weight::error : insight::weight::warning;
            alarm.title = each.title;
            alarm.text = each.text;
            alarm.fix = each.fix;
            all.push_back(std::move(alarm));
        }
        return all;
    }

private:
    boost::json::array refused_transfers() const {
        boost::json::array all;
        if (const auto* below = hands_ ? hands_->below() : nullptr)
            for (const auto& [server, why] : below->refused())
                all.push_back(boost::json::object{{"server", server}, {"why", base::printable(why, 300)}});
        return all;
    }

    template<class T>
    io::task<store::result<T>> ask(std::function<store::result<T>(store::domain_store&)> question) {
        return worker_->run<store::result<T>>(
            [question = std::move(question), kept = kept_.get()] { return question(*kept); });
    }

    void trouble(const std::string& words) {
        if (words != last_error_)
            core_.log->write(base::event::hosting_trouble, {{"error", base::printable(words, 500)}});
        last_error_ = words;
        last_error_at_ = core_.now();
    }

    /// The store is opened on its own thread, as often as it takes.
    io::task<> begin() {
        worker_ = std::make_unique<io::worker>(core_.loop(), "publish");
        using opened = store::result<std::shared_ptr<store::domain_store>>;
        while (running_ && !kept_) {
            auto made = co_await worker_->run<opened>([where = store_place(core_.set),
                                                       who = machine_]() -> opened {
                auto fresh = store::open_domains({.where = where});
                if (!fresh)
                    return std::unexpected(fresh.error());
                if (auto ended = (*fresh)->take_back(who); !ended) // leases of the process before this one
                    return std::unexpected(ended.error());
                return std::shared_ptr<store::domain_store>(std::move(*fresh));
            });
            if (made) {
                kept_ = std::move(*made);
                last_error_.clear();
                break;
            }
            trouble(words(made.error()));
            co_await core_.loop().sleep_for(open_again);
        }
        if (!running_)
            co_return;
        hands_ = std::make_unique<carry_hands>(core_, say_, *worker_, *kept_);
        if (core_.set.certificate_folder.empty() && core_.seal)
            desk_ = std::make_unique<certificate_desk>(core_, say_, *worker_, *kept_, hands_->all(),
                                                       core_.hosting ? core_.hosting->spread() : 600ms);
        carrier_ = std::make_unique<publish::carrier>(
            core_.loop(), *worker_, *kept_, hands_->of_carrier(desk_.get()), policy_time(),
            publish::carrier_options{.machine = machine_},
            [this](const std::string& domain, const publish::carried& done) { heard(domain, done); });
        carrier_->start();
        if (desk_)
            desk_->start();
        if (core_.set.watch_domains) {
            publish::watch_options options{.machine = machine_,
                                           .full = whole(core_.set.watch_full),
                                           .cheap = whole(core_.set.watch_cheap)};
            watcher_ =
                std::make_unique<publish::watcher>(core_.loop(), *worker_, *kept_, hands_->of_watcher(),
                                                   policy_time(), core_.with->clock, std::move(options));
            watcher_->start();
        }
        core_.loop().spawn(keep_order());
        if (const auto names = our_domains(core_.set)) // now that those looked after are known
            static_cast<void>(co_await take_domains(core_, *names, core_.set.count_unverified));
    }

    void heard(const std::string& domain, const publish::carried& done) {
        if (!done.did.empty())
            core_.log->write(base::event::plan_step_done, {{"domain", domain}, {"did", done.did}});
        if (!done.failed.empty())
            core_.log->write(base::event::plan_step_failed,
                             {{"domain", domain}, {"error", base::printable(done.failed, 500)}});
    }

    io::task<> count() {
        const auto counted =
            co_await ask<std::uint64_t>([](store::domain_store& from) { return from.count(std::nullopt); });
        if (counted) {
            domains_ = *counted;
            last_error_.clear();
        } else {
            trouble(words(counted.error()));
        }
    }

    /// A queue that grows: these machines are too few, or something holds them up.
    io::task<> count_waiting() {
        for (const auto* kind : {"plan", "certificate", "watch", "glance"}) {
            auto waits =
                co_await ask<std::uint64_t>([kind, now = policy_time().now()](store::domain_store& from) {
                    return from.waiting_work(kind, now);
                });
            if (waits)
                waiting_[kind] = *waits;
        }
    }

    /// Old looks go, and the number of domains is known.
    io::task<> keep_order() {
        auto clean = core_.loop().now();
        while (running_) {
            co_await count();
            co_await count_waiting();
            const auto before =
                policy_time().now() - std::chrono::days(static_cast<std::int64_t>(core_.set.keep_watched));
            const bool due = core_.loop().now() >= clean;
            if (due)
                clean = core_.loop().now() + keep_clean;
            for (bool more = due && core_.set.keep_watched > 0; more && running_;) {
                auto left =
                    co_await ask<bool>([before](store::domain_store& in) { return in.expire(before); });
                more = left && *left;
                co_await core_.loop().sleep_for(50ms);
            }
            co_await core_.loop().sleep_for(10s);
        }
    }

    daemon_core& core_;
    publish_settings say_;
    std::string machine_;
    std::unique_ptr<io::worker> worker_;
    std::shared_ptr<store::domain_store> kept_;
    std::unique_ptr<carry_hands> hands_;
    std::unique_ptr<certificate_desk> desk_;
    std::unique_ptr<publish::carrier> carrier_;
    std::unique_ptr<publish::watcher> watcher_;
    std::vector<publish::watch_alarm> standing_;
    std::uint64_t domains_ = 0;
    std::map<std::string, std::uint64_t> waiting_;
    std::string last_error_;
    base::utc_seconds last_error_at_{};
    bool running_ = false;
};

} // namespace

std::expected<std::unique_ptr<carrying_part>, std::string> make_carrying_part(daemon_core& core) {
    auto say = publish_settings_of(core.set);
    if (!say)
        return std::unexpected(say.error());
    return std::make_unique<carry_part>(core, std::move(*say));
}

} // namespace mailtight::app
