// SPDX-License-Identifier: Apache-2.0
// The examples and rules of the administrator guides: whoever follows them sees neither error nor warning.
#include "base/limits.h"
#include "sts/id.h"
#include "sts/match.h"
#include "sts/policy.h"
#include "sts/record.h"
#include "support/proves.h"

#include <gmock/gmock.h>

namespace mailtight::sts {
namespace {
using testing::ElementsAre;

const std::string three_hosts =
    "version: STSv1\nmode: testing\nmx: mail.solarmora.com\n"
    "mx: clone-mail.cybersafe.vn\nmx: stupid-mail.cybersafe.vn\nmax_age: 604800\n";
const std::string with_wildcard =
    "version: STSv1\nmode: testing\nmx: mail.solarmora.com\nmx: *.solarmora.net\n"
    "mx: backupmx.solarmora.com\nmax_age: 604800\n";
const std::string turned_off = "version: STSv1\nmode: none\nmax_age: 86400\n";

// As typed on Windows, as typed on Unix, and without an end of the last line.
std::vector<std::string> spellings(const std::string& body) {
    std::string crlf;
    for (char c : body)
        crlf += c == '\n' ? "\r\n" : std::string(1, c);
    return {body, crlf, body.substr(0, body.size() - 1)};
}
policy clean(const std::string& body) {
    policy out;
    for (const auto& spelling : spellings(body)) {
        const auto judged = judge_policy(spelling);
        EXPECT_TRUE(judged.valid) << spelling;
        EXPECT_THAT(judged.issues, ElementsAre()) << spelling;
        out = judged.value.value_or(policy{});
    }
    return out;
}

TEST(guides, the_testing_policy_with_three_hosts) {
    PROVES("G1-11", "G1-12", "G1-18", "G1-30");
    const auto p = clean(three_hosts);
    EXPECT_EQ(p.mode, mode::testing);
    EXPECT_EQ(p.max_age, 604800u);
    EXPECT_THAT(p.mx,
                ElementsAre("mail.solarmora.com", "clone-mail.cybersafe.vn", "stupid-mail.cybersafe.vn"));
}

TEST(guides, the_testing_policy_with_a_wildcard) {
    PROVES("G3-29", "G3-26", "G1-31");
    const auto p = clean(with_wildcard);
    EXPECT_EQ(p.mode, mode::testing);
    EXPECT_EQ(admitted_by(p.mx, "mx1.solarmora.net"), 1u);
    EXPECT_EQ(admitted_by(p.mx, "solarmora.net"), std::nullopt);
    EXPECT_EQ(admitted_by(p.mx, "a.mx1.solarmora.net"), std::nullopt);
    EXPECT_EQ(admitted_by(p.mx, "backupmx.solarmora.com"), 2u);
}

TEST(guides, the_none_policy) {
    PROVES("G3-56", "A8");
    EXPECT_EQ(clean(turned_off), (policy{mode::none, 86400, {}, {}}));
    EXPECT_EQ(format_policy({mode::none, 86400, {}, {}}).value(), spellings(turned_off)[1]);
}

TEST(guides, the_file_may_have_64_kilobytes) {
    PROVES("G1-13", "G3-19");
    std::string body = turned_off + "x: ";
    body.append(base::limits::policy_bytes - body.size(), 'x');
    ASSERT_EQ(body.size(), 65536u);
    EXPECT_TRUE(judge_policy(body).valid);
    EXPECT_FALSE(judge_policy(body + "x").valid);
}

TEST(guides, the_version_comes_first_and_the_rest_in_any_order) {
    PROVES("G1-16", "G1-17", "G3-21");
    clean("version: STSv1\nmax_age: 604800\nmx: mail.solarmora.com\nmode: testing\n");
    const auto judged = judge_policy("mode: none\nversion: STSv1\nmax_age: 86400\n");
    EXPECT_TRUE(judged.valid); // for the standard
    ASSERT_EQ(judged.issues.size(), 1u);
    EXPECT_EQ(judged.issues[0].problem, policy_problem::version_not_first);
    EXPECT_EQ(judged.issues[0].line, 2u);
}

TEST(guides, all_four_keys_are_needed) {
    PROVES("G1-19", "G1-21", "G3-23", "G3-24");
    struct {
        std::string without;
        policy_problem reason;
    } const rows[] = {{"version: STSv1\n", policy_problem::version_missing},
                      {"mode: testing\n", policy_problem::mode_missing},
                      {"mx: mail.solarmora.com\n", policy_problem::mx_missing},
                      {"max_age: 604800\n", policy_problem::max_age_missing}};
    const std::string whole = "version: STSv1\nmode: testing\nmx: mail.solarmora.com\nmax_age: 604800\n";
    for (const auto& row : rows) {
        std::string body = whole;
        body.erase(body.find(row.without), row.without.size());
        const auto judged = judge_policy(body);
        EXPECT_FALSE(judged.value);
        ASSERT_EQ(judged.issues.size(), 1u) << body;
        EXPECT_EQ(judged.issues[0].problem, row.reason);
    }
    EXPECT_EQ(parse_policy("version: STSv2\nmode: none\nmax_age: 1\n").error().problem,
              policy_problem::version_invalid);
    for (std::string_view word : {"testing", "enforce", "none"})
        EXPECT_EQ(to_string(parse_mode(word).value()), word);
    EXPECT_FALSE(parse_mode("report"));
}

TEST(guides, each_mx_entry_on_its_own_line_as_a_certificate_writes_names) {
    PROVES("G1-28", "G1-29", "G3-25");
    for (const auto* value :
         {"mail.solarmora.com, alt1.aspmx.solarmora.com", "mail.solarmora.com alt1.solarmora.com",
          "mail.solarmora.com.", "10 mail.solarmora.com",
          "b\xc3\xbc"
          "cher.example"})
        EXPECT_FALSE(valid_mx_pattern(value)) << value;
    EXPECT_TRUE(valid_mx_pattern("alt1.aspmx.solarmora.com"));
    EXPECT_TRUE(valid_mx_pattern("*.solarmora.com"));
}

TEST(guides, the_record) {
    PROVES("G2-24", "G2-25", "G3-44", "G3-45");
    const auto judged = judge_record("v=STSv1; id=20190425085700");
    ASSERT_TRUE(judged.valid());
    EXPECT_TRUE(judged.issues.empty());
    EXPECT_EQ(judged.value->id, "20190425085700");
    EXPECT_TRUE(judge_record("v=STSv1; id=20200425085700").issues.empty());
    EXPECT_TRUE(valid_id(std::string(32, '9')));
    EXPECT_FALSE(valid_id(std::string(33, '9')));
    EXPECT_FALSE(valid_id(""));
}

TEST(guides, the_id_is_the_time_of_the_change_and_new_with_every_change) {
    PROVES("G2-27", "G2-29", "G3-46", "G3-47");
    const base::utc_seconds at{std::chrono::seconds{1'556'182'620}}; // 2019-04-25 08:57:00
    const auto first = id_from_time(at);
    EXPECT_EQ(first, "20190425085700");
    const auto second = id_from_time(at, {first}); // in the same second, even
    EXPECT_EQ(second, "20190425085701");
    EXPECT_EQ(id_from_time(at, {first, second}), "20190425085702");
}

} // namespace
} // namespace mailtight::sts
