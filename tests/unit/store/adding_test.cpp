// SPDX-License-Identifier: Apache-2.0
// Every outcome of add(), in both engines: what is the same report (A28), what counts and for whom (A22).
#include "support/proves.h"
#include "support/reports.h"
#include "unit/store/engines.h"

#include <gmock/gmock.h>

#include <limits>

namespace mailtight::store {
namespace {
using tests::report;
using fate = add_outcome::fate;
using model::trust;

class adding : public conformance {
protected:
    std::unique_ptr<store> s = open_store();
    void SetUp() override { own({"example.com"}); }
    void own(const std::vector<std::string>& names) {
        const auto done = s->add_domains(names, tests::day_in_may(1));
        ASSERT_TRUE(done) << done.error().message;
    }
    add_outcome add(const model::received_report& r) {
        const auto out = s->add(std::span(&r, 1));
        EXPECT_TRUE(out) << out.error().message;
        return out ? out->at(0) : add_outcome{.what = fate::test};
    }
    // Success and failure of a domain over all days, of the headline.
    std::pair<std::uint64_t, std::uint64_t> sessions(const std::string& domain = "example.com") {
        const auto rows = s->days({.domains = {domain}});
        EXPECT_TRUE(rows) << rows.error().message;
        std::pair<std::uint64_t, std::uint64_t> out;
        for (const auto& r : rows.value_or(std::vector<day_row>{})) {
            out.first += r.success;
            out.second += r.failure;
        }
        return out;
    }
    report_row row(report_number number) {
        const auto shown = s->show(number);
        EXPECT_TRUE(shown && *shown);
        return shown && *shown ? (*shown)->row : report_row{};
    }
};
using counts = std::pair<std::uint64_t, std::uint64_t>;

TEST_P(adding, a_report_is_counted_once_however_often_it_comes) {
    PROVES("8460-5.3-j");
    const auto first = add(report("id1", "example.com", 3, 100, 2));
    EXPECT_EQ(first.what, fate::added);
    EXPECT_EQ(first.why, "");
    auto copy = report("id1", "example.com", 3, 100, 2);
    copy.json = "{ }"; // packed or indented otherwise: it says the same
    copy.source = "another mailbox";
    const auto again = add(copy);
    EXPECT_EQ(again.what, fate::duplicate);
    EXPECT_EQ(again.number, first.number);
    EXPECT_EQ(sessions(), counts(100, 2));
    EXPECT_EQ(row(first.number).times_seen, 2u);
}

TEST_P(adding, twice_in_one_call_is_once_too) {
    const std::vector batch{report("id1", "example.com", 3, 100), report("id2", "example.com", 3, 10),
                            report("id1", "example.com", 3, 100)};
    const auto out = s->add(batch);
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(out->at(0).what, fate::added);
    EXPECT_EQ(out->at(1).what, fate::added);
    EXPECT_EQ(out->at(2).what, fate::duplicate);
    EXPECT_EQ(out->at(2).number, out->at(0).number);
    EXPECT_LT(out->at(0).number, out->at(1).number);
    EXPECT_EQ(sessions(), counts(110, 0));
}

TEST_P(adding, what_comes_and_is_corrected_in_one_call_leaves_nothing_behind) {
    auto first = report("id1", "example.com", 3, 100);
    first.report.policies[0].type = "tlsa";
    const auto out = s->add(std::vector{first, report("id1", "example.com", 3, 101)});
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(out->at(1).what, fate::correction);
    const auto policies = s->policies({});
    ASSERT_TRUE(policies);
    ASSERT_EQ(policies->size(), 1U); // no row without sessions
    EXPECT_EQ(policies->front().type, "sts");
    EXPECT_EQ(policies->front().success, 101U);
}

TEST_P(adding, what_one_report_says_is_bounded_as_a_whole_so_that_no_sum_overflows) {
    // Few KB of gzip: a hundred details of one kind and a hundred policies, each of as many
    // sessions as a number holds.
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    constexpr std::size_t rows = 100;
    auto flood = report("flood", "example.com", 3, most, most);
    flood.report.policies[0].details.assign(rows, tests::detail("certificate-expired", most));
    flood.report.policies.resize(rows, tests::policy("sts", "example.com", most, most));
    for (int i = 0; i < 3; ++i) {
        flood.report.report_id = "flood" + std::to_string(i);
        EXPECT_EQ(add(flood).what, fate::added);
    }
    constexpr std::uint64_t bound = 3 * 1'000'000'000'000;
    const auto days = s->days({.domains = {"example.com"}});
    ASSERT_TRUE(days) << days.error().message;
    ASSERT_EQ(days->size(), 1U);
    EXPECT_EQ(days->front().failure, bound);
    EXPECT_EQ(days->front().sts_success, bound);
    const auto failures = s->failures({});
    ASSERT_TRUE(failures) << failures.error().message;
    ASSERT_EQ(failures->size(), 1U);
    EXPECT_EQ(failures->front().count, bound);
    const auto policies = s->policies({});
    ASSERT_TRUE(policies) << policies.error().message;
    EXPECT_EQ(policies->at(0).success, bound);
    ASSERT_TRUE(s->results({}));
    // And what is taken back leaves nothing.
    ASSERT_TRUE(s->remove_domain("example.com"));
    ASSERT_TRUE(s->add_domains(std::vector<std::string>{"example.com"}, tests::day_in_may(9)));
    EXPECT_EQ(s->days({.domains = {"example.com"}})->front().sts_failure, bound);
}

TEST_P(adding, nothing_at_all) {
    const auto out = s->add({});
    ASSERT_TRUE(out);
    EXPECT_TRUE(out->empty());
}

TEST_P(adding, a_correction_replaces_and_both_are_kept) {
    const auto old = add(report("id1", "example.com", 3, 100, 2));
    const auto fresh = add(report("id1", "example.com", 3, 101, 5));
    EXPECT_EQ(fresh.what, fate::correction);
    EXPECT_EQ(sessions(), counts(101, 5));
    EXPECT_EQ(row(old.number).state, "superseded");
    EXPECT_EQ(row(fresh.number).state, "counted");
    const auto shown = s->show(fresh.number);
    ASSERT_TRUE(shown && *shown);
    EXPECT_THAT((*shown)->versions, testing::ElementsAre(old.number));
    EXPECT_THAT((*s->show(old.number))->versions, testing::ElementsAre(fresh.number));
    // The old one once more: it is known, and doesn't come back.
    EXPECT_EQ(add(report("id1", "example.com", 3, 100, 2)).what, fate::duplicate);
    EXPECT_EQ(sessions(), counts(101, 5));
}

TEST_P(adding, a_forged_report_never_replaces_a_genuine_one) {
    const auto genuine = add(report("id1", "example.com", 3, 100));
    for (const auto t : {trust::rejected, trust::unverified, trust::authorised}) {
        auto forged = report("id1", "example.com", 3, 0, 10 + static_cast<std::uint64_t>(t));
        forged.trust = t;
        const auto out = add(forged);
        EXPECT_EQ(out.what, fate::outvoted);
        EXPECT_NE(out.number, genuine.number);
        EXPECT_EQ(row(out.number).state, "quarantined");
        EXPECT_EQ(row(out.number).why, out.why);
    }
    EXPECT_EQ(sessions(), counts(100, 0));
    EXPECT_EQ(row(genuine.number).state, "counted");
    EXPECT_EQ((*s->show(genuine.number))->versions.size(), 3u);
}

TEST_P(adding, a_genuine_report_replaces_a_forged_one_that_came_first) {
    auto forged = report("id1", "example.com", 3, 0, 50);
    forged.trust = trust::unverified;
    EXPECT_EQ(add(forged).what, fate::quarantined);
    EXPECT_EQ(add(report("id1", "example.com", 3, 100)).what, fate::correction);
    EXPECT_EQ(add(forged).what, fate::duplicate);
    EXPECT_EQ(sessions(), counts(100, 0));
}

TEST_P(adding, a_better_trusted_copy_makes_a_report_count) {
    auto doubtful = report("id1", "example.com", 3, 100);
    doubtful.trust = trust::unverified;
    const auto first = add(doubtful);
    EXPECT_EQ(first.what, fate::quarantined);
    EXPECT_EQ(first.why, "not verified");
    EXPECT_EQ(sessions(), counts(0, 0));
    const auto again = add(report("id1", "example.com", 3, 100));
    EXPECT_EQ(again.what, fate::duplicate);
    EXPECT_EQ(again.number, first.number);
    EXPECT_EQ(row(first.number).state, "counted");
    EXPECT_EQ(row(first.number).trust, trust::verified);
    EXPECT_EQ(sessions(), counts(100, 0));
    EXPECT_EQ(add(doubtful).what, fate::duplicate); // and stays so
    EXPECT_EQ(row(first.number).trust, trust::verified);
}

TEST_P(adding, an_older_version_leads_once_it_is_believed_more) {
    auto genuine = report("id1", "example.com", 3, 100);
    genuine.trust = trust::unverified; // the key was not to be had
    auto forged = report("id1", "example.com", 3, 7);
    forged.trust = trust::unverified;
    const auto first = add(genuine);
    add(forged);
    EXPECT_EQ(row(first.number).state, "superseded");
    EXPECT_EQ(add(report("id1", "example.com", 3, 100)).what, fate::correction);
    EXPECT_EQ(row(first.number).state, "counted");
    EXPECT_EQ(sessions(), counts(100, 0));
}

TEST_P(adding, verified_counts_verified_reporters) {
    auto by_https = report("id1", "example.com", 3, 100);
    by_https.trust = trust::authorised;
    EXPECT_EQ(add(by_https).what, fate::added);
    EXPECT_FALSE(s->reporters({})->at(0).verified);
    EXPECT_EQ(add(report("id1", "example.com", 3, 100)).what, fate::duplicate);
    EXPECT_TRUE(s->reporters({})->at(0).verified);
    EXPECT_EQ(sessions(), counts(100, 0));
}

TEST_P(adding, several_reports_a_day_and_odd_periods_stand_beside_each_other) {
    auto morning = report("id1", "example.com", 3, 10), evening = report("id1", "example.com", 3, 20);
    morning.report.end = *morning.report.start + std::chrono::hours(12);
    evening.report.start = morning.report.end;
    EXPECT_EQ(add(morning).what, fate::added);
    EXPECT_EQ(add(evening).what, fate::added);
    EXPECT_EQ(add(report("id2", "example.com", 3, 40)).what, fate::added);                 // another id
    EXPECT_EQ(add(report("id1", "example.com", 3, 80, 0, "yahoo.com")).what, fate::added); // another reporter
    EXPECT_EQ(sessions(), counts(150, 0));
    const auto days = s->days({});
    ASSERT_EQ(days->size(), 1u);
    EXPECT_EQ(days->at(0).reports, 4u);
    EXPECT_EQ(days->at(0).reporters, 2u);
}

struct apart {
    const char* name;
    std::function<void(model::received_report&)> spoil;
    const char* why;
};
TEST_P(adding, what_is_kept_apart_and_why) {
    const std::vector<apart> rows{
        {"a domain of nobody here",
         [](auto& r) {
             r.report_domain = "example.net";
             r.report.policies[0].domain = "example.net";
         },
         "not one of our domains"},
        {"a domain below ours is not ours",
         [](auto& r) {
             r.report_domain = "sub.example.com";
             r.report.policies[0].domain = "sub.example.com";
         },
         "not one of our domains"},
        {"no domain at all",
         [](auto& r) {
             r.report_domain = "";
             r.report.policies[0].domain = "";
         },
         "no domain"},
        {"nobody says who reports",
         [](auto& r) {
             r.submitter = "";
             r.report.organization_name = "";
         },
         "no organisation"},
        {"no day", [](auto& r) { r.report.start.reset(); }, "no date"},
        {"unverified", [](auto& r) { r.trust = trust::unverified; }, "not verified"},
        {"rejected", [](auto& r) { r.trust = trust::rejected; }, "not verified"},
    };
    for (const auto& row : rows) {
        auto r = report(row.name, "example.com", 3, 100, 1);
        row.spoil(r);
        const auto out = add(r);
        EXPECT_EQ(out.what, fate::quarantined) << row.name;
        EXPECT_EQ(out.why, row.why) << row.name;
    }
    EXPECT_EQ(sessions(), counts(0, 0));
    EXPECT_THAT(*s->domains(), testing::SizeIs(1)); // a report never makes a domain known
    std::uint64_t apart = 0;
    const auto quarantine = s->quarantine({});
    ASSERT_TRUE(quarantine) << quarantine.error().message;
    for (const auto& row : *quarantine)
        apart += row.reports;
    EXPECT_EQ(apart, rows.size());
    EXPECT_TRUE(s->failures({})->empty());
    EXPECT_TRUE(s->policies({})->empty());
    EXPECT_TRUE(s->reporters({})->empty());
}

TEST_P(adding, the_domain_that_the_mail_names_comes_before_the_policies) {
    PROVES("8460-1.1-a");
    own({"example.org", "mx.example.org"});
    auto dane = report("dane", "example.com", 3, 0);
    dane.report.policies = {tests::policy("sts", "example.com", 10, 0),
                            tests::policy("tlsa", "mx.example.org", 12, 1)};
    add(dane);
    EXPECT_EQ(sessions("example.com").first + sessions("example.com").second,
              23u); // not of one policy domain
    EXPECT_EQ(sessions("mx.example.org"), counts(0, 0));
    auto unnamed = report("unnamed", "", 4, 0);
    unnamed.report.policies = {tests::policy("sts", "example.org", 5), tests::policy("sts", "example.net", 6),
                               tests::policy("sts", "Example.COM", 7)};
    EXPECT_EQ(add(unnamed).what, fate::added);
    EXPECT_EQ(sessions("example.org"), counts(5, 0));
    EXPECT_EQ(sessions("example.com").first, 22u + 7u);
}

TEST_P(adding, sts_and_tlsa_of_one_report_are_the_same_sessions) {
    auto both = report("id1", "example.com", 3, 0);
    both.report.policies = {
        tests::policy("sts", "example.com", 10, 1), tests::policy("tlsa", "example.com", 9, 0),
        tests::policy("no-policy-found", "example.com", 4), tests::policy("x-new", "example.com", 2)};
    add(both);
    const auto days = s->days({});
    ASSERT_EQ(days->size(), 1u);
    const auto& d = days->at(0);
    EXPECT_EQ(d.success, 16u);
    EXPECT_EQ(d.failure, 1u);
    EXPECT_EQ(d.sts_success, 10u);
    EXPECT_EQ(d.sts_failure, 1u);
    EXPECT_EQ(d.tlsa_success, 9u);
    EXPECT_EQ(d.none_success, 4u);
    EXPECT_EQ(d.reports, 1u);
}

TEST_P(adding, a_test_report_is_found_and_never_counted) {
    auto test = report("test", "example.com", 3, 1);
    test.test_token = "abc123";
    const auto out = add(test);
    EXPECT_EQ(out.what, fate::test);
    EXPECT_EQ(sessions(), counts(0, 0));
    EXPECT_EQ(*s->find_test("abc123"), out.number);
    EXPECT_EQ(*s->find_test("abc124"), std::nullopt);
    EXPECT_EQ(*s->find_test(""), std::nullopt);
    EXPECT_THAT(*s->list({}, {}), testing::IsEmpty());
    EXPECT_THAT(*s->list({.what = filter::which::tests}, {}), testing::SizeIs(1));
    // A real one of the same name is another report.
    EXPECT_EQ(add(report("test", "example.com", 3, 1)).what, fate::added);
}

TEST_P(adding, hostile_numbers_and_texts_do_no_harm) {
    auto odd = report("odd\nid'; drop table report; --", "example.com", 3, 5);
    odd.report.organization_name = std::string("a\0b\xff\"\\$1", 8);
    odd.report.policies[0].success = ~std::uint64_t{0};
    odd.report.policies[0].failure = ~std::uint64_t{0};
    odd.report.policies[0].strings = {"line\nbreak", "quote\"", "back\\slash", std::string("nul\0", 4)};
    odd.report.policies[0].details = {
        tests::detail(std::string(60'000, 'x'), ~std::uint64_t{0}, "mx", std::string(60'000, 'y'))};
    for (int i = 0; i < 20; ++i) {
        odd.report.report_id = "huge " + std::to_string(i);
        EXPECT_EQ(add(odd).what, fate::added);
        auto unbelieved = odd;
        unbelieved.report.report_id = "liar " + std::to_string(i);
        unbelieved.trust = trust::rejected;
        EXPECT_EQ(add(unbelieved).what, fate::quarantined);
    }
    for (const auto* asked : {"days", "reporters", "results", "failures", "policies", "quarantine", "list"}) {
        const std::string_view q = asked;
        const bool answered = q == "days"         ? s->days({}).has_value()
                              : q == "reporters"  ? s->reporters({}).has_value()
                              : q == "results"    ? s->results({}).has_value()
                              : q == "failures"   ? s->failures({}).has_value()
                              : q == "policies"   ? s->policies({}).has_value()
                              : q == "quarantine" ? s->quarantine({}).has_value()
                                                  : s->list({}, {}).has_value();
        EXPECT_TRUE(answered) << asked;
    }
    EXPECT_GT(sessions().first, 0u);
    const auto listed = s->list({}, {.limit = 1});
    ASSERT_EQ(listed->size(), 1u);
    const auto shown = *s->show(listed->at(0).number);
    EXPECT_EQ(shown->report.report.policies[0].strings[0], "line\nbreak");
    EXPECT_EQ(shown->report.report.policies[0].strings[1], "quote\"");
    EXPECT_EQ(shown->report.report.policies[0].strings[2], "back\\slash");
    EXPECT_EQ(shown->report.report.policies[0].strings[3], "nul\xEF\xBF\xBD");
    EXPECT_EQ(shown->report.report.organization_name, "a\xEF\xBF\xBD"
                                                      "b\xEF\xBF\xBD\"\\$1");
}

TEST_P(adding, a_report_comes_back_as_it_went_in) {
    auto r = report("id1", "example.com", 3, 100, 3);
    r.report.inferred = {"start"};
    r.report.truncated = true;
    r.report.warnings = {
        {.code = tlsrpt::quirk::mx_host_not_array, .where = "policies[0]", .detail = "a \"text\""},
        {.code = tlsrpt::quirk::file_name_disagrees}};
    r.report.policies[0].inferred = {"domain"};
    r.report.policies[0].mx_patterns = {"*.example.com", "mx1.example.com"};
    r.report.policies[0].details[0].additional_information = "https://example.net/?a=b";
    r.report.policies.push_back(tests::policy("no-policy-found", "example.com", 1));
    r.json = std::string(100'000, ' ') + "{}";
    r.dkim.reason = "why";
    for (const auto t : {trust::verified, trust::rejected}) { // counted and kept apart
        r.trust = t;
        r.report.report_id += "x";
        const auto number = add(r).number;
        const auto shown = s->show(number);
        ASSERT_TRUE(shown && *shown);
        const auto& back = (*shown)->report;
        EXPECT_EQ(back.report, r.report);
        EXPECT_EQ(back.json, r.json);
        EXPECT_EQ(back.trust, r.trust);
        EXPECT_EQ(back.trust_reason, r.trust_reason);
        EXPECT_EQ(back.submitter, r.submitter);
        EXPECT_EQ(back.report_domain, r.report_domain);
        EXPECT_EQ(back.recipient, r.recipient);
        EXPECT_EQ(back.source, r.source);
        EXPECT_EQ(back.format, r.format);
        EXPECT_EQ(back.way, r.way);
        EXPECT_EQ(back.received_at, r.received_at);
        EXPECT_EQ(back.dkim.result, r.dkim.result);
        EXPECT_EQ(back.dkim.domain, r.dkim.domain);
        EXPECT_EQ(back.dkim.selector, r.dkim.selector);
        EXPECT_EQ(back.dkim.reason, r.dkim.reason);
        EXPECT_TRUE(back.dkim.mail);
        EXPECT_EQ((*shown)->row.warnings, 2u);
        EXPECT_EQ((*shown)->row.reporter, "google.com");
    }
    EXPECT_EQ(*s->show(12345), std::nullopt) << "no such report";
}

INSTANTIATE_TEST_SUITE_P(engines, adding, testing::Values(engine::sqlite, engine::postgres),
                         [](const auto& info) {
                             return info.param == engine::sqlite ? "sqlite" : "postgres";
                         });

} // namespace
} // namespace mailtight::store
