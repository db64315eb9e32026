// SPDX-License-Identifier: Apache-2.0
// Reports received over the API: what is understood, what is answered, and that who sees the domains of one
// owner alone learns nothing of others'.
#include "received_world.h"

#include "insight/render_report.h"

namespace mailtight::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

store::day may(unsigned d) {
    return std::chrono::floor<std::chrono::days>(tests::day_in_may(d));
}

store::report_row row(std::int64_t number, std::string domain) {
    return {.number = number,
            .reporter = "google.com",
            .organization = "Google Inc.",
            .report_id = "id-" + std::to_string(number),
            .report_domain = std::move(domain),
            .start = tests::day_in_may(3),
            .end = tests::day_in_may(4),
            .received_at = tests::day_in_may(4),
            .way = model::way_in::smtp,
            .trust = model::trust::verified,
            .success = 10,
            .failure = 2,
            .warnings = 1,
            .state = "counted"};
}

insight::failure_group group(std::string domain, std::string result, std::string mx) {
    insight::failure_group made;
    made.diagnosis.confidence = "certain";
    made.domain = std::move(domain);
    made.result_type = std::move(result);
    made.mx = std::move(mx);
    made.policy_type = "sts";
    made.count = 7;
    made.held_back = 7;
    made.reporters = {"google.com"};
    made.first = may(3);
    made.last = may(4);
    made.last_report = 12;
    return made;
}

TEST_F(received_api, reports_are_listed_as_the_command_lists_them) {
    desk_.rows = {row(9, "example.com"), row(8, "")};
    desk_.rows[1].start = desk_.rows[1].end = {};
    const auto said =
        good("GET", "/reports?domain=Example.COM.&reporter=Google.com&result=Certificate-Expired"
                    "&mx=MX1.example.com&from=2026-05-01&to=2026-05-04&failures=1&what=all"
                    "&offset=20&limit=2");
    EXPECT_THAT(desk_.asked.domains, ElementsAre("example.com"));
    EXPECT_THAT(desk_.asked.reporters, ElementsAre("google.com"));
    EXPECT_EQ(desk_.asked.result_type, "certificate-expired");
    EXPECT_EQ(desk_.asked.mx, "mx1.example.com");
    EXPECT_EQ(desk_.asked.from, may(1));
    EXPECT_EQ(desk_.asked.to, may(4));
    EXPECT_TRUE(desk_.asked.only_failures);
    EXPECT_EQ(desk_.asked.what, store::filter::which::all);
    EXPECT_EQ(desk_.asked_page.offset, 20u);
    EXPECT_TRUE(said.at("next").is_null());
    ASSERT_THAT(said.at("reports").as_array(), SizeIs(2));
    EXPECT_EQ(said.at("reports").at(0).at("start").as_string(), "2026-05-03T00:00:00Z");
    EXPECT_TRUE(said.at("reports").at(1).at("start").is_null()) << "never 1970";
}

