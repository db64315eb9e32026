// SPDX-License-Identifier: Apache-2.0
#include "base/crypto/issuing.h"

#include "base/base64url.h"
#include "base/crypto/certificate.h"
#include "base/encode.h"
#include "support/certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <openssl/ecdsa.h>
#include <openssl/evp.h>

namespace mailtight {
namespace {

using base::ec_key;
using testing::HasSubstr;

const base::utc_seconds now{std::chrono::seconds{1'790'000'000}};

ec_key a_key() {
    auto key = ec_key::make();
    if (!key)
        throw std::runtime_error(key.error());
    return std::move(*key);
}

/// Judged by OpenSSL's own verification, from the key's PEM: another way than the one that signed.
bool verifies(const std::string& pem, std::string_view bytes, const std::string& jws_signature) {
    const base::openssl::bio_ptr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    const base::openssl::key_ptr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
    const base::openssl::owner<ECDSA_SIG, ECDSA_SIG_free> pair(ECDSA_SIG_new());
    const auto* at = reinterpret_cast<const unsigned char*>(jws_signature.data());
    ECDSA_SIG_set0(pair.get(), BN_bin2bn(at, 32, nullptr), BN_bin2bn(at + 32, 32, nullptr));
    unsigned char* der = nullptr;
    const int length = i2d_ECDSA_SIG(pair.get(), &der);
    const base::openssl::owner<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
    const bool good =
        EVP_DigestVerify(context.get(), der, static_cast<std::size_t>(length),
                         reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) == 1;
    OPENSSL_free(der);
    return good;
}

TEST(EcKey, SignsAsJwsDoes) {
    const auto key = a_key();
    for (int i = 0; i < 600; ++i) { // some numbers begin with a zero byte: one in 256
        const auto text = "message " + std::to_string(i);
        const auto signature = key.sign(text);
        ASSERT_EQ(signature.size(), 64u);
        ASSERT_TRUE(verifies(key.pem(), text, signature)) << i;
    }
    EXPECT_FALSE(verifies(key.pem(), "another message", key.sign("message")));
}

TEST(EcKey, ComesBackFromItsPem) {
    const auto key = a_key();
    const auto again = ec_key::from_pem(key.pem());
    ASSERT_TRUE(again) << again.error();
    EXPECT_EQ(again->point(), key.point());
    EXPECT_THAT(key.pem(), testing::StartsWith("-----BEGIN PRIVATE KEY-----"));
}

TEST(EcKey, CoordinatesKeepTheirLeadingZeros) {
    bool met = false;
    for (int i = 0; i < 3'000 && !met; ++i) {
        const auto [x, y] = a_key().point();
        ASSERT_EQ(x.size(), 32u);
        ASSERT_EQ(y.size(), 32u);
        met = x[0] == '\0' || y[0] == '\0';
    }
    EXPECT_TRUE(met) << "3,000 keys and none with a leading zero";
}

TEST(EcKey, RefusesWhatIsNoP256Key) {
    struct row {
        std::string pem;
        const char* why;
    };
    auto pem_of = [](const char* kind) {
        return tests::issue({.common_name = "x", .dns_names = {}, .key = kind}).key_pem();
    };
    const auto good = a_key().pem();
    for (const auto& [pem, why] : {
             row{"", "nothing"},
             row{"hello", "no PEM"},
             row{good.substr(0, good.size() / 2), "half of a key"},
             row{pem_of("P-384"), "another curve"},
             row{pem_of("RSA"), "RSA"},
             row{pem_of("Ed25519"), "Ed25519"},
             row{tests::make_root().pem(), "a certificate"},
         })
        EXPECT_FALSE(ec_key::from_pem(pem)) << why;
}

TEST(SigningRequest, NamesTheHostInItsSanAndNothingElse) {
    const auto key = a_key();
    const auto der = base::signing_request(key, "mta-sts.example.com");
    ASSERT_TRUE(der) << der.error();
    const auto* at = reinterpret_cast<const unsigned char*>(der->data());
    const base::openssl::owner<X509_REQ, X509_REQ_free> request(
        d2i_X509_REQ(nullptr, &at, static_cast<long>(der->size())));
    ASSERT_TRUE(request);
    EXPECT_EQ(X509_NAME_entry_count(X509_REQ_get_subject_name(request.get())), 0);
    EXPECT_EQ(X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())), 1);
    STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request.get());
    ASSERT_EQ(sk_X509_EXTENSION_num(extensions), 1);
    auto* names =
        static_cast<GENERAL_NAMES*>(X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr));
    ASSERT_EQ(sk_GENERAL_NAME_num(names), 1);
    const auto* name = sk_GENERAL_NAME_value(names, 0);
    ASSERT_EQ(name->type, GEN_DNS);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName))),
              "mta-sts.example.com");
    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    EXPECT_FALSE(base::signing_request(key, "not a host"));
    EXPECT_FALSE(base::signing_request(key, ""));
}

