// SPDX-License-Identifier: Apache-2.0
// The service on a real loop with everything around it made up: names that answer, fail or hang, policy hosts
// that count who comes, a database that outlives the service, a clock that stands still until it is told.
#pragma once

#include "decision_facts.h"
#include "resolve/service.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace mailtight::tests {

struct settable_clock final : base::clock {
    base::utc_seconds at = noon;
    base::utc_seconds now() const override { return at; }
};

/// Holds whoever asks for a thing that hangs, until all are let go.
class hangs {
public:
    explicit hangs(io::loop& on)
        : loop_(on)
        , gate_(std::make_shared<io::event>(on)) {}
    void hang(const std::string& thing) { things_.insert(thing); }
    void let_go() {
        things_.clear();
        std::exchange(gate_, std::make_shared<io::event>(loop_))->set();
    }
    io::task<> pass(const std::string& thing) {
        const auto gate = gate_;
        if (things_.contains(thing))
            co_await *gate;
    }

private:
    io::loop& loop_;
    std::shared_ptr<io::event> gate_;
    std::set<std::string> things_;
};

class zone final : public io::resolver {
public:
    explicit zone(io::loop& on)
        : hanging(on) {}
    std::map<std::string, std::vector<std::string>> texts;
    std::map<std::string, std::vector<std::string>> hosts; ///< MX by domain
    std::map<std::string, std::vector<model::tlsa_fact::entry>> tlsas;
    std::set<std::string> with_address;
    std::map<std::string, model::dns_status> failing; ///< "TXT _mta-sts.example.com"
    std::map<std::string, std::uint32_t> ttls;
    std::map<std::string, unsigned> asked;
    std::vector<std::string> forgotten;
    bool secure = false; ///< every answer
    hangs hanging;

    unsigned all_asked() const {
        unsigned all = 0;
        for (const auto& [question, times] : asked)
            all += times;
        return all;
    }
    void domain(const std::string& name, std::vector<std::string> mx, const std::string& id = {}) {
        for (const auto& each : mx)
            with_address.insert(each);
        hosts[name] = std::move(mx);
        if (!id.empty())
            texts["_mta-sts." + name] = {"v=STSv1; id=" + id};
    }

    io::task<model::txt_fact> txt(std::string name) override {
        const auto found = texts.find(name);
        auto fact = co_await answer<model::txt_fact>("TXT", name, found != texts.end());
        if (fact.ok() && texts.contains(name))
            fact.texts = texts.at(name);
        co_return fact;
    }
    io::task<model::mx_set_fact> mx(std::string name) override {
        auto fact = co_await answer<model::mx_set_fact>("MX", name, hosts.contains(name));
        if (fact.ok()) {
            std::uint16_t preference = 10;
            for (const auto& each : hosts.at(name))
                fact.records.push_back({std::exchange(preference, preference + 10), each});
        }
        co_return fact;
    }
    io::task<model::address_fact> addresses(std::string name) override {
        model::address_fact fact;
        const bool there = with_address.contains(name);
        fact.a = co_await answer<model::dns_fact>("A", name, there);
        fact.aaaa = fact.a;
        fact.aaaa.type = "AAAA";
        if (there && fact.a.ok())
            fact.addresses = {base::ip_address::parse("192.0.2.25").value()};
        co_return fact;
    }
    io::task<model::tlsa_fact> tlsa(std::string name) override {
        auto fact = co_await answer<model::tlsa_fact>("TLSA", name, tlsas.contains(name));
        if (fact.ok())
            fact.records = tlsas.at(name);
        co_return fact;
    }
    io::task<model::dns_fact> cname(std::string name) override {
        co_return co_await answer<model::dns_fact>("CNAME", name, false);
    }
    io::task<model::caa_fact> caa(std::string) override { co_return model::caa_fact{}; }
    io::task<model::ns_fact> ns(std::string) override { co_return model::ns_fact{}; }
    io::task<model::dns_fact> soa(std::string) override { co_return model::dns_fact{}; }
    void forget(std::string_view name) override { forgotten.emplace_back(name); }
    std::string description() const override { return "made-up names"; }
    io::resolver_counters counters() const override { return {}; }

private:
    template<class Fact>
    io::task<Fact> answer(std::string type, std::string name, bool there) {
        const auto question = type + " " + name;
        ++asked[question];
        co_await hanging.pass(question);
        Fact fact;
        fact.name = name;
        fact.type = type;
        fact.status = there ? model::dns_status::ok : model::dns_status::nx_domain;
        if (const auto fails = failing.find(question); fails != failing.end()) {
            fact.status = fails->second;
            fact.detail = "made up";
        }
        fact.security = secure ? model::dnssec::secure : model::dnssec::insecure;
        fact.ttl = ttls.contains(question) ? ttls.at(question) : 3600;
        co_return fact;
    }
};

