// SPDX-License-Identifier: Apache-2.0
// What doctor tells who reports to others, from what the mail servers' programs print.
#include "app/doctor_results.h"
#include "support/proves.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::app {
namespace {

using state = check_row::state;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

postfix_facts postfix(const std::string& version, const std::string& more, bool chroot = true) {
    return {
        fmt::format("mail_version = {}\nqueue_directory = /var/spool/postfix\n{}", version, more),
        fmt::format("smtp       unix  -       -       {}       -       -       smtp\n", chroot ? "y" : "n")};
}

constexpr const char* built_in = "smtp_tlsrpt_enable = no\nsmtp_tlsrpt_socket_name =\n";

TEST(doctor_results, a_short_queue_of_the_kernel_is_a_problem_with_its_line) {
    EXPECT_EQ(judge_queue_length(10).result, state::bad);
    EXPECT_EQ(judge_queue_length(10).lines, "net.unix.max_dgram_qlen = 512");
    EXPECT_EQ(judge_queue_length(511).result, state::bad);
    EXPECT_EQ(judge_queue_length(512).result, state::good);
    EXPECT_EQ(judge_queue_length({}).result, state::unknown);
}

TEST(doctor_results, a_socket_that_nobody_can_reach_is_a_problem) {
    EXPECT_EQ(judge_result_socket("/run/x.sock", {}).result, state::bad);
    EXPECT_THAT(judge_result_socket("/run/x.sock", {}).fix, HasSubstr("start the daemon"));
    EXPECT_EQ(judge_result_socket("/run/x.sock", {.there = true, .answers = {}}).result, state::bad);
    EXPECT_EQ(judge_result_socket("/run/x.sock", {.there = true, .open_to_all = true, .answers = {}}).result,
              state::good);
}

TEST(doctor_results, a_postfix_with_tlsrpt_is_given_the_lines_for_its_socket) {
    const auto rows = judge_postfix_results(postfix("3.10.2", built_in),
                                            {.datagrams = {"/var/spool/postfix/mailtight/tlsrpt.sock"}});
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].result, state::bad);
    EXPECT_EQ(rows[0].lines, "smtp_tlsrpt_enable = yes\nsmtp_tlsrpt_socket_name = mailtight/tlsrpt.sock\n");
    const auto done = judge_postfix_results(
        postfix("3.10.2", "smtp_tlsrpt_enable = yes\nsmtp_tlsrpt_socket_name = mailtight/tlsrpt.sock\n"),
        {.datagrams = {"unix:/var/spool/postfix/mailtight/tlsrpt.sock,mode=0622"},
         .contact = "tls-reports@example.org",
         .over_v6 = true});
    ASSERT_EQ(done.size(), 1u) << "3.10 knows TLS-Required: no transport of its own is needed";
    EXPECT_EQ(done[0].result, state::good);
}

TEST(doctor_results, a_socket_outside_of_the_queue_directory_is_out_of_reach) {
    const auto rows =
        judge_postfix_results(postfix("3.10.2", built_in), {.datagrams = {"/run/mailtight/tlsrpt.sock"}});
    EXPECT_EQ(rows[0].result, state::bad);
    EXPECT_THAT(rows[0].lines, HasSubstr("/var/spool/postfix/mailtight/tlsrpt.sock"));
    EXPECT_EQ(judge_postfix_results(postfix("3.10.2", built_in), {})[0].result, state::unknown);
}

TEST(doctor_results, a_postfix_without_tlsrpt_tells_by_its_log) {
    // 3.10 that was built without it does not know the parameter.
    for (const char* version : {"3.7.11", "3.9.1", "3.10.2"}) {
        const auto fresh = judge_postfix_results(postfix(version, "smtp_tls_loglevel = 0\n"), {});
        EXPECT_EQ(fresh[0].result, state::unknown) << version;
        EXPECT_THAT(fresh[0].lines, HasSubstr("postfix-log = [\"journal\"]"));
        EXPECT_THAT(fresh[0].lines, HasSubstr("smtp_tls_loglevel = 1"));
        const auto silent =
            judge_postfix_results(postfix(version, "smtp_tls_loglevel = 0\n"), {.logs = {"journal"}});
        EXPECT_EQ(silent[0].result, state::bad) << version;
        EXPECT_EQ(silent[0].lines, "smtp_tls_loglevel = 1\n");
        EXPECT_EQ(judge_postfix_results(postfix(version, "smtp_tls_loglevel = 1\n"),
                                        {.logs = {"file:/var/log/mail.log"}})[0]
                      .result,
                  state::good);
    }
}

