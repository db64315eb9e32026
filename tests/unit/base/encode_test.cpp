// SPDX-License-Identifier: Apache-2.0
#include "base/encode.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace mailtight::base;

namespace {

TEST(Base64, VectorsOfRfc4648) {
    struct row {
        std::string_view bytes, text;
    };
    for (const auto& [bytes, text] :
         {row{"", ""}, row{"f", "Zg=="}, row{"fo", "Zm8="}, row{"foo", "Zm9v"}, row{"foob", "Zm9vYg=="},
          row{"fooba", "Zm9vYmE="}, row{"foobar", "Zm9vYmFy"}, row{"\xfb\xff\xbf", "+/+/"}}) {
        EXPECT_EQ(base64(bytes), text);
        EXPECT_EQ(unbase64(text), bytes);
    }
}

TEST(Base64, RefusesWhatIsNotStrict) {
    struct row {
        std::string_view text, reason;
    };
    for (const auto& [text, reason] : {
             row{"Zg", "no padding"},
             row{"Zg=", "half a padding"},
             row{"Zg===", "too much of it"},
             row{"====", "nothing but padding"},
             row{"Z===", "six bits are no byte"},
             row{"=Zg=", "padding in front"},
             row{"Zg==Zg==", "padding in the middle"},
             row{"Zm=v", "padding before a digit"},
             row{"Zh==", "left-over bits that are not zero"},
             row{"Zm9=", "left-over bits that are not zero"},
             row{"Zm9v\n", "a line end"},
             row{"Zm 9v", "a space"},
             row{"Zm9-", "the URL alphabet"},
             row{"Zm9_", "the URL alphabet"},
             row{"Zm9\xc3", "no ASCII"},
         })
        EXPECT_EQ(unbase64(text), std::nullopt) << text << ": " << reason;
}

RC_GTEST_PROP(Base64, ThereAndBack, (const std::string& bytes)) {
    RC_ASSERT(unbase64(base64(bytes)) == bytes);
}

RC_GTEST_PROP(Base64, OneTextForEachValue, ()) {
    const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("AQgwZm9v+/==")));
    if (const auto bytes = unbase64(text))
        RC_ASSERT(base64(*bytes) == text);
}

TEST(Base32, VectorsOfRfc4648InLowerCaseWithoutPadding) {
    struct row {
        std::string_view bytes, text;
    };
    for (const auto& [bytes, text] :
         {row{"", ""}, row{"f", "my"}, row{"fo", "mzxq"}, row{"foo", "mzxw6"}, row{"foob", "mzxw6yq"},
          row{"fooba", "mzxw6ytb"}, row{"foobar", "mzxw6ytboi"}, row{"\xff\xff\xff\xff\xff", "77777777"}})
        EXPECT_EQ(base32(bytes), text);
}

TEST(Hex, BothWays) {
    using namespace std::string_view_literals;
    EXPECT_EQ(hex("\x00\x7f\x80\xff"sv), "007f80ff");
    EXPECT_EQ(unhex("007F80fF"), "\x00\x7f\x80\xff"sv);
    EXPECT_EQ(unhex(""), "");
    for (const auto bad : {"0"sv, "0g"sv, "g0"sv, " 0"sv, "0\0"sv, "\xff\xff"sv})
        EXPECT_EQ(unhex(bad), std::nullopt) << bad;
}

RC_GTEST_PROP(Hex, ThereAndBack, (const std::string& bytes)) {
    RC_ASSERT(unhex(hex(bytes)) == bytes);
}

TEST(Digest, VectorsOfFips180) {
    EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hex(sha512("abc")), "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                                  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

} // namespace
