// SPDX-License-Identifier: Apache-2.0
// The lines are Postfix's own: 3.7.11 wrote them to servers that behaved so, names and addresses apart.
#include "tally/postfix_log.h"

#include "base/text.h"
#include "support/proves.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

namespace mailtight::tally {
namespace {
using testing::ElementsAre;
using testing::IsEmpty;
using words = std::vector<std::string>;

const base::utc_seconds start = *base::parse_utc("2026-11-22T07:00:00Z");
constexpr std::string_view tls13 =
    ": TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 "
    "server-signature ECDSA (prime256v1) server-digest SHA256";

std::string_view word(model::tls_reached tls) {
    constexpr std::string_view names[] = {"not-offered", "refused",  "failed",   "encrypted",
                                          "trusted",     "verified", "not-tried"};
    return names[static_cast<std::size_t>(tls)];
}
std::string text_of(const model::session_seen& s) {
    std::string out = fmt::format("{} {} {} {}", s.domain, s.mx_host,
                                  s.address ? s.address->to_string() : "-", word(s.tls));
    if (s.failure)
        out += fmt::format(" {}", tlsrpt::to_string(*s.failure));
    return s.reason.empty() ? out : out + ' ' + s.reason;
}

class reader {
public:
    explicit reader(postfix_log_options options = {})
        : log_(std::make_unique<postfix_log>(std::move(options))) {}
    /// Each line: `PID text` of postfix/smtp, or `PROGRAM[PID] text`.
    words read(const words& lines) {
        std::vector<session_at> out;
        for (const auto& line : lines) {
            const auto blank = line.find(' ');
            std::string tag = line.substr(0, blank);
            if (base::is_digit(tag[0]))
                tag = "postfix/smtp[" + tag + "]";
            const std::string full = "Nov 22 07:00:00 host " + tag + ": " + line.substr(blank + 1);
            const auto parsed = parse_log_line(full, at_);
            EXPECT_TRUE(parsed) << full;
            log_line moved = *parsed;
            moved.at = at_;
            log_->take(moved, at_, out);
        }
        words texts;
        for (const auto& one : out)
            texts.push_back(text_of(one.what));
        return texts;
    }
    void later(std::chrono::seconds by) { at_ += by; }
    postfix_log::figures counted() const { return log_->counted(); }

private:
    std::unique_ptr<postfix_log> log_;
    base::utc_seconds at_ = start;
};
/// A reader that has seen that its client tells of TLS.
reader telling() {
    reader r;
    r.read({"9 Trusted TLS connection established to m.x.example[192.0.2.99]:25" + std::string(tls13),
            "9 9A9A9A9: to=<u@x.example>, relay=m.x.example[192.0.2.99]:25, delay=0, delays=0/0/0/0, "
            "dsn=2.0.0, status=sent (250 ok)"});
    r.later(std::chrono::seconds(60));
    return r;
}
std::string established(std::string_view kind, std::string_view mx = "mx.a.example[192.0.2.1]") {
    return fmt::format("{} TLS connection established to {}:25{}", kind, mx, tls13);
}
std::string sent(std::string_view relay = "mx.a.example[192.0.2.1]", std::string_view more = "",
                 std::string_view id = "E39BC1B3", std::string_view to = "u@a.example") {
    return fmt::format("{}: to=<{}>, relay={}:25, {}delay=0.17, delays=0/0.03/0.09/0.05, dsn=2.0.0, "
                       "status=sent (250 2.0.0 Ok: queued)",
                       id, to, relay, more);
}
std::string deferred(std::string_view why, std::string_view relay = "mx.a.example[192.0.2.1]:25",
                     std::string_view id = "E39BC1B3") {
    return fmt::format("{}: to=<u@a.example>, relay={}, delay=0.17, delays=0/0.03/0.09/0.05, dsn=4.7.5, "
                       "status=deferred ({})",
                       id, relay, why);
}
words of_process(int pid, const words& texts) {
    words out;
    for (const auto& text : texts)
        out.push_back(fmt::format("{} {}", pid, text));
    return out;
}
words read(const words& texts) {
    return reader().read(of_process(1, texts));
}

// ---- one connection, one session ------------------------------------------------------------------------

TEST(postfix_log, a_session_under_tls) {
    PROVES("8460-4.2-a");
    const std::pair<std::string_view, std::string> rows[] = {{"Verified", "verified"},
                                                             {"Trusted", "trusted"},
                                                             {"Untrusted", "encrypted"},
                                                             {"Anonymous", "encrypted"}};
    for (const auto& [kind, tls] : rows)
        EXPECT_THAT(read({established(kind), sent()}), ElementsAre("a.example mx.a.example 192.0.2.1 " + tls))
            << kind;
}

TEST(postfix_log, a_certificate_that_is_refused) {
    PROVES("8460-4.3.1-b", "8460-4.3.1-c", "8460-4.3.1-d", "8460-4.3.3-a");
    struct {
        std::string line, result;
    } const rows[] = {
        {"server certificate verification failed for mx.a.example[192.0.2.1]:25: certificate has expired",
         "certificate-expired X509_V_ERR_CERT_HAS_EXPIRED"},
        {"CA certificate verification failed for mx.a.example[192.0.2.1]:25: certificate has expired",
         "certificate-not-trusted X509_V_ERR_CERT_HAS_EXPIRED"},
        {"server certificate verification failed for mx.a.example[192.0.2.1]:25: certificate not yet valid",
         "certificate-not-trusted X509_V_ERR_CERT_NOT_YET_VALID"},
        {"certificate verification failed for mx.a.example[192.0.2.1]:25: self-signed certificate",
         "certificate-not-trusted X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT"},
        {"certificate verification failed for mx.a.example[192.0.2.1]:25: untrusted issuer /O=Lab: "
         "x/CN=Somebody Else's Root",
         "certificate-not-trusted X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY"},
        {"certificate verification failed for mx.a.example[192.0.2.1]:25: not trusted by local or TLSA "
         "policy",
         "certificate-not-trusted X509_V_ERR_CERT_UNTRUSTED"},
        {"CA certificate verification failed for mx.a.example[192.0.2.1]:25: not designated for use as a CA "
         "certificate",
         "certificate-not-trusted X509_V_ERR_INVALID_PURPOSE"},
        {"certificate verification failed for mx.a.example[192.0.2.1]:25: certificate chain longer than "
         "limit(9)",
         "certificate-not-trusted X509_V_ERR_CERT_CHAIN_TOO_LONG"},
        {"server certificate verification failed for mx.a.example[192.0.2.1]:25: num=62:hostname mismatch",
         "certificate-host-mismatch X509_V_ERR_HOSTNAME_MISMATCH"},
        {"server certificate verification failed for mx.a.example[192.0.2.1]:25: num=47:permitted subtree "
         "violation",
         "certificate-not-trusted X509_V_ERR_PERMITTED_VIOLATION"},
        {"server certificate verification failed for mx.a.example[192.0.2.1]:25: words of another day",
         "validation-failure words-of-another-day"},
    };
    for (const auto& row : rows) {
        const words expected{"a.example mx.a.example 192.0.2.1 failed " + row.result};
        EXPECT_EQ(read({row.line, established("Untrusted"), deferred("Server certificate not verified")}),
                  expected)
            << row.line;
        EXPECT_EQ(read({row.line, established("Untrusted"), deferred("Server certificate not trusted")}),
                  expected)
            << row.line;
    }
}

TEST(postfix_log, older_ones_say_by_the_summary_whether_the_name_is_wrong_or_the_chain) {
    EXPECT_THAT(read({established("Trusted"), deferred("Server certificate not verified")}),
                ElementsAre("a.example mx.a.example 192.0.2.1 failed certificate-host-mismatch"));
    EXPECT_THAT(
        read({established("Untrusted"), deferred("Server certificate not trusted")}),
        ElementsAre(
            "a.example mx.a.example 192.0.2.1 failed certificate-not-trusted certificate-not-trusted"));
}

TEST(postfix_log, a_certificate_that_did_not_have_to_pass) {
    EXPECT_THAT(
        read({"certificate verification failed for mx.a.example[192.0.2.1]:25: self-signed certificate",
              established("Untrusted"), sent()}),
        ElementsAre("a.example mx.a.example 192.0.2.1 encrypted"));
}

TEST(postfix_log, no_starttls_where_tls_is_demanded) {
    PROVES("8460-4.3.1-a");
    EXPECT_THAT(read({deferred("TLS is required, but was not offered by host mx.a.example[192.0.2.1]")}),
                ElementsAre("a.example mx.a.example 192.0.2.1 not-offered starttls-not-supported"));
    EXPECT_THAT(
        read({deferred("TLS is required, but host mx.a.example[192.0.2.1] refused to start TLS: 454 4.7.0 "
                       "TLS not available due to "
                       "local problem")}),
        ElementsAre(
            "a.example mx.a.example 192.0.2.1 refused starttls-not-supported starttls-reply-code-454"));
    EXPECT_THAT(
        read({deferred(
            "REQUIRETLS Failure: sender requested REQUIRETLS, but TLS service was not offered by host "
            "mx.a.example[192.0.2.1]")}),
        ElementsAre("a.example mx.a.example 192.0.2.1 not-offered starttls-not-supported"));
}

TEST(postfix_log, a_handshake_that_breaks) {
    PROVES("8460-4.3.1-e", "8460-4.3.3-a");
    struct {
        words lines;
        std::string reason;
    } const rows[] = {
        {{"SSL_connect error to mx.a.example[192.0.2.1]:25: lost connection"}, "lost-connection"},
        {{"SSL_connect error to mx.a.example[192.0.2.1]:25: Connection timed out"}, "connection-timed-out"},
        {{"SSL_connect error to mx.a.example[192.0.2.1]:25: -1"}, "tls-handshake-failure"},
        {{"SSL_connect error to mx.a.example[192.0.2.1]:25: -1",
          "warning: TLS library problem: error:0A00010B:SSL routines::wrong version "
          "number:../ssl/record/ssl3_record.c:350:"},
         "wrong-version-number"},
        {{"SSL_connect error to mx.a.example[192.0.2.1]:25: -1",
          "warning: TLS library problem: error:1409442E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol "
          "version:../ssl/record/rec_layer_s3.c:1544:SSL alert number 70:"},
         "tlsv1-alert-protocol-version"},
        {{}, "tls-handshake-failure"},
    };
    for (const auto& row : rows) {
        words lines = row.lines;
        lines.push_back(deferred("Cannot start TLS: handshake failure"));
        EXPECT_THAT(read(lines),
                    ElementsAre("a.example mx.a.example 192.0.2.1 failed validation-failure " + row.reason));
    }
    EXPECT_THAT(
        read(
            {deferred("lost connection with mx.a.example[192.0.2.1] while receiving the STARTTLS response")}),
        ElementsAre("a.example mx.a.example 192.0.2.1 failed validation-failure starttls-lost-connection"));
    EXPECT_THAT(
        read({deferred(
            "conversation with mx.a.example[192.0.2.1] timed out while receiving the STARTTLS response")}),
        ElementsAre("a.example mx.a.example 192.0.2.1 failed validation-failure starttls-timed-out"));
}

TEST(postfix_log, what_never_came_to_tls_is_no_session) {
    PROVES("8460-4.3.4-a");
    for (const auto& line : {
             deferred("connect to mx.a.example[192.0.2.1]:25: Connection refused", "none"),
             deferred("host mx.a.example[192.0.2.1] refused to talk to me: 554 5.7.1 go away"),
             deferred(
                 "lost connection with mx.a.example[192.0.2.1] while receiving the initial server greeting"),
             deferred(
                 "conversation with mx.a.example[192.0.2.1] timed out while performing the EHLO handshake"),
             deferred("host mx.a.example[192.0.2.1] said: 421 4.3.2 busy (in reply to EHLO command)"),
             // the policy service said TEMP; DNS did
             deferred("client TLS configuration problem", "none"),
             deferred("TLSA lookup error for mx.a.example:25", "none"),
             deferred("Host or domain name not found. Name service error for name=a.example type=MX: Host "
                      "not found, try again",
                      "none"),
             deferred("TLS is required, but our TLS engine is unavailable"),
         })
        EXPECT_THAT(telling().read({"1 " + line}), IsEmpty()) << line;
}

TEST(postfix_log, a_service_of_our_own_that_is_missing_is_nobodys_fault) {
    EXPECT_THAT(read({"warning: connect to private/tlsproxy service: No such file or directory",
                      deferred("Cannot start TLS: handshake failure")}),
                IsEmpty());
}

// ---- in the clear ---------------------------------------------------------------------------------------

TEST(postfix_log, a_session_in_the_clear_counts_where_the_client_tells_of_tls) {
    PROVES("8460-4.3.1-a");
    const words clear{"a.example mx.a.example 192.0.2.1 not-offered starttls-not-supported"};
    EXPECT_EQ(telling().read({"1 " + sent()}), clear);
    EXPECT_THAT(read({sent()}), IsEmpty()) << "smtp_tls_loglevel may be 0";
    for (const auto* why :
         {"host mx.a.example[192.0.2.1] said: 450 4.7.1 greylisted (in reply to RCPT TO command)",
          "host mx.a.example[192.0.2.1] said: 554 5.7.1 no (in reply to end of DATA command)",
          "lost connection with mx.a.example[192.0.2.1] while sending MAIL FROM"})
        EXPECT_EQ(telling().read({"1 " + deferred(why)}), clear) << why;
}

TEST(postfix_log, another_client_of_the_same_host_may_tell_nothing) {
    auto r = telling();
    EXPECT_THAT(r.read({"postfix-quiet/smtp[1] " + sent()}), IsEmpty());
    EXPECT_TRUE(r.counted().tells_tls);
    EXPECT_FALSE(reader().counted().tells_tls);
}

TEST(postfix_log, where_tls_was_offered_and_not_wanted_the_other_side_is_not_to_blame) {
    EXPECT_THAT(telling().read(of_process(1, {"Host offered STARTTLS: [mx.a.example]", sent()})), IsEmpty());
}

TEST(postfix_log, after_a_handshake_that_broke_the_same_host_in_the_clear_is_no_second_session) {
    EXPECT_THAT(telling().read(of_process(
                    1, {"SSL_connect error to mx.a.example[192.0.2.1]:25: lost connection", sent()})),
                ElementsAre("a.example mx.a.example 192.0.2.1 failed validation-failure lost-connection"));
    EXPECT_THAT(
        telling().read(of_process(
            1, {established("Trusted"),
                "E39BC1B3: lost connection with mx.a.example[192.0.2.1] while performing the EHLO handshake",
                sent()})),
        ElementsAre("a.example mx.a.example 192.0.2.1 trusted"));
}

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