TEST_F(received_api, lists_come_in_pages) {
    for (int i = 0; i < 3; ++i)
        desk_.rows.push_back(row(9 - i, "example.com"));
    const auto said = good("GET", "/reports?limit=2&offset=4");
    EXPECT_EQ(desk_.asked_page.limit, 3u) << "one more shows whether there is a next page";
    EXPECT_THAT(said.at("reports").as_array(), SizeIs(2));
    EXPECT_EQ(said.at("next").to_number<int>(), 6);
    EXPECT_FALSE(desk_.asked.from) << "lists are of all time";
    good("GET", "/reports?limit=5000");
    EXPECT_EQ(desk_.asked_page.limit, 1'001u);
}

TEST_F(received_api, questions_that_make_no_sense_are_refused) {
    struct row {
        const char *target, *says;
    };
    for (const row& r :
         {row{"/reports?domain=a..b", "a domain's name"}, row{"/reports?domain=%00", "a domain's name"},
          row{"/reports?from=yesterday", "written 2026-01-31"},
          row{"/reports?to=2026-02-30", "written 2026-01-31"},
          row{"/reports?from=2026-05-04&to=2026-05-03", "later than"},
          row{"/reports?what=lost", "quarantined"}, row{"/reports?offset=1000001", "narrow"},
          row{"/report-summary?from=2000-01-01", "ten years"}, row{"/failures?from=2000-01-01", "ten years"}})
        EXPECT_THAT(bad(400, "GET", r.target), HasSubstr(r.says)) << r.target;
    EXPECT_EQ(desk_.questions, 0);
    desk_.is_away = true;
    for (const char* target : {"/reports", "/reports/1", "/report-summary", "/failures"})
        EXPECT_THAT(bad(503, "GET", target), HasSubstr("connection refused")) << target;
}

TEST_F(received_api, one_report_is_shown_as_its_document_and_as_it_came) {
    const auto whole = tests::report("g3", "example.com", 3, 100, 3);
    store::stored_report stored{.row = row(9, "example.com"), .report = whole, .versions = {4}};
    desk_.reports[9] = {"example.com", insight::stored_json(stored, {}, 100)};
    desk_.bodies[9] = whole.json;
    const auto said = good("GET", "/reports/9");
    EXPECT_TRUE(said.at("raw").as_bool());
    EXPECT_EQ(said.at("left_out").to_number<int>(), 0);
    EXPECT_EQ(said.at("policies").at(0).at("details").at(0).at("count").to_number<int>(), 3);
    const auto raw = ask("GET", "/reports/9/raw");
    EXPECT_EQ(raw.status, 200);
    EXPECT_EQ(raw.body, whole.json);
    EXPECT_THAT(raw.fields, testing::Contains(testing::Pair("X-Content-Type-Options", "nosniff")));
    EXPECT_THAT(raw.fields, testing::Contains(testing::Pair("Content-Disposition", HasSubstr("attachment"))))
        << "a stranger's text is no page of ours";
    desk_.bodies[9].clear();
    EXPECT_THAT(bad(404, "GET", "/reports/9/raw"), HasSubstr("no longer kept"));
    for (const char* none : {"/reports/8", "/reports/0", "/reports/-9", "/reports/nine", "/reports/8/raw",
                             "/reports/99999999999999999999"})
        bad(404, "GET", none);
}

TEST_F(received_api, a_very_large_report_is_cut_and_counts_all_the_same) {
    auto whole = tests::report("big", "example.com", 3, 100, 50);
    for (int i = 0; i < 49; ++i)
        whole.report.policies[0].details.push_back(tests::detail("certificate-expired", 1));
    whole.report.policies.push_back(whole.report.policies[0]);
    const auto cut = insight::report_json(whole, {}, 20);
    EXPECT_THAT(cut.at("policies").as_array(), SizeIs(1));
    EXPECT_THAT(cut.at("policies").at(0).at("details").as_array(), SizeIs(19)) << "the policy is a row too";
    EXPECT_EQ(cut.at("left_out").to_number<int>(), 31 + 1 + 50);
    EXPECT_EQ(cut.at("headline").at("failure").to_number<int>(), 100);
    EXPECT_FALSE(insight::report_json(whole).contains("left_out")) << "the command shows all";
}

TEST_F(received_api, a_period_is_summed_up_with_what_changed_and_why_nothing_came) {
    auto& sums = desk_.period.sums;
    sums.days = {{.day = may(4),
                  .success = 90,
                  .failure = 10,
                  .sts_success = 90,
                  .sts_failure = 10,
                  .reporters = 2,
                  .reports = 3}};
    sums.reporters = {{.reporter = "google.com",
                       .organization = "Google",
                       .success = 90,
                       .failure = 10,
                       .reports = 3,
                       .first = may(4),
                       .last = may(4),
                       .verified = true}};
    sums.by_mx = {
        {.reporter = "google.com", .mx = "mx1.example.com", .failure = 10, .first = may(4), .last = may(4)}};
    sums.results = {
        {.result_type = "certificate-expired", .count = 10, .reporters = 1, .first = may(4), .last = may(4)}};
    sums.quarantine = {{.why = "for none of our domains", .domain = "x.example", .reporter = "y.example"}};
    sums.from = may(1);
    sums.to = may(20);
    sums.newest = may(4);
    desk_.period.by_reporter = {{.reporter = "google.com", .day = may(4), .success = 90, .failure = 10}};
    desk_.period.domains = {{"example.com", 90, 10}};
    desk_.period.marks = {{tests::day_in_may(2), "example.com", "mode", "testing -> enforce"},
                          {tests::day_in_may(3), "example.com", "mx", "MX: + mx2.example.com"}};
    desk_.period.silence = {{"example.org", insight::why_silent({}, desk_.today)}};
    const auto said = good("GET", "/report-summary");
    EXPECT_EQ(desk_.asked.to, may(20));
    EXPECT_EQ(desk_.asked.from, may(20) - std::chrono::days(29)) << "30 days where none are said";
    EXPECT_EQ(said.at("headline").at("failure").to_number<int>(), 10);
    EXPECT_DOUBLE_EQ(said.at("days").at(0).at("share").to_number<double>(), 0.1);
    EXPECT_EQ(said.at("newest").as_string(), "2026-05-04");
    EXPECT_EQ(said.at("marks").at(0).at("kind").as_string(), "mode");
    EXPECT_EQ(said.at("silence").at(0).at("domain").as_string(), "example.org");
    EXPECT_FALSE(said.at("silence").at(0).at("causes").as_array().empty());
    good("GET", "/report-summary?to=2026-05-10");
    EXPECT_EQ(desk_.asked.from, may(10) - std::chrono::days(29));
}

TEST_F(received_api, failures_show_who_silenced_them_and_when_somebody_looked) {
    desk_.failing.groups = {
        {group("example.com", "certificate-expired", "mx1.example.com"), {}},
        {group("example.com", "certificate-expired", "mx2.example.com"), tests::day_in_may(20)},
        {group("example.org", "sts-policy-invalid", ""), {}}};
    desk_.failing.left_out = 3;
    good(
        "POST", "/mutes",
        R"({"domain":"Example.com","result_type":"certificate-expired","mx":"mx1.example.com","why":"known"})");
    good("POST", "/mutes", R"({"domain":"example.org","until":"2026-05-31"})");
    const auto said = good("GET", "/failures");
    const auto& groups = said.at("groups").as_array();
    ASSERT_THAT(groups, SizeIs(3));
    EXPECT_EQ(groups[0].at("muted").at("by").as_string(), "ann");
    EXPECT_TRUE(groups[0].at("muted").at("until").is_null());
    EXPECT_TRUE(groups[1].at("muted").is_null()) << "another host";
    EXPECT_EQ(groups[1].at("looked_at").as_string(), "2026-05-20T00:00:00Z");
    EXPECT_EQ(groups[2].at("muted").at("until").as_string(), "2026-05-31T23:59:59Z") << "that day included";
    EXPECT_EQ(said.at("left_out").to_number<int>(), 3);
    desk_.today = tests::at(2026, 6, 1);
    EXPECT_TRUE(good("GET", "/failures").at("groups").at(2).at("muted").is_null()) << "it has ended";
}

TEST_F(received_api, mutes_are_set_listed_and_ended) {
    struct good_row {
        const char *body, *key;
    };
    for (const good_row& r :
         {good_row{R"({"domain":"a.example"})", "new-failure/a.example/"},
          good_row{R"({"domain":"a.example","result_type":"X"})", "new-failure/a.example/x/"},
          good_row{R"({"domain":"a.example","result_type":"x","mx":""})", "new-failure/a.example/x/-"},
          good_row{R"({"domain":"a.example","result_type":"x","mx":null})", "new-failure/a.example/x/"},
          good_row{R"({"domain":"a.example","result_type":"x","mx":"m/y"})", "new-failure/a.example/x/m_y"},
          good_row{R"({"key":"nothing-arriving/a.example","until":"2026-05-21T00:00:00Z"})",
                   "nothing-arriving/a.example"}}) {
        const auto said = good("POST", "/mutes", r.body);
        EXPECT_EQ(said.at("key").as_string(), r.key) << r.body;
        EXPECT_EQ(said.at("domain").as_string(), "a.example");
        EXPECT_TRUE(desk_.silent.contains(r.key));
    }
    const auto all = good("GET", "/mutes").at("mutes").as_array();
    EXPECT_THAT(all, SizeIs(5));
    const std::string name(all[0].at("name").as_string());
    good("DELETE", "/mutes/" + name);
    EXPECT_THAT(desk_.silent, SizeIs(4));
    bad(404, "DELETE", "/mutes/" + name);
    for (const char* body :
         {"", "[]", "{}", R"({"why":"x"})", R"({"domain":"a..b"})", R"({"domain":7})",
          R"({"domain":"a.example","key":"x"})", R"({"domain":"a.example","mx":"m"})",
          R"({"key":"x","mx":"m"})", R"({"domain":"a.example","until":"2026-05-19"})",
          R"({"domain":"a.example","until":"soon"})", R"({"domain":"a.example","days":3})"})
        bad(422, "POST", "/mutes", body);
    bad(422, "POST", "/mutes", R"({"domain":"a.example","why":")" + std::string(20'000, 'x') + "\"}");
    EXPECT_THAT(desk_.silent, SizeIs(4));
}

