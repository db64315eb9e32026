// SPDX-License-Identifier: Apache-2.0
// The policy service in the daemon: database, memory and service, and the listeners at which mail servers
// ask. What is kept is in memory before the first listener is bound, so that nobody is answered out of half a
// memory.
#include "api/site.h"
#include "app/policy_listeners.h"
#include "app/policy_time.h"
#include "app/reports_part.h"
#include "app/sending.h"
#include "app/sending_part.h"
#include "app/store_access.h"
#include "app/stored_pages.h"
#include "app/verdict_memory.h"
#include "base/text.h"
#include "mail/next_hop.h"
#include "resolve/facts.h"
#include "resolve/front.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace mailtight::app {

namespace {

constexpr std::size_t looks_most = 200; ///< at once, for destinations of results that nobody asked about
/// A mail server asks before it delivers, and a delivery may take its time.
constexpr std::chrono::hours answer_counts_for{1};
constexpr std::size_t alarms_shown = 100; ///< more are counted: a provider that is down is many domains

boost::json::value time_or_null(base::utc_seconds at) {
    if (at == base::utc_seconds{})
        return nullptr;
    return boost::json::string(base::format_utc(at));
}

constexpr std::array decisions = {resolve::decision::enforce,   resolve::decision::testing,
                                  resolve::decision::none,      resolve::decision::dane,
                                  resolve::decision::no_policy, resolve::decision::unknown};
constexpr std::array faults = {sts::policy_fault::fetch_error, sts::policy_fault::webpki_invalid,
                               sts::policy_fault::invalid};

class resolve_part final : public sending_part {
public:
    resolve_part(daemon_core& core, std::unique_ptr<store::policy_store> opened,
                 resolve::service_options options, resolve::front_options fronts)
        : core_(core)
        , keeper_(core.loop(), policy_time(), std::move(opened), keeping(core))
        , verdicts_(core.loop(), policy_time(), keeper_)
        , service_(core.loop(), *core.with->dns, policy_time(), fetcher_of(*core.with, core.set),
                   verdicts_.noting(prober_of(*core.with, core.set)), keeper_, std::move(options),
                   [this](const resolve::service_event& event) { heard(event); })
        , pages_(core.loop(), store_place(core.set))
        , listeners_(core.loop(), service_, policy_time(), std::move(fronts), complaints_to(core))
        , http_(core.loop(), http_options(core), core.with->clock) {
        service_.on_stopped([&core](const model::session_seen& attempt) {
            if (core.collecting)
                core.collecting->stopped(attempt);
        });
        core.api->policies = &service_;
        core.api->stored = [this](std::string after, std::size_t limit, std::string contains) {
            return pages_.page(std::move(after), limit, std::move(contains));
        };
        api::site_options site;
        site.may_tell = is_on_this_machine;
        http_.add_site(api::make_site(core.api, std::move(site)));
    }

    ~resolve_part() override { core_.sending = nullptr; } // results may still be joined

    std::expected<void, std::string> open() override {
        // A database that is away stops no answer: the memory begins empty, the keeper complains, and takes
        // over what is kept as soon as it can.
        if (auto loaded = core_.loop().block_on(service_.start()); !loaded && !loaded.error().again())
            return std::unexpected(words(loaded.error()));
        core_.log->write(base::event::policies_loaded,
                         {{"destinations", std::to_string(service_.policies().size())},
                          {"exceptions", std::to_string(service_.overrides().size())}});
        if (auto bound = listeners_.prepare(core_.set); !bound)
            return bound;
        listeners_.change();
        for (const auto& text : core_.set.policy_http_listen) {
            auto at = listen_at("resolve.http-listen", text, 8644);
            if (!at)
                return std::unexpected(at.error());
            if (auto bound = http_.listen(*at, nullptr); !bound)
                return std::unexpected("resolve.http-listen: " + bound.error());
        }
        running_ = true;
        return {};
    }
    void stop() override {
        listeners_.stop();
        http_.stop();
        service_.stop();
        running_ = false;
    }
    bool idle() const override { return listeners_.open_connections() + http_.open_connections() == 0; }
    intake::way_status status() const override {
        intake::way_status now;
        now.name = "resolve";
        auto places = listeners_.addresses();
        for (auto& more : http_.addresses())
            places.push_back("http " + more);
        now.where = base::join(places, ", ");
        now.running = running_;
        now.accepted = service_.counted().answers;
        now.refused = listeners_.refused();
        now.open = listeners_.open_connections() + http_.open_connections();
        return now;
    }

    model::policy_facts known(std::string_view domain) override {
        auto decided = service_.last_given(domain);
        if (!decided || decided->good_until + answer_counts_for < policy_time().now()) {
            decided = remembered(domain);
            look_at(std::string(domain));
        }
        auto facts = resolve::facts_of(*decided);
        if (facts.mode == "testing")
            facts.verdicts = verdicts_.of(domain);
        return facts;
    }
    void delivery_failed(const std::string& domain, const std::string& words) override {
        service_.delivery_failed(domain, words);
    }

