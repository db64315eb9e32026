// SPDX-License-Identifier: Apache-2.0
// The collector on a real loop, over a store made up in memory: what is taken is written, once, whatever
// happens to the store.
#include "tally/collector.h"

#include "kept_results.h"
#include "support/proves.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::tally {
namespace {

using namespace std::chrono_literals;
using model::session_seen;
using model::tls_reached;
using tlsrpt::result_type;

struct settable_clock final : base::clock {
    base::utc_seconds at = base::parse_utc("2026-01-02T12:00:00Z").value();
    base::utc_seconds now() const override { return at; }
};

session_seen session(std::string domain, tls_reached tls = tls_reached::verified) {
    session_seen seen;
    seen.domain = std::move(domain);
    seen.mx_host = "mx." + seen.domain;
    seen.tls = tls;
    return seen;
}

std::string datagram(std::string_view domain, int number = 0, bool failed = false) {
    return fmt::format(
        R"({{"dpv":"1","d":"{}","pr":"v=TLSRPTv1;rua=mailto:a@b.example","policies":[{{"policy-type":9,)"
        R"("failure-details":[{}],"t":{},"f":{}}}]}})",
        domain, failed ? fmt::format(R"({{"c":201,"n":"mx.{}","r":"192.0.2.{}"}})", domain, number) : "",
        failed ? 1 : 0, failed ? 1 : 0);
}

struct world {
    io::loop loop;
    settable_clock clock;
    std::shared_ptr<tests::kept_results> kept = std::make_shared<tests::kept_results>();
    std::vector<std::string> complaints, failures;
    std::map<std::string, model::policy_facts, std::less<>> known;
    std::size_t asked = 0;
    collector_options options;
    std::unique_ptr<collector> tested;

    world() {
        options.write_every = 10ms;
        options.machine = "one";
    }
    ~world() { end(); }
    collector& begin() {
        options.open = [of = kept] { return tests::memory_results::open(of); };
        options.complain = [this](std::string_view words) { complaints.emplace_back(words); };
        options.failed = [this](const std::string& domain, const std::string& words) {
            failures.push_back(domain + ": " + words);
        };
        tested = std::make_unique<collector>(
            loop, clock,
            [this](std::string_view domain) {
                ++asked;
                const auto found = known.find(domain);
                return found == known.end() ? model::policy_facts{} : found->second;
            },
            options);
        tested->start();
        return *tested;
    }
    void end() {
        if (!tested)
            return;
        tested->stop();
        pass(20ms); // what was under way on the loop ends
        tested.reset();
    }
    void pass(std::chrono::milliseconds how_long) { loop.block_on(loop.sleep_for(how_long)); }
    bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds within = 5s) {
        const auto until = loop.now() + within;
        while (!holds() && loop.now() < until)
            pass(2ms);
        return holds();
    }
    store::result<void> flush() { return loop.block_on(tested->flush()); }
    void enforcing(const std::string& domain) {
        auto& facts = known[domain];
        facts.domain = domain;
        facts.mode = "enforce";
        facts.sts = model::applied_policy{.type = tlsrpt::policy_type::sts,
                                          .domain = domain,
                                          .strings = {"version: STSv1"},
                                          .mx_patterns = {"mx." + domain}};
    }
};

TEST(collector, what_is_told_is_written_by_itself) {
    world w;
    auto& of = w.begin();
    of.take(session("a.example"), w.clock.at);
    of.take(session("a.example", tls_reached::not_offered), w.clock.at, 3);
    EXPECT_EQ(of.counted().waiting, 4U);
    ASSERT_TRUE(w.eventually([&] { return w.kept->sessions() == 4; }));
    ASSERT_TRUE(w.eventually([&] { return of.counted().waiting == 0; }));
    const auto figures = of.counted();
    EXPECT_EQ(figures.sessions, 4U);
    EXPECT_EQ(figures.failures, 3U);
    EXPECT_EQ(figures.written, 4U);
    EXPECT_EQ(figures.last_written, w.clock.at);
    ASSERT_EQ(w.kept->results.size(), 1U);
    EXPECT_EQ(w.kept->results[0].domain, "a.example");
    EXPECT_EQ(w.kept->results[0].success, 1U);
    EXPECT_EQ(w.kept->results[0].failure, 3U);
    EXPECT_TRUE(w.complaints.empty());
}

