// SPDX-License-Identifier: Apache-2.0
// What a person wants of a domain: words on a command line and cells of a table mean the same, and what means
// nothing is told with what would.
#include "app/domain_wish.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

app::publish_settings with_server() {
    app::publish_settings made;
    made.servers.push_back({.name = "knot", .address = {}, .zone = {}, .key = {}});
    return made;
}

model::looked_after good(const app::domain_wishes& said) {
    auto made = app::new_domain("example.com", said, with_server(), base::utc_seconds{});
    EXPECT_TRUE(made.has_value()) << made.error();
    return made.value_or(model::looked_after{});
}

TEST(domain_wish, words_become_what_is_wanted) {
    app::domain_wishes said;
    said.mode = "Enforce";
    said.max_age = "1209600";
    said.mx = {"MX1.Example.com", "*.mail.example.com", "mx1.example.com."};
    said.rua = {"tls@example.com"};
    said.hosting = "elsewhere";
    said.dns = "update:knot";
    said.leave = "all";
    said.owner = "tenant";
    said.labels = {"b", "a", "b"};
    said.policy_host = "192.0.2.1";
    const auto made = good(said);
    EXPECT_EQ(made.aim, model::aim::enforce);
    EXPECT_EQ(made.max_age, 1'209'600u);
    EXPECT_THAT(made.mx, ElementsAre("mx1.example.com", "*.mail.example.com"));
    EXPECT_THAT(made.rua, ElementsAre("mailto:tls@example.com"));
    EXPECT_EQ(made.host, model::hosting::elsewhere);
    EXPECT_EQ(made.dns, model::dns_way::update);
    EXPECT_EQ(made.dns_server, "knot");
    EXPECT_EQ(made.leave, model::leave::all);
    EXPECT_EQ(made.owner, "tenant");
    EXPECT_THAT(made.labels, ElementsAre("a", "b"));
    EXPECT_EQ(made.policy_host, "192.0.2.1");
}

TEST(domain_wish, a_word_of_its_own_goes_back_to_what_is_configured) {
    auto domain = good({.mode = "enforce",
                        .max_age = "86400",
                        .mx = {"mx.example.com"},
                        .rua = {"tls@example.com"},
                        .owner = "tenant",
                        .policy_host = "web.example.com",
                        .labels = {"x", "y"}});
    ASSERT_TRUE(app::apply({.mode = "none",
                            .max_age = "ladder",
                            .mx = {"follow"},
                            .rua = {"default"},
                            .owner = "none",
                            .policy_host = "default",
                            .labels = {"-x"}},
                           domain, with_server()));
    EXPECT_EQ(domain.aim, model::aim::off);
    EXPECT_FALSE(domain.max_age);
    EXPECT_TRUE(domain.mx.empty());
    EXPECT_TRUE(domain.rua.empty());
    EXPECT_EQ(domain.owner, "");
    EXPECT_EQ(domain.policy_host, "");
    EXPECT_THAT(domain.labels, ElementsAre("y"));
}

TEST(domain_wish, what_means_nothing_is_told_with_what_would) {
    struct bad {
        app::domain_wishes said;
        const char* says;
    };
    const bad rows[] = {
        {{.mode = "strict"}, "--mode 'strict': it takes testing, enforce or off"},
        {{.max_age = "0"}, "--max-age"},
        {{.max_age = "31557601"}, "31557600"},
        {{.max_age = "1w"}, "seconds"},
        {{.mx = {"mx.*.example.com"}}, "--mx"},
        {{.mx = {"192.0.2.1"}}, "--mx"},
        {{.mx = {"follow", "mx.example.com"}}, "--mx 'follow'"},
        {{.rua = {"http://example.com/"}}, "--rua"},
        {{.hosting = "there"}, "here, proxied, elsewhere or delegated"},
        {{.dns = "update:bind"}, "dns-update.servers knows knot"},
        {{.dns = "hook"}, "dns-update.hook"},
        {{.dns = "hand:x"}, "--dns"},
        {{.leave = "some"}, "nothing, records or all"},
        {{.policy_host = "localhost"}, "--policy-host"},
        {{.sts_target = "192.0.2.1"}, "--sts-target"},
        {{.owner = "\x1b[2J"}, "--owner"},
        {{.owner = std::string(254, 'a')}, "--owner"},
        {{.labels = {"two words"}}, "--label"},
        {{.pause = true, .resume = true}, "exclude each other"},
    };
    for (const auto& row : rows) {
        const auto made = app::new_domain("example.com", row.said, with_server(), base::utc_seconds{});
        ASSERT_FALSE(made.has_value()) << row.says;
        EXPECT_THAT(made.error(), HasSubstr(row.says));
    }
}

