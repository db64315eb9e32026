// SPDX-License-Identifier: Apache-2.0
// The loop that watches, over a database in memory and with made-up domains: what is due is looked at, what
// differs is kept and thought about, what is wrong stands beside the work until it ends.
#include "glass_store.h"
#include "publish/carrier_memo.h"
#include "publish/watch_notes.h"
#include "publish/watcher.h"
#include "publish/watcher_state.h"
#include "support/domain_store_fake.h"
#include "support/proves.h"
#include "support/scratch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace mailtight::publish {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const base::utc_seconds start = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1};
const std::string domain = "a.example";
constexpr auto enforced = "version: STSv1\r\nmode: enforce\r\nmx: mx.a.example\r\nmax_age: 86400\r\n";

struct still_clock final : base::clock {
    base::utc_seconds at = start;
    base::utc_seconds now() const override { return at; }
};

class a_watcher : public testing::Test {
protected:
    io::loop loop;
    still_clock clock, real_clock;
    tests::domain_store_fake kept;
    watch_options options{.machine = "this", .beat = 0s, .flush_fetches = 0s};
    std::map<std::string, model::watched_state> world;
    std::vector<std::string> names, bare; ///< below the domain; those without a policy
    std::vector<model::policy_fetches> fetched;
    std::map<std::string, int> full, cheap;
    bool blind = false;
    int alarmed = 0;
    std::unique_ptr<io::worker> thread;
    std::unique_ptr<watcher> eyes;

    void SetUp() override { add(domain); }
    void TearDown() override { end(); }
    void add(const std::string& name) {
        world[name] = {.domain = name,
                       .verdict = "protected",
                       .record_id = "1",
                       .policy_sha256 = "aa",
                       .policy = enforced,
                       .mx = {"mx.a.example"}};
        ASSERT_EQ(kept.save({.domain = name}, "anna", "", clock.at), store::domain_store::saved::yes);
        ASSERT_TRUE(begin_watching(kept, {name}, clock.at));
    }
    io::task<std::optional<model::watched_state>> look(std::string name, bool whole) {
        ++(whole ? full : cheap)[name];
        if (blind)
            co_return std::nullopt;
        auto out = world[name];
        out.full = whole;
        out.first = out.last = clock.at;
        if (!whole) {
            out.findings.clear();
            out.verdict.clear();
        }
        co_return out;
    }
    void begin() {
        thread = std::make_unique<io::worker>(loop, "store");
        eyes = std::make_unique<watcher>(
            loop, *thread, kept,
            watch_hands{
                .look = [this](std::string name, bool whole) { return look(std::move(name), whole); },
                .names_below = [this](std::string) -> io::task<std::vector<std::string>> { co_return names; },
                .unprotected = [this](std::string name) -> io::task<std::optional<bool>> {
                    co_return std::ranges::find(bare, name) != bare.end();
                },
                .fetches = [this] { return std::exchange(fetched, {}); },
                .alarmed = [this] { ++alarmed; }},
            clock, real_clock, options);
        eyes->start();
        settle();
    }
    void end() {
        if (!eyes)
            return;
        eyes->stop();
        eyes.reset();
        thread->rest();
        loop.block_on(loop.sleep_for(5ms));
        thread.reset();
    }
    std::uint64_t due() {
        return *kept.waiting_work("watch", clock.at) + *kept.waiting_work("glance", clock.at);
    }
    void settle() {
        EXPECT_TRUE(loop.block_on([](a_watcher& of) -> io::task<bool> {
            for (int i = 0; i < 5'000; ++i) {
                if (of.due() == 0 && of.eyes->idle())
                    co_return true;
                co_await of.loop.sleep_for(1ms);
            }
            co_return false;
        }(*this)));
    }
    void pass(std::chrono::seconds how_long) {
        const auto end = clock.at + how_long;
        while (clock.at < end) {
            clock.at = std::min(end, clock.at + 30min);
            settle();
        }
    }
    std::vector<std::string> alarms(std::chrono::seconds patience = 24h) {
        std::vector<std::string> out;
        const auto all = standing_alarms(kept, clock.at, patience);
        if (all)
            for (const auto& each : *all)
                out.push_back(each.key);
        return out;
    }
};

