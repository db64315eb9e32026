// SPDX-License-Identifier: Apache-2.0
// First publication, step by step, and every change of the policy after it.
#include "domains.h"

#include "support/proves.h"

#include <gmock/gmock.h>

namespace mailtight::plan::tests {
namespace {

constexpr std::uint64_t day = 86'400, week = 604'800;

TEST(first_publication, goes_in_this_order) {
    PROVES("8461-8.1-c", "G2-7", "G2-16");
    domain d;
    EXPECT_EQ(kinds(d.make()), (std::vector<std::string>{"report-way", "publish-tlsrpt", "point-host",
                                                         "certificate", "serve-policy", "verify-policy",
                                                         "check-mx", "publish-record", "verify-record"}));
    EXPECT_EQ(next_kind(d.make()), "report-way");
    EXPECT_EQ(d.make().next()->by, step_actor::person);
    d.report_way();
    EXPECT_EQ(next_kind(d.make()), "publish-tlsrpt");
    EXPECT_EQ(d.make().next()->records,
              (std::vector<record_change>{{.name = "_smtp._tls.example.com",
                                           .type = "TXT",
                                           .add = {"v=TLSRPTv1; rua=mailto:tls-report@example.com"},
                                           .remove = {},
                                           .ttl = 3'600}}));
    d.seen.tlsrpt.state = record_seen::what::one;
    d.seen.tlsrpt.rua = d.past.rua;
    EXPECT_EQ(next_kind(d.make()), "point-host");
    d.seen.host_resolves = d.seen.host_points_here = true;
    EXPECT_EQ(next_kind(d.make()), "certificate");
    d.past.certificate_here = true;
    const auto serve = d.make();
    ASSERT_EQ(next_kind(serve), "serve-policy");
    EXPECT_EQ(serve.next()->policy, body_of(sts::mode::testing, week, {"mx1.example.com"}));
    d.serve(serve.next()->policy, serve.next()->id, d.now);
    d.seen.policy.reset(); // not to be had yet
    EXPECT_EQ(next_kind(d.make()), "verify-policy");
    d.seen.policy = serve.next()->policy + " ";
    EXPECT_EQ(next_kind(d.make()), "verify-policy") << "byte for byte";
    d.seen.policy = serve.next()->policy;
    d.seen.mx[0].passes = false;
    EXPECT_EQ(next_kind(d.make()), "check-mx");
    d.seen.mx[0].passes = true;
    ASSERT_EQ(next_kind(d.make()), "publish-record");
    EXPECT_EQ(d.make().next()->records[0].add, std::vector{"v=STSv1; id=" + serve.next()->id});
    d.announce(serve.next()->id, d.now);
    d.seen.sts.on_all_servers = false;
    EXPECT_EQ(next_kind(d.make()), "verify-record");
    d.seen.sts.on_all_servers = true;
    EXPECT_TRUE(d.make().finished);
    EXPECT_EQ(d.make().from, "mode testing, max_age 604800 (7 days)");
    d.now += seconds(day);
    EXPECT_TRUE(d.make().finished);
}

TEST(first_publication, shows_the_whole_way_to_enforce) {
    PROVES("8461-10.2-a", "G3-12");
    domain d;
    d.wish.aim = model::aim::enforce;
    EXPECT_EQ(
        kinds(d.make()),
        (std::vector<std::string>{"report-way", "publish-tlsrpt", "point-host", "certificate", "serve-policy",
                                  "verify-policy", "check-mx", "publish-record", "verify-record", "evidence",
                                  "serve-policy", "serve-policy", "serve-policy"}));
}

TEST(first_publication, an_untested_mx_host_needs_a_persons_word) {
    domain d;
    d.set_up();
    d.serve(body_of(sts::mode::testing, week, {"mx1.example.com"}), "1", d.now);
    d.seen.mx[0].passes.reset();
    EXPECT_EQ(next_kind(d.make()), "check-mx");
    EXPECT_THAT(d.make().next()->how, testing::HasSubstr("--said checked-mx")) << "the words are told";
    d.wish.marks["checked-mx"] = {d.now, "somebody", "checked from outside"};
    EXPECT_EQ(next_kind(d.make()), "publish-record");
    d.seen.mx[0].passes = false;
    EXPECT_EQ(next_kind(d.make()), "check-mx") << "a word does not outweigh a failed test";
    EXPECT_THAT(d.make().next()->how, testing::Not(testing::HasSubstr("--said")));
}

TEST(change, body_first_then_the_record) {
    PROVES("8461-8.1-a", "8461-8.1-c", "8461-3.1-e", "G1-15", "G2-27", "G3-20", "G3-46");
    domain d;
    d.publish(sts::mode::testing, week, start - days(40));
    d.past.ids_used = {"1", "20260504100000"};
    EXPECT_TRUE(d.make().finished);
    d.set_mx({"mx1.example.com", "mx2.example.com"});
    auto p = d.make();
    ASSERT_EQ(next_kind(p), "serve-policy");
    EXPECT_EQ(p.next()->policy, body_of(sts::mode::testing, week, {"mx1.example.com", "mx2.example.com"}));
    EXPECT_EQ(p.next()->id, "20260504100001") << "never one used before";
    EXPECT_EQ(find(p, step_kind::publish_record)->state, step_state::later);
    d.serve(p.next()->policy, p.next()->id, d.now);
    d.seen.policy = body_of(sts::mode::testing, week, {"mx1.example.com"});
    EXPECT_EQ(next_kind(d.make()), "verify-policy") << "the record waits for the body";
    d.seen.policy = d.past.publication->body;
    p = d.make();
    ASSERT_EQ(next_kind(p), "publish-record");
    EXPECT_EQ(p.next()->records[0].add, std::vector<std::string>{"v=STSv1; id=20260504100001"});
    EXPECT_EQ(p.next()->records[0].remove, std::vector<std::string>{"v=STSv1; id=1"});
    d.now += days(3); // the push fails and fails: the body stays, and so does its id
    p = d.make();
    ASSERT_EQ(next_kind(p), "publish-record");
    EXPECT_EQ(p.next()->id, "20260504100001");
    EXPECT_EQ(find(p, step_kind::serve_policy)->state, step_state::done);
}

TEST(change, none_needed_none_made) {
    domain d({"mx1.example.com", "mx2.example.com"});
    d.publish(sts::mode::testing, week, start - days(40));
    std::ranges::reverse(d.seen.mx);
    std::ranges::reverse(d.seen.suggested_mx);
    d.seen.suggested_mx[0] = "MX2.example.com";
    EXPECT_TRUE(d.make().finished) << "order and case of an answer are no change";
    d.wish.max_age = 2 * week;
    EXPECT_EQ(next_kind(d.make()), "serve-policy");
    d.wish.max_age.reset();
    d.seen.sts.id = "2"; // somebody changed the id alone
    d.seen.sts.text = "v=STSv1; id=2";
    const auto p = d.make();
    ASSERT_EQ(next_kind(p), "publish-record");
    EXPECT_EQ(p.next()->id, "1");
}

TEST(change, the_same_body_again_has_another_id) {
    PROVES("8461-3.1-e");
    domain d;
    d.publish(sts::mode::testing, week, start - days(40), "20260504100000");
    d.serve(body_of(sts::mode::none, day, {}), "20260504100001", start - days(1));
    d.announce("20260504100001", start - days(1));
    const auto p = d.make();
    ASSERT_EQ(next_kind(p), "serve-policy");
    EXPECT_EQ(p.next()->policy, d.past.served[0].body);
    EXPECT_EQ(p.next()->id, "20260504100002");
}

struct record_row {
    record_seen::what state;
    step_actor by;
    step_state as;
    const char* reason;
};
TEST(change, what_stands_at_the_name) {
    const record_row rows[] = {
        {record_seen::what::absent, step_actor::us, step_state::now, "nothing is in the way"},
        {record_seen::what::unknown, step_actor::us, step_state::waiting,
         "DNS gave no answer: nothing is written"},
        {record_seen::what::invalid, step_actor::person, step_state::now,
         "several: only a person knows which go"},
    };
    for (const auto& row : rows) {
        domain d;
        d.set_up();
        d.serve(body_of(sts::mode::testing, week, {"mx1.example.com"}), "1", d.now);
        d.seen.sts.state = row.state;
        const auto p = d.make();
        ASSERT_EQ(next_kind(p), "publish-record") << row.reason;
        EXPECT_EQ(p.next()->by, row.by) << row.reason;
        EXPECT_EQ(p.next()->state, row.as) << row.reason;
        EXPECT_EQ(p.next()->blocked.empty(), row.state == record_seen::what::absent) << row.reason;
    }
}

TEST(change, a_policy_of_others_is_answered_by_ours) {
    PROVES("8461-10.3-a");
    domain d;
    d.publish(sts::mode::testing, week, start - days(40));
    const auto ours = *d.seen.policy;
    d.seen.policy = body_of(sts::mode::enforce, 31'557'600, {"mx.attacker.example"});
    const auto p = d.make();
    EXPECT_TRUE(warns(p, "was not published from here (mode enforce, max_age 31557600 (1 year))"));
    EXPECT_TRUE(warns(p, "Tue 4 May 2027")) << "until when senders may hold it";
    EXPECT_EQ(next_kind(p), "verify-policy");
    EXPECT_EQ(p.next()->policy, ours);
    // A fresh installation: ours is made, under an id that nobody has.
    domain fresh;
    fresh.set_up();
    fresh.seen.policy = d.seen.policy;
    fresh.announce("20260504100000", start - days(9));
    const auto q = fresh.make();
    ASSERT_EQ(next_kind(q), "serve-policy");
    EXPECT_EQ(q.next()->id, "20260504100001");
}

TEST(hosting_elsewhere, a_person_uploads_and_the_next_run_verifies) {
    PROVES("8461-8.1-c", "G3-30", "G3-32", "G3-33");
    domain d;
    d.wish.host = model::hosting::elsewhere;
    d.wish.dns = model::dns_way::by_hand;
    d.set_up();
    auto p = d.make();
    ASSERT_EQ(next_kind(p), "serve-policy");
    EXPECT_EQ(p.next()->by, step_actor::person);
    EXPECT_EQ(p.next()->how, "1. Save the lines below as mta-sts.txt.\n"
                             "2. Upload the file into the folder .well-known of mta-sts.example.com.\n"
                             "3. It must be found at https://mta-sts.example.com/.well-known/mta-sts.txt");
    const auto body = p.next()->policy;
    // The person's editor writes bare line feeds: the same policy, and it stays as it is.
    d.seen.policy = body;
    std::erase(*d.seen.policy, '\r');
    d.past.served = {{.domain = "example.com",
                      .body = *d.seen.policy,
                      .mode = sts::mode::testing,
                      .max_age = week,
                      .ids = {},
                      .first_served = d.now,
                      .last_served = std::nullopt,
                      .ours = false}};
    p = d.make();
    ASSERT_EQ(next_kind(p), "publish-record");
    EXPECT_EQ(p.next()->by, step_actor::person);
    EXPECT_EQ(p.next()->records[0].add, std::vector<std::string>{"v=STSv1; id=20260504100000"});
    d.announce("whatever1", d.now + hours(1));
    d.now += hours(1);
    EXPECT_TRUE(d.make().finished) << "any new id is a good one";
    // The file changes, the id does not.
    d.past.served[0].last_served = d.now;
    d.set_mx({"mx1.example.com", "mx2.example.com"});
    d.seen.policy = body_of(sts::mode::testing, week, {"mx1.example.com", "mx2.example.com"});
    d.past.served.push_back({.domain = "example.com",
                             .body = *d.seen.policy,
                             .mode = sts::mode::testing,
                             .max_age = week,
                             .ids = {"whatever1"},
                             .first_served = d.now,
                             .last_served = std::nullopt,
                             .ours = false});
    EXPECT_EQ(next_kind(d.make()), "publish-record");
    // An id that was there before the file came may be in use for the old file.
    d.announce("early", d.now);
    EXPECT_EQ(next_kind(d.make()), "publish-record");
    d.announce("late", d.now + hours(1));
    d.now += hours(2);
    EXPECT_TRUE(d.make().finished);
    d.seen.policy.reset();
    d.seen.policy_known = false;
    EXPECT_EQ(next_kind(d.make()), "verify-policy") << "not to be asked today: no reason to upload again";
}

TEST(hosting_proxied, the_name_and_the_certificate_are_a_persons) {
    domain d;
    d.wish.host = model::hosting::proxied;
    d.report_way();
    d.set_up();
    d.seen.host_points_here = false;
    d.seen.certificate_valid = false;
    d.past.certificate_here = false;
    auto p = d.make();
    ASSERT_EQ(next_kind(p), "certificate");
    EXPECT_EQ(p.next()->by, step_actor::person);
    d.seen.certificate_valid = true;
    p = d.make();
    ASSERT_EQ(next_kind(p), "serve-policy");
    EXPECT_EQ(p.next()->by, step_actor::us);
}

TEST(hosting_delegated, both_names_are_aliases) {
    PROVES("8461-8.2-a", "8461-8.2-b", "8461-8.2-c", "8461-3.1-s");
    domain d;
    d.wish.host = model::hosting::delegated;
    d.wish.sts_target = "_mta-sts.provider.example";
    d.past.policy_host = "mta-sts.provider.example";
    d.report_way();
    d.set_up();
    d.past.certificate_here = false;
    d.seen.host_points_here = d.seen.host_resolves = false;
    auto p = d.make();
    ASSERT_EQ(next_kind(p), "point-host");
    EXPECT_EQ(p.next()->records[0].type, "CNAME");
    EXPECT_EQ(p.next()->records[0].add, std::vector<std::string>{"mta-sts.provider.example"});
    d.seen.host_points_here = d.seen.host_resolves = true;
    d.seen.certificate_valid = false; // a certificate for the provider's own name
    p = d.make();
    ASSERT_EQ(next_kind(p), "certificate");
    EXPECT_NE(p.next()->how.find("names mta-sts.example.com"), std::string::npos);
    d.seen.certificate_valid = true;
    d.seen.policy = body_of(sts::mode::testing, day, {"*.example.com"});
    p = d.make();
    ASSERT_EQ(next_kind(p), "publish-record")
        << "the provider's policy admits the MX host, its max_age is its own";
    EXPECT_EQ(p.next()->records, (std::vector<record_change>{{.name = "_mta-sts.example.com",
                                                              .type = "CNAME",
                                                              .add = {"_mta-sts.provider.example"},
                                                              .remove = {},
                                                              .ttl = 300}}));
    d.announce("x", d.now);
    EXPECT_EQ(next_kind(d.make()), "publish-record") << "half a delegation: the record is no alias";
    d.seen.sts.chain = {"_mta-sts.provider.example"};
    EXPECT_TRUE(d.make().finished);
    d.set_mx({"mx.elsewhere.example"});
    p = d.make();
    ASSERT_EQ(next_kind(p), "serve-policy");
    EXPECT_EQ(p.next()->by, step_actor::person);
    EXPECT_EQ(p.next()->how,
              "Ask your provider for a policy in mode testing that admits mx.elsewhere.example.");
}

TEST(delegated_to_us, the_id_changes_at_the_target_of_the_domain) {
    PROVES("8461-8.2-a", "8461-3.1-s");
    domain d;
    d.wish.sts_target = "example.com._mta-sts.hosting.example";
    d.set_up();
    d.serve(body_of(sts::mode::testing, week, {"mx1.example.com"}), "7", d.now);
    auto p = d.make();
    ASSERT_EQ(next_kind(p), "publish-record");
    ASSERT_EQ(p.next()->records.size(), 2U);
    EXPECT_EQ(p.next()->records[0].name, d.wish.sts_target);
    EXPECT_EQ(p.next()->records[0].add, std::vector<std::string>{"v=STSv1; id=7"});
    EXPECT_EQ(p.next()->records[1].type, "CNAME");
    d.announce("6", d.now);
    d.seen.sts.chain = {d.wish.sts_target};
    p = d.make();
    ASSERT_EQ(p.next()->records.size(), 1U) << "the alias stands";
    EXPECT_EQ(p.next()->records[0].remove, std::vector<std::string>{"v=STSv1; id=6"});
}

TEST(point_host, says_what_has_to_go_where_another_host_stands) {
    domain d;
    d.set_up();
    d.seen.host_points_here = false;
    const auto changes = [&](std::vector<situation::host_record> stands, const std::string& wanted) {
        d.seen.host_records = std::move(stands);
        d.past.policy_host = wanted;
        const auto p = d.make();
        const auto* one = find(p, step_kind::point_host);
        EXPECT_EQ(one->by, step_actor::person);
        EXPECT_EQ(one->blocked, "It points somewhere else now.")
            << "foreign records are a person's to delete";
        std::vector<std::string> out;
        for (const auto& change : one->records) {
            EXPECT_EQ(change.name, "mta-sts.example.com");
            for (const auto& value : change.remove)
                out.push_back("-" + change.type + " " + value);
            for (const auto& value : change.add)
                out.push_back("+" + change.type + " " + value);
        }
        return out;
    };
    using list = std::vector<std::string>;
    EXPECT_EQ(changes({{"A", "192.0.2.9"}, {"AAAA", "2001:db8::9"}}, "192.0.2.1"),
              (list{"-AAAA 2001:db8::9", "-A 192.0.2.9", "+A 192.0.2.1"}));
    EXPECT_EQ(changes({{"A", "192.0.2.1"}, {"A", "192.0.2.9"}}, "192.0.2.1"), list{"-A 192.0.2.9"});
    EXPECT_EQ(changes({{"CNAME", "old.example"}}, "policy.example.net"),
              (list{"-CNAME old.example", "+CNAME policy.example.net"}));
    EXPECT_EQ(changes({{"A", "192.0.2.9"}}, "policy.example.net"),
              (list{"-A 192.0.2.9", "+CNAME policy.example.net"}));
    EXPECT_NE(
        render_text(d.make(), d.now, 80, false).find("delete A mta-sts.example.com\n            192.0.2.9"),
        std::string::npos);
}

TEST(point_host, a_web_server_of_ones_own_is_known_to_its_owner_alone) {
    domain d;
    d.report_way();
    d.past.policy_host.clear();
    const auto point = [&](model::hosting host) {
        d.wish.host = host;
        const auto p = d.make();
        return *find(p, step_kind::point_host);
    };
    const auto own = point(model::hosting::elsewhere);
    EXPECT_EQ(own.by, step_actor::person);
    EXPECT_EQ(own.blocked, "");
    EXPECT_EQ(own.how,
              "At your DNS provider, give mta-sts.example.com the addresses of your web server (A and "
              "AAAA), or a CNAME that leads to it.");
    EXPECT_EQ(point(model::hosting::here).blocked,
              "Nobody has said yet what it is to point at: set publish.policy-host in the configuration, or "
              "mailtight domain set example.com --policy-host NAME.");
}

struct leave_row {
    model::leave leave;
    step_actor serving, enforcing, removing;
};
TEST(leave, changes_who_acts_and_never_what) {
    using enum step_actor;
    const leave_row rows[] = {{model::leave::nothing, person, person, person},
                              {model::leave::records, us, person, person},
                              {model::leave::all, us, us, us}};
    std::vector<std::vector<std::string>> plans;
    for (const auto& row : rows) {
        domain d;
        d.wish.leave = row.leave;
        d.set_up();
        EXPECT_EQ(d.make().next()->by, row.serving);
        d.publish(sts::mode::testing, week, start - days(40));
        d.wish.aim = model::aim::enforce;
        d.evidence.ready = true;
        const auto enforce = d.make();
        ASSERT_EQ(next_kind(enforce), "serve-policy");
        EXPECT_EQ(enforce.next()->by, row.enforcing);
        d.wish.aim = model::aim::off;
        d.wish.off = model::off_way::by_expiry;
        const auto off = d.make();
        ASSERT_EQ(next_kind(off), "remove-record");
        EXPECT_EQ(off.next()->by, row.removing);
        EXPECT_EQ(off.next()->how.find("--leave") != std::string::npos, row.removing == person);
        EXPECT_EQ(off.next()->on_word, row.removing == person);
        const auto page = render_text(enforce, d.now, 80, false);
        EXPECT_EQ(page.find("mta-sts.txt:"), page.npos) << "nobody uploads what our host serves: " << page;
        EXPECT_EQ(page.find("Run: mailtight plan example.com --do\n") != page.npos, row.enforcing == person);
        EXPECT_NE(
            render_json(enforce).find(row.enforcing == person ? R"("on_word":true)" : R"("on_word":false)"),
            std::string::npos);
        d.wish.off = model::off_way::none_first;
        EXPECT_EQ(d.make().next()->by, row.removing) << "mode none is a decision too";
        d.wish.aim = model::aim::enforce;
        d.wish.paused = true;
        EXPECT_TRUE(d.make().finished);
        plans.push_back(kinds(enforce));
    }
    EXPECT_EQ(plans[0], plans[2]);
    EXPECT_EQ(plans[1], plans[2]);
}

TEST(unusual_mx, null_and_missing_and_unknown) {
    domain none;
    none.seen.mx.clear();
    none.seen.suggested_mx.clear();
    none.seen.null_mx = true;
    EXPECT_TRUE(none.make().finished);
    EXPECT_TRUE(none.make().steps.empty());
    EXPECT_TRUE(warns(none.make(), "takes no mail"));
    none.seen.mx = {{.host = "mx1.example.com", .passes = true, .why = {}}};
    none.publish(sts::mode::enforce, week, start - days(40));
    none.seen.mx.clear();
    none.wish.aim = model::aim::enforce;
    auto p = none.make();
    EXPECT_EQ(next_kind(p), "mend") << "DNS alone withdraws nothing";
    EXPECT_EQ(find(p, step_kind::serve_policy)->state, step_state::done);

    domain implicit;
    implicit.set_up();
    implicit.set_mx({});
    EXPECT_EQ(implicit.make().next()->policy, body_of(sts::mode::testing, week, {"example.com"}));

    domain unknown;
    unknown.publish(sts::mode::testing, week, start - days(40));
    unknown.seen.mx_known = false;
    unknown.set_mx({});
    EXPECT_TRUE(warns(unknown.make(), "nothing is taken out"));
    EXPECT_EQ(find(unknown.make(), step_kind::serve_policy)->state, step_state::done);
    domain blind;
    blind.set_up();
    blind.set_mx({});
    blind.seen.mx_known = false;
    EXPECT_EQ(blind.make().next()->state, step_state::waiting);
    EXPECT_FALSE(blind.make().next()->blocked.empty());
}

} // namespace
} // namespace mailtight::plan::tests