TEST(doctor_results, before_3_10_reports_need_a_transport_of_their_own) {
    const results_facts ours{.logs = {"journal"}, .contact = "tls-reports@example.org"};
    const auto rows = judge_postfix_results(postfix("3.7.11", "smtp_tls_loglevel = 1\n"), ours);
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[1].result, state::bad);
    EXPECT_EQ(rows[1].lines, "sender_dependent_default_transport_maps = inline:{ { tls-reports@example.org = "
                             "mailtight-report: } }\n"
                             "mailtight-report unix - - y - - smtp\n"
                             "  -o syslog_name=postfix/mailtight-report\n"
                             "  -o smtp_tls_security_level=may\n"
                             "  -o smtp_tls_policy_maps=\n"
                             "  -o smtp_address_preference=ipv4\n");
    const auto jail = judge_postfix_results(postfix("3.7.11", "smtp_tls_loglevel = 1\n", false),
                                            {.contact = "a@example.org", .over_v6 = true});
    EXPECT_THAT(jail[1].lines, HasSubstr("mailtight-report unix - - n - - smtp\n"));
    EXPECT_THAT(jail[1].lines, Not(HasSubstr("ipv4"))) << "this host is fit to send over IPv6";
    auto set_up =
        postfix("3.7.11", "smtp_tls_loglevel = 1\nsender_dependent_default_transport_maps = "
                          "hash:/etc/x, inline:{ { tls-reports@example.org = mailtight-report: } }\n");
    const auto half = judge_postfix_results(set_up, ours);
    EXPECT_EQ(half[1].result, state::bad) << "every report would wait for a transport that is not there";
    EXPECT_THAT(half[1].lines, StartsWith("mailtight-report unix"));
    set_up.report_service = rows[1].lines.substr(rows[1].lines.find('\n') + 1);
    EXPECT_EQ(judge_postfix_results(set_up, ours)[1].result, state::good);
    set_up.report_service = "mailtight-report unix - - y - - smtp\n  -o smtp_tls_security_level=may\n";
    EXPECT_EQ(judge_postfix_results(set_up, ours)[1].result, state::bad) << "policies still hold there";
    const auto more = judge_postfix_results(
        postfix("3.7.11", "smtp_tls_loglevel = 1\nsender_dependent_default_transport_maps = hash:/etc/x\n"),
        ours);
    EXPECT_THAT(more[1].lines, HasSubstr("= hash:/etc/x, inline:{")) << "what was made by hand stays";
    EXPECT_EQ(
        judge_postfix_results(postfix("3.7.11", ""), {.contact = "a@example.org", .mail = false}).size(), 1u)
        << "reports do not go through this Postfix";
}

TEST(doctor_results, a_host_that_is_not_fit_for_v6_sends_reports_over_v4) {
    const results_facts ours{.contact = "tls-reports@example.org"};
    const std::string told = "smtp_tlsrpt_enable = yes\nsmtp_tlsrpt_socket_name = x\n";
    const auto rows = judge_postfix_results(postfix("3.10.2", told), ours);
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[1].result, state::unknown) << "it may well work";
    EXPECT_EQ(rows[1].lines, "sender_dependent_default_transport_maps = inline:{ { tls-reports@example.org = "
                             "mailtight-report: } }\n"
                             "mailtight-report unix - - y - - smtp\n"
                             "  -o syslog_name=postfix/mailtight-report\n"
                             "  -o smtp_address_preference=ipv4\n");
    for (const char* already : {"inet_protocols = ipv4\n", "smtp_address_preference = ipv4\n"}) {
        EXPECT_EQ(judge_postfix_results(postfix("3.10.2", told + already), ours).size(), 1u) << already;
        const auto old = judge_postfix_results(postfix("3.7.11", already), ours);
        EXPECT_THAT(old[1].lines, Not(HasSubstr("smtp_address_preference"))) << already;
    }
}

TEST(doctor_results, exim_is_given_a_listener_and_a_transport) {
    EXPECT_EQ(judge_exim_results({}).size(), 1u);
    EXPECT_THAT(judge_exim_results({})[0].lines, HasSubstr("lines-listen"));
    const auto rows = judge_exim_results(
        {.lines = {"unix:/run/mailtight/results.sock"}, .contact = "tls-reports@example.org"});
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].result, state::good);
    EXPECT_THAT(rows[1].fix, HasSubstr("mailtight doc exim"));
}

} // namespace
} // namespace mailtight::app
