// SPDX-License-Identifier: Apache-2.0
// postfix-mta-sts-resolver's cache as its program makes it, and files that only look like it.
#include "store/policies.h"
#include "support/scratch.h"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <fstream>

namespace mailtight::store {
namespace {
using testing::HasSubstr;

class foreign_cache : public testing::Test {
protected:
    tests::scratch_folder folder;
    std::string path = (folder.path() / "db.sqlite").string();

    void run(const std::string& statements) const {
        sqlite3* db = nullptr;
        sqlite3_open(path.c_str(), &db);
        char* problem = nullptr;
        EXPECT_EQ(sqlite3_exec(db, statements.c_str(), nullptr, nullptr, &problem), SQLITE_OK) << problem;
        sqlite3_close(db);
    }
    /// As version 1.1.2 (Debian 12) creates it.
    void make() const {
        run("pragma journal_mode = wal;"
            "create table proactive_fetch_ts (id integer primary key, last_fetch_ts integer);"
            "create table sts_policy_cache (domain text, ts integer, pol_id text, pol_body text);"
            "create unique index sts_policy_domain on sts_policy_cache (domain);"
            "create index sts_policy_domain_ts on sts_policy_cache (domain, ts);");
    }
    std::string refusal() const {
        const auto got = read_foreign_cache(path);
        EXPECT_FALSE(got);
        return got ? "" : got.error().message;
    }
};

TEST_F(foreign_cache, gives_its_rows) {
    make();
    run("insert into sts_policy_cache values ('example.com', 1790000000, '20260102', '{\"mode\": "
        "\"none\"}'), "
        "('example.net', 1790000001, '1', '{}')");
    const auto got = read_foreign_cache(path);
    ASSERT_TRUE(got) << got.error().message;
    ASSERT_EQ(got->size(), 2u);
    EXPECT_EQ(got->at(0).domain, "example.com");
    EXPECT_EQ(got->at(0).id, "20260102");
    EXPECT_EQ(got->at(0).body_or_json, "{\"mode\": \"none\"}");
    EXPECT_EQ(got->at(0).fetched_at, base::utc_seconds(std::chrono::seconds(1'790'000'000)));
}

TEST_F(foreign_cache, is_read_while_its_daemon_has_it_open) {
    make();
    sqlite3* db = nullptr;
    sqlite3_open(path.c_str(), &db);
    sqlite3_exec(db, "begin immediate; insert into sts_policy_cache values ('a.example', 1, '1', '{}');",
                 nullptr, nullptr, nullptr);
    const auto got = read_foreign_cache(path);
    sqlite3_close(db);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_TRUE(got->empty()) << "not committed";
}

TEST_F(foreign_cache, is_never_changed) {
    make();
    const auto bytes = [&] {
        std::ifstream in(path, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(in), {});
    };
    const auto before = bytes();
    ASSERT_TRUE(read_foreign_cache(path));
    EXPECT_EQ(bytes(), before);
}

TEST_F(foreign_cache, rows_of_impossible_length_are_left_out) {
    make();
    run("insert into sts_policy_cache values ('a.example', 1, '1', zeroblob(300000)), (null, 1, '1', '{}'), "
        "(zeroblob(2000), 1, '1', '{}'), ('b.example', 1, zeroblob(2000), '{}'), ('c.example', 'x', 2, 3)");
    const auto got = read_foreign_cache(path);
    ASSERT_TRUE(got) << got.error().message;
    ASSERT_EQ(got->size(), 1u);
    EXPECT_EQ(got->at(0).domain, "c.example");
    EXPECT_EQ(got->at(0).fetched_at, base::utc_seconds{});
}

TEST_F(foreign_cache, what_is_not_there_or_no_file) {
    EXPECT_THAT(refusal(), HasSubstr("No such file"));
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_THAT(refusal(), HasSubstr("not a file"));
}

TEST_F(foreign_cache, what_is_no_database) {
    std::ofstream(path) << std::string(10'000, 'x');
    EXPECT_THAT(refusal(), HasSubstr("not a database"));
}

TEST_F(foreign_cache, another_database) {
    run("create table other (n integer)");
    EXPECT_THAT(refusal(), HasSubstr("not the cache of postfix-mta-sts-resolver"));
}

TEST_F(foreign_cache, other_columns) {
    run("create table sts_policy_cache (domain text)");
    EXPECT_THAT(refusal(), HasSubstr("no such column"));
}

TEST_F(foreign_cache, a_view_in_its_place_is_not_run) {
    run("create table t (n integer); create view sts_policy_cache as with recursive r(n) as (select 1 union "
        "all "
        "select n + 1 from r) select 'a' domain, n ts, '' pol_id, '' pol_body from r;");
    EXPECT_THAT(refusal(), HasSubstr("not the cache"));
}

TEST_F(foreign_cache, a_damaged_file) {
    make();
    run("with recursive r(n) as (select 1 union all select n + 1 from r where n < 500) insert into "
        "sts_policy_cache select 'd' || n || '.example', n, n, '{\"mode\": \"none\"}' from r;"
        "pragma wal_checkpoint(truncate)");
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const std::string noise(4'000, '\xa5');
    for (int page = 5; page < 12; ++page) {
        file.seekp(page * 4'096 + 20);
        file.write(noise.data(), static_cast<std::streamsize>(noise.size()));
    }
    file.close();
    EXPECT_FALSE(refusal().empty());
}

} // namespace
} // namespace mailtight::store
