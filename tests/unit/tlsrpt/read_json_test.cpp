// SPDX-License-Identifier: Apache-2.0
// JSON that is none, or not all there: what is refused and why, what is kept, and that every limit holds.
#include "tlsrpt/json_mend.h"

#include "support/proves.h"
#include "unit/tlsrpt/report_texts.h"

#include <rapidcheck/gtest.h>

namespace mailtight::tlsrpt {
namespace {
using tests::codes;
using tests::has;
using tests::tidy_report;
using tests::with;

std::string times(std::size_t count, std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i)
        out += text;
    return out;
}

TEST(read_json, refuses_what_is_no_report) {
    struct {
        std::string what, text;
        read_problem problem;
    } const rows[] = {
        {"nothing", "", read_problem::empty},
        {"blanks", " \r\n ", read_problem::empty},
        {"a word", "hello", read_problem::not_json},
        {"HTML", "<html><body>{}</body></html>", read_problem::not_json},
        {"a list", R"([{"policies": []}])", read_problem::not_json},
        {"a text", R"("policies")", read_problem::not_json},
        {"gzip", "\x1f\x8b\x08", read_problem::not_json},
        {"no policies", R"({"organization-name": "x"})", read_problem::not_a_report},
        {"broken off before them", R"({"organization-name": "x", "pol)", read_problem::not_a_report},
        {"broken off in the first", R"({"policies": [{"policy": {"policy-type": "sts"}, "summ)",
         read_problem::not_a_report},
        {"one brace", "{", read_problem::not_a_report},
        {"brackets without end", times(100'000, "["), read_problem::not_json},
        {"objects without end", times(100'000, R"({"a":)"), read_problem::not_a_report},
    };
    report_reader reader;
    for (const auto& row : rows) {
        SCOPED_TRACE(row.what);
        const auto read = reader.read_json(row.text);
        ASSERT_FALSE(read);
        EXPECT_EQ(read.error().code, row.problem) << to_string(read.error().code);
        EXPECT_FALSE(read.error().message.empty());
    }
}

std::string of_two_policies() {
    std::string first = tidy_report.substr(tidy_report.find("[{") + 1);
    first = first.substr(0, first.rfind(']'));
    return with("[{\n    \"policy\"", "[" + first + ",{\n    \"policy\"");
}

TEST(read_json, keeps_what_came_before_the_cut) {
    report_reader reader;
    const std::string text = of_two_policies();
    const auto whole = reader.read_json(text);
    ASSERT_TRUE(whole);
    ASSERT_EQ(whole->policies.size(), 2U);
    ASSERT_EQ(codes(*whole), "");
    std::size_t kept = 0;
    for (std::size_t size = 0; size < text.size(); ++size) {
        SCOPED_TRACE(text.substr(0, size));
        const auto cut = reader.read_json(std::string_view(text).substr(0, size));
        if (!cut) {
            EXPECT_EQ(kept, 0U) << "what was there once stays";
            continue;
        }
        EXPECT_TRUE(cut->truncated);
        ASSERT_GE(cut->policies.size(), std::max<std::size_t>(kept, 1));
        kept = cut->policies.size();
        for (std::size_t i = 0; i < kept; ++i) { // counts are right or not there
            EXPECT_EQ(cut->policies[i].success, 10U);
            EXPECT_EQ(cut->policies[i].failure, 2U);
            for (const auto& d : cut->policies[i].details)
                EXPECT_EQ(d.result_type, "certificate-expired");
        }
        if (kept == 2)
            EXPECT_EQ(cut->policies[0], whole->policies[0]);
    }
    EXPECT_EQ(kept, 2U);
}

TEST(read_json, reads_on_where_a_text_is_odd) {
    struct {
        std::string what, text;
        std::string_view organization;
    } const rows[] = {
        {"an unknown escape", with("Example Mail", R"(C:\windows)"), R"(C:\windows)"},
        {"no hexadecimal", with("Example Mail", R"(\u12x)"), R"(\u12x)"},
        {"a pair", with("Example Mail", R"(\ud83d\ude00\x)"), "\xf0\x9f\x98\x80\\x"},
        {"two first halves", with("Example Mail", R"(\ud83d\ud83d)"), "\xef\xbf\xbd\xef\xbf\xbd"},
        {"line breaks", with("Example Mail", "a\r\nb\tc"), "a\r\nb\tc"},
        {"an overlong form", with("Example Mail", "a\xc0\xaf"), "a\xef\xbf\xbd\xef\xbf\xbd"},
        {"a truth value", with("\"Example Mail\"", "True"), "true"},
        {"a bare word", with("\"Example Mail\"", "Example"), "Example"},
        {"a number", with("\"Example Mail\"", "12.50"), "12.5"},
        {"a list", with("\"Example Mail\"", R"(["a", "b"])"), "a, b"},
        {"no comma", with("\"Example Mail\",", "\"Example Mail\""), "Example Mail"},
        {"no value", with(R"("report-id": "20260102.1@example.net")", R"("report-id": )"), "Example Mail"},
        {"two commas", with("\"Example Mail\",", "\"Example Mail\",,"), "Example Mail"},
        {"the wrong bracket", with("Mail\",", "Mail\", \"x\": [1},"), "Example Mail"},
    };
    report_reader reader;
    for (const auto& row : rows) {
        SCOPED_TRACE(row.what);
        const auto read = reader.read_json(row.text);
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(read->organization_name, row.organization);
        EXPECT_EQ(read->policies.at(0).failure, 2U);
        EXPECT_FALSE(read->warnings.empty() && row.what != "line breaks");
    }
}

TEST(read_json, holds_its_limits) {
    PROVES("8460-7-a");
    const std::string two = of_two_policies();
    read_limits limits;
    limits.json_bytes = two.size() - 1;
    EXPECT_EQ(report_reader(limits).read_json(two).error().code, read_problem::too_large);

    limits = {};
    limits.policies = 1;
    auto read = report_reader(limits).read_json(two);
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->truncated && has(*read, quirk::truncated, "policies"));
    EXPECT_EQ(read->policies.size(), 1U);

    limits = {};
    limits.details = 1;
    read = report_reader(limits).read_json(two);
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->truncated && has(*read, quirk::truncated, ""));
    ASSERT_EQ(read->policies.size(), 2U);
    EXPECT_EQ(read->policies[0].details.size(), 1U);
    EXPECT_EQ(read->policies[1].details.size(), 0U);
    EXPECT_EQ(read->policies[1].failure, 2U); // the counts are still right

    // A million texts are more than any policy has; each would cost more memory than it has bytes.
    read = report_reader().read_json(
        with(R"(["mx1.example.com"])", "[" + times(1'000'100, "\"a\",") + "\"b\"]"));
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->truncated && has(*read, quirk::truncated, "policies[0].policy.mx-host"));
    EXPECT_LT(read->policies.at(0).mx_patterns.size(), 1'000'001U);

    limits = {};
    limits.text_bytes = 5;
    read = report_reader(limits).read_json(with("Example Mail", "\xc3\xa4\xc3\xa4\xc3\xa4"));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->organization_name, "\xc3\xa4\xc3\xa4"); // between characters

