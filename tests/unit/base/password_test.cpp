// SPDX-License-Identifier: Apache-2.0
// Passwords: what the reference says of them, what is refused, and that a hostile encoding costs nothing.
#include "base/crypto/password.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>

namespace mailtight::base {
namespace {
using testing::MatchesRegex;
using testing::StartsWith;

constexpr password_cost cheap{.passes = 1, .kibibytes = 64, .lanes = 1};

TEST(password, what_was_encoded_is_verified_and_nothing_else_is) {
    const auto encoded = *encode_password("correct horse battery", cheap);
    EXPECT_THAT(encoded, StartsWith("$argon2id$v=19$m=64,t=1,p=1$"));
    EXPECT_TRUE(verify_password(encoded, "correct horse battery"));
    for (const char* other : {"", "correct horse batter", "correct horse battery ", "Correct horse battery"})
        EXPECT_FALSE(verify_password(encoded, other)) << other;
    EXPECT_FALSE(verify_password(encoded, std::string_view("correct horse battery\0", 22)));
    EXPECT_NE(*encode_password("correct horse battery", cheap), encoded) << "each has a salt of its own";
}

// Made by the program `argon2` of the reference implementation: echo -n password | argon2 somesalt …
TEST(password, the_reference_encodings_are_understood) {
    struct row {
        const char *encoded, *password;
    };
    const row good[] = {
        {"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
         "password"},
        {"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password"},
        {"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "password"},
        {"$argon2id$v=19$m=65536,t=2,p=1$ZGlmZnNhbHQ$vfMrBczELrFdWP0ZsfhWsRPaHppYdP3MVEMIVlqoFBw",
         "password"},
    };
    for (const auto& each : good) {
        EXPECT_TRUE(verify_password(each.encoded, each.password)) << each.encoded;
        EXPECT_FALSE(verify_password(each.encoded, "differentpassword")) << each.encoded;
    }
}

TEST(password, a_hostile_encoding_is_refused_before_memory_is_asked_for) {
    const std::string tail = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    struct row {
        const char* why;
        std::string encoded;
    };
    const row bad[] = {
        {"empty", ""},
        {"a password in the clear", "password"},
        {"another variant", "$argon2i$v=19$m=256,t=2,p=1" + tail},
        {"an old version", "$argon2id$v=16$m=256,t=2,p=1" + tail},
        {"no version", "$argon2id$m=256,t=2,p=1" + tail},
        {"four gigabytes", "$argon2id$v=19$m=4194304,t=2,p=1" + tail},
        {"a million passes", "$argon2id$v=19$m=256,t=1000000,p=1" + tail},
        {"a thousand lanes", "$argon2id$v=19$m=65536,t=2,p=1000" + tail},
        {"more lanes than memory", "$argon2id$v=19$m=8,t=2,p=2" + tail},
        {"no memory", "$argon2id$v=19$m=0,t=2,p=1" + tail},
        {"a number too large to hold", "$argon2id$v=19$m=99999999999999999999,t=2,p=1" + tail},
        {"a leading zero", "$argon2id$v=19$m=0256,t=2,p=1" + tail},
        {"nothing after the memory", "$argon2id$v=19$m="},
        {"no hash", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ"},
        {"a short hash", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$AAAA"},
        {"a short salt", "$argon2id$v=19$m=256,t=2,p=1$AAAA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
        {"base64 with padding",
         "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ=$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
        {"something behind it", "$argon2id$v=19$m=256,t=2,p=1" + tail + "$"},
        {"far too long", "$argon2id$v=19$m=256,t=2,p=1$" + std::string(4'000, 'A') + "$AAAA"},
    };
    const auto begun = std::chrono::steady_clock::now();
    for (const auto& each : bad) {
        EXPECT_FALSE(verify_password(each.encoded, "password")) << each.why;
        EXPECT_FALSE(cost_of(each.encoded)) << each.why;
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(1));
    EXPECT_EQ(cost_of("$argon2id$v=19$m=65536,t=3,p=1" + tail), password_cost{});
}

TEST(password, every_changed_byte_of_an_encoding_is_another_password) {
    const auto encoded = *encode_password("correct horse battery", cheap);
    for (std::size_t at = 0; at < encoded.size(); ++at) {
        auto changed = encoded;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(verify_password(changed, "correct horse battery")) << at;
    }
}

TEST(password, the_cost_is_felt) {
    const auto begun = std::chrono::steady_clock::now();
    verify_nobody("correct horse battery");
    EXPECT_GT(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(20));
}

TEST(password, length_counts_and_composition_does_not) {
    struct row {
        std::string password, why;
    };
    for (const char* good : {"correct horse battery", "123456789012", "ÄÄÄÄÖÖÖÖÜÜÜÜ", "            x"})
        EXPECT_FALSE(unfit_password(good, "ann")) << good;
    const row bad[] = {
        {"", "empty"},
        {"short", "five characters"},
        {"ÄÄÄÄÄÄÄÄÄÄÄ", "eleven characters, although twenty-two bytes"},
        {"aaaaaaaaaaaaaaaa", "one character"},
        {"Ann.Administrator", "the name in other letters"},
        {std::string(1'025, 'x') + "y", "longer than anybody types"},
        {"abcdefghijkl\xff", "no UTF-8"},
    };
    for (const auto& each : bad)
        EXPECT_TRUE(unfit_password(each.password, "ann.administrator")) << each.why;
}

TEST(secret, each_is_another_one_and_is_known_by_its_digest) {
    std::set<std::string> seen;
    for (int i = 0; i < 1'000; ++i)
        seen.insert(random_secret());
    EXPECT_EQ(seen.size(), 1'000u);
    EXPECT_THAT(*seen.begin(), MatchesRegex("[A-Za-z0-9_-]+"));
    EXPECT_EQ(seen.begin()->size(), 43u);
    EXPECT_EQ(digest_of_secret("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(secret, equality_knows_lengths) {
    EXPECT_TRUE(equal_secrets("", ""));
    EXPECT_TRUE(equal_secrets("abc", "abc"));
    EXPECT_FALSE(equal_secrets("abc", "abd"));
    EXPECT_FALSE(equal_secrets("abc", "ab"));
    std::string secret = "abc";
    wipe(secret);
    EXPECT_EQ(secret, "");
}

} // namespace
} // namespace mailtight::base