TEST_F(received_api, a_file_is_read_and_nothing_of_it_is_kept) {
    desk_.file->reports.push_back(
        insight::report_json(tests::report("g3", "example.com", 3, 100, 3), {}, 10));
    desk_.file->errors.push_back({"a.zip (b.json)", "not-json", "no JSON"});
    desk_.file->left_out = 2;
    const auto said = good("POST", "/reports/read?name=a.zip", "bytes");
    EXPECT_EQ(desk_.handed_in.name, "a.zip");
    EXPECT_EQ(desk_.handed_in.bytes, "bytes");
    EXPECT_THAT(said.at("reports").as_array(), SizeIs(1));
    EXPECT_EQ(said.at("errors").at(0).at("error").at("code").as_string(), "not-json");
    EXPECT_EQ(find_route("POST", "/api/v1/reports/read").at->needs, role::viewer);
    EXPECT_FALSE(find_route("POST", "/api/v1/reports/read").at->changes);
}

TEST_F(received_api, a_file_is_taken_into_the_store_by_operators_alone) {
    using fate = store::add_outcome::fate;
    desk_.taken->outcomes = {{fate::added, 1, ""},
                             {fate::duplicate, 2, ""},
                             {fate::outvoted, 3, "less trust"},
                             {fate::quarantined, 4, "for none of our domains"},
                             {fate::correction, 5, ""}};
    const auto said = good("POST", "/reports", "bytes");
    EXPECT_EQ(desk_.handed_in.name, "file");
    EXPECT_EQ(said.at("added").to_number<int>(), 1);
    EXPECT_EQ(said.at("quarantined").to_number<int>(), 2);
    EXPECT_EQ(said.at("corrections").to_number<int>(), 1);
    EXPECT_THAT(said.at("reports").as_array(), SizeIs(5));
    const auto* at = find_route("POST", "/api/v1/reports").at;
    EXPECT_EQ(at->needs, role::operates);
    EXPECT_TRUE(at->changes);
    EXPECT_FALSE(at->tenants) << "a report may be about anybody's domain";
}