TEST(collector, flush_answers_when_it_is_there) {
    world w;
    w.options.write_every = 1h;
    auto& of = w.begin();
    EXPECT_TRUE(w.flush()) << "nothing waits";
    for (int i = 1; i <= 5; ++i) {
        of.take(session(fmt::format("d{}.example", i)), w.clock.at);
        EXPECT_TRUE(w.flush());
        EXPECT_EQ(w.kept->sessions(), static_cast<std::uint64_t>(i));
    }
    pile some;
    some.add(datagram("p.example"));
    some.add(datagram("p.example"));
    of.take(std::move(some), w.clock.at);
    EXPECT_TRUE(w.flush()) << "a pile is read, joined and written first";
    EXPECT_EQ(w.kept->sessions(), 7U);
}

TEST(collector, flush_during_a_commit_waits_for_the_next) {
    world w;
    w.kept->slow = 30ms;
    auto& of = w.begin();
    of.take(session("a.example"), w.clock.at);
    auto first = io::start(w.loop, of.flush());
    w.pass(10ms); // it is on its way
    of.take(session("b.example"), w.clock.at);
    EXPECT_TRUE(w.flush());
    EXPECT_EQ(w.kept->sessions(), 2U);
    EXPECT_TRUE(w.loop.block_on(first.get()));
    EXPECT_EQ(w.kept->batches.size(), 2U);
}