    std::expected<void, std::string> prepare_change(const settings& to) override {
        auto options = service_options_of(to);
        if (!options)
            return std::unexpected(options.error());
        auto fronts = front_options_of(to, main_cf_here());
        if (!fronts)
            return std::unexpected(fronts.error());
        if (auto bound = listeners_.prepare(to); !bound)
            return bound;
        next_options_ = std::move(*options);
        next_fronts_ = std::move(*fronts);
        return {};
    }
    void change() override {
        if (!next_options_ || !next_fronts_)
            return;
        service_.change(*next_options_);
        core_.api->replies = next_fronts_->replies;
        listeners_.answer_with(std::move(*next_fronts_));
        listeners_.change();
        next_options_.reset();
        next_fronts_.reset();
    }

    io::task<> drain(io::loop::time_point deadline) override { co_await keeper_.drain(deadline); }

    boost::json::object status_json() const override {
        const auto figures = service_.counted();
        const auto held = service_.policies().counted();
        const auto kept = keeper_.counted();
        boost::json::array listening;
        for (const auto& each : listeners_.list())
            listening.push_back(boost::json::object{
                {"kind", each.kind}, {"where", each.where}, {"open", each.open}, {"refused", each.refused}});
        for (const auto& each : http_.addresses())
            listening.push_back(boost::json::object{
                {"kind", "http"}, {"where", each}, {"open", http_.open_connections()}, {"refused", 0}});
        boost::json::object by_decision;
        for (std::size_t i = 0; i < decisions.size(); ++i)
            by_decision[resolve::to_string(decisions[i])] = figures.decisions[i];
        boost::json::array failing;
        for (const auto& [domain, since] : alarmed_)
            if (failing.size() < alarms_shown)
                failing.emplace_back(domain);
        return {{"listeners", std::move(listening)},
                {"answers", figures.answers},
                {"hits", figures.hits},
                {"misses", figures.misses},
                {"over_budget", figures.over_budget},
                {"in_flight", figures.in_flight},
                {"decisions", std::move(by_decision)},
                {"fetches", figures.fetches},
                {"fetch_failures",
                 figures.fetch_failures[0] + figures.fetch_failures[1] + figures.fetch_failures[2]},
                {"destinations", service_.policies().size()},
                {"bytes", service_.policies().bytes()},
                {"enforce", held.enforce},
                {"testing", held.testing},
                {"none", held.none},
                {"without", held.without},
                {"refresh_failing", held.failing},
                {"refresh_alarms", std::move(failing)},
                {"oldest_fetch", time_or_null(held.oldest_fetch)},
                {"overrides", service_.overrides().size()},
                {"last_fault", last_fault_},
                {"last_fault_at", time_or_null(last_fault_at_)},
                {"store", boost::json::object{
                              {"unwritten", kept.unwritten},
                              {"written", kept.written},
                              {"taken_over", kept.taken_over},
                              {"away", !kept.last_error.empty() && kept.last_error_at > kept.last_success},
                              {"last_error", base::printable(kept.last_error)},
                              {"last_error_at", time_or_null(kept.last_error_at)}}}};
    }

    void refresh_metrics(base::metrics& to) const override {
        using base::metric;
        const auto number = [](auto value) { return static_cast<double>(value); };
        const auto figures = service_.counted();
        for (std::size_t i = 0; i < decisions.size(); ++i)
            to.set(metric::policy_answers, number(figures.decisions[i]), {resolve::to_string(decisions[i])});
        for (std::size_t i = 0; i < faults.size(); ++i)
            to.set(metric::policy_fetch_failures, number(figures.fetch_failures[i]),
                   {sts::to_string(faults[i])});
        to.set(metric::policy_cache, number(figures.hits), {"hit"});
        to.set(metric::policy_cache, number(figures.misses), {"miss"});
        to.set(metric::policy_looks, number(figures.record_looks), {"record"});
        to.set(metric::policy_looks, number(figures.fetches), {"policy"});
        to.set(metric::policy_looks, number(figures.dane_looks), {"dane"});
        to.set(metric::policy_looks, number(figures.probes), {"probe"});
        to.set_histogram(metric::policy_answer_time, figures.latency,
                         std::chrono::duration<double>(figures.took).count());
        to.set(metric::policy_over_budget, number(figures.over_budget));
        to.set(metric::policy_failed_deliveries, number(figures.failed_deliveries));
        const auto held = service_.policies().counted();
        to.set(metric::policy_domains, number(held.enforce), {"enforce"});
        to.set(metric::policy_domains, number(held.testing), {"testing"});
        to.set(metric::policy_domains, number(held.none), {"none"});
        to.set(metric::policy_domains, number(held.without), {"without"});
        to.set(metric::policy_memory, number(service_.policies().bytes()));
        to.set(metric::policy_oldest_fetch, number(held.oldest_fetch.time_since_epoch().count()));
        to.set(metric::policy_failing, number(held.failing));
        to.set(metric::policy_alarms, number(alarmed_.size()));
        to.set(metric::policy_unwritten, number(keeper_.counted().unwritten));
        to.clear(metric::policy_connections); // listeners come and go
        for (const auto& each : listeners_.list())
            to.set(metric::policy_connections, number(each.open), {each.where});
    }

