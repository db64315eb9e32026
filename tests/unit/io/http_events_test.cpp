// SPDX-License-Identifier: Apache-2.0
// Streams of events from the HTTP server over real sockets: what is sent, how they end, and who ends them.
#include "io/http_server.h"
#include "support/sockets.h"
#include "support/tls_client.h"
#include "support/tls_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

using namespace mailtight;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using tests::eventually;
using tests::raw_client;

namespace {

const base::system_clock wall;
using events_fn =
    std::function<io::task<std::optional<wire::http_reply>>(io::http_exchange, io::event_stream&)>;

struct daemon {
    explicit daemon(events_fn events, io::http_server_options options = {}) {
        options.served = [this](const io::http_exchange&, const wire::http_reply& reply, auto) {
            served.push_back(reply.status);
        };
        server = std::make_unique<io::http_server>(on, std::move(options), wall);
        server->add_site({.name = "site",
                          .handle = [](io::http_exchange) -> io::task<wire::http_reply> {
                              co_return wire::http_reply{.body = "no events", .media_type = "text/plain"};
                          },
                          .stream = std::move(events)});
        const auto opened = server->listen(*io::parse_listen_address("127.0.0.1:0", 0), nullptr);
        EXPECT_TRUE(opened);
        const auto text = server->addresses().back();
        port = static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
    }
    template<class Work>
    auto beside(Work work) {
        auto result = std::async(std::launch::async, std::move(work));
        EXPECT_TRUE(eventually(on, [&] { return result.wait_for(0s) == std::future_status::ready; }, 60s));
        return result.get();
    }
    std::string talk(std::string bytes) {
        return beside([port = port, bytes = std::move(bytes)] {
            const auto client = raw_client::tcp(port);
            client.send(bytes);
            return client.rest();
        });
    }