TEST_F(received_api, files_that_are_too_much_are_refused_before_they_are_read) {
    for (const char* target : {"/reports", "/reports/read"}) {
        bad(400, "POST", target);
        bad(413, "POST", target, std::string((20u << 20) + 1, 'x'));
        EXPECT_TRUE(desk_.handed_in.bytes.empty());
    }
    desk_.file = std::unexpected(upload_refusal::busy);
    EXPECT_THAT(bad(503, "POST", "/reports/read", "x"), HasSubstr("try again"));
    desk_.taken = std::unexpected(upload_refusal::store_away);
    EXPECT_THAT(bad(503, "POST", "/reports", "x"), HasSubstr("database"));
}

TEST_F(received_api, a_test_report_is_sent_and_followed) {
    const auto begun = good("POST", "/report-tests", R"({"domain":"Example.com"})");
    EXPECT_EQ(begun.at("domain").as_string(), "example.com");
    EXPECT_FALSE(begun.at("finished").as_bool());
    auto& one = desk_.tests.at("abc");
    one.finished = true;
    one.sent = {{.to = "mailto:a@example.com", .ok = false, .server = "mx", .stage = "RCPT", .words = "550"},
                {.to = "https://a.example/x", .ok = true, .arrived = 7}};
    const auto later = good("GET", "/report-tests/abc");
    EXPECT_EQ(later.at("arrived").to_number<int>(), 7);
    EXPECT_EQ(later.at("sent").at(0).at("stage").as_string(), "RCPT");
    bad(404, "GET", "/report-tests/other");
    for (const char* body : {"", "{}", R"({"domain":"a..b"})", R"({"domain":"a.example","x":1})", "[1]"})
        bad(422, "POST", "/report-tests", body);
    bad(404, "POST", "/report-tests", R"({"domain":"stranger.example"})");
    desk_.test_runs = true;
    bad(409, "POST", "/report-tests", R"({"domain":"example.com"})");
}

