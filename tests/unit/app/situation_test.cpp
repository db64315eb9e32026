// SPDX-License-Identifier: Apache-2.0
// What a look tells the planner: what was seen is told as it is, and what was not seen stays unknown.
#include "app/situation_of.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::tests {
namespace {

using testing::HasSubstr;
using what = plan::record_seen::what;

constexpr std::string_view body =
    "version: STSv1\r\nmode: testing\r\nmx: mx.example.com\r\nmax_age: 604800\r\n";
const base::utc_seconds now{std::chrono::seconds(1'800'000'000)};

model::fetch_fact fetched(std::string_view address, std::string_view text = body) {
    model::fetch_fact fetch;
    fetch.address = *base::ip_address::parse(address);
    fetch.outcome = model::fetch_outcome::fetched;
    fetch.connect = model::connect_outcome::connected;
    fetch.tls.outcome = model::handshake_outcome::completed;
    fetch.status = 200;
    fetch.content_type = "text/plain";
    fetch.body = text;
    return fetch;
}

model::observation published() {
    model::observation seen;
    seen.domain = "example.com";
    seen.sts_txt.status = model::dns_status::ok;
    seen.sts_txt.texts = {"v=STSv1; id=1", "something else"};
    seen.sts_txt.ttl = 300;
    seen.policy_host.a.status = model::dns_status::ok;
    seen.policy_host.addresses = {*base::ip_address::parse("192.0.2.1")};
    seen.fetches = {fetched("192.0.2.1")};
    return seen;
}

plan::situation look(const model::observation& seen, const app::our_place& ours = {}) {
    return app::situation_of(seen, advise::judge(seen), ours, now);
}

TEST(situation, a_record_and_a_policy_are_told_as_they_are) {
    const auto told = look(published());
    EXPECT_EQ(told.looked_at, now);
    EXPECT_EQ(told.sts.state, what::one);
    EXPECT_EQ(told.sts.id, "1");
    EXPECT_EQ(told.sts.ttl, 300u);
    EXPECT_EQ(told.sts.foreign, 1u);
    EXPECT_TRUE(told.policy_known);
    EXPECT_EQ(told.policy, body);
    EXPECT_EQ(told.policy_fault, "");
    EXPECT_EQ(told.certificate_valid, true);
}

TEST(situation, what_dns_did_not_say_is_unknown_and_not_absent) {
    auto seen = published();
    seen.sts_txt = {};
    seen.sts_txt.status = model::dns_status::servfail;
    seen.policy_host = {};
    seen.policy_host.a.status = seen.policy_host.aaaa.status = model::dns_status::timeout;
    seen.fetches.clear();
    const auto told = look(seen);
    EXPECT_EQ(told.sts.state, what::unknown);
    EXPECT_FALSE(told.policy_known);
    EXPECT_FALSE(told.mx_known);
    seen.sts_txt.status = seen.policy_host.a.status = seen.policy_host.aaaa.status =
        model::dns_status::nx_domain;
    EXPECT_EQ(look(seen).sts.state, what::absent);
    EXPECT_TRUE(look(seen).policy_known);
    EXPECT_EQ(look(seen).policy, std::nullopt);
}

TEST(situation, the_servers_know_before_any_cache_and_may_disagree) {
    auto seen = published();
    model::server_answer first, second;
    first.status = second.status = model::dns_status::ok;
    first.texts = second.texts = {"v=STSv1; id=2"};
    seen.sts_by_server = {first, second};
    EXPECT_EQ(look(seen).sts.id, "2");
    EXPECT_TRUE(look(seen).sts.on_all_servers);
    seen.sts_by_server[1].texts = {"v=STSv1; id=1"};
    EXPECT_FALSE(look(seen).sts.on_all_servers);
    EXPECT_EQ(look(seen).sts.id, "1") << "then the resolver's answer counts";
}

TEST(situation, addresses_that_disagree_or_fail_are_a_fault) {
    auto seen = published();
    seen.policy_host.addresses.push_back(*base::ip_address::parse("192.0.2.2"));
    seen.fetches.push_back(fetched("192.0.2.2", "version: STSv1\r\n"));
    EXPECT_THAT(look(seen).policy_fault, HasSubstr("different policies"));
    seen.fetches[1].outcome = model::fetch_outcome::http_status;
    seen.fetches[1].status = 404;
    EXPECT_THAT(look(seen).policy_fault, HasSubstr("192.0.2.2"));
    EXPECT_TRUE(look(seen).policy_known);
    seen.fetches[1].outcome = model::fetch_outcome::timeout;
    EXPECT_FALSE(look(seen).policy_known) << "what an address does not say is not known";
}

TEST(situation, another_agent_at_the_same_address_changes_nothing) {
    auto seen = published();
    auto again = fetched("192.0.2.1", "another body");
    again.agent = "somebody else";
    seen.fetches.push_back(again);
    EXPECT_EQ(look(seen).policy, body);
    EXPECT_EQ(look(seen).policy_fault, "");
}

TEST(situation, the_host_points_here_where_every_address_is_ours) {
    auto seen = published();
    const auto here = *base::ip_address::parse("192.0.2.1"), there = *base::ip_address::parse("192.0.2.9");
    EXPECT_TRUE(look(seen, {.name = "host.example", .addresses = {here}}).host_points_here);
    EXPECT_FALSE(look(seen, {.name = "host.example", .addresses = {there}}).host_points_here);
    seen.policy_host.addresses.push_back(there);
    EXPECT_FALSE(look(seen, {.name = "host.example", .addresses = {here}}).host_points_here)
        << "a stray address leads senders elsewhere";
    EXPECT_FALSE(look(seen).host_points_here) << "nothing is configured";
    using record = plan::situation::host_record;
    EXPECT_THAT(look(seen).host_records,
                testing::ElementsAre(record{"A", "192.0.2.1"}, record{"A", "192.0.2.9"}));
    seen.policy_host.a.chain = {"host.example"};
    EXPECT_TRUE(look(seen, {.name = "host.example", .addresses = {}}).host_points_here);
    EXPECT_THAT(look(seen).host_records, testing::ElementsAre(record{"CNAME", "host.example"}));
}

TEST(situation, the_state_for_the_history_holds_what_is_compared) {
    const auto seen = published();
    const auto state = app::state_of(seen, advise::judge(seen), now, true);
    EXPECT_EQ(state.domain, "example.com");
    EXPECT_EQ(state.first, now);
    EXPECT_EQ(state.record_id, "1");
    EXPECT_EQ(state.policy, body);
    EXPECT_EQ(state.policy_sha256.size(), 64u);
    EXPECT_TRUE(std::ranges::is_sorted(state.findings));
    EXPECT_TRUE(state.full);
}

} // namespace
} // namespace mailtight::tests