TEST_F(a_watcher, looks_fully_once_a_day_and_cheaply_once_an_hour) {
    begin();
    pass(10 * 24h);
    EXPECT_NEAR(full[domain], 10, 1);
    EXPECT_NEAR(cheap[domain], 240, 2);
    EXPECT_THAT(*kept.history(domain, 100), SizeIs(2)) << "one state of each kind, extended";
    EXPECT_THAT(alarms(), IsEmpty());
    const auto log = *kept.served(domain);
    ASSERT_THAT(log, SizeIs(1)) << "what strangers serve may be held as well";
    EXPECT_FALSE(log[0].ours);
    EXPECT_FALSE(log[0].last_served);
}

TEST_F(a_watcher, has_a_difference_thought_about_and_logged) {
    PROVES("8461-8.3-a");
    begin();
    pass(2h);
    ASSERT_TRUE(kept.done_work(**kept.work("plan", domain), std::nullopt));
    const auto held = kept.take_work("plan", clock.at, "carrier", 1h, 1);
    ASSERT_THAT(*held, SizeIs(1)) << "the first look is news";
    ASSERT_TRUE(*kept.done_work(held->front(), std::nullopt));
    pass(5h);
    EXPECT_FALSE(*kept.work("plan", domain)) << "nothing new";
    world[domain].mx = {"mx.a.example", "new.a.example"};
    pass(1h);
    EXPECT_TRUE(*kept.work("plan", domain));
    world[domain].policy = world[domain].policy_sha256 = world[domain].record_id = "";
    pass(2h);
    const auto log = *kept.served(domain);
    ASSERT_THAT(log, SizeIs(1));
    EXPECT_TRUE(log[0].last_served);
}

TEST_F(a_watcher, keeps_an_alarm_until_it_ends_whoever_looks) {
    begin();
    pass(25h);
    world[domain].mx = {"new.a.example"};
    pass(90min);
    const auto key = "watch/a.example/mx-without-policy/new.a.example";
    EXPECT_THAT(alarms(), ElementsAre(key));
    EXPECT_EQ(alarmed, 1);
    end();
    begin(); // another process
    pass(26h);
    EXPECT_THAT(alarms(), ElementsAre(key));
    EXPECT_EQ(alarmed, 1) << "told once";
    world[domain].mx = {"mx.a.example"};
    pass(90min);
    EXPECT_THAT(alarms(), IsEmpty()) << "also where a full look raised it and a cheap one sees the end";
    EXPECT_EQ(alarmed, 2);
    pass(80h);
    EXPECT_THAT(*kept.noted_work("watch", "", 10), IsEmpty()) << "and nothing is left of it";
    EXPECT_THAT(*kept.noted_work("glance", "", 10), IsEmpty());
}

TEST_F(a_watcher, tells_of_names_below_without_a_policy) {
    names = {"sub.a.example", "ok.a.example", "other.example"};
    bare = {"sub.a.example", "other.example"};
    begin();
    EXPECT_THAT(alarms(), ElementsAre("watch/a.example/sub-domain-unprotected/sub.a.example"));
}

TEST_F(a_watcher, takes_its_own_blindness_for_no_fault) {
    begin();
    pass(2h);
    blind = true;
    for (int i = 0; i < 18; ++i)
        pass(10min);
    EXPECT_THAT(alarms(), IsEmpty());
    EXPECT_THAT(*kept.history(domain, 10), SizeIs(2));
    EXPECT_GT((*kept.work("glance", domain))->tries, 3u);
    EXPECT_GT(cheap[domain], 10) << "tried again soon";
    blind = false;
    pass(1h);
    EXPECT_EQ((*kept.work("glance", domain))->tries, 0u);
}

TEST_F(a_watcher, finds_a_difference_that_another_machine_saw_first) {
    begin();
    pass(3h);
    // Another machine sees it change; we see it as it was before, as we have known it all along.
    auto other = world[domain];
    other.full = false;
    other.verdict = "";
    other.first = other.last = clock.at + 1s;
    other.record_id = "2";
    ASSERT_TRUE(*kept.watched(other));
    ASSERT_TRUE(*kept.done_work(kept.take_work("plan", clock.at, "carrier", 1h, 1)->front(), std::nullopt));
    ASSERT_FALSE(*kept.work("plan", domain));
    pass(1h);
    EXPECT_TRUE(*kept.work("plan", domain));
}

