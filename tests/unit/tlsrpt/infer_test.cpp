// SPDX-License-Identifier: Apache-2.0
// What a body lacks is taken from what stands around it, in one order, and marked.
#include "tlsrpt/write_report.h"

#include "support/proves.h"
#include "unit/tlsrpt/report_texts.h"

namespace mailtight::tlsrpt {
namespace {
using tests::has;
using tests::with;

const base::utc_seconds mail_date{std::chrono::seconds{1'767'430'000}}; // 2026-01-03 08:46:40

const report_hints all_hints{
    .report_domain = "header.example",
    .submitter = "submitter.example",
    .file_name = "sender.example!file.example!1767312000!1767398399!x1.json.gz",
    .subject = "Report Domain: subject.example Submitter: subject-sender.example Report-ID: <1@x>",
    .address_domain = "address.example",
    .mail_date = mail_date,
};

TEST(report_inference, of_the_domain_goes_from_strong_to_weak) {
    PROVES("8460-5.6-a", "A23");
    const auto text = with(R"("policy-domain": "example.com",)", "");
    report_reader reader;
    report_hints hints = all_hints;
    const auto domain = [&](const std::string& json) {
        const auto read = reader.read_json(json, hints);
        EXPECT_TRUE(read && has(*read, quirk::policy_domain_inferred, "policies[0].policy.policy-domain"));
        EXPECT_EQ(read->policies.at(0).inferred, std::vector<std::string>{"domain"});
        return read->policies.at(0).domain;
    };
    EXPECT_EQ(domain(text), "header.example");
    hints.report_domain = "no domain";
    EXPECT_EQ(domain(text), "file.example");
    hints.file_name = "report.json";
    EXPECT_EQ(domain(text), "subject.example");
    hints.subject = "";
    EXPECT_EQ(domain(text), "address.example");
    hints.address_domain = "";
    EXPECT_EQ(domain(with("20260102.1@example.net", "2026-01-02T00:00:00Z_id.example", text)), "id.example");
    EXPECT_EQ(domain(with("20260102.1@example.net", "133526718584528772+id.example", text)), "id.example");
}

TEST(report_inference, of_the_domain_from_the_other_policies) {
    // Postfix' reporter names none for no-policy-found.
    const std::string none = R"([{"policy": {"policy-type": "no-policy-found"},
        "summary": {"total-successful-session-count": 1, "total-failure-session-count": 0}}, {
    "policy")";
    report_reader reader;
    const auto read = reader.read_json(with("[{\n    \"policy\"", none));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->policies.at(0).domain, "example.com");
    EXPECT_EQ(read->policies.at(0).inferred, std::vector<std::string>{"domain"});
    EXPECT_TRUE(read->policies.at(1).inferred.empty());
}

TEST(report_inference, never_overrules_the_body) {
    PROVES("8460-5.6-a");
    report_reader reader;
    const auto bare = reader.read_json(tests::tidy_report),
               hinted = reader.read_json(tests::tidy_report, all_hints);
    ASSERT_TRUE(bare && hinted);
    auto same = *hinted;
    same.warnings.clear();
    EXPECT_EQ(same, *bare);
    EXPECT_TRUE(has(*hinted, quirk::submitter_disagrees, "") &&
                has(*hinted, quirk::subject_disagrees, "subject") &&
                has(*hinted, quirk::file_name_disagrees, "file name"));
}

// A22: the recipient's domain asked for the report, whose results name the TLSA base domain of its host.
TEST(report_inference, a_report_of_dane_results_may_name_mail_servers_alone) {
    PROVES("A22");
    report_reader reader;
    auto dane = with("\"policy-type\": \"sts\"", "\"policy-type\": \"tlsa\"");
    const auto at = dane.find("\"policy-domain\": \"example.com\"");
    ASSERT_NE(at, std::string::npos) << dane;
    dane.replace(at, 30, "\"policy-domain\": \"mx.example\"");
    const auto read = reader.read_json(
        dane,
        {.file_name = "example.net!example.com!1767312000!1767398399.json.gz",
         .subject = "Report Domain: example.com Submitter: example.net Report-ID: <20260102.1@example.net>"});
    ASSERT_TRUE(read);
    EXPECT_FALSE(has(*read, quirk::subject_disagrees, "subject"));
    EXPECT_FALSE(has(*read, quirk::file_name_disagrees, "file name"));
}

TEST(report_inference, agreement_earns_no_warning) {
    report_reader reader;
    const std::string google = with("20260102.1@example.net", "2026-01-02T00:00:00Z_example.com");
    for (const report_hints& hints : {
             report_hints{.submitter = "EXAMPLE.net"},
             report_hints{.file_name = "example.net!example.com!1767312000!1767398399!7.json.gz"},
             report_hints{.file_name =
                              "example.net!example.com!1767312000!1767398400.json"}, // the next midnight
             report_hints{.file_name = "attachment.bin"},
             report_hints{.subject = "Your invoice"},
             report_hints{.subject = "Report Domain: example.com Submitter: example.net Report-ID: "
                                     "<2026.01.02T00.00.00Z+example.com@example.net>"},
         }) {
        const auto read = reader.read_json(google, hints);
        ASSERT_TRUE(read);
        EXPECT_EQ(tests::codes(*read), "");
    }
}

TEST(report_inference, of_the_period) {
    const std::string dateless =
        with(R"({"start-datetime": "2026-01-02T00:00:00Z", "end-datetime": "2026-01-02T23:59:59Z"})", "{}");
    const std::string nowhere = with("20260102.1@example.net", "some-id", dateless);
    struct {
        std::string what, text;
        report_hints hints;
        std::string_view start, end;
    } const rows[] = {
        {"the file name first",
         dateless,
         {.file_name = "a.example!example.com!1767225600!1767311999.json", .mail_date = mail_date},
         "2026-01-01T00:00:00Z",
         "2026-01-01T23:59:59Z"},
        {"then the id", dateless, {.mail_date = mail_date}, "2026-01-02T00:00:00Z", "2026-01-02T23:59:59Z"},
        {"then the day before the mail",
         nowhere,
         {.mail_date = mail_date},
         "2026-01-02T00:00:00Z",
         "2026-01-02T23:59:59Z"},
        {"the other end",
         with(R"(, "end-datetime": "2026-01-02T23:59:59Z")", "", with("20260102.1@example.net", "x")),
         {.mail_date = mail_date + std::chrono::days{30}},
         "2026-01-02T00:00:00Z",
         "2026-01-02T23:59:59Z"},
        {"dates that are none",
         with("2026-01-02T00:00:00Z", "0", with("2026-01-02T23:59:59Z", "n/a")),
         {},
         "2026-01-02T00:00:00Z",
         "2026-01-02T23:59:59Z"},
        {"both of one day",
         with("2026-01-02T00:00:00Z", "2026-01-02", with("2026-01-02T23:59:59Z", "2026-01-02")),
         {},
         "2026-01-02T00:00:00Z",
         "2026-01-02T23:59:59Z"},
    };
    report_reader reader;
    for (const auto& row : rows) {
        SCOPED_TRACE(row.what);
        const auto read = reader.read_json(row.text, row.hints);
        ASSERT_TRUE(read && read->start && read->end);
        EXPECT_EQ(base::format_utc(*read->start), row.start);
        EXPECT_EQ(base::format_utc(*read->end), row.end);
    }
    const auto unknown = reader.read_json(nowhere);
    ASSERT_TRUE(unknown);
    EXPECT_FALSE(unknown->start || unknown->end); // never 1970
    EXPECT_TRUE(unknown->inferred.empty());
    const auto from_mail = reader.read_json(nowhere, {.mail_date = base::utc_seconds{}});
    ASSERT_TRUE(from_mail);
    EXPECT_FALSE(from_mail->start || from_mail->end);
    EXPECT_EQ(reader.read_json(dateless)->inferred, (std::vector<std::string>{"start", "end"}));
}

TEST(report_inference, of_organisation_and_id) {
    const auto nameless = with(R"("Example Mail")", "null");
    report_reader reader;
    EXPECT_EQ(reader.read_json(nameless, all_hints)->organization_name, "submitter.example");
    EXPECT_EQ(reader.read_json(nameless)->organization_name, "example.net");
    const auto both = with(R"("reports@example.net")", "null", nameless);
    EXPECT_EQ(reader.read_json(both, {.file_name = all_hints.file_name})->organization_name,
              "sender.example");
    EXPECT_EQ(reader.read_json(both)->organization_name, "");
    // The same body has the same id, another one another.
    const auto without_id = with(R"("20260102.1@example.net")", "\"\"");
    const auto a = reader.read_json(without_id), b = reader.read_json(without_id),
               c = reader.read_json(with("count\": 10", "count\": 11", without_id));
    EXPECT_EQ(a->report_id, b->report_id);
    EXPECT_NE(a->report_id, c->report_id);
    EXPECT_EQ(a->inferred, std::vector<std::string>{"report_id"});
}

TEST(report_file_names, are_read_with_patience) {
    PROVES("8460-5.1-a", "8460-5.1-d", "8460-5.1-e", "8460-5.1-f", "8460-5.1-g");
    const auto read =
        parse_report_file_name("/tmp/../x/Example.NET!example.com.!1767312000!1767398399!001.json.gz");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->sender, "example.net");
    EXPECT_EQ(read->domain, "example.com");
    EXPECT_EQ(read->unique_id, "001");
    EXPECT_TRUE(read->gzip);
    EXPECT_EQ(read->to_string(), "example.net!example.com!1767312000!1767398399!001.json.gz");
    EXPECT_EQ(parse_report_file_name("a.example!b.example!1767312000!1767398399.json")->to_string(),
              "a.example!b.example!1767312000!1767398399.json");
    for (const std::string_view none :
         {"", "report.json", "a!b!c!d.json", "a.example!b.example!1!2.json",
          "a.example!..!1767312000!1767398399.json", "a!b!1767312000!1767398399!x!y.json",
          "a!b!99999999999999999999!1767398399.json"})
        EXPECT_FALSE(parse_report_file_name(none)) << none;
}

TEST(report_subjects, are_read_with_patience) {
    PROVES("8460-5.3-i", "8460-5.3-j");
    const report_subject written{"example.com", "example.net", "1.2@example.net"};
    EXPECT_EQ(written.to_string(),
              "Report Domain: example.com Submitter: example.net Report-ID: <1.2@example.net>");
    for (const std::string& subject : {
             written.to_string(),
             std::string("report domain:example.com submitter:example.net report-id:1.2@example.net"),
             std::string("[EXTERNAL] Report Domain: EXAMPLE.com\r\n Submitter: example.net\r\n Report-ID: "
                         "<1.2@example.net> "),
         }) {
        const auto read = parse_report_subject(subject);
        ASSERT_TRUE(read) << subject;
        EXPECT_EQ(read->domain, written.domain);
        EXPECT_EQ(read->submitter, written.submitter);
        EXPECT_EQ(read->report_id, written.report_id);
    }
    for (const std::string_view none : {"", "Report", "Report Domain:", "Your report", "Report Domain: ../x"})
        EXPECT_FALSE(parse_report_subject(none)) << none;
}

} // namespace
} // namespace mailtight::tlsrpt
