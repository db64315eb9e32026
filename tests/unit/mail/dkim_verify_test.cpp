// SPDX-License-Identifier: Apache-2.0
// What makes a signature count or not: its tags, its key's record, the fields it covers, its dates.
#include "base/text.h"
#include "mail/dkim.h"
#include "support/dkim.h"
#include "support/proves.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace mailtight;
using namespace mailtight::mail;

namespace {

const base::utc_seconds now{std::chrono::seconds(1'795'000'000)};
const std::string key_name = "s1._domainkey.example.com";
const std::string report =
    "From: <noreply@example.com>\r\n"
    "To: <reports@example.net>\r\n"
    "Subject: Report Domain: example.net Submitter: example.com Report-ID: <1@example.com>\r\n"
    "TLS-Report-Domain: example.net\r\n"
    "TLS-Report-Submitter: example.com\r\n"
    "\r\n"
    "This is a report.\r\n";

// A signed report whose field holds `tags` beside b=; h= must name From and Subject, if anything.
std::string signed_with(const std::string& tags, const std::string& pem = tests::rsa_pem(),
                        const std::vector<std::string>& fields = {"From", "Subject"}) {
    return tests::sign_by_hand(report, "DKIM-Signature: " + tags + "; b={b}", pem, fields,
                               dkim_canon::relaxed, dkim_canon::relaxed);
}
std::vector<std::string> colon_words(const std::string& list) {
    std::vector<std::string> out;
    for (const auto word : base::split(list, ':'))
        out.emplace_back(word);
    return out;
}
const std::string usual =
    "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1; h=From:Subject; bh={bh}";

std::string rsa_record(const std::string& tags = "v=DKIM1; k=rsa;") {
    return tags + " p=" + tests::key_base64(tests::rsa_pem());
}
dkim_signature_verdict judge(const std::string& message, const dkim_keys& keys,
                             const dkim_options& options = {}) {
    dkim_key_cache cache;
    const auto verdict = verify_dkim(message, keys, now, cache, options);
    EXPECT_EQ(verdict.signatures.size(), 1U) << message;
    return verdict.signatures.empty() ? dkim_signature_verdict{} : verdict.signatures.front();
}
dkim_signature_verdict judge(const std::string& message, const std::string& record = rsa_record()) {
    return judge(message, tests::fixed_keys(key_name, record));
}

TEST(DkimSignature, Good) {
    struct row {
        std::string tags, why;
    };
    for (const auto& [tags, why] : {
             row{usual, "the usual"},
             row{usual + "; i=@example.com", "i= is the domain"},
             row{usual + "; i=robot@mail.example.com", "i= is below the domain"},
             row{usual + "; q=dns/txt", "the only way to ask"},
             row{usual + "; q=carrier/pigeon:dns/txt", "one of the ways is known"},
             row{usual + "; t=1794999999; x=1795000001", "dates that hold"},
             row{usual + "; t=1795000200", "in the future within the clocks' slack"},
             row{usual + "; x=1794999900", "expired within the clocks' slack"},
             row{usual + "; z=From:=20|To; n=1; later=2", "unknown tags have no effect"},
             row{"a=RSA-SHA256; v=1;  c=Relaxed/Relaxed;d=EXAMPLE.com ; s = S1;h= from : SUBJECT ; bh={bh}",
                 "another order, case and blanks"},
             row{"v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1; "
                 "h=From:Subject:From:Subject:X-None; "
                 "bh={bh}",
                 "fields named more often than they are there"},
         }) {
        const auto verdict = judge(signed_with(tags));
        EXPECT_EQ(verdict.result, dkim_result::pass) << why << ": " << verdict.reason;
        EXPECT_EQ(verdict.domain, "example.com");
        EXPECT_EQ(verdict.selector, "s1");
        EXPECT_EQ(verdict.reason, "");
    }
}

TEST(DkimSignature, Bad) {
    PROVES("8301-3");
    struct row {
        std::string tags, part_of_reason;
        dkim_result result = dkim_result::permerror;
    };
    const std::string rest = " c=relaxed/relaxed; h=From:Subject; bh={bh}";
    for (const auto& [tags, part, result] : {
             row{"v=2; a=rsa-sha256; d=example.com; s=s1;" + rest, "version"},
             row{"a=rsa-sha256; d=example.com; s=s1;" + rest, "version"},
             row{"v=1; d=example.com; s=s1;" + rest, "a= is missing"},
             row{"v=1; a=rsa-sha256; s=s1;" + rest, "d= is no domain"},
             row{"v=1; a=rsa-sha256; d=exam ple.com; s=s1;" + rest, "d= is no domain"},
             row{"v=1; a=rsa-sha256; d=example.com;" + rest, "s= is no selector"},
             row{"v=1; a=rsa-sha256; d=example.com; s=a/b;" + rest, "s= is no selector"},
             row{"v=1; a=rsa-sha256; d=example.com; s=s1; h=From; c=relaxed/relaxed", "bh= is missing"},
             row{"v=1; a=rsa-sha256; d=example.com; s=s1; c=relaxed/relaxed; bh={bh}", "h= is missing"},
             row{"v=1; a=rsa-sha256; d=example.com; s=s1; h=From; bh=AAAA; c=relaxed/relaxed", "no SHA-256"},
             row{"v=1; a=rsa-sha256; d=example.com; s=s1; h=From; bh=!; c=relaxed/relaxed", "no SHA-256"},
             row{"v=1; a=rsa-sha1; d=example.com; s=s1;" + rest, "rsa-sha1"}, // 8301-3
             row{"v=1; a=dsa-sha256; d=example.com; s=s1;" + rest, "unknown"},
             row{"v=1; a=rsa-sha256; d=example.com; s=s1; c=strict; h=From; bh={bh}", "canonicalisation"},
             row{"v=1; a=rsa-sha256; d=example.com; s=s1; c=relaxed/; h=From; bh={bh}", "canonicalisation"},
             row{usual + "; i=@example.org", "outside"},
             row{usual + "; i=@notexample.com", "outside"},
             row{usual + "; q=http", "another way"},
             row{usual + "; t=yesterday", "no time"},
             row{usual + "; x=-1", "no time"},
             row{usual + "; t=1795000000; x=1795000000", "before it was made"},
             row{usual + "; d=example.com", "each once"},
             row{usual + "; ;", "malformed"},
             row{usual + "; noequals", "malformed"},
             row{usual + "; t=1795000301", "in the future"},
             row{usual + "; x=1794999600", "valid until 2026-11-18T", dkim_result::expired},
             row{usual + "; l=3", "l=", dkim_result::neutral},
         }) {
        const auto verdict = judge(signed_with(tags));
        EXPECT_EQ(verdict.result, result) << tags << ": " << verdict.reason;
        EXPECT_NE(verdict.reason.find(part), std::string::npos) << tags << ": " << verdict.reason;
    }
}

TEST(DkimSignature, NoneAtAll) {
    dkim_key_cache cache;
    EXPECT_TRUE(verify_dkim(report, tests::fixed_keys(), now, cache).signatures.empty());
    EXPECT_TRUE(verify_dkim("", tests::fixed_keys(), now, cache).signatures.empty());
}

TEST(DkimSignature, PartOfTheBodyIsNotEnough) {
    PROVES("8460-3-l");
    const auto verdict = judge(signed_with(usual + "; l=19"));
    EXPECT_EQ(verdict.result, dkim_result::neutral);
    EXPECT_TRUE(verdict.uses_length);
    EXPECT_TRUE(dkim_key_names(signed_with(usual + "; l=19")).empty()) << "no key is worth looking up";
    EXPECT_FALSE(judge(signed_with(usual)).uses_length);
}

TEST(DkimSignature, FromMustBeSigned) {
    PROVES("6376-3.5-h");
    const auto verdict =
        judge(signed_with("v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1; h=Subject; bh={bh}",
                          tests::rsa_pem(), {"Subject"}));
    EXPECT_EQ(verdict.result, dkim_result::neutral);
    EXPECT_NE(verdict.reason.find("From"), std::string::npos);
    // A second From, put on top by someone else: the signature holds, but not for what readers see.
    const auto twice = judge("From: <ceo@example.org>\r\n" + signed_with(usual));
    EXPECT_EQ(twice.result, dkim_result::neutral);
    EXPECT_NE(twice.reason.find("more From"), std::string::npos);
}

// Whoever replays a signed report may add fields on top; not those that decide how its body is read.
TEST(DkimSignature, AddedContentTypeCountsAsUnsigned) {
    const auto twice = [](const std::string& name, const std::string& h) {
        const std::string field = name + ": one\r\n";
        const auto message = tests::sign_by_hand(
            field + report,
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1; bh={bh}; h=" + h +
                "; b={b}",
            tests::rsa_pem(), colon_words(h), dkim_canon::relaxed, dkim_canon::relaxed);
        EXPECT_EQ(judge(message).result, dkim_result::pass) << name << " " << h;
        return judge(name + ": two\r\n" + message);
    };
    for (const auto* name : {"Content-Type", "Content-Transfer-Encoding"}) {
        const auto verdict = twice(name, std::string("From:") + name);
        EXPECT_EQ(verdict.result, dkim_result::neutral);
        EXPECT_NE(verdict.reason.find(name), std::string::npos) << verdict.reason;
        EXPECT_EQ(twice(name, "From").result, dkim_result::neutral);
    }
    EXPECT_EQ(twice("X-Other", "From:X-Other").result, dkim_result::pass);
}

TEST(DkimSignature, AFieldNamedTooOftenForbidsAnother) {
    const auto message = signed_with(
        "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1; h=From:Subject:Subject; bh={bh}");
    EXPECT_EQ(judge(message).result, dkim_result::pass);
    EXPECT_EQ(judge("Subject: another\r\n" + message).result, dkim_result::fail);
    // Named once, the lowest counts, and one on top changes nothing.
    EXPECT_EQ(judge("Subject: another\r\n" + signed_with(usual)).result, dkim_result::pass);
}

TEST(DkimSignature, CoversTheReportHeaders) {
    const std::vector<std::string> fields{"From", "TLS-Report-Domain", "TLS-Report-Submitter"};
    const std::string tags = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1; bh={bh}; "
                             "h=from:tls-report-domain:tls-report-submitter";
    const auto message = signed_with(tags, tests::rsa_pem(), fields);
    EXPECT_TRUE(judge(message).covers_report_headers);
    EXPECT_FALSE(judge(signed_with(usual)).covers_report_headers);
    const auto twice = judge("TLS-Report-Domain: example.org\r\n" + message);
    EXPECT_EQ(twice.result, dkim_result::pass);
    EXPECT_FALSE(twice.covers_report_headers) << "the one on top is not signed";
}

TEST(DkimSignature, OnlySoManyAreLookedAt) {
    std::string message = signed_with(usual);
    const auto one = message.substr(0, message.find("From: <"));
    for (int i = 0; i < 30; ++i)
        message = one + message;
    dkim_key_cache cache;
    EXPECT_EQ(verify_dkim(message, tests::fixed_keys(key_name, rsa_record()), now, cache).signatures.size(),
              10U);
    EXPECT_EQ(dkim_key_names(message).size(), 1U) << "each name once";
    EXPECT_EQ(verify_dkim(message, tests::fixed_keys(), now, cache, {.signatures_max = 3}).signatures.size(),
              3U);
}

TEST(DkimSignature, AHeaderBeyondMeasureIsNotHashed) {
    std::string fields;
    for (int i = 0; fields.size() < 1'100'000; ++i)
        fields += fmt::format("X-{}: {}\r\n", i, i);
    const auto message = signed_with(usual);
    EXPECT_EQ(judge(fields.substr(0, fields.find("\r\n", 500'000) + 2) + message).result, dkim_result::pass);
    const auto verdict = judge(fields + message);
    EXPECT_EQ(verdict.result, dkim_result::permerror);
    EXPECT_NE(verdict.reason.find("1 MiB"), std::string::npos);
    EXPECT_TRUE(dkim_key_names(fields + message).empty());
}

// A body or a signature that is wrong is wrong, whatever else is the matter.
TEST(DkimSignature, AForgeryIsNeverMerelyExpired) {
    const auto old = signed_with(usual + "; x=1700000000");
    EXPECT_EQ(judge(old).result, dkim_result::expired);
    EXPECT_EQ(judge(old + "added\r\n").result, dkim_result::fail);
    EXPECT_EQ(judge(old, tests::fixed_keys()).result, dkim_result::expired) << "the key is gone as well";
    auto other = old;
    other.replace(other.find("Submitter: example.com"), 22, "Submitter: example.org");
    EXPECT_EQ(judge(other).result, dkim_result::fail);
}

TEST(DkimKey, Missing) {
    const auto message = signed_with(usual);
    EXPECT_EQ(judge(message, tests::fixed_keys()).result, dkim_result::permerror);
    tests::fixed_keys silent;
    silent.set(key_name, dkim_key_answer::status::unavailable);
    EXPECT_EQ(judge(message, silent).result, dkim_result::temperror);
    // Without a key the body still speaks.
    const auto changed = judge(message + "-- \r\nThis mail was scanned.\r\n", silent);
    EXPECT_EQ(changed.result, dkim_result::fail);
    EXPECT_NE(changed.reason.find("body was changed"), std::string::npos);
}

TEST(DkimKey, Records) {
    PROVES("8301-3", "6376-3.6.1-p", "6376-3.6.1-t", "6376-3.6.1-s");
    const auto p = " p=" + tests::key_base64(tests::rsa_pem());
    const auto spki = base::private_key::from_pem(tests::rsa_pem()).value().public_part();
    const auto bare = base::base64(std::string_view(spki).substr(24)); // the RSAPublicKey inside
    auto folded = tests::key_base64(tests::rsa_pem());
    folded.insert(100, " \t ");
    struct row {
        std::string record;
        dkim_result result;
        std::string part_of_reason;
    };
    for (const auto& [record, result, part] : {
             row{"v=DKIM1; k=rsa;" + p, dkim_result::pass, ""},
             row{"k=rsa;" + p, dkim_result::pass, ""},
             row{p, dkim_result::pass, ""},
             row{"v=DKIM1;" + p + ";", dkim_result::pass, ""},
             row{"v=DKIM1; p=" + bare, dkim_result::pass, ""},
             row{"v=DKIM1; p=" + folded, dkim_result::pass, ""},
             row{"v=DKIM1; n=a note; g=*; unknown=1;" + p, dkim_result::pass, ""},
             row{"v=DKIM1; h=sha1:sha256;" + p, dkim_result::pass, ""},
             row{"v=DKIM1; t=s;" + p, dkim_result::pass, ""},
             row{"v=DKIM1; h=sha1;" + p, dkim_result::permerror, "forbids SHA-256"},
             row{"k=rsa; v=DKIM1;" + p, dkim_result::permerror, "must come first"},
             row{"v=DKIM2;" + p, dkim_result::permerror, "must come first"},
             row{"v=DKIM1; k=rsa", dkim_result::permerror, "p= is missing"},
             row{"v=DKIM1; k=rsa; p=", dkim_result::permerror, "revoked"},   // 6376-3.6.1-p
             row{"v=DKIM1; k=rsa; p= ;", dkim_result::permerror, "revoked"}, // 6376-3.6.1-p
             row{"v=DKIM1; p=*", dkim_result::permerror, "no base64"},
             row{"v=DKIM1; p=AAAA", dkim_result::permerror, "no RSA public key"},
             row{"v=DKIM1; k=dsa;" + p, dkim_result::permerror, "unknown"},
             row{"v=DKIM1; k=ed25519; p=" + tests::key_base64(tests::ed25519_pem()), dkim_result::permerror,
                 "another kind"},
             row{"v=DKIM1; k=ed25519;" + p, dkim_result::permerror, "32 bytes"},
             row{"google-site-verification=x", dkim_result::permerror, "no DKIM key"},
             row{"some words", dkim_result::permerror, "no DKIM key"},
             row{"v=DKIM1; t=y;" + p, dkim_result::neutral, "only tests"},   // 6376-3.6.1-t
             row{"v=DKIM1; t=s:y;" + p, dkim_result::neutral, "only tests"}, // 6376-3.6.1-t
             row{"v=DKIM1; s=*;" + p, dkim_result::pass, ""},                // 6376-3.6.1-s
             row{"v=DKIM1; s=email;" + p, dkim_result::pass, ""},
             row{"v=DKIM1; s=tlsrpt;" + p, dkim_result::pass, ""},
             row{"v=DKIM1; s=email:tlsrpt;" + p, dkim_result::pass, ""},
             row{"v=DKIM1; s=voip;" + p, dkim_result::neutral, "another service"}, // 6376-3.6.1-s
             row{"v=DKIM1; p=" + tests::key_base64(tests::ed25519_pem()), dkim_result::permerror,
                 "no RSA public key"},
         }) {
        const auto verdict = judge(signed_with(usual), record);
        EXPECT_EQ(verdict.result, result) << record << ": " << verdict.reason;
        EXPECT_NE(verdict.reason.find(part), std::string::npos) << record << ": " << verdict.reason;
    }
}

TEST(DkimKey, SizesOfRsa) {
    PROVES("8301-3");
    struct row {
        int bits;
        dkim_result result;
    };
    for (const auto& [bits, result] :
         {row{1024, dkim_result::pass}, row{4096, dkim_result::pass}, row{1016, dkim_result::permerror},
          row{4104, dkim_result::permerror}}) {
        const auto pem = tests::rsa_pem(bits);
        const auto verdict = judge(signed_with(usual, pem), "v=DKIM1; p=" + tests::key_base64(pem));
        EXPECT_EQ(verdict.result, result) << bits << ": " << verdict.reason;
        EXPECT_EQ(verdict.reason.find("bits") != std::string::npos, result != dkim_result::pass);
    }
}

TEST(DkimKey, ServiceTypeCanBeDemanded) {
    PROVES("8460-3-n");
    const dkim_options strict{.strict_service = true};
    const auto message = signed_with(usual);
    for (const auto& [services, lax, hard] : {
             std::tuple{"", dkim_result::pass, dkim_result::pass},
             {"s=*;", dkim_result::pass, dkim_result::pass},
             {"s=tlsrpt;", dkim_result::pass, dkim_result::pass},
             {"s=email : TLSRPT;", dkim_result::pass, dkim_result::pass},
             {"s=email;", dkim_result::pass, dkim_result::neutral},
             {"s=voip;", dkim_result::neutral, dkim_result::neutral},
         }) {
        const tests::fixed_keys keys(key_name, rsa_record(std::string("v=DKIM1; ") + services));
        EXPECT_EQ(judge(message, keys).result, lax) << services;
        EXPECT_EQ(judge(message, keys, strict).result, hard) << services;
    }
}

TEST(DkimKey, ExactIdentity) {
    const auto below = signed_with(usual + "; i=@mail.example.com");
    EXPECT_EQ(judge(below, rsa_record("v=DKIM1;")).result, dkim_result::pass);
    EXPECT_EQ(judge(below, rsa_record("v=DKIM1; t=s;")).result, dkim_result::permerror);
}

TEST(DkimKey, SeveralTextsAtOneName) {
    const auto message = signed_with(usual);
    const auto other = "v=DKIM1; p=" + tests::key_base64(tests::rsa_pem(1024));
    const auto judge_texts = [&](const std::vector<std::string>& texts) {
        tests::fixed_keys keys;
        for (const auto& text : texts)
            keys.add(key_name, text);
        return judge(message, keys).result;
    };
    EXPECT_EQ(judge_texts({"v=spf1 -all", rsa_record()}), dkim_result::pass) << "a text that is no key";
    EXPECT_EQ(judge_texts({other, rsa_record()}), dkim_result::pass) << "any of the keys";
    EXPECT_EQ(judge_texts({other, "v=spf1 -all"}), dkim_result::fail);
    EXPECT_EQ(judge_texts({"v=spf1 -all", "x"}), dkim_result::permerror);
    EXPECT_EQ(judge_texts({other, other, other, other, rsa_record()}), dkim_result::fail)
        << "four are looked at";
}

TEST(DkimKey, CacheOfOneEntryServesTwoKeys) {
    const auto pem = tests::rsa_pem(1024);
    tests::fixed_keys keys(key_name, rsa_record());
    keys.add("s2._domainkey.example.com", "v=DKIM1; p=" + tests::key_base64(pem));
    const auto first = signed_with(usual);
    const auto second = signed_with(
        "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s2; h=From:Subject; bh={bh}", pem);
    dkim_key_cache cache(1);
    for (int i = 0; i < 3; ++i)
        for (const auto& message : {first, second})
            EXPECT_EQ(verify_dkim(message, keys, now, cache).signatures.at(0).result, dkim_result::pass);
}

TEST(DkimAligned, ByOrganisationalDomain) { // A37
    struct row {
        std::string_view signing, reporter;
        bool aligned;
    };
    for (const auto& [signing, reporter, aligned] : {
             row{"example.com", "example.com", true},
             row{"EXAMPLE.com", "example.COM.", true},
             row{"corp.mail.ru", "mail.ru", true},
             row{"mail.ru", "corp.mail.ru", true},
             row{"a.example.co.uk", "b.example.co.uk", true},
             row{"xn--bcher-kva.example",
                 "b\xc3\xbc"
                 "cher.example",
                 true},
             row{"example.com", "example.org", false},
             row{"notexample.com", "example.com", false},
             row{"example.com.evil.net", "example.com", false},
             row{"one.co.uk", "two.co.uk", false},
             row{"co.uk", "example.co.uk", false},
             row{"com", "example.com", false},
             row{"", "", false},
             row{"example.com", "", false},
             row{"", "example.com", false},
         })
        EXPECT_EQ(dkim_aligned(signing, reporter), aligned) << signing << " " << reporter;
}

} // namespace
