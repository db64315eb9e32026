// SPDX-License-Identifier: Apache-2.0
// TSIG (RFC 8945): MACs of others are made anew and must be the same; replies of others are verified, and no
// longer once anything in them, or in what they answer, has changed.
#include "base/crypto/issuing.h"
#include "base/encode.h"
#include "dns_update_vectors.h"
#include "wire/dns_raw.h"
#include "wire/dns_update.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <chrono>

namespace mailtight::wire {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

std::string bytes_of(std::string_view hex) {
    return base::unhex(hex).value();
}

std::string keyed(std::string_view algorithm, std::string_view key, std::string_view bytes) {
    return algorithm == "hmac-sha512" ? base::hmac_sha512(key, bytes) : base::hmac_sha256(key, bytes);
}

tsig_key key_of_vectors(std::string algorithm) {
    std::string secret;
    for (char c = 0; c < 32; ++c)
        secret += c;
    return {"push.example.com", std::move(algorithm), secret};
}

const base::utc_seconds signed_at = base::parse_utc("2026-01-02T03:04:05Z").value();

struct vectors {
    const char* algorithm;
    std::string_view mac, reply, bad_time;
};
const vectors by_python[] = {
    {"hmac-sha256", tests::python_mac_256, tests::python_reply_256, tests::python_bad_time_256},
    {"hmac-sha512", tests::python_mac_512, tests::python_reply_512, tests::python_bad_time_512},
};

TEST(Tsig, TheSameMacAsDnspython) {
    for (const auto& row : by_python) {
        const auto out =
            sign_dns_message(bytes_of(tests::python_plain), key_of_vectors(row.algorithm), signed_at, keyed);
        EXPECT_EQ(base::hex(out.mac), row.mac);
    }
}

/// Takes the TSIG off, as its maker had the message before, and signs it again.
void sign_again(std::string_view hex, const char* algorithm) {
    const auto bytes = bytes_of(hex);
    const auto raw = read_raw_message(bytes);
    ASSERT_TRUE(raw);
    const auto& tsig = raw->records.back();
    auto message = bytes.substr(0, tsig.begin);
    message[11] = 0;
    const auto data = tsig.data + 13; // behind the algorithm's name
    const base::utc_seconds at{std::chrono::seconds(get32(bytes, data + 2))};
    const auto mac = bytes.substr(data + 10, get16(bytes, data + 8));
    const auto out = sign_dns_message(message, key_of_vectors(algorithm), at, keyed, get16(bytes, data + 6));
    EXPECT_EQ(base::hex(out.mac), base::hex(mac));
    EXPECT_EQ(base::hex(out.bytes), base::hex(bytes)) << "down to the last byte";
}

TEST(Tsig, TheSameBytesAsNsupdateAndKnsupdate) {
    sign_again(tests::nsupdate_signed, "hmac-sha256");
    sign_again(tests::knsupdate_signed, "hmac-sha512");
}

TEST(Tsig, AReplyOfDnspythonIsVerified) {
    for (const auto& row : by_python) {
        const auto key = key_of_vectors(row.algorithm);
        const auto mac = bytes_of(row.mac), reply = bytes_of(row.reply);
        const auto verify = [&](const std::string& bytes, const std::string& request, const tsig_key& with,
                                base::utc_seconds now) {
            return verify_dns_reply(bytes, request, with, now, keyed);
        };
        EXPECT_TRUE(verify(reply, mac, key, signed_at));
        EXPECT_TRUE(verify(reply, mac, key, signed_at + 300s)) << "the last second";
        EXPECT_TRUE(verify(reply, mac, key, signed_at - 300s));
        EXPECT_EQ(verify(reply, mac, key, signed_at + 301s).error(), tsig_fault::bad_time);
        EXPECT_EQ(verify(reply, mac, key, signed_at - 301s).error(), tsig_fault::bad_time);
        EXPECT_EQ(time_of_dns_reply(reply), signed_at);

        auto upper = key;
        upper.name = "PUSH.example.com.";
        EXPECT_TRUE(verify(reply, mac, upper, signed_at)) << "names have no case";
        auto other = key;
        other.name = "pull.example.com";
        EXPECT_EQ(verify(reply, mac, other, signed_at).error(), tsig_fault::other_key);
        other = key;
        other.algorithm = key.algorithm == "hmac-sha256" ? "hmac-sha512" : "hmac-sha256";
        EXPECT_EQ(verify(reply, mac, other, signed_at).error(), tsig_fault::other_key);
        other = key;
        other.secret[5] ^= 1;
        EXPECT_EQ(verify(reply, mac, other, signed_at).error(), tsig_fault::bad_mac);
        EXPECT_EQ(verify(reply, "", key, signed_at).error(), tsig_fault::bad_mac)
            << "a reply to something else";
        auto elsewhere = mac;
        elsewhere[0] ^= 1;
        EXPECT_EQ(verify(reply, elsewhere, key, signed_at).error(), tsig_fault::bad_mac);
    }
}

TEST(Tsig, TheServersClockIsTold) {
    for (const auto& row : by_python) {
        const auto reply = bytes_of(row.bad_time);
        EXPECT_EQ(verify_dns_reply(reply, bytes_of(row.mac), key_of_vectors(row.algorithm), signed_at, keyed)
                      .error(),
                  tsig_fault::refused_time);
        EXPECT_EQ(time_of_dns_reply(reply), signed_at + 2h);
    }
}

// RFC 8945 §5.3.2: who does not share the key has nothing to sign with.
TEST(Tsig, AServersOwnErrorNeedsNoSignature) {
    const auto plain = bytes_of("1234a8090000000000000001");
    const auto with_error = [&](std::string_view error) {
        return plain + bytes_of("0470757368076578616d706c6503636f6d00"
                                "00fa00ff00000000"
                                "001d"
                                "0b686d61632d73686132353600"
                                "000000000000"
                                "012c"
                                "0000"
                                "1234" +
                                std::string(error) + "0000");
    };
    const std::pair<const char*, tsig_fault> rows[] = {
        {"0010", tsig_fault::refused_signature}, {"0011", tsig_fault::refused_key},
        {"0012", tsig_fault::refused_time},      {"0016", tsig_fault::refused_truncation},
        {"0001", tsig_fault::bad_form},          {"0000", tsig_fault::bad_mac}}; // no MAC, no error
    for (const auto& [error, fault] : rows)
        EXPECT_EQ(verify_dns_reply(with_error(error), "mac", key_of_vectors("hmac-sha256"), signed_at, keyed)
                      .error(),
                  fault)
            << error;
}

TEST(Tsig, OnlyOneAndAtTheEnd) {
    const auto key = key_of_vectors("hmac-sha256");
    const auto verify = [&](const std::string& bytes) {
        return verify_dns_reply(bytes, "", key, signed_at, keyed);
    };
    const auto plain = bytes_of("1234a8000000000000000000");
    EXPECT_EQ(verify(plain).error(), tsig_fault::missing);
    EXPECT_EQ(verify("x").error(), tsig_fault::bad_form);
    const auto once = sign_dns_message(plain, key, signed_at, keyed).bytes;
    const auto twice = sign_dns_message(once, key, signed_at, keyed).bytes;
    EXPECT_EQ(verify(twice).error(), tsig_fault::bad_form) << "two signatures";
    EXPECT_EQ(verify(once + "x").error(), tsig_fault::bad_form) << "a byte behind it";
    auto in_answer = once;
    std::swap(in_answer[7], in_answer[11]); // ANCOUNT and ARCOUNT
    EXPECT_EQ(verify(in_answer).error(), tsig_fault::bad_form) << "not in the additional section";
}

// Every bit of a reply counts: header, records and every field of the signature.
TEST(Tsig, NoBitOfAReplyCanChange) {
    const auto reply = bytes_of(tests::python_reply_256);
    const auto mac = bytes_of(tests::python_mac_256);
    const auto key = key_of_vectors("hmac-sha256");
    unsigned accepted = 0;
    for (std::size_t at = 0; at < reply.size(); ++at)
        for (int bit = 0; bit < 8; ++bit) {
            auto changed = reply;
            changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
            if (verify_dns_reply(changed, mac, key, signed_at, keyed)) {
                ++accepted;
                // The id is covered in the form the request had; the letters' case of names is not.
                const bool id = at < 2;
                const bool letter_case = bit == 5 && std::isalpha(static_cast<unsigned char>(reply[at])) != 0;
                EXPECT_TRUE(id || letter_case) << "byte " << at << ", bit " << bit;
            }
        }
    EXPECT_LT(accepted, 16U + 8 * 20U);
}

RC_GTEST_PROP(Tsig, WhatIsSignedIsVerifiedAndNothingElse, ()) {
    const auto algorithm = *rc::gen::element<std::string>("hmac-sha256", "hmac-sha512");
    const tsig_key key{"k", algorithm, *rc::gen::nonEmpty<std::string>()};
    dns_update update{.zone = "example.com"};
    const auto texts = *rc::gen::container<std::vector<std::string>>(rc::gen::string<std::string>());
    for (const auto& text : texts)
        update.add.push_back({"_mta-sts.example.com", dns_type::txt, 300, text});
    const auto id = *rc::gen::arbitrary<std::uint16_t>();
    const auto message = build_dns_update(update, id).value();
    const auto out = sign_dns_message(message, key, signed_at, keyed);
    // A request is signed without a MAC before it; the verifier wants one, so the reply is signed by hand.
    const auto raw = read_raw_message(out.bytes);
    RC_ASSERT(raw.has_value());
    RC_ASSERT(raw->records.size() == texts.size() + 1);
    RC_ASSERT(!verify_dns_reply(out.bytes, "", key, signed_at, keyed).has_value());
    const auto hash_as_reply = [&](std::string_view a, std::string_view k, std::string_view bytes) {
        std::string before;
        put16(before, static_cast<unsigned>(out.mac.size()));
        return keyed(a, k, before + out.mac + std::string(bytes));
    };
    const auto reply = sign_dns_message(message, key, signed_at, hash_as_reply).bytes;
    RC_ASSERT(verify_dns_reply(reply, out.mac, key, signed_at, keyed).has_value());
}

struct key_row {
    const char* text;
    const char *name, *algorithm; ///< "" : refused
    const char* words = "";
};

TEST(TsigKey, EveryFormThatProgramsWrite) {
    const key_row rows[] = {
        {"k.example.:hmac-sha256:c2VjcmV0", "k.example", "hmac-sha256"},
        {"hmac-sha512:k.example:c2VjcmV0", "k.example", "hmac-sha512"},
        {"HMAC-SHA256:K.Example:c2VjcmV0", "k.example", "hmac-sha256"},
        {" k:c2VjcmV0\r\n", "k", "hmac-sha256"},
        {"key \"k\" {\n\talgorithm hmac-sha256;\n\tsecret \"c2VjcmV0\";\n};\n", "k", "hmac-sha256"},
        {"key k { algorithm hmac-sha512; secret c2VjcmV0; };", "k", "hmac-sha512"},
        {"# hmac-sha256:k:c2VjcmV0\nkey:\n  - id: k\n    algorithm: hmac-sha256\n    secret: c2VjcmV0\n", "k",
         "hmac-sha256"},
        {"k:hmac-md5:c2VjcmV0", "", "", "hmac-md5 must not"},
        {"k:hmac-md5.sig-alg.reg.int:c2VjcmV0", "", "", "hmac-md5 must not"},
        {"k:hmac-sha1:c2VjcmV0", "", "", "hmac-sha256 or hmac-sha512"},
        {"k:hmac-sha256:c2Vjcm", "", "", "no base64"},
        {"k:hmac-sha256:", "", "", "no base64"},
        {":hmac-sha256:c2VjcmV0", "", "", "no domain name"},
        {"a..b:hmac-sha256:c2VjcmV0", "", "", "no domain name"},
        {"c2VjcmV0", "", "", "name:algorithm:secret"},
        {"a:b:c:d", "", "", "name:algorithm:secret"},
        {"", "", "", "name:algorithm:secret"},
        {"key k { algorithm hmac-sha256; };", "", "", "no base64"},
    };
    for (const auto& row : rows) {
        const auto key = parse_tsig_key(row.text);
        if (*row.algorithm == '\0') {
            ASSERT_FALSE(key) << row.text;
            EXPECT_THAT(key.error(), HasSubstr(row.words));
            EXPECT_THAT(key.error(), Not(HasSubstr("c2Vj"))) << "a secret must not get into a log";
        } else {
            ASSERT_TRUE(key) << row.text << ": " << key.error();
            EXPECT_EQ(key->name, row.name);
            EXPECT_EQ(key->algorithm, row.algorithm);
            EXPECT_EQ(key->secret, "secret");
        }
    }
    EXPECT_FALSE(parse_tsig_key(std::string(5'000, 'a')));
}

TEST(TsigKey, EveryFaultHasWords) {
    for (int i = 0; i <= static_cast<int>(tsig_fault::refused_truncation); ++i)
        EXPECT_FALSE(explain(static_cast<tsig_fault>(i)).empty());
}

} // namespace
} // namespace mailtight::wire
