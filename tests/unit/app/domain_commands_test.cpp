// SPDX-License-Identifier: Apache-2.0
// domain add and domain list as they are typed: what a table may hold, and what is said of a wrong one.
#include "app/domain_access.h"
#include "app/publish_commands.h"
#include "app/store_access.h"
#include "typed_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class domain_commands : public typed_command {
protected:
    said add_table(const std::string& text, std::vector<std::string> names = {}) {
        const auto place = file("domains.csv", text);
        return run([&] { return cmd_domain_add(common_, {.names = std::move(names), .csv = place}); });
    }
    said list(domain_options which = {}) {
        return run([&] { return cmd_domain_list(common_, which); });
    }
};

TEST_F(domain_commands, a_mistake_in_one_row_rejects_the_whole_table) {
    struct bad {
        const char* text;
        const char* says;
    };
    const bad rows[] = {
        {"domain\nexample.com\nbad..name\n", "row 3: 'bad..name'"},
        {"domain,mode\nexample.com,testing\nexample.org,sometimes\n", "row 3: --mode 'sometimes'"},
        // Which of the two was meant, nobody knows.
        {"domain,mode\nexample.com,testing\nexample.org,\nExample.COM.,enforce\n",
         "row 4: example.com stands in row 2 already"},
        {"domain,like\nexample.com,example.org\nexample.org,\n", "no row above adds it"},
    };
    for (const auto& row : rows) {
        const auto said = add_table(row.text);
        EXPECT_EQ(said.status, wrong_usage) << row.text;
        EXPECT_THAT(said.err, AllOf(HasSubstr("domains.csv, "), HasSubstr(row.says)));
        EXPECT_THAT(list().out, HasSubstr("No domain is looked after yet")) << row.text;
    }
    EXPECT_THAT(add_table("domain\nexample.com\n", {"example.com"}).err,
                HasSubstr("example.com is named on the command line, too"));
}

TEST_F(domain_commands, a_table_may_grow_and_its_rows_be_like_those_above) {
    const std::string first = "domain,mode,labels,like\nexample.com,enforce,gold,\n";
    EXPECT_EQ(add_table(first).status, fine);
    const auto again = add_table(first + "example.org,testing,,\nexample.net,,,example.org\n");
    EXPECT_EQ(again.status, fine);
    EXPECT_THAT(again.out, AllOf(HasSubstr("example.com: is looked after already"),
                                 HasSubstr("example.org: testing"), HasSubstr("example.net: testing")));
    EXPECT_THAT(add_table("domain,mode\n").out, HasSubstr("0 domains added")) << "never without a word";
}

TEST_F(domain_commands, a_list_by_state_takes_the_words_of_states_alone) {
    ASSERT_EQ(add_table("domain\nexample.com\n").status, fine);
    EXPECT_THAT(list({.state = "unseen"}).out, HasSubstr("example.com"));
    EXPECT_THAT(list({.state = "broken"}).out, Not(HasSubstr("example.com")));
    const auto wrong = list({.state = "brocken"});
    EXPECT_EQ(wrong.status, wrong_usage);
    EXPECT_THAT(wrong.err, AllOf(HasSubstr("--state takes protected,"), HasSubstr("not 'brocken'")));
}

TEST_F(domain_commands, a_place_that_cannot_be_is_told_as_such) {
    common_.set.store_where = "/proc/mailtight/store.db"; // not even root makes a folder there
    const auto made = prepare_place(common_.set.store_where);
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error(), HasSubstr("the folder of the store does not exist and cannot be made: "
                                        "/proc/mailtight"));
    const auto lock = write_lock::take(common_.set);
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error(), made.error()) << "serve says the same as domain add";
}

} // namespace
} // namespace mailtight::app