/// The policy hosts of the world.
struct policy_hosts {
    explicit policy_hosts(io::loop& on)
        : hanging(on) {}
    std::map<std::string, sts::policy_sighting> answers;
    std::map<std::string, unsigned> fetched_from;
    hangs hanging;
    std::size_t at_once = 0, most_at_once = 0;
    void serve(const std::string& domain, sts::mode mode, std::vector<std::string> mx,
               std::uint64_t max_age = 604'800) {
        answers[domain] = fetched(policy_text(mode, std::move(mx), max_age));
    }
    void fail(const std::string& domain, sts::policy_fault fault, std::string words) {
        answers[domain] = not_fetched(fault, std::move(words));
    }
    io::task<sts::policy_sighting> fetch(std::string domain) {
        ++fetched_from[domain];
        most_at_once = std::max(most_at_once, ++at_once);
        co_await hanging.pass(domain);
        --at_once;
        co_return answers.contains(domain) ? answers.at(domain)
                                           : not_fetched(sts::policy_fault::fetch_error, "no such host");
    }
};

/// What outlives a service: the rows of its database.
struct policy_rows {
    std::mutex guard;
    std::map<std::string, model::kept_policy> policies;
    std::map<std::string, std::int64_t> changed; ///< by domain, removed ones too
    std::int64_t last_change = 0;
    std::map<std::string, model::policy_override> exceptions;
    std::vector<model::testing_verdict> verdicts;
    std::atomic<bool> away = false;
    std::atomic<std::chrono::milliseconds> slow{std::chrono::milliseconds(0)}; ///< what a put takes
    void write(const model::kept_policy& kept) {
        const std::scoped_lock locked(guard);
        policies[kept.domain] = kept;
        changed[kept.domain] = ++last_change;
    }
    bool holds(const std::string& domain) {
        const std::scoped_lock locked(guard);
        return policies.contains(domain);
    }
};

class memory_policies final : public store::policy_store {
public:
    explicit memory_policies(std::shared_ptr<policy_rows> in)
        : in_(std::move(in)) {}
    store::result<void> put(std::span<const model::kept_policy> policies) override {
        std::this_thread::sleep_for(in_->slow.load());
        return with([&] {
            for (const auto& each : policies) {
                in_->policies[each.domain] = each;
                in_->changed[each.domain] = ++in_->last_change;
            }
        });
    }
    store::result<void> remove(std::span<const std::string> domains) override {
        return with([&] {
            for (const auto& each : domains)
                if (in_->policies.erase(each) > 0)
                    in_->changed[each] = ++in_->last_change;
        });
    }
    store::result<std::optional<model::kept_policy>> get(std::string_view domain) override {
        const std::scoped_lock locked(in_->guard);
        const auto found = in_->policies.find(std::string(domain));
        return found == in_->policies.end() ? std::optional<model::kept_policy>() : found->second;
    }
    store::result<void> each(const std::function<bool(model::kept_policy)>& take) override {
        return with([&] {
            for (const auto& [domain, kept] : in_->policies)
                if (!take(kept))
                    return;
        });
    }
    store::result<std::vector<model::kept_policy>> after(std::string_view domain, std::size_t limit,
                                                         std::string_view contains) override {
        const std::scoped_lock locked(in_->guard);
        std::vector<model::kept_policy> page;
        for (auto at = in_->policies.upper_bound(std::string(domain));
             at != in_->policies.end() && page.size() < limit; ++at)
            if (at->first.find(contains) != at->first.npos)
                page.push_back(at->second);
        return page;
    }
    store::result<changes> since(std::int64_t mark, std::size_t) override {
        const std::scoped_lock locked(in_->guard);
        if (in_->away)
            return std::unexpected(away());
        changes seen;
        for (const auto& [domain, change] : in_->changed) {
            if (change <= mark)
                continue;
            const auto row = in_->policies.find(domain);
            if (row == in_->policies.end())
                seen.removed.push_back(domain);
            else
                seen.rows.push_back(row->second);
        }
        seen.mark = in_->last_change;
        return seen;
    }
    store::result<bool> lease(std::string_view, std::string_view, std::chrono::seconds,
                              base::utc_seconds) override {
        return true;
    }
    store::result<void> release(std::string_view, std::string_view) override { return {}; }
    store::result<std::uint64_t> count() override { return in_->policies.size(); }
    store::result<void> set_override(const model::policy_override& value) override {
        return with([&] { in_->exceptions[value.domain] = value; });
    }
    store::result<bool> remove_override(std::string_view domain) override {
        const std::scoped_lock locked(in_->guard);
        return in_->exceptions.erase(std::string(domain)) > 0;
    }
    store::result<std::vector<model::policy_override>> overrides() override {
        const std::scoped_lock locked(in_->guard);
        std::vector<model::policy_override> all;
        for (const auto& [domain, each] : in_->exceptions)
            all.push_back(each);
        return all;
    }
    store::result<void> put_verdicts(std::span<const model::testing_verdict> found,
                                     base::utc_seconds) override {
        return with([&] { in_->verdicts.insert(in_->verdicts.end(), found.begin(), found.end()); });
    }
    store::result<std::vector<model::testing_verdict>> verdicts(std::string_view) override {
        const std::scoped_lock locked(in_->guard);
        return in_->verdicts;
    }

private:
    static store::store_error away() { return {store::store_error::kind::unreachable, "connection refused"}; }
    store::result<void> with(const std::function<void()>& work) {
        const std::scoped_lock locked(in_->guard);
        if (in_->away)
            return std::unexpected(away());
        work();
        return {};
    }
    std::shared_ptr<policy_rows> in_;
};

