// SPDX-License-Identifier: Apache-2.0
// What is written is strict, and is read back as it was, without a warning.
#include "tlsrpt/write_report.h"

#include "base/text.h"
#include "support/proves.h"
#include "tlsrpt/read_report.h"
#include "unit/tlsrpt/report_texts.h"

#include <rapidcheck/gtest.h>

#include <simdjson.h>

#include <set>

namespace mailtight::tlsrpt {
namespace {

const base::utc_seconds day{std::chrono::seconds{1'767'312'000}}; // 2026-01-02

// Letters, digits and some that JSON has to escape or that take several bytes; nothing a reader trims.
rc::Gen<std::string> text() {
    const auto piece = rc::gen::element<std::string>("a", "Z", "0", "\"", "\\", "/", "\n", "\xc3\xa4",
                                                     "\xf0\x9f\x98\x80", "<", ",");
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece),
                        [](const std::vector<std::string>& pieces) { return "t" + base::join(pieces, ""); });
}
rc::Gen<std::uint64_t> count() {
    return rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(0, 1000),
                          rc::gen::inRange<std::uint64_t>(0, 9'007'199'254'740'992));
}
rc::Gen<std::string> host() {
    return rc::gen::map(rc::gen::inRange(0, 99),
                        [](int n) { return "mx" + std::to_string(n) + ".example.com"; });
}

failure_detail any_detail() {
    failure_detail d;
    d.result_type = to_string(static_cast<result_type>(*rc::gen::inRange(0, int{result_type_count})));
    d.count = *rc::gen::inRange<std::uint64_t>(1, 1'000'000);
    d.sending_mta_ip = *rc::gen::element<std::string>("192.0.2.7", "2001:db8::7", "2001:db8:0:1::", "");
    d.receiving_ip = *rc::gen::element<std::string>("198.51.100.7", "2001:db8:1::7", "");
    d.receiving_mx = *rc::gen::oneOf(host(), rc::gen::just(std::string()));
    d.receiving_mx_helo = *rc::gen::oneOf(host(), rc::gen::just(std::string()));
    d.additional_information = *rc::gen::element<std::string>("", "https://example.net/r?a=1#b");
    d.reason_code = *rc::gen::oneOf(text(), rc::gen::just(std::string()));
    return d;
}
policy_result any_policy() {
    policy_result p;
    p.type = *rc::gen::element<std::string>("sts", "tlsa", "no-policy-found");
    p.domain = *host();
    if (p.type == "sts") {
        p.mx_patterns = {*host(), "*.example.net"};
        p.strings = {"version: STSv1", "mode: enforce", "mx: " + p.mx_patterns[0], "mx: *.example.net",
                     "max_age: 86400"};
    } else if (p.type == "tlsa") {
        p.strings = {"3 1 1 AB", "2 1 1 CD"};
    }
    p.success = *count();
    const int details = *rc::gen::inRange(0, 4);
    for (int i = 0; i < details; ++i) {
        p.details.push_back(any_detail());
        p.failure += p.details.back().count;
    }
    return p;
}

RC_GTEST_PROP(write_report, is_read_back_without_a_warning, ()) {
    report written;
    written.organization_name = *text();
    written.contact_info = "reports@example.net";
    written.report_id = "id." + std::to_string(*count()) + "@example.net";
    written.start = day + std::chrono::days{*rc::gen::inRange(0, 9999)};
    written.end = *written.start + std::chrono::seconds{86'399};
    const int policies = *rc::gen::inRange(1, 5);
    for (int i = 0; i < policies; ++i)
        written.policies.push_back(any_policy());
    report_reader reader;
    const auto read = reader.read_json(write_report(written));
    RC_ASSERT(read.has_value());
    RC_LOG() << tests::codes(*read);
    RC_ASSERT(*read == written); // the warnings too: there are none
}

TEST(write_report, is_i_json_whatever_the_texts_hold) {
    PROVES("8460-4-a");
    report odd = example_report(day);
    odd.organization_name =
        "a\xff\xc0\xaf\xef\xbf\xbf\xed\xa0\x80 z"; // no UTF-8, a noncharacter, half a pair
    odd.report_id = std::string("nul\0\x1f\x7f\"\\", 8);
    odd.policies[0].success = 18'446'744'073'709'551'615U;
    const auto text = write_report(odd);
    EXPECT_TRUE(base::is_utf8(text));
    EXPECT_EQ(text.find("\xef\xbf\xbf"), std::string::npos);
    EXPECT_NE(text.find(R"("report-id": "nul\u0000\u001f)"
                        "\x7f\\\"\\\\\""),
              std::string::npos);
    EXPECT_NE(text.find(": 9007199254740991,"), std::string::npos);
    simdjson::dom::parser parser;
    EXPECT_EQ(parser.parse(text).error(), simdjson::SUCCESS);
}

TEST(write_report, leaves_out_what_a_policy_type_has_not) {
    PROVES("8460-4-f", "A23", "A24", "A25", "A26", "A29");
    report r = example_report(day);
    r.policies.resize(1);
    auto& p = r.policies[0];
    p.details.clear();
    p.failure = 0;
    p.type = "no-policy-found";
    auto text = write_report(r);
    EXPECT_EQ(text.find("mx-host"), std::string::npos);
    EXPECT_EQ(text.find("policy-string"), std::string::npos);
    EXPECT_EQ(text.find("failure-details"), std::string::npos);
    p.type = "tlsa";
    text = write_report(r);
    EXPECT_EQ(text.find("mx-host"), std::string::npos);
    EXPECT_NE(text.find("\"policy-string\": ["), std::string::npos);
    p.type = "sts";
    EXPECT_NE(write_report(r).find("\"mx-host\": ["), std::string::npos);
    failure_detail d;
    d.result_type = "sts-policy-fetch-error";
    d.count = 1;
    d.sending_mta_ip = "2001:DB8:0:0::1"; // 3.G6
    p.details = {d};
    text = write_report(r);
    EXPECT_NE(text.find("\"sending-mta-ip\": \"2001:db8::1\""), std::string::npos);
    EXPECT_EQ(text.find("receiving"), std::string::npos);
    EXPECT_EQ(text.find("additional-inf"), std::string::npos);
}

TEST(example_report, has_every_result_type_and_no_oddity) {
    PROVES("8460-6.6-a", "8460-4.1-a", "8460-4-e", "8460-4-g");
    const auto example = example_report(day + std::chrono::hours{15});
    EXPECT_EQ(*example.start, day);
    EXPECT_EQ(*example.end, day + std::chrono::seconds{86'399});
    std::set<result_type> types;
    for (const auto& p : example.policies)
        for (const auto& d : p.details) {
            ASSERT_TRUE(d.known_type()) << d.result_type;
            EXPECT_TRUE(types.insert(*d.known_type()).second) << d.result_type;
        }
    EXPECT_EQ(types.size(), result_type_count);
    report_reader reader;
    const auto read = reader.read_json(write_report(example));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, example) << tests::codes(*read);
    const auto from_subject =
        parse_report_subject(report_subject{"example.com", "example.net", example.report_id}.to_string());
    ASSERT_TRUE(from_subject); // A28: one id for both
    EXPECT_EQ(from_subject->report_id, example.report_id);
}

} // namespace
} // namespace mailtight::tlsrpt
