// SPDX-License-Identifier: Apache-2.0
// What the table of all domains shows, in both engines: looks and plans write their half of one row, readers
// follow the change numbers, and what is no longer looked after leaves nothing.
#include "unit/store/domain_fixture.h"

#include <gmock/gmock.h>

namespace mailtight::store {
namespace {
using namespace domain_tests;
using testing::IsEmpty;

class showing : public domain_fixture {
protected:
    static model::shown seen(std::int64_t when, std::string verdict = "protected") {
        model::shown out;
        out.domain = "a.example";
        out.looked_at = at(when);
        out.verdict = std::move(verdict);
        out.mode = "enforce";
        out.parts = {"valid", "invalid", "missing", "not-tested"};
        out.errors = 2;
        out.warnings = 3;
        return out;
    }
    static model::next_step next() {
        return {.kind = "wait", .title = "Wait; é", .state = "waiting", .by = "us", .not_before = at(99)};
    }
    static std::vector<model::shown> after(domain_store& from, std::int64_t change) {
        auto rows = from.shown_after(change, 100);
        EXPECT_TRUE(rows) << rows.error().message;
        return rows.value_or(std::vector<model::shown>{});
    }
};
INSTANTIATE_TEST_SUITE_P(engines, showing, testing::Values(engine::sqlite, engine::postgres),
                         [](const auto& info) {
                             return info.param == engine::sqlite ? "sqlite" : "postgres";
                         });

TEST_P(showing, a_look_is_kept_with_its_document_and_read_by_its_number) {
    const auto s = open(), other = open();
    EXPECT_EQ(save(*s, wish("a.example")), domain_store::saved::yes);
    EXPECT_THAT(after(*s, 0), IsEmpty());
    EXPECT_FALSE(*s->last_look("a.example"));
    ASSERT_TRUE(s->keep_look(seen(10), R"({"verdict":"protected"})"));
    auto rows = after(*other, 0);
    ASSERT_EQ(rows.size(), 1u);
    auto expected = seen(10);
    expected.change = rows[0].change;
    EXPECT_EQ(rows[0], expected);
    EXPECT_THAT(after(*other, expected.change), IsEmpty());
    EXPECT_EQ(**other->last_look("a.example"),
              (model::kept_look{.at = at(10), .document = R"({"verdict":"protected"})"}));
    // A number that was never given: the database is an older copy, and everything is told again.
    EXPECT_EQ(after(*other, expected.change + 1'000).size(), 1u);
}

TEST_P(showing, looks_and_plans_each_write_their_half) {
    const auto s = open();
    EXPECT_EQ(save(*s, wish("a.example")), domain_store::saved::yes);
    ASSERT_TRUE(s->keep_next("a.example", next()));
    auto row = after(*s, 0).at(0);
    EXPECT_EQ(row.next, next());
    EXPECT_EQ(row.looked_at, base::utc_seconds{});
    auto look = seen(10);
    look.changed = "from absent to protected";
    look.changed_at = at(10);
    ASSERT_TRUE(s->keep_look(look, "{}"));
    row = after(*s, 0).at(0);
    EXPECT_EQ(row.next, next());
    EXPECT_EQ(row.changed, "from absent to protected");
    ASSERT_TRUE(s->keep_look(seen(20, "broken"), "{}"));
    row = after(*s, 0).at(0);
    EXPECT_EQ(row.verdict, "broken");
    EXPECT_EQ(row.changed, "from absent to protected") << "what was said stays until something differs";
    EXPECT_EQ(row.changed_at, at(10));
    ASSERT_TRUE(s->keep_look(seen(15), "{}"));
    EXPECT_EQ(after(*s, 0).at(0).looked_at, at(20)) << "a late one is no step back";
    ASSERT_TRUE(s->keep_next("a.example", std::nullopt));
    EXPECT_FALSE(after(*s, 0).at(0).next);
}

TEST_P(showing, what_is_the_same_is_not_written) {
    const auto s = open();
    EXPECT_EQ(save(*s, wish("a.example")), domain_store::saved::yes);
    ASSERT_TRUE(s->keep_next("a.example", std::nullopt));
    EXPECT_THAT(after(*s, 0), IsEmpty()) << "nothing was known, and nothing is";
    ASSERT_TRUE(s->keep_next("a.example", next()));
    const auto change = after(*s, 0).at(0).change;
    ASSERT_TRUE(s->keep_next("a.example", next()));
    EXPECT_EQ(after(*s, 0).at(0).change, change);
}

TEST_P(showing, of_a_domain_that_is_not_looked_after_nothing_is_kept) {
    const auto s = open();
    ASSERT_TRUE(s->keep_look(seen(10), "{}"));
    ASSERT_TRUE(s->keep_next("a.example", next()));
    EXPECT_THAT(after(*s, 0), IsEmpty());
    EXPECT_EQ(save(*s, wish("a.example")), domain_store::saved::yes);
    ASSERT_TRUE(s->keep_look(seen(10), "{}"));
    EXPECT_EQ(s->remove("a.example", "anna", "", at(11)).value(), domain_store::saved::yes);
    EXPECT_THAT(after(*s, 0), IsEmpty());
    EXPECT_FALSE(*s->last_look("a.example"));
    EXPECT_EQ(save(*s, wish("a.example")), domain_store::saved::yes);
    EXPECT_THAT(after(*s, 0), IsEmpty()) << "it begins anew";
}

TEST_P(showing, texts_from_outside_are_cut_and_made_readable) {
    const auto s = open();
    EXPECT_EQ(save(*s, wish("a.example")), domain_store::saved::yes);
    auto look = seen(10, "two words");
    look.changed = std::string("a\0b\xff", 4) + std::string(5'000, 'x');
    ASSERT_TRUE(s->keep_look(look, "{}"));
    const auto row = after(*s, 0).at(0);
    EXPECT_EQ(row.verdict, "two-words");
    EXPECT_LT(row.changed.size(), 1'200u);
    EXPECT_THAT(row.changed, testing::StartsWith("a\\x00b\\xff"));
    EXPECT_FALSE(s->keep_look(seen(20), std::string((4u << 20) + 1, 'x')));
    EXPECT_FALSE(s->keep_next("no domain", next()));
}

} // namespace
} // namespace mailtight::store
