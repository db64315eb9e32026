// SPDX-License-Identifier: Apache-2.0
// Which connections are sessions, of whom, and how often they count.
#include "support/proves.h"
#include "unit/tally/log_words.h"

#include <rapidcheck/gtest.h>

namespace mailtight::tally {
namespace {
using namespace log_words;
using testing::ElementsAre;
using testing::IsEmpty;

// ---- hosts, recipients, messages ------------------------------------------------------------------------

TEST(postfix_log, every_host_that_was_tried_is_a_session) {
    EXPECT_THAT(
        read({"certificate verification failed for mx1.a.example[192.0.2.1]:25: self-signed certificate",
              established("Untrusted", "mx1.a.example[192.0.2.1]"),
              "630D4207: Server certificate not verified",
              "server certificate verification failed for mx2.a.example[2001:db8::2]:25: certificate has "
              "expired",
              established("Untrusted", "mx2.a.example[2001:db8::2]"),
              "630D4207: Server certificate not verified",
              "630D4207: TLS is required, but was not offered by host mx3.a.example[192.0.2.3]",
              "630D4207: TLS is required, but host mx4.a.example[192.0.2.4] refused to start TLS: 554 5.7.3 "
              "no",
              "SSL_connect error to mx5.a.example[192.0.2.5]:25: lost connection",
              "630D4207: Cannot start TLS: handshake failure",
              "connect to mx6.a.example[192.0.2.6]:25: Connection refused",
              established("Verified", "mx7.a.example[192.0.2.7]"),
              sent("mx7.a.example[192.0.2.7]", "", "630D4207")}),
        ElementsAre(
            "a.example mx1.a.example 192.0.2.1 failed certificate-not-trusted "
            "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT",
            "a.example mx2.a.example 2001:db8::2 failed certificate-expired X509_V_ERR_CERT_HAS_EXPIRED",
            "a.example mx3.a.example 192.0.2.3 not-offered starttls-not-supported",
            "a.example mx4.a.example 192.0.2.4 refused starttls-not-supported starttls-reply-code-554",
            "a.example mx5.a.example 192.0.2.5 failed validation-failure lost-connection",
            "a.example mx7.a.example 192.0.2.7 verified"));
}

TEST(postfix_log, failed_hosts_count_also_where_the_last_could_not_be_reached) {
    EXPECT_THAT(
        read({"630D4207: TLS is required, but was not offered by host mx1.a.example[192.0.2.1]",
              deferred("connect to mx2.a.example[192.0.2.2]:25: Connection timed out", "none", "630D4207")}),
        ElementsAre("a.example mx1.a.example 192.0.2.1 not-offered starttls-not-supported"));
}

TEST(postfix_log, several_recipients_are_one_session) {
    const auto mx = "mx.a.example[192.0.2.1]";
    EXPECT_THAT(read({established("Verified"), sent(mx, "", "AAAAAA1", "a@a.example"),
                      sent(mx, "", "AAAAAA1", "b@a.example")}),
                testing::SizeIs(1));
    EXPECT_THAT(telling().read(of_process(
                    1, {sent(mx, "", "AAAAAA1", "a@a.example"), sent(mx, "", "AAAAAA1", "b@a.example")})),
                testing::SizeIs(1))
        << "in the clear";
    const auto refused = "TLS is required, but was not offered by host mx.a.example[192.0.2.1]";
    EXPECT_THAT(read({deferred(refused), deferred(refused), deferred(refused)}), testing::SizeIs(1));
    const auto broken = "Cannot start TLS: handshake failure";
    EXPECT_THAT(read({deferred(broken), deferred(broken)}), testing::SizeIs(1));
    const auto bad = "Server certificate not verified";
    EXPECT_THAT(read({established("Trusted"), deferred(bad), deferred(bad)}), testing::SizeIs(1));
}

TEST(postfix_log, some_recipients_go_to_the_next_host) {
    // One is refused for good and one for now at the first host, the second of them is taken by the next.
    EXPECT_THAT(read({established("Verified", "mx1.a.example[192.0.2.1]"),
                      "9D443225: to=<x@a.example>, relay=mx1.a.example[192.0.2.1]:25, delay=0.1, "
                      "delays=0/0/0.1/0, dsn=5.1.1, status=bounced (host "
                      "mx1.a.example[192.0.2.1] said: 550 5.1.1 no such user (in reply to RCPT TO command))",
                      "9D443225: host mx1.a.example[192.0.2.1] said: 450 4.7.1 greylisted (in reply to RCPT "
                      "TO command)",
                      "9D443225: host mx1.a.example[192.0.2.1] said: 450 4.7.1 greylisted (in reply to RCPT "
                      "TO command)",
                      established("Trusted", "mx2.a.example[192.0.2.2]"),
                      sent("mx2.a.example[192.0.2.2]", "", "9D443225", "b@a.example"),
                      sent("mx2.a.example[192.0.2.2]", "", "9D443225", "c@a.example")}),
                ElementsAre("a.example mx1.a.example 192.0.2.1 verified",
                            "a.example mx2.a.example 192.0.2.2 trusted"));
    EXPECT_THAT(
        telling().read(of_process(1, {"70DB4211: host mx1.a.example[192.0.2.1] said: 450 4.7.1 greylisted "
                                      "(in reply to RCPT TO command)",
                                      sent("mx1.a.example[192.0.2.1]", "", "70DB4211", "a@a.example"),
                                      sent("mx2.a.example[192.0.2.2]", "", "70DB4211", "b@a.example")})),
        ElementsAre("a.example mx1.a.example 192.0.2.1 not-offered starttls-not-supported",
                    "a.example mx2.a.example 192.0.2.2 not-offered starttls-not-supported"));
}

TEST(postfix_log, a_connection_that_is_used_again_is_no_new_session) {
    const auto mx = "mx.a.example[192.0.2.1]";
    EXPECT_THAT(telling().read({"1 " + sent(mx, "", "AAAAAA1"), "1 " + sent(mx, "conn_use=2, ", "AAAAAA2"),
                                "2 " + sent(mx, "conn_use=3, ", "AAAAAA3")}),
                testing::SizeIs(1));
    EXPECT_THAT(read({established("Trusted"), sent(mx, "", "AAAAAA1"),
                      "Trusted TLS connection reused to mx.a.example[192.0.2.1]:25" + std::string(tls13),
                      sent(mx, "conn_use=2, ", "AAAAAA2")}),
                testing::SizeIs(1));
}

TEST(postfix_log, the_next_message_over_a_new_connection_is_a_new_session) {
    const auto mx = "mx.a.example[192.0.2.1]";
    EXPECT_THAT(read({established("Trusted"), sent(mx, "", "AAAAAA1"), established("Trusted"),
                      sent(mx, "", "AAAAAA2")}),
                testing::SizeIs(2));
    EXPECT_THAT(telling().read(of_process(1, {sent(mx, "", "AAAAAA1"), sent(mx, "", "AAAAAA2")})),
                testing::SizeIs(2));
}

TEST(postfix_log, a_later_try_of_the_same_message_is_a_new_session) {
    const auto again =
        "E39BC1B3: to=<u@a.example>, relay=mx.a.example[192.0.2.1]:25, delay=300, delays=299/0.03/0.09/0.05, "
        "dsn=4.7.5, "
        "status=deferred (TLS is required, but was not offered by host mx.a.example[192.0.2.1])";
    EXPECT_THAT(
        read({deferred("TLS is required, but was not offered by host mx.a.example[192.0.2.1]"), again}),
        testing::SizeIs(2));
    const words expired{
        "server certificate verification failed for mx.a.example[192.0.2.1]:25: certificate has expired",
        established("Untrusted"), deferred("Server certificate not verified")};
    words twice = expired;
    twice.insert(twice.end(), expired.begin(), expired.end());
    EXPECT_THAT(
        read(twice),
        ElementsAre(
            "a.example mx.a.example 192.0.2.1 failed certificate-expired X509_V_ERR_CERT_HAS_EXPIRED",
            "a.example mx.a.example 192.0.2.1 failed certificate-expired X509_V_ERR_CERT_HAS_EXPIRED"));
}

TEST(postfix_log, processes_do_not_mix) {
    EXPECT_THAT(
        reader().read({"1 " + established("Verified"),
                       "2 " + established("Untrusted", "mx.b.example[192.0.2.2]"),
                       "2 " + sent("mx.b.example[192.0.2.2]", "", "BBBBBB2", "u@b.example"), "1 " + sent()}),
        ElementsAre("b.example mx.b.example 192.0.2.2 encrypted",
                    "a.example mx.a.example 192.0.2.1 verified"));
}

// ---- tlsproxy -------------------------------------------------------------------------------------------

TEST(postfix_log, with_connection_reuse_the_proxy_tells_why) {
    EXPECT_THAT(
        reader().read({"postfix/tlsproxy[7] CONNECT to [192.0.2.1]:25",
                       "postfix/tlsproxy[7] server certificate verification failed for "
                       "mx.a.example[192.0.2.1]:25: certificate has expired",
                       "postfix/tlsproxy[7] " + established("Untrusted"), "1 " + established("Untrusted"),
                       "1 " + deferred("Server certificate not verified"),
                       "postfix/tlsproxy[7] DISCONNECT [192.0.2.1]:25"}),
        ElementsAre(
            "a.example mx.a.example 192.0.2.1 failed certificate-expired X509_V_ERR_CERT_HAS_EXPIRED"));
    EXPECT_THAT(
        reader().read({"postfix/tlsproxy[7] SSL_connect error to mx.a.example[192.0.2.1]:25: -1",
                       "postfix/tlsproxy[7] warning: TLS library problem: error:0A00010B:SSL routines::wrong "
                       "version number:x.c:350:",
                       "1 " + deferred("Cannot start TLS: handshake failure")}),
        ElementsAre("a.example mx.a.example 192.0.2.1 failed validation-failure wrong-version-number"));
}

// ---- TLSRPT: of 3.10 and later --------------------------------------------------------------------------

TEST(postfix_log, where_postfix_tells_the_result_that_counts_and_only_that) {
    EXPECT_THAT(
        read({established("Trusted"),
              "TLSRPT: status=success, domain=a.example, receiving_mx=mx.a.example[192.0.2.1]", sent()}),
        ElementsAre("a.example mx.a.example 192.0.2.1 trusted"));
    EXPECT_THAT(
        read({"TLSRPT: status=success, domain=a.example, receiving_mx=mx.a.example[192.0.2.1]", sent()}),
        ElementsAre("a.example mx.a.example 192.0.2.1 verified"));
    EXPECT_THAT(read({"TLSRPT: status=failure, domain=a.example, receiving_mx=mx.a.example[192.0.2.1], "
                      "failure_type=starttls-not-supported",
                      deferred("TLS is required, but was not offered by host mx.a.example[192.0.2.1]")}),
                ElementsAre("a.example mx.a.example 192.0.2.1 not-offered starttls-not-supported"));
    EXPECT_THAT(
        read({"certificate verification failed for mx.a.example[192.0.2.1]:25: self-signed certificate",
              "TLSRPT: status=failure, domain=a.example, receiving_mx=mx.a.example[192.0.2.1], "
              "failure_type=validation_failure, "
              "failure_reason=self-signed_certificate",
              established("Untrusted"), deferred("Server certificate not verified")}),
        ElementsAre("a.example mx.a.example 192.0.2.1 failed validation-failure self-signed_certificate"));
    EXPECT_THAT(
        reader().read({"postfix/tlsproxy[7] TLSRPT: status=failure, domain=a.example, "
                       "receiving_mx=mx.a.example[192.0.2.1], "
                       "failure_type=certificate-expired",
                       "1 " + established("Untrusted"), "1 " + deferred("Server certificate not verified")}),
        ElementsAre("a.example mx.a.example 192.0.2.1 failed certificate-expired"));
}

// ---- what is left out -----------------------------------------------------------------------------------

TEST(postfix_log, the_transport_of_reports_is_not_counted) {
    PROVES("8460-3-h");
    EXPECT_THAT(reader().read({"postfix-mailtight-report/smtp[1] " + established("Verified"),
                               "postfix-mailtight-report/smtp[1] " + sent()}),
                IsEmpty());
}

TEST(postfix_log, other_programs_are_not_read) {
    for (const auto* program :
         {"postfix/lmtp", "postfix/smtpd", "postfix/local", "postfix/pipe", "exim", "sshd"})
        EXPECT_THAT(
            reader().read({program + ("[1] " + established("Verified")), program + ("[1] " + sent())}),
            IsEmpty())
            << program;
    for (const auto* program : {"postfix/smtp", "postfix-out/smtp", "postfix/relay/smtp"})
        EXPECT_THAT(
            reader().read({program + ("[1] " + established("Verified")), program + ("[1] " + sent())}),
            testing::SizeIs(1))
            << program;
    reader one({.programs = {"mine/smtp"}});
    EXPECT_THAT(one.read({"postfix/smtp[1] " + established("Verified"), "postfix/smtp[1] " + sent()}),
                IsEmpty());
    EXPECT_THAT(one.read({"mine/smtp[1] " + established("Verified"), "mine/smtp[1] " + sent()}),
                testing::SizeIs(1));
}

TEST(postfix_log, other_ports_are_no_mx_hosts) {
    const std::string filter =
        "AAAAAA1: to=<u@a.example>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, "
        "status=sent (250 ok)";
    EXPECT_THAT(telling().read({"1 " + filter}), IsEmpty());
    EXPECT_THAT(telling().read({"1 Trusted TLS connection established to mx.a.example[192.0.2.1]:587: x",
                                "1 " + sent()}),
                IsEmpty());
}

TEST(postfix_log, recipients_of_every_kind) {
    const std::pair<std::string, std::string> rows[] = {
        {"u@A.Example", "a.example"},
        {"\"odd>, relay=x @b.example\"@a.example", "a.example"},
        {R"("quo\"te>"@a.example)", "a.example"},
        {"u@b\u00fccher.example", "xn--bcher-kva.example"},
        {"\xff\xfe@a.example", "a.example"},
    };
    for (const auto& [to, domain] : rows)
        EXPECT_THAT(read({established("Verified"), sent("mx.a.example[192.0.2.1]", "", "AAAAAA1", to)}),
                    ElementsAre(domain + " mx.a.example 192.0.2.1 verified"))
            << to;
    for (const auto* to : {"u@[192.0.2.1]", "nobody", "u@", "u@a b", "u@192.0.2.1"})
        EXPECT_THAT(read({established("Verified"), sent("mx.a.example[192.0.2.1]", "", "AAAAAA1", to)}),
                    IsEmpty())
            << to;
    EXPECT_THAT(
        read({established("Verified"),
              "AAAAAA1: to=<u@a.example>, orig_to=<u@other.example>, relay=mx.a.example[192.0.2.1]:25, "
              "delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)"}),
        ElementsAre("a.example mx.a.example 192.0.2.1 verified"));
}

TEST(postfix_log, a_local_part_that_looks_like_the_rest_of_the_line_is_a_local_part) {
    const std::string forged =
        "x>, relay=evil.example[192.0.2.66]:25, delay=0, delays=0/0/0/0, dsn=4.7.4, status=deferred (TLS is "
        "required, but was not offered by host evil.example[192.0.2.66])";
    const words one{"a.example mx.a.example 192.0.2.1 verified"};
    EXPECT_EQ(read({established("Verified"),
                    sent("mx.a.example[192.0.2.1]", "", "AAAAAA1", '"' + forged + "\"@a.example")}),
              one);
    EXPECT_EQ(read({established("Verified"), sent("mx.a.example[192.0.2.1]", "", "AAAAAA1",
                                                  "u@a.example>, orig_to=<\"" + forged + "\"@b.example")}),
              one);
}

TEST(postfix_log, what_the_other_side_says_is_not_taken_for_postfix) {
    const words clear{"a.example mx.a.example 192.0.2.1 not-offered starttls-not-supported"};
    EXPECT_EQ(telling().read({"1 " + deferred("host mx.a.example[192.0.2.1] said: 450 Server certificate not "
                                              "verified, relay=x[192.0.2.2]:25, "
                                              "status=sent (in reply to RCPT TO command)")}),
              clear);
    EXPECT_THAT(
        telling().read(
            {"1 " +
             deferred(
                 "host mx.a.example[192.0.2.1] refused to talk to me: 554 x (in reply to RCPT TO command)")}),
        IsEmpty());
}

TEST(postfix_log, a_next_hop_that_is_an_address_has_no_host) {
    EXPECT_THAT(read({established("Trusted", "192.0.2.1[192.0.2.1]"), sent("192.0.2.1[192.0.2.1]")}),
                ElementsAre("a.example  192.0.2.1 trusted"));
}

// ---- bounds ---------------------------------------------------------------------------------------------

TEST(postfix_log, names_beyond_measure_are_not_kept) {
    postfix_log log;
    std::vector<session_at> out;
    for (const std::size_t bytes : {255, 256}) {
        const std::string host(bytes, 'a');
        for (const auto& text : {established("Verified"), sent()})
            log.take({.at = {}, .host = host, .program = "postfix/smtp", .pid = 1, .text = text}, start, out);
    }
    EXPECT_EQ(log.counted().used, 2u);
    EXPECT_EQ(out.size(), 1u);
}

TEST(postfix_log, processes_that_are_not_heard_of_are_forgotten) {
    reader r({.forget = std::chrono::seconds(900)});
    r.read({"1 " + established("Verified")});
    r.later(std::chrono::seconds(901));
    EXPECT_THAT(r.read({"1 " + sent()}),
                ElementsAre("a.example mx.a.example 192.0.2.1 not-offered starttls-not-supported"))
        << "the process number was used anew";
    EXPECT_EQ(r.counted().forgotten, 1);
}

TEST(postfix_log, a_long_delivery_is_not_taken_for_one_in_the_clear) {
    const std::string slow =
        "E39BC1B3: to=<u@a.example>, relay=mx.a.example[192.0.2.1]:25, delay=1000, delays=0/0/0.5/900, "
        "dsn=2.0.0, status=sent (250 ok)";
    auto r = telling();
    r.later(std::chrono::seconds(10'000));
    EXPECT_THAT(r.read({"1 " + slow}), IsEmpty());
}

TEST(postfix_log, a_delivery_that_began_before_the_first_line_is_not_taken_for_one_in_the_clear) {
    reader r;
    r.read({"2 " + established("Verified", "mx.b.example[192.0.2.2]")});
    r.later(std::chrono::seconds(2));
    EXPECT_THAT(r.read({"1 " + sent()}), IsEmpty())
        << "its line about TLS may have been read before a restart";
    r.later(std::chrono::seconds(2));
    EXPECT_THAT(r.read({"1 " + sent("mx.a.example[192.0.2.1]", "", "AAAAAA2")}), testing::SizeIs(1));
}

TEST(postfix_log, so_many_processes_are_remembered) {
    reader r({.processes = 2});
    r.read({"1 " + established("Verified"), "2 " + established("Verified"), "3 " + established("Verified")});
    EXPECT_EQ(r.counted().forgotten, 1);
    EXPECT_THAT(r.read({"3 " + sent(), "2 " + sent()}), testing::SizeIs(2));
}

TEST(postfix_log, a_message_that_never_ends_is_bounded) {
    reader r;
    words lines(1'000, "1 " + established("Verified"));
    r.read(lines);
    EXPECT_EQ(r.read({"1 " + sent()}).size() + r.counted().forgotten, 1'000);
}

TEST(postfix_log, figures) {
    auto r = telling();
    r.read({"postfix/qmgr[1] A1A1A1: removed", "1 " + established("Verified"), "1 " + sent()});
    const auto f = r.counted();
    EXPECT_EQ(f.lines, 5);
    EXPECT_EQ(f.used, 4);
    EXPECT_EQ(f.sessions, 2);
}

RC_GTEST_PROP(postfix_log_property, any_line_may_come, (const std::vector<std::string>& texts)) {
    postfix_log log;
    std::vector<session_at> out;
    for (const auto& text : texts)
        for (const auto* front :
             {"", "AAAAAA1: ", "AAAAAA1: to=<", "Trusted TLS connection established to ",
              "TLSRPT: ", "SSL_connect error to ", "CA certificate verification failed for "}) {
            const std::string whole = front + text;
            log.take({.host = "h", .program = "postfix/smtp", .pid = 1, .text = whole}, start, out);
        }
    RC_ASSERT(log.counted().sessions == out.size());
}

} // namespace
} // namespace mailtight::tally
