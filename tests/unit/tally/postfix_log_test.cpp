// SPDX-License-Identifier: Apache-2.0
// What one connection comes to, by the words of the log.
#include "support/proves.h"
#include "unit/tally/log_words.h"

namespace mailtight::tally {
namespace {
using namespace log_words;
using testing::ElementsAre;
using testing::IsEmpty;

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
    PROVES("8460-4.3.1-b", "8460-4.3.1-c", "8460-4.3.1-d", "8460-4.3.1-e", "8460-4.3.3-a");
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
        {"server certificate verification failed for mx.a.example[192.0.2.1]:25: num=65:no matching DANE "
         "TLSA records",
         "validation-failure X509_V_ERR_DANE_NO_MATCH"},
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

} // namespace
} // namespace mailtight::tally
