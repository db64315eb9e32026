// SPDX-License-Identifier: Apache-2.0
// Statements are prepared once and found again, and what is prepared stays bounded: questions with many
// filters make many texts.
#include "engines.h"

#include "store/postgres/engine.h"
#include "store/sqlite/engine.h"

#include <fmt/format.h>

namespace mailtight::store {
namespace {

class statements : public conformance {
protected:
    std::unique_ptr<sql::connection> connect() const {
        const open_options options{.where = db.where()};
        return GetParam() == engine::sqlite ? sqlite::connect(options) : postgres::connect(options);
    }
};

TEST_P(statements, of_many_texts_are_answered_in_one_transaction) {
    const auto on = connect();
    on->run("create table kept (n bigint)");
    sql::transaction t(*on, sql::access::write);
    for (int i = 0; i < 1'000; ++i) {
        on->run("insert into kept (n) values ($1)", {i}); // not waited for, and always the same
        ASSERT_EQ(on->number(fmt::format("select $1 + {}", i), {std::int64_t{7}}), 7 + i);
    }
    t.commit();
    EXPECT_EQ(on->number("select count(*) from kept"), 1'000);
}

TEST(postgres_statements, do_not_pile_up_at_the_server) {
    const database db(engine::postgres);
    const auto on = postgres::connect({.where = db.where()});
    std::int64_t most = 0;
    for (int i = 0; i < 1'000; ++i) {
        sql::transaction t(*on, sql::access::read);
        on->number(fmt::format("select $1 + {}", i), {std::int64_t{7}});
        most = std::max(most, on->number("select count(*) from pg_prepared_statements").value_or(-1));
        t.commit();
    }
    EXPECT_GT(most, 100);
    EXPECT_LE(most, 310);
}

TEST_P(statements, go_on_after_one_that_fails) {
    const auto on = connect();
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 299; ++i) // the one that fails is the one for which room is made
            on->number(fmt::format("select $1 + {}", 1'000 * round + i), {std::int64_t{7}});
        EXPECT_THROW(
            {
                sql::transaction t(*on, sql::access::write);
                on->number(fmt::format("select no_such_column from nowhere where 1 = {}", round));
                on->number(fmt::format("select $1 + {}", 5'000 + round), {std::int64_t{7}});
                t.commit();
            },
            sql::failure);
        sql::transaction t(*on, sql::access::read);
        EXPECT_EQ(on->number(fmt::format("select $1 + {}", 6'000 + round), {std::int64_t{7}}), 6'007 + round);
        t.commit();
    }
}

INSTANTIATE_TEST_SUITE_P(engines, statements, testing::Values(engine::sqlite, engine::postgres),
                         [](const auto& info) {
                             return std::string(info.param == engine::sqlite ? "sqlite" : "postgres");
                         });

} // namespace
} // namespace mailtight::store