TEST(domain_wish, who_hosts_where_nobody_said) {
    auto with = with_server();
    EXPECT_EQ(good({}).host, model::hosting::elsewhere)
        << "no policy host is configured: nothing could point here";
    EXPECT_EQ(good({.policy_host = "192.0.2.1"}).host, model::hosting::here);
    EXPECT_EQ(good({.hosting = "here"}).host, model::hosting::here);
    with.policy_host = "mta-sts.example.net";
    EXPECT_EQ(app::new_domain("example.com", {}, with, base::utc_seconds{})->host, model::hosting::here);
}

TEST(domain_wish, a_table_is_read_as_spreadsheets_write_it) {
    const auto rows = app::read_domain_csv("\xef\xbb\xbf"
                                           "Domain,mode,MX,labels,policy-host\r\n"
                                           "example.com,enforce,\"mx1.example.com mx2.example.com\",a b,\r\n"
                                           "\r\n"
                                           "example.org,,follow,\"\",\"web.example.org\"\n");
    ASSERT_TRUE(rows.has_value()) << rows.error();
    ASSERT_EQ(rows->size(), 2u);
    EXPECT_EQ((*rows)[0].name, "example.com");
    EXPECT_EQ((*rows)[0].wishes.mode, "enforce");
    EXPECT_THAT((*rows)[0].wishes.mx, ElementsAre("mx1.example.com", "mx2.example.com"));
    EXPECT_THAT((*rows)[0].wishes.labels, ElementsAre("a", "b"));
    EXPECT_EQ((*rows)[1].name, "example.org");
    EXPECT_THAT((*rows)[1].wishes.mx, ElementsAre("follow"));
    EXPECT_EQ((*rows)[1].wishes.policy_host, "web.example.org");
}

TEST(domain_wish, a_table_that_is_none_is_told_where) {
    struct bad {
        const char* text;
        const char* says;
    };
    const bad rows[] = {{"", "empty"},
                        {"mode\ntesting\n", "no column domain"},
                        {"domain,mods\n", "did you mean mode"},
                        {"domain;mode\nexample.com;enforce\n", "separated by commas"},
                        {"domain\tmode\nexample.com\tenforce\n", "separated by commas"},
                        {"example.com,enforce\n", "the first line names the columns: domain, mode, max_age"},
                        {"domain\nexample.com,enforce\n", "row 2 has more cells"},
                        {"domain,Domain\n", "two columns 'domain'"},
                        {"domain\n\"example.com\n", "quote is not closed"}};
    for (const auto& row : rows) {
        const auto read = app::read_domain_csv(row.text);
        ASSERT_FALSE(read.has_value()) << row.text;
        EXPECT_THAT(read.error(), HasSubstr(row.says));
    }
    // A hundred bytes of memory for each of the table's are not to be had.
    const auto wide = app::read_domain_csv("domain\n" + std::string(1'000'000, ','));
    ASSERT_FALSE(wide.has_value());
    EXPECT_THAT(wide.error(), HasSubstr("line 2: more than 64 cells"));
    EXPECT_FALSE(app::csv_rows(std::string(64, ',')).has_value()) << "65, and no line end behind them";
    EXPECT_TRUE(app::csv_rows(std::string(63, ',')).has_value());
    std::string rows_of_one = "domain\n";
    for (int i = 0; i < 2'000'001; ++i)
        rows_of_one += "a\n";
    const auto long_one = app::read_domain_csv(rows_of_one);
    ASSERT_FALSE(long_one.has_value());
    EXPECT_THAT(long_one.error(), HasSubstr("more than 2000000 rows"));
}

} // namespace
} // namespace mailtight::tests
