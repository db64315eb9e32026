// SPDX-License-Identifier: Apache-2.0
// Databases of every earlier version are brought up to date with what is in them; of a later one, refused.
#include "store/postgres/engine.h"
#include "store/schema.h"
#include "store/sqlite/engine.h"
#include "support/reports.h"
#include "unit/store/engines.h"
#include "unit/store/span_rows.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

namespace mailtight::store {
namespace {

class schema : public conformance {
protected:
    std::unique_ptr<sql::connection> connect() const {
        const open_options options{.where = db.where()};
        return GetParam() == engine::sqlite ? sqlite::connect(options) : postgres::connect(options);
    }
};

// A report as version 1 of the schema kept it.
void insert_as_version_1(sql::connection& on) {
    sql::transaction t(on, sql::access::write);
    const std::string key(32, 'k'), content(32, 'c');
    on.run("insert into word (id, hash, text) values (1, $1, 'example.com'), (2, $2, 'google.com')",
           {sql::bytes{key}, sql::bytes{content}});
    on.run("insert into own_domain (name, token, added_at, word) values ('example.com', 'token', 5, 1)");
    on.run("insert into report (id, key, content, family, leads, state, why, trust, times_seen, reporter, "
           "domain, "
           "period_start, period_end, received_at, success, failure, policies, details, warning_count, way, "
           "format, "
           "organization, contact, report_id, report_domain, submitter, recipient, source, trust_reason, "
           "dkim_mail, "
           "dkim_result, dkim_domain, dkim_selector, dkim_reason, test_token, inferred, warnings, truncated) "
           "values (7, $1, $2, 7, 1, 0, '', 3, 1, 'google.com', 'example.com', $3, $4, $5, 100, 0, 0, 0, 0, "
           "'smtp', "
           "'mail', 'Google Inc.', '', 'old one', 'example.com', 'google.com', '', '', '', 1, 'pass', '', "
           "'', '', '', "
           "'', '', 0)",
           {sql::bytes{key}, sql::bytes{content}, tests::day_in_may(3), tests::day_in_may(4),
            tests::day_in_may(5)});
    on.run("insert into about (domain, day, report, counted) values ('example.com', $1, 7, 1)",
           {std::chrono::floor<std::chrono::days>(tests::day_in_may(3))});
    on.run("insert into domain_day values (1, $1, 1, 1, 100, 0, 100, 0, 0, 0, 0, 0)",
           {std::chrono::floor<std::chrono::days>(tests::day_in_may(3))});
    on.run("insert into word (id, hash, text) values (3, $1, 'sts'), (4, $2, 'certificate-expired')",
           {sql::bytes{std::string_view("3")}, sql::bytes{std::string_view("4")}});
    const auto day = std::chrono::floor<std::chrono::days>(tests::day_in_may(3));
    on.run("insert into reporter_day values (1, 2, $1, 1, 1, 100, 0, 100, 0, 0, 0, 0, 0)", {day});
    on.run("insert into reporter_day values (5, 2, $1, 1, 1, 7, 0, 7, 0, 0, 0, 0, 0)", {day}); // not ours
    on.run("insert into failure_day values (1, $1, 2, 3, 4, 0, 0, 1, 9, 7, 0, 0, 0)", {day});
    on.run("insert into reporter_seen values (1, 2, 'Google Inc.', 5, ''), (5, 2, 'older', 4, '')");
    t.commit();
}

TEST_P(schema, every_earlier_version_is_brought_up_to_date_with_its_data) {
    const auto newest = std::ssize(reports_schema().steps);
    ASSERT_GE(newest, 2);
    {
        const auto on = connect();
        migrate(*on, reports_schema(), 1);
        EXPECT_EQ(schema_version(*on, reports_schema()), 1);
        insert_as_version_1(*on);
    }
    for (std::int64_t version = 2; version <= newest; ++version) { // stop at each on the way
        const auto on = connect();
        migrate(*on, reports_schema(), version);
        EXPECT_EQ(schema_version(*on, reports_schema()), version);
    }
    const auto s = open_store();
    const auto day = std::chrono::floor<std::chrono::days>(tests::day_in_may(3));
    const auto listed = s->list({.from = day, .to = day}, {});
    ASSERT_TRUE(listed) << listed.error().message;
    ASSERT_EQ(listed->size(), 1u);
    EXPECT_EQ(listed->at(0).report_id, "old one");
    EXPECT_EQ(listed->at(0).number, 7);
    EXPECT_TRUE(s->list({.to = day - std::chrono::days(1)}, {})->empty());
    EXPECT_EQ(s->days({})->at(0).success, 100u);
    const auto whole = s->reporter_days({});
    ASSERT_TRUE(whole) << whole.error().message;
    ASSERT_EQ(whole->size(), 1u);
    EXPECT_EQ(whole->at(0).success, 100u);
    EXPECT_EQ(whole->at(0).organization, "Google Inc.");
    ASSERT_EQ(s->results({})->size(), 1u);
    EXPECT_EQ(s->results({})->at(0).count, 9u);
    ASSERT_EQ(s->worst_domains({.from = day, .to = day}, 10)->size(), 1u);
    EXPECT_EQ(s->worst_domains({.from = day, .to = day}, 10)->at(0).success, 100u);
    ASSERT_EQ(s->worst_failures({.from = day, .to = day}, 10)->rows.size(), 1u);
    EXPECT_EQ(s->worst_failures({.from = day, .to = day}, 10)->rows[0].count, 9u);
}

// Sums over several days are made of the days that were kept before there were any, also those before 1970.
TEST_P(schema, spans_are_added_up_from_the_days_of_an_earlier_version) {
    {
        const auto on = connect();
        migrate(*on, reports_schema(), 4);
        sql::transaction t(*on, sql::access::write);
        for (std::int64_t domain = 1; domain <= 3; ++domain)
            for (std::int64_t day = -40; day < 40; day += domain) {
                on->run("insert into domain_day values ($1, $2, 2, 1, $3, 5, 0, 0, 0, 0, 0, 0)",
                        {domain, day, 100 + day});
                for (std::int64_t reporter = 1; reporter <= 2; ++reporter)
                    on->run("insert into failure_day values ($1, $2, $3, 7, $4, 0, 9, 1, $5, 1, 0, 0, 0)",
                            {domain, day, reporter, day % 2, 50 + day});
            }
        t.commit();
    }
    static_cast<void>(open_store());
    const auto on = connect();
    EXPECT_TRUE(domain_spans_are_their_days(*on));
    EXPECT_TRUE(failure_spans_are_their_days(*on));
    EXPECT_EQ(on->number("select success from domain_span where days = 27 and first = -27 and domain = 1"),
              27 * 100 - (27 * 28) / 2);
    EXPECT_EQ(on->number("select cast(sum(count) as bigint) from failure_span where days = 9 and first = 0 "
                         "and domain = 1"),
              2 * (9 * 50 + 36));
}

TEST_P(schema, days_before_1970_are_migrated_too) {
    {
        const auto on = connect();
        migrate(*on, reports_schema(), 1);
        insert_as_version_1(*on);
        on->begin(sql::access::write);
        on->run("update report set period_start = -1");
        on->commit();
    }
    const auto last_of_1969 = day(std::chrono::year(1969) / 12 / 31);
    EXPECT_EQ(open_store()->list({.from = last_of_1969, .to = last_of_1969}, {})->size(), 1u);
}

TEST_P(schema, a_later_version_is_refused_and_left_alone) {
    static_cast<void>(open_store());
    const auto on = connect();
    on->begin(sql::access::write);
    on->run("update schema_part set version = 1000");
    on->commit();
    for (const bool read_only : {false, true}) {
        const auto opened = open({.where = db.where(), .read_only = read_only});
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().what, store_error::kind::newer);
        EXPECT_FALSE(opened.error().again());
    }
    EXPECT_EQ(schema_version(*on, reports_schema()), 1000);
}

TEST_P(schema, those_who_may_only_read_change_nothing) {
    {
        const auto on = connect();
        migrate(*on, reports_schema(), 1);
    }
    const auto opened = open({.where = db.where(), .read_only = true});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().what, store_error::kind::wrong);
    EXPECT_EQ(schema_version(*connect(), reports_schema()), 1);
}

