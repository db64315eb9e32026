// SPDX-License-Identifier: Apache-2.0
// Where a report goes and where it does not: each record with the deliveries that follow from it.
#include "deliver/targets.h"

#include "support/proves.h"

#include <gmock/gmock.h>

namespace mailtight::deliver {
namespace {

using namespace testing;
using model::delivery_state;
using so_far = store::result_store::sent_so_far;

const auto now = *base::parse_utc("2026-01-03T00:00:00Z");

std::vector<model::outgoing_delivery>
targets(const std::string& record, const guard_rails& rails = {},
        const std::vector<store::suppressed_address>& suppressed = {},
        const std::function<so_far(const std::string&, const std::string&)>& counts = {}) {
    const auto judged = tlsrpt::judge_record("v=TLSRPTv1; rua=" + record);
    if (!judged.value)
        return {};
    return targets_of(*judged.value, rails, suppressed, counts, now);
}
/// `URI` of those that go out, `-URI` of those that do not.
std::vector<std::string> brief(const std::vector<model::outgoing_delivery>& of) {
    std::vector<std::string> out;
    for (const auto& d : of)
        out.push_back((d.state == delivery_state::waiting ? "" : "-") + d.uri);
    return out;
}

TEST(targets, are_all_addresses_of_the_record_in_its_order) {
    PROVES("8460-3-c", "8460-3-d", "8460-3-f", "8460-3-r", "8460-3-x", "A44");
    const auto found =
        targets("mailto:tls@example.com , https://Reports.example.net/tls?a=1,mailto:o%27b@example.org");
    ASSERT_EQ(found.size(), 3u);
    EXPECT_EQ(found[0].uri, "mailto:tls@example.com");
    EXPECT_EQ(found[0].address, "tls@example.com");
    EXPECT_EQ(found[0].host, "example.com");
    EXPECT_EQ(found[1].uri, "https://Reports.example.net/tls?a=1");
    EXPECT_EQ(found[1].address, "");
    EXPECT_EQ(found[1].host, "reports.example.net");
    EXPECT_EQ(found[2].address, "o'b@example.org") << "decoded once";
    for (const auto& d : found) {
        EXPECT_EQ(d.state, delivery_state::waiting);
        EXPECT_EQ(d.next_at, now);
        EXPECT_EQ(d.first_at, base::utc_seconds{}) << "not tried yet";
        EXPECT_EQ(d.tries, 0u);
    }
}

struct row {
    const char* record;
    std::vector<std::string> expected;
    const char* why;
};
TEST(targets, are_nobody_on_our_own_machine) {
    for (const std::string where : {"root@localhost", "admin@intranet", "a@127.0.0.1"}) {
        const auto found = targets("mailto:" + where);
        ASSERT_LE(found.size(), 1u) << where;
        for (const auto& each : found) {
            EXPECT_EQ(each.state, delivery_state::suppressed) << where;
            EXPECT_THAT(each.words, testing::HasSubstr("no domain that everybody can write to")) << where;
        }
    }
    EXPECT_EQ(targets("mailto:root@localhost").size(), 1u);
}

TEST(targets, skip_what_nobody_delivers_to_and_name_each_place_once) {
    PROVES("8460-3-c", "A44");
    const std::vector<row> rows{
        {"ftp://example.com/x,mailto:a@example.com", {"mailto:a@example.com"}, "an unknown scheme"},
        {"http://example.com/x", {}, "http is none that is supported"},
        {"mailto:a@example.com,mailto:a@example.com", {"mailto:a@example.com"}, "twice the same"},
        {"mailto:a@example.com,MAILTO:a@EXAMPLE.com", {"mailto:a@example.com"}, "in another case"},
        {"mailto:a@example.com,mailto:%61@example.com", {"mailto:a@example.com"}, "in another spelling"},
        {"mailto:a@example.com,mailto:a@example.com?subject=x",
         {"mailto:a@example.com"},
         "with header fields"},
        {"mailto:a@example.com,mailto:A@example.com",
         {"mailto:a@example.com", "mailto:A@example.com"},
         "the local part is its host's matter"},
        {"https://a.example/x,HTTPS://A.example:443/x#y",
         {"https://a.example/x"},
         "https in another spelling"},
        {"https://a.example,https://a.example/", {"https://a.example"}, "the empty path is /"},
        {"https://a.example/x,https://a.example/X",
         {"https://a.example/x", "https://a.example/X"},
         "paths have case"},
        {"https://a.example/x?a,https://a.example/x?b",
         {"https://a.example/x?a", "https://a.example/x?b"},
         "queries"},
        {"mailto:a@example.com,nonsense", {"mailto:a@example.com"}, "a broken one beside a good one"},
    };
    for (const auto& [record, expected, why] : rows)
        EXPECT_EQ(brief(targets(record)), expected) << why;
}

TEST(targets, spare_whom_the_list_names) {
    const std::string record =
        "mailto:a@example.com,mailto:b@example.com,https://r.example.net/x,mailto:c@r.example.net";
    const auto listed = [&](std::string who, std::optional<base::utc_seconds> until = {}) {
        return brief(targets(record, {},
                             {{.who = std::move(who), .why = "it bounced", .since = now, .until = until}}));
    };
    const std::string a = "mailto:a@example.com", b = "mailto:b@example.com", r = "https://r.example.net/x",
                      c = "mailto:c@r.example.net";
    EXPECT_THAT(listed("a@example.com"), ElementsAre("-" + a, b, r, c));
    EXPECT_THAT(listed("A@Example.COM"), ElementsAre("-" + a, b, r, c));
    EXPECT_THAT(listed("@example.com"), ElementsAre("-" + a, "-" + b, r, c));
    EXPECT_THAT(listed("r.example.net"), ElementsAre(a, b, "-" + r, c)) << "a host is one of https";
    EXPECT_THAT(listed("@r.example.net"), ElementsAre(a, b, "-" + r, "-" + c));
    EXPECT_THAT(listed("example.com"), ElementsAre(a, b, r, c));
    EXPECT_THAT(listed("a@example.com", now), ElementsAre(a, b, r, c)) << "its time is over";
    EXPECT_THAT(listed("a@example.com", now + std::chrono::seconds(1)), ElementsAre("-" + a, b, r, c));
    const auto why =
        targets(record, {}, {{.who = "a@example.com", .why = "it\nbounced", .since = now, .until = {}}});
    EXPECT_EQ(why[0].words, "a@example.com is on the suppression list: it\\nbounced");
    EXPECT_EQ(why[0].ended_at, now);
}

TEST(targets, keep_to_the_caps) {
    PROVES("8460-7-d");
    const std::string record = "mailto:a@example.com,mailto:b@example.com,https://example.net/x";
    guard_rails rails;
    rails.per_address = 5;
    rails.per_host = 7;
    rails.per_day = 100;
    const auto with = [&](so_far known) {
        return targets(record, rails, {}, [=](const std::string& address, const std::string& host) {
            auto out = known;
            if (address != "a@example.com")
                out.to_address = 0;
            if (host != "example.com")
                out.to_host = 0;
            return out;
        });
    };
    const std::string a = "mailto:a@example.com", b = "mailto:b@example.com", h = "https://example.net/x";
    EXPECT_THAT(brief(with({4, 5, 90})), ElementsAre(a, b, h));
    auto found = with({5, 5, 90});
    EXPECT_THAT(brief(found), ElementsAre("-" + a, b, h));
    EXPECT_EQ(found[0].words, "the day's cap of 5 reports to one address is reached");
    found = with({0, 6, 90});
    EXPECT_THAT(brief(found), ElementsAre(a, "-" + b, h)) << "the first of this record is the last";
    EXPECT_EQ(found[1].words, "the day's cap of 7 reports to one host is reached");
    found = with({0, 0, 98});
    EXPECT_THAT(brief(found), ElementsAre(a, b, "-" + h));
    EXPECT_EQ(found[2].words, "the day's cap of 100 reports is reached");
}

TEST(targets, are_no_more_than_the_limit_whatever_the_record_names) {
    std::string record;
    for (int i = 0; i < 500; ++i)
        record += (i ? ",mailto:u" : "mailto:u") + std::to_string(i) + "@victim.example";
    guard_rails rails;
    rails.addresses = 3;
    const auto found = targets(record, rails);
    ASSERT_EQ(found.size(), 4u);
    EXPECT_THAT(brief(found), Contains(StartsWith("-")).Times(1));
    EXPECT_EQ(found[3].words, "the record names more than 3 addresses");
}

TEST(targets, follow_the_switches) {
    const std::string record = "mailto:a@example.com,https://r.mail.example.net/x";
    guard_rails rails;
    rails.mail = false;
    EXPECT_THAT(brief(targets(record, rails)),
                ElementsAre("-mailto:a@example.com", "https://r.mail.example.net/x"));
    rails = {};
    rails.https = false;
    EXPECT_THAT(brief(targets(record, rails)),
                ElementsAre("mailto:a@example.com", "-https://r.mail.example.net/x"));
    rails = {};
    rails.own_domains = {"example.net"};
    EXPECT_THAT(brief(targets(record, rails)),
                ElementsAre("mailto:a@example.com", "https://r.mail.example.net/x"));
    rails.to_self = false;
    EXPECT_THAT(brief(targets(record, rails)),
                ElementsAre("mailto:a@example.com", "-https://r.mail.example.net/x"));
    EXPECT_THAT(targets(record, rails)[1].words, HasSubstr("our own"));
    const auto foreign = targets("mailto:%C3%A4@example.com");
    EXPECT_THAT(brief(foreign), ElementsAre("-mailto:%C3%A4@example.com"))
        << "no mail server is asked for SMTPUTF8";
}

struct session_row {
    std::uint64_t success, failure, reports;
    const char* words;
};
TEST(why_not, weighs_the_sessions) {
    PROVES("8460-3-h", "A36");
    guard_rails rails;
    const auto check = [&](const std::vector<session_row>& rows) {
        for (const auto& [success, failure, reports, words] : rows) {
            const auto said = why_not(rails, success, failure, reports);
            EXPECT_EQ(said.empty(), std::string_view(words).empty()) << said;
            EXPECT_THAT(said, HasSubstr(words));
        }
    };
    check({{1, 0, 0, ""},
           {0, 1, 0, ""},
           {0, 0, 0, "0 of the 1 sessions"},
           {2, 0, 2, "would never end"},
           {1, 1, 2, "would never end"},
           {3, 0, 2, ""},
           {0, 3, 2, ""},
           {~0ULL, ~0ULL, 2, ""}});
    rails.minimum_sessions = 10;
    check({{9, 0, 0, "9 of the 10 sessions"}, {5, 5, 0, ""}});
    rails = {};
    rails.success_only = false;
    check({{9, 0, 0, "no failure"}, {9, 1, 0, ""}});
}

} // namespace
} // namespace mailtight::deliver
