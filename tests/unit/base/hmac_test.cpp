// SPDX-License-Identifier: Apache-2.0
// The test cases of RFC 4231 §4, those that are not about truncation.
#include "base/crypto/issuing.h"
#include "base/encode.h"

#include <gtest/gtest.h>

namespace mailtight::base {
namespace {

struct known {
    const char* about;
    std::string key, data;
    const char *sha256, *sha512;
};

TEST(Hmac, TheVectorsOfRfc4231) {
    const known rows[] = {
        {"a key shorter than a block", std::string(20, '\x0b'), "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
         "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
         "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
        {"a key shorter than the hash", "Jefe", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
         "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
         "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
        {"data of 50 octets", std::string(20, '\xaa'), std::string(50, '\xdd'),
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
         "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
         "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"},
        {"a key longer than a block", std::string(131, '\xaa'),
         "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
         "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
         "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(hex(hmac_sha256(row.key, row.data)), row.sha256) << row.about;
        EXPECT_EQ(hex(hmac_sha512(row.key, row.data)), row.sha512) << row.about;
    }
}

TEST(Hmac, NoKeyAndNoDataAreAKeyAndDataToo) {
    EXPECT_EQ(hex(hmac_sha256({}, {})), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

} // namespace
} // namespace mailtight::base
