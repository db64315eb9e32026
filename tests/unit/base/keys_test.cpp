// SPDX-License-Identifier: Apache-2.0
#include "base/crypto/keys.h"
#include "base/crypto/sha256_stream.h"
#include "base/encode.h"
#include "support/certificates.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace mailtight;
using base::private_key;
using base::public_key;

namespace {

std::string pem_of(const std::string& kind, int bits = 2048) {
    const auto key = tests::certificate_parts::new_key({.common_name = "", .key = kind, .rsa_bits = bits});
    const base::openssl::bio_ptr to(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(to.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    const long length = BIO_get_mem_data(to.get(), &data);
    return {data, static_cast<std::size_t>(length)};
}
public_key public_of(const private_key& key) {
    return key.kind() == base::key_kind::rsa ? public_key::rsa(key.public_part()).value()
                                             : public_key::ed25519(key.public_part()).value();
}

TEST(Keys, SignAndVerify) {
    for (const auto* kind : {"RSA", "Ed25519"}) {
        const auto mine = private_key::from_pem(pem_of(kind)).value();
        const auto other = private_key::from_pem(pem_of(kind)).value();
        const auto digest = base::sha256("a report");
        const auto signature = mine.sign(digest);
        const auto open = public_of(mine);
        EXPECT_EQ(open.kind(), mine.kind());
        EXPECT_EQ(open.bits(), mine.bits());
        EXPECT_TRUE(open.verifies(digest, signature)) << kind;
        EXPECT_TRUE(open.verifies(digest, signature)) << kind << ", again";
        EXPECT_FALSE(open.verifies(base::sha256("another"), signature)) << kind;
        EXPECT_FALSE(public_of(other).verifies(digest, signature)) << kind;
        EXPECT_FALSE(open.verifies(digest, "")) << kind;
        EXPECT_FALSE(open.verifies("", signature)) << kind;
        for (std::size_t at = 0; at < signature.size(); at += 7) {
            auto changed = signature;
            changed[at] = static_cast<char>(changed[at] ^ 1);
            EXPECT_FALSE(open.verifies(digest, changed)) << kind << " " << at;
        }
        EXPECT_TRUE(open.verifies(digest, signature)) << kind << ", after failures";
    }
}

// RFC 8032 §7.1, test 1: the key of an empty message.
TEST(Keys, Ed25519OfRfc8032) {
    const auto key = public_key::ed25519(
        base::unhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").value());
    ASSERT_TRUE(key.has_value());
    EXPECT_TRUE(
        key->verifies("", base::unhex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
                                      "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")
                              .value()));
    EXPECT_EQ(key->bits(), 256U);
}

TEST(Keys, BadPublicKeys) {
    const auto good = private_key::from_pem(pem_of("RSA", 1024)).value().public_part();
    EXPECT_TRUE(public_key::rsa(good).has_value());
    const auto ec = tests::certificate_parts::new_key({.common_name = "", .key = "P-256"});
    unsigned char* der = nullptr;
    const int length = i2d_PUBKEY(ec.get(), &der);
    const std::string ec_der(reinterpret_cast<char*>(der), static_cast<std::size_t>(length));
    OPENSSL_free(der);
    // An exponent as long as the modulus.
    const base::openssl::bignum_ptr e(BN_new());
    BN_set_bit(e.get(), 1000);
    BN_set_bit(e.get(), 0);
    const std::string long_exponent = [&] {
        const base::openssl::owner<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
            EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
        EVP_PKEY_keygen_init(context.get());
        EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 1024);
        EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), e.get());
        EVP_PKEY* made = nullptr;
        EVP_PKEY_generate(context.get(), &made);
        const base::openssl::key_ptr key(made);
        unsigned char* out = nullptr;
        const int size = i2d_PUBKEY(key.get(), &out);
        std::string text(reinterpret_cast<char*>(out), static_cast<std::size_t>(std::max(size, 0)));
        OPENSSL_free(out);
        return text;
    }();
    ASSERT_FALSE(long_exponent.empty());
    struct row {
        std::string der, reason;
    };
    for (const auto& [bytes, reason] :
         {row{"", "empty"}, row{"x", "no key"}, row{good + "x", "bytes behind"},
          row{good.substr(0, good.size() - 1), "cut"}, row{std::string(100'000, '\x30'), "too long"},
          row{ec_der, "of another kind"}, row{long_exponent, "an exponent that makes verifying dear"}}) {
        const auto key = public_key::rsa(bytes);
        ASSERT_FALSE(key.has_value()) << reason;
        EXPECT_FALSE(key.error().empty());
    }
    for (const std::size_t size : {0U, 31U, 33U})
        EXPECT_FALSE(public_key::ed25519(std::string(size, 'x')).has_value());
}

TEST(Keys, BadPrivateKeys) {
    for (const auto& pem : {std::string(), std::string("words"), pem_of("P-256"),
                            std::string("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")})
        EXPECT_FALSE(private_key::from_pem(pem).has_value());
}

RC_GTEST_PROP(Sha256Stream, PiecesGiveTheDigestOfTheWhole, (const std::vector<std::string>& pieces)) {
    base::sha256_stream stream;
    std::string whole;
    for (const auto& piece : pieces) {
        stream.update(piece);
        whole += piece;
    }
    RC_ASSERT(stream.finish() == base::sha256(whole));
    stream.update("again");
    RC_ASSERT(stream.finish() == base::sha256("again"));
}

} // namespace
