// SPDX-License-Identifier: Apache-2.0
#include "base/encode.h"
#include "mail/message_base64.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace mailtight;
using mail::decode_damaged_base64;

namespace {

// "{"policies":[1,2]}" and its base64, whole.
const std::string bytes = "{\"policies\":[1,2]}!";
const std::string whole = "eyJwb2xpY2llcyI6WzEsMl19IQ==";

TEST(DamagedBase64, StillGivesTheBytes) {
    struct row {
        std::string text, damage;
    };
    ASSERT_EQ(base::base64(bytes), whole);
    for (const auto& [text, damage] : {
             row{whole, "none"},
             row{"\r\n\r\n" + whole + "\r\n\r\n", "empty lines around"},
             row{"eyJwb2xpY2llcyI6WzEsMl19IQ", "the padding is missing"},
             row{"eyJwb2xpY2llcyI6WzEsMl19IQ=", "half of the padding is missing"},
             row{"eyJwb2xpY2llcyI6WzEsMl19IQ====", "too much padding"},
             row{"eyJwb\r\n2xpY2l\r\nlcyI6WzEsMl1\r\n9IQ==", "wrapped within the groups"},
             row{"e y J w b 2 x p Y 2 l l c y I 6 W z E s M l 1 9 I Q = =", "blanks between the letters"},
             row{" eyJwb2xp\r\n\tY2llcyI6\r\n WzEsMl19\r\n IQ==", "lines set in"},
             row{"eyJw!b2xpY2llcyI*6WzEsM\x01l19IQ==", "foreign bytes"},
             row{"> eyJwb2xpY2ll\r\n> cyI6WzEsMl19IQ==", "quoted as in a reply"},
             row{"eyJwb2xpY2ll\r\n\r\ncyI6WzEsMl19IQ==", "an empty line within"},
             row{"eyJwb2xpY2ll\r\n\r\n\r\n\r\ncyI6WzEsMl19IQ==", "empty lines within"},
             row{"eyJwb2w=\r\naWNpZXM=\r\nIjpbMSwyXX0h\r\n", "each line encoded for itself"},
             row{whole + "\r\nThis mail was scanned by Example.", "text behind the padding"},
             row{whole + "\r\n-- \r\nlist", "a signature behind the padding"},
             row{"eyJwb2xpY2llcyI6WzEsMl19IQ\r\n\r\nThis mail was scanned by Example.",
                 "text behind an empty line"},
             row{"eyJwb2xpY2llcyI6WzEsMl19IQ\n\n___\nlist@example.net", "a list's footer"},
         })
        EXPECT_EQ(decode_damaged_base64(text), bytes) << damage;
}

TEST(DamagedBase64, NothingInNothing) {
    for (const auto* text : {"", "=", "====", "\r\n", "!", "A", "\xff\xfe"})
        EXPECT_EQ(decode_damaged_base64(text), "") << text;
}

RC_GTEST_PROP(DamagedBase64, AgreesWithTheStrictDecoder, (const std::string& any)) {
    const auto text = base::base64(any);
    RC_ASSERT(decode_damaged_base64(text) == any);
    std::string wrapped;
    const auto width = *rc::gen::inRange<std::size_t>(1, 80);
    for (std::size_t at = 0; at < text.size(); at += width)
        wrapped += text.substr(at, width) + *rc::gen::element<std::string>("\r\n", "\n", "\r\n ");
    RC_ASSERT(decode_damaged_base64(wrapped) == any);
}

RC_GTEST_PROP(DamagedBase64, NeverGivesMoreThanThreeQuarters, (const std::string& any)) {
    RC_ASSERT(decode_damaged_base64(any).size() * 4 <= any.size() * 3);
}

} // namespace