TEST(AlpnCertificate, IsAsRfc8737WantsIt) {
    const auto key = a_key();
    const auto digest = base::sha256("token.thumbprint");
    const auto pem = base::alpn_certificate(key, "mta-sts.example.com", digest, now);
    ASSERT_TRUE(pem) << pem.error();
    const base::openssl::bio_ptr bio(BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size())));
    const base::openssl::x509_ptr cert(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    ASSERT_TRUE(cert);
    EXPECT_EQ(X509_verify(cert.get(), X509_get0_pubkey(cert.get())), 1) << "self-signed";
    const base::openssl::owner<ASN1_OBJECT, ASN1_OBJECT_free> id(OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1));
    const int index = X509_get_ext_by_OBJ(cert.get(), id.get(), -1);
    ASSERT_GE(index, 0);
    X509_EXTENSION* extension = X509_get_ext(cert.get(), index);
    EXPECT_EQ(X509_EXTENSION_get_critical(extension), 1);
    const auto* value = X509_EXTENSION_get_data(extension);
    const std::string bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                            static_cast<std::size_t>(ASN1_STRING_length(value)));
    EXPECT_EQ(base::hex(bytes), "0420" + base::hex(digest)) << "an OCTET STRING of 32 bytes";
    const auto read = base::parse_pem_chain(*pem);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->front().dns_names, std::vector<std::string>{"mta-sts.example.com"});
    EXPECT_LT(read->front().not_before, now);
    EXPECT_GT(read->front().not_after, now);
    EXPECT_TRUE(base::is_key_of(*pem, key));
    EXPECT_FALSE(base::is_key_of(*pem, a_key()));
    EXPECT_FALSE(base::alpn_certificate(key, "mta-sts.example.com", "short", now));
}

TEST(RenewalId, IsTheExampleOfRfc9773) {
    // The certificate of RFC 9773 appendix A.
    constexpr std::string_view example = R"(-----BEGIN CERTIFICATE-----
MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt
cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS
BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu
7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf
qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B
yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb
+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK
-----END CERTIFICATE-----
)";
    const auto id = base::renewal_id(example);
    ASSERT_TRUE(id) << id.error();
    EXPECT_EQ(*id, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
}

TEST(RenewalId, NeedsAnAuthorityKeyIdentifier) {
    const auto alone = tests::issue({.common_name = "x", .dns_names = {"x.example"}});
    EXPECT_THAT(base::renewal_id(alone.pem()).error(), HasSubstr("authority key identifier"));
    EXPECT_FALSE(base::renewal_id("nothing"));
    EXPECT_FALSE(base::renewal_id(""));
}

TEST(KeyFits, TellsAKeyOfAnotherCertificate) {
    const auto root = tests::make_root();
    const auto one = tests::make_leaf(root, {"one.example"}), two = tests::make_leaf(root, {"two.example"});
    EXPECT_TRUE(base::key_fits(one.pem() + root.pem(), one.key_pem()));
    EXPECT_THAT(base::key_fits(one.pem(), two.key_pem()).error(), HasSubstr("not the one"));
    EXPECT_FALSE(base::key_fits(one.pem(), "half a key"));
    EXPECT_FALSE(base::key_fits("", one.key_pem()));
}

TEST(Base64Url, HasNoPaddingAndTakesIt) {
    struct row {
        const char* bytes;
        const char* text;
    };
    for (const auto& [bytes, text] :
         {row{"", ""}, row{"f", "Zg"}, row{"fo", "Zm8"}, row{"foo", "Zm9v"}, row{"\xfb\xff", "-_8"}}) {
        EXPECT_EQ(base::base64url(bytes), text);
        EXPECT_EQ(base::unbase64url(text), bytes);
    }
    EXPECT_EQ(base::unbase64url("Zg=="), "f");
    for (const char* bad : {"Z", "Zg=", "+/8", "Zh", "Z g", "Zg==="})
        EXPECT_FALSE(base::unbase64url(bad)) << bad;
}

} // namespace
} // namespace mailtight
