// SPDX-License-Identifier: Apache-2.0
// The records of a domain that is looked after: what was said of it and what is served, and nothing guessed.
#include "app/dns_wish.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::tests {
namespace {

using testing::ElementsAre;

app::publish_settings configured() {
    app::publish_settings made;
    made.policy_host = "policy.example.net";
    made.rua = {"mailto:all@reports.example"};
    return made;
}
std::vector<std::string> addresses(const advise::suggestion_options& of) {
    std::vector<std::string> out;
    for (const auto& uri : of.rua)
        out.push_back(uri.text);
    return out;
}

TEST(dns_wish, the_domain_s_own_word_comes_before_the_configuration) {
    model::looked_after wish{.domain = "example.com"};
    auto made = app::wished_records(wish, {}, configured(), {"mailto:other@example.com"});
    EXPECT_EQ(made.policy_host, "policy.example.net");
    EXPECT_THAT(addresses(made), ElementsAre("mailto:all@reports.example"));
    EXPECT_THAT(addresses(app::wished_records(wish, {}, {}, {"mailto:other@example.com"})),
                ElementsAre("mailto:other@example.com"));
    wish.policy_host = "192.0.2.7";
    wish.rua = {"mailto:own@example.com"};
    made = app::wished_records(wish, {}, configured(), {});
    EXPECT_EQ(made.policy_host, "192.0.2.7");
    EXPECT_THAT(addresses(made), ElementsAre("mailto:own@example.com"));
}

TEST(dns_wish, nobody_else_s_web_server_is_taken_for_ours) {
    const model::looked_after wish{.domain = "example.com", .host = model::hosting::elsewhere};
    EXPECT_EQ(app::wished_records(wish, {}, configured(), {}).policy_host, "");
}

TEST(dns_wish, the_record_announces_what_is_served_and_never_more) {
    model::looked_after wish{.domain = "example.com", .aim = model::aim::enforce};
    EXPECT_EQ(app::wished_records(wish, {}, configured(), {}).mode, sts::mode::testing)
        << "enforce comes by way of testing";
    const model::publication served{
        .domain = "example.com",
        .body = "version: STSv1\r\nmode: enforce\r\nmx: mx.example.com\r\nmax_age: 604800\r\n",
        .id = "20260504100000"};
    const auto made = app::wished_records(wish, served, configured(), {});
    EXPECT_EQ(made.mode, sts::mode::enforce);
    EXPECT_EQ(made.id, "20260504100000");
    EXPECT_EQ(made.max_age, 604'800u);
    EXPECT_THAT(made.mx, ElementsAre("mx.example.com"));
    wish.aim = model::aim::off;
    EXPECT_EQ(app::wished_records(wish, model::publication{}, configured(), {}).mode, sts::mode::none);
}

} // namespace
} // namespace mailtight::tests