TEST(collector, piles_are_read_once_for_equal_datagrams) {
    PROVES("8460-4.2-a");
    world w;
    auto& of = w.begin();
    pile some;
    for (int i = 0; i < 10'000; ++i)
        some.add(datagram(i % 10 == 0 ? "b.example" : "a.example", i % 50, i % 5 == 0));
    of.take(std::move(some), w.clock.at);
    ASSERT_TRUE(w.flush());
    EXPECT_EQ(w.kept->sessions(), 10'000U);
    EXPECT_EQ(of.counted().datagrams, 10'000U);
    EXPECT_EQ(of.counted().failures, 2'000U);
    EXPECT_LT(w.asked, 50U) << "once for each of equal results at most";
    auto spare = of.spare(1'000);
    EXPECT_TRUE(spare.empty());
    EXPECT_TRUE(spare.add("x"));
}

TEST(collector, bad_datagrams_only_count) {
    world w;
    auto& of = w.begin();
    pile some;
    some.add(std::string("{\"d\":\"\x1b[31m\xff\xfe", 11) + std::string(100'000, '['));
    some.add("");
    some.add(datagram("a.example"));
    of.take(std::move(some), w.clock.at);
    ASSERT_TRUE(w.flush());
    const auto figures = of.counted();
    EXPECT_EQ(figures.bad_datagrams, 2U);
    EXPECT_EQ(figures.last_bad_at, w.clock.at);
    EXPECT_FALSE(figures.last_bad.empty());
    EXPECT_LT(figures.last_bad.size(), 1'000U);
    EXPECT_EQ(figures.last_bad.find('\x1b'), std::string::npos);
    EXPECT_EQ(w.kept->sessions(), 1U);
}

TEST(collector, a_million_bad_datagrams_leave_it_standing) {
    world w;
    auto& of = w.begin();
    std::uint64_t sent = 0;
    auto longest = 0ms;
    while (sent < 1'000'000) {
        auto some = of.spare(32u << 20);
        for (int i = 0; i < 50'000; ++i, ++sent)
            some.add(i % 1'000 == 0 ? datagram("a.example") : fmt::format("{{\"d\":{}\xff[", i));
        of.take(std::move(some), w.clock.at);
        for (bool read = false; !read;) {
            const auto before = w.loop.now();
            w.pass(1ms);
            longest = std::max(longest,
                               std::chrono::duration_cast<std::chrono::milliseconds>(w.loop.now() - before));
            read = of.counted().bad_datagrams + of.counted().sessions == sent;
        }
    }
    ASSERT_TRUE(w.flush());
    EXPECT_EQ(of.counted().bad_datagrams, 999'000U);
    EXPECT_EQ(w.kept->sessions(), 1'000U);
    EXPECT_EQ(of.counted().lost, 0U);
    EXPECT_LT(longest, 200ms) << "the loop goes on all the time";
}

TEST(collector, a_store_that_is_away_costs_one_complaint) {
    world w;
    w.kept->away = true;
    auto& of = w.begin();
    of.take(session("a.example"), w.clock.at);
    ASSERT_TRUE(w.eventually([&] { return w.kept->opened >= 3; }));
    const auto said = w.flush();
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().message, "connection refused");
    of.take(session("b.example"), w.clock.at);
    EXPECT_EQ(w.complaints.size(), 1U);
    EXPECT_EQ(of.counted().last_error, "connection refused");
    EXPECT_EQ(of.counted().waiting, 2U);
    w.kept->away = false;
    ASSERT_TRUE(w.eventually([&] { return w.kept->sessions() == 2; }));
    ASSERT_TRUE(w.eventually([&] { return w.complaints.size() == 2; }));
    EXPECT_TRUE(w.complaints[1].starts_with("the database is back")) << w.complaints[1];
    EXPECT_TRUE(w.flush());
}

TEST(collector, whoever_finds_the_store_again_ends_the_wait) {
    world w;
    w.options.write_every = 1h; // and so long is the pause
    w.kept->away = true;
    auto& of = w.begin();
    EXPECT_FALSE(w.loop.block_on(of.marks()));
    of.take(session("a.example"), w.clock.at);
    EXPECT_FALSE(w.flush());
    w.kept->away = false;
    EXPECT_TRUE(w.loop.block_on(of.marks()));
    EXPECT_TRUE(w.eventually([&] { return w.kept->sessions() == 1; }));
    EXPECT_EQ(w.complaints.size(), 2U);
}

TEST(collector, memory_is_bounded_while_the_store_is_away) {
    world w;
    w.kept->away = true;
    w.options.counting.bytes = 200'000;
    auto& of = w.begin();
    of.take(session("first.example"), w.clock.at);
    EXPECT_FALSE(w.flush());
    EXPECT_FALSE(of.full());
    bool told_before_loss = false;
    for (int i = 0; i < 20'000; ++i) {
        of.take(session(fmt::format("d{}.example", i), tls_reached::not_offered), w.clock.at);
        told_before_loss = told_before_loss || (of.full() && of.counted().lost == 0);
    }
    EXPECT_TRUE(told_before_loss) << "whoever asks before he tells loses nothing";
    const auto figures = of.counted();
    EXPECT_GT(figures.lost, 0U);
    EXPECT_EQ(figures.waiting + figures.lost, 20'001U);
    const auto waited = figures.waiting;
    w.kept->away = false;
    ASSERT_TRUE(w.eventually([&] { return w.kept->sessions() == waited; }));
}

TEST(collector, a_commit_whose_answer_was_lost_counts_once) {
    world w;
    w.kept->answers_lost = 3;
    auto& of = w.begin();
    of.take(session("a.example"), w.clock.at, 5);
    of.mark("log", "1:2:3");
    ASSERT_TRUE(w.eventually([&] { return w.kept->tried == 4; }));
    ASSERT_TRUE(w.eventually([&] { return of.counted().written == 5; }));
    EXPECT_EQ(w.kept->sessions(), 5U);
    of.take(session("b.example"), w.clock.at);
    ASSERT_TRUE(w.flush());
    EXPECT_EQ(w.kept->sessions(), 6U);
}

TEST(collector, a_number_that_somebody_else_took_is_no_answer) {
    world w;
    auto& of = w.begin();
    of.take(session("a.example"), w.clock.at);
    ASSERT_TRUE(w.flush());
    w.kept->latest["one"] = 77; // a second process under the same name
    of.take(session("b.example"), w.clock.at);
    ASSERT_TRUE(w.flush());
    EXPECT_EQ(w.kept->sessions(), 2U);
    EXPECT_EQ(w.kept->latest["one"], 78);
}

TEST(collector, what_the_database_refuses_for_good_holds_nobody_up) {
    world w;
    w.kept->wrong = true;
    auto& of = w.begin();
    of.take(session("a.example"), w.clock.at, 7);
    ASSERT_TRUE(w.eventually([&] { return of.counted().lost == 7; }));
    w.kept->wrong = false;
    of.take(session("b.example"), w.clock.at);
    ASSERT_TRUE(w.eventually([&] { return w.kept->sessions() == 1; }));
    EXPECT_TRUE(std::ranges::any_of(
        w.complaints, [](const auto& words) { return words.starts_with("7 sessions are lost"); }));
}

TEST(collector, numbers_and_marks_go_on_where_they_were) {
    world w;
    auto& of = w.begin();
    of.take(session("a.example"), w.clock.at);
    of.mark("log", "first");
    of.mark("log", "second");
    EXPECT_TRUE(w.flush());
    EXPECT_EQ(w.kept->mark("one", "log"), "second");
    of.mark("other", "alone");
    EXPECT_TRUE(w.flush()) << "a mark without a session is written too";
    w.end();
    auto& again = w.begin();
    const auto marks = w.loop.block_on(again.marks());
    ASSERT_TRUE(marks);
    EXPECT_EQ(*marks,
              (std::vector<std::pair<std::string, std::string>>{{"log", "second"}, {"other", "alone"}}));
    again.take(session("a.example"), w.clock.at);
    EXPECT_TRUE(w.flush());
    EXPECT_EQ(w.kept->sessions(), 2U) << "the numbers begin behind those of the time before";
    EXPECT_EQ(w.kept->latest["one"], 3);
}

TEST(collector, a_mark_stands_with_the_sessions_before_it) {
    world w;
    w.options.write_every = 1ms;
    auto& of = w.begin();
    for (int i = 1; i <= 300; ++i) {
        of.take(session("a.example"), w.clock.at);
        of.mark("log", std::to_string(i));
        if (i % 3 == 0)
            w.pass(1ms);
        const auto sessions = w.kept->sessions(); // marks are read after: they may only be ahead of it
        const auto mark = w.kept->mark("one", "log");
        EXPECT_GE(mark.empty() ? 0U : std::stoul(mark), sessions);
    }
    EXPECT_TRUE(w.flush());
    EXPECT_EQ(w.kept->mark("one", "log"), "300");
    EXPECT_EQ(w.kept->sessions(), 300U);
}

TEST(collector, stop_writes_all_that_was_taken) {
    for (const bool under_way : {false, true}) {
        world w;
        w.options.write_every = under_way ? 1ms : 1h;
        w.kept->slow = under_way ? 20ms : 0ms;
        auto& of = w.begin();
        std::uint64_t sent = 0;
        for (int piles = 0; piles < 3; ++piles) {
            pile some;
            for (int i = 0; i < 5'000; ++i, ++sent)
                some.add(datagram(fmt::format("d{}.example", i), i % 200, true));
            of.take(std::move(some), w.clock.at);
            if (under_way)
                w.pass(3ms);
        }
        of.take(session("a.example"), w.clock.at);
        of.mark("log", "end");
        of.stop();
        EXPECT_EQ(w.kept->sessions(), sent + 1);
        EXPECT_EQ(w.kept->mark("one", "log"), "end");
        of.take(session("late.example"), w.clock.at);
        w.end();
        EXPECT_EQ(w.kept->sessions(), sent + 1);
    }
}

TEST(collector, the_end_waits_for_a_store_that_comes_back) {
    world w;
    w.kept->away = true;
    auto& of = w.begin();
    of.take(session("a.example"), w.clock.at, 3);
    EXPECT_FALSE(w.flush());
    auto drained = io::start(w.loop, of.drain(w.loop.now() + 10s));
    w.pass(600ms);
    EXPECT_EQ(of.counted().waiting, 3U);
    w.kept->away = false;
    const auto back = w.loop.now();
    EXPECT_TRUE(w.loop.block_on(drained.get()));
    EXPECT_LT(w.loop.now() - back, 2s) << "not after the pause of a long absence";
    EXPECT_EQ(w.kept->sessions(), 3U);
}

TEST(collector, the_end_does_not_wait_for_ever) {
    world w;
    w.kept->away = true;
    auto& of = w.begin();
    EXPECT_TRUE(w.loop.block_on(of.drain(w.loop.now() + 10s))) << "nothing waits";
    of.take(session("a.example"), w.clock.at);
    const auto begun = w.loop.now();
    EXPECT_FALSE(w.loop.block_on(of.drain(begun + 300ms)));
    EXPECT_LT(w.loop.now() - begun, 3s);
    EXPECT_EQ(of.counted().waiting, 1U);
}

TEST(collector, stop_ends_who_waits) {
    world w;
    w.kept->away = true;
    auto& of = w.begin();
    of.take(session("a.example"), w.clock.at);
    auto waiting = io::start(w.loop, of.flush());
    of.stop();
    EXPECT_FALSE(w.loop.block_on(waiting.get()));
    EXPECT_FALSE(w.flush()) << "it is not written";
}

TEST(collector, tells_of_failures_once_a_domain_and_second) {
    PROVES("8461-5-d");
    world w;
    w.enforcing("a.example");
    w.enforcing("b.example");
    auto& of = w.begin();
    for (int i = 0; i < 100; ++i)
        of.take(session("a.example", tls_reached::not_offered), w.clock.at);
    of.take(session("b.example", tls_reached::not_offered), w.clock.at);
    of.take(session("b.example"), w.clock.at);
    of.take(session("c.example", tls_reached::not_offered), w.clock.at); // no policy: nothing to look at
    EXPECT_EQ(w.failures, (std::vector<std::string>{"a.example: starttls-not-supported at mx.a.example",
                                                    "b.example: starttls-not-supported at mx.b.example"}));
    w.clock.at += 1s;
    of.take(session("a.example", tls_reached::not_offered), w.clock.at);
    EXPECT_EQ(w.failures.size(), 3U);
}

TEST(collector, what_was_stopped_and_what_was_relabelled_is_counted) {
    world w;
    w.enforcing("a.example");
    auto& facts = w.known["a.example"];
    facts.mode = "testing";
    facts.mx_hosts = {"mx.a.example"};
    facts.verdicts = {{.domain = "a.example",
                       .policy_id = "",
                       .mx_host = "mx.a.example",
                       .address = {},
                       .at = w.clock.at,
                       .result = "certificate-expired",
                       .reason = "old"}};
    auto& of = w.begin();
    auto stopped = session("b.example", tls_reached::not_tried);
    stopped.failure = result_type::dnssec_invalid;
    of.take(stopped, w.clock.at, 2);
    of.take(session("a.example", tls_reached::encrypted), w.clock.at, 3);
    EXPECT_EQ(of.counted().blocked, 2U);
    EXPECT_EQ(of.counted().relabelled, 3U);
    EXPECT_EQ(of.counted().failures, 5U);
    ASSERT_TRUE(w.flush());
    EXPECT_EQ(w.kept->sessions(), 5U) << "the totals stay those of the mail server";
}

} // namespace
} // namespace mailtight::tally
