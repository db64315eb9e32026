// SPDX-License-Identifier: Apache-2.0
// What leaves the program: signatures of webhooks, mails to people, the synthetic report; and the forms in
// which mutes and batches are written down.
#include "app/import_batch.h"
#include "app/outgoing.h"
#include "app/report_facts.h"
#include "app/report_test.h"
#include "app/store_access.h"
#include "base/encode.h"
#include "intake/examine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::app {
namespace {

using testing::HasSubstr;

constexpr auto noon = "2026-01-02T12:00:00Z";

TEST(hmac, gives_the_values_of_RFC_4231) {
    EXPECT_EQ(base::hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(base::hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(base::hex(hmac_sha256(std::string(131, '\xaa'),
                                    "Test Using Larger Than Block-Size Key - Hash Key First")),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(webhook, is_signed_over_time_and_body) {
    const auto at = *base::parse_utc(noon);
    const auto signature = webhook_signature("secret", "{}", at);
    EXPECT_EQ(signature, "t=1767355200,v1=" + base::hex(hmac_sha256("secret", "1767355200.{}")));
    EXPECT_NE(signature, webhook_signature("secret", "{ }", at));
    EXPECT_NE(signature, webhook_signature("other", "{}", at));
}

TEST(token, is_long_different_each_time_and_of_letters_and_digits) {
    const auto one = random_token(), other = random_token();
    EXPECT_EQ(one.size(), 24u);
    EXPECT_NE(one, other);
    EXPECT_EQ(one.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567"), std::string::npos);
}

TEST(letter, is_a_message_that_nothing_in_it_can_break) {
    const insight::letter letter{"Naïve €\r\nBcc: victim@example.com " + std::string(200, 'x'),
                                 "Grüße\n.\nend\n"};
    const auto message = text_message(letter, "mailtight@mx.example.com", {"a@example.com", "b@example.com"},
                                      "mx.example.com", *base::parse_utc(noon), "unique");
    auto read = mail::read_message(message);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->header("To"), "a@example.com, b@example.com");
    EXPECT_EQ(read->header("Bcc"), "") << "no field comes out of a subject";
    EXPECT_THAT(std::string(read->header("Subject")), HasSubstr("Naïve €\\r\\nBcc: victim@example.com"));
    EXPECT_EQ(read->date(), base::parse_utc(noon));
    ASSERT_EQ(read->parts.size(), 1u);
    EXPECT_EQ(read->parts[0].bytes, letter.text);
    for (std::size_t at = 0, end; (end = message.find("\r\n", at)) != std::string::npos; at = end + 2)
        EXPECT_LE(end - at, 78u) << message.substr(at, end - at);
    EXPECT_EQ(message.find("\r\n.\r\n"), std::string::npos);
}

TEST(test_report, is_read_like_a_senders_and_found_by_its_token) {
    const auto at = *base::parse_utc(noon);
    const std::string token = random_token();
    const auto message = test_message("example.com", "mx.example.org", "mailtight@mx.example.org",
                                      "tls-report@reports.example.com", token, at);
    intake::examiner examiner;
    intake::circumstances how;
    how.way = model::way_in::lmtp;
    how.now = at;
    const auto found = examiner.examine(message, how, *intake::key_file::parse(""));
    EXPECT_TRUE(found.errors.empty());
    ASSERT_EQ(found.reports.size(), 1u);
    const auto& report = found.reports[0];
    EXPECT_EQ(report.test_token, token);
    EXPECT_EQ(report.report_domain, "example.com");
    EXPECT_EQ(report.submitter, "mx.example.org");
    EXPECT_EQ(report.report.start, *base::parse_utc("2026-01-01T00:00:00Z"));
    EXPECT_EQ(report.report.end, *base::parse_utc("2026-01-01T23:59:59Z"));
    for (const auto& warning : report.report.warnings)
        ADD_FAILURE() << tlsrpt::to_string(warning.code) << " " << warning.where << " " << warning.detail;
    how.way = model::way_in::https;
    const auto posted =
        examiner.examine(test_body("example.com", "mx.example.org", "mailtight@mx.example.org", token, at),
                         how, *intake::key_file::parse(""));
    ASSERT_EQ(posted.reports.size(), 1u);
    EXPECT_EQ(posted.reports[0].test_token, token);
}

TEST(batch, comes_out_as_it_went_in) {
    std::string packed;
    pack(packed, {.name = "a,b:c", .bytes = std::string("x\0y,3:", 6)});
    pack(packed, {.name = "", .bytes = ""});
    const auto out = unpack(packed);
    ASSERT_TRUE(out);
    ASSERT_EQ(out->size(), 2u);
    EXPECT_EQ((*out)[0].name, "a,b:c");
    EXPECT_EQ((*out)[0].bytes, std::string("x\0y,3:", 6));
    EXPECT_EQ((*out)[1].bytes, "");
    EXPECT_EQ(unpack("")->size(), 0u);
}

TEST(batch, that_nobody_packed_is_refused) {
    for (const char* bad : {"x", "1", "1:", "1:a", "1:a,", "1:a,2:b,", "1:a,1:bb", "-1:a,1:b,", "1:a,1:b,x",
                            "99999999999999999999:a,", "18446744073709551615:a,", "4294967295:a,1:b,"})
        EXPECT_FALSE(unpack(bad)) << bad;
    std::string many;
    for (std::size_t i = 0; i <= batch_inputs; ++i)
        pack(many, {.name = "n", .bytes = "b"});
    EXPECT_FALSE(unpack(many)) << "more than a batch holds";
}

TEST(mute, is_written_and_read_back) {
    const insight::mute mute{.key = "new-failure/example.com/",
                             .until = *base::parse_utc("2030-01-31T23:59:59Z"),
                             .why = "mx moves: two words"};
    const auto [name, value] = mute_fact(mute);
    const auto back = parse_mute(name, value);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->key, mute.key);
    EXPECT_EQ(back->until, mute.until);
    EXPECT_EQ(back->why, mute.why);
    EXPECT_TRUE(parse_mute("mute/x", "2030-01-31T23:59:59Z"));
    EXPECT_FALSE(parse_mute("alarm/x", value));
    EXPECT_FALSE(parse_mute("mute/x", "some day"));
    EXPECT_FALSE(parse_mute("mute/x", ""));
}

TEST(store_place, is_shown_without_the_password) {
    EXPECT_EQ(store_name("/var/lib/mailtight/mailtight.db"), "/var/lib/mailtight/mailtight.db");
    EXPECT_EQ(store_name("postgresql://mt:s3cret@db.example/reports"),
              "postgresql://mt:***@db.example/reports");
    EXPECT_EQ(store_name("postgresql://mt@db.example/reports"), "postgresql://mt@db.example/reports");
    EXPECT_EQ(store_name("host=db dbname=reports password=s3cret user=mt"),
              "host=db dbname=reports password=*** user=mt");
}

TEST(our_domains, come_from_the_keys_and_the_file) {
    settings set;
    set.domains = {"Example.COM", "bücher.example"};
    EXPECT_EQ(*our_domains(set), (std::vector<std::string>{"example.com", "xn--bcher-kva.example"}));
    set.domains = {"a..b"};
    EXPECT_FALSE(our_domains(set));
    set.domains.clear();
    set.domains_file = "/does/not/exist";
    EXPECT_FALSE(our_domains(set));
}

} // namespace
} // namespace mailtight::app
