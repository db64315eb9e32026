// SPDX-License-Identifier: Apache-2.0
// Domains looked after, in both engines: written, read, changed by one at a time, listed in pages, and what
// is said about it all.
#include "unit/store/domain_fixture.h"

#include <gmock/gmock.h>

namespace mailtight::store {
namespace {
using namespace domain_tests;
using saved = domain_store::saved;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class domains : public domain_fixture {};
INSTANTIATE_TEST_SUITE_P(engines, domains, testing::Values(engine::sqlite, engine::postgres),
                         [](const auto& info) {
                             return info.param == engine::sqlite ? "sqlite" : "postgres";
                         });

TEST_P(domains, every_field_comes_back) {
    const auto s = open();
    for (auto value : {full_wish("full.example"), wish("plain.example")}) {
        EXPECT_EQ(save(*s, value, 5), saved::yes);
        value.added_at = value.changed_at = at(5);
        value.revision = 1;
        for (const auto& from : {s->find(value.domain), open()->find(value.domain)}) {
            ASSERT_TRUE(from) << from.error().message;
            ASSERT_TRUE(*from);
            EXPECT_EQ(**from, value);
        }
        EXPECT_EQ(s->list({.contains = value.domain})->at(0), value);
    }
    EXPECT_FALSE(*s->find("other.example"));
    EXPECT_EQ(*s->count(std::nullopt), 2u);
    EXPECT_EQ(*s->count("tenant 7"), 1u);
    EXPECT_EQ(*s->count(""), 1u);
}

TEST_P(domains, who_saw_an_old_revision_changes_nothing) {
    const auto one = open(), two = open();
    EXPECT_EQ(save(*one, wish("a.example")), saved::yes);
    EXPECT_EQ(save(*two, full_wish("a.example")), saved::exists);
    auto mine = **one->find("a.example"), theirs = **two->find("a.example");
    mine.aim = model::aim::enforce;
    EXPECT_EQ(save(*one, mine, 1), saved::yes);
    theirs.paused = true;
    EXPECT_EQ(save(*two, theirs, 2), saved::outdated);
    const auto now = **two->find("a.example");
    EXPECT_EQ(now.aim, model::aim::enforce);
    EXPECT_FALSE(now.paused);
    EXPECT_GT(now.revision, mine.revision);
    EXPECT_EQ(now.added_at, at(0));
    EXPECT_EQ(now.changed_at, at(1));
    theirs.domain = "never.example";
    EXPECT_EQ(save(*two, theirs), saved::absent);
}

TEST_P(domains, a_revision_never_comes_again) {
    const auto s = open();
    EXPECT_EQ(save(*s, wish("a.example")), saved::yes);
    auto old = **s->find("a.example");
    EXPECT_EQ(*s->remove("a.example", "anna", "", at(1)), saved::yes);
    EXPECT_EQ(*s->remove("a.example", "anna", "", at(1)), saved::absent);
    EXPECT_EQ(save(*s, wish("a.example")), saved::yes);
    old.paused = true;
    EXPECT_EQ(save(*s, old), saved::outdated);
    EXPECT_FALSE((*s->find("a.example"))->paused);
}

TEST_P(domains, each_changed_field_is_logged_with_old_and_new_text) {
    const auto s = open();
    EXPECT_EQ(save(*s, wish("a.example"), 1), saved::yes);
    auto value = **s->find("a.example");
    EXPECT_EQ(save(*s, value, 2), saved::yes); // nothing differs
    value.aim = model::aim::enforce;
    value.mx = {"mx1.example", "mx2.example"};
    EXPECT_EQ(save(*s, value, 3), saved::yes);
    EXPECT_EQ(*s->remove("a.example", "otto", "sold", at(4)), saved::yes);
    auto log = *s->changes("a.example", 0, 100);
    for (auto& each : log)
        each.number = 0;
    EXPECT_THAT(
        log, ElementsAre(
                 model::change_entry{
                     .at = at(4), .domain = "a.example", .who = "otto", .what = "removed", .why = "sold"},
                 model::change_entry{.at = at(3),
                                     .domain = "a.example",
                                     .who = "anna",
                                     .what = "set mx",
                                     .from = "",
                                     .to = "mx1.example, mx2.example",
                                     .why = "a reason"},
                 model::change_entry{.at = at(3),
                                     .domain = "a.example",
                                     .who = "anna",
                                     .what = "set mode",
                                     .from = "testing",
                                     .to = "enforce",
                                     .why = "a reason"},
                 model::change_entry{
                     .at = at(1), .domain = "a.example", .who = "anna", .what = "added", .why = "a reason"}));
}

TEST_P(domains, the_log_comes_in_pages_newest_first) {
    const auto s = open();
    for (int i = 0; i < 10; ++i)
        ASSERT_TRUE(s->log_change({.at = at(i),
                                   .domain = i % 2 == 0 ? "a.example" : "b.example",
                                   .who = "anna\x1b[0m",
                                   .what = "said " + std::to_string(i),
                                   .to = std::string("a\0b\xff", 4) + std::string(100'000, 'x')}));
    std::vector<std::string> seen;
    for (std::int64_t before = 0;;) {
        const auto page = *s->changes("a.example", before, 2);
        for (const auto& each : page) {
            seen.push_back(each.what);
            EXPECT_LT(each.to.size(), 5'000u);
        }
        if (page.empty())
            break;
        before = page.back().number;
    }
    EXPECT_THAT(seen, ElementsAre("said 8", "said 6", "said 4", "said 2", "said 0"));
    EXPECT_EQ(s->changes("", 0, 100)->size(), 10u);
    EXPECT_THAT(*s->changes("c.example", 0, 100), IsEmpty());
}

TEST_P(domains, lists_page_by_name_and_narrow) {
    const auto s = open();
    std::vector<model::looked_after> all;
    for (int i = 0; i < 10; ++i) {
        auto value = wish("d" + std::to_string(i) + (i % 2 == 0 ? ".example" : "_x.example"));
        value.owner = i < 5 ? "one" : "two";
        value.labels = {"all", i % 3 == 0 ? "third" : "other"};
        value.marks["m"] = {.at = at(i), .by = "anna", .text = ""};
        all.push_back(std::move(value));
    }
    EXPECT_EQ(*s->add_all(all, "anna", at(0)), 10u);
    EXPECT_EQ(*s->add_all(all, "anna", at(0)), 0u);
    EXPECT_EQ(s->changes("d1_x.example", 0, 9)->size(), 1u) << "what exists is left alone";
    EXPECT_THAT(names_of(*s->list({.limit = 3})), ElementsAre("d0.example", "d1_x.example", "d2.example"));
    EXPECT_THAT(names_of(*s->list({.after = "d2.example", .limit = 2})),
                ElementsAre("d3_x.example", "d4.example"));
    EXPECT_THAT(names_of(*s->list({.owner = "two", .label = "third"})),
                ElementsAre("d6.example", "d9_x.example"));
    EXPECT_THAT(names_of(*s->list({.owner = "one", .contains = "_X"})),
                ElementsAre("d1_x.example", "d3_x.example"));
    EXPECT_THAT(names_of(*s->list({.contains = "%"})), IsEmpty());
    EXPECT_EQ(s->list({.after = "d4"})->at(0).marks.at("m").at, at(4));
    EXPECT_EQ(*s->count("two"), 5u);

    auto changed = **s->find("d6.example");
    changed.labels = {"none"};
    EXPECT_EQ(save(*s, changed), saved::yes);
    EXPECT_THAT(names_of(*s->list({.label = "third"})),
                ElementsAre("d0.example", "d3_x.example", "d9_x.example"));
    EXPECT_THAT(names_of(*s->list({.label = "none"})), ElementsAre("d6.example"));
}

TEST_P(domains, whose_a_domain_was_is_known_when_it_is_gone) {
    const auto s = open();
    EXPECT_FALSE(s->last_owner("a.example")->known) << "never looked after";
    auto value = wish("a.example");
    value.owner = "ann";
    ASSERT_EQ(save(*s, value), saved::yes);
    ASSERT_EQ(*s->remove("a.example", "ann", "", at(2)), saved::yes);
    EXPECT_TRUE(s->last_owner("a.example")->known);
    EXPECT_EQ(s->last_owner("a.example")->owner, "ann");
    EXPECT_FALSE(s->last_owner("b.a.example")->known);
    value.owner = "bob";
    ASSERT_EQ(save(*s, value), saved::yes);
    ASSERT_EQ(*s->remove("a.example", "bob", "", at(3)), saved::yes);
    EXPECT_EQ(open()->last_owner("a.example")->owner, "bob") << "who had it last, for every machine";
    ASSERT_EQ(save(*s, wish("ours.example")), saved::yes);
    ASSERT_EQ(*s->remove("ours.example", "root", "", at(4)), saved::yes);
    EXPECT_TRUE(s->last_owner("ours.example")->known);
    EXPECT_EQ(s->last_owner("ours.example")->owner, "") << "the operator's";
    ASSERT_TRUE(s->log_change({.at = at(5), .domain = "old.example", .who = "x", .what = "removed"}));
    EXPECT_TRUE(s->last_owner("old.example")->known) << "removed before owners were written down";
    EXPECT_EQ(s->last_owner("old.example")->owner, "");
}

TEST_P(domains, marks_come_and_go_beside_the_revision) {
    const auto s = open();
    EXPECT_EQ(save(*s, full_wish("a.example")), saved::yes);
    auto seen = **s->find("a.example");
    ASSERT_TRUE(s->set_mark("a.example", "forced", {.at = at(9), .by = "otto", .text = "the boss said so"}));
    ASSERT_TRUE(s->clear_mark("a.example", "report-way"));
    seen.paused = false;
    EXPECT_EQ(save(*s, seen), saved::yes) << "a mark is no change of the wish";
    const auto now = **s->find("a.example");
    EXPECT_THAT(now.marks,
                ElementsAre(testing::Pair(
                    "forced", model::mark{.at = at(9), .by = "otto", .text = "the boss said so"})));
    EXPECT_EQ(*s->remove("a.example", "anna", "", at(0)), saved::yes);
    EXPECT_EQ(rows_of("domain_mark") + rows_of("domain_label"), 0);
}

TEST_P(domains, what_is_too_large_or_malformed_is_refused_and_named) {
    const auto s = open();
    struct bad {
        model::looked_after value;
        std::string why;
    };
    const auto with = [](auto change) {
        auto out = wish("a.example");
        change(out);
        return out;
    };
    using w = model::looked_after;
    for (const auto& [value, why] : {
             bad{wish(""), "domain name"},
             bad{wish("A.example"), "lower case"},
             bad{wish("a..example"), "domain name"},
             bad{wish("a.example."), "domain name"},
             bad{wish(std::string(64, 'a') + ".example"), "domain name"},
             bad{wish("b\xc3\xbc.example"), "A-label"},
             bad{wish("a.example\n"), "a.example\\n"},
             bad{with([](w& v) { v.owner = std::string(256, 'x'); }), "owner: 256 bytes; at most 255"},
             bad{with([](w& v) { v.owner = "a\nb"; }), "owner: a control character"},
             bad{with([](w& v) { v.labels = {"\xff"}; }), "label"},
             bad{with([](w& v) { v.labels = {""}; }), "label: an empty entry"},
             bad{with([](w& v) { v.mx.assign(257, "mx.example"); }), "mx: 257 entries; at most 256"},
             bad{with([](w& v) { v.rua = {std::string(1'001, 'x')}; }), "report address"},
             bad{with([](w& v) { v.max_age = 31'557'601; }), "max_age 31557601"},
             bad{with([](w& v) { v.marks[""] = {}; }), "mark"},
         }) {
        const auto refused = [&](const auto& done) {
            ASSERT_FALSE(done) << why;
            EXPECT_EQ(done.error().what, store_error::kind::wrong);
            EXPECT_FALSE(done.error().again());
            EXPECT_THAT(done.error().message, HasSubstr(why));
        };
        refused(s->save(value, "anna", "", at(0)));
        refused(s->add_all(std::span(&value, 1), "anna", at(0)));
    }
    EXPECT_EQ(*s->count(std::nullopt), 0u);
}

} // namespace
} // namespace mailtight::store
