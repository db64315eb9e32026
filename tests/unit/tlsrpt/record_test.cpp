// SPDX-License-Identifier: Apache-2.0
#include "tlsrpt/record.h"

#include "support/proves.h"

#include <gmock/gmock.h>

namespace mailtight::tlsrpt {
namespace {
using enum record_problem;
using testing::ElementsAre;
using scheme = report_uri::scheme_type;

std::vector<record_problem> problems(std::string_view text) {
    std::vector<record_problem> out;
    for (const auto& issue : judge_record(text).issues)
        out.push_back(issue.problem);
    return out;
}
std::vector<std::string> uris(const record_judgement& judged) {
    std::vector<std::string> out;
    if (judged.value)
        for (const auto& uri : judged.value->rua)
            out.push_back(uri.text);
    return out;
}

struct good_row {
    std::string text;
    std::vector<std::string> rua;
    std::vector<record_problem> remarks;
};
TEST(tlsrpt_record, takes_every_valid_vector) {
    PROVES("8460-3-b", "8460-3-c", "8460-3-o", "8460-3-p", "8460-3-q", "8460-3-r", "8460-3-t", "8460-3-aa",
           "A2", "A44");
    const std::string a = "mailto:a@example.com";
    const std::string b = "mailto:b@example.com";
    const good_row rows[] = {
        {"v=TLSRPTv1;rua=mailto:r@example.com", {"mailto:r@example.com"}, {}},
        {"v=TLSRPTv1; rua=" + a + " , " + b + " ; x=1", {a, b}, {rua_many, unknown_field}},
        {"v=TLSRPTv1; rua=" + a + ",https://b.example/x;", {a, "https://b.example/x"}, {rua_many}},
        {"v=TLSRPTv1; ruf=" + a + "; rua=" + b, {b}, {unknown_field}},
        {"v=TLSRPTv1; id=1; rua=" + b, {b}, {unknown_field}},
        {"v=TLSRPTv1; rua=" + a + "; rua=" + b, {a, b}, {duplicate_field, rua_many}},
        {"v=TLSRPTv1; rua=https://h/x?a=1&b=2", {"https://h/x?a=1&b=2"}, {}},
        {"v=TLSRPTv1; rua=https://h/x;y=1", {"https://h/x"}, {unknown_field}},
        {"v=TLSRPTv1; rua=mailto:a%21b@example.com", {"mailto:a%21b@example.com"}, {}},
        {"v=TLSRPTv1; rua=MAILTO:a@e.com", {"MAILTO:a@e.com"}, {}},
        {"v=TLSRPTv1 ; rua=" + a, {a}, {space_before_delimiter}},
        {"v=TLSRPTv1; rua=" + a + " ; ", {a}, {}},
        {"v=TLSRPTv1; rua=" + a + "," + a, {a, a}, {rua_duplicate, rua_many}},
        {"v=TLSRPTv1; rua=http://h/x," + a, {"http://h/x", a}, {rua_scheme}},
        {"v=TLSRPTv1; rua=https://[2001:db8::1]:8443/x", {"https://[2001:db8::1]:8443/x"}, {}},
        {"v=TLSRPTv1; rua=mailto:a@e.com?subject=x", {"mailto:a@e.com?subject=x"}, {}},
    };
    for (const auto& row : rows) {
        const auto judged = judge_record(row.text);
        EXPECT_TRUE(judged.valid) << row.text;
        ASSERT_TRUE(judged.value) << row.text;
        EXPECT_EQ(uris(judged), row.rua) << row.text;
        EXPECT_THAT(problems(row.text), testing::UnorderedElementsAreArray(row.remarks)) << row.text;
        EXPECT_TRUE(read_record_view(row.text)) << row.text;
        EXPECT_TRUE(claims_record(row.text)) << row.text;
    }
}

struct bad_row {
    std::string text;
    record_problem reason;
};
TEST(tlsrpt_record, refuses_every_invalid_vector_with_its_reason) {
    PROVES("8460-3-b", "8460-3-c", "8460-3-o", "8460-3-p", "8460-3-q", "8460-3-s", "8460-3-t", "A44");
    const bad_row rows[] = {
        {"v=TLSRPTv1; rua=mailto:a!b@example.com", rua_unescaped},
        {"v=TLSRPTv1; rua=mailto:a@e.com!10m", rua_unescaped}, // a habit from DMARC
        {"v=TLSRPTv1; rua=a@example.com", rua_syntax},
        {"v=TLSRPTv1; rua=mailto:a@e.com mailto:b@e.com", rua_syntax},
        {"v=TLSRPTv1; rua= mailto:a@e.com", rua_syntax},
        {"v=TLSRPTv1; rua=", rua_syntax},
        {"v=TLSRPTv1; rua=mailto:", rua_syntax},
        {"v=TLSRPTv1; rua=mailto:a", rua_syntax},
        {"v=TLSRPTv1; rua=mailto:@e.com", rua_syntax},
        {"v=TLSRPTv1; rua=mailto:a@", rua_syntax},
        {"v=TLSRPTv1; rua=mailto:a%zz@e.com", rua_syntax},
        {"v=TLSRPTv1; rua=mailto:a@e.com%", rua_syntax},
        {"v=TLSRPTv1; rua=mailto:a%0d%0aBcc:x@e.com", rua_syntax}, // would end up in a mail header
        {"v=TLSRPTv1; rua=mailto:a b@e.com", rua_syntax},
        {"v=TLSRPTv1; rua=mailto:\xc3\xa4@e.com", rua_syntax},
        {"v=TLSRPTv1; rua=https:h/x", rua_syntax},
        {"v=TLSRPTv1; rua=https:///x", rua_syntax},
        {"v=TLSRPTv1; rua=https://h:port/x", rua_syntax},
        {"v=TLSRPTv1; rua=https://h/<x>", rua_syntax},
        {"v=TLSRPTv1; rua=://h", rua_syntax},
        {"v=TLSRPTv1; rua=http://h/x", rua_scheme},
        {"v=TLSRPTv1; RUA=mailto:a@e.com", rua_missing},
        {"v=TLSRPTv1; foo=bar", rua_missing},
        {"v=TLSRPTv1", syntax},
        {"v=TLSRPTv1;", syntax},
        {"v=TLSRPTv1;; rua=mailto:a@e.com", syntax},
        {"v=TLSRPTv1; rua=mailto:a@e.com ", syntax},
        {"v=TLSRPTv1; rua =mailto:a@e.com", syntax},
        {"v=TLSRPTv1; x=a=b; rua=mailto:a@e.com", syntax},
        {"v=TLSRPTv1; _x=1; rua=mailto:a@e.com", syntax},
        {"v=tlsrptv1; rua=mailto:a@e.com", not_a_record},
        {"v=TLSRPTv10; rua=mailto:a@e.com", not_a_record},
        {"v=TLSRPTv2; rua=mailto:a@e.com", not_a_record},
        {" v=TLSRPTv1; rua=mailto:a@e.com", not_a_record},
        {"rua=mailto:a@e.com; v=TLSRPTv1", not_a_record},
    };
    for (const auto& row : rows) {
        const auto judged = judge_record(row.text);
        EXPECT_FALSE(judged.valid) << row.text;
        EXPECT_FALSE(judged.value) << row.text;
        EXPECT_THAT(problems(row.text), testing::Contains(row.reason)) << row.text;
        EXPECT_FALSE(read_record_view(row.text)) << row.text;
    }
}

TEST(tlsrpt_record, a_broken_item_leaves_the_others_usable_and_the_record_invalid) {
    PROVES("A44");
    struct {
        std::string text;
        std::vector<record_issue> issues;
    } const rows[] = {
        {"v=TLSRPTv1; rua=mailto:a@e.com,", {{rua_syntax, 31, ""}}},
        {"v=TLSRPTv1; rua=,mailto:a@e.com", {{rua_syntax, 16, ""}}},
        {"v=TLSRPTv1; rua=b@e.com, mailto:a@e.com", {{rua_syntax, 16, "b@e.com"}}},
        {"v=TLSRPTv1; rua=mailto:a@e.com; rua=mailto:c!d@e.com",
         {{duplicate_field, 32, "rua"}, {rua_unescaped, 36, "mailto:c!d@e.com"}}},
    };
    for (const auto& row : rows) {
        const auto judged = judge_record(row.text);
        EXPECT_FALSE(judged.valid) << row.text;
        EXPECT_THAT(uris(judged), ElementsAre("mailto:a@e.com")) << row.text;
        EXPECT_EQ(judged.issues, row.issues) << row.text;
    }
}

TEST(tlsrpt_record, knows_where_a_uri_leads) {
    PROVES("8460-3-f", "8460-3-c", "A44");
    struct {
        std::string uri;
        scheme kind;
        std::string address;
        std::string host;
    } const rows[] = {
        {"mailto:a%21b@Example.COM", scheme::mailto, "a!b@Example.COM", "example.com"},
        {"mailto:a%2521b@e.com", scheme::mailto, "a%21b@e.com", "e.com"}, // decoded once
        {"mailto:a@e.com?subject=x&bcc=y%40z.com", scheme::mailto, "a@e.com", "e.com"},
        {"mailto:a+tls@e.com#top", scheme::mailto, "a+tls@e.com", "e.com"},
        {"mailto:%22a%20b%22@e.com", scheme::mailto, "\"a b\"@e.com", "e.com"},
        {"HTTPS://Reports.Example:8443/v1", scheme::https, "", "reports.example"},
        {"https://user@h.example/x", scheme::https, "", "h.example"},
        {"https://h.example", scheme::https, "", "h.example"},
        {"ftp://h.example/x", scheme::other, "", ""},
    };
    for (const auto& row : rows) {
        const auto judged = judge_record("v=TLSRPTv1; rua=mailto:ok@e.com," + row.uri);
        ASSERT_TRUE(judged.value && judged.value->rua.size() == 2) << row.uri;
        EXPECT_EQ(judged.value->rua[1], (report_uri{row.kind, row.uri, row.address, row.host})) << row.uri;
    }
}

struct rrset_row {
    std::vector<std::string> texts;
    rrset_judgement::outcome outcome;
    std::optional<std::size_t> chosen;
};
TEST(tlsrpt_rrset, counts_as_a_sender_does) {
    PROVES("8460-3-u", "8460-3-v", "A2");
    using enum rrset_judgement::outcome;
    const std::string good = "v=TLSRPTv1; rua=mailto:a@e.com";
    const rrset_row rows[] = {
        {{}, absent, {}},
        {{"v=spf1 -all"}, absent, {}},
        {{good}, valid, 0},
        {{"v=spf1 -all", good}, valid, 1},
        {{good, good}, multiple, {}},
        {{good, "v=TLSRPTv1; nonsense"}, multiple, {}},
        {{"v=TLSRPTv1; nonsense"}, invalid, 0},
        {{"v=TLSRPTv1; rua=mailto:a@e.com,"}, invalid, 0},
        {{"v=TLSRPTv1 ; rua=mailto:a@e.com"}, valid, 0},
        {{"v=TLSRPTv1 ; rua=mailto:a@e.com", "v=spf1 -all"}, absent, {}},
    };
    for (const auto& row : rows) {
        const auto judged = judge_rrset(row.texts);
        EXPECT_EQ(judged.result, row.outcome) << testing::PrintToString(row.texts);
        EXPECT_EQ(judged.chosen, row.chosen) << testing::PrintToString(row.texts);
        EXPECT_EQ(judged.counted.size() + judged.unrelated.size(), row.texts.size());
    }
}

TEST(tlsrpt_record, a_hostile_text_gives_few_issues_and_the_reason_among_them) {
    std::string text = "v=TLSRPTv1";
    for (int i = 0; i < 10'000; ++i)
        text += ";x=1";
    EXPECT_LE(judge_record(text).issues.size(), 64u);
    EXPECT_THAT(problems(text), testing::Contains(rua_missing));
    text = "v=TLSRPTv1;rua=" + std::string(60'000, ',');
    EXPECT_LE(judge_record(text).issues.size(), 64u);
    EXPECT_FALSE(judge_record(text).value);
}

TEST(tlsrpt_record, every_problem_has_a_sentence) {
    for (int i = 0; i <= static_cast<int>(unknown_field); ++i)
        EXPECT_TRUE(explain(static_cast<record_problem>(i)).ends_with('.')) << i;
}

} // namespace
} // namespace mailtight::tlsrpt