TEST_F(a_watcher, goes_on_when_the_database_was_away) {
    begin();
    pass(1h);
    kept.away = true;
    fetched = {{.domain = domain, .network = "192.0.2.0/24", .count = 3, .last = clock.at}};
    loop.block_on(loop.sleep_for(10ms));
    kept.away = false;
    clock.at += options.lease;
    pass(2h);
    ASSERT_THAT(*kept.fetches(domain, {}), SizeIs(1)) << "what was counted is not lost";
    EXPECT_EQ(kept.fetches(domain, {})->front().count, 3u);
}

TEST_F(a_watcher, spreads_the_first_looks_of_many) {
    std::vector<std::string> many;
    for (int i = 0; i < 2'000; ++i)
        many.push_back("d" + std::to_string(i) + ".example");
    ASSERT_TRUE(begin_watching(kept, many, clock.at));
    EXPECT_LT(*kept.waiting_work("watch", clock.at), 10u);
    EXPECT_EQ(*kept.waiting_work("watch", clock.at + 2'000s), 2'001u);
    EXPECT_EQ(*kept.waiting_work("glance", clock.at + 200s), 2'001u);
}

TEST_F(a_watcher, shows_what_plans_wait_for_or_fail_at) {
    memo notes;
    notes.asks = {.kind = "publish-record",
                  .title = "Publish _mta-sts.a.example",
                  .text = "Senders look there.",
                  .since = clock.at};
    ASSERT_TRUE(kept.plan_work("plan", domain, clock.at));
    auto work = kept.take_work("plan", clock.at, "this", 1h, 1)->front();
    work.state = notes.to_text();
    ASSERT_TRUE(*kept.done_work(work, clock.at + 1h));
    EXPECT_THAT(alarms(), IsEmpty()) << "somebody may be at it";
    clock.at += 25h;
    const auto all = *standing_alarms(kept, clock.at);
    ASSERT_THAT(all, SizeIs(1));
    EXPECT_EQ(all[0].key, "plan/a.example/publish-record");
    EXPECT_EQ(all[0].title, "a.example waits for you: Publish _mta-sts.a.example");
    EXPECT_EQ(all[0].fix, "mailtight plan a.example");
    work = kept.take_work("plan", clock.at, "this", 1h, 1)->front();
    work.state = "";
    work.tries = 9;
    work.last_error = "REFUSED by 192.0.2.53";
    ASSERT_TRUE(*kept.done_work(work, clock.at + 1h));
    EXPECT_THAT(alarms(), ElementsAre("plan/a.example/fails"));
    EXPECT_THAT(standing_alarms(kept, clock.at)->front().text, HasSubstr("REFUSED"));
}

const write_rules hourly{.full = 24h, .cheap = 1h, .retry = 10min, .lease = 5min, .serious = {}};

std::vector<watch_turn> cheap_look_at(store::domain_store& kept, base::utc_seconds now, std::string mx) {
    std::vector<watch_turn> turns;
    for (auto& work : *kept.take_work("glance", now, "this", 5min, 1))
        turns.push_back({.work = std::move(work),
                         .state = model::watched_state{.domain = domain,
                                                       .first = now,
                                                       .last = now,
                                                       .record_id = "1",
                                                       .policy_sha256 = "aa",
                                                       .policy = enforced,
                                                       .mx = {std::move(mx)}}});
    return turns;
}

TEST(looks_written, what_is_seen_under_a_lost_lease_is_left_to_who_has_it) {
    const tests::scratch_folder folder;
    const auto kept = store::open_domains({.where = folder / "store.db"}).value();
    ASSERT_TRUE(kept->save({.domain = domain}, "anna", "", start));
    ASSERT_TRUE(begin_watching(*kept, {domain}, start));
    last_looks here, there;
    auto now = start;
    auto first = cheap_look_at(*kept, now, "mx.a.example");
    ASSERT_THAT(first, SizeIs(1));
    ASSERT_TRUE(write_looks(*kept, first, here, now, now, hourly));
    now += 2h;
    auto late = cheap_look_at(*kept, now, "new.a.example");
    ASSERT_THAT(late, SizeIs(1));
    now += 10min; // its lease is over, and another machine looks
    auto theirs = cheap_look_at(*kept, now, "new.a.example");
    ASSERT_THAT(theirs, SizeIs(1));

    const auto lost = write_looks(*kept, late, here, now, now, hourly);
    ASSERT_TRUE(lost);
    EXPECT_EQ(lost->differed, 0u);
    EXPECT_THAT(*kept->history(domain, 10), SizeIs(1)) << "nothing is kept without the end of its work";
    const auto told = write_looks(*kept, theirs, there, now, now, hourly);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->differed, 1u);
    EXPECT_EQ(told->alarms, 1u) << "the alarm comes now, and not with the next full look";
    EXPECT_THAT(*kept->history(domain, 10), SizeIs(2));
}

/// Counts what is written outside a transaction of several.
struct several_in_one : tests::domain_store_fake {
    int inside = 0, alone = 0, transactions = 0;
    bool light = true;
    store::result<void> together(bool lightly,
                                 const std::function<void(store::domain_store&)>& calls) override {
        ++transactions;
        light = lightly;
        ++inside;
        calls(*this);
        --inside;
        return {};
    }
    void note() { alone += inside == 0 ? 1 : 0; }
    store::result<bool> watched(const model::watched_state& now) override {
        note();
        return domain_store_fake::watched(now);
    }
    store::result<void> plan_work(std::string_view kind, std::string_view name,
                                  base::utc_seconds at_time) override {
        note();
        return domain_store_fake::plan_work(kind, name, at_time);
    }
    store::result<bool> done_work(const store::due_work& work,
                                  std::optional<base::utc_seconds> again) override {
        note();
        return domain_store_fake::done_work(work, again);
    }
};

TEST(looks_written, a_difference_and_the_end_of_its_work_are_one_transaction) {
    several_in_one kept;
    ASSERT_TRUE(kept.save({.domain = domain}, "anna", "", start));
    ASSERT_TRUE(begin_watching(kept, {domain}, start));
    last_looks memory;
    auto turns = cheap_look_at(kept, start, "new.a.example");
    ASSERT_THAT(turns, SizeIs(1));
    const auto told = write_looks(kept, turns, memory, start, start, hourly);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->alarms, 1u);
    EXPECT_EQ(kept.transactions, 1);
    EXPECT_FALSE(kept.light) << "the log of policies survives a power cut";
    EXPECT_EQ(kept.alone, 0);
    EXPECT_THAT(*kept.history(domain, 10), SizeIs(1));
}

TEST(notes, are_read_as_they_were_written) {
    const watch_notes out{.at = start,
                          .until = start + 1h,
                          .alarms = {{.key = "watch/a.example/policy-gone",
                                      .what = change_kind::policy_gone,
                                      .domain = domain,
                                      .title = "t \"ü\"",
                                      .text = "x",
                                      .fix = "y",
                                      .error = true}}};
    const auto in = watch_notes::parse(domain, out.to_text());
    EXPECT_EQ(in.at, out.at);
    EXPECT_EQ(in.until, out.until);
    ASSERT_THAT(in.alarms, SizeIs(1));
    EXPECT_EQ(in.alarms[0].key, out.alarms[0].key);
    EXPECT_EQ(in.alarms[0].what, out.alarms[0].what);
    EXPECT_EQ(in.alarms[0].title, out.alarms[0].title);
    EXPECT_TRUE(in.alarms[0].error);
    for (const auto* bad : {"", "{", "[]", "{\"alarms\":3}", "{\"alarms\":[1,{\"what\":\"unheard-of\"}]}"})
        EXPECT_THAT(watch_notes::parse(domain, bad).alarms, IsEmpty()) << bad;
    memo notes;
    notes.doing = {"sig\nnature", "published record", "2", "since \"x\"", "this"};
    notes.asks = {.kind = "add-mx", .title = "t", .text = "u", .fix = "v", .since = start};
    EXPECT_EQ(memo::parse(notes.to_text()), notes);
    EXPECT_EQ(memo::parse("{\"asks\":{\"since\":\"never\"}}"), memo());
}

} // namespace
} // namespace mailtight::publish
