// SPDX-License-Identifier: Apache-2.0
// The carrier on a real loop, with everything outside made up: zones that take updates, a policy host that
// serves what the database says, an authority, mail servers that pass or do not, and a clock that stands
// still until it is told. Between every two steps the process can die.
#pragma once

#include "glass_store.h"
#include "publish/carrier.h"
#include "sts/policy.h"
#include "sts/record.h"
#include "support/domain_store_fake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace mailtight::tests {

using namespace std::chrono_literals;

inline const base::utc_seconds first_day =
    std::chrono::sys_days{std::chrono::year{2026} / 1 / 2} + std::chrono::hours(8);

struct settable_clock final : base::clock {
    base::utc_seconds at = first_day;
    base::utc_seconds now() const override { return at; }
};

/// DNS, policy hosts and mail servers, shared by the carriers of a test.
struct outside_world {
    struct record {
        std::vector<std::string> values;
        std::uint32_t ttl = 300;
    };
    struct server {
        std::string host;
        std::optional<bool> passes = true;
        std::string why;
    };
    std::map<std::pair<std::string, std::string>, record> zone; ///< by name and type
    std::map<std::string, std::vector<server>> mx;
    std::uint32_t mx_ttl = 3'600;
    std::set<std::string> certified;                ///< policy hosts with a certificate
    std::map<std::string, std::string> served_else; ///< policies of somebody else's server
    std::set<std::string> host_down;                ///< domains whose policy host does not answer
    std::set<std::string> silent_dns;               ///< domains whose DNS does not answer
    std::function<std::string(const plan::record_change&)> refuses_record = [](const auto&) { return ""; };
    std::function<std::string(const std::string&)> refuses_certificate = [](const auto&) { return ""; };
    model::enforce_evidence evidence;
    std::vector<std::string> effects; ///< everything that the world could see, in order
    unsigned looks = 0, fetches = 0;

    const record* find(const std::string& name, const std::string& type) const {
        const auto found = zone.find({name, type});
        return found == zone.end() || found->second.values.empty() ? nullptr : &found->second;
    }
    bool has_host(const std::string& domain) const {
        const auto name = "mta-sts." + domain;
        return find(name, "A") || find(name, "AAAA") || find(name, "CNAME");
    }
    /// What a sender gets; nothing: no policy.
    std::optional<std::string> fetched(const std::string& domain, store::domain_store& kept) const {
        if (host_down.contains(domain) || !has_host(domain))
            return std::nullopt;
        if (const auto other = served_else.find(domain); other != served_else.end())
            return other->second;
        const auto ours = kept.published(domain);
        if (!certified.contains(domain) || !ours || !*ours || (*ours)->body.empty())
            return std::nullopt;
        return (*ours)->body;
    }
    plan::record_seen record_at(const std::string& name, bool sts) const {
        plan::record_seen out;
        const auto* there = find(name, "TXT");
        out.state = there ? plan::record_seen::what::one : plan::record_seen::what::absent;
        out.ttl = there ? there->ttl : 300;
        if (!there)
            return out;
        out.text = there->values.front();
        if (there->values.size() > 1)
            out.state = plan::record_seen::what::invalid;
        if (sts) {
            const auto read = sts::parse_record(out.text);
            out.id = read ? read->id : "";
        } else if (const auto rua = out.text.find("rua="); rua != std::string::npos) {
            out.rua.push_back(out.text.substr(rua + 4));
        }
        return out;
    }
    publish::looked look(const model::looked_after& wish, store::domain_store& kept, base::utc_seconds now) {
        ++looks;
        publish::looked out;
        const auto& domain = wish.domain;
        auto& seen = out.seen;
        seen.looked_at = now;
        auto& state = out.state;
        state.domain = domain;
        state.first = state.last = now;
        if (silent_dns.contains(domain))
            return out;
        seen.sts = record_at("_mta-sts." + domain, true);
        seen.tlsrpt = record_at("_smtp._tls." + domain, false);
        seen.policy_known = true;
        seen.policy = fetched(domain, kept);
        seen.host_resolves = seen.host_points_here = has_host(domain);
        seen.host_ttl = 300;
        if (seen.host_resolves)
            seen.certificate_valid = certified.contains(domain) || served_else.contains(domain);
        seen.mx_known = true;
        seen.mx_ttl = mx_ttl;
        for (const auto& each : mx[domain]) {
            seen.mx.push_back({.host = each.host, .passes = each.passes, .why = each.why});
            seen.suggested_mx.push_back(each.host);
            state.mx.push_back(each.host);
        }
        state.record_id = seen.sts.id;
        state.policy = seen.policy.value_or("");
        return out;
    }
    publish::done_by_hand write(const std::vector<plan::record_change>& changes) {
        for (const auto& each : changes)
            if (auto why = refuses_record(each); !why.empty())
                return {.words = std::move(why)};
        for (const auto& each : changes) {
            auto& there = zone[{each.name, each.type}];
            for (const auto& gone : each.remove)
                std::erase(there.values, gone);
            for (const auto& fresh : each.add)
                if (std::ranges::find(there.values, fresh) == there.values.end())
                    there.values.push_back(fresh);
            if (!each.add.empty())
                there.ttl = each.ttl;
            effects.push_back((each.add.empty() ? "remove " : "write ") + each.name);
        }
        return {.ok = true};
    }
};

