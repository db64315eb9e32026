// SPDX-License-Identifier: Apache-2.0
// The example of RFC 8463 appendix A: two signatures, keys and message as printed there.
#include "base/text.h"
#include "mail/dkim.h"
#include "support/dkim.h"
#include "support/proves.h"

#include <gtest/gtest.h>

using namespace mailtight;
using namespace mailtight::mail;

namespace {

const std::string ed25519_record = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const std::string rsa_record =
    "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3id"
    "Y6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lx"
    "j+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

const std::string message = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
                            " d=football.example.com; i=@football.example.com;\r\n"
                            " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
                            " subject : date : message-id : from : subject : date;\r\n"
                            " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                            " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
                            " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
                            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
                            " d=football.example.com; i=@football.example.com;\r\n"
                            " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
                            " date : message-id : from : subject : date;\r\n"
                            " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                            " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
                            " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
                            " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
                            "From: Joe SixPack <joe@football.example.com>\r\n"
                            "To: Suzie Q <suzie@shopping.example.net>\r\n"
                            "Subject: Is dinner ready?\r\n"
                            "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
                            "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
                            "\r\n"
                            "Hi.\r\n"
                            "\r\n"
                            "We lost the game.  Are you hungry yet?\r\n"
                            "\r\n"
                            "Joe.\r\n";

const base::utc_seconds now{std::chrono::seconds(1'528'640'000)};

tests::fixed_keys keys() {
    tests::fixed_keys out;
    out.add("brisbane._domainkey.football.example.com", ed25519_record);
    out.add("test._domainkey.football.example.com", rsa_record);
    return out;
}

TEST(DkimRfc8463, BothSignaturesOfTheExampleVerify) {
    PROVES("8463", "8301-3");
    dkim_key_cache cache;
    const auto verdict = verify_dkim(message, keys(), now, cache);
    ASSERT_EQ(verdict.signatures.size(), 2U);
    EXPECT_EQ(verdict.signatures[0].result, dkim_result::pass) << verdict.signatures[0].reason;
    EXPECT_EQ(verdict.signatures[0].algorithm, "ed25519-sha256");
    EXPECT_EQ(verdict.signatures[0].selector, "brisbane");
    EXPECT_EQ(verdict.signatures[1].result, dkim_result::pass) << verdict.signatures[1].reason;
    EXPECT_EQ(verdict.signatures[1].algorithm, "rsa-sha256");
    EXPECT_EQ(verdict.signatures[1].domain, "football.example.com");
    EXPECT_TRUE(verdict.signatures[1].reason.empty());
}

TEST(DkimRfc8463, NamesOfTheKeys) {
    const std::vector<std::string> expected{"brisbane._domainkey.football.example.com",
                                            "test._domainkey.football.example.com"};
    EXPECT_EQ(dkim_key_names(message), expected);
}

TEST(DkimRfc8463, BareLineFeedsChangeNothing) {
    auto unix_text = message;
    std::erase(unix_text, '\r');
    dkim_key_cache cache;
    for (const auto& signature : verify_dkim(unix_text, keys(), now, cache).signatures)
        EXPECT_EQ(signature.result, dkim_result::pass) << signature.reason;
}

// Every byte of what is signed matters: each letter of the signed fields and of the body is changed in turn.
TEST(DkimRfc8463, EveryChangedLetterIsSeen) {
    const auto from = message.find("From: Joe");
    dkim_key_cache cache;
    for (std::size_t at = from; at < message.size(); ++at) {
        if (!base::is_alnum(message[at]) || message.compare(at, 4, "From") == 0)
            continue;
        auto changed = message;
        changed[at] = changed[at] == 'x' ? 'y' : 'x';
        const auto colon = changed.rfind('\n', at) + 1;
        if (at < message.find("\r\n\r\n") && changed.find(':', colon) > at)
            continue; // a field's name: another field then, which is another test
        for (const auto& signature : verify_dkim(changed, keys(), now, cache).signatures)
            ASSERT_EQ(signature.result, dkim_result::fail) << "at " << at << ": " << changed.substr(at, 20);
    }
}

} // namespace