// ---- tenants ----

class tenant_of_reports : public received_api {
protected:
    void SetUp() override {
        desk_.owners["acme"] = {"acme.example", "acme.test"};
        as_tenant("acme");
    }
};

TEST_F(tenant_of_reports, questions_are_narrowed_to_their_domains) {
    for (const char* target : {"/reports", "/report-summary", "/failures"}) {
        desk_.asked = {};
        good("GET", target);
        EXPECT_THAT(desk_.asked.domains, ElementsAre("acme.example", "acme.test")) << target;
        good("GET", std::string(target) + "?domain=ACME.test");
        EXPECT_THAT(desk_.asked.domains, ElementsAre("acme.test"));
        const int before = desk_.questions;
        bad(404, "GET", std::string(target) + "?domain=other.example");
        EXPECT_EQ(desk_.questions, before);
    }
}

TEST_F(tenant_of_reports, who_has_no_domains_sees_nothing_rather_than_all) {
    as_tenant("nobody");
    desk_.rows = {row(1, "other.example")};
    EXPECT_THAT(good("GET", "/reports").at("reports").as_array(), IsEmpty());
    EXPECT_THAT(good("GET", "/failures").at("groups").as_array(), IsEmpty());
    EXPECT_THAT(good("GET", "/report-summary").at("days").as_array(), IsEmpty());
    EXPECT_EQ(desk_.questions, 0) << "no names at all would ask about every domain";
}

TEST_F(tenant_of_reports, reports_of_others_and_of_nobody_are_not_there) {
    for (const auto& [number, domain] :
         {std::pair(1, "acme.example"), std::pair(2, "other.example"), std::pair(3, "")}) {
        const store::stored_report stored{
            .row = row(number, domain), .report = tests::report("g", domain, 3, 1), .versions = {}};
        desk_.reports[number] = {domain, insight::stored_json(stored, {}, 100)};
        desk_.bodies[number] = "{}";
        desk_.rows.push_back(row(number, domain));
    }
    good("GET", "/reports/1");
    EXPECT_EQ(ask("GET", "/reports/1/raw").status, 200);
    for (const char* foreign : {"/reports/2", "/reports/3", "/reports/2/raw", "/reports/3/raw"})
        EXPECT_EQ(bad(404, "GET", foreign), bad(404, "GET", "/reports/77")) << "as if it were not there";
    EXPECT_THAT(good("GET", "/reports").at("reports").as_array(), SizeIs(1))
        << "one that names a domain of theirs beside others is the others'";
}

