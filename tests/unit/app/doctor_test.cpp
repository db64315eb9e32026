// SPDX-License-Identifier: Apache-2.0
// What doctor makes of what the mail servers' programs print.
#include "app/doctor_mta.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace mailtight::app {
namespace {

using state = check_row::state;
using testing::HasSubstr;
using testing::Not;

constexpr const char* socket_below_queue = "unix:/var/spool/postfix/mailtight/policy.sock,mode=0666";
constexpr const char* roots = "/etc/ssl/certs/ca-certificates.crt";

postfix_facts postfix(const std::string& version, const std::string& more = "", bool chroot = true) {
    return {
        fmt::format("mail_version = {}\nqueue_directory = /var/spool/postfix\n{}", version, more),
        fmt::format("smtp       unix  -       -       {}       -       -       smtp\n", chroot ? "y" : "n")};
}

sending_facts ours(std::vector<std::string> listeners, bool validated = true) {
    sending_facts facts;
    facts.socketmap = listeners;
    for (const auto& each : listeners)
        facts.seen[each] = {.there = true, .open_to_all = true, .answers = "NOTFOUND "};
    facts.validated = validated;
    facts.roots = roots;
    return facts;
}

check_row row(const std::vector<check_row>& rows, const std::string& check) {
    for (const auto& each : rows)
        if (each.check == check)
            return each;
    ADD_FAILURE() << "no row " << check;
    return {};
}

TEST(doctor_mta, versions_are_read_as_far_as_rules_need_them) {
    struct good {
        const char* text;
        int major, minor, patch;
    };
    for (const good& g : {good{"3.7.11", 3, 7, 11}, good{"3.12-20260821", 3, 12, 0}, good{"4.96", 4, 96, 0},
                          good{"8.17.1.9", 8, 17, 1}, good{"2.11.0", 2, 11, 0}}) {
        const auto version = parse_version(g.text);
        ASSERT_TRUE(version) << g.text;
        EXPECT_EQ(*version, (mta_version{g.major, g.minor, g.patch, ""})) << g.text;
    }
    for (const char* bad : {"", "3", "three", "-1.2", "3.", "3.x"})
        EXPECT_FALSE(parse_version(bad)) << bad;
    EXPECT_LT(*parse_version("3.9.5"), *parse_version("3.10.0")) << "by number, not by letter";
}

TEST(doctor_mta, postconf_lines_are_read_with_their_continuations) {
    const auto all = parse_postconf("# a comment\na = 1\nb = x,\n    y\n\nc =\nno value here\n  lost\n");
    EXPECT_EQ(all.size(), 3u);
    EXPECT_EQ(all.at("a"), "1");
    EXPECT_EQ(all.at("b"), "x, y");
    EXPECT_EQ(all.at("c"), "");
    EXPECT_EQ(main_cf_value("x = 1\nx = dnssec\n", "x"), "dnssec") << "the last one counts";
    EXPECT_EQ(main_cf_value("xy = 1\n", "x"), std::nullopt);
}

TEST(doctor_mta, the_map_name_follows_the_version_of_postfix) {
    for (const auto& [version, name] :
         std::vector<std::pair<const char*, const char*>>{{"2.11.0", "postfix-legacy"},
                                                          {"3.3.9", "postfix-legacy"},
                                                          {"3.4.0", "postfix"},
                                                          {"3.7.11", "postfix"},
                                                          {"3.9.5", "postfix"},
                                                          {"3.10.0", "postfix-3.10"},
                                                          {"3.12-20260821", "postfix-3.10"}})
        EXPECT_EQ(postfix_map_name(*parse_version(version)), name) << version;
}

TEST(doctor_mta, a_fresh_postfix_is_given_the_lines) {
    const auto facts = postfix("3.7.11", "smtp_tls_CApath = /etc/ssl/certs\nsmtp_tls_security_level = may\n");
    EXPECT_EQ(postfix_lines(facts, ours({socket_below_queue})),
              "smtp_dns_support_level = dnssec\n"
              "smtp_tls_security_level = dane\n"
              "smtp_tls_policy_maps = socketmap:unix:mailtight/policy.sock:postfix\n");
    const auto rows = judge_postfix(facts, ours({socket_below_queue}));
    EXPECT_EQ(row(rows, "Postfix").result, state::good);
    EXPECT_EQ(row(rows, "Postfix reaches the policy service").result, state::good);
    EXPECT_EQ(row(rows, "Postfix asks for policies").result, state::bad);
    EXPECT_THAT(row(rows, "Postfix asks for policies").lines, HasSubstr("smtp_tls_policy_maps"));
}

TEST(doctor_mta, a_postfix_that_is_set_up_needs_nothing) {
    const auto facts = postfix("3.10.2", "smtp_dns_support_level = dnssec\nsmtp_tls_security_level = dane\n"
                                         "smtp_tls_policy_maps = hash:/etc/postfix/tls, "
                                         "socketmap:unix:mailtight/policy.sock:postfix-3.10\n"
                                         "smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt\n");
    EXPECT_EQ(postfix_lines(facts, ours({socket_below_queue})), "");
    for (const auto& each : judge_postfix(facts, ours({socket_below_queue})))
        EXPECT_EQ(each.result, state::good) << each.check << ": " << each.seen;
}

TEST(doctor_mta, without_a_validating_resolver_postfix_is_not_told_to_believe_dnssec) {
    const auto lines = postfix_lines(postfix("3.7.11"), ours({socket_below_queue}, false));
    EXPECT_THAT(lines, Not(HasSubstr("dnssec")));
    EXPECT_THAT(lines, HasSubstr("smtp_tls_security_level = may\n"));
    const auto rows = judge_postfix(postfix("3.7.11", "smtp_dns_support_level = dnssec\n"),
                                    ours({socket_below_queue}, false));
    EXPECT_EQ(row(rows, "Postfix may believe DNSSEC").result, state::bad);
}

TEST(doctor_mta, what_was_made_by_hand_stays_and_a_stronger_level_too) {
    const auto lines = postfix_lines(
        postfix("3.7.11",
                "smtp_tls_policy_maps = hash:/etc/postfix/tls\nsmtp_tls_security_level = encrypt\n"),
        ours({socket_below_queue}));
    EXPECT_THAT(lines, HasSubstr("smtp_tls_policy_maps = hash:/etc/postfix/tls, "
                                 "socketmap:unix:mailtight/policy.sock:postfix\n"));
    EXPECT_THAT(lines, Not(HasSubstr("smtp_tls_security_level")));
}

TEST(doctor_mta, the_map_name_of_another_version_is_found_and_replaced) {
    // postfix-3.10 on 3.7: every reply would be an invalid attribute, and all mail would wait.
    const auto facts =
        postfix("3.7.11", "smtp_tls_policy_maps = socketmap:unix:mailtight/policy.sock:postfix-3.10\n");
    const auto asks = row(judge_postfix(facts, ours({socket_below_queue})), "Postfix asks for policies");
    EXPECT_EQ(asks.result, state::bad);
    EXPECT_THAT(asks.seen, HasSubstr("the map name for Postfix 3.7.11 is postfix"));
    EXPECT_THAT(asks.lines,
                HasSubstr("smtp_tls_policy_maps = socketmap:unix:mailtight/policy.sock:postfix\n"));
}

TEST(doctor_mta, roots_are_asked_for_where_postfix_has_none) {
    // Without them every certificate fails and everything under a policy waits.
    const auto rows = judge_postfix(postfix("3.7.11"), ours({socket_below_queue}));
    EXPECT_EQ(row(rows, "Postfix knows trusted roots").result, state::bad);
    EXPECT_THAT(postfix_lines(postfix("3.7.11"), ours({socket_below_queue})),
                HasSubstr("smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt\n"));
}

TEST(doctor_mta, a_socket_outside_the_chroot_is_no_use) {
    const std::string outside = "unix:/run/mailtight/policy.sock,mode=0666";
    const auto jailed =
        row(judge_postfix(postfix("3.7.11"), ours({outside})), "Postfix reaches the policy service");
    EXPECT_EQ(jailed.result, state::bad);
    EXPECT_THAT(jailed.lines, HasSubstr("unix:/var/spool/postfix/mailtight/policy.sock,mode=0666"));
    EXPECT_EQ(postfix_map(postfix("3.7.11"), {outside}), "");
    EXPECT_EQ(postfix_map(postfix("3.7.11", "", false), {outside}),
              "socketmap:unix:/run/mailtight/policy.sock:postfix");
    EXPECT_EQ(postfix_map(postfix("3.7.11"), {outside, "127.0.0.1:8642"}),
              "socketmap:inet:127.0.0.1:8642:postfix")
        << "TCP goes through a chroot";
    EXPECT_EQ(postfix_map(postfix("3.7.11"), {"127.0.0.1:8642", socket_below_queue}),
              "socketmap:unix:mailtight/policy.sock:postfix")
        << "a socket is the better way";
}

TEST(doctor_mta, a_dash_in_master_cf_means_another_thing_since_postfix_3) {
    const std::string dash = "smtp unix - - - - - smtp\n";
    const std::string outside = "unix:/run/mailtight/policy.sock";
    auto old = postfix("2.11.3"), fresh = postfix("3.0.0");
    old.master = fresh.master = dash;
    EXPECT_EQ(postfix_map(old, {outside}), "") << "chrooted by default";
    EXPECT_NE(postfix_map(fresh, {outside}), "");
}

TEST(doctor_mta, a_socket_that_postfix_cannot_use_says_why) {
    struct bad {
        socket_seen seen;
        const char* says;
    };
    for (const bad& b :
         {bad{{.there = false, .open_to_all = false, .answers = {}}, "nobody listens there"},
          bad{{.there = true, .open_to_all = false, .answers = "NOTFOUND "}, "may not connect"},
          bad{{.there = true, .open_to_all = true, .answers = {}}, "no answer"}}) {
        auto facts = ours({socket_below_queue});
        facts.seen[socket_below_queue] = b.seen;
        const auto reached =
            row(judge_postfix(postfix("3.7.11"), facts), "Postfix reaches the policy service");
        EXPECT_EQ(reached.result, state::bad);
        EXPECT_THAT(reached.seen, HasSubstr(b.says));
        EXPECT_FALSE(reached.fix.empty());
    }
}

TEST(doctor_mta, who_does_not_send_through_us_has_no_problem) {
    sending_facts none;
    for (const auto& rows : {judge_postfix(postfix("3.7.11"), none),
                             judge_exim("Exim version 4.96 #2 built 20-Aug-2026\nSupport for: DANE\n", none),
                             judge_sendmail("Version 8.17.1.9\n", "", none)})
        for (const auto& each : rows)
            EXPECT_NE(each.result, state::bad) << each.check << ": " << each.seen;
}

TEST(doctor_mta, an_old_postfix_is_told_what_it_cannot_do) {
    const auto old = row(judge_postfix(postfix("3.3.2"), ours({socket_below_queue})), "Postfix");
    EXPECT_THAT(old.seen, HasSubstr("cannot send SNI"));
    EXPECT_EQ(row(judge_postfix(postfix("2.10.1"), ours({})), "Postfix").result, state::bad);
}

TEST(doctor_mta, exim_is_known_by_its_version) {
    auto facts = ours({});
    facts.lines = {"unix:/run/mailtight/lines.sock,mode=0666"};
    facts.seen[facts.lines.front()] = {.there = true, .open_to_all = true, .answers = "no-policy"};
    const auto rows =
        judge_exim("Exim version 4.96 #2 built 20-Aug-2026\nSupport for: crypteq DANE\n", facts);
    EXPECT_EQ(row(rows, "Exim").result, state::good);
    EXPECT_EQ(row(rows, "Exim").seen, "4.96");
    EXPECT_EQ(row(rows, "Exim reaches the policy service").result, state::good);
    EXPECT_EQ(row(judge_exim("Exim version 4.92\n", facts), "Exim").result, state::bad);
    EXPECT_EQ(row(judge_exim("", facts), "Exim").result, state::unknown);
}

TEST(doctor_mta, sendmail_is_given_its_feature) {
    const std::string built = "Version 8.17.1.9\nFFR Defines: _FFR_MTA_STS\n";
    const auto fresh = judge_sendmail(built, "", ours({"127.0.0.1:5461"}));
    EXPECT_THAT(row(fresh, "Sendmail asks for policies").lines,
                HasSubstr("FEATURE(`sts')dnl\ndefine(`confCACERT', `/etc/ssl/certs/ca-certificates.crt')"));
    EXPECT_THAT(row(judge_sendmail(built, "", ours({"127.0.0.1:8642"})), "Sendmail asks for policies").lines,
                HasSubstr("FEATURE(`sts', `socket -d5 -T<TMPF> inet:8642@127.0.0.1')dnl"));
    EXPECT_EQ(row(judge_sendmail(built, "O x\nKsts socket -d5 -T<TMPF> inet:5461@127.0.0.1\n",
                                 ours({"127.0.0.1:5461"})),
                  "Sendmail asks for policies")
                  .result,
              state::good);
    EXPECT_EQ(row(judge_sendmail("Version 8.17.1\nFFR Defines: _FFR_X\n", "", ours({})), "Sendmail").result,
              state::bad)
        << "built without it";
    EXPECT_EQ(row(judge_sendmail("Version 8.15.2\n", "", ours({})), "Sendmail").result, state::bad);
}

} // namespace
} // namespace mailtight::app
