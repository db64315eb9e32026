// SPDX-License-Identifier: Apache-2.0
// One report shown: the keys of the JSON contract, and a person's view that nothing hostile can reach
// through.
#include "base/text.h"
#include "insight/render_answers.h"
#include "insight/render_report.h"
#include "insight/render_rows.h"
#include "rows.h"
#include "support/proves.h"
#include "tlsrpt/write_report.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

namespace mailtight::insight {
namespace {

using tests::today;

model::received_report received() {
    model::received_report made;
    made.report.organization_name = "Google Inc.";
    made.report.contact_info = "smtp-tls-reporting@google.com";
    made.report.report_id = "2026-05-17T00:00:00Z_example.com";
    made.report.start = today;
    made.report.end = today + std::chrono::hours(24) - std::chrono::seconds(1);
    tlsrpt::policy_result policy;
    policy.type = "sts";
    policy.domain = "example.com";
    policy.strings = {"version: STSv1", "mode: enforce", "mx: *.example.com", "max_age: 604800"};
    policy.mx_patterns = {"*.example.com"};
    policy.success = 100;
    policy.failure = 2;
    tlsrpt::failure_detail detail;
    detail.result_type = "certificate-expired";
    detail.count = 2;
    detail.sending_mta_ip = "192.0.2.9";
    detail.receiving_mx = "mx1.example.com";
    detail.receiving_ip = "198.51.100.1";
    detail.reason_code = "X509_V_ERR_CERT_HAS_EXPIRED";
    policy.details = {detail};
    made.report.policies = {policy};
    made.report.warnings = {
        {tlsrpt::quirk::mx_host_not_array, "policies[0].policy.mx-host", "*.example.com"}};
    made.source = "mail.eml";
    made.format = "mail";
    made.submitter = "google.com";
    made.report_domain = "example.com";
    made.trust = model::trust::verified;
    made.dkim = {mail::dkim_result::pass, "google.com", "20230601", "", true};
    return made;
}

TEST(ReportJson, has_the_keys_of_the_contract) {
    const auto made = report_json(received());
    for (const auto* key :
         {"source", "format", "organization_name", "contact_info", "report_id", "start", "end", "submitter",
          "report_domain", "dkim", "trust", "warnings", "headline", "policies"})
        EXPECT_TRUE(made.contains(key)) << key;
    EXPECT_EQ(made.at("start"), "2026-05-17T00:00:00Z");
    EXPECT_EQ(made.at("end"), "2026-05-17T23:59:59Z");
    EXPECT_EQ(made.at("dkim").at("result"), "pass");
    EXPECT_EQ(made.at("dkim").at("selector"), "20230601");
    EXPECT_EQ(made.at("trust"), "verified");
    EXPECT_EQ(made.at("headline"), (boost::json::object{{"success", 100}, {"failure", 2}}));
    const auto& warning = made.at("warnings").at(0);
    EXPECT_EQ(warning.at("code"), "mx-host-not-array");
    EXPECT_EQ(warning.at("where"), "policies[0].policy.mx-host");
    EXPECT_FALSE(warning.at("message").as_string().empty());
    const auto& policy = made.at("policies").at(0);
    for (const auto* key :
         {"type", "domain", "inferred", "strings", "mx_patterns", "success", "failure", "details"})
        EXPECT_TRUE(policy.as_object().contains(key)) << key;
    EXPECT_EQ(policy.at("failed"), (boost::json::object{{"held_back", 2}, {"delivered", 0}, {"unknown", 0}}));
    const auto& detail = policy.at("details").at(0);
    for (const auto* key : {"result_type", "count", "sending_mta_ip", "receiving_mx", "receiving_mx_helo",
                            "receiving_ip", "additional_information", "reason_code", "diagnosis"})
        EXPECT_TRUE(detail.as_object().contains(key)) << key;
    EXPECT_EQ(detail.at("diagnosis").at("rule"), "certificate-expired");
    EXPECT_FALSE(detail.at("diagnosis").at("fix").as_string().empty());
    EXPECT_EQ(made.at("sentence").as_string(), advise::opening_sentence(received().report));
}

TEST(ReportJson, says_null_where_nothing_is_known) {
    auto of = received();
    of.report.start = of.report.end = std::nullopt;
    of.report_domain.clear();
    of.dkim = {};
    const auto made = report_json(of);
    for (const auto* key : {"start", "end", "report_domain", "dkim"})
        EXPECT_TRUE(made.at(key).is_null()) << key;
}

TEST(SourceErrorJson, has_a_code) {
    EXPECT_EQ(boost::json::serialize(source_error_json("a\xff", "not-a-report", "no policies")),
              R"({"source":"a\\xff","error":{"code":"not-a-report","message":"no policies"}})");
}

TEST(ReportText, the_sentence_first_the_oddities_last) {
    const std::string text = report_text(received(), {});
    EXPECT_TRUE(text.starts_with("Google Inc.: 102 sessions on 17 May 2026, 2 of them failed (2.0 %)"))
        << text;
    std::size_t at = 0;
    for (const auto* words :
         {"Sessions are not messages", "MTA-STS for example.com", "100 succeeded, 2 failed (2 held back)",
          "version: STSv1, mode: enforce", "certificate-expired at mx1.example.com",
          "The certificate has expired", "X509_V_ERR_CERT_HAS_EXPIRED", "cause", "fix", "check",
          "mailtight check example.com", "verified", "Odd about this report"}) {
        const auto next = text.find(words, at);
        ASSERT_NE(next, std::string::npos) << words << " is missing or too early in\n" << text;
        at = next;
    }
}

TEST(ReportText, a_good_day_is_short_and_alarms_nobody) {
    auto of = received();
    of.report.warnings.clear();
    of.report.policies[0].failure = 0;
    of.report.policies[0].details.clear();
    const std::string text = report_text(of, {.colour = false, .width = 100});
    EXPECT_TRUE(text.starts_with(
        "Google Inc.: 100 sessions on 17 May 2026, all as your policy asks. Nothing to do.\n"));
    for (const auto* word : {"failed (", "fix", "cause", "Odd", "Sessions are not messages"})
        EXPECT_EQ(text.find(word), std::string::npos) << word;
    EXPECT_LT(std::ranges::count(text, '\n'), 15);
}

TEST(ReportText, equal_failures_are_told_once) {
    auto of = received();
    auto& details = of.report.policies[0].details;
    for (int i = 0; i < 5000; ++i) {
        details.push_back(details.front());
        details.back().sending_mta_ip = "192.0.2." + std::to_string(i % 200);
    }
    const std::string text = report_text(of, {});
    EXPECT_LT(text.size(), 4000U);
    EXPECT_NE(text.find("10,002"), std::string::npos);
}

TEST(ReportText, a_flood_of_kinds_is_bounded) {
    auto of = received();
    auto& details = of.report.policies[0].details;
    for (int i = 0; i < 5000; ++i) {
        details.push_back(details.front());
        details.back().reason_code = "reason " + std::to_string(i);
    }
    const std::string text = report_text(of, {});
    EXPECT_LT(text.size(), 100'000U);
    EXPECT_NE(text.find("kinds of failure more"), std::string::npos);
}

TEST(ReportText, a_flood_of_policies_is_bounded) {
    auto of = received();
    of.report.policies.resize(5000, of.report.policies[0]);
    const std::string text = report_text(of, {});
    EXPECT_LT(text.size(), 200'000U);
    EXPECT_NE(text.find("And 4950 policies more"), std::string::npos);
}

TEST(ReportText, a_dane_failure_is_checked_at_the_domain) {
    auto of = received();
    of.report.policies[0].type = "tlsa";
    of.report.policies[0].domain = "mx1.example.com";
    EXPECT_NE(report_text(of, {}).find("mailtight check example.com\n"), std::string::npos);
    of.report_domain.clear();
    EXPECT_NE(report_text(of, {}).find("mailtight check mx1.example.com\n"), std::string::npos);
}

TEST(ReportText, sts_and_tlsa_are_not_added) {
    auto of = received();
    of.report.policies.push_back(of.report.policies[0]);
    of.report.policies[1].type = "tlsa";
    const std::string text = report_text(of, {.colour = false, .width = 120});
    EXPECT_TRUE(text.starts_with("Google Inc.: 102 sessions ")) << text;
    EXPECT_NE(text.find("the same sessions as under MTA-STS, so they are not added"), std::string::npos);
}

TEST(ReportText, no_control_character_reaches_the_terminal) {
    PROVES("8460-7-b");
    const std::string hostile = "\x1b[2J\x1b]0;owned\x07<script>\r\n\xe2\x80\xae"
                                "\x9b"
                                "31m\xff";
    auto of = received();
    auto& report = of.report;
    report.organization_name = report.contact_info = report.report_id = hostile;
    of.source = of.submitter = of.report_domain = of.trust_reason = of.format = hostile;
    report.warnings[0].where = report.warnings[0].detail = hostile;
    auto& policy = report.policies[0];
    policy.type = policy.domain = hostile;
    policy.strings = policy.mx_patterns = policy.inferred = {hostile};
    auto& detail = policy.details[0];
    detail.result_type = detail.sending_mta_ip = detail.receiving_mx = detail.receiving_mx_helo =
        detail.receiving_ip = detail.additional_information = detail.reason_code = hostile;
    for (const std::string& text : {report_text(of, {}), example_text(report, {})}) {
        EXPECT_TRUE(base::is_utf8(text));
        for (const char* bad : {"\x1b", "\x07", "\r", "\xe2\x80\xae", "\x9b"})
            EXPECT_EQ(text.find(bad), std::string::npos) << base::printable(text);
        EXPECT_NE(text.find("<script>"), std::string::npos) << "HTML stays text";
    }
    const std::string json = boost::json::serialize(report_json(of));
    EXPECT_TRUE(base::is_utf8(json));
    EXPECT_EQ(json.find('\x1b'), std::string::npos);
}

RC_GTEST_PROP(ReportText, takes_any_bytes, (std::string a, std::string b, std::string c)) {
    auto of = received();
    of.report.organization_name = a;
    of.report.policies[0].strings = {b, c};
    of.report.policies[0].details[0].reason_code = c;
    of.report.policies[0].details[0].receiving_mx = b;
    for (const std::size_t width : {0U, 20U, 80U})
        RC_ASSERT(base::is_utf8(report_text(of, {.colour = true, .width = width})));
    RC_ASSERT(base::is_utf8(boost::json::serialize(report_json(of))));
}

TEST(ReportText, says_what_is_not_trusted_and_what_was_cut) {
    auto of = received();
    of.trust = model::trust::rejected;
    of.trust_reason = "no signature";
    of.report.truncated = true;
    const std::string text = report_text(of, {});
    EXPECT_NE(text.find("REJECTED: counted nowhere (no signature)"), std::string::npos);
    EXPECT_NE(text.find("only a part of it was read"), std::string::npos);
}

TEST(ExampleText, explains_every_result_type_and_field) {
    const auto example = tlsrpt::example_report(today);
    const std::string text = example_text(example, {.colour = false, .width = 200});
    for (std::size_t i = 0; i < tlsrpt::result_type_count; ++i) {
        const auto type = static_cast<tlsrpt::result_type>(i);
        EXPECT_NE(text.find("result-type: " + std::string(tlsrpt::to_string(type))), std::string::npos)
            << tlsrpt::to_string(type);
        EXPECT_NE(text.find(tlsrpt::explain(type)), std::string::npos) << tlsrpt::to_string(type);
    }
    for (const auto* field : {"organization-name",
                              "start-datetime",
                              "end-datetime",
                              "contact-info",
                              "report-id",
                              "policies",
                              "policy-type",
                              "policy-string",
                              "policy-domain",
                              "mx-host",
                              "total-successful-session-count",
                              "total-failure-session-count",
                              "failure-details",
                              "sending-mta-ip",
                              "receiving-mx-hostname",
                              "receiving-mx-helo",
                              "receiving-ip",
                              "failed-session-count",
                              "failure-reason-code",
                              "additional-information"})
        EXPECT_NE(text.find(field), std::string::npos) << field;
    EXPECT_EQ(text.find("no type of its own is known"), std::string::npos);
}

TEST(StoredText, adds_what_the_store_knows) {
    store::stored_report of;
    of.report = received();
    of.row.number = 42;
    of.row.state = "superseded";
    of.row.times_seen = 3;
    of.versions = {43};
    const std::string text = stored_text(of, {});
    for (const auto* words :
         {"In the store", "42", "superseded", "3 times, counted once", "43", "no longer kept"})
        EXPECT_NE(text.find(words), std::string::npos) << words;
    const auto json = stored_json(of);
    EXPECT_EQ(json.at("number"), 42);
    EXPECT_EQ(json.at("versions"), boost::json::array{43});
    EXPECT_TRUE(json.contains("policies"));
}

TEST(Tables, every_row_has_a_cell_a_column) {
    const auto fits = [](const table& what) {
        EXPECT_FALSE(what.rows.empty());
        for (const auto& row : what.rows)
            EXPECT_EQ(row.size(), what.columns.size());
        std::set<std::string> keys;
        for (const auto& one : what.columns) {
            EXPECT_TRUE(one.key.empty() || keys.insert(one.key).second) << one.key;
            EXPECT_FALSE(one.key.empty() && one.heading.empty());
        }
    };
    fits(reports_table(std::vector<store::report_row>(1)));
    fits(days_table(std::vector{tests::sessions(1, 3, 4)}));
    fits(reporters_table(std::vector{tests::reporter("google.com")}));
    fits(mx_table(std::vector<store::mx_row>(1)));
    fits(results_table(std::vector<store::result_row>(1)));
    fits(policies_table(std::vector<store::policy_row>(1)));
    fits(quarantine_table(std::vector<store::quarantine_row>(1)));
    fits(failures_table(group_failures(
        std::vector{tests::failure("google.com", "certificate-expired", "mx1.example.com")}, {}, {})));
}

TEST(Answers, readiness_and_silence_in_both_forms) {
    const readiness said{
        std::nullopt, {{true, "a", "Fine.", true}, {false, "b", "Not known.", false}}, "Cannot be said."};
    EXPECT_EQ(readiness_text("example.com", said, {}), "example.com: Cannot be said.\n"
                                                       "  ok       Fine.\n"
                                                       "  unknown  Not known.\n");
    EXPECT_EQ(boost::json::serialize(readiness_json("example.com", said)),
              R"({"domain":"example.com","ready":null,"sentence":"Cannot be said.","reasons":[)"
              R"({"code":"a","met":true,"known":true,"text":"Fine."},)"
              R"({"code":"b","met":false,"known":false,"text":"Not known."}]})");
    const std::vector<silence_cause> causes{{"x", "It is so.", "Run 'mailtight check DOMAIN'.", true}};
    EXPECT_EQ(silence_text("example.com", causes, {}),
              "Why no reports about example.com arrive, in the order to try:\n"
              "  1. It is so.\n"
              "     To do: Run 'mailtight check example.com'.\n");
    EXPECT_EQ(silence_json("example.com", causes).at("causes").at(0).at("fix"),
              "Run 'mailtight check example.com'.");
}

TEST(Answers, trends_have_a_row_a_reporter) {
    const std::vector rows{tests::sessions(1, 95, 5), tests::sessions(20, 100, 0)};
    const auto made = trends_table(std::vector{trend_of(tests::reporter("google.com"), rows, today)});
    EXPECT_EQ(
        table_csv(made),
        "domain,reporter,organization_name,success_2,failure_2,weight_2,success_14,failure_14,weight_14,"
        "success_90,failure_90,weight_90,weight,last,next_expected,late\r\n"
        "example.com,google.com,google.com,95,5,info,95,5,info,195,5,info,info,2026-05-16,2026-05-17,"
        "no\r\n");
    const std::string text = table_text(made, {});
    EXPECT_NE(text.find("5.0 % info  5.0 % info  2.5 % info  2026-05-16  2026-05-17"), std::string::npos)
        << text;
    auto who = tests::reporter("google.com");
    who.last = tests::ago(5);
    const std::vector mended{tests::sessions(1, 100, 0), tests::sessions(20, 50, 50)};
    const auto late = table_text(trends_table(std::vector{trend_of(who, mended, today)}), {.width = 120});
    EXPECT_NE(late.find("25.0 % over  2026-05-12  late: 2026-05-13"), std::string::npos) << late;
}

TEST(MxMatrix, reporters_down_hosts_across) {
    const std::vector<store::mx_row> rows{{"google.com", "mx1.example.com", 1200, today, today},
                                          {"google.com", "mx2.example.com", 2, today, today},
                                          {"mail.ru", "", 7, today, today}};
    EXPECT_EQ(mx_matrix_text(rows, {}), "Failed sessions  mx1.example.com  (not said)  mx2.example.com\n"
                                        "google.com                 1,200                            2\n"
                                        "mail.ru                                    7\n");
    std::vector<store::mx_row> many;
    for (int i = 0; i < 9; ++i)
        many.push_back(
            {"google.com", "mx" + std::to_string(i), static_cast<std::uint64_t>(10 - i), today, today});
    const std::string text = mx_matrix_text(many, {});
    EXPECT_NE(text.find("others"), std::string::npos);
    EXPECT_NE(text.find("  9\n"), std::string::npos) << "4 + 3 + 2 of the three rarest\n" << text;
}

TEST(FailuresText, tells_fate_diagnosis_and_where_to_look) {
    auto row = tests::failure("google.com", "certificate-expired", "mx1.example.com", 1204);
    row.last_report = 42;
    const auto groups = group_failures(std::vector{row}, std::vector{tests::reporter("google.com")}, {});
    const std::string text = failures_text(groups, {});
    EXPECT_TRUE(text.starts_with("1,204 failed sessions of 1 kind: 1,204 held back.\n")) << text;
    for (const auto* words : {"Sessions are not messages", "The certificate has expired: mx1.example.com",
                              "google.com", "Only one reporter", "mailtight report show 42"})
        EXPECT_NE(text.find(words), std::string::npos) << words;
    EXPECT_EQ(failures_text({}, {}), "No failures in this period.\n");
    const auto uncounted = tests::failure("mox.example", "validation-failure", "mx1.example.com", 0); // A30
    const auto none = group_failures(std::vector{uncounted}, std::vector{tests::reporter("mox.example")}, {});
    EXPECT_TRUE(failures_text(none, {}).starts_with("0 failed sessions of 1 kind.\n"));
    const auto json = boost::json::parse(failures_ndjson(groups));
    EXPECT_EQ(json.at("diagnosis").at("rule"), "certificate-expired");
    EXPECT_EQ(json.at("failed").at("held_back"), 1204);
}

TEST(SummaryText, opens_with_the_result) {
    summary of;
    EXPECT_EQ(summary_text(of, {}), "No counted reports in this period.\n");
    of.from = tests::ago(29);
    of.to = today;
    of.newest = tests::ago(60);
    const std::string nothing = summary_text(of, {.width = 200});
    EXPECT_EQ(nothing,
              "No counted reports of 18 April to 17 May 2026. The newest is of 18 March 2026: mailtight "
              "report summary --from 2026-03-18 --to 2026-03-18 shows that day.\n");
    of.days = {tests::sessions(1, 1204, 0)};
    EXPECT_TRUE(
        summary_text(of, {}).starts_with("1,204 sessions for 1 domain, none failed. Nothing to do.\n"));
    of.days = {tests::sessions(1, 1200, 4)};
    EXPECT_TRUE(
        summary_text(of, {}).starts_with("1,204 sessions for 1 domain, 4 failed: mailtight report failures"));
    EXPECT_EQ(summary_json(of).at("headline"), (boost::json::object{{"success", 1200}, {"failure", 4}}));
    EXPECT_EQ(summary_json(of).at("days").at(0).at("share").as_double(), 0.0033);
}

} // namespace
} // namespace mailtight::insight