/// One carrier, with its own life; the database and the world may be shared.
struct carrier_world {
    std::shared_ptr<outside_world> world;
    std::shared_ptr<store::domain_store> database, carriers;
    io::loop loop;
    settable_clock clock;
    mortal life;
    glass_store kept;
    publish::carrier_options options;
    std::function<plan::plan(const model::looked_after&, const plan::situation&, const plan::remembered&,
                             const model::enforce_evidence&, base::utc_seconds, const plan::plan_options&)>
        think; ///< empty: the real planner
    std::function<void(const model::looked_after&)> during_look = [](const auto&) {};
    io::event* hold_look = nullptr; ///< a look ends when it is set
    std::vector<std::pair<std::string, publish::carried>> told;
    std::unique_ptr<io::worker> thread;
    std::unique_ptr<publish::carrier> carrier;

    /// `in` is the test's and the world's; `own` the carrier's, where one object is for one thread.
    explicit carrier_world(std::shared_ptr<store::domain_store> in = std::make_shared<domain_store_fake>(),
                           std::shared_ptr<outside_world> around = std::make_shared<outside_world>(),
                           std::shared_ptr<store::domain_store> own = {})
        : world(std::move(around))
        , database(std::move(in))
        , carriers(own ? std::move(own) : database)
        , kept(*carriers, life) {
        set_time(first_day);
        options.machine = "this";
        options.beat = 0s; // no rest between two looks for work
    }
    ~carrier_world() { end(); }

