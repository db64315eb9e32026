// SPDX-License-Identifier: Apache-2.0
#include "sts/policy.h"

#include "sts/policy_view.h"
#include "support/proves.h"

#include <gmock/gmock.h>

namespace mailtight::sts {
namespace {
using enum policy_problem;
using testing::ElementsAre;

const std::string head = "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 86400\n";

std::vector<policy_problem> problems(std::string_view body) {
    std::vector<policy_problem> out;
    for (const auto& issue : judge_policy(body).issues)
        out.push_back(issue.problem);
    return out;
}
// A body in mode enforce whose lines are all good but for the given one.
std::string with_line(const std::string& line) {
    return head + line + "\n";
}
std::string with_mx(const std::string& value) {
    return "version: STSv1\nmode: enforce\nmx: " + value + "\nmax_age: 86400\n";
}
std::string with_max_age(const std::string& value) {
    return "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: " + value + "\n";
}

struct good_row {
    std::string body;
    std::vector<policy_problem> remarks;
};
TEST(sts_policy, takes_every_valid_vector) {
    PROVES("8461-3.2-d", "8461-3.2-e", "8461-3.2-f", "8461-3.2-g", "8461-3.2-j", "8461-3.2-m", "8461-3.2-n",
           "8461-3.2-o", "8461-3.2-q", "8461-3.2-r", "8461-3.2-s", "8461-3.2-t", "8461-3.2-u", "8461-3.2-v",
           "8461-3.2-w", "A1", "A3", "A4", "A8");
    const good_row rows[] = {
        {head, {}},
        {"version: STSv1\r\nmode: enforce\r\nmx: a.example\r\nmax_age: 86400\r\n", {}},
        {"version: STSv1\r\nmode: enforce\nmx: a.example\r\nmax_age: 86400\n", {mixed_line_endings}},
        {"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 86400", {}},
        {"mode:none\nmax_age:0\nversion:STSv1", {version_not_first}},
        {"max_age: 1\nversion: STSv1\nmode: none", {version_not_first}},
        {"version: STSv1\nmode: none\nmax_age: 86400", {}},
        {"version: STSv1\nmode: none\nmx: a.example\nmax_age: 86400\n", {}},
        {"version:\tSTSv1 \t\nmode: \t enforce\nmx:*.a.example  \nmax_age: 86400\t\n", {}},
        {head + "mode: none\n", {duplicate_field}},
        {head + "mode: bogus\n", {duplicate_field}},
        {head + "max_age: never\nversion: STSv9\n", {duplicate_field, duplicate_field}},
        {with_mx("*.com"), {}},
        {with_mx("192.0.2.1"), {mx_address}},
        {with_mx("xn--bcher-kva.example"), {}},
        {with_mx("localhost"), {}},
        {with_max_age("31557600"), {}},
        {with_max_age("31557601"), {max_age_too_large}},
        {with_max_age("4294967296"), {max_age_too_large}},
        {with_max_age("0086400"), {}},
        {with_max_age("0"), {}},
        {with_line("x-note: h\xc3\xa4llo w\xc3\xb6rld"), {unknown_field}},
        {with_line("x-note: a:b:c"), {unknown_field}},
        {with_line("x.y-z_0: 1"), {unknown_field}},
        {with_line(std::string(32, 'n') + ": 1"), {unknown_field}},
        {with_line("Mode: none"), {key_case}},
    };
    for (const auto& row : rows) {
        const auto judged = judge_policy(row.body);
        EXPECT_TRUE(judged.valid) << row.body;
        ASSERT_TRUE(judged.value) << row.body;
        EXPECT_EQ(problems(row.body), row.remarks) << row.body;
        EXPECT_EQ(parse_policy(row.body).value(), *judged.value) << row.body;
        EXPECT_TRUE(read_policy_view(row.body)) << row.body;
        EXPECT_TRUE(gives(row.body, *judged.value)) << row.body;
    }
}

TEST(sts_policy, a_body_gives_one_policy_and_no_other) {
    const std::string body = head + "mx: *.b.example\nx-note: 1\nmode: none\nx-note: 2\n\n";
    const auto value = parse_policy(body).value();
    EXPECT_TRUE(gives(body, value));
    const std::pair<const char*, void (*)(policy&)> others[] = {
        {"another mode", [](policy& p) { p.mode = mode::testing; }},
        {"another life", [](policy& p) { ++p.max_age; }},
        {"a pattern less", [](policy& p) { p.mx.pop_back(); }},
        {"a pattern more", [](policy& p) { p.mx.emplace_back("c.example"); }},
        {"another order", [](policy& p) { std::swap(p.mx[0], p.mx[1]); }},
        {"another case", [](policy& p) { p.mx[0] = "A.example"; }},
        {"an extension less", [](policy& p) { p.extensions.pop_back(); }},
        {"an extension more", [](policy& p) { p.extensions.emplace_back("x-more", "3"); }},
        {"another name", [](policy& p) { p.extensions[1].first = "x-other"; }},
        {"another value", [](policy& p) { p.extensions[1].second = "3"; }},
    };
    for (const auto& [what, change] : others) {
        auto other = value;
        change(other);
        EXPECT_FALSE(gives(body, other)) << what;
    }
    EXPECT_FALSE(gives("no policy", policy{})) << "what gives none";
}

struct bad_row {
    std::string body;
    std::vector<policy_problem> reasons;
};
TEST(sts_policy, refuses_every_invalid_vector_with_its_reasons) {
    PROVES("8461-3.2-d", "8461-3.2-e", "8461-3.2-f", "8461-3.2-g", "8461-3.2-k", "8461-3.2-l", "8461-3.2-m",
           "8461-3.2-n", "8461-3.2-o", "8461-3.2-p", "8461-3.2-q", "8461-3.2-r", "8461-3.2-s", "A1", "A6",
           "A7", "A48");
    const bad_row rows[] = {
        {"", {empty}},
        {" \r\n\n", {empty}},
        {"<!DOCTYPE html>\n<style>mode: x</style>\n", {not_a_policy}},
        {"{\"version\": \"STSv1\"}", {not_a_policy}},
        {"Not found\n", {not_a_policy}},
        {std::string("\xff\xfev\0e\0r\0", 8), {encoding}},
        {"version: STSv1\nmode: enforce\n\nmx: a.example\nmax_age: 86400\n", {blank_line}},
        {"\nversion: STSv1\nmode: enforce\nmx: a.example\nmax_age: 86400\n", {blank_line}},
        {"\xef\xbb\xbf" + head, {bom}},
        {"version: STSv1\n mode: enforce\nmx: a.example\nmax_age: 86400\n", {leading_space}},
        {"version : STSv1\nmode: enforce\nmx: a.example\nmax_age: 86400\n", {syntax}},
        {with_line("# comment"), {syntax}},
        {with_line("x-note:"), {syntax}},
        {with_line("x-note: a\tb"), {syntax}},
        {with_line("_x: 1"), {syntax}},
        {with_line(std::string(33, 'n') + ": 1"), {syntax}},
        {with_line("mode:"), {syntax}}, // a repeated field must at least be a field
        {"version: STSv1\rmode: enforce\rmx: a.example\rmax_age: 86400\r",
         {bare_cr, bare_cr, bare_cr, bare_cr}},
        {head + "x: 1\r", {bare_cr, unknown_field}},
        {"Version: STSv1\nmode: none\nmax_age: 1\n", {key_case, version_missing}},
        {"version: stsv1\nmode: none\nmax_age: 1\n", {version_invalid}},
        {"version: STSv2\nmode: none\nmax_age: 1\n", {version_invalid}},
        {"version:\nmode: none\nmax_age: 1\n", {version_invalid}},
        {"mode: none\nmax_age: 1\n", {version_missing}},
        {"version: STSv1\nmode: Enforce\nmx: a.example\nmax_age: 1\n", {mode_invalid}},
        {"version: STSv1\nmode: report\nmx: a.example\nmax_age: 1\n", {mode_invalid}},
        {"version: STSv1\nMode: enforce\nmx: a.example\nmax_age: 1\n", {key_case, mode_missing}},
        {"version: STSv1\nmode: bogus\nmode: enforce\nmx: a.example\nmax_age: 1\n",
         {mode_invalid, duplicate_field}},
        {"version: STSv1\nmx: a.example\nmax_age: 1\n", {mode_missing}},
        {"version: STSv1\nmode: enforce\nmx: a.example\n", {max_age_missing}},
        {"version: STSv1\nmode: enforce\nmax_age: 1\n", {mx_missing}},
        {"version: STSv1\nmode: testing\nmax_age: 1\n", {mx_missing}},
        {with_mx("a.example b.example"), {mx_syntax}},
        {with_mx("a, b"), {mx_syntax}},
        {with_mx("a.example."), {mx_syntax}},
        {with_mx(".example"), {mx_syntax}},
        {with_mx("*"), {mx_syntax}},
        {with_mx("*."), {mx_syntax}},
        {with_mx("a.*.example"), {mx_syntax}},
        {with_mx("mx*.example"), {mx_syntax}},
        {with_mx("[192.0.2.1]"), {mx_syntax}},
        {with_mx("2001:db8::1"), {mx_syntax}},
        {with_mx("mx_1.example"), {mx_syntax}},
        {with_mx("-a.example"), {mx_syntax}},
        {with_mx("a-.example"), {mx_syntax}},
        {with_mx(""), {mx_syntax}},
        {with_mx("."), {mx_null}},
        {with_mx("b\xc3\xbc"
                 "cher.example"),
         {mx_unicode}},
        {with_line("mx: bad_one.example"), {mx_syntax}}, // beside a good one (A6)
        {with_max_age("12345678901"), {max_age_invalid}},
        {with_max_age("-1"), {max_age_invalid}},
        {with_max_age("1e6"), {max_age_invalid}},
        {with_max_age("86400s"), {max_age_invalid}},
        {with_max_age(""), {max_age_invalid}},
        {with_line("x: a\xff"), {encoding}},
        {with_line("x: \xc0\xaf"), {encoding}},     // overlong
        {with_line("x: \xed\xa0\x80"), {encoding}}, // a surrogate
        {head + std::string("x: a\0b\n", 7), {encoding}},
        {with_line("x: \x1b[31m"), {encoding}},
        {with_line("mx: a\xff.example"), {encoding}},
    };
    for (const auto& row : rows) {
        const auto judged = judge_policy(row.body);
        EXPECT_FALSE(judged.valid) << row.body;
        EXPECT_FALSE(judged.value) << row.body;
        EXPECT_EQ(problems(row.body), row.reasons) << row.body;
        const auto parsed = parse_policy(row.body);
        ASSERT_FALSE(parsed) << row.body;
        EXPECT_THAT(judged.issues, testing::Contains(parsed.error())) << row.body;
        EXPECT_TRUE(breaks_grammar(parsed.error().problem)) << row.body;
        EXPECT_FALSE(read_policy_view(row.body)) << row.body;
    }
}

TEST(sts_policy, tolerates_blank_lines_after_the_last_field_and_says_so) {
    PROVES("A7");
    for (const std::string& tail : {"\n", "\r\n", "\n\n\n", " \t", "   \n\t\n"}) {
        const auto judged = judge_policy(head + tail);
        EXPECT_FALSE(judged.valid);
        EXPECT_EQ(problems(head + tail).back(), trailing_blank_lines);
        EXPECT_EQ(judged.value, parse_policy(head).value());
        EXPECT_EQ(parse_policy(head + tail), parse_policy(head));
        EXPECT_TRUE(read_policy_view(head + tail)->trailing_blank_lines);
    }
    EXPECT_FALSE(read_policy_view(head)->trailing_blank_lines);
}

TEST(sts_policy, the_first_occurrence_of_a_field_counts) {
    PROVES("8461-3.2-w", "A3");
    const auto read = parse_policy(head + "mode: none\nmax_age: 7\nmx: b.example\n");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->mode, mode::enforce);
    EXPECT_EQ(read->max_age, 86400u);
    EXPECT_THAT(read->mx, ElementsAre("a.example", "b.example")); // mx is the field that may repeat
}

TEST(sts_policy, unknown_fields_have_no_effect_and_are_kept_for_display) {
    PROVES("8461-3.2-v", "8461-9-b");
    auto read = parse_policy("x-first: 1\n" + head + "x-last: two words\n");
    ASSERT_TRUE(read);
    EXPECT_THAT(read->extensions,
                ElementsAre(testing::Pair("x-first", "1"), testing::Pair("x-last", "two words")));
    read->extensions.clear();
    EXPECT_EQ(*read, parse_policy(head).value());
}

TEST(sts_policy, max_age_is_read_whole_and_used_up_to_a_year) {
    PROVES("8461-3.2-g", "8461-3.2-r", "A4");
    struct {
        std::string text;
        std::uint64_t written;
        std::uint64_t used;
    } const rows[] = {{"0", 0, 0},
                      {"0086400", 86400, 86400},
                      {"31557600", 31557600, 31557600},
                      {"31557601", 31557601, 31557600},
                      {"9999999999", 9999999999, 31557600}};
    for (const auto& row : rows) {
        const auto read = parse_policy(with_max_age(row.text));
        ASSERT_TRUE(read) << row.text;
        EXPECT_EQ(read->max_age, row.written);
        EXPECT_EQ(read->effective_max_age(), row.used);
    }
}

TEST(sts_policy, points_at_line_and_bytes) {
    const auto judged = judge_policy("version: STSv1\r\nmode:  bogus \r\nmx: a_b.example\r\nx: \xff\r\n");
    EXPECT_THAT(judged.issues,
                ElementsAre(policy_issue{mode_invalid, 2, 23, "bogus"},
                            policy_issue{mx_syntax, 3, 35, "a_b.example"},
                            policy_issue{encoding, 4, 51, "\xff"}, policy_issue{max_age_missing, 0, 54, ""}));
}

// Bodies of an exact size: a long extension line fills them up.
std::string body_of(std::size_t size) {
    std::string body = head + "x: ";
    return body + std::string(size - body.size() - 1, 'x') + "\n";
}
TEST(sts_policy, is_taken_up_to_65536_bytes) {
    PROVES("A10");
    EXPECT_TRUE(judge_policy(body_of(65536)).valid);
    EXPECT_TRUE(parse_policy(body_of(65536)));
    EXPECT_EQ(problems(body_of(65537)), std::vector{too_large});
    EXPECT_EQ(parse_policy(body_of(65537)).error().problem, too_large);
    EXPECT_FALSE(read_policy_view(body_of(65537)));
}

TEST(sts_policy, a_hostile_body_gives_few_issues_and_the_reason_among_them) {
    std::string body = head;
    while (body.size() < 60000)
        body += "x: 1\n";
    EXPECT_EQ(problems(body).size(), 64u);
    body += "mx: bad_one\n";
    EXPECT_EQ(problems(body).size(), 64u);
    EXPECT_EQ(parse_policy(body).error().problem, mx_syntax);
    EXPECT_LE(problems(std::string(65536, '\r')).size(), 64u);
    EXPECT_LE(problems(std::string(65536, '\xff')).size(), 64u);
}

TEST(sts_policy, every_problem_has_a_sentence_and_a_weight) {
    for (int i = 0; i <= static_cast<int>(unknown_field); ++i)
        EXPECT_TRUE(explain(static_cast<policy_problem>(i)).ends_with('.')) << i;
    for (auto wisdom : {mixed_line_endings, version_not_first, max_age_too_large, mx_address, duplicate_field,
                        key_case, unknown_field})
        EXPECT_FALSE(breaks_grammar(wisdom));
}

TEST(sts_policy, the_view_asks_the_patterns_in_their_order) {
    PROVES("8461-4.1-b");
    const std::string body =
        "version: STSv1\nmode: enforce\nmx: mx1.a.example\nmx: *.a.example\nmax_age: 1\n";
    const auto view = read_policy_view(body);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->mx_count, 2u);
    EXPECT_EQ(view->admitted_by("MX1.a.example."), "mx1.a.example");
    EXPECT_EQ(view->admitted_by("mx2.a.example"), "*.a.example");
    EXPECT_EQ(view->admitted_by("a.example"), std::nullopt);
}

// Found by fuzzing: behind many remarks the one that makes the body invalid was dropped.
TEST(sts_policy, trailing_blank_lines_are_told_behind_any_number_of_remarks) {
    std::string body = "version: STSv1\nmode: none\nmax_age: 86400\n";
    for (int i = 0; i < 200; ++i)
        body += "x" + std::to_string(i) + ": y\n";
    EXPECT_TRUE(judge_policy(body).valid);
    const auto judged = judge_policy(body + "\n");
    EXPECT_FALSE(judged.valid);
    EXPECT_TRUE(judged.value) << "A7: still used";
    EXPECT_TRUE(std::ranges::any_of(judged.issues, [](const policy_issue& issue) {
        return issue.problem == policy_problem::trailing_blank_lines;
    }));
}

} // namespace
} // namespace mailtight::sts
