// SPDX-License-Identifier: Apache-2.0
#include "base/crypto/certificate.h"

#include "base/encode.h"
#include "base/limits.h"
#include "support/certificates.h"
#include "support/proves.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

using namespace mailtight;
using namespace mailtight::base;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

utc_seconds on(int y, unsigned m, unsigned d) {
    return std::chrono::sys_days{std::chrono::year{y} / static_cast<int>(m) / static_cast<int>(d)};
}

TEST(Certificate, SaysWhatIsInIt) {
    const auto root = tests::make_root("Good Root", "Good Authority");
    const auto leaf = tests::issue({.common_name = "mx1.example.com",
                                    .organization = "Example, Inc.",
                                    .dns_names = {"mx1.example.com", "*.Example.COM"},
                                    .ip_addresses = {"192.0.2.1", "2001:db8::1"},
                                    .not_before = on(2026, 1, 2) + 3h + 4min + 5s,
                                    .not_after = on(2026, 4, 2),
                                    .ca_issuers_url = "http://ca.example/root.der"},
                                   &root);
    const auto cert = parse_certificate(leaf.der());
    ASSERT_TRUE(cert) << cert.error();
    EXPECT_THAT(cert->dns_names, ElementsAre("mx1.example.com", "*.Example.COM"));
    EXPECT_THAT(cert->ip_addresses, ElementsAre("192.0.2.1", "2001:db8::1"));
    EXPECT_EQ(cert->common_name, "mx1.example.com");
    EXPECT_EQ(cert->subject, "CN=mx1.example.com,O=Example\\, Inc.");
    EXPECT_EQ(cert->issuer, "CN=Good Root,O=Good Authority");
    EXPECT_EQ(cert->issuer_organization, "Good Authority");
    EXPECT_EQ(format_utc(cert->not_before), "2026-01-02T03:04:05Z");
    EXPECT_EQ(format_utc(cert->not_after), "2026-04-02T00:00:00Z");
    EXPECT_FALSE(cert->is_ca);
    EXPECT_FALSE(cert->self_issued);
    EXPECT_EQ(cert->key, "EC P-256");
    EXPECT_EQ(cert->ca_issuers_url, "http://ca.example/root.der");
    EXPECT_EQ(cert->der, leaf.der());
    EXPECT_EQ(cert->serial, hex(unhex(cert->serial).value()));
    // An EC P-256 SubjectPublicKeyInfo has 91 bytes and opens with its algorithm identifier.
    EXPECT_EQ(cert->spki_der.size(), 91U);
    EXPECT_TRUE(hex(cert->spki_der).starts_with("3059301306072a8648ce3d0201"));
    EXPECT_NE(leaf.der().find(cert->spki_der), std::string::npos);
}

TEST(Certificate, TellsAuthoritiesFromLeaves) {
    const auto root = tests::make_root("R", "O");
    const auto middle = tests::make_intermediate(root);
    const auto parsed_root = parse_certificate(root.der()), parsed_middle = parse_certificate(middle.der());
    ASSERT_TRUE(parsed_root && parsed_middle);
    EXPECT_TRUE(parsed_root->is_ca);
    EXPECT_TRUE(parsed_root->self_issued);
    EXPECT_TRUE(parsed_middle->is_ca);
    EXPECT_FALSE(parsed_middle->self_issued);
    EXPECT_EQ(parsed_middle->ca_issuers_url, "");
}

TEST(Certificate, NamesTheKey) {
    struct row {
        std::string kind;
        int bits;
        std::string said;
    };
    for (const auto& [kind, bits, said] :
         {row{"P-256", 0, "EC P-256"}, row{"P-384", 0, "EC P-384"}, row{"P-521", 0, "EC P-521"},
          row{"secp256k1", 0, "EC secp256k1"}, row{"RSA", 2048, "RSA 2048"}, row{"RSA", 1024, "RSA 1024"},
          row{"Ed25519", 0, "Ed25519"}}) {
        const auto made = tests::issue({.common_name = "k", .key = kind, .rsa_bits = bits});
        EXPECT_EQ(parse_certificate(made.der())->key, said);
    }
}

TEST(Certificate, WithoutOrganizationTheIssuersCommonNameStands) {
    const auto root = tests::issue({.common_name = "Only A Name", .is_ca = true});
    EXPECT_EQ(parse_certificate(tests::make_leaf(root, {"a.example"}).der())->issuer_organization,
              "Only A Name");
}

TEST(Certificate, KeepsDatesBeyond2050) {
    // RFC 5280 §4.1.2.5 writes those in another form (GeneralizedTime)
    const auto made =
        tests::issue({.common_name = "k", .not_before = on(1999, 12, 31), .not_after = on(9999, 12, 31)});
    const auto cert = parse_certificate(made.der());
    EXPECT_EQ(format_date(cert->not_before), "1999-12-31");
    EXPECT_EQ(format_date(cert->not_after), "9999-12-31");
}

TEST(Certificate, ANulInsideANameIsSeenAndMatchesNothing) {
    using namespace std::string_literals;
    const auto made = tests::issue({.common_name = "good.example\0.evil.example"s,
                                    .dns_names = {"good.example\0.evil.example"s, "*.good.example\0"s}});
    const auto cert = parse_certificate(made.der());
    ASSERT_TRUE(cert);
    EXPECT_THAT(cert->dns_names, ElementsAre("good.example\\x00.evil.example", "*.good.example\\x00"));
    EXPECT_EQ(cert->common_name, "good.example\\x00.evil.example");
    EXPECT_FALSE(names_host(*cert, "good.example"));
    EXPECT_FALSE(names_host(*cert, "mx.good.example"));
    EXPECT_FALSE(names_host(*cert, cert->dns_names.front()));
}