    limits = {};
    limits.warnings = 8;
    const auto odd =
        with(R"("mx-host": ["mx1.example.com"])", "\"mx-host\": [" + times(1000, "1,") + "\"mx: a\"]");
    read = report_reader(limits).read_json(odd);
    ASSERT_TRUE(read);
    EXPECT_LE(read->warnings.size(), 8U);
    EXPECT_TRUE(has(*read, quirk::mx_host_prefixed, "policies[0].policy.mx-host[1000]"))
        << "a flood of one kind leaves room for the others";
}

TEST(read_json, depth_is_bounded_and_what_is_flat_is_kept) {
    report_reader reader;
    for (const std::size_t depth : {31U, 32U, 33U, 1000U, 200'000U}) {
        const auto read =
            reader.read_json(with("\"Example Mail\",", "\"Example Mail\", \"x\": " + times(depth, "[") + "1" +
                                                           times(depth, "]") + ","));
        ASSERT_TRUE(read);
        EXPECT_EQ(codes(*read).starts_with("too-deep"), depth > 31) << depth;
        EXPECT_EQ(read->policies.at(0).success, 10U);
    }
}

// 8460-4-a: the mender must not change what is proper JSON.
RC_GTEST_PROP(mend_json, leaves_proper_json_alone, ()) {
    std::string text = tidy_report;
    const auto name = *rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '~'));
    std::string safe;
    for (const char c : name)
        if (c != '"' && c != '\\')
            safe += c;
    text = with("Example Mail", safe + "\xc3\xa4\\n\\u0041", text);
    text = with("count\": 10", "count\": " + std::to_string(*rc::gen::inRange(0, 1'000'000)), text);
    std::vector<warning> warnings;
    remarks notes(warnings, 10);
    const read_limits limits;
    const auto mended = mend_json(text, limits, notes);
    RC_ASSERT(mended.has_value());
    RC_ASSERT(warnings.empty() && !mended->cut);
    report_reader reader;
    const auto a = reader.read_json(text), b = reader.read_json(mended->json);
    RC_ASSERT(a.has_value() && b.has_value());
    RC_ASSERT(*a == *b);
}

} // namespace
} // namespace mailtight::tlsrpt
