// SPDX-License-Identifier: Apache-2.0
// The two protocols of lines: Postfix's tcp_table, and the one for Exim and scripts.
#include "support/front_talk.h"
#include "support/proves.h"

#include <gtest/gtest.h>

namespace mailtight::resolve {

namespace {

struct row {
    std::string asked, answered;
};

/// Each alone, and all at once in pieces of several sizes.
template<class Make>
void converse(const std::vector<row>& rows, Make make) {
    std::string asked, answered;
    for (const auto& one : rows) {
        const auto client = make();
        client->say(one.asked);
        EXPECT_EQ(client->take(), one.answered) << one.asked;
        EXPECT_FALSE(client->finished);
        EXPECT_TRUE(client->session->idle());
        asked += one.asked;
        answered += one.answered;
    }
    for (const std::size_t piece : {1u, 2u, 3u, 7u, 64u, 100'000u}) {
        const auto client = make();
        client->say(asked, piece);
        EXPECT_EQ(client->take(), answered) << piece;
    }
}

TEST(front_tcp_table, questions_and_answers) {
    house our;
    our.has("shop.example", enforcing({"mx1.shop.example"}));
    our.has("[relay.example]:587", with_dane(true));
    auto bad = decided(decision::unknown);
    bad.reason = "SERVFAIL for MX";
    bad.exception = model::policy_override{.what = model::policy_override::kind::require};
    our.has("bad.example", bad);
    converse({{"get shop.example\n", "200 secure%20match=mx1.shop.example%20servername=hostname\n"},
              {"get %73hop.example\n", "200 secure%20match=mx1.shop.example%20servername=hostname\n"},
              {"get [relay.example]:587\n", "200 dane-only\n"},
              {"get other.example\n", "500 not%20found\n"},
              {"get other.example\r\n", "500 not%20found\n"},
              {"get bad.example\n", "400 SERVFAIL%20for%20MX\n"},
              {"put shop.example secure\n", "500 put%20is%20not%20supported\n"},
              {"delete shop.example\n", "400 the%20question%20is%20no%20tcp_table%20request\n"},
              {"get %zz\n", "400 the%20question%20is%20no%20tcp_table%20request\n"},
              {"\n", "400 the%20question%20is%20no%20tcp_table%20request\n"}},
             [&] { return talk::with(our.at->tcp_table()); });
}

TEST(front_tcp_table, limits) {
    house our;
    const auto client = talk::with(our.at->tcp_table());
    client->say("get x.example\n" + std::string(10'001, 'a'));
    EXPECT_EQ(client->take(), "500 not%20found\n400 the%20question%20is%20longer%20than%2010000%20bytes\n");
    EXPECT_TRUE(client->finished);
    // A reply that the client would not take.
    std::vector<std::string> patterns;
    for (int i = 0; i < 300; ++i)
        patterns.push_back("a-rather-long-name-" + std::to_string(i) + ".example");
    our.has("long.example", enforcing(patterns));
    const auto second = talk::with(our.at->tcp_table());
    second->say("get long.example\n");
    const auto heard = second->take();
    EXPECT_TRUE(heard.starts_with("400 ")) << heard;
    EXPECT_LE(heard.size(), 4'096u);
}

TEST(front_lines, questions_and_answers) {
    PROVES("8461-4.1-a", "8461-4.1-b");
    house our;
    our.has("shop.example", enforcing({"MX1.shop.example", "*.mail.shop.example"}));
    our.has("all.example", with_dane(true));
    our.has("some.example", with_dane(false));
    auto testing = enforcing({"mx.t.example"});
    testing.what = decision::testing;
    our.has("testing.example", testing);
    our.has("none.example", decided(decision::none));
    auto bad = decided(decision::unknown);
    bad.reason = "_mta-sts cannot\nbe looked up";
    bad.mx_known = true;
    bad.mx = {{"mx.bad.example", "", host_class::none}};
    our.has("bad.example", bad);
    auto dane_unknown = decided(decision::unknown);
    our.has("unclear.example", dane_unknown);
    converse(
        {{"POLICY shop.example\n", "enforce mx1.shop.example *.mail.shop.example\n"},
         {"policy\tshop.example  \r\n", "enforce mx1.shop.example *.mail.shop.example\n"},
         {"POLICY all.example\n", "dane all\n"},
         {"POLICY some.example\n", "dane some\n"},
         {"POLICY testing.example\n", "testing mx.t.example\n"},
         {"POLICY none.example\n", "none\n"},
         {"POLICY other.example\n", "no-policy\n"},
         {"POLICY bad.example\n", "unknown _mta-sts cannot be looked up\n"},
         {"POLICY unclear.example\n", "dane some\n"},
         {"MX shop.example mx1.shop.example\n", "allow-sts\n"},
         {"MX shop.example MX1.SHOP.example.\n", "allow-sts\n"},
         {"MX shop.example a.mail.shop.example\n", "allow-sts\n"},
         {"MX shop.example a.b.mail.shop.example\n",
          "deny a.b.mail.shop.example is not admitted by the MTA-STS policy of shop.example, which names "
          "mx1.shop.example, *.mail.shop.example\n"},
         {"MX shop.example 192.0.2.1\n",
          "deny 192.0.2.1 is not admitted by the MTA-STS policy of shop.example, which names "
          "mx1.shop.example, *.mail.shop.example\n"},
         {"MX testing.example anything.example\n", "allow\n"},
         {"MX all.example mx1.all.example\n", "allow\n"},
         {"MX other.example mx.other.example\n", "allow\n"},
         {"MX bad.example mx.bad.example\n", "deny _mta-sts cannot be looked up\n"},
         {"MX shop.example\n", "error ask MX domain host\n"},
         {"\n", "error ask POLICY domain, MX domain host or FAILED domain words\n"},
         {"POLICY\n", "error ask POLICY domain, MX domain host or FAILED domain words\n"},
         {"HELO shop.example\n", "error there is no command HELO; ask POLICY, MX or FAILED\n"}},
        [&] { return talk::with(our.at->lines()); });
}

TEST(front_lines, dane_that_the_mail_server_cannot_do) {
    house our({.replies = {.mta_has_dane = false}});
    our.has("all.example", with_dane(true));
    our.has("some.example", with_dane(false));
    auto both = with_dane(true);
    both.policy = held(sts::mode::enforce, {"mx1.shop.example"});
    our.has("both.example", both);
    our.has("unclear.example", decided(decision::unknown));
    const std::string reason = "the TLS policy of shop.example cannot be known at the moment\n";
    converse({{"POLICY all.example\n", "encrypt\n"},
              {"POLICY some.example\n", "no-policy\n"},
              {"POLICY both.example\n", "enforce mx1.shop.example\n"},
              {"MX both.example mx1.shop.example\n", "allow-sts\n"},
              {"POLICY unclear.example\n", "unknown " + reason},
              {"MX unclear.example mx\n", "deny " + reason}},
             [&] { return talk::with(our.at->lines()); });
}

TEST(front_lines, a_failed_delivery_is_told) {
    house our;
    const auto client = talk::with(our.at->lines());
    client->say("FAILED shop.example certificate\tof mx1 has \x07 expired\nfailed shop.example again\n");
    EXPECT_EQ(client->take(), "looking\ntoo-soon\n");
    ASSERT_EQ(our.source->failed.size(), 2u);
    EXPECT_EQ(our.source->failed[0].first, "shop.example");
    EXPECT_EQ(our.source->failed[0].second, "certificate of mx1 has expired");
}

TEST(front_lines, exim_closes_its_side_behind_the_question) {
    for (const std::string end : {"", "\n"})
        for (const bool slow : {false, true}) {
            house our;
            our.has("shop.example", enforcing({"mx1.shop.example"}));
            if (slow)
                our.source->slow = {"shop.example"};
            const auto client = talk::with(our.at->lines());
            client->say("POLICY other.example\nPOLICY shop.example" + end, 5);
            client->half_close();
            EXPECT_EQ(client->session->idle(), !slow);
            our.loop.run();
            EXPECT_EQ(client->take(), "no-policy\nenforce mx1.shop.example\n");
            EXPECT_TRUE(client->session->idle());
        }
    // The last question fills the queue: it is answered once, though the connection still keeps it.
    house tight({.pipeline = 2});
    tight.source->slow = {"slow.example"};
    const auto once = talk::with(tight.at->lines());
    once->say("POLICY slow.example\nMX a b");
    once->half_close();
    tight.loop.run();
    EXPECT_EQ(once->take(), "no-policy\nallow\n");
    // More than may be under way, the last without a line end.
    house our({.pipeline = 4});
    our.source->stuck = {"stuck.example"};
    const auto client = talk::with(our.at->lines());
    std::string asked, answered;
    for (int i = 0; i < 20; ++i) {
        asked += "POLICY stuck.example\n";
        answered += "no-policy\n";
    }
    client->say(asked + "MX a b");
    client->half_close();
    our.source->release();
    our.loop.run();
    EXPECT_EQ(client->take(), answered + "allow\n");
    EXPECT_TRUE(client->session->idle());
}

TEST(front_lines, limits) {
    house our;
    const auto client = talk::with(our.at->lines());
    client->say("POLICY " + std::string(9'993, 'a') + "\n");
    EXPECT_EQ(client->take(), "no-policy\n");
    client->say(std::string(10'001, 'a'));
    EXPECT_EQ(client->take(), "error the question is longer than 10000 bytes\n");
    EXPECT_TRUE(client->finished);
}

} // namespace

} // namespace mailtight::resolve
