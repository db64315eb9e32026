// SPDX-License-Identifier: Apache-2.0
// Several writers at once, locks, lost connections, full disks, in both engines.
#include "store/sqlite/engine.h"
#include "support/postgres.h"
#include "support/reports.h"
#include "unit/store/engines.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <thread>

namespace mailtight::store {
namespace {
using tests::report;

class writers : public conformance {};

TEST_P(writers, the_same_reports_from_all_sides_count_once) {
    {
        const auto s = open_store();
        ASSERT_TRUE(
            s->add_domains(std::vector<std::string>{"example.com", "example.org"}, tests::day_in_may(1)));
    }
    constexpr int threads = 4, rounds = 6, batch = 25;
    std::atomic<int> added{0}, duplicates{0}, failed{0};
    std::vector<std::thread> all;
    for (int t = 0; t < threads; ++t)
        all.emplace_back([&, t] {
            const auto s = open({.where = db.where(), .wait_for_lock = std::chrono::seconds(60)});
            for (int round = 0; round < rounds; ++round) {
                std::vector<model::received_report> some;
                for (int i = 0; i < batch; ++i) { // in another order in each thread
                    const int n = round * batch + (t % 2 == 0 ? i : batch - 1 - i);
                    some.push_back(report("id" + std::to_string(n),
                                          n % 3 == 0 ? "example.org" : "example.com",
                                          static_cast<unsigned>(1 + n % 5), 10, 1));
                }
                const auto out = (*s)->add(some);
                if (!out) {
                    ADD_FAILURE() << out.error().message;
                    ++failed;
                    continue;
                }
                for (const auto& o : *out)
                    ++(o.what == add_outcome::fate::added ? added : duplicates);
            }
        });
    for (auto& t : all)
        t.join();
    EXPECT_EQ(failed, 0);
    EXPECT_EQ(added, rounds * batch);
    EXPECT_EQ(duplicates, (threads - 1) * rounds * batch);
    const auto s = open_store();
    std::uint64_t success = 0, failure = 0, reports = 0;
    for (const auto& d : *s->days({})) {
        success += d.success;
        failure += d.failure;
        reports += d.reports;
    }
    EXPECT_EQ(success, 10u * rounds * batch);
    EXPECT_EQ(failure, 1u * rounds * batch);
    EXPECT_EQ(reports, 1u * rounds * batch);
    EXPECT_EQ(s->list({}, {})->at(0).times_seen, static_cast<std::uint64_t>(threads));
}

TEST_P(writers, domains_that_come_and_go_meanwhile_lose_nothing) {
    static_cast<void>(open_store());
    std::thread adder([&] {
        const auto s = open({.where = db.where(), .wait_for_lock = std::chrono::seconds(60)});
        for (int i = 0; i < 60; ++i) {
            const auto r = report("id" + std::to_string(i), "example.com", 3, 1);
            EXPECT_TRUE((*s)->add(std::span(&r, 1)));
        }
    });
    const auto s = open({.where = db.where(), .wait_for_lock = std::chrono::seconds(60)});
    const std::vector<std::string> names{"example.com"};
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE((*s)->add_domains(names, tests::day_in_may(1)));
        EXPECT_TRUE((*s)->remove_domain("example.com"));
    }
    EXPECT_TRUE((*s)->add_domains(names, tests::day_in_may(1)));
    adder.join();
    const auto days = (*s)->days({});
    ASSERT_EQ(days->size(), 1u);
    EXPECT_EQ(days->at(0).success, 60u);
}

INSTANTIATE_TEST_SUITE_P(engines, writers, testing::Values(engine::sqlite, engine::postgres),
                         [](const auto& info) {
                             return info.param == engine::sqlite ? "sqlite" : "postgres";
                         });

TEST(sqlite_writer, waits_for_the_lock_and_then_says_busy) {
    const database db(engine::sqlite);
    static_cast<void>(db.open());
    const auto other = sqlite::connect({.where = db.where()});
    const sql::transaction holding(*other, sql::access::write);
    const auto s = open({.where = db.where(), .wait_for_lock = std::chrono::milliseconds(50)});
    ASSERT_TRUE(s) << s.error().message;
    const auto out = (*s)->set_fact("a", "b");
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().what, store_error::kind::busy);
    EXPECT_TRUE(out.error().again());
    EXPECT_TRUE((*s)->facts("")->empty()); // who asks does not wait
}

TEST(sqlite_writer, a_full_disk_loses_nothing_and_is_got_over) {
    const database db(engine::sqlite);
    const auto s = db.open();
    const auto before = report("before", "example.com", 3, 1);
    ASSERT_TRUE(s->add(std::span(&before, 1)));
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit old{};
    ::getrlimit(RLIMIT_FSIZE, &old);
    rlimit tight = old;
    tight.rlim_cur = 400'000; // the log cannot grow beyond this
    auto big = report("big", "example.com", 3, 1);
    for (int i = 0; i < 20'000; ++i)
        big.report.policies[0].details.push_back(
            tests::detail("validation-failure", 1, "mx" + std::to_string(i)));
    ::setrlimit(RLIMIT_FSIZE, &tight);
    const auto refused = s->add(std::span(&big, 1));
    ::setrlimit(RLIMIT_FSIZE, &old);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().again()) << refused.error().message;
    EXPECT_EQ(s->size()->reports, 1u);
    const auto now = s->add(std::span(&big, 1));
    ASSERT_TRUE(now) << now.error().message;
    EXPECT_EQ(s->size()->reports, 2u);
}

TEST(postgres_writer, connects_again_after_the_connection_was_lost) {
    const database db(engine::postgres);
    const auto s = db.open();
    ASSERT_TRUE(s->set_fact("before", "1"));
    tests::private_postgres::run("select pg_terminate_backend(pid) from pg_stat_activity "
                                 "where datname <> 'postgres' and pid <> pg_backend_pid() and datname = '" +
                                 db.where().substr(db.where().find("dbname=") + 7) + "'");
    auto out = s->set_fact("after", "2");
    if (!out) { // seen only now: the next call finds a new one
        EXPECT_EQ(out.error().what, store_error::kind::unreachable);
        out = s->set_fact("after", "2");
    }
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(*s->fact("before"), "1");
    EXPECT_EQ(*s->fact("after"), "2");
}

} // namespace
} // namespace mailtight::store
