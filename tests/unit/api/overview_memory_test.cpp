// SPDX-License-Identifier: Apache-2.0
// The table in memory follows the databases: after any series of changes it is what a reading of everything
// gives, and it gets there without reading everything.
#include "api/overview_memory.h"
#include "support/reports.h"
#include "support/scratch.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace mailtight::api {
namespace {

using namespace std::chrono_literals;

const std::chrono::sys_days today = std::chrono::year(2026) / 5 / 20;
const base::utc_seconds now = today + 12h;

class overview_memory_test : public testing::Test {
protected:
    overview_memory_test()
        : domains_(store::open_domains({.where = folder_ / "store.db"}).value())
        , reports_(store::open({.where = folder_ / "store.db"}).value()) {}

    void add(const std::string& domain, const std::string& owner = "") {
        model::looked_after wish;
        wish.domain = domain;
        wish.owner = owner;
        ASSERT_EQ(domains_->save(wish, "ann", "", now).value(), store::domain_store::saved::yes);
        ASSERT_TRUE(reports_->add_domains(std::span(&domain, 1), now));
    }
    void look(const std::string& domain, const std::string& verdict, std::chrono::seconds later = 0s) {
        model::shown seen;
        seen.domain = domain;
        seen.looked_at = now + later;
        seen.verdict = verdict;
        seen.parts = {"valid", "valid", "valid", "valid"};
        ASSERT_TRUE(domains_->keep_look(seen, "{}"));
    }
    void report(const std::string& id, const std::string& domain, unsigned day, std::uint64_t success) {
        auto made = tests::report(id, domain, day, success, 0);
        const auto done = reports_->add(std::span(&made, 1));
        ASSERT_TRUE(done);
        ASSERT_EQ(done->at(0).what, store::add_outcome::fate::added);
    }
    const overview_rows& refresh() {
        rows_ = memory_.refresh(*domains_, reports_.get(), today).value();
        return *rows_;
    }
    const overview_row* find(const std::string& domain) {
        const auto& rows = refresh();
        const auto found = std::ranges::find(rows, domain, [](const auto& row) { return row->domain; });
        return found == rows.end() ? nullptr : found->get();
    }

    tests::scratch_folder folder_;
    std::unique_ptr<store::domain_store> domains_;
    std::unique_ptr<store::store> reports_;
    overview_memory memory_;
    std::shared_ptr<const overview_rows> rows_;
};

TEST_F(overview_memory_test, an_empty_database_is_an_empty_table) {
    EXPECT_TRUE(refresh().empty());
    EXPECT_TRUE(memory_.refresh(*domains_, nullptr, today).value()->empty()) << "and no reports are kept";
}

TEST_F(overview_memory_test, what_changes_is_read_and_nothing_else) {
    for (int i = 0; i < 50; ++i)
        add(fmt::format("d{:02}.example", i));
    EXPECT_EQ(refresh().size(), 50u);
    const auto before = memory_.counted();
    EXPECT_EQ(before.whole, 1u);
    const auto rows = rows_;
    refresh();
    EXPECT_EQ(rows, rows_) << "nothing changed: the same table";

    add("new.example", "bob");
    EXPECT_EQ(find("new.example")->owner, "bob");
    look("d07.example", "testing");
    EXPECT_EQ(find("d07.example")->verdict, "testing");
    look("d07.example", "protected", 1s);
    EXPECT_EQ(find("d07.example")->verdict, "protected");
    ASSERT_TRUE(domains_->keep_next(
        "d07.example", model::next_step{.kind = "wait", .title = "Wait", .state = "waiting", .by = "us"}));
    EXPECT_EQ(find("d07.example")->next->title, "Wait");
    report("r1", "d08.example", 19, 7);
    EXPECT_EQ(find("d08.example")->sessions.success, 7u);
    EXPECT_EQ(find("d08.example")->series.at(overview_days - 2).success, 7u);
    auto wish = domains_->find("d09.example").value().value();
    wish.labels = {"gold"};
    ASSERT_EQ(domains_->save(wish, "ann", "", now).value(), store::domain_store::saved::yes);
    EXPECT_THAT(find("d09.example")->labels, testing::ElementsAre("gold"));
    ASSERT_EQ(domains_->remove("d10.example", "ann", "", now).value(), store::domain_store::saved::yes);
    EXPECT_EQ(find("d10.example"), nullptr);
    EXPECT_EQ(find("d08.example")->sessions.success, 7u) << "its days stay";
    EXPECT_EQ(memory_.counted().whole, 1u) << "everything was read once";
    EXPECT_LE(memory_.counted().rows - before.rows, 10u);
}

TEST_F(overview_memory_test, a_domain_that_comes_back_shows_nothing_of_its_first_life) {
    add("a.example");
    look("a.example", "broken");
    EXPECT_EQ(find("a.example")->verdict, "broken");
    ASSERT_EQ(domains_->remove("a.example", "ann", "", now).value(), store::domain_store::saved::yes);
    add("a.example");
    EXPECT_EQ(find("a.example")->verdict, "unseen");
}

TEST_F(overview_memory_test, days_before_the_window_and_of_other_domains_do_not_count) {
    add("a.example");
    auto old = tests::report("r1", "a.example", 1, 5, 0);
    old.report.start = now - 24h * 60;
    old.report.end = *old.report.start + 24h;
    ASSERT_TRUE(reports_->add(std::span(&old, 1)));
    report("r2", "a.example", 20, 3);
    EXPECT_EQ(find("a.example")->sessions.success, 3u);
    EXPECT_EQ(find("a.example")->series.back().success, 3u);
    // A day later the window has moved on.
    rows_ = memory_.refresh(*domains_, reports_.get(), today + std::chrono::days(1)).value();
    EXPECT_EQ(rows_->at(0)->series.at(overview_days - 2).success, 3u);
}

TEST_F(overview_memory_test, a_domain_of_ours_that_becomes_known_later_takes_its_reports_with_it) {
    add("a.example");
    auto early = tests::report("r1", "late.example", 18, 9, 0);
    ASSERT_TRUE(reports_->add(std::span(&early, 1)));
    refresh();
    add("late.example"); // its reports count from now on
    EXPECT_EQ(find("late.example")->sessions.success, 9u);
}

TEST_F(overview_memory_test, thousands_of_changes_at_once_are_one_reading) {
    add("a.example");
    refresh();
    std::vector<model::looked_after> many(3'000);
    for (std::size_t i = 0; i < many.size(); ++i)
        many[i].domain = fmt::format("m{:05}.example", i);
    ASSERT_EQ(domains_->add_all(many, "ann", now).value(), many.size());
    EXPECT_EQ(refresh().size(), many.size() + 1);
    EXPECT_EQ(memory_.counted().whole, 2u);
    EXPECT_TRUE(std::ranges::is_sorted(*rows_, {}, [](const auto& row) { return row->domain; }));
}

} // namespace
} // namespace mailtight::api
