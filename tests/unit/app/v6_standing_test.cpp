// SPDX-License-Identifier: Apache-2.0
#include "app/v6_standing.h"

#include "support/fixed_resolver.h"

#include <gtest/gtest.h>

namespace mailtight::app {
namespace {

const auto source = *base::ip_address::parse("2600:db8::25");

struct table final : tests::fixed_resolver {
    std::vector<std::string> names;
    io::task<model::ptr_fact> ptr(base::ip_address) override {
        model::ptr_fact fact;
        fact.status = names.empty() ? model::dns_status::nx_domain : model::dns_status::ok;
        fact.hosts = names;
        co_return fact;
    }
};

v6_facts look(table& dns) {
    io::loop on;
    return on.block_on(look_at_v6(dns, source, "sender.example"));
}

TEST(v6_standing, all_that_receivers_ask_for_is_there) {
    table dns;
    dns.names = {"other.sender.example", "out.sender.example"};
    dns.hosts["other.sender.example"] = {*base::ip_address::parse("2600:db8::99")};
    dns.hosts["out.sender.example"] = {source};
    dns.every_text = "v=spf1 ip6:2600:db8::/64 -all";
    const auto seen = look(dns);
    EXPECT_TRUE(fits(seen));
    EXPECT_EQ(seen.confirmed, "out.sender.example");
    EXPECT_EQ(judge_v6(seen, "sender.example").result, check_row::state::good);
}

TEST(v6_standing, what_is_missing_is_named_with_its_mend) {
    table dns;
    dns.every_text = "v=spf1 ip4:192.0.2.1 -all";
    auto row = judge_v6(look(dns), "sender.example");
    EXPECT_EQ(row.result, check_row::state::unknown);
    EXPECT_NE(row.seen.find("has no name (PTR)"), std::string::npos) << row.seen;
    EXPECT_NE(row.seen.find("SPF of sender.example says fail"), std::string::npos) << row.seen;
    EXPECT_NE(row.fix.find("Add ip6:2600:db8::25 to the SPF record"), std::string::npos) << row.fix;

    dns.names = {"out.sender.example"}; // a name that is somebody else's
    dns.every_text = "v=spf1 ip6:2600:db8::25 -all";
    const auto seen = look(dns);
    EXPECT_FALSE(fits(seen));
    row = judge_v6(seen, "sender.example");
    EXPECT_NE(row.seen.find("does not have the address"), std::string::npos) << row.seen;
    EXPECT_EQ(row.seen.find("SPF"), std::string::npos) << row.seen;
}

TEST(v6_standing, a_host_without_it_has_nothing_to_mend) {
    EXPECT_FALSE(fits({}));
    EXPECT_EQ(judge_v6({}, "sender.example").result, check_row::state::good);
    v6_facts inside{.source = base::ip_address::parse("fd00::1"), .names = {}, .confirmed = {}, .spf = {}};
    EXPECT_NE(judge_v6(inside, "sender.example").seen.find("no global address"), std::string::npos);
}

} // namespace
} // namespace mailtight::app
