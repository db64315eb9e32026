// SPDX-License-Identifier: Apache-2.0
#include "app/stored_pages.h"
#include "store/sqlite/engine.h"
#include "support/policies.h"
#include "support/scratch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace mailtight::app {
namespace {

using testing::ElementsAre;

void fill(const std::string& place, const std::vector<std::string>& domains) {
    const auto into = store::open_policies({.where = place}).value();
    for (const auto& domain : domains) {
        const auto one = tests::held_policy(domain, 1);
        ASSERT_TRUE(into->put(std::span(&one, 1)));
    }
}
std::vector<std::string> names(const api::stored_page& of) {
    std::vector<std::string> out;
    for (const auto& row : of.rows)
        out.push_back(row.domain);
    return out;
}

TEST(stored_pages, go_on_behind_a_name_and_say_whether_there_is_more) {
    const tests::scratch_folder folder;
    fill(folder / "store.db", {"a.example", "b.example", "c.example"});
    io::loop loop;
    stored_pages pages(loop, folder / "store.db");
    auto page = loop.block_on(pages.page("", 2));
    ASSERT_TRUE(page);
    EXPECT_THAT(names(*page), ElementsAre("a.example", "b.example"));
    EXPECT_TRUE(page->more);
    page = loop.block_on(pages.page("b.example", 2));
    ASSERT_TRUE(page);
    EXPECT_THAT(names(*page), ElementsAre("c.example"));
    EXPECT_FALSE(page->more);
    page = loop.block_on(pages.page("c.example", 1));
    ASSERT_TRUE(page);
    EXPECT_TRUE(page->rows.empty());
    EXPECT_FALSE(page->more);
}

TEST(stored_pages, come_again_when_the_database_does) {
    const tests::scratch_folder folder;
    const std::string place = folder / "store.db";
    io::loop loop;
    stored_pages pages(loop, place);
    EXPECT_FALSE(loop.block_on(pages.page("", 2))); // not there yet
    EXPECT_FALSE(std::filesystem::exists(place));   // and reading makes none
    fill(place, {"a.example"});
    ASSERT_TRUE(loop.block_on(pages.page("", 2)));
    // The database under the connection is broken, then another one is put in its place.
    {
        const auto on = store::sqlite::connect({.where = place});
        on->begin(store::sql::access::write);
        on->run("drop table sending_policy");
        on->commit();
    }
    EXPECT_FALSE(loop.block_on(pages.page("", 2)));
    for (const auto* end : {"", "-wal", "-shm"})
        std::filesystem::remove(place + end);
    fill(place, {"b.example"});
    const auto page = loop.block_on(pages.page("", 2));
    ASSERT_TRUE(page) << page.error().message;
    EXPECT_THAT(names(*page), ElementsAre("b.example"));
}

} // namespace
} // namespace mailtight::app
