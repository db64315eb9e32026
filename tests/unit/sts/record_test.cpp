// SPDX-License-Identifier: Apache-2.0
#include "sts/record.h"

#include "sts/id.h"
#include "support/near.h"
#include "support/proves.h"

#include <rapidcheck/gtest.h>

#include <gmock/gmock.h>

namespace mailtight::sts {
namespace {
using enum record_problem;

const std::string id32(32, 'a');
const std::string id33(33, 'a');

std::vector<record_problem> problems(std::string_view text) {
    std::vector<record_problem> out;
    for (const auto& issue : judge_record(text).issues)
        out.push_back(issue.problem);
    return out;
}

struct good_row {
    std::string text;
    std::string id;
    std::vector<record_problem> remarks;
};

TEST(sts_record, takes_every_valid_vector) {
    PROVES("8461-3.1-b", "8461-3.1-c", "8461-3.1-d", "8461-3.1-g", "8461-3.1-h", "8461-3.1-j", "8461-3.1-k",
           "8461-3.1-l", "8461-3.2-u", "8461-3.2-v", "8461-3.2-w", "A2", "A3");
    const good_row rows[] = {
        {"v=STSv1; id=20160831085700Z;", "20160831085700Z", {}},
        {"v=STSv1;id=1", "1", {}},
        {"v=STSv1; id=20190425085700", "20190425085700", {}},
        {"v=STSv1; id=a; x-y.z_1=!foo", "a", {unknown_field}},
        {"v=STSv1 ; id=1", "1", {space_before_delimiter}},
        {"v=STSv1;id=1 ; ", "1", {}},
        {"v=STSv1\t;\tid=1", "1", {space_before_delimiter}},
        {"v=STSv1; id=1; id=2", "1", {duplicate_field}},
        {"v=STSv1; id=1; id=not-an-id", "1", {duplicate_field}},
        {"v=STSv1; id=" + id32, id32, {}},
        {"v=STSv1; x=1; id=1", "1", {unknown_field}},
        {"v=STSv1; ID=2; id=1", "1", {unknown_field}},
        {"v=STSv1; id=1; " + std::string(32, 'n') + "=1", "1", {unknown_field}},
        {"v=STSv1; id=1; v=STSv1", "1", {unknown_field}},
    };
    for (const auto& row : rows) {
        const auto judged = judge_record(row.text);
        ASSERT_TRUE(judged.valid()) << row.text;
        EXPECT_EQ(judged.value->id, row.id) << row.text;
        EXPECT_EQ(problems(row.text), row.remarks) << row.text;
        EXPECT_EQ(parse_record(row.text).value(), *judged.value) << row.text;
        EXPECT_TRUE(claims_record(row.text)) << row.text;
    }
}

struct bad_row {
    std::string text;
    record_problem reason;
};

TEST(sts_record, refuses_every_invalid_vector_with_its_reason) {
    PROVES("8461-3.1-b", "8461-3.1-c", "8461-3.1-d", "8461-3.1-g", "8461-3.1-i", "8461-3.1-j", "8461-3.1-k",
           "8461-3.1-l", "8461-3.1-m", "8461-3.1-p");
    const bad_row rows[] = {
        {"v=STSv1; id=" + id33, id_invalid},
        {"v=STSv1; id=2020-01-01", id_invalid},
        {"v=STSv1; id=", id_invalid},
        {"v=STSv1; id=a b", id_invalid},
        {"v=STSv1; id=-; id=1", id_invalid}, // the first id counts, good or bad
        {"v=STSv1; ID=1", id_missing},
        {"v=STSv1; foo=bar", id_missing},
        {"v=STSv1", syntax},
        {"v=STSv1;", syntax},
        {"v=STSv1; ", syntax},
        {"v=STSv1; id =1", syntax},
        {"v=STSv1, id=1", syntax},
        {"v=STSv1; id=1;;", syntax},
        {"v=STSv1;; id=1", syntax},
        {"v=STSv1; id=1 ", syntax}, // a blank at the end without a semicolon before it
        {" v=STSv1; id=1", not_a_record},
        {"\"v=STSv1; id=1\"", not_a_record},
        {"V=STSv1; id=1", not_a_record},
        {"v=stsv1; id=1", not_a_record},
        {"v=STSv10; id=1", not_a_record},
        {"id=1; v=STSv1", not_a_record},
        {"v=STSv2; id=1", not_a_record},
        {"", not_a_record},
        {"v=STSv1; x=a=b; id=1", syntax},
        {"v=STSv1; x=a b; id=1", syntax},
        {"v=STSv1; x=; id=1", syntax},
        {"v=STSv1; _x=1; id=1", syntax},
        {"v=STSv1; =1; id=1", syntax},
        {"v=STSv1; " + std::string(33, 'n') + "=1; id=1", syntax},
        {"v=STSv1; x=\xc3\xa4; id=1", syntax},
        {std::string("v=STSv1; x=a\0b; id=1", 20), syntax},
        {"v=STSv1; id=1\n", id_invalid},
    };
    for (const auto& row : rows) {
        const auto judged = judge_record(row.text);
        EXPECT_FALSE(judged.valid()) << row.text;
        const auto parsed = parse_record(row.text);
        ASSERT_FALSE(parsed) << row.text;
        EXPECT_EQ(parsed.error().problem, row.reason) << row.text;
        EXPECT_THAT(judged.issues, testing::Contains(parsed.error())) << row.text;
        EXPECT_FALSE(read_record_view(row.text)) << row.text;
    }
}

TEST(sts_record, points_at_the_bytes_concerned) {
    const auto judged = judge_record("v=STSv1; id=2020-01-01; _x=1");
    ASSERT_EQ(judged.issues.size(), 2u);
    EXPECT_EQ(judged.issues[0], (record_issue{id_invalid, 9, "2020-01-01"}));
    EXPECT_EQ(judged.issues[1], (record_issue{syntax, 24, "_x=1"}));
}

TEST(sts_record, keeps_unknown_fields_for_display) {
    PROVES("8461-9-b");
    const auto record = parse_record("v=STSv1; a=1; id=7; b=2");
    ASSERT_TRUE(record);
    EXPECT_THAT(record->extensions, testing::ElementsAre(testing::Pair("a", "1"), testing::Pair("b", "2")));
}

struct rrset_row {
    std::vector<std::string> texts;
    rrset_judgement::outcome outcome;
    std::optional<std::size_t> chosen;
    std::size_t unrelated;
};

TEST(sts_rrset, counts_as_a_sender_does) {
    PROVES("8461-3.1-n", "8461-3.1-o", "8461-3.1-p", "A2");
    using enum rrset_judgement::outcome;
    const rrset_row rows[] = {
        {{}, absent, {}, 0},
        {{"v=spf1 -all"}, absent, {}, 1},
        {{"v=STSv2; id=1"}, absent, {}, 1},
        {{"v=STSv1; id=1"}, valid, 0, 0},
        {{"v=spf1 -all", "v=STSv1; id=1"}, valid, 1, 1},
        {{"v=STSv1; id=1", "v=STSv1; id=1"}, multiple, {}, 0},
        {{"v=STSv1; id=1", "v=STSv1; nonsense"}, multiple, {}, 0},
        {{"v=STSv1; nonsense"}, invalid, 0, 0},
        {{"v=STSv1"}, invalid, 0, 0},
        // Alone, the grammar is the judge; beside another text, the exact beginning is.
        {{"v=STSv1 ; id=1"}, valid, 0, 0},
        {{"v=STSv1 ; id=1", "v=spf1 -all"}, absent, {}, 2},
        {{"v=STSv1 ; id=1", "v=STSv1; id=2"}, valid, 1, 1},
        {{"v=STSv1", "v=STSv1; id=2"}, valid, 1, 1},
    };
    for (const auto& row : rows) {
        const auto judged = judge_rrset(row.texts);
        EXPECT_EQ(judged.result, row.outcome) << testing::PrintToString(row.texts);
        EXPECT_EQ(judged.chosen, row.chosen) << testing::PrintToString(row.texts);
        EXPECT_EQ(judged.unrelated.size(), row.unrelated) << testing::PrintToString(row.texts);
        EXPECT_EQ(judged.counted.size() + judged.unrelated.size(), row.texts.size());
    }
}

TEST(sts_record, writes_the_form_without_a_space_before_the_semicolon) {
    PROVES("A2");
    EXPECT_EQ(format_record("20190425085700"), "v=STSv1; id=20190425085700");
    EXPECT_TRUE(judge_record(format_record("1")).issues.empty());
}

TEST(sts_record, a_hostile_text_gives_few_issues_and_the_reason_among_them) {
    std::string text = "v=STSv1";
    for (int i = 0; i < 10'000; ++i)
        text += ";x=1";
    auto judged = judge_record(text);
    EXPECT_FALSE(judged.valid());
    EXPECT_LE(judged.issues.size(), 64u);
    EXPECT_EQ(parse_record(text).error().problem, id_missing);
    text += ";=";
    EXPECT_EQ(parse_record(text).error().problem, syntax);
}

TEST(sts_record, every_problem_has_a_sentence) {
    for (auto problem : {not_a_record, syntax, id_missing, id_invalid, space_before_delimiter,
                         duplicate_field, unknown_field})
        EXPECT_TRUE(explain(problem).ends_with('.'));
}

// --- the grammar once more, read off RFC 8461 §3.1 as a regular expression is: slowly and by
// backtracking --- ^v=STSv1([ \t]*;[ \t]*NAME=[!-:<-<>-~]+)+([ \t]*;[ \t]*)?$ , then the first field named
// id: [A-Za-z0-9]{1,32}
bool is_alnum_slow(char c) {
    return std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").find(c) !=
           std::string::npos;
}
bool fields_match(const std::string& text, std::size_t at, bool any, const std::string& id_so_far,
                  bool has_id) {
    const auto blanks = [&](std::size_t from) {
        while (from < text.size() && (text[from] == ' ' || text[from] == '\t'))
            ++from;
        return from;
    };
    const auto id_good = [&] {
        if (!has_id || id_so_far.empty() || id_so_far.size() > 32)
            return false;
        for (char c : id_so_far)
            if (!is_alnum_slow(c))
                return false;
        return true;
    };
    if (at == text.size())
        return any && id_good();
    const std::size_t semicolon = blanks(at);
    if (semicolon >= text.size() || text[semicolon] != ';')
        return false;
    const std::size_t begin = blanks(semicolon + 1);
    if (any && begin == text.size() && id_good())
        return true;
    std::size_t name_end = begin;
    while (name_end < text.size() &&
           (is_alnum_slow(text[name_end]) ||
            (name_end > begin && std::string("_.-").find(text[name_end]) != std::string::npos)))
        ++name_end;
    if (name_end == begin || name_end - begin > 32 || name_end == text.size() || text[name_end] != '=')
        return false;
    std::size_t value_end = name_end + 1;
    while (value_end < text.size() && text[value_end] >= '!' && text[value_end] <= '~' &&
           text[value_end] != ';' && text[value_end] != '=')
        ++value_end;
    if (value_end == name_end + 1)
        return false;
    const bool is_id = text.substr(begin, name_end - begin) == "id";
    const std::string value = text.substr(name_end + 1, value_end - name_end - 1);
    return fields_match(text, value_end, true, has_id || !is_id ? id_so_far : value, has_id || is_id);
}
bool oracle(const std::string& text) {
    return text.starts_with("v=STSv1") && fields_match(text, 7, false, "", false);
}

rc::Gen<std::vector<std::string>> near_records() {
    return rc::gen::container<std::vector<std::string>>(
        20, tests::near_text(
                "v=STSv1", {";", "; ", " ; ", "\t;"},
                {"id=1", "id=1", "id=abc9Z", "x=1", "x.y-z_0=!~", "id=" + id32, "ID=1", "id=2020-01-01"},
                "; \t=-_.aZ9\xc3\n!~"));
}

RC_GTEST_PROP(sts_record_property, agrees_with_the_grammar_read_slowly, ()) {
    int valid = 0;
    for (const std::string& text : *near_records()) {
        const bool expected = oracle(text);
        valid += expected ? 1 : 0;
        RC_ASSERT(judge_record(text).valid() == expected);
        RC_ASSERT(parse_record(text).has_value() == expected);
        const auto view = read_record_view(text);
        RC_ASSERT(view.has_value() == expected);
        if (view)
            RC_ASSERT(view->id == parse_record(text)->id);
    }
    RC_CLASSIFY(valid >= 5, "a quarter valid");
}

RC_GTEST_PROP(sts_record_property, judges_any_bytes, (std::vector<std::uint8_t> bytes)) {
    const std::string text = "v=STSv1;" + std::string(bytes.begin(), bytes.end());
    RC_ASSERT(judge_record(text).valid() == oracle(text));
    RC_ASSERT(parse_record(text).has_value() == oracle(text));
}

RC_GTEST_PROP(sts_record_property, what_is_written_is_read_back, ()) {
    const auto id = *rc::gen::suchThat(
        rc::gen::container<std::string>(rc::gen::element('0', '9', 'a', 'z', 'A', 'Z')), valid_id);
    RC_ASSERT(parse_record(format_record(id)).value() == (record{id, {}}));
    RC_ASSERT(read_record_view(format_record(id))->id == id);
}

} // namespace
} // namespace mailtight::sts
