// SPDX-License-Identifier: Apache-2.0
// Switching MTA-STS off, in the two ways of the administrator guides, and changing one's mind on the way.
#include "domains.h"

#include "support/proves.h"

namespace mailtight::plan::tests {
namespace {

constexpr std::uint64_t day = 86'400, week = 604'800;
const std::string none_body = "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n";

domain to_go(sts::mode mode = sts::mode::enforce, std::uint64_t max_age = week) {
    domain d;
    d.publish(mode, max_age, start - days(40));
    d.wish.aim = model::aim::off;
    return d;
}
void publish_next(domain& d) {
    const auto p = d.make();
    ASSERT_EQ(next_kind(p), "serve-policy");
    const auto id = p.next()->id;
    d.serve(p.next()->policy, id, d.now);
    d.announce(id, d.now);
}

TEST(off_by_none, step_by_step) {
    PROVES("8461-8.3-a", "G1-26", "G3-51", "G3-58", "G3-61");
    for (const auto mode : {sts::mode::enforce, sts::mode::testing}) {
        auto d = to_go(mode);
        EXPECT_EQ(kinds(d.make(), false),
                  (std::vector<std::string>{"serve-policy", "verify-policy", "publish-record",
                                            "verify-record", "wait", "remove-record", "wait", "stop-serving",
                                            "remove-host", "remove-certificate"}));
        EXPECT_EQ(d.make().next()->policy, none_body);
        publish_next(d);
        auto p = d.make();
        ASSERT_EQ(next_kind(p), "wait");
        EXPECT_EQ(p.next()->not_before, start + seconds(week + 300) + hours(1));
        d.now = *p.next()->not_before - seconds(1);
        EXPECT_EQ(next_kind(d.make()), "wait");
        d.now += seconds(1);
        p = d.make();
        ASSERT_EQ(next_kind(p), "remove-record");
        EXPECT_TRUE(p.next()->records[0].add.empty());
        EXPECT_EQ(p.next()->records[0].remove, std::vector{d.seen.sts.text});
        d.withdraw_record(d.now);
        ASSERT_EQ(next_kind(d.make()), "wait");
        EXPECT_EQ(d.make().next()->not_before, d.now + seconds(300) + hours(1));
        d.now += hours(2);
        ASSERT_EQ(next_kind(d.make()), "stop-serving");
        d.serve("", "", d.now);
        p = d.make();
        ASSERT_EQ(next_kind(p), "remove-host");
        EXPECT_EQ(p.next()->records[0].remove, std::vector<std::string>{"policy.example.net"});
        d.seen.host_points_here = d.seen.host_resolves = false;
        ASSERT_EQ(next_kind(d.make()), "remove-certificate");
        d.past.certificate_here = false;
        EXPECT_TRUE(d.make().finished);
    }
}

TEST(off_by_none, the_longest_of_all_policies_counts) {
    PROVES("8461-8.3-a");
    auto d = to_go(sts::mode::enforce, day);
    auto longer = d.past.served[0];
    longer.max_age = 31'557'600;
    longer.first_served = start - days(90);
    longer.last_served = start - days(60);
    d.past.served.insert(d.past.served.begin(), longer);
    publish_next(d);
    EXPECT_EQ(d.make().next()->not_before, start - days(60) + seconds(31'557'600 + 300) + hours(1));
    d.past.served[0].ours = false; // somebody else's: the resolvers' memory of that host comes on top
    EXPECT_EQ(d.make().next()->not_before, start - days(60) + seconds(31'557'600 + 300 + 300) + hours(1));
}

TEST(off_by_none, a_day_at_least) {
    auto d = to_go(sts::mode::testing, 60);
    publish_next(d);
    EXPECT_EQ(d.make().next()->not_before, start + days(1) + seconds(300) + hours(1));
}

TEST(off_by_none, mx_lines_on_request) {
    PROVES("G3-55", "G3-56");
    auto d = to_go();
    d.wish.keep_mx = true;
    EXPECT_EQ(d.make().next()->policy, body_of(sts::mode::none, day, {"mx1.example.com"}));
    publish_next(d);
    EXPECT_EQ(next_kind(d.make()), "wait") << "and they stay";
}

TEST(off_by_none, the_guides_own_words_for_ones_own_web_server) {
    PROVES("G3-49", "G3-50", "G3-52", "G3-53", "G3-54", "G3-55", "G3-57", "G3-58", "G3-59");
    auto d = to_go();
    d.wish.host = model::hosting::elsewhere;
    d.wish.dns = model::dns_way::by_hand;
    d.past.publication.reset();
    auto p = d.make();
    ASSERT_EQ(next_kind(p), "serve-policy");
    EXPECT_EQ(p.next()->by, step_actor::person);
    EXPECT_EQ(p.next()->how, "1. Download https://mta-sts.example.com/.well-known/mta-sts.txt\n"
                             "2. Change the value of mode to none.\n"
                             "3. Change the value of max_age to 86400.\n"
                             "4. Delete every line that begins with mx.\n"
                             "5. Upload the file over the old one: same web server, same folder, same name.");
    EXPECT_EQ(p.next()->policy, none_body);
    const auto* record = find(p, step_kind::publish_record);
    EXPECT_EQ(record->records[0].add, std::vector<std::string>{"v=STSv1; id=20260504100000"});
    EXPECT_NE(record->how.find("24 hours"), std::string::npos);
    d.wish.keep_mx = true;
    EXPECT_EQ(d.make().next()->how.find("Delete every line"), std::string::npos);
    d.wish.keep_mx = false;
    // Uploaded: seen at the next run, and not before.
    d.seen.policy = none_body;
    d.past.served[0].last_served = start;
    d.past.served.push_back({.domain = "example.com",
                             .body = none_body,
                             .mode = sts::mode::none,
                             .max_age = day,
                             .ids = {},
                             .first_served = start,
                             .last_served = std::nullopt,
                             .ours = false});
    EXPECT_EQ(next_kind(d.make()), "publish-record");
    d.announce("20260504100000", start + hours(1));
    d.now += hours(1);
    EXPECT_EQ(next_kind(d.make()), "wait");
    d.now += days(9);
    ASSERT_EQ(next_kind(d.make()), "remove-record");
    d.withdraw_record(d.now);
    d.now += hours(2);
    p = d.make();
    ASSERT_EQ(next_kind(p), "stop-serving");
    EXPECT_NE(p.next()->how.find("Delete .well-known/mta-sts.txt"), std::string::npos);
    d.seen.policy.reset();
    EXPECT_TRUE(d.make().finished);
    d.seen.policy_known = false;
    EXPECT_FALSE(d.make().finished) << "not seen is not gone";
}

TEST(off_by_expiry, step_by_step) {
    PROVES("8461-8.3-a", "G3-60", "G3-61", "G3-62", "G3-63", "G3-64");
    auto d = to_go();
    d.wish.off = model::off_way::by_expiry;
    auto p = d.make();
    EXPECT_EQ(kinds(p), (std::vector<std::string>{"remove-record", "wait", "stop-serving", "wait",
                                                  "remove-host", "remove-certificate"}));
    EXPECT_NE(p.next()->why.find("max_age 604800 (7 days)"), std::string::npos)
        << "what is served now is shown";
    EXPECT_NE(p.next()->why.find("Mon 11 May 2026, 10:00 UTC"), std::string::npos);
    EXPECT_FALSE(warns(p, "--by none"));
    d.withdraw_record(d.now);
    EXPECT_EQ(next_kind(d.make()), "wait");
    d.now += hours(2);
    ASSERT_EQ(next_kind(d.make()), "stop-serving");
    d.past.served[0].last_served = d.now;
    d.serve("", "", d.now);
    ASSERT_EQ(next_kind(d.make()), "wait");
    EXPECT_EQ(d.make().next()->not_before, d.now + seconds(week) + hours(1))
        << "from the last possible fetch";
    EXPECT_NE(d.make().next()->why.find("old MX hosts have to stay valid"), std::string::npos);
    d.now += seconds(week) + hours(1);
    EXPECT_EQ(next_kind(d.make()), "remove-host");
    d.seen.host_points_here = d.past.certificate_here = false;
    EXPECT_TRUE(d.make().finished);
}

TEST(off_by_expiry, advises_the_first_way_where_it_takes_long) {
    PROVES("G3-62");
    auto d = to_go(sts::mode::enforce, 2 * week + day);
    d.wish.off = model::off_way::by_expiry;
    EXPECT_TRUE(warns(d.make(), "--by none"));
    auto unknown = to_go();
    unknown.wish.off = model::off_way::by_expiry;
    unknown.past.past_known = false;
    unknown.past.looked_since = start - days(1);
    EXPECT_TRUE(warns(unknown.make(), "31557600 s"));
    EXPECT_TRUE(warns(unknown.make(), "--by none"));
    EXPECT_EQ(find(unknown.make(), step_kind::wait, 1)->not_before,
              start - days(1) + seconds(31'557'600) + hours(1));
}

TEST(off, of_what_never_was) {
    domain d;
    d.wish.aim = model::aim::off;
    for (const auto way : {model::off_way::none_first, model::off_way::by_expiry}) {
        d.wish.off = way;
        EXPECT_TRUE(d.make().finished);
        d.past.past_known = false;
        d.past.looked_since = d.now;
        EXPECT_TRUE(d.make().finished) << "nothing of it stands";
        EXPECT_TRUE(warns(d.make(), "Nobody knows"));
        d.past.past_known = true;
    }
}

TEST(off, of_what_was_never_announced) {
    domain d;
    d.set_up();
    d.serve(body_of(sts::mode::testing, week, {"mx1.example.com"}), "1", start);
    d.wish.aim = model::aim::off;
    EXPECT_EQ(find(d.make(), step_kind::publish_record), nullptr) << "no new record only to take it back";
}

TEST(off, of_a_record_without_any_policy_names_no_date) {
    for (const auto way : {model::off_way::none_first, model::off_way::by_expiry}) {
        domain d;
        d.set_up();
        d.announce("1", start - days(40));
        d.wish.aim = model::aim::off;
        d.wish.off = way;
        for (int round = 0; round < 2; ++round) {
            const auto p = d.make();
            EXPECT_FALSE(p.steps.empty());
            EXPECT_EQ(render_text(p, d.now, 100, false).find("1970"), std::string::npos)
                << render_text(p, d.now, 100, false);
            EXPECT_EQ(render_json(p).find("1970"), std::string::npos);
            d.withdraw_record(d.now);
        }
    }
}

TEST(off, by_mode_none_after_all) {
    auto d = to_go();
    d.wish.off = model::off_way::by_expiry;
    d.withdraw_record(d.now);
    d.now += hours(2);
    d.past.served[0].last_served = d.now;
    d.serve("", "", d.now);
    d.wish.off = model::off_way::none_first;
    auto p = d.make();
    ASSERT_EQ(next_kind(p), "serve-policy") << "senders that hold enforce are freed";
    EXPECT_EQ(p.next()->policy, none_body);
    EXPECT_NE(find(p, step_kind::publish_record), nullptr);
    publish_next(d);
    EXPECT_EQ(next_kind(d.make()), "wait");
    d.wish.off = model::off_way::by_expiry;
    EXPECT_EQ(next_kind(d.make()), "wait") << "mode none is announced: going on with it loses nothing";
    d.wish.aim = model::aim::testing;
    EXPECT_EQ(d.make().next()->policy, body_of(sts::mode::testing, week, {"mx1.example.com"}));
}

TEST(off, while_mx_hosts_move) {
    PROVES("8461-8.1-b");
    auto d = to_go(sts::mode::enforce, 2 * week);
    d.wish.mx_adding = {"mx.provider.example"};
    d.wish.mx_removing = {"mx1.example.com"};
    auto p = d.make();
    EXPECT_EQ(find(p, step_kind::remove_mx)->state, step_state::waiting);
    publish_next(d);
    d.now += days(3);
    d.set_mx({"mx1.example.com", "mx.provider.example"});
    p = d.make();
    const auto* leaving = find(p, step_kind::remove_mx);
    EXPECT_EQ(leaving->state, step_state::waiting);
    EXPECT_EQ(leaving->not_before, start + seconds(2 * week) + hours(1))
        << "old policies admit only the old one";
    EXPECT_EQ(leaving->earliest, start + seconds(300) + hours(25)) << "who looks at the id is told mode none";
    d.now = start + days(15);
    EXPECT_EQ(find(d.make(), step_kind::remove_mx)->state, step_state::now);
}

TEST(off, nothing_goes_while_dns_is_silent) {
    auto d = to_go();
    publish_next(d);
    d.now += days(9);
    ASSERT_EQ(next_kind(d.make()), "remove-record");
    d.seen.sts = {};
    const auto p = d.make();
    EXPECT_NE(p.next(), nullptr);
    for (const auto& one : p.steps)
        if (one.kind == step_kind::remove_record || one.kind == step_kind::stop_serving) {
            EXPECT_NE(one.state, step_state::now);
        }
}

TEST(off, others_still_serve_a_policy) {
    auto d = to_go();
    d.wish.off = model::off_way::by_expiry;
    d.withdraw_record(d.now);
    d.now += hours(2);
    d.serve("", "", d.now);
    d.seen.policy = body_of(sts::mode::enforce, week, {"mx7.example.com"});
    const auto p = d.make();
    ASSERT_EQ(next_kind(p), "stop-serving");
    EXPECT_EQ(p.next()->by, step_actor::person);
    EXPECT_NE(p.next()->blocked.find("Another web server"), std::string::npos);
}

// ---- how long senders hold what was served ----

struct held_row {
    std::vector<model::served_policy> served;
    base::utc_seconds until;
    const char* reason;
};
model::served_policy entry(std::uint64_t max_age, base::utc_seconds first,
                           std::optional<base::utc_seconds> last) {
    return {.domain = "example.com",
            .body = "x",
            .mode = sts::mode::enforce,
            .max_age = max_age,
            .ids = {},
            .first_served = first,
            .last_served = last};
}
TEST(bound_until, mode_none_binds_nobody) {
    auto d = to_go(sts::mode::enforce, week);
    d.serve(none_body, "2", d.now);
    EXPECT_EQ(bound_until(d.past, d.now), d.now + seconds(week)) << "what was served before";
    d.now += seconds(week);
    d.serve("", "", d.now);
    EXPECT_LE(bound_until(d.past, d.now), d.now) << "the promise is over with the last one that asked";
    d.past.past_known = false;
    d.past.looked_since = d.now;
    EXPECT_GT(bound_until(d.past, d.now), d.now) << "nobody knows what was before";
}

TEST(bound_until, is_the_largest_of_last_served_and_max_age) {
    PROVES("8461-8.3-a");
    const held_row rows[] = {
        {{}, base::utc_seconds{}, "nothing was served"},
        {{entry(week, start - days(3), start - days(1))}, start + days(6), "from the last fetch"},
        {{entry(week, start - days(3), {})}, start + days(7), "still served: from now"},
        {{entry(31'557'600, start - days(99), start - days(98)), entry(day, start - days(98), {})},
         start - days(98) + seconds(31'557'600),
         "the last one need not be the longest"},
        {{entry(9'999'999'999, start - days(3), start)}, start + seconds(31'557'600), "senders clamp"},
        {{entry(week, start + days(2), {})}, start + days(9), "a clock that was set back"},
        {{entry(week, start + days(2), start + days(1))}, start + days(9), "and closed the entry"},
    };
    for (const auto& row : rows)
        EXPECT_EQ(bound_until({.served = row.served, .past_known = true}, start), row.until) << row.reason;
    EXPECT_EQ(bound_until({.past_known = false}, start), start + seconds(31'557'600)) << "an unknown past";
    EXPECT_EQ(bound_until({.past_known = false, .looked_since = start - days(3)}, start),
              start - days(3) + seconds(31'557'600));
    EXPECT_EQ(bound_until({.served = {entry(day, start - days(9), {})}, .past_known = false}, start),
              start - days(9) + seconds(31'557'600))
        << "what was unknown ended when the first known one was seen";
    remembered unlogged{.past_known = true};
    unlogged.publication = model::publication{.domain = "example.com",
                                              .body = body_of(sts::mode::testing, week, {"a.example"}),
                                              .id = "1",
                                              .since = start};
    EXPECT_EQ(bound_until(unlogged, start), start + seconds(week)) << "what is served, whatever the log says";
}

} // namespace
} // namespace mailtight::plan::tests