    io::loop on;
    std::vector<int> served;
    std::unique_ptr<io::http_server> server;
    std::uint16_t port = 0;
};

std::string ask(std::string_view accept, std::string_view method = "GET") {
    return std::string(method) + " / HTTP/1.1\r\nHost: a\r\nAccept: " + std::string(accept) + "\r\n\r\n";
}

TEST(http_events, come_as_the_standard_writes_them_and_end_with_the_connection) {
    io::http_server_options options;
    options.fields = {{"X-Content-Type-Options", "nosniff"}};
    daemon here(
        [](io::http_exchange, io::event_stream& to) -> io::task<std::optional<wire::http_reply>> {
            co_await to.send("stage", R"({"stage":"dns"})");
            co_await to.keep_alive();
            co_await to.send("", "one\ntwo\r\nthree\rfour");
            co_await to.send("bad\nname", "");
            co_return std::nullopt;
        },
        options);
    const auto reply = here.talk(ask("text/event-stream"));
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(reply,
                AllOf(HasSubstr("Content-Type: text/event-stream\r\n"),
                      HasSubstr("Cache-Control: no-store\r\n"), HasSubstr("X-Accel-Buffering: no\r\n"),
                      HasSubstr("Connection: close\r\n"), HasSubstr("X-Content-Type-Options: nosniff\r\n"),
                      Not(HasSubstr("Content-Length"))));
    EXPECT_THAT(reply, EndsWith("\r\n\r\nevent: stage\ndata: {\"stage\":\"dns\"}\n\n"
                                ":\n\n"
                                "data: one\ndata: two\ndata: three\ndata: four\n\n"
                                "event: badname\ndata: \n\n"));
    EXPECT_THAT(here.served, testing::ElementsAre(200));
}

TEST(http_events, are_for_whom_asks_for_them) {
    daemon here([](io::http_exchange, io::event_stream& to) -> io::task<std::optional<wire::http_reply>> {
        co_await to.send("e", "d");
        co_return std::nullopt;
    });
    struct row {
        const char* method;
        const char* accept;
        bool events;
        const char* why;
    };
    for (const auto& [method, accept, events, why] : {
             row{"GET", "text/event-stream", true, "what an EventSource says"},
             row{"GET", "application/json;q=0.5, Text/Event-Stream; q=1", true, "in a list, in any case"},
             row{"GET", "*/*", false, "a wildcard would hold up every other client"},
             row{"GET", "text/*", false, "so would this"},
             row{"GET", "text/event-streams", false, "another type"},
             row{"POST", "text/event-stream", false, "what changes something is answered"},
             row{"HEAD", "text/event-stream", false, "there is no body to stream"},
         }) {
        auto request = ask(accept, method);
        request.insert(request.size() - 2, "Connection: close\r\n");
        EXPECT_EQ(here.talk(request).find("text/event-stream") != std::string::npos, events) << why;
    }
}

TEST(http_events, a_refusal_is_a_reply_like_any_and_the_connection_goes_on) {
    daemon here([](io::http_exchange, io::event_stream&) -> io::task<std::optional<wire::http_reply>> {
        co_return wire::problem(429, "", "too many");
    });
    const auto replies = here.talk(ask("text/event-stream") + ask("text/event-stream") +
                                   "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(replies, AllOf(StartsWith("HTTP/1.1 429 "), EndsWith("no events")));
    EXPECT_THAT(here.served, testing::ElementsAre(429, 429, 200));
}

TEST(http_events, an_exception_ends_them_and_a_stream_without_events_has_its_head) {
    bool throws = true;
    daemon here([&](io::http_exchange, io::event_stream& to) -> io::task<std::optional<wire::http_reply>> {
        if (throws) {
            co_await to.send("e", "d");
            throw std::runtime_error("a fault");
        }
        co_return std::nullopt;
    });
    EXPECT_THAT(here.talk(ask("text/event-stream")), EndsWith("\r\n\r\nevent: e\ndata: d\n\n"));
    throws = false;
    EXPECT_THAT(here.talk(ask("text/event-stream")),
                AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\n")));
}

TEST(http_events, a_client_that_left_is_noticed_by_the_comment) {
    int beats = 0;
    bool ended = false;
    daemon here([&](io::http_exchange, io::event_stream& to) -> io::task<std::optional<wire::http_reply>> {
        co_await to.send("e", "d");
        while (co_await to.keep_alive()) {
            ++beats;
            co_await here.on.sleep_for(5ms);
        }
        EXPECT_FALSE(to.open());
        EXPECT_FALSE(co_await to.send("e", "to nobody"));
        ended = true;
        co_return std::nullopt;
    });
    auto client = raw_client::tcp(here.port);
    client.send(ask("text/event-stream") + "what it says meanwhile is read past");
    EXPECT_TRUE(eventually(here.on, [&] { return beats > 3; })) << "nobody left yet";
    EXPECT_FALSE(ended);
    client.close();
    EXPECT_TRUE(eventually(here.on, [&] { return ended; }));
    EXPECT_TRUE(eventually(here.on, [&] { return here.server->open_connections() == 0; }));
}

TEST(http_events, a_client_that_does_not_read_ends_them_and_only_one_event_waits_for_it) {
    io::http_server_options options;
    options.event_time = 200ms;
    bool ended = false;
    std::size_t sent = 0;
    daemon here(
        [&](io::http_exchange, io::event_stream& to) -> io::task<std::optional<wire::http_reply>> {
            const std::string large(1'000'000, 'x');
            while (co_await to.send("e", large))
                ++sent;
            ended = true;
            co_return std::nullopt;
        },
        options);
    const auto client = raw_client::tcp(here.port);
    client.send(ask("text/event-stream"));
    EXPECT_TRUE(eventually(here.on, [&] { return ended; }));
    EXPECT_LT(sent, 20u) << "what the kernel's buffers take, and no more";
    EXPECT_TRUE(eventually(here.on, [&] { return here.server->open_connections() == 0; }));
}

TEST(http_events, an_event_beyond_all_measure_ends_them) {
    daemon here([](io::http_exchange, io::event_stream& to) -> io::task<std::optional<wire::http_reply>> {
        EXPECT_FALSE(co_await to.send("e", std::string(17 * 1'048'576, 'x')));
        EXPECT_FALSE(to.open());
        co_return std::nullopt;
    });
    EXPECT_THAT(here.talk(ask("text/event-stream")), EndsWith("\r\n\r\n"));
}

TEST(http_events, a_stream_is_a_request_under_way_when_the_server_stops) {
    bool begun = false, ended = false, may_end = false;
    daemon here([&](io::http_exchange, io::event_stream& to) -> io::task<std::optional<wire::http_reply>> {
        begun = co_await to.send("e", "d");
        while (co_await to.keep_alive() || !may_end)
            co_await here.on.sleep_for(5ms);
        ended = true;
        co_return std::nullopt;
    });
    const auto client = raw_client::tcp(here.port);
    client.send(ask("text/event-stream"));
    EXPECT_TRUE(eventually(here.on, [&] { return begun; }));
    here.server->stop();
    EXPECT_FALSE(here.on.block_on(here.server->drain(here.on.now() + 50ms))) << "its handler is not done yet";
    EXPECT_FALSE(ended);
    may_end = true;
    EXPECT_TRUE(here.on.block_on(here.server->drain(here.on.now() + 20s)));
    EXPECT_TRUE(ended);
    EXPECT_THAT(client.rest(), HasSubstr("event: e\n")) << "and its client has what was sent";
}

} // namespace
