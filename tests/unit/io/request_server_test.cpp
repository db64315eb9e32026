// SPDX-License-Identifier: Apache-2.0
// The server of small requests with clients that behave.
#include "request_sessions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

using namespace mailtight;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;
using tests::beside;
using tests::eventually;
using tests::netstring;
using tests::raw_client;
using tests::scripted_server;

namespace {

/// Reads exactly what is expected, or what else came.
std::string read(const raw_client& from, std::size_t size) {
    std::string bytes;
    while (bytes.size() < size) {
        const auto more = from.some();
        if (more.empty())
            break;
        bytes += more;
    }
    return bytes;
}

std::string ask(io::loop& on, const raw_client& client, const std::string& bytes,
                const std::string& expected) {
    return beside(on, [&] {
        client.send(bytes);
        return read(client, expected.size());
    });
}

TEST(RequestServer, AnswersOverTcp) {
    io::loop on;
    scripted_server server(on);
    EXPECT_THAT(server.server.address(), StartsWith("127.0.0.1:"));
    const auto client = raw_client::tcp(server.port());
    for (const std::string text : {"one", "two", "", "three"})
        EXPECT_EQ(ask(on, client, netstring("echo " + text), netstring(text)), netstring(text));
    ASSERT_EQ(server.script.peers.size(), 1u);
    ASSERT_TRUE(server.script.peers[0].address);
    EXPECT_EQ(server.script.peers[0].address->address.to_string(), "127.0.0.1");
    EXPECT_EQ(server.script.called, 4u) << "one look a request";
    EXPECT_EQ(server.server.open_connections(), 1u);
}

TEST(RequestServer, AnswersOverUnix) {
    io::loop on;
    const tests::scratch_folder folder;
    const auto path = folder / "asked.sock";
    scripted_server server(on, {}, "unix:" + path + ",mode=0666");
    EXPECT_EQ(server.server.address(), "unix:" + path + ",mode=0666");
    struct stat made{};
    ASSERT_EQ(::stat(path.c_str(), &made), 0);
    EXPECT_EQ(made.st_mode & 0777, 0666u);
    const auto client = raw_client::local(path);
    EXPECT_EQ(ask(on, client, netstring("echo hello"), netstring("hello")), netstring("hello"));
    ASSERT_TRUE(server.script.peers.at(0).user);
    EXPECT_EQ(server.script.peers[0].user->uid, ::getuid());
    EXPECT_EQ(server.script.peers[0].user->pid, ::getpid());
}

TEST(RequestServer, ListensAtSeveralAddresses) {
    io::loop on;
    scripted_server server(on, {}, "127.0.0.1:0");
    const auto first = server.port();
    ASSERT_TRUE(server.server.listen(tests::listening_at("[::1]:0")));
    EXPECT_THAT(server.server.address(), HasSubstr(", [::1]:"));
    const auto four = raw_client::tcp(first), six = raw_client::tcp(server.port(), "::1");
    EXPECT_EQ(ask(on, four, netstring("echo 4"), netstring("4")), netstring("4"));
    EXPECT_EQ(ask(on, six, netstring("echo 6"), netstring("6")), netstring("6"));
    EXPECT_EQ(server.server.open_connections(), 2u);
    EXPECT_FALSE(server.server.listen(tests::listening_at("127.0.0.1:" + std::to_string(first))))
        << "another listens there";
}

TEST(RequestServer, EverySplit) {
    io::loop on;
    scripted_server server(on);
    const auto client = raw_client::tcp(server.port());
    const auto bytes = netstring("echo first") + netstring("echo second, with more in it");
    const auto expected = netstring("first") + netstring("second, with more in it");
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
        const auto got = beside(on, [&] {
            client.send(bytes.substr(0, cut));
            std::this_thread::sleep_for(1ms);
            client.send(bytes.substr(cut));
            return read(client, expected.size());
        });
        EXPECT_EQ(got, expected) << cut;
    }
    const auto got = beside(on, [&] {
        for (const char c : bytes) {
            client.send({&c, 1});
            std::this_thread::sleep_for(200us);
        }
        return read(client, expected.size());
    });
    EXPECT_EQ(got, expected) << "byte by byte";
}

TEST(RequestServer, AnswersAPipelineInOrder) {
    io::loop on;
    scripted_server server(on);
    const auto client = raw_client::tcp(server.port());
    std::string bytes, expected;
    for (int i = 0; i < 20'000; ++i) {
        bytes += netstring("echo " + std::to_string(i));
        expected += netstring(std::to_string(i));
    }
    const auto got = beside(on, [&] {
        auto sends = std::async(std::launch::async, [&] { return client.send(bytes); });
        auto answers = read(client, expected.size());
        EXPECT_TRUE(sends.get());
        return answers;
    });
    EXPECT_TRUE(got == expected);
}

TEST(RequestServer, AnswersLater) {
    io::loop on;
    scripted_server server(on);
    const auto client = raw_client::tcp(server.port());
    client.send(netstring("later a") + netstring("echo b"));
    ASSERT_TRUE(eventually(on, [&] { return server.script.owed_now() == 1; }));
    server.script.answer_all();
    const auto expected = netstring("b") + netstring("a");
    EXPECT_EQ(beside(on, [&] { return read(client, expected.size()); }), expected);
}

