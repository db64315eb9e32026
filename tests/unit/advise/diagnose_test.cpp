// SPDX-License-Identifier: Apache-2.0
// What a sender reports, and which rule explains it. The table reaches every rule.
#include "advise/diagnose.h"

#include "advise/diagnosis_rules.h"
#include "base/text.h"
#include "findings/finding.h"
#include "support/proves.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace mailtight::advise {
namespace {

tlsrpt::failure_detail failed(std::string result, std::string reason = {},
                              std::string mx = "mx1.example.com") {
    tlsrpt::failure_detail made;
    made.result_type = std::move(result);
    made.reason_code = std::move(reason);
    made.receiving_mx = std::move(mx);
    made.count = 1;
    return made;
}

failure_context under(std::string type = "sts", std::vector<std::string> patterns = {"mx1.example.com"}) {
    failure_context made;
    made.domain = "example.com";
    made.policy_type = std::move(type);
    made.mx_patterns = std::move(patterns);
    made.reporter = "Google Inc.";
    return made;
}

constexpr std::string_view policy_of_today =
    "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmx: mx2.example.com\r\nmax_age: 604800\r\n";

struct row {
    std::string rule;
    std::string why;
    tlsrpt::failure_detail failure;
    failure_context context = under();
};

failure_context with_today(std::vector<std::string> mx_today) {
    failure_context made = under();
    made.policy_today = policy_of_today;
    made.mx_today = std::move(mx_today);
    return made;
}

tlsrpt::failure_detail with_helo(std::string helo) {
    auto made = failed("starttls-not-supported");
    made.receiving_mx_helo = std::move(helo);
    return made;
}

std::vector<row> rows() {
    const std::string vf = "validation-failure", cnt = "certificate-not-trusted",
                      fetch = "sts-policy-fetch-error", webpki = "sts-webpki-invalid",
                      no_tls = "starttls-not-supported";
    return {
        {"mx-in-policy-since", "today's policy has the host, the sender's does not",
         failed(vf, "", "mx2.example.com"), with_today({"mx1.example.com", "mx2.example.com"})},
        {"mx-wildcard-depth", "two labels before the wildcard's", failed(vf, "", "a.b.example.com"),
         under("sts", {"*.example.com"})},
        {"mx-wildcard-depth", "no label before the wildcard's", failed(vf, "", "example.com"),
         under("sts", {"*.example.com"})},
        {"mx-former", "neither in the policy nor an MX host now", failed(vf, "", "old.example.net"),
         with_today({"mx1.example.com"})},
        {"mx-not-in-policy", "a bare validation-failure at a host that the policy lacks",
         failed(vf, "", "mx9.example.net")},
        {"mx-not-in-policy", "some senders call it a host mismatch",
         failed("certificate-host-mismatch", "", "mx9.example.net")},
        {"validation-failure-bare", "the same host, but under DANE the mx lines say nothing",
         failed(vf, "", "mx9.example.net"), under("tlsa")},
        {"mx-not-in-policy-told", "Microsoft, without the host", failed(vf, "MX_HOSTS_MISMATCH", "")},
        {"mx-not-in-policy-told", "mox, with its suffix",
         failed(vf, "mtasts-policy-mx-mismatch+fallback-to-cached-policy", "")},
        {"mx-not-in-policy-told", "our own word (A32)", failed(vf, "sts-mx-not-in-policy", "")},
        {"mx-not-in-policy-told", "Microsoft's code for the bounce", failed(vf, "450 5.4.8 MX hosts", "")},
        {"dane-mismatch", "OpenSSL's name", failed(vf, "X509_V_ERR_DANE_NO_MATCH"), under("tlsa")},
        {"dane-mismatch", "OpenSSL's text", failed("tlsa-invalid", "No matching DANE TLSA records"),
         under("tlsa")},
        {"tlsa-unusable", "", failed("tlsa-invalid", "all TLSA records unusable"), under("tlsa")},
        {"tlsa-invalid", "bare", failed("tlsa-invalid"), under("tlsa")},
        {"dnssec-expired", "", failed("dnssec-invalid", "RRSIG expired"), under("tlsa")},
        {"dnssec-invalid", "bare", failed("dnssec-invalid"), under("tlsa")},
        {"dane-required", "bare", failed("dane-required"), under("tlsa")},
        {"starttls-hidden", "a firewall crossed the keyword out", with_helo("mx1.example.com XXXXXXXA")},
        {"starttls-refused", "mox", failed(no_tls, "smtp-starttls-reply-code-454")},
        {"starttls-refused", "Postfix", failed(no_tls, "454 4.7.0 TLS not available due to local problem")},
        {"starttls-at-google", "", failed(no_tls, "", "aspmx.l.google.com"),
         under("sts", {"aspmx.l.google.com"})},
        {"starttls-at-microsoft", "", failed(no_tls, "", "example-com.mail.protection.outlook.com"),
         under("sts", {"*.mail.protection.outlook.com"})},
        {"starttls-not-supported", "bare", failed(no_tls)},
        {"starttls-not-supported", "digits inside a longer number are no reply code",
         failed(no_tls, "id 14540")},
        {"certificate-not-yet-valid", "Go, the clock before the first day",
         failed(
             cnt,
             "x509: certificate has expired or is not yet valid: current time 2026-05-03T00:00:00Z is before "
             "2026-05-04T00:00:00Z")},
        {"certificate-not-yet-valid", "Postfix puts it under validation-failure",
         failed(vf, "certificate is not yet valid")},
        {"certificate-expired-by-reason", "Go, the clock after the last day",
         failed(
             cnt,
             "x509: certificate has expired or is not yet valid: current time 2026-05-03T00:00:00Z is after "
             "2026-05-01T00:00:00Z")},
        {"certificate-expired-by-reason", "OpenSSL's name", failed(vf, "X509_V_ERR_CERT_HAS_EXPIRED")},
        {"certificate-expired", "bare", failed("certificate-expired")},
        {"certificate-expired", "with its reason",
         failed("certificate-expired", "X509_V_ERR_CERT_HAS_EXPIRED")},
        {"certificate-host-mismatch-by-reason", "SparkPost",
         failed(vf, "4.7.5 [internal] SSL certificate subject does not match host")},
        {"certificate-host-mismatch-by-reason", "Go",
         failed(cnt, "x509: certificate is valid for www.example.com, not mx1.example.com")},
        {"certificate-host-mismatch", "bare", failed("certificate-host-mismatch")},
        {"private-authority", "OpenSSL 1.1", failed(vf, "self signed certificate in certificate chain")},
        {"private-authority", "OpenSSL 3", failed(cnt, "X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN")},
        {"self-signed", "OpenSSL 3 writes it with a hyphen", failed(vf, "self-signed certificate")},
        {"self-signed", "OpenSSL's name", failed(cnt, "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT")},
        {"chain-incomplete", "Postfix", failed(vf, "unable to get local issuer certificate")},
        {"chain-incomplete", "Go", failed(cnt, "x509: certificate signed by unknown authority")},
        {"chain-incomplete", "OpenSSL's name", failed(cnt, "X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE")},
        {"certificate-revoked", "", failed(cnt, "X509_V_ERR_CERT_REVOKED")},
        {"certificate-purpose", "", failed(cnt, "unsuitable certificate purpose")},
        {"certificate-weak", "", failed(vf, "X509_V_ERR_EE_KEY_TOO_SMALL")},
        {"chain-faulty", "of the RFC's own example", failed(vf, "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED")},
        {"certificate-not-trusted", "bare", failed(cnt)},
        {"tls-version", "", failed(vf, "error:0A000102:SSL routines::unsupported protocol")},
        {"plain-after-starttls", "", failed(vf, "error:0A00010B:SSL routines::wrong version number")},
        {"no-shared-cipher", "", failed(vf, "sslv3 alert handshake failure")},
        {"name-not-recognised", "", failed(vf, "tlsv1 unrecognized name")},
        {"connection-broken", "Go", failed(vf, "read tcp: connection reset by peer")},
        {"connection-broken", "a bare word", failed(vf, "EOF")},
        {"validation-failure-microsoft", "", failed(vf, "VALIDATION_FAILURE")},
        {"validation-failure-microsoft", "the code of the bounce",
         failed(vf, "5.7.5 remote certificate", "")},
        {"validation-failure-other", "", failed(vf, "the moon was full")},
        {"validation-failure-bare", "the host is in the policy", failed(vf)},
        {"validation-failure-bare", "no host at all", failed(vf, "", "")},
        {"policy-host-certificate-expired", "", failed(webpki, "certificate has expired", "")},
        {"policy-host-name", "Go, under the wrong type",
         failed(fetch, "x509: certificate is valid for *.hoster.example, not mta-sts.example.com", "")},
        {"policy-host-self-signed", "", failed(webpki, "self-signed certificate", "")},
        {"policy-host-chain", "Go", failed(fetch, "x509: certificate signed by unknown authority", "")},
        {"policy-host-tls", "", failed(fetch, "remote error: tls: handshake failure", "")},
        {"sts-webpki-invalid", "bare", failed(webpki, "", "")},
        {"policy-not-there", "Mail.ru", failed(fetch, "bad https response code: 404", "")},
        {"policy-not-there", "our own list (A33)", failed(fetch, "http-status-404", "")},
        {"policy-forbidden", "", failed(fetch, "http-status-403", "")},
        {"policy-redirect", "", failed(fetch, "redirect", "")},
        {"policy-host-error", "", failed(fetch, "bad https response code: 503", "")},
        {"policy-content-type", "", failed("sts-policy-invalid", "content-type", "")},
        {"policy-too-large", "", failed(fetch, "too-large", "")},
        {"policy-host-dns", "our own list (A33)", failed(fetch, "dns-nxdomain", "")},
        {"policy-host-dns", "Go", failed(fetch, "lookup mta-sts.example.com: no such host", "")},
        {"policy-host-slow", "our own list (A33)", failed(fetch, "tcp-timeout", "")},
        {"policy-host-slow", "Go", failed(fetch, "context deadline exceeded", "")},
        {"policy-host-unreachable", "Go",
         failed(fetch, "dial tcp 192.0.2.1:443: connect: connection refused", "")},
        {"sts-policy-fetch-error", "Microsoft gives nothing but the type", failed(fetch, "", "")},
        {"sts-policy-invalid", "bare", failed("sts-policy-invalid", "", "")},
        {"unknown-result", "a word that is not registered (8460-4.3-a)", failed("starttls-quantum-broken")},
        {"unknown-result", "no word at all", failed("")},
    };
}

TEST(Diagnose, finds_the_rule_for_what_senders_write) {
    PROVES("A32");
    PROVES("8460-4.3-a");
    for (const row& one : rows()) {
        SCOPED_TRACE(one.rule + ": " + one.why + " (" + one.failure.result_type + ", " +
                     one.failure.reason_code + ")");
        const diagnosis said = diagnose(one.failure, one.context);
        EXPECT_EQ(said.rule, one.rule);
        EXPECT_FALSE(said.title.empty());
        EXPECT_FALSE(said.cause.empty());
        EXPECT_FALSE(said.fix.empty());
        EXPECT_FALSE(said.check.empty());
        for (const std::string& text : {said.cause, said.fix, said.check}) {
            EXPECT_EQ(text.find_first_of("{}!"), std::string::npos) << text;
            EXPECT_EQ(text.find("  #") == std::string::npos ? text.find("  ") : std::string::npos,
                      std::string::npos)
                << text;
        }
    }
}

TEST(Diagnose, the_table_above_reaches_every_rule) {
    std::set<std::string> reached, all;
    for (const row& one : rows())
        reached.insert(one.rule);
    for (const auto& one : diagnosis_rules())
        all.insert(std::string(one.name));
    EXPECT_EQ(reached, all);
}

TEST(DiagnosisRules, are_readable_and_consistent) {
    std::set<std::string_view> names;
    for (const rule& one : rule_table()) {
        SCOPED_TRACE(one.name);
        EXPECT_TRUE(names.insert(one.name).second) << "twice";
        const auto condition = read_condition(one.when);
        EXPECT_TRUE(condition) << condition.error();
        EXPECT_TRUE(one.confidence == "certain" || one.confidence == "likely" ||
                    one.confidence == "possible");
        if (!one.finding.empty()) {
            EXPECT_TRUE(findings::find_code(one.finding)) << one.finding;
        }
        for (const auto type : base::split(one.result_type, ' ')) {
            if (!type.empty()) {
                EXPECT_TRUE(tlsrpt::parse_result_type(type)) << type;
            }
        }
    }
    EXPECT_TRUE(rule_table().back().result_type.empty() && rule_table().back().when.empty())
        << "the last rule must fit everything";
}

TEST(DiagnosisRules, say_no_more_than_is_known) {
    for (const rule& one : rule_table())
        for (const auto text : {one.title, one.cause, one.fix})
            for (const auto word : {"attack", "hacker", "man in the middle", "!"})
                EXPECT_EQ(text.find(word), std::string_view::npos) << one.name << ": " << text;
    // A server without STARTTLS is the receiver's to mend, never the sender's.
    EXPECT_TRUE(diagnose(failed("starttls-not-supported"), under()).ours);
}

TEST(Condition, is_refused_where_it_cannot_be_read) {
    for (const auto* wrong : {"reason", "reason has ", "reason has a | | b", "MX outside", "policy type",
                              "no", "and", "MX given and ", "MX given or reason given"})
        EXPECT_FALSE(read_condition(wrong)) << wrong;
    const auto good = read_condition("no MX given and reason has SELF_SIGNED | Two  Words");
    ASSERT_TRUE(good);
    ASSERT_EQ(good->size(), 2U);
    EXPECT_TRUE(good->front().negated);
    EXPECT_EQ(good->back().words, (std::vector<std::string>{"self signed", "two words"}));
}

TEST(HoldsWords, matches_whole_words) {
    EXPECT_TRUE(holds_words(plain_words("bad https response code: 404"), "404"));
    EXPECT_TRUE(holds_words(plain_words("http-status-404"), "404"));
    EXPECT_FALSE(holds_words(plain_words("code 4041"), "404"));
    EXPECT_FALSE(holds_words(plain_words("geofence"), "eof"));
    EXPECT_TRUE(holds_words(plain_words("unexpected EOF."), "eof"));
    EXPECT_FALSE(holds_words("", "eof"));
}

TEST(Diagnose, commands_are_safe_to_paste) {
    PROVES("8460-7-b");
    for (const std::string hostile :
         {"$(reboot)", "x;reboot", "`reboot`", "mx1 && reboot", "-oProxyCommand=reboot", "mx1\nreboot",
          "mx1|sh", "mx1>f", "'", "\"", "", "a\xff"}) {
        auto context = under("sts", {"*"});
        context.domain = hostile;
        context.reporter = hostile;
        auto failure = failed("certificate-expired", hostile, hostile);
        failure.receiving_ip = hostile;
        failure.receiving_mx_helo = hostile;
        const diagnosis said = diagnose(failure, context);
        EXPECT_EQ(said.check, "mailtight check YOUR-DOMAIN\nopenssl s_client -starttls smtp -connect "
                              "YOUR-MX-HOST:25 -servername "
                              "YOUR-MX-HOST -showcerts </dev/null")
            << hostile;
    }
    auto failure = failed("certificate-expired");
    failure.receiving_ip = "2001:db8::25";
    EXPECT_NE(diagnose(failure, under()).check.find("-connect [2001:db8::25]:25 "), std::string::npos);
}

TEST(Diagnose, names_the_server_at_hand) {
    const auto fix = [](std::string mx, std::string helo) {
        auto failure = failed("certificate-not-trusted", "", std::move(mx));
        failure.receiving_mx_helo = std::move(helo);
        return diagnose(failure, under("sts", {})).fix;
    };
    const auto has = [](const std::string& text, std::string_view word) {
        return text.find(word) != std::string::npos;
    };
    EXPECT_TRUE(has(fix("mx1.example.com", "mx1.example.com ESMTP Postfix (Debian)"), "\nPostfix: "));
    EXPECT_FALSE(has(fix("mx1.example.com", "mx1.example.com ESMTP Postfix (Debian)"), "\nExim: "));
    EXPECT_TRUE(has(fix("mx1.example.com", "mx1.example.com ESMTP Exim 4.96"), "\nExim: "));
    EXPECT_TRUE(
        has(fix("mx1.example.com", "mx1.example.com Microsoft ESMTP MAIL Service ready"), "\nExchange: "));
    EXPECT_TRUE(has(fix("mx1.example.com", "mx1 ESMTP Sendmail 8.17.1/8.17.1"), "\nSendmail: "));
    EXPECT_TRUE(has(fix("smtp.google.com", ""), "\nGoogle Workspace: "));
    EXPECT_TRUE(has(fix("x.mail.protection.outlook.com", ""), "\nMicrosoft 365: "));
    EXPECT_TRUE(has(fix("in1-smtp.messagingengine.com", ""), "ask the hoster"));
    const std::string unknown = fix("mx1.example.com", "mx1.example.com");
    EXPECT_TRUE(has(unknown, "\nPostfix: ") && has(unknown, "\nExim: ") && has(unknown, "\nExchange: "))
        << unknown;
}

TEST(RecogniseServer, by_host_then_by_banner) {
    struct {
        std::string_view host, banner;
        mail_server server;
    } const table[] = {
        {"aspmx.l.google.com", "", mail_server::google_workspace},
        {"SMTP.GOOGLE.COM.", "", mail_server::google_workspace},
        {"alt1.aspmx.l.google.com", "", mail_server::google_workspace},
        {"example-com.mail.protection.outlook.com", "", mail_server::microsoft_365},
        {"example-com.h-v1.mx.microsoft", "", mail_server::microsoft_365},
        {"mx1.example.com", "220 AM0EUR.mail.protection.outlook.com Microsoft ESMTP MAIL Service",
         mail_server::microsoft_365},
        {"mx1.example.com", "220 mx.google.com ESMTP 12-2 - gsmtp", mail_server::google_workspace},
        {"mx1.example.com", "220 EX01.example.com Microsoft ESMTP MAIL Service ready", mail_server::exchange},
        {"mx1.example.com", "220 mx1.example.com ESMTP Postfix", mail_server::postfix},
        {"mail.protonmail.ch", "ESMTP Postfix", mail_server::other_service},
        {"mx1.example.com", "", mail_server::unknown},
        {"", "", mail_server::unknown},
        {"evil-smtp.google.com.example.net", "", mail_server::unknown},
        {"postfix.example.com", "220 postfix.example.com ready", mail_server::unknown},
    };
    for (const auto& one : table)
        EXPECT_EQ(recognise_server(one.host, one.banner), one.server) << one.host << " " << one.banner;
}

TEST(Diagnose, says_who_else_sees_it) {
    struct {
        std::uint64_t failing, fine;
        std::string_view words;
    } const table[] = {
        {1, 0, "Only one reporter sends reports here"},
        {1, 1, "1 of 2 reporters sees it, 1 delivers without it"},
        {1, 4, "1 of 5 reporters sees it, 4 deliver without it"},
        {2, 0, "All 2 reporters see it: the fault is on this side."},
        {3, 5, "3 of 8 reporters see it: most likely"},
    };
    for (const auto& one : table) {
        auto context = under();
        context.reporters_failing = one.failing;
        context.reporters_fine = one.fine;
        EXPECT_TRUE(diagnose(failed("certificate-expired"), context).who.starts_with(one.words))
            << diagnose(failed("certificate-expired"), context).who;
    }
    EXPECT_EQ(diagnose(failed("certificate-expired"), under()).who, "") << "nothing is known of others";
}

TEST(Diagnose, tells_the_age_of_the_policy) {
    auto context = under();
    context.policy_today = policy_of_today;
    EXPECT_EQ(diagnose(failed("certificate-expired"), context).policy_age,
              "The policy in the report is not the one served now: it lacks mx2.example.com.");
    context.policy_strings = {"version: STSv1", "mode: enforce", "mx: MX2.example.com", "mx: mx1.example.com",
                              "max_age: 604800"};
    EXPECT_EQ(diagnose(failed("certificate-expired"), context).policy_age,
              "The policy in the report is the one served now.")
        << "order and case do not matter";
    context.policy_strings = {"version: STSv1", "mode: testing", "mx: mx0.example.com", "max_age: 86400"};
    context.policy_today_since = std::chrono::sys_days(std::chrono::year(2026) / 5 / 3);
    EXPECT_EQ(
        diagnose(failed("certificate-expired"), context).policy_age,
        "The policy in the report is not the one served now: it is in testing (now enforce), it lacks "
        "mx1.example.com and mx2.example.com, it still has mx0.example.com and its max_age is 86400 (now "
        "604800). The one of now is served since 3 May 2026.");
    context.policy_type = "tlsa";
    EXPECT_EQ(diagnose(failed("certificate-expired"), context).policy_age, "") << "DANE has no policy text";
    context = under();
    context.policy_today = "<html>";
    EXPECT_EQ(diagnose(failed("certificate-expired"), context).policy_age, "")
        << "what is served is no policy";
}

TEST(Diagnose, a_live_look_decides) {
    auto context = under();
    const auto before = diagnose(failed("certificate-not-trusted"), context);
    context.still_so = true;
    const auto still = diagnose(failed("certificate-not-trusted"), context);
    EXPECT_EQ(before.confidence, "likely");
    EXPECT_EQ(still.confidence, "certain");
    EXPECT_EQ(still.now, "Still so now.");
    EXPECT_EQ(before.now, "");
    context.still_so = false;
    context.looked_at = std::chrono::sys_days(std::chrono::year(2026) / 5 / 17) + std::chrono::minutes(845);
    const auto gone = diagnose(failed("certificate-not-trusted"), context);
    EXPECT_EQ(gone.confidence, "likely");
    EXPECT_TRUE(gone.now.starts_with("Not seen any more (looked at 14:05 UTC): ")) << gone.now;
}

TEST(Diagnose, a_cached_policy_is_told) {
    const auto said =
        diagnose(failed("sts-policy-fetch-error", "http-status-404+fallback-to-cached-policy", ""), under());
    EXPECT_EQ(said.rule, "policy-not-there");
    EXPECT_TRUE(said.cause.ends_with("Meanwhile the sender goes on with the policy in its cache."))
        << said.cause;
}

TEST(Diagnose, a_link_is_no_reason) {
    auto failure = failed("validation-failure");
    failure.additional_information = "https://reports.example/404?self-signed";
    EXPECT_EQ(diagnose(failure, under()).rule, "validation-failure-bare");
    failure.additional_information = "self-signed certificate";
    EXPECT_EQ(diagnose(failure, under()).rule, "self-signed");
}

RC_GTEST_PROP(Diagnose, answers_anything_in_bounded_words,
              (std::string result, std::string reason, std::string mx)) {
    auto failure = failed(result, reason + std::string(5000, 'x'), mx);
    const diagnosis said = diagnose(failure, under());
    RC_ASSERT(!said.title.empty() && !said.cause.empty() && !said.fix.empty());
    RC_ASSERT(said.cause.size() < 2000 + 3 * mx.size() + result.size());
}

TEST(DiagnosePolicy, no_policy_found_is_no_fault) {
    tlsrpt::policy_result policy;
    policy.type = "no-policy-found";
    policy.success = 20;
    auto context = under("no-policy-found", {});
    auto said = diagnose_policy(policy, context);
    ASSERT_EQ(said.size(), 1U);
    EXPECT_EQ(said[0].rule, "no-policy-found");
    EXPECT_FALSE(said[0].ours);
    context.policy_today = policy_of_today;
    said = diagnose_policy(policy, context);
    ASSERT_EQ(said.size(), 1U);
    EXPECT_EQ(said[0].rule, "no-policy-found-though-published");
    EXPECT_EQ(said[0].check, "mailtight check example.com");
}

TEST(DiagnosePolicy, speaks_only_where_there_is_something_to_say) {
    tlsrpt::policy_result policy;
    policy.type = "sts";
    policy.success = 20;
    EXPECT_TRUE(diagnose_policy(policy, under()).empty());
    policy.failure = 2;
    auto said = diagnose_policy(policy, under());
    ASSERT_EQ(said.size(), 1U);
    EXPECT_EQ(said[0].rule, "failures-not-described");
    policy.details = {failed("certificate-expired")};
    EXPECT_TRUE(diagnose_policy(policy, under()).empty());
    auto context = under();
    context.policy_today = policy_of_today;
    said = diagnose_policy(policy, context);
    ASSERT_EQ(said.size(), 1U);
    EXPECT_EQ(said[0].rule, "policy-not-of-today");
}

} // namespace
} // namespace mailtight::advise
