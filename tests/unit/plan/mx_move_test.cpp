// SPDX-License-Identifier: Apache-2.0
// Adding and removing MX hosts, moving to another provider, and changes that nobody planned.
#include "domains.h"

#include "support/proves.h"

namespace mailtight::plan::tests {
namespace {

constexpr std::uint64_t day = 86'400, week = 604'800;
const std::string old_mx = "mx1.example.com", new_mx = "mx.provider.example";

domain in_enforce(std::uint64_t max_age = 2 * week) {
    domain d;
    d.wish.aim = model::aim::enforce;
    d.publish(sts::mode::enforce, max_age, start - days(40));
    return d;
}
/// Publishes what the plan wants, at once.
void publish_next(domain& d) {
    const auto p = d.make();
    ASSERT_EQ(next_kind(p), "serve-policy");
    const auto id = p.next()->id;
    d.serve(p.next()->policy, id, d.now);
    d.announce(id, d.now);
}
std::vector<std::string> published_mx(const domain& d) {
    return sts::parse_policy(d.past.publication->body).value().mx;
}
void gone_from_dns(domain& d, const std::string& host) {
    std::erase_if(d.seen.mx, [&](const auto& one) { return one.host == host; });
    std::erase(d.seen.suggested_mx, host);
    d.past.mx_before.push_back({.host = host, .last_seen = d.now, .ttl = 3'600, .first_missed = {}});
}
void new_in_dns(domain& d, const std::string& host, std::optional<bool> passes = true) {
    d.seen.mx.push_back({.host = host, .passes = passes, .why = "certificate expired"});
    d.seen.suggested_mx.push_back(host);
}

TEST(mx_move, a_host_that_nothing_knows_is_told) {
    const std::string typo = "mx11.example.com", words = "mx11.example.com is to go, but example.com";
    auto d = in_enforce();
    d.wish.mx_removing = {typo};
    EXPECT_TRUE(warns(d.make(), words)) << "neither in DNS nor in the policy";
    EXPECT_TRUE(d.make().finished) << "and nothing else comes of it";
    d.seen.mx_known = false;
    EXPECT_FALSE(warns(d.make(), words)) << "DNS did not answer: nobody knows";
    for (const std::string& known : {old_mx, std::string("MX1.example.com")}) {
        auto there = in_enforce();
        there.wish.mx_removing = {known};
        EXPECT_FALSE(warns(there.make(), "is to go, but")) << known;
    }
    auto wildcard = in_enforce();
    const auto body = body_of(sts::mode::enforce, 2 * week, {"*.example.com"});
    wildcard.serve(body, "2", start - days(20));
    wildcard.announce("2", start - days(20));
    wildcard.wish.mx_removing = {typo};
    EXPECT_TRUE(warns(wildcard.make(), words)) << "a wildcard names nobody";
}

TEST(mx_move, a_host_that_is_gone_as_wished_is_no_slip) {
    domain d({old_mx, new_mx});
    d.wish.aim = model::aim::enforce;
    d.publish(sts::mode::enforce, 2 * week, start - days(40));
    d.wish.mx_removing = {old_mx};
    gone_from_dns(d, old_mx);
    EXPECT_FALSE(warns(d.make(), "is to go, but"));
    const auto body = body_of(sts::mode::enforce, 2 * week, {new_mx});
    d.serve(body, "2", d.now);
    d.announce("2", d.now);
    d.now += days(100);
    d.past.mx_before.clear();
    EXPECT_FALSE(warns(d.make(), "is to go, but")) << "a policy of before named it";
}

TEST(mx_move, to_another_provider) {
    PROVES("8461-8.1-a", "8461-8.1-b");
    auto d = in_enforce();
    d.wish.mx_adding = {new_mx};
    d.wish.mx_removing = {old_mx};
    auto p = d.make();
    EXPECT_EQ(kinds(p, false), (std::vector<std::string>{"serve-policy", "verify-policy", "publish-record",
                                                         "verify-record", "add-mx", "remove-mx"}));
    publish_next(d);
    EXPECT_EQ(published_mx(d), (std::vector{old_mx, new_mx})) << "the union";
    p = d.make();
    ASSERT_EQ(next_kind(p), "add-mx");
    EXPECT_EQ(p.next()->state, step_state::waiting);
    EXPECT_EQ(p.next()->not_before, start + seconds(300) + hours(1)) << "the record's TTL and a margin";
    EXPECT_EQ(p.come_back, p.next()->not_before);
    d.now += hours(2);
    EXPECT_EQ(d.make().next()->state, step_state::now);
    EXPECT_EQ(find(d.make(), step_kind::remove_mx)->state, step_state::later) << "an old one stays";
    new_in_dns(d, new_mx, false);
    p = d.make();
    ASSERT_EQ(find(p, step_kind::remove_mx)->state, step_state::waiting);
    EXPECT_EQ(find(p, step_kind::remove_mx)->blocked, "No other MX host is there that passes.");
    d.seen.mx[1].passes = true;
    p = d.make();
    ASSERT_EQ(next_kind(p), "remove-mx");
    EXPECT_EQ(p.next()->earliest, start + seconds(300) + hours(1) + days(1))
        << "who looks at the id, within a day";
    EXPECT_EQ(p.next()->not_before, start + seconds(2 * week) + hours(1)) << "who ignores it, after max_age";
    EXPECT_NE(p.next()->why.find("Tue 5 May 2026, 11:05 UTC"), std::string::npos) << "both dates are printed";
    EXPECT_NE(p.next()->why.find("Mon 18 May 2026, 11:00 UTC"), std::string::npos);
    d.now = start + days(3);
    EXPECT_EQ(d.make().next()->state, step_state::waiting) << "unattended, the later date counts";
    d.options.unattended = false;
    EXPECT_EQ(d.make().next()->state, step_state::now);
    d.options.unattended = true;
    d.now = start + days(15);
    EXPECT_EQ(d.make().next()->state, step_state::now);
    gone_from_dns(d, old_mx);
    p = d.make();
    EXPECT_EQ(find(p, step_kind::serve_policy)->state, step_state::done) << "resolvers still name it";
    EXPECT_EQ(p.next()->not_before, d.now + hours(2));
    EXPECT_EQ(p.next()->title, "Take mx1.example.com out of the policy");
    d.now += hours(2);
    publish_next(d);
    EXPECT_EQ(published_mx(d), std::vector{new_mx}) << "narrower, under a new id";
    EXPECT_TRUE(d.make().finished);
}

TEST(mx_move, earlier_longer_policies_count) {
    auto d = in_enforce(day);
    auto longer = d.past.served[0];
    longer.max_age = 31'557'600;
    longer.first_served = start - days(90);
    longer.last_served = start - days(40);
    d.past.served.insert(d.past.served.begin(), longer);
    d.wish.mx_adding = {new_mx};
    d.wish.mx_removing = {old_mx};
    publish_next(d);
    new_in_dns(d, new_mx);
    EXPECT_EQ(d.make().next()->not_before, *longer.last_served + seconds(31'557'600) + hours(1));
    // An unknown past is taken for the longest, and admitted the hosts of the first policy that is known.
    auto unknown = in_enforce(day);
    unknown.past.past_known = false;
    unknown.past.looked_since = start - days(40);
    unknown.wish.mx_adding = {new_mx};
    unknown.wish.mx_removing = {old_mx};
    publish_next(unknown);
    new_in_dns(unknown, new_mx);
    EXPECT_EQ(unknown.make().next()->not_before, start - days(40) + seconds(31'557'600) + hours(1));
}

struct no_wait_row {
    std::vector<std::string> hosts, removing;
    sts::mode mode;
    const char* reason;
};
TEST(mx_move, no_wait_where_nobody_refuses) {
    const no_wait_row rows[] = {
        {{"mx1.example.com", "mx2.example.com"},
         {"mx2.example.com"},
         sts::mode::enforce,
         "the other one stays"},
        {{"mx1.example.com", "mx2.example.com"},
         {"mx1.example.com"},
         sts::mode::testing,
         "testing refuses nothing"},
    };
    for (const auto& row : rows) {
        domain d(row.hosts);
        d.wish.aim = row.mode == sts::mode::enforce ? model::aim::enforce : model::aim::testing;
        d.publish(row.mode, 2 * week, start - days(40));
        d.wish.mx_removing = row.removing;
        const auto p = d.make();
        ASSERT_EQ(next_kind(p), "remove-mx") << row.reason;
        EXPECT_EQ(p.next()->state, step_state::now) << row.reason;
        EXPECT_EQ(p.next()->by, step_actor::person);
    }
}

TEST(mx_move, the_last_one_never_goes) {
    auto d = in_enforce();
    d.wish.mx_removing = {old_mx};
    const auto p = d.make();
    ASSERT_EQ(next_kind(p), "remove-mx");
    EXPECT_EQ(p.next()->state, step_state::waiting);
    EXPECT_FALSE(p.next()->blocked.empty());
}

TEST(mx_move, raising_waits_until_it_is_over) {
    auto d = in_enforce(day);
    EXPECT_EQ(sts::parse_policy(d.make().next()->policy).value().max_age, week);
    d.wish.mx_adding = {new_mx};
    EXPECT_EQ(sts::parse_policy(d.make().next()->policy).value().max_age, day);
}

TEST(follow_dns, an_mx_host_that_appears_is_admitted_at_once) {
    PROVES("G1-27", "G3-25");
    auto d = in_enforce();
    new_in_dns(d, "mx9.example.com", false);
    const auto p = d.make();
    ASSERT_EQ(next_kind(p), "serve-policy");
    EXPECT_EQ(p.next()->state, step_state::now);
    EXPECT_EQ(p.next()->policy, body_of(sts::mode::enforce, 2 * week, {old_mx, "mx9.example.com"}));
}

TEST(follow_dns, all_changed_and_nobody_planned_it) {
    auto d = in_enforce();
    gone_from_dns(d, old_mx);
    new_in_dns(d, new_mx);
    const auto p = d.make();
    EXPECT_EQ(p.next()->policy, body_of(sts::mode::enforce, 2 * week, {new_mx, old_mx}));
    EXPECT_TRUE(warns(p, "admits none of today's MX hosts, until Mon 18 May 2026, 10:00 UTC"));
    EXPECT_TRUE(warns(p, "Put one of the MX hosts of before back"));
}

TEST(follow_dns, a_host_is_forgotten_only_when_no_resolver_names_it) {
    domain d({"mx1.example.com", "mx2.example.com"});
    d.publish(sts::mode::enforce, 2 * week, start - days(40));
    d.wish.aim = model::aim::enforce;
    gone_from_dns(d, "mx2.example.com");
    d.past.mx_before[0].last_seen = start - days(3); // we were away, and only now see that it is gone
    d.past.mx_before[0].first_missed = start;
    auto p = d.make();
    EXPECT_EQ(p.next()->not_before, start + hours(2));
    EXPECT_EQ(p.next()->state, step_state::waiting);
    d.now += hours(2);
    EXPECT_EQ(d.make().next()->policy, body_of(sts::mode::enforce, 2 * week, {"mx1.example.com"}));
}

TEST(follow_dns, patterns_of_a_provider_stay_patterns) {
    auto d = in_enforce();
    d.seen.mx = {{.host = "a.mail.provider.example", .passes = true, .why = {}}};
    d.seen.suggested_mx = {"*.mail.provider.example"};
    d.wish.mx_adding = {"b.mail.provider.example"};
    EXPECT_EQ(sts::parse_policy(d.make().next()->policy).value().mx,
              std::vector<std::string>{"*.mail.provider.example"});
}

TEST(listed_mx, dns_does_not_widen_the_list) {
    auto d = in_enforce();
    d.wish.mx = {old_mx};
    new_in_dns(d, "planted.attacker.example");
    const auto p = d.make();
    EXPECT_EQ(find(p, step_kind::serve_policy)->state, step_state::done);
    ASSERT_EQ(next_kind(p), "mend");
    EXPECT_EQ(p.next()->host, "planted.attacker.example");
}

TEST(listed_mx, a_shorter_list_waits_for_dns) {
    domain d({"mx1.example.com", "mx2.example.com"});
    d.wish.aim = model::aim::enforce;
    d.publish(sts::mode::enforce, 2 * week, start - days(40));
    d.wish.mx = {"mx1.example.com"};
    auto p = d.make();
    ASSERT_EQ(next_kind(p), "remove-mx") << "it is in DNS and was admitted so far";
    EXPECT_EQ(p.next()->host, "mx2.example.com");
    gone_from_dns(d, "mx2.example.com");
    EXPECT_EQ(d.make().next()->not_before, d.now + hours(2));
    d.now += hours(3);
    EXPECT_EQ(d.make().next()->policy, body_of(sts::mode::enforce, 2 * week, {"mx1.example.com"}));
}

TEST(listed_mx, another_list_altogether) {
    auto d = in_enforce();
    d.wish.mx = {new_mx};
    EXPECT_EQ(d.make().next()->policy, body_of(sts::mode::enforce, 2 * week, {new_mx, old_mx}));
}

} // namespace
} // namespace mailtight::plan::tests