    std::vector<insight::alarm> alarms() const override {
        std::vector<insight::alarm> all;
        for (const auto& [domain, words] : alarmed_) {
            if (all.size() == alarms_shown)
                break;
            insight::alarm alarm;
            alarm.key = "policy-refresh/" + domain;
            alarm.kind = "policy-refresh";
            alarm.domain = domain;
            alarm.weight = insight::weight::warning;
            alarm.title = fmt::format("The policy of {} cannot be refreshed", domain);
            alarm.text =
                fmt::format("{} Mail to it is still protected by the policy that is held, until that "
                            "ends.",
                            words.empty() ? "Fetching it fails." : words + ".");
            alarm.fix = fmt::format("Tell its administrator; mailtight resolve --explain {} shows what to "
                                    "tell. Nothing is wrong on this side.",
                                    domain);
            all.push_back(std::move(alarm));
        }
        return all;
    }

private:
    static resolve::keeper_options keeping(daemon_core& core) {
        auto made = keeper_options_of(core.set);
        made.complain = [&core](std::string_view what) {
            core.log->write(base::event::policy_store_trouble, {{"error", std::string(what)}});
        };
        return made;
    }
    static io::http_server_options http_options(daemon_core& core) {
        io::http_server_options made;
        made.listening.complain = complaints_to(core);
        return made;
    }

    static bool is_on_this_machine(const io::peer& who) {
        static const auto here = {*base::ip_network::parse("127.0.0.0/8"), *base::ip_network::parse("::1")};
        return who.user || (who.address && std::ranges::any_of(here, [&who](const base::ip_network& each) {
                                return each.contains(who.address->address);
                            }));
    }
    /// Out of what is held alone, where the rest is not known just now.
    resolve::shared_decision remembered(std::string_view domain) const {
        const auto kept = service_.policies().get(std::string(domain));
        resolve::decision_input from;
        from.hop = mail::parse_next_hop(domain);
        from.state = kept ? &kept->state : nullptr;
        from.from_cache = true;
        return std::make_shared<resolve::tls_decision>(resolve::decide(from, {}, policy_time().now()));
    }
    void look_at(std::string domain) {
        if (looks_ >= looks_most)
            return;
        ++looks_;
        core_.loop().spawn([](resolve_part& of, std::string about) -> io::task<> {
            co_await of.service_.decide(std::move(about));
            --of.looks_;
        }(*this, std::move(domain)));
    }

    void heard(const resolve::service_event& event) {
        using kind = resolve::service_event::kind;
        auto& log = *core_.log;
        const std::string detail = base::printable(event.detail, 500);
        switch (event.what) {
        case kind::fetched:
            log.write(base::event::policy_fetched, {{"domain", event.domain}, {"detail", detail}});
            break;
        case kind::changed:
            log.write(base::event::policy_changed, {{"domain", event.domain}, {"detail", detail}});
            break;
        case kind::fetch_failed:
            last_fault_ = fmt::format("{}: {}", event.domain, detail);
            last_fault_at_ = policy_time().now();
            log.write(base::event::policy_fetch_failed,
                      {{"domain", event.domain},
                       {"fault", std::string(event.fault ? sts::to_string(*event.fault) : "")},
                       {"detail", detail}});
            break;
        case kind::alarm: // 8461-3.3-r
            log.write(base::event::policy_refresh_alarm, {{"domain", event.domain}, {"detail", detail}});
            alarmed_[event.domain] = detail;
            core_.alarms->wake();
            break;
        case kind::alarm_over:
            log.write(base::event::policy_refresh_recovered, {{"domain", event.domain}});
            alarmed_.erase(event.domain);
            core_.alarms->wake();
            break;
        case kind::failed_delivery:
            log.write(base::event::delivery_failed, {{"domain", event.domain}, {"detail", detail}});
            break;
        }
    }

    daemon_core& core_;
    std::map<std::string, std::string> alarmed_; ///< domain -> what fails
    std::string last_fault_;
    base::utc_seconds last_fault_at_{};
    std::size_t looks_ = 0; ///< for results
    resolve::keeper keeper_;
    verdict_memory verdicts_;
    resolve::service service_;
    stored_pages pages_;
    policy_listeners listeners_;
    io::http_server http_;
    std::optional<resolve::service_options> next_options_;
    std::optional<resolve::front_options> next_fronts_;
    bool running_ = false;
};

} // namespace

std::expected<std::unique_ptr<sending_part>, std::string> make_resolve_part(daemon_core& core) {
    auto options = service_options_of(core.set);
    if (!options)
        return std::unexpected(options.error());
    auto fronts = front_options_of(core.set, main_cf_here());
    if (!fronts)
        return std::unexpected(fronts.error());
    auto opened = store::open_policies({.where = store_place(core.set)});
    if (!opened && !opened.error().again())
        return std::unexpected(words(opened.error()));
    core.api->replies = fronts->replies;
    return std::make_unique<resolve_part>(core, opened ? std::move(*opened) : nullptr, std::move(*options),
                                          std::move(*fronts));
}

} // namespace mailtight::app
