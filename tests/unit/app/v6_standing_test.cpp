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
    EXPECT_EQ(judge_v6(seen, "sender.example", true).result, check_row::state::good);
}

TEST(v6_standing, what_is_missing_is_named_with_its_mend) {
    table dns;
    dns.every_text = "v=spf1 ip4:192.0.2.1 -all";
    auto row = judge_v6(look(dns), "sender.example", true);
    EXPECT_EQ(row.result, check_row::state::unknown);
    EXPECT_NE(row.seen.find("has no name (PTR)"), std::string::npos) << row.seen;
    EXPECT_NE(row.seen.find("SPF of sender.example says fail"), std::string::npos) << row.seen;
    EXPECT_NE(row.fix.find("Add ip6:2600:db8::25 to the SPF record"), std::string::npos) << row.fix;

    dns.names = {"out.sender.example"}; // a name that is somebody else's
    dns.every_text = "v=spf1 ip6:2600:db8::25 -all";
    const auto seen = look(dns);
    EXPECT_FALSE(fits(seen));
    row = judge_v6(seen, "sender.example", true);
    EXPECT_NE(row.seen.find("does not have the address"), std::string::npos) << row.seen;
    EXPECT_EQ(row.seen.find("SPF"), std::string::npos) << row.seen;
}

TEST(v6_standing, a_host_without_it_has_nothing_to_mend) {
    EXPECT_FALSE(fits({}));
    EXPECT_EQ(judge_v6({}, "sender.example", true).result, check_row::state::good);
    v6_facts inside{.source = base::ip_address::parse("fd00::1"), .names = {}, .confirmed = {}, .spf = {}};
    EXPECT_NE(judge_v6(inside, "sender.example", true).seen.find("no global address"), std::string::npos);
}

TEST(v6_standing, who_chooses_the_family_is_said) {
    const v6_facts seen{.source = source, .names = {}, .confirmed = {}, .spf = "none"};
    EXPECT_NE(judge_v6(seen, "sender.example", true).seen.find("go over IPv4 first"), std::string::npos);
    EXPECT_NE(judge_v6(seen, "sender.example", false).seen.find("your mail server"), std::string::npos);
    EXPECT_EQ(io::families_for(model::address_family::any, true), io::families::any);
    EXPECT_EQ(io::families_for(model::address_family::any, false), io::families::v4_first);
    EXPECT_EQ(io::families_for(model::address_family::v4, true), io::families::v4_only)
        << "it was refused over IPv6 before";
}

TEST(v6_standing, one_look_an_hour_however_many_ask) {
    struct counting final : table {
        unsigned asked = 0;
        io::task<model::ptr_fact> ptr(base::ip_address of) override {
            ++asked;
            co_await loop->sleep_for(std::chrono::milliseconds(5));
            co_return co_await table::ptr(of);
        }
        io::loop* loop = nullptr;
    };
    io::loop on;
    counting dns;
    dns.loop = &on;
    dns.names = {"out.sender.example"};
    dns.hosts["out.sender.example"] = {source};
    dns.every_text = "v=spf1 ip6:2600:db8::/64 -all";
    v6_memory memory(on, dns, "sender.example", [] { return std::optional(source); });
    const auto both = [&]() -> io::task<bool> {
        auto one = io::start(on, memory.fit());
        auto two = io::start(on, memory.fit());
        const bool first = co_await one.get();
        const bool second = co_await two.get();
        co_return first&& second;
    };
    EXPECT_TRUE(on.block_on(both()));
    dns.names.clear(); // noticed with the next look
    EXPECT_TRUE(on.block_on(memory.fit()));
    EXPECT_EQ(dns.asked, 1u);
    v6_memory later(on, dns, "sender.example", [] { return std::optional(source); });
    EXPECT_FALSE(on.block_on(later.fit()));
}

} // namespace
} // namespace mailtight::app
