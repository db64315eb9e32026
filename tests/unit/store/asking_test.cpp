// SPDX-License-Identifier: Apache-2.0
// Every question with the numbers it has to give, in both engines, over one small world of reports.
#include "support/reports.h"
#include "unit/store/engines.h"

#include <gmock/gmock.h>

namespace mailtight::store {
namespace {
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using tests::day_in_may;
using tests::detail;
using tests::report;

day may(unsigned d) {
    return std::chrono::floor<std::chrono::days>(day_in_may(d));
}

// Google and Yahoo about example.com from 3 to 5 May, Google about example.org on the 4th; failures at two
// hosts.
class asking : public conformance {
protected:
    std::unique_ptr<store> s = open_store();

    void SetUp() override {
        ASSERT_TRUE(s->add_domains(std::vector<std::string>{"Example.COM", "example.org"}, day_in_may(1)));
        std::vector<model::received_report> world;
        for (unsigned d = 3; d <= 5; ++d)
            world.push_back(report("g" + std::to_string(d), "example.com", d, 100 + d, d == 3 ? 0 : d));
        auto mixed = report("y4", "example.com", 4, 40, 0, "yahoo.com");
        mixed.trust = model::trust::authorised;
        mixed.report.policies[0].failure = 9;
        mixed.report.policies[0].strings[1] = "mode: testing";
        mixed.report.policies[0].details = {detail("certificate-expired", 5),
                                            detail("starttls-not-supported", 3, "mx2.example.com", "refused"),
                                            detail("certificate-expired", 1)};
        mixed.report.policies[0].details[2].sending_mta_ip = "192.0.2.10";
        mixed.report.policies.push_back(tests::policy("tlsa", "example.com", 30, 1));
        mixed.report.policies[1].details = {detail("tlsa-invalid", 1, "")};
        world.push_back(mixed);
        world.push_back(report("o4", "example.org", 4, 7));
        auto doubtful = report("d6", "example.com", 6, 1000, 1000, "elsewhere.example");
        doubtful.trust = model::trust::unverified;
        world.push_back(doubtful);
        const auto out = s->add(world);
        ASSERT_TRUE(out) << out.error().message;
    }
};

TEST_P(asking, names_below_our_domains_that_trusted_reports_name) {
    std::vector<model::received_report> more{report("s1", "shop.example.com", 4, 5),
                                             report("s2", "shop.example.com", 5, 5),
                                             report("deep", "Deep.Down.example.com", 5, 5),
                                             report("old", "old.example.com", 1, 5),
                                             report("other", "notexample.com", 5, 5),
                                             report("theirs", "sub.example.net", 5, 5),
                                             report("above", "com", 5, 5)};
    auto part = report("part", "example.com", 5, 5); // a policy of another name in a report about ours
    part.report.policies.push_back(tests::policy("sts", "inner.example.com", 3, 0));
    more.push_back(part);
    for (const auto how : {model::trust::unverified, model::trust::rejected}) {
        auto forged = report("forged" + std::to_string(static_cast<int>(how)), "made-up.example.com", 5, 5);
        forged.trust = how;
        more.push_back(forged);
    }
    ASSERT_TRUE(s->add(more));
    const std::vector<std::string> ours{"Example.com", "example.org"};
    const auto names = s->names_below(ours, may(3), 100);
    ASSERT_TRUE(names) << names.error().message;
    EXPECT_THAT(*names, ElementsAre("deep.down.example.com", "inner.example.com", "shop.example.com"));
    EXPECT_THAT(s->names_below(ours, may(1), 100).value(), testing::Contains("old.example.com"));
    EXPECT_THAT(s->names_below(ours, may(3), 2).value(), SizeIs(2));
    EXPECT_THAT(s->names_below({}, may(3), 100).value(), IsEmpty());
    // A name that is looked after itself is not told, and what is below it is its own.
    const std::vector<std::string> with_down{"example.com", "shop.example.com", "down.example.com"};
    EXPECT_THAT(s->names_below(with_down, may(3), 100).value(),
                ElementsAre("deep.down.example.com", "inner.example.com"));
    EXPECT_THAT(s->names_below(std::vector<std::string>{"example.net"}, may(3), 100).value(),
                ElementsAre("sub.example.net"));
}

TEST_P(asking, names_below_are_found_beyond_a_page) {
    std::vector<model::received_report> many;
    for (int i = 0; i < 2'300; ++i)
        many.push_back(report("m" + std::to_string(i), "n" + std::to_string(i) + ".elsewhere.example", 5, 1));
    many.push_back(report("z", "z.example.com", 5, 1));
    ASSERT_TRUE(s->add(many));
    EXPECT_THAT(s->names_below(std::vector<std::string>{"example.com"}, may(1), 10).value(),
                ElementsAre("z.example.com"));
    EXPECT_THAT(s->names_below(std::vector<std::string>{"elsewhere.example"}, may(1), 5'000).value(),
                SizeIs(2'300));
}

TEST_P(asking, days_of_all_domains) {
    const auto rows = s->days({});
    ASSERT_TRUE(rows) << rows.error().message;
    ASSERT_THAT(*rows, SizeIs(4));
    EXPECT_EQ(rows->at(0).domain, "example.com");
    EXPECT_EQ(rows->at(0).day, may(3));
    EXPECT_EQ(rows->at(0).success, 103u);
    EXPECT_EQ(rows->at(1).day, may(4));
    EXPECT_EQ(rows->at(1).success, 104u + 40u);
    EXPECT_EQ(rows->at(1).failure, 4u + 9u);
    EXPECT_EQ(rows->at(1).sts_success, 144u);
    EXPECT_EQ(rows->at(1).tlsa_success, 30u);
    EXPECT_EQ(rows->at(1).tlsa_failure, 1u);
    EXPECT_EQ(rows->at(1).reporters, 2u);
    EXPECT_EQ(rows->at(1).reports, 2u);
    EXPECT_EQ(rows->at(2).failure, 5u);
    EXPECT_EQ(rows->at(3).domain, "example.org");
    EXPECT_EQ(rows->at(3).success, 7u);
}

TEST_P(asking, days_narrowed) {
    EXPECT_THAT(*s->days({.domains = {"example.org"}}), SizeIs(1));
    EXPECT_THAT(*s->days({.domains = {"EXAMPLE.org", "example.com"}}), SizeIs(4));
    EXPECT_THAT(*s->days({.domains = {"example.net"}}), IsEmpty());
    EXPECT_THAT(*s->days({.from = may(4)}), SizeIs(3));
    EXPECT_THAT(*s->days({.to = may(4)}), SizeIs(3));
    EXPECT_THAT(*s->days({.domains = {"example.com"}, .from = may(4), .to = may(4)}), SizeIs(1));
    const auto yahoo = s->days({.reporters = {"yahoo.com"}});
    ASSERT_THAT(*yahoo, SizeIs(1));
    EXPECT_EQ(yahoo->at(0).success, 40u);
    EXPECT_EQ(yahoo->at(0).failure, 9u);
    EXPECT_EQ(yahoo->at(0).reporters, 1u);
    EXPECT_THAT(*s->days({.reporters = {"nobody.example"}}), IsEmpty());
    const auto expired = s->days({.domains = {"example.com"}, .result_type = "certificate-expired"});
    ASSERT_THAT(*expired, SizeIs(2));
    EXPECT_EQ(expired->at(0).failure, 4u + 6u);
    EXPECT_EQ(expired->at(0).sts_failure, 10u);
    EXPECT_EQ(expired->at(0).success, 0u);
    EXPECT_EQ(expired->at(0).reporters, 2u);
    EXPECT_EQ(expired->at(1).failure, 5u);
    const auto at_second = s->days({.mx = "MX2.example.com"});
    ASSERT_THAT(*at_second, SizeIs(1));
    EXPECT_EQ(at_second->at(0).failure, 3u);
}

TEST_P(asking, reporters) {
    const auto rows = s->reporters({.domains = {"example.com"}});
    ASSERT_TRUE(rows) << rows.error().message;
    ASSERT_THAT(*rows, SizeIs(2));
    const auto& google = rows->at(0);
    EXPECT_EQ(google.reporter, "google.com");
    EXPECT_EQ(google.organization, "Google Inc.");
    EXPECT_EQ(google.success, 103u + 104u + 105u);
    EXPECT_EQ(google.failure, 9u);
    EXPECT_EQ(google.reports, 3u);
    EXPECT_EQ(google.first, may(3));
    EXPECT_EQ(google.last, may(5));
    EXPECT_EQ(google.last_received, day_in_may(6) + std::chrono::hours(3));
    EXPECT_EQ(google.usual_interval, std::chrono::hours(24));
    EXPECT_TRUE(google.verified);
    const auto& yahoo = rows->at(1);
    EXPECT_EQ(yahoo.reporter, "yahoo.com");
    EXPECT_EQ(yahoo.usual_interval, std::chrono::seconds(0)); // one period is no rhythm
    EXPECT_FALSE(yahoo.verified);
    EXPECT_THAT(*s->reporters({}), SizeIs(3));
    EXPECT_THAT(*s->reporters({.from = may(5)}), SizeIs(1));
    const auto failing = s->reporters({.result_type = "starttls-not-supported"});
    ASSERT_THAT(*failing, SizeIs(1));
    EXPECT_EQ(failing->at(0).reporter, "yahoo.com");
    EXPECT_EQ(failing->at(0).failure, 3u);
}

TEST_P(asking, the_rhythm_of_a_reporter_with_several_a_day) {
    std::vector<model::received_report> every_six_hours;
    for (int i = 0; i < 9; ++i) {
        auto r = report("six" + std::to_string(i), "example.org", 10, 1, 0, "often.example");
        r.report.start = day_in_may(10) + std::chrono::hours(6 * i);
        r.report.end = *r.report.start + std::chrono::hours(6) - std::chrono::seconds(1);
        every_six_hours.push_back(r);
    }
    ASSERT_TRUE(s->add(every_six_hours));
    const auto rows = s->reporters({.reporters = {"often.example"}});
    ASSERT_THAT(*rows, SizeIs(1));
    EXPECT_EQ(rows->at(0).usual_interval, std::chrono::hours(6));
    EXPECT_EQ(rows->at(0).reports, 9u);
}

TEST_P(asking, the_days_of_each_reporter_over_all_domains) {
    const auto rows = s->reporter_days({});
    ASSERT_TRUE(rows) << rows.error().message;
    ASSERT_THAT(*rows, SizeIs(4)) << "Google on three days, Yahoo on one";
    EXPECT_EQ(rows->at(0).reporter, "google.com");
    EXPECT_EQ(rows->at(0).organization, "Google Inc.");
    EXPECT_EQ(rows->at(0).day, may(3));
    EXPECT_EQ(rows->at(1).success, 104u + 7u) << "of both domains";
    EXPECT_EQ(rows->at(1).failure, 4u);
    EXPECT_EQ(rows->at(1).reports, 2u);
    EXPECT_TRUE(rows->at(1).verified);
    EXPECT_EQ(rows->at(3).reporter, "yahoo.com");
    EXPECT_FALSE(rows->at(3).verified);
    EXPECT_THAT(*s->reporter_days({.domains = {"example.org"}}), SizeIs(1));
    EXPECT_THAT(*s->reporter_days({.reporters = {"yahoo.com"}}), SizeIs(1));
    EXPECT_THAT(*s->reporter_days({.from = may(4), .to = may(4)}), SizeIs(2));
    EXPECT_THAT(*s->reporter_days({.domains = {"example.net"}}), IsEmpty());
    const auto failing = s->reporter_days({.mx = "mx2.example.com"});
    ASSERT_THAT(*failing, SizeIs(1));
    EXPECT_EQ(failing->at(0).failure, 3u);
    EXPECT_EQ(failing->at(0).success, 0u);
}

TEST_P(asking, the_domains_with_the_most_failures) {
    const auto all = s->worst_domains({}, 10);
    ASSERT_TRUE(all) << all.error().message;
    ASSERT_THAT(*all, SizeIs(2));
    EXPECT_EQ(all->at(0).domain, "example.com");
    std::uint64_t success = 0, failure = 0;
    for (const auto& row : *s->days({.domains = {"example.com"}})) {
        success += row.success;
        failure += row.failure;
    }
    EXPECT_EQ(all->at(0).success, success);
    EXPECT_EQ(all->at(0).failure, failure);
    EXPECT_EQ(all->at(1).success, 7u);
    EXPECT_THAT(*s->worst_domains({}, 1), SizeIs(1));
    EXPECT_THAT(*s->worst_domains({.domains = {"Example.org"}}, 10), SizeIs(1));
    EXPECT_THAT(*s->worst_domains({.from = may(5)}, 10), SizeIs(1));
    const auto of_yahoo = s->worst_domains({.reporters = {"yahoo.com"}}, 10);
    ASSERT_THAT(*of_yahoo, SizeIs(1));
    EXPECT_EQ(of_yahoo->at(0).failure, s->reporters({.reporters = {"yahoo.com"}})->at(0).failure);
    const auto at_mx2 = s->worst_domains({.mx = "mx2.example.com"}, 10);
    ASSERT_THAT(*at_mx2, SizeIs(1));
    EXPECT_EQ(at_mx2->at(0).failure, 3u);
    EXPECT_EQ(at_mx2->at(0).success, 0u);
}

TEST_P(asking, the_newest_day) {
    const auto newest = [&](std::vector<std::string> domains) { return *s->newest_day(domains); };
    EXPECT_EQ(newest({}), may(5)) << "what is kept apart does not count";
    EXPECT_EQ(newest({"Example.org"}), may(4));
    EXPECT_EQ(newest({"example.org", "example.com"}), may(5));
    EXPECT_FALSE(newest({"example.net"}));
}

TEST_P(asking, the_worst_failures_and_how_many_are_left_out) {
    const auto worst = s->worst_failures({}, 1);
    ASSERT_TRUE(worst) << worst.error().message;
    EXPECT_EQ(worst->left_out, 2u);
    ASSERT_THAT(worst->rows, SizeIs(2)) << "of one kind, by two reporters";
    EXPECT_EQ(worst->rows[0].count, 9u);
    EXPECT_EQ(worst->rows[1].count, 6u);
    EXPECT_THAT(worst->rows[1].sending_ips, ElementsAre("192.0.2.9", "192.0.2.10"));
    EXPECT_EQ(s->worst_failures({}, 3)->left_out, 0u);
    EXPECT_THAT(s->worst_failures({}, 3)->rows, SizeIs(4));
    EXPECT_THAT(s->worst_failures({}, 0)->rows, IsEmpty());
}

TEST_P(asking, failures_by_kind) {
    const auto rows = s->failures({});
    ASSERT_TRUE(rows) << rows.error().message;
    ASSERT_THAT(*rows, SizeIs(4));
    const auto& google = rows->at(0);
    EXPECT_EQ(google.reporter, "google.com");
    EXPECT_EQ(google.organization, "Google Inc.");
    EXPECT_EQ(google.domain, "example.com");
    EXPECT_EQ(google.policy_type, "sts");
    EXPECT_EQ(google.policy_mode, "enforce");
    EXPECT_NE(google.policy_text, 0);
    EXPECT_EQ(google.result_type, "certificate-expired");
    EXPECT_EQ(google.mx, "mx1.example.com");
    EXPECT_EQ(google.count, 9u);
    EXPECT_EQ(google.first, may(4));
    EXPECT_EQ(google.last, may(5));
    EXPECT_THAT(google.sending_ips, ElementsAre("192.0.2.9"));
    EXPECT_THAT(google.receiving_ips, ElementsAre("198.51.100.1"));
    EXPECT_EQ((*s->show(google.last_report))->row.report_id, "g5");
    const auto& yahoo = rows->at(1);
    EXPECT_EQ(yahoo.count, 6u);
    EXPECT_EQ(yahoo.policy_mode, "testing");
    EXPECT_THAT(yahoo.sending_ips, ElementsAre("192.0.2.9", "192.0.2.10"));
    EXPECT_EQ(rows->at(2).result_type, "starttls-not-supported");
    EXPECT_EQ(rows->at(2).reason_code, "refused");
    EXPECT_EQ(rows->at(3).policy_type, "tlsa");
    EXPECT_EQ(rows->at(3).policy_mode, "");
    EXPECT_EQ(rows->at(3).mx, "");
    EXPECT_THAT(*s->failures({.mx = "mx2.example.com"}), SizeIs(1));
    EXPECT_THAT(*s->failures({.result_type = "certificate-expired", .from = may(5)}), SizeIs(1));
    EXPECT_THAT(*s->failures({.domains = {"example.org"}}), IsEmpty());
    EXPECT_THAT(*s->failures({.result_type = "never-heard-of"}), IsEmpty());
}

TEST_P(asking, results_and_hosts) {
    const auto results = s->results({});
    ASSERT_TRUE(results) << results.error().message;
    ASSERT_THAT(*results, SizeIs(3));
    EXPECT_EQ(results->at(0).result_type, "certificate-expired");
    EXPECT_EQ(results->at(0).count, 15u);
    EXPECT_EQ(results->at(0).reporters, 2u);
    EXPECT_EQ(results->at(0).first, may(4));
    EXPECT_EQ(results->at(0).last, may(5));
    EXPECT_EQ(results->at(1).count, 3u);
    const auto hosts = s->reporters_by_mx({});
    ASSERT_TRUE(hosts) << hosts.error().message;
    ASSERT_THAT(*hosts, SizeIs(4));
    EXPECT_EQ(hosts->at(0).reporter, "google.com");
    EXPECT_EQ(hosts->at(0).mx, "mx1.example.com");
    EXPECT_EQ(hosts->at(0).failure, 9u);
    EXPECT_EQ(hosts->at(1).mx, ""); // the reporter does not say
    EXPECT_EQ(hosts->at(3).mx, "mx2.example.com");
    EXPECT_EQ(hosts->at(3).failure, 3u);
}

TEST_P(asking, policies_that_were_seen) {
    const auto rows = s->policies({.domains = {"example.com"}});
    ASSERT_TRUE(rows) << rows.error().message;
    ASSERT_THAT(*rows, SizeIs(3));
    EXPECT_EQ(rows->at(0).last, may(5)); // the one seen last comes first
    EXPECT_EQ(rows->at(0).first, may(3));
    EXPECT_EQ(rows->at(0).strings.at(1), "mode: enforce");
    EXPECT_EQ(rows->at(0).success, 312u);
    EXPECT_EQ(rows->at(0).failure, 9u);
    EXPECT_THAT(rows->at(0).reporters, ElementsAre("google.com"));
    EXPECT_EQ(rows->at(1).type, "sts");
    EXPECT_EQ(rows->at(1).strings.at(1), "mode: testing");
    EXPECT_EQ(rows->at(2).type, "tlsa");
    EXPECT_THAT(rows->at(2).strings, IsEmpty());
    EXPECT_THAT(rows->at(2).reporters, ElementsAre("yahoo.com"));
}

TEST_P(asking, lists) {
    const auto all = s->list({}, {});
    ASSERT_TRUE(all) << all.error().message;
    ASSERT_THAT(*all, SizeIs(5));
    EXPECT_EQ(all->at(0).report_id, "o4"); // newest first
    EXPECT_EQ(all->at(4).report_id, "g3");
    EXPECT_EQ(all->at(1).report_id, "y4");
    EXPECT_EQ(all->at(1).success, 40u);
    EXPECT_EQ(all->at(1).failure, 9u);
    EXPECT_EQ(all->at(1).start, day_in_may(4));
    EXPECT_EQ(all->at(1).trust, model::trust::authorised);
    EXPECT_EQ(all->at(1).state, "counted");
    EXPECT_EQ(all->at(1).way, model::way_in::smtp);
    EXPECT_THAT(*s->list({}, {.limit = 2}), SizeIs(2));
    const auto second_page = s->list({}, {.limit = 2, .offset = 2});
    ASSERT_THAT(*second_page, SizeIs(2));
    EXPECT_EQ(second_page->at(0).report_id, "g5");
    EXPECT_THAT(*s->list({.domains = {"example.org"}}, {}), SizeIs(1));
    EXPECT_THAT(*s->list({.domains = {"example.org", "example.com"}}, {}), SizeIs(5));
    EXPECT_THAT(*s->list({.reporters = {"yahoo.com"}}, {}), SizeIs(1));
    EXPECT_THAT(*s->list({.result_type = "certificate-expired"}, {}), SizeIs(3));
    EXPECT_THAT(*s->list({.mx = "mx2.example.com"}, {}), SizeIs(1));
    EXPECT_THAT(*s->list({.from = may(4), .to = may(4)}, {}), SizeIs(3));
    EXPECT_THAT(*s->list({.only_failures = true}, {}), SizeIs(3));
    EXPECT_THAT(*s->list({.what = filter::which::all}, {}), SizeIs(6));
    const auto apart = s->list({.domains = {"example.com"}, .what = filter::which::quarantined}, {});
    ASSERT_THAT(*apart, SizeIs(1));
    EXPECT_EQ(apart->at(0).state, "quarantined");
    EXPECT_EQ(apart->at(0).why, "not verified");
}

TEST_P(asking, what_is_kept_apart) {
    const auto rows = s->quarantine({});
    ASSERT_TRUE(rows) << rows.error().message;
    ASSERT_THAT(*rows, SizeIs(1));
    EXPECT_EQ(rows->at(0).why, "not verified");
    EXPECT_EQ(rows->at(0).domain, "example.com");
    EXPECT_EQ(rows->at(0).reporter, "elsewhere.example");
    EXPECT_EQ(rows->at(0).trust, model::trust::unverified);
    EXPECT_EQ(rows->at(0).reports, 1u);
    EXPECT_EQ(rows->at(0).success, 1000u);
    EXPECT_EQ(rows->at(0).last, day_in_may(7) + std::chrono::hours(3));
    EXPECT_THAT(*s->quarantine({.domains = {"example.org"}}), IsEmpty());
    EXPECT_THAT(*s->quarantine({.to = may(5)}), IsEmpty());
}

TEST_P(asking, sizes) {
    const auto size = s->size();
    ASSERT_TRUE(size) << size.error().message;
    EXPECT_EQ(size->reports, 6u);
    EXPECT_EQ(size->policy_results, 7u);
    EXPECT_EQ(size->details, 7u);
    EXPECT_GT(size->bytes, 10'000u);
    EXPECT_EQ(size->schema, 5u);
}

TEST_P(asking, facts) {
    EXPECT_EQ(*s->fact("imap/uid"), std::nullopt);
    ASSERT_TRUE(s->set_fact("imap/uid", "17"));
    ASSERT_TRUE(s->set_fact("imap/uid", "18"));
    ASSERT_TRUE(s->set_fact("imap_", "x"));
    ASSERT_TRUE(s->set_fact("alarm/ä%", "line\nbreak"));
    EXPECT_EQ(*s->fact("imap/uid"), "18");
    EXPECT_THAT(*s->facts("imap/"), ElementsAre(std::pair<std::string, std::string>("imap/uid", "18")));
    EXPECT_THAT(*s->facts("alarm/ä"), SizeIs(1));
    EXPECT_THAT(*s->facts(""), SizeIs(3));
    ASSERT_TRUE(s->set_fact("imap/uid", ""));
    EXPECT_EQ(*s->fact("imap/uid"), std::nullopt);
}

TEST_P(asking, any_text_may_be_asked_for) {
    for (const auto& odd :
         {std::string("a\0b", 3), std::string("\xff"), std::string("' or 1 = 1 --"), std::string("%")}) {
        EXPECT_THAT(*s->days({.domains = {odd}}), IsEmpty());
        EXPECT_THAT(*s->list({.domains = {odd}, .reporters = {odd}, .result_type = odd, .mx = odd}, {}),
                    IsEmpty());
        EXPECT_THAT(*s->failures({.reporters = {odd}, .result_type = odd, .mx = odd}), IsEmpty());
        EXPECT_EQ(*s->fact(odd), std::nullopt);
        EXPECT_THAT(*s->facts(odd), IsEmpty());
        EXPECT_EQ(*s->find_test(odd), std::nullopt);
        ASSERT_TRUE(s->remove_domain(odd));
    }
}

TEST_P(asking, those_who_may_not_write_may_ask) {
    const auto reader = open_store(true);
    EXPECT_THAT(*reader->days({}), SizeIs(4));
    const auto refused = reader->set_fact("a", "b");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().what, store_error::kind::full);
}

INSTANTIATE_TEST_SUITE_P(engines, asking, testing::Values(engine::sqlite, engine::postgres),
                         [](const auto& info) {
                             return info.param == engine::sqlite ? "sqlite" : "postgres";
                         });

} // namespace
} // namespace mailtight::store