    publish::hands hands() {
        publish::hands out;
        out.look = [this](model::looked_after wish) -> io::task<publish::looked> {
            during_look(wish);
            if (!life.step())
                co_return publish::looked{};
            auto seen = world->look(wish, *database, clock.at);
            if (hold_look)
                co_await *hold_look;
            co_return seen;
        };
        out.evidence = [this](std::string) -> io::task<model::enforce_evidence> {
            co_return world->evidence;
        };
        out.write_records =
            [this](model::looked_after,
                   std::vector<plan::record_change> changes) -> io::task<publish::done_by_hand> {
            if (!life.step())
                co_return publish::done_by_hand{.words = "dead"};
            auto done = world->write(changes);
            if (!life.step()) // done, and nobody hears of it
                co_return publish::done_by_hand{.words = "dead"};
            co_return done;
        };
        out.get_certificate = [this](store::due_work& work,
                                     std::string domain) -> io::task<publish::done_by_hand> {
            if (!life.step())
                co_return publish::done_by_hand{.words = "dead"};
            if (auto why = world->refuses_certificate(domain); !why.empty())
                co_return publish::done_by_hand{.words = why, .again = 90s};
            world->effects.push_back("certificate " + domain);
            world->certified.insert(domain);
            static_cast<void>(database->save_certificate({.name = "mta-sts." + domain,
                                                          .chain = "chain",
                                                          .sealed_key = "sealed",
                                                          .not_before = clock.at,
                                                          .not_after = clock.at + std::chrono::days(90),
                                                          .renew_at = clock.at + std::chrono::days(60)},
                                                         work.fence));
            if (!life.step())
                co_return publish::done_by_hand{.words = "dead"};
            co_return publish::done_by_hand{.ok = true};
        };
        out.fetch = [this](std::string domain) -> io::task<std::expected<std::string, std::string>> {
            ++world->fetches;
            if (!life.step())
                co_return std::unexpected("dead");
            auto body = world->fetched(domain, *database);
            if (!body)
                co_return std::unexpected("nothing is served");
            co_return std::move(*body);
        };
        out.configured = [](const model::looked_after& wish, plan::remembered& past) {
            if (past.policy_host.empty())
                past.policy_host = "192.0.2.1";
            if (wish.rua.empty())
                past.rua = {"mailto:tls@reports.example"};
        };
        out.think = think;
        return out;
    }
    void begin() {
        thread = std::make_unique<io::worker>(loop, "store");
        static_cast<void>(kept.take_back(options.machine));
        carrier = std::make_unique<publish::carrier>(
            loop, *thread, kept, hands(), clock, options,
            [this](const std::string& domain, const publish::carried& what) {
                told.emplace_back(domain, what);
            });
        carrier->start();
    }
    void end() {
        if (!carrier)
            return;
        carrier->stop();
        carrier.reset();
        thread->rest();
        loop.block_on(loop.sleep_for(1ms));
        thread.reset();
    }
    /// Another life after the last, whether that ended well or not.
    void live_again() {
        end();
        life.dead = false;
        life.steps = life.die_at = 0;
        begin();
    }
    void add(model::looked_after wish) {
        ASSERT_EQ(database->save(wish, "operator", "", clock.at), store::domain_store::saved::yes);
        wake(wish.domain);
    }
    /// What the person changes, as of now.
    void set(const std::string& domain, const std::function<void(model::looked_after&)>& change) {
        auto wish = database->find(domain);
        ASSERT_TRUE(wish && *wish);
        change(**wish);
        ASSERT_EQ(database->save(**wish, "operator", "", clock.at), store::domain_store::saved::yes);
        wake(domain);
    }
    void wake(const std::string& domain) { ASSERT_TRUE(database->plan_work("plan", domain, clock.at)); }
    bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds within = 20s) {
        return loop.block_on(
            [](io::loop& on, std::function<bool()> what, std::chrono::milliseconds most) -> io::task<bool> {
                const auto until = on.now() + most;
                while (!what() && on.now() < until)
                    co_await on.sleep_for(1ms);
                co_return what();
            }(loop, holds, within));
    }
    bool nothing_due() { return database->waiting_work("plan", clock.at).value_or(1) == 0; }
    /// Until nothing is due any more at this time (or the process is dead).
    void settle() {
        EXPECT_TRUE(eventually([this] { return life.dead || (carrier->idle() && nothing_due()); }));
    }
    void pass(std::chrono::seconds how_long) {
        set_time(clock.at + how_long);
        settle();
    }
    void set_time(base::utc_seconds at) {
        clock.at = at;
        if (auto* fake = dynamic_cast<domain_store_fake*>(database.get()))
            fake->at = at;
    }
    /// Lets time pass from one due moment to the next, until then.
    void live_until(base::utc_seconds end) {
        settle();
        while (clock.at < end && !life.dead && !testing::Test::HasFailure()) {
            auto next = end;
            for (const auto& each : domains())
                if (const auto work = database->work("plan", each); work && *work)
                    next = std::min(next, std::max((*work)->due_at, clock.at + 1s));
            set_time(next);
            settle();
        }
    }
    std::vector<std::string> domains() {
        std::vector<std::string> out;
        const auto all = database->list({});
        if (all)
            for (const auto& each : *all)
                out.push_back(each.domain);
        return out;
    }
    std::string id_of(const std::string& domain) { return world->record_at("_mta-sts." + domain, true).id; }
    std::string body_of(const std::string& domain) { return world->fetched(domain, *database).value_or(""); }
    std::vector<std::string> log_of(const std::string& domain) {
        std::vector<std::string> out;
        const auto all = database->changes(domain, 0, 1'000);
        if (all)
            for (auto each = all->rbegin(); each != all->rend(); ++each)
                out.push_back(each->what);
        return out;
    }
};

} // namespace mailtight::tests
