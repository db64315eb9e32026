// SPDX-License-Identifier: Apache-2.0
// Every oddity that was seen, one row each: what stands there, what is made of it, and the warning with its
// place. The last test holds the table to every code there is.
#include "base/compress.h"
#include "support/proves.h"
#include "unit/tlsrpt/report_texts.h"

#include <functional>
#include <set>

namespace mailtight {
namespace {
using tests::has;
using tests::tidy_report;
using tests::with;
using tlsrpt::quirk;
using tlsrpt::report;

using check = std::function<bool(const report&)>;
struct row {
    std::string what;
    std::string bytes;
    quirk code;
    std::string where;
    check value;
    tlsrpt::report_hints hints{};
};

const tlsrpt::policy_result& first(const report& r) {
    return r.policies.at(0);
}
const tlsrpt::failure_detail& detail(const report& r) {
    return r.policies.at(0).details.at(0);
}
check domain_is(std::string domain) {
    return [=](const report& r) { return first(r).domain == domain; };
}
check strings_are(std::vector<std::string> strings) {
    return [=](const report& r) { return first(r).strings == strings; };
}
check patterns_are(std::vector<std::string> patterns) {
    return [=](const report& r) { return first(r).mx_patterns == patterns; };
}
check success_is(std::uint64_t count) {
    return [=](const report& r) { return first(r).success == count; };
}
check start_is(std::string utc) {
    return [=](const report& r) { return r.start && base::format_utc(*r.start) == utc; };
}
check end_is(std::string utc) {
    return [=](const report& r) { return r.end && base::format_utc(*r.end) == utc; };
}
check organization_is(std::string name) {
    return [=](const report& r) { return r.organization_name == name; };
}
const check unchanged = [](const report& r) {
    return r.organization_name == "Example Mail" && first(r).success == 10 && first(r).failure == 2 &&
           detail(r).count == 2;
};

std::string utf16(std::string_view ascii) {
    std::string out = "\xff\xfe";
    for (const char c : ascii) {
        out += c;
        out += '\0';
    }
    return out;
}
const std::string policy = "policies[0].policy.", details = "policies[0].failure-details",
                  counts = "policies[0].summary.";
const std::string lines = R"(["version: STSv1", "mode: testing", "mx: mx1.example.com", "max_age: 86400"])";
const std::string mx_list = R"("mx-host": ["mx1.example.com"])";

std::string without_domain() {
    return with(R"("policy-domain": "example.com",)", "");
}

std::vector<row> json_rows() {
    return {
        {"a byte order mark", "\xef\xbb\xbf" + tidy_report, quirk::byte_order_mark, "", unchanged},
        {"UTF-16", utf16(tidy_report), quirk::utf16, "", unchanged},
        {"Latin-1 in a name",
         with("Example Mail", "B\xfc"
                              "cher"),
         quirk::invalid_utf8, "organization-name",
         organization_is("B\xef\xbf\xbd"
                         "cher")},
        {"half a pair", with("Example Mail", R"(a\ud83d b)"), quirk::lone_surrogate, "organization-name",
         organization_is("a\xef\xbf\xbd b")},
        {"the other half", with("Example Mail", R"(a\ude00 b)"), quirk::lone_surrogate, "organization-name",
         organization_is("a\xef\xbf\xbd b")},
        {"a noncharacter", with("Example Mail", R"(a\uffff)"), quirk::noncharacter, "organization-name",
         organization_is("a\xef\xbf\xbf")},
        {"a raw control character", with("Example Mail", "a\x01z"), quirk::control_character,
         "organization-name", organization_is("a\x01z")},
        {"NUL", with("Example Mail", R"(a\u0000z)"), quirk::control_character, "organization-name",
         organization_is("a\xef\xbf\xbdz")},
        {"NaN", with("count\": 10", "count\": NaN"), quirk::not_a_number,
         counts + "total-successful-session-count", success_is(0)},
        {"minus infinity", with("count\": 10", "count\": -Infinity"), quirk::not_a_number,
         counts + "total-successful-session-count", success_is(0)},
        {"beyond 2^53", with("count\": 10", "count\": 9007199254740993"), quirk::number_too_large,
         counts + "total-successful-session-count", success_is(9'007'199'254'740'993)},
        {"beyond 2^64", with("count\": 10", "count\": 123456789012345678901234567890"),
         quirk::number_too_large, counts + "total-successful-session-count",
         success_is(9'223'372'036'854'775'807)},
        {"a member twice", with(R"("report-id":)", R"("organization-name": "Other", "report-id":)"),
         quirk::duplicate_member, "organization-name", organization_is("Example Mail")},
        {"under two names", with(mx_list, mx_list + R"(, "mx-host-pattern": "other.example.com")"),
         quirk::duplicate_member, policy + "mx-host-pattern", patterns_are({"mx1.example.com"})},
        {"something behind it", tidy_report + "\nkind regards", quirk::trailing_bytes, "", unchanged},
        {"broken off behind the policy", tidy_report.substr(0, tidy_report.size() - 3), quirk::cut_short,
         "policies[0]", unchanged},
        {"nested beyond reason",
         with(R"("report-id":)",
              R"("x": )" + std::string(40, '[') + std::string(40, ']') + R"(, "report-id":)"),
         quirk::too_deep,
         "x" +
             [] {
                 std::string path;
                 for (int i = 0; i < 31; ++i)
                     path += "[0]";
                 return path;
             }(),
         unchanged},
        {"a comma too many", with(R"("mx1.example.com"])", R"("mx1.example.com",])"), quirk::json_syntax,
         policy + "mx-host[1]", patterns_are({"mx1.example.com"})},
        {"a number with zeros in front", with("count\": 10", "count\": 0010"), quirk::json_syntax,
         counts + "total-successful-session-count", success_is(10)},
    };
}

std::vector<row> container_rows() {
    const auto packed = base::gzip(tidy_report);
    return {
        {"gzip called JSON",
         packed,
         quirk::label_disagrees,
         "",
         unchanged,
         {.media_type = "application/tlsrpt+json"}},
        {"JSON named gzip",
         tidy_report,
         quirk::label_disagrees,
         "",
         unchanged,
         {.file_name = "example.net!example.com!1767312000!1767398399.json.gz"}},
        {"gzip in gzip", base::gzip(packed), quirk::nested_gzip, "", unchanged},
        {"bytes behind the gzip", packed + "\r\n--footer", quirk::gzip_trailing_bytes, "", unchanged},
    };
}

std::vector<row> top_rows() {
    return {
        {"no organisation", with(R"("organization-name": "Example Mail",)", ""), quirk::organization_missing,
         "organization-name", organization_is("example.net")},
        {"Stalwart's contact", with(R"("reports@example.net")", "null"), quirk::contact_missing,
         "contact-info", [](const report& r) { return r.contact_info.empty(); }},
        {"no id", with(R"("report-id": "20260102.1@example.net",)", ""), quirk::report_id_missing,
         "report-id",
         [](const report& r) {
             return r.report_id.starts_with("sha256-") && r.report_id.size() == 39 &&
                    r.inferred == std::vector<std::string>{"report_id"};
         }},
        {"Microsoft's bare +", with("20260102.1@example.net", "133526718584528772+"), quirk::report_id_odd,
         "report-id", [](const report& r) { return r.report_id == "133526718584528772+"; }},
        {"one policy and no list",
         with("}]\n  }]\n}", "}]\n  }\n}", with(R"("policies": [{)", R"("policies": {)")),
         quirk::policies_not_array, "policies", unchanged},
        {"no policies",
         R"({"organization-name":"a","date-range":{"start-datetime":"2026-01-02T00:00:00Z","end-datetime":"2026-01-02T23:59:59Z"},"contact-info":"a@b.example","report-id":"x","policies":[]})",
         quirk::policies_empty, "policies", [](const report& r) { return r.policies.empty(); }},
        {"no start", with(R"("start-datetime": "2026-01-02T00:00:00Z", )", ""), quirk::date_missing,
         "date-range.start-datetime", start_is("2026-01-02T00:00:00Z")},
        {"the end from the id", with(R"(, "end-datetime": "2026-01-02T23:59:59Z")", ""), quirk::date_inferred,
         "date-range.end-datetime", end_is("2026-01-02T23:59:59Z")},
        {"a date alone", with("2026-01-02T00:00:00Z", "2026-01-02"), quirk::date_odd,
         "date-range.start-datetime", start_is("2026-01-02T00:00:00Z")},
        {"1970", with("2026-01-02T00:00:00Z", "1970-01-01T00:00:00Z"), quirk::date_odd,
         "date-range.start-datetime", start_is("2026-01-02T00:00:00Z")},
        {"Microsoft without zone", with("2026-01-02T00:00:00Z", "2026-01-02T00:00:00"),
         quirk::date_without_zone, "date-range.start-datetime", start_is("2026-01-02T00:00:00Z")},
        {"Mail.ru's end", with("2026-01-02T23:59:59Z", "2026-01-03T00:00:00Z"), quirk::end_is_next_midnight,
         "date-range.end-datetime", end_is("2026-01-02T23:59:59Z")},
        {"six hours", with("2026-01-02T23:59:59Z", "2026-01-02T05:59:59Z"), quirk::not_one_day, "date-range",
         end_is("2026-01-02T05:59:59Z")},
        {"backwards", with("2026-01-02T23:59:59Z", "2026-01-01T23:59:59Z"), quirk::end_before_start,
         "date-range", end_is("2026-01-01T23:59:59Z")},
    };
}

std::vector<row> policy_rows() {
    return {
        {"no policy object", with(R"("policy": {)", R"("nothing": {)"), quirk::policy_missing, "policies[0]",
         success_is(10)},
        {"no type", with(R"("policy-type": "sts",)", ""), quirk::policy_type_missing, policy + "policy-type",
         [](const report& r) { return first(r).type == "sts"; }},
        {"an invalid type", with(R"("sts")", R"("invalid-policy-type")"), quirk::policy_type_unknown,
         policy + "policy-type", [](const report& r) { return first(r).type == "invalid-policy-type"; }},
        {"STS", with(R"("sts")", R"("STS")"), quirk::policy_type_case, policy + "policy-type",
         [](const report& r) { return first(r).type == "sts"; }},
        {"no domain, and none elsewhere", without_domain(), quirk::policy_domain_missing,
         policy + "policy-domain", domain_is("")},
        {"the domain of the header",
         without_domain(),
         quirk::policy_domain_inferred,
         policy + "policy-domain",
         domain_is("example.org"),
         {.report_domain = "Example.ORG"}},
        {"a domain with a blank",
         with(R"("policy-domain": "example.com")", R"("policy-domain": "exam ple.com")"),
         quirk::policy_domain_odd, policy + "policy-domain", domain_is("exam ple.com")},
        {"one text for the policy",
         with(lines, R"("version: STSv1\nmode: testing\r\nmx: mx1.example.com\nmax_age: 86400\n")"),
         quirk::policy_string_not_array, policy + "policy-string",
         strings_are({"version: STSv1", "mode: testing", "mx: mx1.example.com", "max_age: 86400"})},
        {"Halon's empty text", with(lines, R"("")"), quirk::policy_string_not_array, policy + "policy-string",
         strings_are({})},
        {"Microsoft's list in a text",
         with(lines, R"(["[\"3 1 1 AB\",\"2 1 1 CD\"]"])", with(R"("sts")", R"("tlsa")")),
         quirk::policy_string_nested, policy + "policy-string[0]", strings_are({"3 1 1 AB", "2 1 1 CD"})},
        {"the CR of a policy file", with(lines, R"(["version: STSv1\r", " mode: testing"])"),
         quirk::policy_string_trimmed, policy + "policy-string[0]",
         strings_are({"version: STSv1", "mode: testing"})},
        {"TLSA records joined by ;", with(lines, R"(["3 1 1 AB;2 1 1 CD"])", with(R"("sts")", R"("tlsa")")),
         quirk::policy_string_joined, policy + "policy-string[0]", strings_are({"3 1 1 AB", "2 1 1 CD"})},
        {"the RFC's example of mx-host", with(R"(["mx1.example.com"])", R"("*.Example.com.")"),
         quirk::mx_host_not_array, policy + "mx-host", patterns_are({"*.example.com"})},
        {"the line of the policy", with(R"(["mx1.example.com"])", R"(["mx: mx1.example.com"])"),
         quirk::mx_host_prefixed, policy + "mx-host[0]", patterns_are({"mx1.example.com"})},
        {"Microsoft has no mx-host", with(mx_list, R"("x": 1)"), quirk::mx_host_from_policy,
         policy + "mx-host", patterns_are({"mx1.example.com"})},
        {"mx-host-pattern", with(R"("mx-host")", R"("mx-host-pattern")"), quirk::other_member_name,
         policy + "mx-host-pattern", patterns_are({"mx1.example.com"})},
        {"failure_details", with("failure-details", "failure_details"), quirk::other_member_name,
         "policies[0].failure_details", unchanged},
        {"additional-info-uri", with("additional-information", "additional-info-uri"),
         quirk::other_member_name, details + "[0].additional-info-uri",
         [](const report& r) { return detail(r).additional_information == "https://reports.example.net/1"; }},
        {"additional-info", with("additional-information", "additional-info"), quirk::other_member_name,
         details + "[0].additional-info",
         [](const report& r) { return detail(r).additional_information == "https://reports.example.net/1"; }},
    };
}

std::vector<row> count_rows() {
    const std::string at = counts + "total-successful-session-count";
    return {
        {"Google's oldest lack a total", with(R"(, "total-failure-session-count": 2)", ""),
         quirk::count_missing, counts + "total-failure-session-count",
         [](const report& r) { return first(r).failure == 0; }},
        {"a text", with("count\": 10", "count\": \" 10\""), quirk::count_as_text, at, success_is(10)},
        {"a fraction that is none", with("count\": 10", "count\": 10.0"), quirk::count_as_float, at,
         success_is(10)},
        {"negative", with("count\": 10", "count\": -10"), quirk::count_negative, at, success_is(0)},
        {"ten and a half", with("count\": 10", "count\": 10.5"), quirk::count_odd, at, success_is(10)},
        {"a word", with("count\": 10", "count\": \"many\""), quirk::count_odd, at, success_is(0)},
        {"no summary", with(R"("summary")", R"("sum")"), quirk::summary_missing, "policies[0]",
         success_is(0)},
        {"one detail and no list",
         with("}]\n  }]", "}\n  }]", with(R"("failure-details": [{)", R"("failure-details": {)")),
         quirk::details_not_array, details, unchanged},
        {"a detail of more sessions than there were",
         with("\"failed-session-count\": 2", "\"failed-session-count\": 13"), quirk::details_exceed_total,
         details, [](const report& r) { return first(r).failure == 2; }},
        {"one failure unexplained", with("\"failed-session-count\": 2", "\"failed-session-count\": 1"),
         quirk::details_below_total, details, [](const report& r) { return first(r).failure == 2; }},
    };
}

std::vector<row> detail_rows() {
    const std::string one = details + "[0].";
    return {
        {"no result type", with(R"("result-type": "certificate-expired",)", ""), quirk::result_type_missing,
         one + "result-type", [](const report& r) { return detail(r).result_type.empty(); }},
        {"a new result type", with(R"("certificate-expired")", R"("Quantum-failure")"),
         quirk::result_type_unknown, one + "result-type",
         [](const report& r) { return detail(r).result_type == "Quantum-failure"; }},
        {"another case", with(R"("certificate-expired")", R"("Certificate-Expired")"),
         quirk::result_type_case, one + "result-type",
         [](const report& r) { return detail(r).result_type == "certificate-expired"; }},
        {"a name for an address", with("\"192.0.2.1\"", "\"mail.example.net\""), quirk::address_odd,
         one + "sending-mta-ip",
         [](const report& r) { return detail(r).sending_mta_ip == "mail.example.net"; }},
        {"the RFC's own example", with("2001:db8::1", "2001:db8:abcd:0012::1"), quirk::address_not_canonical,
         one + "receiving-ip",
         [](const report& r) { return detail(r).receiving_ip == "2001:db8:abcd:12::1"; }},
        {"Postfix's EHLO reply",
         with(R"("receiving-mx-helo": "mx1.example.com")",
              R"("receiving-mx-helo": "mx1.example.com\r\nPIPELINING\r\nSTARTTLS")"),
         quirk::helo_several_lines, one + "receiving-mx-helo",
         [](const report& r) { return detail(r).receiving_mx_helo == "mx1.example.com"; }},
        {"the RFC's URI with blanks",
         with("https://reports.example.net/1", "https://reports.example.net/1 ? id = 5"),
         quirk::additional_information_no_uri, one + "additional-information",
         [](const report& r) {
             return detail(r).additional_information == "https://reports.example.net/1 ? id = 5";
         }},
        {"a number for the id", with(R"("20260102.1@example.net")", "20260102"), quirk::wrong_type,
         "report-id", [](const report& r) { return r.report_id == "20260102"; }},
        {"a text too long", with("X509_V_ERR_CERT_HAS_EXPIRED", std::string(70'000, 'x')), quirk::truncated,
         one + "failure-reason-code",
         [](const report& r) { return r.truncated && detail(r).reason_code == std::string(65'536, 'x'); }},
    };
}

std::vector<row> hint_rows() {
    return {
        {"another submitter",
         tidy_report,
         quirk::submitter_disagrees,
         "",
         unchanged,
         {.submitter = "example.org"}},
        {"a subject about another domain",
         tidy_report,
         quirk::subject_disagrees,
         "subject",
         domain_is("example.com"),
         {.subject =
              "Report Domain: example.org Submitter: example.net Report-ID: <20260102.1@example.net>"}},
        {"a subject with another id",
         tidy_report,
         quirk::subject_disagrees,
         "subject",
         unchanged,
         {.subject = "Report Domain: example.com Submitter: example.net Report-ID: <77@example.net>"}},
        {"a file name of another day",
         tidy_report,
         quirk::file_name_disagrees,
         "file name",
         start_is("2026-01-02T00:00:00Z"),
         {.file_name = "example.net!example.com!1767225600!1767311999.json"}},
    };
}

void hold(const std::vector<row>& rows) {
    tlsrpt::report_reader reader;
    for (const auto& r : rows) {
        SCOPED_TRACE(r.what);
        const auto bodies = reader.read(r.bytes, r.hints);
        ASSERT_EQ(bodies.size(), 1U);
        ASSERT_TRUE(bodies[0].result) << bodies[0].result.error().message;
        EXPECT_TRUE(has(*bodies[0].result, r.code, r.where)) << tests::codes(*bodies[0].result);
        EXPECT_TRUE(r.value(*bodies[0].result));
    }
}

TEST(report_quirks, the_tidy_report_has_none) {
    tlsrpt::report_reader reader;
    const auto read = reader.read_json(tidy_report);
    ASSERT_TRUE(read);
    EXPECT_EQ(tests::codes(*read), "");
    EXPECT_FALSE(read->truncated);
    EXPECT_TRUE(read->inferred.empty());
}
TEST(report_quirks, of_the_json) {
    PROVES("8460-4-a");
    hold(json_rows());
}
TEST(report_quirks, of_the_container) {
    PROVES("8460-6.4-a", "A45");
    hold(container_rows());
}
TEST(report_quirks, of_the_top_level) {
    PROVES("8460-4-b", "8460-4-f", "A27");
    hold(top_rows());
}
TEST(report_quirks, of_the_policy) {
    PROVES("8460-4-c", "A24", "A25", "A26");
    hold(policy_rows());
}
TEST(report_quirks, of_the_counts) {
    PROVES("8460-4-d", "A30");
    hold(count_rows());
}
TEST(report_quirks, a_session_in_several_details_is_none) {
    PROVES("8460-4-d", "A30");
    // Two failed in three ways together; and ten that did not fail are told of a policy that could not be
    // fetched anew.
    for (const char* count : {"3", "12"}) {
        tlsrpt::report_reader reader;
        const auto read = reader.read(
            with("\"failed-session-count\": 2", std::string("\"failed-session-count\": ") + count));
        ASSERT_TRUE(read.at(0).result);
        EXPECT_TRUE(read[0].result->warnings.empty()) << tests::codes(*read[0].result);
        EXPECT_EQ(first(*read[0].result).failure, 2U);
    }
}
TEST(report_quirks, of_the_details) {
    PROVES("8460-4.3-a");
    hold(detail_rows());
}
TEST(report_quirks, the_body_counts_where_the_mail_disagrees) {
    PROVES("8460-5.6-a", "8460-5.3-f", "8460-5.1-g");
    hold(hint_rows());
}

TEST(report_quirks, every_code_has_its_row_its_name_and_its_sentence) {
    std::set<quirk> tested{quirk::several_bodies}; // ReportContainer has it: it takes two bodies
    for (const auto& rows :
         {json_rows(), container_rows(), top_rows(), policy_rows(), count_rows(), detail_rows(), hint_rows()})
        for (const auto& r : rows)
            tested.insert(r.code);
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(quirk::file_name_disagrees); ++i) {
        const auto code = static_cast<quirk>(i);
        EXPECT_TRUE(tested.contains(code)) << to_string(code);
        EXPECT_TRUE(names.insert(to_string(code)).second);
        EXPECT_TRUE(explain(code).ends_with('.')) << to_string(code);
    }
}

} // namespace
} // namespace mailtight
