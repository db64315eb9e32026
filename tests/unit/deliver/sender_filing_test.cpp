// SPDX-License-Identifier: Apache-2.0
// Who gets a report: what DNS says, what it does not say, and what the guard rails forbid.
#include "sender_world.h"
#include "support/proves.h"

namespace mailtight::deliver {
namespace {

using namespace tests;
using enum model::delivery_state;
using kind = sender_event::kind;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class filing_reports : public testing::Test, public sender_world {};

TEST_F(filing_reports, which_records_ask_for_a_report) {
    PROVES("8460-3-u", "8460-3-v", "8460-3-aa");
    struct row {
        const char* domain;
        std::vector<std::string> texts;
        bool asks;
        const char* reason;
    };
    const std::string ours = "v=TLSRPTv1; rua=mailto:a@r.example";
    const std::vector<row> rows{
        {"plain.example", {ours}, true, "one record"},
        {"foreign.example",
         {"v=spf1 -all", ours, "google-site-verification=x"},
         true,
         "foreign ones are dropped"},
        {"two.example", {ours, "v=TLSRPTv1; rua=mailto:b@r.example"}, false, "two records are none"},
        {"twice.example", {ours, ours}, false, "the same record twice are two"},
        {"none.example", {}, false, "no record"},
        {"spf.example", {"v=spf1 -all"}, false, "no TLSRPT record"},
        {"case.example", {"v=tlsrptv1; rua=mailto:a@r.example"}, false, "the version is case-sensitive"},
        {"new.example",
         {"v=TLSRPTv1; x=1; rua=mailto:a@r.example; ruf=mailto:n@r.example"},
         true,
         "unknown fields are passed over"},
        {"http.example", {"v=TLSRPTv1; rua=http://r.example/"}, false, "no scheme that is known"},
        {"rest.example",
         {"v=TLSRPTv1; rua=ftp://r.example/,mailto:a@r.example"},
         true,
         "one that is known is enough"},
    };
    std::size_t asking = 0;
    for (const auto& each : rows) {
        count({sessions(each.domain, 3)});
        world.texts[each.domain] = each.texts;
        asking += each.asks ? 1 : 0;
    }
    begin();
    std::set<std::string> filed;
    for (const auto& report : outbox())
        filed.insert(report.domain);
    for (const auto& each : rows)
        EXPECT_EQ(filed.contains(each.domain), each.asks) << each.domain << ": " << each.reason;
    EXPECT_EQ(world.taken("a@r.example"), static_cast<std::ptrdiff_t>(asking));
    EXPECT_EQ(world.tried("n@r.example"), 0);
    EXPECT_EQ(told(kind::nobody_asks), rows.size() - asking);
    EXPECT_EQ(sender->counted().filed, asking);
    EXPECT_EQ(stored().due, 0u) << "where nobody asks nothing is owed any more";
}

TEST_F(filing_reports, every_address_gets_it_once) {
    PROVES("8460-3-x", "8460-3-d", "8460-5-a");
    count({sessions("a.example", 5)});
    world.asks("a.example",
               "mailto:x@r.example , https://r.example/in,mailto:x@r.example,mailto:y@s.example");
    begin();
    EXPECT_THAT(world.accepted, UnorderedElementsAre("x@r.example", "y@s.example", "https://r.example/in"));
    ASSERT_THAT(world.posts, SizeIs(1));
    EXPECT_EQ(world.posts[0].call.method, "POST");
    pass(25h);
    EXPECT_THAT(world.accepted, SizeIs(3)) << "and never again";
    EXPECT_EQ(sender->counted().sent_mail, 2u);
    EXPECT_EQ(sender->counted().sent_https, 1u);
}

TEST_F(filing_reports, dns_that_is_silent_is_asked_again_for_a_day) {
    PROVES("8460-5.5-a", "8460-5.5-b");
    count({sessions("a.example", 5)});
    world.asks("a.example", "mailto:x@r.example");
    world.silent = {"a.example"};
    begin();
    std::vector<std::chrono::seconds> asked_after;
    for (std::chrono::seconds after = 0s; after < 23h; after += 60s) {
        const auto before = world.asked["a.example"];
        pass(60s);
        if (world.asked["a.example"] > before)
            asked_after.push_back(after + 60s);
    }
    ASSERT_GE(asked_after.size(), 5u);
    EXPECT_LE(asked_after.size(), 12u);
    for (std::size_t i = 2; i < 5; ++i)
        EXPECT_GT(asked_after[i] - asked_after[i - 1], asked_after[i - 1] - asked_after[i - 2])
            << "longer each time";
    EXPECT_THAT(world.accepted, IsEmpty());
    world.silent.clear();
    pass(1h);
    pass(1h);
    EXPECT_THAT(world.accepted, UnorderedElementsAre("x@r.example"));
}

TEST_F(filing_reports, the_record_last_seen_serves_only_where_dns_was_silent_for_a_day) {
    count({sessions("seen.example", 5, 0, "v=TLSRPTv1; rua=mailto:old@r.example"),
           sessions("unseen.example", 5),
           sessions("gone.example", 5, 0, "v=TLSRPTv1; rua=mailto:old@gone.example")});
    world.silent = {"seen.example", "unseen.example"}; // gone.example answers: no record any more
    begin();
    EXPECT_EQ(told(kind::nobody_asks), 1u);
    for (int hour = 0; hour < 23; ++hour)
        pass(1h);
    EXPECT_THAT(world.mails, IsEmpty());
    pass(1h);
    pass(1s);
    EXPECT_THAT(world.accepted, UnorderedElementsAre("old@r.example"));
    EXPECT_EQ(told(kind::nobody_asks), 2u);
    EXPECT_EQ(stored().due, 0u);
}

TEST_F(filing_reports, few_sessions_and_success_alone) {
    options.rails.minimum_sessions = 3;
    options.rails.success_only = false;
    count({sessions("few.example", 1, 1), sessions("fine.example", 9), sessions("bad.example", 9, 1)});
    for (const auto* each : {"few.example", "fine.example", "bad.example"})
        world.asks(each, std::string("mailto:") + each + "@r.example");
    begin();
    EXPECT_THAT(world.accepted, UnorderedElementsAre("bad.example@r.example"));
    EXPECT_EQ(told(kind::not_made), 2u);
    EXPECT_EQ(stored().due, 0u);
}

TEST_F(filing_reports, success_alone_is_reported_unless_it_is_switched_off) {
    count({sessions("fine.example", 9)});
    world.asks("fine.example", "mailto:a@r.example");
    begin();
    EXPECT_THAT(world.accepted, SizeIs(1));
}

TEST_F(filing_reports, a_third_party_gets_no_more_than_the_caps) {
    PROVES("8460-7-d");
    options.rails.per_address = 3;
    options.rails.per_host = 5;
    for (int i = 0; i < 8; ++i) {
        const auto domain = "d" + std::to_string(i) + ".example";
        count({sessions(domain, 1)});
        world.asks(domain, "mailto:victim@v.example,mailto:v" + std::to_string(i) + "@w.example");
    }
    begin();
    EXPECT_EQ(world.taken("victim@v.example"), 3);
    std::ptrdiff_t to_w = 0;
    for (int i = 0; i < 8; ++i)
        to_w += world.taken("v" + std::to_string(i) + "@w.example");
    EXPECT_EQ(to_w, 5);
    EXPECT_EQ(told(kind::suppressed), 5u + 3u);
    // The next day has its own.
    auto later = sessions("d9.example", 1);
    later.day += std::chrono::days(1);
    count({later});
    world.asks("d9.example", "mailto:victim@v.example");
    pass(24h);
    EXPECT_EQ(world.taken("victim@v.example"), 4);
}

TEST_F(filing_reports, reports_are_not_answered_with_reports) {
    PROVES("8460-3-h");
    count({sessions("a.example", 5)});
    world.asks("a.example", "mailto:a@peer.example");
    begin(); // one mail to peer.example, on the day after
    ASSERT_EQ(world.taken("a@peer.example"), 1);
    const auto next_day = [](model::counted_result of) {
        of.day += std::chrono::days(1);
        return of;
    };
    count({next_day(sessions("peer.example", 1)), next_day(sessions("other.example", 1))});
    world.asks("peer.example", "mailto:p@peer.example");
    world.asks("other.example", "mailto:o@other.example");
    pass(24h);
    EXPECT_EQ(world.taken("p@peer.example"), 0) << "its only session was our report";
    EXPECT_EQ(world.taken("o@other.example"), 1);
    EXPECT_EQ(told(kind::not_made), 1u);
    auto later = next_day(sessions("peer.example", 4));
    later.day += std::chrono::days(1);
    count({later});
    pass(24h);
    EXPECT_EQ(world.taken("p@peer.example"), 1) << "and these were mails of people";
}

TEST_F(filing_reports, nothing_goes_to_ourselves_where_that_is_switched_off) {
    options.rails.own_domains = {"own.example"};
    options.rails.to_self = false;
    count({sessions("own.example", 4), sessions("other.example", 4)});
    world.asks("own.example", "mailto:a@own.example");
    world.asks("other.example", "mailto:a@other.example");
    begin();
    EXPECT_THAT(world.accepted, UnorderedElementsAre("a@other.example"));
    EXPECT_EQ(told(kind::not_made), 1u);
}

TEST_F(filing_reports, the_suppression_list_holds) {
    ASSERT_TRUE(database->open()->suppress({.who = "@bad.example", .why = "asked us", .since = clock.at}));
    ASSERT_TRUE(database->open()->suppress(
        {.who = "a@r.example", .why = "bounced", .since = clock.at, .until = clock.at + 24h}));
    count({sessions("one.example", 4), sessions("two.example", 4)});
    world.asks("one.example", "mailto:x@bad.example,mailto:a@r.example");
    world.asks("two.example", "mailto:b@r.example");
    begin();
    EXPECT_THAT(world.accepted, UnorderedElementsAre("b@r.example"));
    EXPECT_EQ(state_of("x@bad.example"), suppressed);
    EXPECT_THAT(delivery("a@r.example").words, HasSubstr("bounced"));
    count({sessions("late.example", 4)});
    world.asks("late.example", "mailto:a@r.example");
    pass(24h);
    EXPECT_EQ(world.taken("a@r.example"), 1) << "the entry has ended";
}

TEST_F(filing_reports, a_tlsa_base_domain_has_its_own_report) {
    PROVES("8460-1.1-a");
    count(
        {dane_sessions("a.example", "mx.host.example", 4), dane_sessions("b.example", "mx.host.example", 3)});
    world.asks("a.example", "mailto:a@r.example");
    world.asks("b.example", "mailto:b@r.example");
    world.asks("mx.host.example", "mailto:h@r.example,mailto:a@r.example");
    begin();
    // a@ gets both: the host's report tells of another domain too.
    EXPECT_THAT(world.accepted,
                UnorderedElementsAre("a@r.example", "b@r.example", "h@r.example", "a@r.example"));
    std::map<std::string, std::uint64_t> sessions_of;
    for (const auto& report : outbox())
        sessions_of[report.domain] = report.success;
    EXPECT_EQ(sessions_of["mx.host.example"], 7u);
}

TEST_F(filing_reports, nobody_gets_the_same_results_twice) {
    count({dane_sessions("a.example", "mx.a.example", 4)});
    world.asks("a.example", "mailto:A@r.example");
    world.asks("mx.a.example", "mailto:a@R.example,mailto:h@r.example");
    begin();
    EXPECT_THAT(world.accepted, UnorderedElementsAre(testing::StrCaseEq("a@r.example"), "h@r.example"));
}

TEST_F(filing_reports, a_base_domain_whose_addresses_all_have_it_gets_none) {
    count({dane_sessions("a.example", "mx.a.example", 4)});
    world.asks("a.example", "mailto:a@r.example,https://r.example/x");
    world.asks("mx.a.example", "https://r.example/x");
    begin();
    EXPECT_THAT(world.accepted, UnorderedElementsAre("a@r.example", "https://r.example/x"));
    EXPECT_EQ(told(kind::not_made), 1u);
    EXPECT_EQ(stored().due, 0u);
}

TEST_F(filing_reports, without_reports_to_base_domains) {
    options.tlsa_base = false;
    count({dane_sessions("a.example", "mx.a.example", 4)});
    world.asks("a.example", "mailto:a@r.example");
    world.asks("mx.a.example", "mailto:h@r.example");
    begin();
    EXPECT_THAT(world.accepted, UnorderedElementsAre("a@r.example"));
    EXPECT_EQ(world.asked["mx.a.example"], 0u);
    EXPECT_EQ(stored().due, 0u);
}

TEST_F(filing_reports, what_becomes_known_later_is_a_further_report) {
    count({sessions("a.example", 4)});
    world.asks("a.example", "mailto:a@r.example");
    begin();
    count({sessions("a.example", 2)});
    pass(1h);
    ASSERT_THAT(world.accepted, SizeIs(2));
    const auto all = outbox();
    ASSERT_THAT(all, SizeIs(2));
    EXPECT_EQ(all[0].part, 1u);
    EXPECT_EQ(all[0].success, 2u);
    EXPECT_EQ(all[1].part, 0u);
    EXPECT_NE(all[0].report_id, all[1].report_id);
    EXPECT_NE(all[0].file_name, all[1].file_name);
}

TEST_F(filing_reports, what_trickles_in_late_is_gathered_for_an_hour) {
    count({sessions("a.example", 4), dane_sessions("d.example", "mx.d.example", 1)});
    world.asks("a.example", "mailto:a@r.example");
    begin();
    const auto asked = world.asked["a.example"];
    for (int i = 0; i < 11; ++i) { // one every five minutes
        count({sessions("a.example", 1)});
        pass(5min);
    }
    EXPECT_THAT(world.accepted, SizeIs(1)) << "the part before is not an hour old";
    EXPECT_EQ(world.asked["a.example"], asked) << "nor is anybody asked";
    count({sessions("new.example", 1)}); // late too, but the first of its domain
    world.asks("new.example", "mailto:n@r.example");
    pass(1s);
    EXPECT_EQ(world.taken("n@r.example"), 1);
    pass(5min);
    ASSERT_EQ(world.taken("a@r.example"), 2);
    EXPECT_EQ(outbox().at(0).success, 11u) << "all of them in one";
    count({sessions("a.example", 2)});
    pass(59min);
    EXPECT_EQ(world.taken("a@r.example"), 2) << "an hour after the latest part, not the first";
    pass(1min);
    EXPECT_EQ(world.taken("a@r.example"), 3);
}

TEST_F(filing_reports, a_day_that_is_sent_by_hand_does_not_wait_for_what_may_still_come) {
    count({sessions("a.example", 4)});
    world.asks("a.example", "mailto:a@r.example");
    begin();
    count({sessions("a.example", 1)});
    settle(); // it is postponed
    ASSERT_THAT(world.accepted, SizeIs(1));
    const auto done = loop.block_on(sender->send_day(report_day));
    ASSERT_TRUE(done);
    EXPECT_EQ(done->filed, 1u);
    EXPECT_THAT(world.accepted, SizeIs(2));
}

TEST_F(filing_reports, what_is_ready_is_filed_together) {
    constexpr std::size_t reports = 250;
    std::vector<model::counted_result> all;
    for (std::size_t i = 0; i < reports; ++i) {
        const auto domain = "d" + std::to_string(i) + ".example";
        all.push_back(sessions(domain, 1 + i % 3));
        if (i % 5 != 0)
            world.asks(domain, "mailto:r" + std::to_string(i) + "@r" + std::to_string(i) + ".example");
    }
    count(all);
    begin();
    EXPECT_TRUE(eventually([&] { return world.accepted.size() == reports / 5 * 4 && sender->idle(); }));
    EXPECT_EQ(told(kind::nobody_asks), reports / 5);
    EXPECT_EQ(sender->counted().filed, reports / 5 * 4);
    EXPECT_EQ(stored().due, 0u);
    for (const auto& report : outbox()) { // each with its own results and addresses
        const auto number = report.domain.substr(1, report.domain.find('.') - 1);
        EXPECT_EQ(report.deliveries.at(0).address, "r" + number + "@r" + number + ".example");
        EXPECT_EQ(report.success, 1 + std::stoul(number) % 3);
    }
    end();
    EXPECT_LE(watched.filings.size(), 12u) << "not one by one";
    EXPECT_LE(std::ranges::max(watched.filings), 100u);
}

TEST_F(filing_reports, one_that_cannot_be_written_keeps_nobody_else_back) {
    watched.poison = "poison.example";
    count({sessions("a.example", 1), sessions("poison.example", 1), sessions("z.example", 1)});
    for (const auto* each : {"a.example", "poison.example", "z.example"})
        world.asks(each, std::string("mailto:") + each + "@r.example");
    begin();
    EXPECT_THAT(world.accepted, UnorderedElementsAre("a.example@r.example", "z.example@r.example"));
    EXPECT_EQ(told(kind::filed), 2u);
    EXPECT_GE(told(kind::trouble), 1u);
    EXPECT_EQ(stored().due, 1u) << "it stays owed";
}

TEST_F(filing_reports, what_a_dead_process_had_in_hand_is_taken_back_by_its_machine_at_once) {
    count({sessions("a.example", 1), sessions("b.example", 1)});
    for (const auto* each : {"a.example", "b.example"})
        world.asks(each, std::string("mailto:") + each + "@r.example");
    const auto before = database->open();
    const auto ours = before->take_due(clock.at, "this", 900s, 1).value().at(0).domain;
    const auto theirs = before->take_due(clock.at, "other", 900s, 1).value().at(0).domain;
    begin();
    EXPECT_THAT(world.accepted, UnorderedElementsAre(ours + "@r.example"));
    pass(899s);
    EXPECT_THAT(world.accepted, SizeIs(1)) << "another machine is at work on it";
    pass(1s);
    EXPECT_THAT(world.accepted, UnorderedElementsAre(ours + "@r.example", theirs + "@r.example"));
}

TEST_F(filing_reports, nothing_is_taken_back_from_a_day_that_is_being_sent) {
    count({sessions("a.example", 1)});
    world.asks("a.example", "mailto:a@r.example");
    make();
    world.mail_answers["a@r.example"] = [&](auto) { // the daemon's beat begins while the mail is out
        sender->start();
        return outside::smtp(451);
    };
    ASSERT_TRUE(loop.block_on(sender->send_day(report_day)));
    settle();
    EXPECT_EQ(watched.taken_back, 0);
    EXPECT_EQ(world.tried("a@r.example"), 1);
}

} // namespace
} // namespace mailtight::deliver
