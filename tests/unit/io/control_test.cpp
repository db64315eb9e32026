// SPDX-License-Identifier: Apache-2.0
// The control socket: what goes over it, and who may say what.
#include "io/control.h"
#include "support/sockets.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>

using namespace mailtight;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using tests::eventually;
using tests::raw_client;
using kind = io::control_failure::kind;

namespace {

struct daemon {
    explicit daemon(io::control_options options = {}, std::string_view mode = "0666")
        : server(on, std::move(options)) {
        ::chmod((folder / "").c_str(), 0755); // others come as far as the socket
        server.add("echo", io::control_right::anybody,
                   [this](io::control_request request, io::control_answer&) -> io::task<boost::json::object> {
                       ++handled;
                       co_return boost::json::object{{"said", request.document.at("text")},
                                                     {"uid", request.user.uid}};
                   });
        server.add(
            "import", io::control_right::operator_,
            [this](io::control_request request, io::control_answer& out) -> io::task<boost::json::object> {
                ++handled;
                for (int i = 1; i <= 3; ++i)
                    co_await out.more({{"step", i}});
                co_return boost::json::object{{"bytes", request.frame.size()},
                                              {"last", request.frame.substr(request.frame.size() - 3)}};
            });
        server.add("break", io::control_right::anybody,
                   [](io::control_request, io::control_answer&) -> io::task<boost::json::object> {
                       throw std::runtime_error("secret detail");
                       co_return boost::json::object{};
                   });
        const auto at = io::parse_listen_address("unix:" + path() + ",mode=" + std::string(mode), 0);
        if (const auto opened = server.listen(*at); !opened)
            throw std::runtime_error(opened.error());
    }
    std::string path() const { return folder / "control"; }
    template<class Work>
    auto beside(Work work) {
        auto result = std::async(std::launch::async, std::move(work));
        EXPECT_TRUE(eventually(on, [&] { return result.wait_for(0s) == std::future_status::ready; }, 60s));
        return result.get();
    }
    io::control_result call(boost::json::object request, std::string frame = {},
                            io::control_client::on_part part = {}) {
        return beside([&, request = std::move(request), frame = std::move(frame)] {
            return io::control_client::call(path(), request, frame, part, 20s);
        });
    }
    std::string talk(const std::string& bytes) {
        return beside([&] {
            const auto client = raw_client::local(path());
            client.send(bytes);
            client.finish_writing();
            return client.rest();
        });
    }