TEST_F(tenant_of_reports, a_report_that_tells_of_others_beside_theirs_is_not_shown) {
    struct naming {
        std::vector<std::string> named;
        bool shown;
        const char* why;
    };
    const store::stored_report stored{
        .row = row(1, "acme.example"), .report = tests::report("g", "acme.example", 3, 1), .versions = {}};
    desk_.reports[1] = {"acme.example", insight::stored_json(stored, {}, 100)};
    desk_.bodies[1] = "{}";
    for (const auto& [named, shown, why] : std::vector<naming>{
             {{"acme.example"}, true, "theirs"},
             {{"acme.example", "acme.test"}, true, "two of theirs"},
             {{"acme.example", "a.mail.acme.example"}, true, "what lies below theirs"},
             {{"acme.example", "other.example"}, false, "another owner's numbers"},
             {{"acme.example", "notacme.example"}, false, "not below theirs"},
             {{"acme.example", "example"}, false, "above theirs"},
             {{"acme.example", ""}, false, "no domain at all"},
         }) {
        desk_.named[1] = named;
        EXPECT_EQ(ask("GET", "/reports/1").status, shown ? 200 : 404) << why;
        EXPECT_EQ(ask("GET", "/reports/1/raw").status, shown ? 200 : 404) << why;
    }
}

TEST_F(tenant_of_reports, the_desk_hears_whose_parts_may_be_told) {
    good("GET", "/reports");
    EXPECT_THAT(desk_.told_to, testing::Optional(ElementsAre("acme.example", "acme.test")));
    const store::stored_report stored{
        .row = row(1, "acme.example"), .report = tests::report("g", "acme.example", 3, 1), .versions = {}};
    desk_.reports[1] = {"acme.example", insight::stored_json(stored, {}, 100)};
    for (const char* each : {"/reports/1", "/reports/1/raw"}) {
        desk_.told_to.reset();
        ask("GET", each);
        EXPECT_THAT(desk_.told_to, testing::Optional(ElementsAre("acme.example", "acme.test"))) << each;
    }
    desk_.rows = {row(1, "acme.example"), row(2, "acme.test")};
    desk_.rows[0].several = true;
    const auto list = good("GET", "/reports").at("reports").as_array();
    EXPECT_TRUE(list.at(0).at("part").as_bool());
    EXPECT_FALSE(list.at(1).at("part").as_bool());
}

TEST_F(tenant_of_reports, mutes_are_theirs_alone) {
    desk_.silent["new-failure/other.example/"] = {.key = "new-failure/other.example/",
                                                  .until = insight::mute_without_end};
    desk_.silent["way-in/acme.example"] = {.key = "way-in/acme.example", .until = insight::mute_without_end};
    good("POST", "/mutes", R"({"domain":"acme.test"})");
    bad(404, "POST", "/mutes", R"({"domain":"other.example"})");
    bad(404, "POST", "/mutes", R"({"key":"nothing-arriving/other.example"})");
    bad(404, "POST", "/mutes", R"({"key":"new-failure/"})");
    bad(404, "POST", "/mutes", R"({"key":"way-in/lmtp"})");
    EXPECT_THAT(good("GET", "/mutes").at("mutes").as_array(), SizeIs(1));
    bad(404, "DELETE", "/mutes/" + mute_name("new-failure/other.example/"));
    good("DELETE", "/mutes/" + mute_name("new-failure/acme.test/"));
    EXPECT_THAT(desk_.silent, SizeIs(2));
}

TEST_F(tenant_of_reports, tests_are_of_their_domains_alone) {
    good("POST", "/report-tests", R"({"domain":"acme.example"})");
    good("GET", "/report-tests/abc");
    bad(404, "POST", "/report-tests", R"({"domain":"other.example"})");
    desk_.tests["x"] = {.token = "x", .domain = "other.example", .finished = true, .trouble = {}, .sent = {}};
    bad(404, "GET", "/report-tests/x");
}

TEST_F(tenant_of_reports, a_store_that_is_away_hides_everything) {
    desk_.is_away = true;
    for (const char* target : {"/reports", "/reports/1", "/failures", "/report-summary", "/mutes"})
        bad(503, "GET", target);
}

} // namespace
} // namespace mailtight::api
