// SPDX-License-Identifier: Apache-2.0
// What a zone that is made to keep us busy may cost: as many names and addresses as its owner likes, and a
// look that is done all the same.
#include "base/limits.h"
#include "observe/observe.h"
#include "support/fixed_resolver.h"
#include "unit/probe/probe_world.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace mailtight::tests {
namespace {

class endless_zone final : public fixed_resolver {
public:
    std::size_t servers_looked_up = 0;

    io::task<model::dns_fact> soa(std::string) override {
        model::dns_fact fact;
        fact.status = model::dns_status::ok;
        fact.name = "evil.example";
        co_return fact;
    }
    io::task<model::ns_fact> ns(std::string) override {
        model::ns_fact fact;
        fact.status = model::dns_status::ok;
        for (int i = 0; i < 1000; ++i)
            fact.hosts.push_back(fmt::format("ns{}.evil.example", i));
        co_return fact;
    }
    io::task<model::address_fact> addresses(std::string name) override {
        model::address_fact fact;
        if (name.starts_with("ns")) { // not answered
            ++servers_looked_up;
            fact.a.status = fact.aaaa.status = model::dns_status::timeout;
            co_return fact;
        }
        fact.a.status = model::dns_status::ok;
        for (int i = 0; i < 1000; ++i) // none that may be connected to
            fact.addresses.push_back(*base::ip_address::parse(fmt::format("10.0.{}.{}", i / 250, i % 250)));
        co_return fact;
    }
};

TEST(hostile_zone, what_is_looked_up_and_connected_to_is_bounded) {
    world on;
    endless_zone dns;
    dns.every_text = "v=STSv1; id=1";
    observe::observer looks(on.loop, dns, on.context(), {.smtp = false});
    const auto seen = on.loop.block_on(looks.look("evil.example", "evil.example"));
    EXPECT_EQ(seen.zone_ns.hosts.size(), 1000U) << "all are told";
    EXPECT_EQ(dns.servers_looked_up, 16U);
    EXPECT_EQ(seen.policy_host.addresses.size(), base::limits::addresses_per_host);
    EXPECT_EQ(seen.fetches.size(), base::limits::addresses_per_host);
    EXPECT_TRUE(seen.policy_host_sibling.addresses == seen.policy_host.addresses)
        << "a wildcard is still known as one";
}

} // namespace
} // namespace mailtight::tests