    tests::temporary_folder folder;
    io::loop on;
    io::control_server server;
    int handled = 0;
};

TEST(Control, ARequestAndItsAnswer) {
    daemon here;
    const auto reply = here.call({{"command", "echo"}, {"text", "two\nlines \xe2\x82\xac"}});
    ASSERT_TRUE(reply) << reply.error().text;
    EXPECT_EQ(reply->at("said").as_string(), "two\nlines \xe2\x82\xac");
    EXPECT_EQ(reply->at("uid").to_number<unsigned>(), ::geteuid());
}

TEST(Control, AFrameAndPartsBeforeTheLastReply) {
    daemon here;
    std::string steps;
    const auto reply = here.call({{"command", "import"}}, std::string(5'000'000, '\n') + "end",
                                 [&](const auto& part) { steps += boost::json::serialize(part.at("step")); });
    ASSERT_TRUE(reply) << reply.error().text;
    EXPECT_EQ(reply->at("bytes").to_number<std::size_t>(), 5'000'003u);
    EXPECT_EQ(reply->at("last").as_string(), "end");
    EXPECT_EQ(steps, "123");
}

TEST(Control, OneConnectionAsksOneAfterTheOther) {
    daemon here;
    auto ask = [](io::loop& on, std::string path) -> io::task<std::string> {
        auto client = co_await io::control_client::connect(on, path, on.now() + 20s);
        std::string all;
        for (int i = 0; i < 3; ++i) {
            auto reply = co_await client->ask({{"command", "echo"}, {"text", i}}, {}, {}, on.now() + 20s);
            all += boost::json::serialize(reply->at("said"));
            auto bytes = co_await client->ask({{"command", "import"}}, "frame", {}, on.now() + 20s);
            all += std::string(bytes->at("last").as_string());
        }
        co_return all;
    };
    EXPECT_EQ(here.on.block_on(ask(here.on, here.path())), "0ame1ame2ame");
}

TEST(Control, WhatCannotBeDoneIsSaid) {
    daemon here;
    struct row {
        const char* bytes;
        const char* says;
    };
    for (const auto& [bytes, says] : {
             row{"no json\n", "the request is no JSON object"},
             row{"[]\n", "the request is no JSON object"},
             row{"\n", "the request is no JSON object"},
             row{"{}\n", "knows no command"},
             row{"{\"command\":5}\n", "knows no command"},
             row{"{\"command\":\"\\u001b[2J\"}\n", "knows no command \\\"\\\\x1b[2J\\\""},
             row{"{\"command\":\"import\",\"bytes\":99999999999}\n", "a frame has at most 67108864 bytes"},
             row{"{\"command\":\"import\",\"bytes\":-1}\n", "a frame has at most"},
             row{"{\"command\":\"import\",\"bytes\":\"5\"}\nhello", "a frame has at most"},
         })
        EXPECT_THAT(here.talk(bytes), AllOf(HasSubstr("\"error\""), HasSubstr(says))) << bytes;
    EXPECT_THAT(here.talk(std::string(2'000'000, 'x')), HasSubstr("longer than a line may be"));
    EXPECT_THAT(here.talk(std::string(5'000, '[') + "\n"), HasSubstr("no JSON object")) << "depth";
    EXPECT_EQ(here.talk("{\"command\":\"echo\",\"text\":1}"), "") << "half a line is no request";
    EXPECT_EQ(here.talk("{\"command\":\"import\",\"bytes\":5}\nhel"), "") << "half a frame neither";
    EXPECT_EQ(here.handled, 0);
}

TEST(Control, AHandlersExceptionIsNotShown) {
    std::string complaint;
    io::control_options options;
    options.complain = [&](std::string_view what) { complaint = what; };
    daemon here(options);
    const auto reply = here.call({{"command", "break"}});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().what, kind::refused);
    EXPECT_THAT(reply.error().text, Not(HasSubstr("secret")));
    EXPECT_THAT(complaint, HasSubstr("secret detail"));
}

TEST(Control, AnAnswerTooLongForALineIsAnError) {
    io::control_options options;
    options.line_bytes = 1'000;
    daemon here(options);
    here.server.add("long", io::control_right::anybody,
                    [](io::control_request, io::control_answer&) -> io::task<boost::json::object> {
                        co_return boost::json::object{{"text", std::string(2'000, 'x')}};
                    });
    const auto reply = here.call({{"command", "long"}});
    ASSERT_FALSE(reply);
    EXPECT_THAT(reply.error().text, HasSubstr("too long"));
}

TEST(Control, WhoIsAnOperator) {
    using credentials = io::peer::credentials;
    constexpr unsigned daemon_user = 500, daemon_group = 600;
    struct row {
        credentials who;
        bool may;
        const char* why;
    };
    for (const auto& [who, may, why] : {
             row{credentials{0, 0, 1, {}}, true, "root"},
             row{credentials{500, 100, 1, {}}, true, "the daemon's own user"},
             row{credentials{1000, 600, 1, {}}, true, "its group"},
             row{credentials{1000, 100, 1, {4, 600}}, true, "its group among others"},
             row{credentials{1000, 100, 1, {4, 24}}, false, "somebody"},
             row{credentials{600, 500, 1, {500}}, false, "numbers of another kind"},
             row{credentials{1000, 0, 1, {0}}, false, "root's group is not root"},
         })
        EXPECT_EQ(io::is_operator(who, daemon_user, daemon_group), may) << why;
}

/// What the command says to another user, asked in a child process.
std::string said_to(daemon& here, uid_t user, const std::string& bytes) {
    int ends[2];
    if (::pipe(ends) != 0)
        return "no pipe";
    const pid_t child = ::fork();
    if (child == 0) {
        std::string text = "cannot become another user";
        if (::setgroups(0, nullptr) == 0 && ::setresgid(user, user, user) == 0 &&
            ::setresuid(user, user, user) == 0) {
            const auto client = raw_client::local(here.path());
            text = client.connected() ? "" : "cannot connect";
            client.send(bytes);
            client.finish_writing();
            text += client.rest();
        }
        const auto put = ::write(ends[1], text.data(), text.size());
        ::_exit(put < 0);
    }
    ::close(ends[1]);
    int status = 0;
    EXPECT_TRUE(eventually(here.on, [&] { return ::waitpid(child, &status, WNOHANG) == child; }));
    std::string text(10'000, '\0');
    const auto got = ::read(ends[0], text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    ::close(ends[0]);
    return text;
}

TEST(Control, OthersMayAskButNotWrite) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "only root can become others";
    constexpr uid_t somebody = 61'234;
    {
        daemon here;
        EXPECT_THAT(said_to(here, somebody, "{\"command\":\"echo\",\"text\":1}\n"),
                    HasSubstr("\"uid\":61234"));
        EXPECT_THAT(said_to(here, somebody, "{\"command\":\"import\",\"bytes\":5}\nhello"),
                    AllOf(HasSubstr("uid 61234 may not do this"), HasSubstr("members of its group")));
        EXPECT_EQ(here.handled, 1);
    }
    daemon closed({}, "0600");
    EXPECT_EQ(said_to(closed, somebody, ""), "cannot connect") << "where the file's mode says so";
}

TEST(Control, TheClientTellsWhyThereIsNoAnswer) {
    const tests::temporary_folder folder;
    const auto absent = io::control_client::call(folder / "nothing", {{"command", "echo"}});
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().what, kind::not_running);
    EXPECT_THAT(absent.error().text, HasSubstr("no daemon listens at"));

    daemon here;
    const auto unknown = here.call({{"command", "unknown"}});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().what, kind::refused);
    EXPECT_THAT(unknown.error().text, HasSubstr("knows no command \"unknown\""));

    io::event never(here.on);
    here.server.add("hang", io::control_right::anybody,
                    [&](io::control_request, io::control_answer&) -> io::task<boost::json::object> {
                        co_await never;
                        co_return boost::json::object{};
                    });
    const auto late = here.beside(
        [&] { return io::control_client::call(here.path(), {{"command", "hang"}}, {}, {}, 100ms); });
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().what, kind::timeout);
    never.set();
}

TEST(Control, StopAnswersWhatIsUnderWayAndClosesTheIdle) {
    daemon here;
    io::event release(here.on);
    bool begun = false;
    here.server.add("slow", io::control_right::anybody,
                    [&](io::control_request, io::control_answer&) -> io::task<boost::json::object> {
                        begun = true;
                        co_await release;
                        co_return boost::json::object{{"done", true}};
                    });
    auto slow = std::async(std::launch::async, [&] {
        return io::control_client::call(here.path(), {{"command", "slow"}}, {}, {}, 20s);
    });
    const auto idle = raw_client::local(here.path());
    ASSERT_TRUE(eventually(here.on, [&] { return begun && here.server.open_connections() == 2; }));
    here.server.stop();
    EXPECT_FALSE(raw_client::local(here.path()).connected());
    EXPECT_TRUE(eventually(here.on, [&] { return here.server.open_connections() == 1; }));
    release.set();
    EXPECT_TRUE(eventually(here.on, [&] { return here.server.open_connections() == 0; }));
    const auto reply = slow.get();
    ASSERT_TRUE(reply);
    EXPECT_TRUE(reply->at("done").as_bool());
}

} // namespace
