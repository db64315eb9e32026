// SPDX-License-Identifier: Apache-2.0
// What one owner is told of a report that tells of several: the table says whose each name is, and no word or
// figure of the others is left.
#include "api/report_part.h"
#include "insight/render_rows.h"
#include "support/reports.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::api {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::vector<std::string> theirs{"acme.example", "acme.test"};

store::stored_report shared() {
    store::stored_report out;
    out.report = tests::report("2026-05-03_secret.example", "acme.example", 3, 7, 2);
    out.report.report.policies.push_back(tests::policy("sts", "secret.example", 4'000, 300));
    out.report.report.policies.back().details.push_back(
        tests::detail("starttls-not-supported", 300, "mx.secret.example"));
    out.report.report.warnings.push_back({});
    out.report.source = "secret.example!report.json.gz";
    out.report.trust_reason = "signed; sent to secret.example";
    out.report.json = R"({"policies":["secret.example"]})";
    out.row.number = 9;
    out.row.report_domain = "acme.example";
    out.row.report_id = out.report.report.report_id;
    out.row.success = 4'007;
    out.row.failure = 302;
    out.row.warnings = 1;
    out.row.several = true;
    out.versions = {3};
    return out;
}

TEST(report_part, the_closest_of_theirs_owns_a_name) {
    for (const auto& [name, is] :
         std::vector<std::pair<std::string, std::string>>{{"acme.example", "acme.example"},
                                                          {"ACME.Example", "acme.example"},
                                                          {"a.mail.acme.test", "acme.test"},
                                                          {"notacme.example", ""},
                                                          {"example", ""},
                                                          {"", ""},
                                                          {".", ""},
                                                          {"acme.example.other", ""}})
        EXPECT_EQ(theirs_of(name, theirs), is) << name;
}

TEST(report_part, nothing_of_the_others_is_left) {
    auto of = shared();
    EXPECT_EQ(keep_part(of, theirs, {}), report_share::part);
    EXPECT_THAT(of.report.report.policies, SizeIs(1));
    EXPECT_EQ(of.row.success, 7u);
    EXPECT_EQ(of.row.failure, 2u);
    const auto told = boost::json::serialize(insight::stored_json(of, {}, 100));
    for (const char* foreign : {"secret", "4000", "4007", "302", "300"})
        EXPECT_THAT(told, Not(HasSubstr(foreign)));
    EXPECT_THAT(told, HasSubstr("Google Inc.")) << "whose report it is";
    EXPECT_THAT(of.report.json, IsEmpty());
    EXPECT_THAT(of.row.report_id, IsEmpty());
    EXPECT_EQ(of.row.warnings, 0u);
}

TEST(report_part, one_that_was_addressed_to_another_is_told_under_their_own_name) {
    auto of = shared();
    of.row.report_domain = of.report.report_domain = "secret.example";
    of.report.report.policies[0].domain = "mail.acme.example";
    EXPECT_EQ(keep_part(of, theirs, {}), report_share::part);
    EXPECT_EQ(of.row.report_domain, "acme.example");
    EXPECT_EQ(of.report.report_domain, "acme.example");
}

TEST(report_part, what_lies_below_theirs_and_is_anothers_is_none_of_theirs) {
    auto of = shared();
    of.report.report.policies[1].domain = "shop.acme.example";
    auto same = of;
    EXPECT_EQ(keep_part(same, theirs, {}), report_share::whole) << "nobody else has it";
    EXPECT_EQ(same.row.success, 4'007u) << "left as it is";
    EXPECT_EQ(keep_part(of, theirs, {"shop.acme.example"}), report_share::part);
    EXPECT_EQ(of.row.success, 7u);
}

TEST(report_part, without_a_policy_or_a_name_of_theirs_there_is_nothing) {
    auto of = shared();
    of.report.report_domain = "secret.example";
    of.report.report.policies.erase(of.report.report.policies.begin());
    EXPECT_EQ(keep_part(of, theirs, {}), report_share::none);
    auto empty = shared();
    empty.report.report.policies.clear();
    EXPECT_EQ(keep_part(empty, theirs, {}), report_share::whole) << "addressed to them, and of nobody else";
    empty.report.report_domain.clear();
    EXPECT_EQ(keep_part(empty, theirs, {}), report_share::none);
}

} // namespace
} // namespace mailtight::api
