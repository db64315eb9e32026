// SPDX-License-Identifier: Apache-2.0
// What a sender keeps, in both engines: written, read, merged with what other machines wrote, told to them.
#include "store/policies.h"
#include "store/postgres/engine.h"
#include "store/schema.h"
#include "store/sqlite/engine.h"
#include "support/policies.h"
#include "support/postgres.h"
#include "unit/store/engines.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <map>
#include <thread>

namespace mailtight::store {
namespace {
using model::kept_policy;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using tests::at;
using tests::held_policy;
using tests::no_policy;

std::vector<std::string> domains(const std::vector<kept_policy>& of) {
    std::vector<std::string> out;
    for (const auto& each : of)
        out.push_back(each.domain);
    return out;
}

class policies : public testing::TestWithParam<engine> {
protected:
    database db{GetParam()};
    std::unique_ptr<policy_store> open() const {
        auto opened =
            open_policies({.where = db.where(), .wait_for_lock = std::chrono::milliseconds(60'000)});
        if (!opened)
            throw std::runtime_error(opened.error().message);
        return std::move(*opened);
    }
    std::unique_ptr<sql::connection> connect() const {
        const open_options options{.where = db.where()};
        return GetParam() == engine::sqlite ? sqlite::connect(options) : postgres::connect(options);
    }
    static void put(policy_store& to, const kept_policy& one) {
        const auto done = to.put(std::span(&one, 1));
        ASSERT_TRUE(done) << done.error().message;
    }
    static kept_policy get(policy_store& from, std::string_view domain) {
        const auto got = from.get(domain);
        EXPECT_TRUE(got) << got.error().message;
        return got && *got ? **got : kept_policy{};
    }
};
INSTANTIATE_TEST_SUITE_P(engines, policies, testing::Values(engine::sqlite, engine::postgres),
                         [](const auto& info) {
                             return info.param == engine::sqlite ? "sqlite" : "postgres";
                         });

TEST_P(policies, every_field_comes_back) {
    const auto s = open();
    for (const auto& value : {tests::full_policy("full.example"), held_policy("held.example", 1),
                              no_policy("none.example", 2), kept_policy{.domain = "empty.example"}}) {
        put(*s, value);
        tests::expect_same(get(*s, value.domain), value);
        tests::expect_same(get(*open(), value.domain), value);
    }
    EXPECT_EQ(*s->count(), 4u);
    EXPECT_FALSE(*s->get("other.example"));
}

TEST_P(policies, a_policy_without_its_bytes_is_kept_as_canonical_bytes) {
    const auto s = open();
    auto value = held_policy("a.example", 1);
    value.state.held->body = "";
    put(*s, value);
    EXPECT_EQ(get(*s, "a.example").state.held->body,
              "version: STSv1\r\nmode: enforce\r\nmx: mx.example.net\r\nmax_age: 604800\r\n");
    EXPECT_EQ(get(*s, "a.example").state.held->value, value.state.held->value);
}

TEST_P(policies, remote_bytes_in_details_are_no_obstacle) {
    const auto s = open();
    auto value = no_policy("a.example", 1);
    value.state.record.detail = std::string("a\0b\xff\xc3(", 6) + std::string(5'000, 'x');
    put(*s, value);
    const auto detail = get(*s, "a.example").state.record.detail;
    EXPECT_THAT(detail, testing::StartsWith("a"));
    EXPECT_EQ(detail.find('\0'), std::string::npos);
    EXPECT_LT(detail.size(), 1'200u);
}

TEST_P(policies, the_newer_part_stays_whoever_writes_last) {
    const auto one = open(), two = open();
    put(*one, held_policy("a.example", 1'000, "new"));
    put(*two, held_policy("a.example", 500, "old"));
    EXPECT_EQ(get(*one, "a.example").state.held->id, "new");

    // A machine that looked at the record later, but knows the older policy only.
    auto looked = held_policy("a.example", 500, "old");
    looked.state.record_at = at(2'000);
    looked.state.record.id = "newest";
    put(*two, looked);
    auto merged = get(*one, "a.example");
    EXPECT_EQ(merged.state.held->id, "new");
    EXPECT_EQ(merged.state.record.id, "newest");
    EXPECT_EQ(merged.state.refresh_at, at(1'000 + 86'400));

    // A machine that never held one.
    put(*two, no_policy("a.example", 3'000));
    merged = get(*one, "a.example");
    EXPECT_EQ(merged.state.held->id, "new") << "what DNS does not show takes no policy away";
    EXPECT_EQ(merged.state.record.what, sts::record_sighting::kind::none);

    // A failure that is newer than the policy, and one that is older.
    for (const auto& [when, detail] : {std::pair{4'000, "late"}, std::pair{700, "early"}}) {
        auto failed = no_policy("a.example", 100);
        failed.state.failed = sts::failed_fetch{.id = "newest", .at = at(when), .detail = detail};
        failed.state.failures = 1;
        put(*two, failed);
    }
    merged = get(*one, "a.example");
    EXPECT_EQ(merged.state.failed->detail, "late");
    EXPECT_EQ(merged.state.failures, 1u);
    EXPECT_EQ(merged.state.held->id, "new");
    EXPECT_EQ(merged.state.record_at, at(3'000));
}

TEST_P(policies, the_same_age_is_taken_from_who_writes) {
    const auto s = open();
    auto value = held_policy("a.example", 1'000);
    put(*s, value);
    value.used_at = at(9'000);
    value.state.refresh_at = at(7'777);
    put(*s, value);
    tests::expect_same(get(*s, "a.example"), value);
}

TEST_P(policies, each_gives_all_in_order_and_ends_when_told) {
    const auto s = open();
    std::vector<kept_policy> some;
    for (int i = 0; i < 12'000; ++i)
        some.push_back(no_policy("d" + std::to_string(i) + ".example", i));
    ASSERT_TRUE(s->put(some));
    std::vector<std::string> seen;
    ASSERT_TRUE(s->each([&](const kept_policy& p) {
        seen.push_back(p.domain);
        return true;
    }));
    EXPECT_EQ(seen.size(), some.size());
    EXPECT_TRUE(std::ranges::is_sorted(seen));
    std::size_t taken = 0;
    ASSERT_TRUE(s->each([&](const kept_policy&) { return ++taken < 7'000; }));
    EXPECT_EQ(taken, 7'000u);
    EXPECT_THAT(domains(*s->after("d9998.example", 2)), ElementsAre("d9999.example"));
    EXPECT_THAT(domains(*s->after("", 2)), ElementsAre("d0.example", "d1.example"));
    EXPECT_THAT(domains(*s->after("", 2, "d999")), ElementsAre("d999.example", "d9990.example"));
    EXPECT_THAT(domains(*s->after("d8999.example", 9, "D999")),
                ElementsAre("d999.example", "d9990.example", "d9991.example", "d9992.example",
                            "d9993.example", "d9994.example", "d9995.example", "d9996.example",
                            "d9997.example"));
    for (const char* nowhere : {"%", "_", "!", "d_999", "\xff"})
        EXPECT_THAT(*s->after("", 2, nowhere), testing::IsEmpty()) << nowhere << " is no pattern";
}

TEST_P(policies, changes_are_told_once_in_order_with_what_was_removed) {
    const auto s = open(), other = open();
    auto all = *s->since(0, 100);
    EXPECT_THAT(all.rows, IsEmpty());
    put(*s, no_policy("a.example", 1));
    put(*s, no_policy("b.example", 1));
    put(*s, no_policy("a.example", 2));
    all = *other->since(all.mark, 100);
    EXPECT_THAT(domains(all.rows), ElementsAre("b.example", "a.example"));
    EXPECT_THAT(other->since(all.mark, 100)->rows, IsEmpty());
    put(*s, no_policy("a.example", 1)); // older: not written
    EXPECT_THAT(other->since(all.mark, 100)->rows, IsEmpty());
    ASSERT_TRUE(s->remove(std::vector<std::string>{"a.example", "never.example"}));
    const auto gone = *other->since(all.mark, 100);
    EXPECT_THAT(gone.removed, ElementsAre("a.example"));
    EXPECT_THAT(gone.rows, IsEmpty());
    EXPECT_FALSE(*s->get("a.example"));
    EXPECT_EQ(*s->count(), 1u);
    put(*s, held_policy("a.example", 0)); // an import, older than what was forgotten
    EXPECT_THAT(domains(other->since(gone.mark, 100)->rows), ElementsAre("a.example"));
    EXPECT_TRUE(get(*s, "a.example").state.held);
    EXPECT_EQ(*s->count(), 2u);
}

TEST_P(policies, changes_come_in_pages_that_miss_nothing) {
    const auto s = open();
    std::vector<kept_policy> some;
    for (int i = 0; i < 100; ++i)
        some.push_back(no_policy("d" + std::to_string(i) + ".example", i));
    ASSERT_TRUE(s->put(some));
    std::set<std::string> seen;
    for (std::int64_t mark = 0;;) {
        const auto page = *s->since(mark, 7);
        mark = page.mark;
        for (const auto& d : domains(page.rows))
            EXPECT_TRUE(seen.insert(d).second);
        if (page.rows.size() < 7)
            break;
    }
    EXPECT_EQ(seen.size(), 100u);
}

TEST_P(policies, a_database_that_went_back_in_time_is_read_anew) {
    const auto s = open();
    put(*s, no_policy("a.example", 1));
    EXPECT_THAT(domains(s->since(1'000'000, 100)->rows), ElementsAre("a.example"));
}

// Writers of four machines; a reader that asks all the time and never goes back.
TEST_P(policies, no_commit_is_missed_while_many_write) {
    static_cast<void>(open());
    constexpr int writers = 4, rounds = 25, batch = 20;
    std::atomic<int> left{writers};
    std::vector<std::thread> all;
    for (int w = 0; w < writers; ++w)
        all.emplace_back([&, w] {
            const auto s = open();
            for (int round = 0; round < rounds; ++round) {
                std::vector<kept_policy> some;
                for (int i = 0; i < batch; ++i) // shared by all, in other orders
                    some.push_back(
                        held_policy("d" + std::to_string(w % 2 == 0 ? i : batch - 1 - i) + ".example",
                                    round * writers + w, std::to_string(w)));
                some.push_back(no_policy("own" + std::to_string(w) + "-" + std::to_string(round), round));
                const auto done = s->put(some);
                EXPECT_TRUE(done) << done.error().message;
            }
            --left;
        });
    std::map<std::string, kept_policy> seen;
    const auto reader = open();
    for (std::int64_t mark = 0;;) {
        const bool last = left == 0;
        const auto got = reader->since(mark, 50);
        ASSERT_TRUE(got) << got.error().message;
        mark = got->mark;
        for (const auto& row : got->rows)
            seen.insert_or_assign(row.domain, row);
        if (last && got->rows.empty())
            break;
    }
    for (auto& t : all)
        t.join();
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(writers * rounds + batch));
    std::size_t compared = 0;
    ASSERT_TRUE(reader->each([&](const kept_policy& row) {
        tests::expect_same(seen.at(row.domain), row);
        if (row.state.held) {
            EXPECT_EQ(row.state.held->fetched_at, at((rounds - 1) * writers + writers - 1)) << "the newest";
        }
        ++compared;
        return true;
    }));
    EXPECT_EQ(compared, seen.size());
}

TEST_P(policies, a_lease_is_one_machines_until_it_ends) {
    const auto one = open(), two = open();
    EXPECT_TRUE(*one->lease("a.example", "one", std::chrono::seconds(60), at(0)));
    if (GetParam() == engine::sqlite) {
        EXPECT_TRUE(*two->lease("a.example", "two", std::chrono::seconds(60), at(0)));
        return;
    }
    EXPECT_FALSE(*two->lease("a.example", "two", std::chrono::seconds(60), at(1'000'000)))
        << "the database's clock counts, not the machine's";
    EXPECT_TRUE(*two->lease("b.example", "two", std::chrono::seconds(60), at(0)));
    EXPECT_TRUE(*one->lease("a.example", "one", std::chrono::seconds(1), at(0)))
        << "asked again by who has it";
    ASSERT_TRUE(two->release("a.example", "two")) << "not theirs: nothing happens";
    EXPECT_FALSE(*two->lease("a.example", "two", std::chrono::seconds(60), at(0)));
    std::this_thread::sleep_for(std::chrono::milliseconds(1'100));
    EXPECT_TRUE(*two->lease("a.example", "two", std::chrono::seconds(60), at(0))) << "it has run out";
    ASSERT_TRUE(one->release("a.example", "one")) << "no longer theirs";
    EXPECT_FALSE(*one->lease("a.example", "one", std::chrono::seconds(60), at(0)));
    ASSERT_TRUE(two->release("a.example", "two"));
    EXPECT_TRUE(*one->lease("a.example", "one", std::chrono::seconds(60), at(0)));
}

TEST_P(policies, exceptions_come_back_and_are_noticed) {
    const auto s = open(), other = open();
    const auto before = s->since(0, 1)->exceptions;
    const model::policy_override pinned{.domain = "a.example",
                                        .what = model::policy_override::kind::pin,
                                        .mx = {"mx.a.example", "*.b.example"},
                                        .why = "their \"policy\" is wrong",
                                        .by = "anna",
                                        .since = at(1),
                                        .until = at(2)};
    ASSERT_TRUE(s->set_override(pinned));
    ASSERT_TRUE(s->set_override({.domain = "b.example", .what = model::policy_override::kind::exempt}));
    const auto now = other->since(0, 1)->exceptions;
    EXPECT_NE(now, before);
    auto all = *other->overrides();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].domain, "a.example");
    EXPECT_EQ(all[0].what, pinned.what);
    EXPECT_EQ(all[0].mx, pinned.mx);
    EXPECT_EQ(all[0].why, pinned.why);
    EXPECT_EQ(all[0].by, pinned.by);
    EXPECT_EQ(all[0].since, pinned.since);
    EXPECT_EQ(all[0].until, pinned.until);
    EXPECT_FALSE(all[1].until);
    ASSERT_TRUE(s->set_override({.domain = "a.example", .what = model::policy_override::kind::require}));
    EXPECT_EQ(other->overrides()->at(0).what, model::policy_override::kind::require);
    EXPECT_THAT(other->overrides()->at(0).mx, IsEmpty());
    EXPECT_TRUE(*s->remove_override("a.example"));
    EXPECT_FALSE(*s->remove_override("a.example"));
    EXPECT_EQ(other->overrides()->size(), 1u);
    EXPECT_NE(other->since(0, 1)->exceptions, now);
}

TEST_P(policies, of_verdicts_the_latest_counts_and_old_ones_go) {
    const auto s = open();
    const auto verdict = [](const char* domain, const char* address, std::int64_t when, const char* result) {
        return model::testing_verdict{.domain = domain,
                                      .policy_id = "1",
                                      .mx_host = "mx.example",
                                      .address = base::ip_address::parse(address).value(),
                                      .at = at(when),
                                      .result = result,
                                      .reason = "because"};
    };
    ASSERT_TRUE(s->put_verdicts(std::vector{verdict("a.example", "192.0.2.1", 100, "certificate-expired"),
                                            verdict("a.example", "2001:db8::1", 100, ""),
                                            verdict("b.example", "192.0.2.1", 50, "")},
                                at(0)));
    ASSERT_TRUE(
        s->put_verdicts(std::vector{verdict("a.example", "192.0.2.1", 200, ""),
                                    verdict("a.example", "2001:db8::1", 90, "starttls-not-supported")},
                        at(60)));
    const auto all = *s->verdicts("");
    ASSERT_EQ(all.size(), 2u) << "what is older than `keep` is dropped";
    EXPECT_EQ(all[0].address.to_string(), "192.0.2.1");
    EXPECT_EQ(all[0].result, "");
    EXPECT_EQ(all[0].at, at(200));
    EXPECT_EQ(all[0].reason, "because");
    EXPECT_EQ(all[1].result, "") << "an older one does not replace a newer one";
    EXPECT_THAT(*s->verdicts("b.example"), IsEmpty());
    EXPECT_EQ(s->verdicts("a.example")->size(), 2u);
}

TEST_P(policies, parts_of_one_database_do_not_disturb_each_other) {
    const auto reports = db.open();
    const auto s = open();
    put(*s, no_policy("a.example", 1));
    ASSERT_TRUE(reports->set_fact("a", "b"));
    EXPECT_EQ(*reports->fact("a"), "b");
    EXPECT_EQ(*s->count(), 1u);
    ASSERT_TRUE(s->sync());
    const auto on = connect();
    EXPECT_EQ(schema_version(*on, policies_schema()), std::ssize(policies_schema().steps));
    EXPECT_EQ(schema_version(*on, reports_schema()), std::ssize(reports_schema().steps));
}

TEST_P(policies, a_later_version_is_refused_and_reading_changes_nothing) {
    const auto absent = open_policies({.where = db.where(), .read_only = true});
    EXPECT_FALSE(absent);
    if (GetParam() == engine::postgres) {
        EXPECT_THAT(absent.error().message, testing::HasSubstr("no policies yet"));
    }
    static_cast<void>(open());
    EXPECT_TRUE(open_policies({.where = db.where(), .read_only = true}));
    const auto on = connect();
    on->begin(sql::access::write);
    on->run("update schema_part set version = 1000 where name = 'policies'");
    on->commit();
    for (const bool read_only : {false, true}) {
        const auto opened = open_policies({.where = db.where(), .read_only = read_only});
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().what, store_error::kind::newer);
    }
}

// A damaged row, or one that somebody wrote by hand: all times at the ends of what the engine can hold.
TEST_P(policies, a_time_that_no_clock_gives_is_never) {
    const auto s = open();
    for (const auto* time : {"9223372036854775807", "-9223372036854775807", "253402300800", "-1"}) {
        put(*s, tests::full_policy("a.example"));
        const auto on = connect();
        on->begin(sql::access::write);
        on->run(fmt::format("update sending_policy set fetched_at = {0}, failed_at = {0}, record_at = {0}, "
                            "refresh_at = {0}, failing_since = {0}, used_at = {0}",
                            time));
        on->commit();
        const auto got = get(*s, "a.example");
        ASSERT_TRUE(got.state.held && got.state.failed) << time;
        for (const auto each : {got.state.held->fetched_at, got.state.failed->at, got.state.record_at,
                                got.state.refresh_at, got.state.failing_since, got.used_at})
            EXPECT_EQ(each, base::utc_seconds{}) << time;
        EXPECT_EQ(sts::standing_at(got.state, at(0)).what, sts::standing::kind::unknown) << time;
        EXPECT_TRUE(sts::worthless(got.state, at(0))) << time;
        ASSERT_TRUE(s->remove(std::vector<std::string>{"a.example"}));
    }
}

TEST_P(policies, many_may_open_a_new_database_at_once) {
    std::vector<std::thread> openers;
    std::atomic<int> opened{0};
    for (int i = 0; i < 6; ++i)
        openers.emplace_back([&] {
            if (const auto s = open_policies({.where = db.where()}); s && (*s)->count())
                ++opened;
        });
    for (auto& t : openers)
        t.join();
    EXPECT_EQ(opened, 6);
}

TEST(postgres_policies, a_machine_that_hangs_in_the_middle_holds_nobody_up_for_ever) {
    const database db(engine::postgres);
    const auto s = *open_policies({.where = db.where(), .wait_for_lock = std::chrono::milliseconds(100)});
    const auto hanging = postgres::connect({.where = db.where()});
    hanging->begin(sql::access::write);
    hanging->query("select current_setting('idle_in_transaction_session_timeout')", {},
                   [](const sql::row& r) { EXPECT_EQ(r.text(0), "1min"); });
    hanging->query("update sending_counter set value = value + 1 where name = 'change' returning value", {},
                   [](const sql::row&) {});
    const auto value = no_policy("a.example", 1);
    const auto refused = s->put(std::span(&value, 1));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().what, store_error::kind::busy);
    EXPECT_TRUE(s->since(0, 10)) << "who reads does not wait";
    hanging->rollback();
    EXPECT_TRUE(s->put(std::span(&value, 1)));
}

} // namespace
} // namespace mailtight::store
