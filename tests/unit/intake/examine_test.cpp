// SPDX-License-Identifier: Apache-2.0
// Whole inputs: what is found in them, whose it is, and how far it is believed.
#include "intake/examine.h"

#include "report_mail.h"
#include "support/proves.h"

#include <gmock/gmock.h>

namespace mailtight::intake {
namespace {

using model::trust;
using model::way_in;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using namespace tests;

circumstances came(way_in way = way_in::lmtp) {
    circumstances how;
    how.way = way;
    how.source = "here";
    how.now = mail_time;
    return how;
}
fixed_keys reporters_keys() {
    fixed_keys keys;
    for (const char* domain : {"reporter.example", "sub.reporter.example", "forger.example"})
        keys.add(key_name(domain), ed25519_record());
    return keys;
}
examined look(std::string_view bytes, const circumstances& how = came(),
              const fixed_keys& keys = reporters_keys()) {
    examiner reads;
    return reads.examine(bytes, how, keys);
}
model::received_report only(const examined& found) {
    EXPECT_THAT(found.reports, SizeIs(1)) << (found.errors.empty() ? "" : found.errors.front().message);
    return found.reports.empty() ? model::received_report{} : found.reports.front();
}
std::vector<tlsrpt::quirk> quirks(const model::received_report& of) {
    std::vector<tlsrpt::quirk> out;
    for (const auto& warning : of.report.warnings)
        out.push_back(warning.code);
    return out;
}

TEST(examine, a_signed_report_mail_is_verified) {
    PROVES("8460-3-k", "8460-5.3-h");
    const auto found = look(signed_by(report_mail(make_report()), "reporter.example"));
    const auto report = only(found);
    EXPECT_EQ(report.trust, trust::verified) << report.trust_reason;
    EXPECT_EQ(report.dkim.result, mail::dkim_result::pass);
    EXPECT_EQ(report.dkim.domain, "reporter.example");
    EXPECT_EQ(report.dkim.selector, "s1");
    EXPECT_TRUE(report.dkim.mail);
    EXPECT_EQ(report.format, "mail");
    EXPECT_EQ(report.way, way_in::lmtp);
    EXPECT_EQ(report.submitter, "reporter.example");
    EXPECT_EQ(report.report_domain, "example.com");
    EXPECT_EQ(report.received_at, mail_time);
    EXPECT_EQ(report.report.policies.at(0).success, 10U);
    EXPECT_EQ(report.json, json_of(make_report()));
    EXPECT_THAT(found.errors, IsEmpty());
    EXPECT_EQ(found.mail_message_id, "<1@reporter.example>");
}

struct forged_row {
    std::string why, mail;
    trust expected;
};
TEST(examine, forged_mails_are_never_verified) {
    PROVES("8460-3-k", "8460-3-l", "A37");
    const auto report = make_report();
    const auto plain = report_mail(report);
    const auto good = signed_by(plain, "reporter.example");
    auto changed_body = good, changed_header = good;
    changed_body.replace(changed_body.find("This is an"), 10, "That is an");
    changed_header.replace(changed_header.find("Submitter: reporter.example"), 27,
                           "Submitter: reporter.exampel");
    mail_wish as_another; // calls itself another's, signed by its own
    as_another.from = "tls@forger.example";
    const auto impostor = signed_by(report_mail(report, as_another), "forger.example");
    mail_wish from_forged;
    const auto unrelated = signed_by(report_mail(report, from_forged), "forger.example");
    const forged_row rows[] = {
        {"unsigned", plain, trust::rejected},
        {"the body was changed", changed_body, trust::rejected},
        {"a signed header was changed", changed_header, trust::rejected},
        {"signed by somebody else", unrelated, trust::rejected},
        {"the key is not there", signed_by(plain, "reporter.example", "nokey"), trust::unverified},
        {"a public suffix signs for its names", signed_by(plain, "example"), trust::rejected},
        {"no header fields at all", json_of(report), trust::rejected},
        {"gzip instead of a mail", gzip_of(report), trust::rejected},
    };
    for (const auto& row : rows)
        for (const auto way : {way_in::smtp, way_in::lmtp, way_in::imap, way_in::maildir, way_in::mbox}) {
            auto how = came(way);
            how.by_administrator = true;
            how.domain_of_token = "example.com"; // a known token does not replace the signature
            const auto judged = only(look(row.mail, how));
            EXPECT_EQ(judged.trust, row.expected) << row.why << ": " << judged.trust_reason;
            EXPECT_TRUE(judged.dkim.mail) << row.why;
        }
    // Verified is only what it proves: the forger's own name.
    const auto taken = only(look(impostor));
    EXPECT_EQ(taken.trust, trust::verified);
    EXPECT_EQ(taken.submitter, "forger.example");
    EXPECT_THAT(taken.trust_reason, HasSubstr("From address alone"));
}

TEST(examine, tags_that_void_a_signature) {
    PROVES("8460-3-l", "6376-3.6.1-t", "8460-3-n", "A38");
    const auto plain = report_mail(make_report());
    const std::vector<std::string> fields{"from", "subject", "content-type"};
    const std::string head =
        "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=reporter.example; s=s1; "
        "h=from:subject:content-type; ";
    const auto sign = [&](const std::string& more) {
        return sign_by_hand(plain, head + more + "bh={bh}; b={b}", ed25519_pem(), fields,
                            mail::dkim_canon::relaxed, mail::dkim_canon::relaxed);
    };
    const auto with_key = [&](const std::string& tags) {
        return fixed_keys(key_name("reporter.example"), ed25519_record(tags));
    };
    EXPECT_EQ(only(look(sign(""))).trust, trust::verified);
    EXPECT_EQ(only(look(sign("l=100000; "))).trust, trust::rejected);
    EXPECT_EQ(only(look(sign("x=1500000000; "))).trust, trust::unverified);
    EXPECT_EQ(only(look(sign(""), came(), with_key("t=y; "))).trust, trust::rejected);
    EXPECT_EQ(only(look(sign(""), came(), with_key("s=tlsrpt; "))).trust, trust::verified);
    EXPECT_EQ(only(look(sign(""), came(), with_key("s=email; "))).trust, trust::verified);
    auto strict = came();
    strict.strict_dkim_service = true;
    EXPECT_NE(only(look(sign(""), strict, with_key("s=email; "))).trust, trust::verified);
    EXPECT_EQ(only(look(sign(""), strict, with_key("s=email:tlsrpt; "))).trust, trust::verified);
    auto busy = reporters_keys();
    busy.set(key_name("reporter.example"), mail::dkim_key_answer::status::unavailable);
    EXPECT_EQ(only(look(sign(""), came(), fixed_keys())).trust, trust::unverified);
}

TEST(examine, the_signature_that_proves_most_decides) {
    const auto plain = report_mail(make_report());
    // A list adds its own on top; the reporter's below still verifies.
    const auto both = signed_by(signed_by(plain, "reporter.example"), "forger.example");
    EXPECT_EQ(only(look(both)).dkim.domain, "reporter.example");
    EXPECT_EQ(only(look(both)).trust, trust::verified);
    // A relative of the organisation signs.
    const auto relative = signed_by(plain, "sub.reporter.example");
    EXPECT_EQ(only(look(relative)).trust, trust::verified);
    EXPECT_EQ(only(look(relative)).submitter, "reporter.example");
    // Agrees with contact-info where the header names another: the body is authoritative.
    mail_wish other;
    other.submitter = "elsewhere.example";
    const auto contact = signed_by(report_mail(make_report(), other), "reporter.example");
    EXPECT_EQ(only(look(contact)).trust, trust::verified);
    EXPECT_EQ(only(look(contact)).submitter, "reporter.example");
}

TEST(examine, own_servers_are_believed_where_a_signature_no_longer_can_be) {
    PROVES("A37");
    mail_wish wish;
    wish.top = "Authentication-Results: mx.example.com; dkim=pass header.d=reporter.example\r\n";
    const auto mail = wish.top + signed_by(report_mail(make_report()), "reporter.example");
    auto how = came();
    EXPECT_EQ(only(look(mail, how, fixed_keys())).trust, trust::unverified);
    how.trusted_authservers = {"mx.example.com"};
    EXPECT_EQ(only(look(mail, how, fixed_keys())).trust, trust::verified);
    how.trusted_authservers = {"mx.other.example"};
    EXPECT_EQ(only(look(mail, how, fixed_keys())).trust, trust::unverified);
}

TEST(examine, every_report_of_a_mail_is_taken_and_nothing_else) {
    PROVES("8460-5.3-h");
    mail_wish wish;
    wish.type = "multipart/mixed; boundary=\"cut\"";
    wish.parts = {text_part("Dear list"),
                  gzip_part(make_report("example.com", "one")),
                  {"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n",
                   wrapped_base64(json_of(make_report("example.com", "two")))},
                  {"Content-Type: image/png; name=x.png\r\nContent-Transfer-Encoding: base64\r\n",
                   wrapped_base64("\x89PNG...")},
                  text_part("-- \r\nUnsubscribe here")};
    const auto found = look(make_mail(wish));
    ASSERT_THAT(found.reports, SizeIs(2));
    EXPECT_EQ(found.reports[0].report.report_id, "one");
    EXPECT_EQ(found.reports[1].report.report_id, "two");
    EXPECT_THAT(found.errors, IsEmpty());
}

struct label_row {
    std::string why, headers, body;
};
TEST(examine, labels_only_ever_add_a_part) {
    PROVES("8460-5.3-h", "A45");
    const auto report = make_report();
    const auto gz = wrapped_base64(gzip_of(report)), json = json_of(report) + "\r\n";
    const std::string base64 = "Content-Transfer-Encoding: base64\r\n";
    const label_row rows[] = {
        {"as registered", "Content-Type: application/tlsrpt+gzip\r\n" + base64, gz},
        {"plain json", "Content-Type: application/tlsrpt+json\r\n", json},
        {"without suffix", "Content-Type: application/tlsrpt\r\n" + base64, gz},
        {"gzip", "Content-Type: application/gzip\r\n" + base64, gz},
        {"octets with a name", "Content-Type: application/octet-stream; name=\"a.json.gz\"\r\n" + base64, gz},
        {"octets without a name", "Content-Type: application/octet-stream\r\n" + base64, gz},
        {"json that says gzip", "Content-Type: application/tlsrpt+gzip\r\n", json},
        {"gzip that says json", "Content-Type: application/tlsrpt+json\r\n" + base64, gz},
        {"a header typo", "ContentType: application/tlsrpt+gzip\r\n" + base64, gz},
        {"text that is json", "Content-Type: text/plain\r\n", json},
        {"the coding is not declared", "Content-Type: text/plain\r\n", gz},
    };
    for (const auto& row : rows) {
        mail_wish wish;
        wish.type = "multipart/mixed; boundary=cut";
        wish.parts = {text_part("Hello"), {row.headers, row.body}};
        EXPECT_EQ(only(look(make_mail(wish))).report.report_id, report.report_id) << row.why;
    }
    // The whole mail is the report.
    const auto whole = "From: tls@reporter.example\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: "
                       "application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                       gz;
    EXPECT_EQ(only(look(whole)).report.report_id, report.report_id);
}

TEST(examine, what_disagrees_with_the_body_gives_way_with_a_warning) {
    PROVES("8460-5.6-a", "8460-5.3-f", "8460-5.1-g");
    mail_wish wish;
    wish.subject = "Report Domain: other.example Submitter: reporter.example Report-ID: <1@reporter.example>";
    wish.submitter = "mail.reporter.example";
    wish.domain = "";
    wish.parts = {text_part("x"),
                  gzip_part(make_report(), "reporter.example!third.example!1777680000!1777766399.json.gz")};
    const auto found = only(look(make_mail(wish)));
    EXPECT_EQ(found.report.policies.at(0).domain, "example.com");
    EXPECT_EQ(found.report_domain, "example.com");
    EXPECT_EQ(found.report.start, report_day);
    EXPECT_THAT(quirks(found), Contains(tlsrpt::quirk::subject_disagrees));
    EXPECT_THAT(quirks(found), Contains(tlsrpt::quirk::submitter_disagrees));
    EXPECT_THAT(quirks(found), Contains(tlsrpt::quirk::file_name_disagrees));
    for (const auto code : quirks(found))
        EXPECT_EQ(std::ranges::count(quirks(found), code), 1) << tlsrpt::to_string(code);
    EXPECT_THAT(quirks(only(look(report_mail(make_report())))), IsEmpty());
}

TEST(examine, the_domain_is_attributed_in_order) {
    PROVES("8460-1.1-a", "A22");
    const auto attributed = [](const tlsrpt::report& report, std::string header, std::string token) {
        mail_wish wish;
        wish.domain = std::move(header);
        wish.subject = "x";
        wish.parts = {gzip_part(report, "report.json.gz")};
        auto how = came();
        how.domain_of_token = std::move(token);
        return only(look(signed_by(make_mail(wish), "reporter.example"), how)).report_domain;
    };
    auto dane = make_report("mx.example.net");
    dane.policies[0].type = "tlsa";
    auto two = make_report();
    two.policies.push_back(make_report("example.org").policies[0]);
    EXPECT_EQ(attributed(make_report(), "Header.Example.", "token.example"), "header.example");
    EXPECT_EQ(attributed(dane, "", "token.example"), "token.example");
    EXPECT_EQ(attributed(make_report(), "", ""), "example.com");
    EXPECT_EQ(attributed(two, "", ""), ""); // each policy speaks for itself
    EXPECT_EQ(attributed(two, "", "example.org"), "example.org");
    EXPECT_EQ(attributed(make_report("no\tdomain"), "", ""), ""); // the body may hold anything
    // one rua for several domains, by CNAME: the token is of one of them
    EXPECT_EQ(attributed(make_report(), "", "token.example"), "example.com");
    EXPECT_EQ(attributed(make_report(),
                         "b\xc3\xbc"
                         "cher.example",
                         ""),
              "xn--bcher-kva.example");
}

TEST(examine, a_genuine_report_that_is_sent_on_does_not_speak_of_another_domain) {
    PROVES("8460-5.3-g", "8460-5.6-a");
    const auto about = [](const std::string& mail) {
        const auto found = only(look(mail));
        EXPECT_EQ(found.trust, trust::verified) << found.trust_reason; // it is the reporter's all the same
        return found.report_domain;
    };
    auto dane = make_report("mx.example.net");
    dane.policies[0].type = "tlsa";
    const std::string on_top = "TLS-Report-Domain: victim.example\r\n";
    const auto genuine = loosely_signed_by(report_mail(make_report()), "reporter.example");
    EXPECT_EQ(about(on_top + genuine), "example.com") << "h= counts from below: the signature still fits";
    EXPECT_EQ(about(genuine), "example.com");

    // Microsoft does not sign the fields: there may even be one only, and be changed.
    const auto unsigned_fields = [](const tlsrpt::report& report, const std::string& header) {
        mail_wish plain;
        plain.domain = plain.submitter = "";
        return "TLS-Report-Domain: " + header + "\r\n" +
               loosely_signed_by(report_mail(report, plain), "reporter.example");
    };
    EXPECT_EQ(about(unsigned_fields(make_report(), "victim.example")), "example.com");
    EXPECT_EQ(about(unsigned_fields(make_report(), "Example.com.")), "example.com");
    EXPECT_EQ(about(unsigned_fields(dane, "example.com")), "example.com") << "its body names the MX host";
}

TEST(examine, a_signed_letter_is_made_no_report_by_a_new_content_type) {
    // What a notification lets anybody write into its text, and its domain signs.
    const auto report = report_mail(make_report());
    const auto inside = report.substr(report.find("\r\n\r\n") + 4);
    const std::string letter =
        "From: notices@reporter.example\r\nTo: mallory@example.net\r\n"
        "Subject: A document was shared with you\r\n"
        "Date: Mon, 04 May 2026 06:00:00 +0000\r\nMessage-ID: <2@reporter.example>\r\n";
    const std::string dressed = "TLS-Report-Domain: example.com\r\nTLS-Report-Submitter: reporter.example\r\n"
                                "Content-Type: multipart/report; report-type=tlsrpt; boundary=\"cut\"\r\n";
    const auto forged = only(look(dressed + loosely_signed_by(letter + "\r\n" + inside, "reporter.example")));
    EXPECT_EQ(forged.dkim.result, mail::dkim_result::pass) << "the signature itself is right";
    EXPECT_EQ(forged.trust, trust::rejected);
    EXPECT_NE(forged.trust_reason.find("neither Content-Type nor the TLS-Report fields"), std::string::npos);

    // Google signs the fields and no Content-Type, Microsoft the other way round: each is enough.
    const std::string fields = "TLS-Report-Domain: example.com\r\nTLS-Report-Submitter: reporter.example\r\n";
    const std::string type = "Content-Type: multipart/report; report-type=tlsrpt; boundary=\"cut\"\r\n";
    const auto google = type + loosely_signed_by(letter + fields + "\r\n" + inside, "reporter.example");
    EXPECT_EQ(only(look(google)).trust, trust::verified) << only(look(google)).trust_reason;
    EXPECT_EQ(only(look("TLS-Report-Domain: victim.example\r\n" + google)).trust, trust::verified);
    const auto microsoft = loosely_signed_by(letter + type + "\r\n" + inside, "reporter.example");
    EXPECT_EQ(only(look(microsoft)).trust, trust::verified) << only(look(microsoft)).trust_reason;
}

TEST(examine, what_is_no_mail_is_judged_by_its_way) {
    const auto report = make_report();
    auto how = came(way_in::https);
    how.domain_of_token = "example.com";
    for (const auto& body : {json_of(report), gzip_of(report), base::gzip(gzip_of(report))}) {
        const auto posted = only(look(body, how));
        EXPECT_EQ(posted.trust, trust::authorised);
        EXPECT_FALSE(posted.dkim.mail);
        EXPECT_EQ(posted.submitter, "reporter.example");
    }
    EXPECT_THAT(look(report_mail(report), how).reports, IsEmpty()); // the site takes no mail
    EXPECT_EQ(only(look(json_of(report), came(way_in::file))).trust, trust::unverified);
    auto imported = came(way_in::file);
    imported.by_administrator = true;
    EXPECT_EQ(only(look(gzip_of(report), imported)).trust, trust::authorised);
    EXPECT_EQ(only(look(gzip_of(report), imported)).format, "gzip");
    EXPECT_EQ(only(look(report_mail(report), imported)).trust, trust::rejected);
    const auto with_postmark =
        "From someone Mon May  4 06:00:00 2026\r\n" + signed_by(report_mail(report), "reporter.example");
    EXPECT_EQ(only(look(with_postmark, imported)).trust, trust::verified);
}

TEST(examine, what_is_no_report_is_told_with_its_reason) {
    mail_wish letter;
    letter.parts = {text_part("Hello, may I ask something?")};
    letter.type = "multipart/mixed; boundary=cut";
    const auto asked = look(make_mail(letter));
    EXPECT_THAT(asked.reports, IsEmpty());
    ASSERT_THAT(asked.errors, SizeIs(1));
    EXPECT_EQ(asked.errors[0].code, "not-a-report");

    mail_wish broken;
    broken.parts = {gzip_part(make_report("example.com", "good")),
                    {"Content-Type: application/tlsrpt+gzip; name=bad.json.gz\r\n", "not gzip at all\r\n"}};
    const auto partly = look(make_mail(broken));
    EXPECT_THAT(partly.reports, SizeIs(1));
    ASSERT_THAT(partly.errors, SizeIs(1));
    EXPECT_EQ(partly.errors[0].where, "bad.json.gz");

    EXPECT_THAT(look("", came(way_in::file)).errors, SizeIs(1));
    EXPECT_THAT(look("", came()).errors, SizeIs(1));
    EXPECT_EQ(look("<html>", came(way_in::file)).errors.at(0).code, "not-json");
}

TEST(examine, what_one_mail_may_cost_is_bounded) {
    PROVES("8460-7-a");
    mail_wish flood;
    flood.type = "multipart/mixed; boundary=cut";
    for (int i = 0; i < 900; ++i)
        flood.parts.push_back({"Content-Type: application/tlsrpt+gzip\r\n", "no\r\n"});
    const auto found = look(make_mail(flood));
    EXPECT_THAT(found.reports, IsEmpty());
    EXPECT_LE(found.errors.size(), 20U);
    EXPECT_EQ(found.errors.back().code, "too-large");
}

TEST(examine, keys_are_needed_for_mails_alone) {
    const auto mail = signed_by(report_mail(make_report()), "reporter.example");
    EXPECT_THAT(examiner::keys_needed(mail, way_in::lmtp), ElementsAre(key_name("reporter.example")));
    EXPECT_THAT(examiner::keys_needed(mail), ElementsAre(key_name("reporter.example")));
    EXPECT_THAT(examiner::keys_needed("From x Mon May  4 06:00:00 2026\n" + mail), SizeIs(1));
    EXPECT_THAT(examiner::keys_needed(gzip_of(make_report())), IsEmpty());
    EXPECT_THAT(examiner::keys_needed(mail, way_in::https), IsEmpty());
}

TEST(examine, a_test_report_carries_its_token) {
    const auto& found =
        only(look(gzip_of(make_report("example.com", test_report_id("abcdefgh1234", "x.example"))),
                  came(way_in::file)));
    EXPECT_EQ(found.test_token, "abcdefgh1234");
}

TEST(key_file, gives_what_it_holds) {
    const auto keys = key_file::parse("# of 2022\n\ns1._domainkey.Reporter.Example  v=DKIM1; p=AAAA\r\n"
                                      "s1._domainkey.other.example \"v=DKIM1; p=BBBB\"\n");
    ASSERT_TRUE(keys) << keys.error();
    EXPECT_THAT(keys->find("S1._domainkey.reporter.example.").texts, ElementsAre("v=DKIM1; p=AAAA"));
    EXPECT_THAT(keys->find("s1._domainkey.other.example").texts, ElementsAre("v=DKIM1; p=BBBB"));
    EXPECT_EQ(keys->find("s2._domainkey.other.example").what, mail::dkim_key_answer::status::unavailable);
    for (const char* bad :
         {"reporter.example v=DKIM1", "s1._domainkey.reporter.example", "s1._domainkey.. x"})
        EXPECT_FALSE(key_file::parse(bad)) << bad;
}

} // namespace
} // namespace mailtight::intake