struct service_world {
    io::loop loop;
    settable_clock clock;
    zone dns{loop};
    policy_hosts hosts{loop};
    std::shared_ptr<policy_rows> rows = std::make_shared<policy_rows>();
    std::vector<resolve::service_event> events;
    resolve::probe_fn probe;
    resolve::service_options options;
    std::unique_ptr<resolve::keeper> keeper;
    std::unique_ptr<resolve::service> service;

    service_world() {
        options.budget = 150ms;
        options.care_every = 5ms;
    }
    ~service_world() { end(); }

    /// The service begins, with what the database holds.
    void begin(bool with_database = true) {
        resolve::keeper_options keeping;
        keeping.machine = "this";
        keeping.look_every = 20ms;
        keeper =
            std::make_unique<resolve::keeper>(loop, clock, std::make_unique<memory_policies>(rows), keeping);
        service = std::make_unique<resolve::service>(
            loop, dns, clock, [this](std::string domain) { return hosts.fetch(std::move(domain)); }, probe,
            *keeper, options, [this](const resolve::service_event& what) { events.push_back(what); });
        EXPECT_EQ(loop.block_on(service->start()).has_value(), with_database);
    }
    void end() {
        if (!service)
            return;
        service->stop();
        dns.hanging.let_go();
        hosts.hanging.let_go();
        EXPECT_TRUE(settled());
        loop.block_on(loop.sleep_for(20ms)); // the beat ends
        service.reset();
        keeper.reset();
    }

    resolve::shared_decision ask(std::string key = "example.com") {
        return loop.block_on(service->decide(std::move(key)));
    }
    resolve::shared_decision known(std::string_view key = "example.com") { return service->known(key); }
    bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds within = 3s) {
        return loop.block_on(
            [](io::loop& on, std::function<bool()> what, std::chrono::milliseconds most) -> io::task<bool> {
                const auto until = on.now() + most;
                while (!what() && on.now() < until)
                    co_await on.sleep_for(1ms);
                co_return what();
            }(loop, holds, within));
    }
    /// Nothing is under way any more.
    bool settled() {
        return eventually([this] { return service->counted().in_flight == 0; });
    }
    void pass(std::chrono::milliseconds how_long) { loop.block_on(loop.sleep_for(how_long)); }

    unsigned asked(const std::string& question) const {
        const auto found = dns.asked.find(question);
        return found == dns.asked.end() ? 0 : found->second;
    }
    unsigned records_asked(const std::string& domain = "example.com") const {
        return asked("TXT _mta-sts." + domain);
    }
    unsigned fetches(const std::string& domain = "example.com") const {
        const auto found = hosts.fetched_from.find(domain);
        return found == hosts.fetched_from.end() ? 0 : found->second;
    }
    std::size_t told(resolve::service_event::kind what) const {
        return static_cast<std::size_t>(
            std::ranges::count(events, what, [](const auto& each) { return each.what; }));
    }
    /// example.com, enforcing.
    void enforcing(const std::string& id = "1") {
        dns.domain("example.com", {"mx1.example.com"}, id);
        hosts.serve("example.com", sts::mode::enforce, {"mx1.example.com"});
    }
};

} // namespace mailtight::tests