// A session with as much under way as it takes reads on when it has answered; nothing is lost, however much
// the client sends ahead.
TEST(RequestServer, AFullSessionReadsOn) {
    io::loop on;
    scripted_server server(on, {.request_bytes = 200});
    server.script.pipeline = 2;
    const auto client = raw_client::tcp(server.port());
    constexpr int count = 500;
    std::string bytes, expected;
    for (int i = 0; i < count; ++i) {
        bytes += netstring("later " + std::to_string(i));
        expected += netstring(std::to_string(i));
    }
    client.send(bytes);
    int rounds = 0;
    ASSERT_TRUE(eventually(on, [&] {
        if (server.script.owed_now() > 0) {
            EXPECT_LE(server.script.owed_now(), 2u);
            server.script.answer_all();
            ++rounds;
        }
        return rounds >= count / 2;
    }));
    EXPECT_EQ(beside(on, [&] { return read(client, expected.size()); }), expected);
}

TEST(RequestServer, SaysTheLastWordBeforeItCloses) {
    io::loop on;
    scripted_server server(on);
    const auto client = raw_client::tcp(server.port());
    // What comes behind the last request must not cost the client its answer.
    const auto got = beside(on, [&] {
        client.send(netstring("echo a") + netstring("bye") + netstring("echo never"));
        std::this_thread::sleep_for(20ms);
        client.send(std::string(100'000, 'z'));
        return client.rest();
    });
    EXPECT_EQ(got, netstring("a") + netstring("bye"));
    EXPECT_EQ(server.script.peers.size(), 1u);
}

TEST(RequestServer, AnswersWhoHasClosedHisSide) {
    io::loop on;
    scripted_server server(on);
    const auto client = raw_client::tcp(server.port());
    client.send(netstring("echo now") + netstring("later then"));
    client.finish_writing();
    ASSERT_TRUE(eventually(on, [&] { return server.script.ended == 1; }));
    EXPECT_EQ(server.server.open_connections(), 1u);
    server.script.answer_all();
    EXPECT_EQ(beside(on, [&] { return client.rest(); }), netstring("now") + netstring("then"));
    EXPECT_TRUE(eventually(on, [&] { return server.server.open_connections() == 0; }));
    EXPECT_EQ(server.script.alive, 0u);
}

TEST(RequestServer, AnswersAllOfWhoHasClosedHisSide) {
    io::loop on;
    scripted_server server(on);
    server.script.pipeline = 1;
    const auto client = raw_client::tcp(server.port());
    client.send(netstring("later 1") + netstring("later 2") + netstring("later 3") + netstring("echo 4") +
                "9:unfinish");
    client.finish_writing();
    ASSERT_TRUE(eventually(on, [&] {
        server.script.answer_all();
        return !server.script.peers.empty() && server.server.open_connections() == 0;
    }));
    EXPECT_EQ(beside(on, [&] { return client.rest(); }),
              netstring("1") + netstring("2") + netstring("3") + netstring("4"));
}

TEST(RequestServer, TheLinkOutlivesItsClient) {
    io::loop on;
    scripted_server server(on);
    std::shared_ptr<io::request_link> link;
    {
        const auto client = raw_client::tcp(server.port());
        client.send(netstring("later never"));
        ASSERT_TRUE(eventually(on, [&] { return server.script.owed_now() == 1; }));
        link = (*server.script.sessions.begin())->link;
        EXPECT_TRUE(link->open());
    }
    // TCP cannot tell a client that went away from one that closed its side: the first answer is lost.
    ASSERT_TRUE(eventually(on, [&] {
        link->send("x");
        return server.server.open_connections() == 0 && server.script.alive == 0;
    }));
    EXPECT_FALSE(link->open());
    link->send("nobody is there");
    link->read_on();
    link->finish();
    EXPECT_TRUE(eventually(on, [&] { return true; }));
}

TEST(RequestServer, StopsWithItsAnswersGiven) {
    io::loop on;
    scripted_server server(on);
    const auto port = server.port();
    const auto idle = raw_client::tcp(port), halfway = raw_client::tcp(port), waits = raw_client::tcp(port);
    halfway.send("9:unfinish");
    waits.send(netstring("later last"));
    ASSERT_TRUE(eventually(
        on, [&] { return server.script.owed_now() == 1 && server.server.open_connections() == 3; }));
    server.server.stop();
    server.server.stop(); // twice is once
    EXPECT_TRUE(eventually(on, [&] { return server.server.open_connections() == 1; }));
    EXPECT_FALSE(raw_client::tcp(port).connected());
    EXPECT_EQ(beside(on, [&] { return idle.rest(); }), "");
    server.script.answer_all();
    EXPECT_EQ(beside(on, [&] { return waits.rest(); }), netstring("last"));
    EXPECT_EQ(server.server.open_connections(), 0u);
}

TEST(RequestServer, TheLoopRunsUntilTheLastHasLeft) {
    io::loop on;
    scripted_server server(on);
    const auto client = raw_client::tcp(server.port());
    client.send(netstring("later a"));
    ASSERT_TRUE(eventually(on, [&] { return server.script.owed_now() == 1; }));
    server.server.stop();
    on.spawn([](io::loop& with, tests::request_script& script) -> io::task<> {
        co_await with.sleep_for(20ms);
        script.answer_all();
    }(on, server.script));
    on.run();
    EXPECT_EQ(server.server.open_connections(), 0u);
    EXPECT_EQ(client.rest(), netstring("a"));
}

TEST(RequestServer, GoesAwayWithItsClients) {
    io::loop on;
    std::optional<scripted_server> server(std::in_place, on);
    const auto client = raw_client::tcp(server->port());
    client.send(netstring("later a"));
    ASSERT_TRUE(eventually(on, [&] { return server->script.owed_now() == 1; }));
    const auto link = (*server->script.sessions.begin())->link;
    server.reset();
    EXPECT_FALSE(link->open());
    link->send("too late");
    EXPECT_EQ(client.rest(), "");
}

} // namespace
