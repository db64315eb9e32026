// SPDX-License-Identifier: Apache-2.0
#include "mail/dkim.h"
#include "mail/dkim_tags.h"
#include "support/dkim.h"
#include "support/proves.h"

#include <gtest/gtest.h>

using namespace mailtight;
using namespace mailtight::mail;

namespace {

const base::utc_seconds now{std::chrono::seconds(1'795'000'000)};
const std::string report = "From: <noreply@example.com>\r\n"
                           "To: <reports@example.net>\r\n"
                           "Subject: Report Domain: example.net\r\n Submitter: example.com\r\n"
                           "Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n"
                           "Message-ID: <1@example.com>\r\n"
                           "MIME-Version: 1.0\r\n"
                           "TLS-Report-Domain: example.net\r\n"
                           "TLS-Report-Submitter: example.com\r\n"
                           "TLS-Required: No\r\n"
                           "X-Other: 1\r\n"
                           "Content-Type: text/plain\r\n"
                           "\r\n"
                           "This is a report.\r\n";

dkim_signer signer(const std::string& pem = tests::rsa_pem()) {
    return dkim_signer::make("Example.com", "S1", pem).value();
}
dkim_tags tags_of(const std::string& field) {
    return dkim_tags::read(std::string_view(field).substr(field.find(':') + 1)).value();
}
dkim_result verified(const std::string& message, const dkim_signer& by) {
    dkim_key_cache cache;
    return verify_dkim(message, tests::fixed_keys("s1._domainkey.example.com", by.key_record()), now, cache,
                       {.strict_service = true})
        .signatures.at(0)
        .result;
}

TEST(DkimSign, TheField) {
    PROVES("8460-3-l", "8460-3-j", "8460-5.3-g", "6376-3.5-h");
    const auto field = signer().sign(report, now);
    EXPECT_TRUE(field.starts_with("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\t")) << field;
    EXPECT_TRUE(field.ends_with("\r\n"));
    const auto tags = tags_of(field);
    EXPECT_EQ(tags.value("d"), "example.com");
    EXPECT_EQ(tags.value("s"), "s1");
    EXPECT_EQ(tags.value("t"), "1795000000");
    EXPECT_EQ(tags.find("l"), nullptr); // 8460-3-l
    EXPECT_EQ(tags.find("x"), nullptr);
    std::string fields;
    for (const auto name : colon_list(tags.value("h")))
        fields += std::string(name) + " ";
    EXPECT_EQ(fields, "From From To To Subject Subject Date Date Message-ID Message-ID "
                      "MIME-Version MIME-Version Content-Type Content-Type "
                      "TLS-Report-Domain TLS-Report-Domain TLS-Report-Submitter TLS-Report-Submitter "
                      "TLS-Required ");
    for (std::size_t at = 0; at < field.size();) {
        const auto end = field.find("\r\n", at);
        EXPECT_LE(end - at, 78U) << field;
        at = end + 2;
    }
}

TEST(DkimSign, Verifies) {
    PROVES("8463", "8301-3");
    for (const auto& pem : {tests::rsa_pem(), tests::ed25519_pem()}) {
        const auto by = signer(pem);
        const auto message = by.sign(report, now) + report;
        EXPECT_EQ(verified(message, by), dkim_result::pass);
        EXPECT_EQ(verified("From: <other@example.org>\r\n" + message, by), dkim_result::fail)
            << "From is named twice, so none can be added";
        EXPECT_EQ(verified(message + "x", by), dkim_result::fail);
        EXPECT_EQ(verified("X-Other: 2\r\n" + message, by), dkim_result::pass);
    }
    EXPECT_EQ(signer(tests::rsa_pem()).algorithm(), dkim_algorithm::rsa_sha256);
    EXPECT_EQ(signer(tests::ed25519_pem()).algorithm(), dkim_algorithm::ed25519_sha256);
}

// RFC 6376 §8.15: who sends a report of ours on can put nothing on top, nor at the end, that readers would
// take for what we signed, whether the field was there or not.
TEST(DkimSign, NoFieldThatIsReadCanBeAdded) {
    const std::string bare = "From: <noreply@example.com>\r\n\r\nThis is a report.\r\n";
    const auto by = signer();
    for (const auto& message : {report, bare}) {
        const auto sent = by.sign(message, now) + message;
        ASSERT_EQ(verified(sent, by), dkim_result::pass);
        for (const std::string added :
             {"From: <other@example.org>", "To: <other@example.org>", "Subject: Report Domain: other.example",
              "Date: Sat, 21 Nov 2026 10:00:00 +0000", "Message-ID: <2@example.org>", "MIME-Version: 1.0",
              "Content-Type: text/html", "TLS-Report-Domain: other.example",
              "TLS-Report-Submitter: other.example", "tls-report-submitter: other.example"}) {
            EXPECT_EQ(verified(added + "\r\n" + sent, by), dkim_result::fail) << "on top: " << added;
            auto below = sent;
            below.insert(below.find("\r\n\r\n") + 2, added + "\r\n");
            EXPECT_EQ(verified(below, by), dkim_result::fail) << "below: " << added;
        }
        for (const std::string harmless :
             {"Received: from a by b", "Cc: <other@example.org>", "List-Id: <a.b>"})
            EXPECT_EQ(verified(harmless + "\r\n" + sent, by), dkim_result::pass) << harmless;
    }
}

TEST(DkimSign, TwoSignaturesSideBySide) {
    const auto rsa = signer(tests::rsa_pem());
    const auto ed25519 = dkim_signer::make("example.com", "s2", tests::ed25519_pem()).value();
    const auto message = ed25519.sign(report, now) + rsa.sign(report, now) + report;
    tests::fixed_keys keys("s1._domainkey.example.com", rsa.key_record());
    keys.add("s2._domainkey.example.com", ed25519.key_record());
    dkim_key_cache cache;
    for (const auto& signature : verify_dkim(message, keys, now, cache).signatures) {
        EXPECT_EQ(signature.result, dkim_result::pass) << signature.reason;
        EXPECT_TRUE(signature.covers_report_headers);
    }
}

// Both algorithms give the same signature of the same bytes.
TEST(DkimSign, AllKeysAtOnceAsEachByItself) {
    std::vector<dkim_signer> keys;
    keys.push_back(std::move(*dkim_signer::make("example.com", "rsa", tests::rsa_pem())));
    keys.push_back(std::move(*dkim_signer::make("example.com", "ed", tests::ed25519_pem())));
    const auto fields = sign_dkim(report, keys, now);
    EXPECT_EQ(fields, keys[0].sign(report, now) + keys[1].sign(report, now));
    EXPECT_EQ(sign_dkim(report, {}, now), "");
}

TEST(DkimSign, TheRecordToPublish) {
    PROVES("8460-3-m");
    const auto rsa = signer().key_record();
    EXPECT_TRUE(rsa.starts_with("v=DKIM1; k=rsa; s=email:tlsrpt; p=MII")) << rsa;
    const auto ed25519 = signer(tests::ed25519_pem()).key_record();
    EXPECT_EQ(ed25519, "v=DKIM1; k=ed25519; s=email:tlsrpt; p=" + tests::key_base64(tests::ed25519_pem()));
}

TEST(DkimSign, MakeRefuses) {
    PROVES("8301-3");
    struct row {
        std::string domain, selector, pem, part_of_reason;
    };
    for (const auto& [domain, selector, pem, part] : {
             row{"", "s1", tests::rsa_pem(), "domain"},
             row{"exam ple.com", "s1", tests::rsa_pem(), "domain"},
             row{"example.com", "", tests::rsa_pem(), "selector"},
             row{"example.com", "a;b", tests::rsa_pem(), "selector"},
             row{"example.com", "s1", "", "no key"},
             row{"example.com", "s1", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                 "PEM"},
             row{"example.com", "s1", tests::make_key_pem("P-256"), "neither"},
             row{"example.com", "s1", tests::rsa_pem(1016), "1016 bits"},
             row{"example.com", "s1", tests::rsa_pem(4104), "4104 bits"},
         }) {
        const auto made = dkim_signer::make(domain, selector, pem);
        ASSERT_FALSE(made.has_value()) << part;
        EXPECT_NE(made.error().find(part), std::string::npos) << made.error();
    }
}

} // namespace
