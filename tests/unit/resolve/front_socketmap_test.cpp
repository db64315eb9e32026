// SPDX-License-Identifier: Apache-2.0
// The socketmap protocol as its clients speak it, and as nobody should.
#include "support/front_talk.h"
#include "support/proves.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::resolve {

namespace {

const std::string secure = "OK secure match=mx1.shop.example servername=hostname";

/// What the log of a mail server says whose table has a wrong name: short enough for it not to be cut.
std::string no_map(const std::string& name) {
    return "PERM there is no map '" + name +
           "' here: its name, the last word of the table, is postfix, postfix-legacy, postfix-3.10, sts, "
           "QUERY, "
           "QUERYwithTLSRPT or one of resolve.map-names";
}

TEST(front_socketmap, questions_and_answers) {
    house our;
    our.has("shop.example", enforcing({"mx1.shop.example"}));
    our.has("dane.example", with_dane(true));
    auto bad = decided(decision::unknown);
    bad.reason = "SERVFAIL";
    our.has("bad.example", bad);
    struct row {
        std::string asked, answered;
    };
    const row rows[] = {
        {"postfix shop.example", secure},
        {"POSTFIX shop.example", secure},
        {"QUERY shop.example", secure},
        {"query shop.example", secure},
        {"postfix-legacy shop.example", "OK secure match=mx1.shop.example"},
        {"sts shop.example", secure},
        {"postfix dane.example", "OK dane-only"},
        {"sts bad.example", "TEMP SERVFAIL"},
        {"postfix other.example", "NOTFOUND "},
        {"postfix .example", "NOTFOUND "},
        {"postfix ", "NOTFOUND "},
        {"QUERY", "NOTFOUND "},
        {"nobody shop.example", no_map("nobody")},
        {"", no_map("")},
        {std::string("\x1b[2J\0 x", 7), no_map("\\x1b[2J\\x00")},
    };
    std::string asked, answered;
    for (const auto& one : rows) {
        const auto client = talk::with(our.at->socketmap());
        client->say(net(one.asked));
        EXPECT_EQ(client->take(), net(one.answered)) << one.asked;
        EXPECT_TRUE(client->session->idle());
        EXPECT_FALSE(client->finished) << "a question that makes no sense does not end the connection";
        asked += net(one.asked);
        answered += net(one.answered);
    }
    // All on one connection, cut at every length up to 9 and at once.
    for (std::size_t piece = 1; piece < 10; ++piece) {
        const auto client = talk::with(our.at->socketmap());
        client->say(asked, piece);
        EXPECT_EQ(client->take(), answered) << piece;
    }
    const auto client = talk::with(our.at->socketmap());
    client->say(asked);
    EXPECT_EQ(client->take(), answered);
}

TEST(front_socketmap, bytes_that_are_no_question) {
    struct row {
        std::string bytes, answered;
        std::string why;
    };
    const row rows[] = {
        {"hello\n", "", "no length"},
        {"GET /metrics HTTP/1.1\r\n", "", "another protocol"},
        {"3:abc;", "", "no comma"},
        {"-1:,", "", "a negative length"},
        {"03:abc,", "", "a leading zero"},
        {"99999999999999999999999:", net("PERM the question is longer than 10000 bytes"),
         "beyond any number"},
        {"20000:", net("PERM the question is longer than 10000 bytes"), "over the limit"},
    };
    for (const auto& one : rows) {
        SCOPED_TRACE(one.why);
        house our;
        const auto client = talk::with(our.at->socketmap());
        client->say(net("postfix x.example") + one.bytes + net("postfix y.example"), 3);
        EXPECT_TRUE(client->finished);
        const auto heard = client->take();
        EXPECT_TRUE(heard.starts_with(net("NOTFOUND "))) << "what was asked before is answered";
        if (one.why != "beyond any number") // which is broken or too long, as the reader sees fit
            EXPECT_EQ(heard, net("NOTFOUND ") + one.answered);
        EXPECT_TRUE(client->session->idle());
    }
}

TEST(front_socketmap, long_keys) {
    house our;
    const auto client = talk::with(our.at->socketmap());
    client->say(net("postfix " + std::string(10'000, 'a')));
    EXPECT_EQ(client->take(), net("NOTFOUND "));
    client->say(net("postfix " + std::string(10'001, 'a')));
    EXPECT_EQ(client->take(), net("PERM the key is longer than 10000 bytes"));
    EXPECT_FALSE(client->finished);
    EXPECT_EQ(our.source->asked, 1u);
}

TEST(front_socketmap, answers_keep_the_order_of_the_questions) {
    house our;
    our.has("slow.example", with_dane(true));
    our.has("shop.example", enforcing({"mx1.shop.example"}));
    our.source->slow = {"slow.example"};
    our.source->stuck = {"stuck.example"};
    const auto client = talk::with(our.at->socketmap());
    client->say(net("postfix shop.example") + net("postfix stuck.example") + net("postfix shop.example") +
                net("postfix slow.example") + net("nobody x"));
    EXPECT_EQ(client->take(), net(secure)) << "what needs no look-up goes out at once";
    EXPECT_FALSE(client->session->idle());
    our.loop.block_on(our.loop.sleep_for(std::chrono::milliseconds{20}));
    EXPECT_EQ(client->take(), "") << "the slow answer is there, and waits for its turn";
    our.source->release();
    our.loop.run();
    EXPECT_EQ(client->take(), net("NOTFOUND ") + net(secure) + net("OK dane-only") + net(no_map("nobody")));
    EXPECT_TRUE(client->session->idle());
}

TEST(front_socketmap, only_so_many_questions_are_under_way) {
    house our({.pipeline = 8});
    our.source->stuck = {"stuck.example"};
    const auto client = talk::with(our.at->socketmap());
    std::string asked, answered;
    for (int i = 0; i < 100; ++i) {
        asked += net(i % 10 == 0 ? "postfix stuck.example" : fmt::format("postfix d{}.example", i));
        answered += net("NOTFOUND ");
    }
    client->say(asked);
    EXPECT_EQ(our.source->asked, 8u);
    EXPECT_GT(client->waiting(), 0u) << "the rest stays with the client";
    our.source->release();
    our.loop.run();
    EXPECT_EQ(client->take(), answered);
    EXPECT_EQ(client->waiting(), 0u);
}

TEST(front_socketmap, a_client_that_leaves_takes_nobody_with_it) {
    house our;
    our.source->stuck = {"stuck.example"};
    const auto client = talk::with(our.at->socketmap());
    client->say(net("postfix stuck.example") + net("postfix x.example"));
    client->hang_up();
    our.source->release();
    our.loop.run();
    EXPECT_EQ(client->take(), "");
    // The look-up was not in vain.
    const auto next = talk::with(our.at->socketmap());
    next->say(net("postfix stuck.example"));
    EXPECT_EQ(our.source->repeated, 1u);
}

TEST(front_socketmap, a_half_closed_client_gets_its_answers) {
    house our;
    our.source->stuck = {"stuck.example"};
    const auto client = talk::with(our.at->socketmap());
    client->say(net("postfix stuck.example") + net("postfix x.example"));
    client->half_close();
    EXPECT_FALSE(client->session->idle());
    our.source->release();
    our.loop.run();
    EXPECT_EQ(client->take(), net("NOTFOUND ") + net("NOTFOUND "));
    EXPECT_TRUE(client->session->idle());
}

TEST(front_socketmap, answers_are_repeated_while_they_hold) {
    house our;
    our.has("shop.example", enforcing({"mx1.shop.example"}));
    const auto client = talk::with(our.at->socketmap());
    const auto ask = [&](const std::string& what = "postfix shop.example") {
        client->say(net(what));
        return client->take();
    };
    EXPECT_EQ(ask(), net(secure));
    EXPECT_EQ(ask(), net(secure));
    EXPECT_EQ(our.source->asked, 1u);
    EXPECT_EQ(our.source->repeated, 1u) << "the service hears of it";
    EXPECT_EQ(ask("postfix-legacy shop.example"), net("OK secure match=mx1.shop.example"))
        << "another dialect is another answer";
    EXPECT_EQ(our.source->asked, 2u);
    our.clock.at += std::chrono::minutes{5} - std::chrono::seconds{1};
    ask();
    EXPECT_EQ(our.source->asked, 2u);
    our.clock.at += std::chrono::seconds{1}; // good_until
    ask();
    EXPECT_EQ(our.source->asked, 3u);
    // Something newer is known.
    our.clock.at = noon;
    const auto old = our.source->answers["shop.example"];
    EXPECT_EQ(ask("QUERY shop.example"), net(secure));
    old->superseded = true;
    our.has("shop.example", enforcing({"mx2.shop.example"}));
    EXPECT_EQ(ask(), net("OK secure match=mx2.shop.example servername=hostname"));
    EXPECT_EQ(ask("QUERY shop.example"), net("OK secure match=mx2.shop.example servername=hostname"));
}

TEST(front_socketmap, map_names_of_older_services) {
    house our({.aliases = {{"Zone1", dialect::postfix_legacy}, {"query", dialect::postfix}}});
    our.has("shop.example", enforcing({"*.shop.example"}, {"mx1.shop.example"}));
    const auto client = talk::with(our.at->socketmap());
    client->say(net("zone1 shop.example"));
    EXPECT_EQ(client->take(), net("OK secure match=mx1.shop.example"));
    client->say(net("QUERY shop.example")); // the operator's word comes first
    EXPECT_EQ(client->take(), net(secure));
}

TEST(front_socketmap, the_further_verbs_of_postfix_tlspol) {
    house our;
    auto both = with_dane(true);
    both.policy = held(sts::mode::enforce, {"mx1.shop.example"});
    both.expires_at = noon + std::chrono::seconds{86'400};
    our.has("shop.example", both);
    const auto client = talk::with(our.at->socketmap(), from("127.0.0.9"));
    client->say(net("JSON shop.example"));
    our.loop.run();
    const auto json = boost::json::parse(client->take());
    EXPECT_EQ(json.at("domain"), "shop.example");
    EXPECT_EQ(json.at("dane").at("policy"), "dane-only");
    EXPECT_EQ(json.at("dane").at("ttl").to_number<int>(), 300);
    EXPECT_EQ(json.at("mta-sts").at("policy"), "secure match=mx1.shop.example servername=hostname");
    EXPECT_TRUE(
        json.at("mta-sts").at("report").as_string().starts_with("policy_type=sts policy_domain=shop."));
    EXPECT_EQ(json.at("mta-sts").at("ttl").to_number<int>(), 86'400);
    EXPECT_EQ(our.source->live, 1u);
    EXPECT_FALSE(client->finished);

    const auto keep = [&](std::string domain, sts::held_policy policy) {
        model::kept_policy one;
        one.domain = std::move(domain);
        one.state.held = std::move(policy);
        our.source->remembered.push_back(std::move(one));
    };
    keep("shop.example", held(sts::mode::enforce, {"*.shop.example"}));
    keep("a.example", held(sts::mode::enforce, {"mx.a.example"}));
    keep("testing.example", held(sts::mode::testing, {"mx.testing.example"}));
    keep("lifted.example", held(sts::mode::enforce, {"mx.lifted.example"}));
    keep("hostile.example", held(sts::mode::enforce, {"nexthop"}));
    auto old = held(sts::mode::enforce, {"mx.old.example"});
    old.fetched_at = noon - std::chrono::seconds{604'801};
    keep("old.example", old);
    model::policy_override exempt, pin, past;
    exempt.domain = "lifted.example";
    pin.domain = "pinned.example";
    pin.what = model::policy_override::kind::pin;
    pin.mx = {"mx.pinned.example"};
    past.domain = "a.example";
    past.until = noon;
    our.source->exceptions = {exempt, pin, past};
    client->say(net("EXPORT"));
    our.loop.run();
    EXPECT_EQ(client->take(),
              "a.example                    secure match=mx.a.example servername=hostname\n"
              "pinned.example               secure match=mx.pinned.example servername=hostname\n"
              "shop.example                 secure match=.shop.example servername=hostname\n");
    EXPECT_TRUE(client->finished);

    const auto second = talk::with(our.at->socketmap(), from("::1"));
    second->say(net("QUERY shop.example") + net("QUERY shop.example"));
    EXPECT_EQ(second->take(), net("OK dane-only") + net("OK dane-only"));
    second->say(net("dump"));
    our.loop.run();
    EXPECT_EQ(second->take(),
              "shop.example                       2  secure match=.shop.example servername=hostname\n"
              "a.example                          0  secure match=mx.a.example servername=hostname\n"
              "pinned.example                     0  secure match=mx.pinned.example servername=hostname\n");
    EXPECT_TRUE(second->finished);

    const auto third = talk::with(our.at->socketmap()); // a unix socket
    third->say(net("PURGE") + net("QUERY shop.example"));
    our.loop.run();
    EXPECT_EQ(third->take(), "OK\n") << "and closes";
    EXPECT_TRUE(third->finished);
    EXPECT_EQ(our.source->purged, 1u);
    const auto asked = our.source->asked;
    const auto fourth = talk::with(our.at->socketmap());
    fourth->say(net("QUERY shop.example"));
    EXPECT_EQ(our.source->asked, asked + 1) << "nothing is repeated after a purge";
}

TEST(front_socketmap, a_long_list_is_made_in_many_turns_of_the_loop) {
    constexpr int many = 5'000;
    house our;
    std::string expected;
    for (int i = 0; i < many; ++i) {
        model::kept_policy one;
        one.domain = fmt::format("d{:04}.example", i * 7 % many); // in no order
        one.state.held = held(sts::mode::enforce, {"mx." + one.domain});
        our.source->remembered.push_back(std::move(one));
        expected +=
            fmt::format("d{:04}.example{:15} secure match=mx.d{:04}.example servername=hostname\n", i, "", i);
    }
    const auto client = talk::with(our.at->socketmap());
    client->say(net("EXPORT"));
    int turns = 0, beginnings = 0; // of others; and looks at which a part was there
    our.loop.spawn([](house& in, talk& who, int& counted, int& partly) -> io::task<> {
        for (; !who.finished; ++counted) {
            partly += who.heard.empty() ? 0 : 1;
            co_await in.loop.sleep_for(std::chrono::milliseconds(0));
        }
    }(our, *client, turns, beginnings));
    our.loop.run();
    EXPECT_EQ(client->take(), expected);
    EXPECT_GE(turns, 15);
    EXPECT_GE(beginnings, 5);

    const auto gone = talk::with(our.at->socketmap());
    gone->say(net("DUMP"));
    gone->hang_up(); // nobody listens: it ends all the same
    our.loop.run();
}

TEST(front_socketmap, the_further_verbs_are_for_this_machine) {
    for (const std::string verb : {"JSON shop.example", "DUMP", "EXPORT", "PURGE"})
        for (const std::string address : {"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "10.0.0.1"}) {
            house our;
            const auto client = talk::with(our.at->socketmap(), from(address));
            client->say(net("postfix x.example") + net(verb) + net("postfix x.example"));
            our.loop.run();
            EXPECT_EQ(client->take(), net("NOTFOUND ") + net("PERM only for clients on this machine"));
            EXPECT_TRUE(client->finished);
            EXPECT_EQ(our.source->purged + our.source->live, 0u);
        }
}

} // namespace

} // namespace mailtight::resolve
