// SPDX-License-Identifier: Apache-2.0
// What came back, from the servers that send it, and what is not believed.
#include "deliver/bounce.h"

#include "deliver/compose.h"
#include "mail/message.h"
#include "unit/deliver/bounces.h"
#include "unit/deliver/some_results.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <chrono>

namespace mailtight::deliver {
namespace {

using namespace testing;

struct row {
    const char* from;
    const std::string& mail;
    bool permanent;
    const char* words;
};
TEST(bounce, is_read_from_every_server) {
    const std::vector<row> rows{
        {"Postfix", bounces::postfix, true,
         "550 5.1.1 <tls@example.com>: Recipient address rejected: no such user"},
        {"Postfix, after its queue's time", bounces::postfix_expired, false,
         "connect to mx.example.com[198.51.100.1]:25: Connection timed out"},
        {"Postfix, not yet", bounces::postfix_delayed, false, ""},
        {"Sendmail", bounces::sendmail, true, "550 Host unknown"},
        {"Exchange", bounces::exchange, true,
         "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient tls@example.com not found by SMTP address "
         "lookup"},
        {"Exchange, nothing returned", bounces::exchange_without_mail, true,
         "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient tls@example.com not found by SMTP address "
         "lookup"},
        {"Exim", bounces::exim, true, "550 no such user"},
        {"Exim of old", bounces::old_exim, true, ""},
    };
    for (const auto& [from, mail, permanent, words] : rows) {
        auto unix_ends = mail;
        std::erase(unix_ends, '\r');
        for (const auto& text : {mail, unix_ends}) {
            const auto read = read_bounce(text);
            ASSERT_TRUE(read) << from;
            EXPECT_EQ(read->report_id, bounces::id) << from;
            EXPECT_EQ(read->tag, "d17") << from;
            EXPECT_EQ(read->recipient, "tls@example.com") << from;
            EXPECT_EQ(read->permanent, permanent) << from;
            EXPECT_EQ(read->words, words) << from;
        }
    }
    const auto global = read_bounce(bounces::international);
    ASSERT_TRUE(global);
    EXPECT_EQ(global->recipient, "t\xc3\xbcls@example.com");
}

TEST(bounce, names_the_report_that_was_mailed) {
    const auto who = some_reporter();
    const auto filed = file_report(who, due_for("example.com"), 0, std::vector{some_result()}, {});
    for (const std::string tag : {"d17-0123456789abcdef", "d18-fedcba9876543210"}) {
        model::outgoing_delivery to;
        to.tag = tag;
        to.address = "tls@example.com";
        const auto mail = make_mail(who, filed, to, {}, some_day);
        auto returned = bounces::postfix;
        const auto at = returned.find(bounces::returned);
        returned.replace(at, bounces::returned.size(), mail.substr(0, mail.find("\r\n\r\n") + 2));
        const auto read = read_bounce(returned);
        ASSERT_TRUE(read);
        EXPECT_EQ(read->report_id, filed.report_id);
        EXPECT_EQ(read->tag, tag);
    }
}

TEST(bounce, of_nothing_but_the_beginnings_of_ids_costs_little) {
    const auto begin = std::chrono::steady_clock::now();
    const std::string many(60'000, '<');
    auto mail = bounces::exchange_without_mail;
    const auto at = mail.find("<d17." + bounces::id);
    ASSERT_NE(at, std::string::npos);
    EXPECT_FALSE(read_bounce(mail.replace(at, 1, many + std::string(4'000, ' ') + "x")));
    std::string lines = "X-Failed-Recipients: tls@example.com\r\n\r\nThis is a copy of \r\n";
    while (lines.size() < 1'000'000)
        lines += "message-id:" + many.substr(0, 900) + "\r\n";
    EXPECT_FALSE(read_bounce(lines));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(bounce, of_several_recipients_tells_the_one_that_failed) {
    auto mail = bounces::postfix;
    const std::string good =
        "Final-Recipient: rfc822; copy@example.net\r\nAction: delivered\r\nStatus: 2.0.0\r\n\r\n";
    mail.insert(mail.find("Final-Recipient"), good);
    const auto read = read_bounce(mail);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->recipient, "tls@example.com");
    EXPECT_TRUE(read->permanent);
}

struct change {
    std::string from, to;
    const char* why;
};
TEST(bounce, is_none_where_it_names_nothing_of_ours) {
    const std::vector<change> bad{
        {"<d17." + bounces::id, "<CAF@mail.example.org", "another mail"},
        {".abcdefghijkl2345.", ".abc.", "an id of another form"},
        {"d17.20260102", "d17.2026010x", "no date"},
        {"d17.20260102", "d.17.20260102", "two labels in front"},
        {"d17.20260102", "20260102", "no tag: everybody can work out the rest"},
        {"message/delivery-status", "text/plain", "no status: words alone are no bounce"},
        {"rfc822; tls@example.com\r\nOriginal-Recipient: rfc822;tls@example.com", "rfc822; \r\nX: y",
         "nobody"},
        {"Message-ID:\r\n <d17", "X-Message-ID:\r\n <d17", "no Message-ID"},
    };
    for (const auto& [from, to, why] : bad) {
        auto mail = bounces::postfix;
        const auto at = mail.rfind(from);
        ASSERT_NE(at, std::string::npos) << why;
        EXPECT_FALSE(read_bounce(mail.replace(at, from.size(), to))) << why;
    }
    EXPECT_FALSE(read_bounce(""));
    EXPECT_FALSE(read_bounce("hello"));
    EXPECT_FALSE(read_bounce(bounces::returned + "\r\nbody")) << "the report itself, to ourselves";
}

TEST(bounce, shows_only_words_that_can_be_shown) {
    auto mail = bounces::postfix;
    const std::string from = "no such user";
    mail.replace(mail.find(from), from.size(), "\x1b[2J\xff\xe2\x80\xae" + std::string(50'000, 'x'));
    const auto read = read_bounce(mail);
    ASSERT_TRUE(read);
    EXPECT_LE(read->words.size(), 300u);
    for (const char c : read->words)
        EXPECT_TRUE(c >= ' ' || c < 0);
    EXPECT_EQ(read->words.find("\xe2\x80\xae"), std::string::npos);
}

RC_GTEST_PROP(bounce, takes_any_change, ()) {
    auto mail = *rc::gen::element(bounces::postfix, bounces::exchange, bounces::old_exim);
    const int changes = *rc::gen::inRange(1, 20);
    for (int i = 0; i < changes; ++i) {
        const auto at = *rc::gen::inRange<std::size_t>(0, mail.size());
        if (*rc::gen::arbitrary<bool>())
            mail.erase(at, *rc::gen::inRange<std::size_t>(1, 40));
        else
            mail.insert(at, *hostile_text());
    }
    if (const auto read = read_bounce(mail)) {
        RC_ASSERT(read->report_id.find('@') != std::string::npos);
        RC_ASSERT(read->recipient.find('@') != std::string::npos);
        RC_ASSERT(read->words.size() <= 300U);
    }
}

} // namespace
} // namespace mailtight::deliver