TEST(Certificate, TheCommonNameIsNoNameOfAHost) {
    PROVES("8461-3.3-e", "8461-4.2-c");
    const auto made = tests::issue({.common_name = "mx.example.com", .ip_addresses = {"192.0.2.1"}});
    const auto cert = parse_certificate(made.der());
    ASSERT_TRUE(cert);
    EXPECT_THAT(cert->dns_names, IsEmpty());
    EXPECT_FALSE(names_host(*cert, "mx.example.com")) << "CN only";
    EXPECT_FALSE(names_host(*cert, "192.0.2.1")) << "an iPAddress SAN is no DNS-ID";
    const auto named = parse_certificate(tests::issue({.dns_names = {"a.example", "mx.example.com"}}).der());
    EXPECT_TRUE(names_host(*named, "mx.example.com"));
}

TEST(Certificate, RefusesWhatIsNone) {
    const auto der = tests::issue({.common_name = "k", .dns_names = {"k.example"}}).der();
    struct row {
        std::string bytes, complaint;
    };
    for (const auto& [bytes, complaint] :
         {row{"", "empty"}, row{"garbage", "not a DER certificate"}, row{std::string(64, '\0'), "not a DER"},
          row{der.substr(0, der.size() - 1), "not a DER certificate"}, row{der + "x", "1 bytes follow"},
          row{std::string(limits::certificate_bytes + 1, '0'), "more than"}}) {
        const auto cert = parse_certificate(bytes);
        ASSERT_FALSE(cert) << complaint;
        EXPECT_THAT(cert.error(), HasSubstr(complaint));
    }
}

TEST(Certificate, ASubjectAltNameThatCannotBeReadIsNoMissingOne) {
    auto der = tests::issue({.common_name = "k", .dns_names = {"k.example"}}).der();
    // SEQUENCE { [2] "k.example" }: the inner length now reaches beyond the extension
    const std::string san = "\x30\x0b\x82\x09k.example";
    const auto at = der.find(san);
    ASSERT_NE(at, std::string::npos);
    der[at + 3] = '\x20';
    const auto cert = parse_certificate(der);
    ASSERT_FALSE(cert);
    EXPECT_THAT(cert.error(), HasSubstr("subjectAltName"));
}

TEST(Certificate, ADateThatIsNoneIsRefused) {
    auto der = tests::issue({.common_name = "k", .not_before = on(2026, 1, 2)}).der();
    const auto at = der.find("260102000000Z");
    ASSERT_NE(at, std::string::npos);
    der.replace(at, 4, "2613"); // month 13
    const auto cert = parse_certificate(der);
    ASSERT_FALSE(cert);
    EXPECT_THAT(cert.error(), HasSubstr("notBefore"));
}

RC_GTEST_PROP(Certificate, NeverFailsOtherwiseThanByAnErrorOnDamagedBytes, ()) {
    static const std::string good = tests::issue({.common_name = "k",
                                                  .dns_names = {"k.example", "*.example"},
                                                  .ip_addresses = {"192.0.2.1"},
                                                  .ca_issuers_url = "http://ca.example/"})
                                        .der();
    auto damaged = good;
    for (int hits = *rc::gen::inRange(1, 4); hits > 0; --hits)
        damaged[*rc::gen::inRange<std::size_t>(0, good.size())] = *rc::gen::arbitrary<char>();
    const auto cert = parse_certificate(damaged);
    const bool consistent = cert ? cert->der == damaged && !cert->serial.empty() : !cert.error().empty();
    RC_ASSERT(consistent);
    RC_ASSERT(ERR_peek_error() == 0UL); // nothing is left for the next caller to stumble over
}

TEST(PemChain, ReadsEveryCertificateInOrderAndNothingElse) {
    const auto root = tests::make_root();
    const auto middle = tests::make_intermediate(root, "Middle");
    const auto leaf = tests::make_leaf(middle, {"mx.example"});
    const auto chain =
        parse_pem_chain("A comment\n" + leaf.pem() + "\r\n" + leaf.key_pem() + middle.pem() + root.pem());
    ASSERT_TRUE(chain) << chain.error();
    ASSERT_EQ(chain->size(), 3U);
    EXPECT_EQ((*chain)[0].der, leaf.der());
    EXPECT_EQ((*chain)[1].common_name, "Middle");
    EXPECT_EQ((*chain)[2].der, root.der());
}

TEST(PemChain, SaysWhichBlockIsBad) {
    const auto good = tests::make_root().pem();
    struct row {
        std::string text, complaint;
    };
    for (const auto& [text, complaint] :
         {row{"", "no BEGIN CERTIFICATE"}, row{"no PEM at all", "no BEGIN CERTIFICATE"},
          row{good.substr(0, good.find("-----END")), "certificate 1: its END line is missing"},
          row{good + "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
              "certificate 2: the text"},
          row{"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
              "certificate 1: not a DER"}}) {
        const auto chain = parse_pem_chain(text);
        ASSERT_FALSE(chain) << complaint;
        EXPECT_THAT(chain.error(), HasSubstr(complaint));
    }
}

} // namespace