TEST_P(schema, many_may_open_a_new_database_at_once) {
    std::vector<std::thread> openers;
    std::atomic<int> opened{0};
    for (int i = 0; i < 6; ++i)
        openers.emplace_back([&] {
            if (const auto s = open({.where = db.where()}); s && (*s)->size())
                ++opened;
        });
    for (auto& t : openers)
        t.join();
    EXPECT_EQ(opened, 6);
}

// Other parts of the product have tables of their own in the same database.
constexpr auto other_first =
    std::to_array<std::string_view>({"create table other_part (n bigint primary key)"});
constexpr auto other_steps = std::to_array<schema_step>({other_first});

TEST_P(schema, parts_have_versions_of_their_own) {
    static_cast<void>(open_store());
    const auto on = connect();
    const schema_part other{.name = "other", .steps = other_steps};
    EXPECT_EQ(schema_version(*on, other), 0);
    migrate(*on, other);
    migrate(*on, other); // nothing more to do
    EXPECT_EQ(schema_version(*on, other), 1);
    EXPECT_EQ(schema_version(*on, reports_schema()), std::ssize(reports_schema().steps));
}

INSTANTIATE_TEST_SUITE_P(engines, schema, testing::Values(engine::sqlite, engine::postgres),
                         [](const auto& info) {
                             return info.param == engine::sqlite ? "sqlite" : "postgres";
                         });

TEST(opening, a_file_that_is_no_database_is_left_alone) {
    const tests::scratch_folder folder;
    const auto path = folder.path() / "store.db";
    std::ofstream(path) << std::string(10'000, 'x');
    const auto opened = open({.where = path.string()});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().what, store_error::kind::damaged);
    EXPECT_EQ(std::filesystem::file_size(path), 10'000u);
}

TEST(opening, what_is_not_there_is_only_made_where_that_is_wanted) {
    const tests::scratch_folder folder;
    const auto path = folder.path() / "store.db";
    for (const auto& options : {open_options{.where = path.string(), .read_only = true},
                                open_options{.where = path.string(), .create = false}}) {
        const auto opened = open(options);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().what, store_error::kind::unreachable);
        EXPECT_FALSE(std::filesystem::exists(path));
    }
    ASSERT_TRUE(open({.where = path.string()}));
    struct stat made{};
    ASSERT_EQ(::stat(path.c_str(), &made), 0);
    EXPECT_EQ(made.st_mode & 0777, 0640u) << "others read nothing";
}

TEST(opening, a_server_that_is_away_may_come_back) {
    const auto opened = open({.where = "host=/nonexistent dbname=x"});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().what, store_error::kind::unreachable);
    EXPECT_TRUE(opened.error().again());
}

TEST(opening, which_engine_is_meant) {
    for (const auto* where : {"postgresql://db/reports", "postgres://db", "host=/run/postgresql dbname=x",
                              "dbname=x", "service=reports"})
        EXPECT_TRUE(is_postgres(where)) << where;
    for (const auto* where :
         {"/var/lib/mailtight/store.db", "store.db", "./host=x", "a=b.db", "/a/dbname=x", ""})
        EXPECT_FALSE(is_postgres(where)) << where;
}

} // namespace
} // namespace mailtight::store
