// SPDX-License-Identifier: Apache-2.0
// The HTTP server over real sockets, with clients that send exactly the bytes that a test wants.
#include "io/http_server.h"
#include "support/scratch.h"
#include "support/sockets.h"
#include "support/tls_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
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
const auto any_port = *io::parse_listen_address("127.0.0.1:0", 0);

/// Answers with what it saw.
io::task<wire::http_reply> describe(io::http_exchange asked) {
    wire::http_reply reply;
    reply.media_type = "text/plain";
    reply.body = asked.request.method + " " + asked.request.path + " from " + asked.client + " [" +
                 asked.request.body + "]";
    co_return reply;
}

io::http_server_options patient() {
    io::http_server_options options;
    options.head_time = options.body_time = options.idle_time = 20s;
    return options;
}

/// A server on its loop, and blocking clients beside it.
struct daemon {
    explicit daemon(io::http_server_options options = patient())
        : server(on, std::move(options), wall) {}
    std::uint16_t listen(const io::tls_server* tls = nullptr) {
        if (const auto opened = server.listen(any_port, tls); !opened)
            throw std::runtime_error(opened.error());
        const auto text = server.addresses().back();
        return static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
    }
    template<class Work>
    auto beside(Work work) {
        auto result = std::async(std::launch::async, std::move(work));
        EXPECT_TRUE(eventually(on, [&] { return result.wait_for(0s) == std::future_status::ready; }, 60s));
        return result.get();
    }
    /// What comes back until the server closes.
    std::string talk(std::string bytes) {
        return beside([port = port, bytes = std::move(bytes)] {
            const auto client = raw_client::tcp(port);
            client.send(bytes);
            return client.rest();
        });
    }
    void serve(io::http_site site) { server.add_site(std::move(site)); }
    void open() { port = listen(); }

    io::loop on;
    io::http_server server;
    std::uint16_t port = 0;
};

std::string get(std::string_view path, std::string_view host = "reports.example") {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) +
           "\r\nConnection: close\r\n\r\n";
}

io::http_site named(std::string name, std::vector<std::string> hosts, std::string prefix) {
    return {.name = name,
            .hosts = std::move(hosts),
            .prefix = std::move(prefix),
            .handle = [name](io::http_exchange) -> io::task<wire::http_reply> {
                co_return wire::http_reply{.body = "site " + name, .media_type = "text/plain"};
            }};
}

TEST(HttpServer, RoutesByHostAndPath) {
    daemon here;
    here.serve(named("any", {}, "/tlsrpt/"));
    here.serve(named("exact", {"mta-sts.example.com"}, "/.well-known/"));
    here.serve(named("wild", {"*.example.com"}, "/.well-known/"));
    here.serve(named("deeper", {"*.example.com"}, "/.well-known/deep/"));
    here.serve(named("bare", {"bare.example"}, "/api"));
    here.open();
    struct row {
        const char* host;
        const char* path;
        const char* answer;
        const char* why;
    };
    for (const auto& [host, path, answer, why] : {
             row{"anything.example", "/tlsrpt/x", "site any", "a site for every host"},
             row{"192.0.2.1", "/tlsrpt/x", "site any", "also an address"},
             row{"mta-sts.example.com", "/.well-known/x", "site exact", "the very host before a wildcard"},
             row{"MTA-STS.Example.COM:8443", "/.well-known/x", "site exact", "no case, no port"},
             row{"mta-sts.example.com.", "/.well-known/x", "site exact", "the dot of the root"},
             row{"www.example.com", "/.well-known/x", "site wild", "one label"},
             row{"a.www.example.com", "/.well-known/x", " 404 ", "not two"},
             row{"example.com", "/.well-known/x", " 404 ", "not none"},
             row{"mta-sts.example.com", "/.well-known/deep/x", "site deeper", "the longest prefix wins"},
             row{"mta-sts.example.com", "/other", " 404 ", "no such path"},
             row{"bare.example", "/api", "site bare", "the prefix itself"},
             row{"bare.example", "/api/x", "site bare", "and what is below"},
             row{"bare.example", "/apis", " 404 ", "but not what only begins alike"},
         })
        EXPECT_THAT(here.talk(get(path, host)), HasSubstr(answer)) << why;
    EXPECT_THAT(here.talk(get("/nowhere")),
                AllOf(StartsWith("HTTP/1.1 404 "), HasSubstr("application/problem+json")));
}

TEST(HttpServer, GivesTheHandlerTheRequest) {
    daemon here;
    here.serve({.name = "reports", .handle = describe});
    here.open();
    EXPECT_THAT(here.talk("POST /tlsrpt/token HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close"
                          "\r\n\r\nhello"),
                EndsWith("POST /tlsrpt/token from 127.0.0.1 [hello]"));
    EXPECT_THAT(here.talk("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
                          "\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"),
                EndsWith("[hello]"));
}

TEST(HttpServer, HeadHasNoBodyButItsLength) {
    daemon here;
    here.serve(named("any", {}, "/"));
    here.open();
    const auto reply = here.talk("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(reply,
                AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("Content-Length: 8"), EndsWith("\r\n\r\n")));
}

TEST(HttpServer, KeepsTheConnectionAndTheOrder) {
    daemon here;
    here.serve({.name = "echo", .body_bytes = 1'000, .handle = describe});
    here.open();
    // Three in one packet, the last closes.
    const auto replies = here.talk("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none"
                                   "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n" +
                                   get("/3"));
    const auto first = replies.find("POST /1 from 127.0.0.1 [one]");
    const auto second = replies.find("GET /2 from 127.0.0.1 []");
    const auto third = replies.find("GET /3 from 127.0.0.1 []");
    EXPECT_LT(first, second);
    EXPECT_LT(second, third);
    EXPECT_NE(third, std::string::npos);
    EXPECT_THAT(replies.substr(0, second), Not(HasSubstr("Connection: close")));
}

TEST(HttpServer, ClosesAfterItsNumberOfRequests) {
    auto options = patient();
    options.requests_per_connection = 2;
    daemon here(options);
    here.serve(named("any", {}, "/"));
    here.open();
    std::string many;
    for (int i = 0; i < 3; ++i)
        many += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const auto replies = here.talk(many);
    EXPECT_THAT(replies, HasSubstr("Connection: close"));
    std::size_t count = 0;
    for (auto at = replies.find("HTTP/1.1 200"); at != replies.npos;
         at = replies.find("HTTP/1.1 200", at + 1))
        ++count;
    EXPECT_EQ(count, 2u);
}

TEST(HttpServer, WhatIsNoRequestIsAnsweredAndClosed) {
    daemon here;
    here.serve(named("any", {}, "/"));
    here.open();
    EXPECT_THAT(here.talk("EHLO there\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(here.talk("GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400 ")) << "no Host";
    EXPECT_THAT(here.talk("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"),
                StartsWith("HTTP/1.1 431 "));
    EXPECT_THAT(here.talk("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n"
                          "\r\n0\r\n\r\n"),
                StartsWith("HTTP/1.1 400 "))
        << "two lengths for one body";
}

TEST(HttpServer, ARefusalBeforeTheBodySparesTheUpload) {
    daemon here;
    int handled = 0;
    here.serve({.name = "guarded",
                .handle = [&](io::http_exchange) -> io::task<wire::http_reply> {
                    ++handled;
                    co_return wire::http_reply{};
                },
                .admit = [](const io::http_exchange& asked) -> std::optional<wire::http_reply> {
                    if (asked.request.path == "/good" && asked.client == "127.0.0.1")
                        return std::nullopt;
                    return wire::problem(403, "", "not here");
                }});
    here.open();
    const auto refused = here.talk("POST /bad HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n"
                                   "Expect: 100-continue\r\n\r\n");
    EXPECT_THAT(refused, AllOf(StartsWith("HTTP/1.1 403 "), HasSubstr("Connection: close")));
    EXPECT_EQ(handled, 0);
    // A client that does not wait gets its answer all the same, not a reset.
    EXPECT_THAT(
        here.talk("POST /bad HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\nConnection: close\r\n\r\n" +
                  std::string(60'000, 'x')),
        StartsWith("HTTP/1.1 403 "));

    const auto exchange = here.beside([port = here.port] {
        const auto client = raw_client::tcp(port);
        client.send("POST /good HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
                    "Connection: close\r\n\r\n");
        auto seen = client.until("\r\n\r\n") + "|";
        client.send("ok");
        return seen + client.rest();
    });
    EXPECT_THAT(exchange, StartsWith("HTTP/1.1 100 Continue\r\n\r\n|HTTP/1.1 200 "));
    EXPECT_EQ(handled, 1);
}

TEST(HttpServer, EverySiteHasItsOwnLimitOfBodies) {
    daemon here;
    here.serve({.name = "small", .prefix = "/small/", .body_bytes = 10, .handle = describe});
    here.serve({.name = "large", .prefix = "/large/", .body_bytes = 1'000'000, .handle = describe});
    here.open();
    auto post = [](const std::string& path, std::size_t size, bool chunked) {
        const auto head = "POST " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
        const std::string body(size, 'x');
        if (!chunked)
            return head + "Content-Length: " + std::to_string(size) + "\r\n\r\n" + body;
        char length[20];
        std::snprintf(length, sizeof length, "%zx", size);
        return head + "Transfer-Encoding: chunked\r\n\r\n" + length + "\r\n" + body + "\r\n0\r\n\r\n";
    };
    for (const bool chunked : {false, true}) {
        EXPECT_THAT(here.talk(post("/small/x", 10, chunked)), StartsWith("HTTP/1.1 200 "));
        EXPECT_THAT(here.talk(post("/small/x", 11, chunked)), StartsWith("HTTP/1.1 413 "));
        EXPECT_THAT(here.talk(post("/large/x", 500'000, chunked)), StartsWith("HTTP/1.1 200 "));
        EXPECT_THAT(here.talk(post("/large/x", 1'000'001, chunked)), StartsWith("HTTP/1.1 413 "));
    }
}

TEST(HttpServer, SlowRequestsEnd) {
    auto options = patient();
    options.head_time = options.body_time = options.idle_time = 150ms;
    daemon here(options);
    here.serve(named("any", {}, "/"));
    here.open();
    EXPECT_THAT(here.talk("GET / HT"), StartsWith("HTTP/1.1 408 ")) << "a head that never ends";
    EXPECT_THAT(here.talk("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf"),
                StartsWith("HTTP/1.1 408 "))
        << "a body that never ends";
    EXPECT_EQ(here.talk(""), "") << "nothing at all";
    EXPECT_THAT(here.talk("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), EndsWith("site any")) << "idle after a reply";
    // A byte now and then does not prolong it.
    const auto dripped = here.beside([port = here.port] {
        const auto client = raw_client::tcp(port);
        const auto began = std::chrono::steady_clock::now();
        while (client.send("x") && std::chrono::steady_clock::now() - began < 15s)
            std::this_thread::sleep_for(30ms);
        return std::chrono::steady_clock::now() - began;
    });
    EXPECT_LT(dripped, 12s);
    EXPECT_TRUE(eventually(here.on, [&] { return here.server.open_connections() == 0; }));
}

TEST(HttpServer, AHandlersExceptionIsNotShown) {
    auto options = patient();
    std::string complaint;
    options.listening.complain = [&](std::string_view what) { complaint = what; };
    daemon here(options);
    here.serve({.name = "broken", .handle = [](io::http_exchange) -> io::task<wire::http_reply> {
                    throw std::runtime_error("secret detail");
                    co_return wire::http_reply{};
                }});
    here.open();
    const auto reply = here.talk(get("/x"));
    EXPECT_THAT(reply, AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("secret"))));
    EXPECT_THAT(complaint, AllOf(HasSubstr("secret detail"), HasSubstr("site broken")));
    EXPECT_THAT(here.talk(get("/x")), StartsWith("HTTP/1.1 500 ")) << "and the server goes on";
}

TEST(HttpServer, TellsWhatItServed) {
    auto options = patient();
    std::vector<std::string> log;
    options.served = [&](const io::http_exchange& asked, const wire::http_reply& reply, auto) {
        log.push_back(asked.request.path + " " + std::to_string(reply.status));
    };
    daemon here(options);
    here.serve(named("any", {}, "/a/"));
    here.open();
    here.talk("GET /a/1 HTTP/1.1\r\nHost: a\r\n\r\n" + get("/b"));
    EXPECT_THAT(log, testing::ElementsAre("/a/1 200", "/b 404"));
}

struct proxy_row {
    const char* fields;
    const char* client;
    const char* why;
};

TEST(HttpServer, ATrustedProxyNamesTheClient) {
    auto options = patient();
    options.trusted_proxies = {*base::ip_network::parse("127.0.0.1"), *base::ip_network::parse("10.0.0.0/8")};
    daemon here(options);
    here.serve({.name = "echo", .handle = describe});
    here.open();
    for (const auto& [fields, client, why] : {
             proxy_row{"", "127.0.0.1", "no field: the proxy itself"},
             proxy_row{"X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1", "one"},
             proxy_row{"X-Forwarded-For: 203.0.113.9, 192.0.2.1\r\n", "192.0.2.1",
                       "what the client wrote itself stands on the left"},
             proxy_row{"X-Forwarded-For: 192.0.2.1, 10.1.2.3\r\n", "192.0.2.1", "a proxy behind a proxy"},
             proxy_row{"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1",
                       "two fields are one list"},
             proxy_row{"X-Forwarded-For: 2001:db8::1\r\n", "2001:db8::1", "IPv6"},
             proxy_row{"X-Forwarded-For: [2001:db8::1]:443\r\n", "2001:db8::1", "IPv6 with its port"},
             proxy_row{"X-Forwarded-For: 192.0.2.1:5000\r\n", "192.0.2.1", "with its port"},
             proxy_row{"X-Forwarded-For: 192.0.2.1, unknown\r\n", "127.0.0.1", "cannot be read"},
             proxy_row{"X-Forwarded-For: 10.1.2.3\r\n", "10.1.2.3", "nobody but proxies"},
             proxy_row{"Forwarded: for=192.0.2.1\r\n", "127.0.0.1",
                       "that field came through from the client"},
         })
        EXPECT_THAT(
            here.talk("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + std::string(fields) + "\r\n"),
            EndsWith("from " + std::string(client) + " []"))
            << why;
}

TEST(HttpServer, ATrustedProxyThatWritesForwarded) {
    auto options = patient();
    options.trusted_proxies = {*base::ip_network::parse("127.0.0.1")};
    options.proxies_write = io::http_server_options::proxy_field::forwarded;
    daemon here(options);
    here.serve({.name = "echo", .handle = describe});
    here.open();
    for (const auto& [fields, client, why] : {
             proxy_row{"Forwarded: for=192.0.2.1;proto=https\r\n", "192.0.2.1", "one"},
             proxy_row{"Forwarded: proto=https;For=\"[2001:db8::1]:4711\"\r\n", "2001:db8::1", "quoted"},
             proxy_row{"Forwarded: for=203.0.113.9, for=192.0.2.1\r\n", "192.0.2.1", "the right-most"},
             proxy_row{"Forwarded: for=192.0.2.1, for=_hidden\r\n", "127.0.0.1", "a name of the proxy's own"},
             proxy_row{"X-Forwarded-For: 192.0.2.1\r\n", "127.0.0.1", "the other field"},
         })
        EXPECT_THAT(
            here.talk("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + std::string(fields) + "\r\n"),
            EndsWith("from " + std::string(client) + " []"))
            << why;
}

TEST(HttpServer, NobodyElseNamesTheClient) {
    daemon here;
    here.serve({.name = "echo", .handle = describe});
    here.open();
    EXPECT_THAT(
        here.talk("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"),
        EndsWith("from 127.0.0.1 []"));
}

TEST(HttpServer, StopAnswersWhatIsUnderWayAndClosesTheIdle) {
    daemon here;
    io::event release(here.on);
    int begun = 0;
    here.serve(
        {.name = "slow", .prefix = "/slow", .handle = [&](io::http_exchange) -> io::task<wire::http_reply> {
             ++begun;
             co_await release;
             co_return wire::http_reply{.body = "done", .media_type = "text/plain"};
         }});
    here.serve(named("any", {}, "/"));
    here.open();
    auto slow = std::async(std::launch::async, [port = here.port] {
        const auto client = raw_client::tcp(port);
        client.send("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok");
        return client.rest();
    });
    auto idle = std::async(std::launch::async, [port = here.port] {
        const auto client = raw_client::tcp(port);
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        return client.rest();
    });
    const auto silent = raw_client::tcp(here.port);
    ASSERT_TRUE(eventually(here.on, [&] { return begun == 1 && here.server.open_connections() == 3; }));
    const auto stopped = std::chrono::steady_clock::now();
    here.server.stop();
    EXPECT_FALSE(raw_client::tcp(here.port).connected());
    EXPECT_TRUE(eventually(here.on, [&] { return here.server.open_connections() == 1; }))
        << "the idle go at once";
    EXPECT_FALSE(here.on.block_on(here.server.drain(here.on.now() + 50ms)));
    release.set();
    EXPECT_TRUE(here.on.block_on(here.server.drain(here.on.now() + 15s)));
    EXPECT_LT(std::chrono::steady_clock::now() - stopped, 15s);
    EXPECT_THAT(slow.get(), AllOf(HasSubstr("Connection: close"), EndsWith("done")));
    EXPECT_THAT(idle.get(), EndsWith("site any"));
    EXPECT_EQ(silent.rest(), "");
}

TEST(HttpServer, OneSourceCannotTakeAllPlaces) {
    auto options = patient();
    options.listening.per_source = 5;
    daemon here(options);
    here.serve(named("any", {}, "/"));
    here.open();
    const auto replies = here.beside([port = here.port] {
        std::vector<raw_client> held; // slow heads from one source
        for (int i = 0; i < 20; ++i) {
            held.push_back(raw_client::tcp(port));
            held.back().send("GET / HTTP/1.1\r\n");
        }
        const auto other = raw_client::tcp(port, "127.0.0.1", "127.0.0.2");
        other.send(get("/"));
        return other.rest();
    });
    EXPECT_THAT(replies, EndsWith("site any"));
}

/// A request over TLS by our own client.
std::string over_tls(daemon& here, std::uint16_t port, const io::tls_client& client, const std::string& sni,
                     std::string bytes) {
    auto ask = [](io::loop& on, std::uint16_t to, const io::tls_client& with, std::string name,
                  std::string text) -> io::task<std::string> {
        const base::address_guard guard;
        auto reached = co_await io::connect_tcp(on, {*base::ip_address::parse("127.0.0.1"), to}, guard,
                                                on.now() + 20s, true);
        io::tls_options options{.host = name, .send_sni = !name.empty()};
        auto secured = co_await io::start_tls(on, std::move(reached.connection), with, std::move(options),
                                              wall.now(), on.now() + 20s);
        if (!secured.connection)
            co_return secured.fact.detail;
        co_await secured.connection->write_all(std::move(text), on.now() + 20s);
        std::string all;
        for (;;) {
            const auto got = co_await secured.connection->read_some(100'000, on.now() + 20s);
            all += got.bytes;
            if (got.status != io::io_status::ok)
                co_return all + (got.status == io::io_status::eof ? "" : " (cut)");
        }
    };
    return here.on.block_on(ask(here.on, port, client, sni, std::move(bytes)));
}

TEST(HttpServer, OverTlsTheNamesMustAgree) {
    const auto root = tests::make_root();
    const auto leaf = tests::make_leaf(root, {"reports.example", "*.example.com"});
    const tests::root_file trusted({&root});
    const tests::scratch_folder folder;
    std::ofstream(folder / "both.pem") << leaf.pem() << leaf.key_pem();
    const io::tls_client client(trusted.path());
    io::tls_server tls;
    ASSERT_TRUE(tls.load({{folder / "both.pem", ""}}));
    daemon here;
    here.serve(named("reports", {"reports.example"}, "/"));
    here.serve(named("policy", {"*.example.com"}, "/"));
    const auto port = here.listen(&tls);
    EXPECT_THAT(over_tls(here, port, client, "reports.example", get("/", "reports.example")),
                EndsWith("site reports"));
    EXPECT_THAT(over_tls(here, port, client, "reports.example", get("/", "Reports.Example:8443")),
                EndsWith("site reports"));
    EXPECT_THAT(over_tls(here, port, client, "mta-sts.example.com", get("/", "mta-sts.example.com")),
                EndsWith("site policy"));
    EXPECT_THAT(over_tls(here, port, client, "reports.example", get("/", "mta-sts.example.com")),
                StartsWith("HTTP/1.1 421 "));
    EXPECT_THAT(over_tls(here, port, client, "", get("/", "reports.example")), EndsWith("site reports"))
        << "no SNI contradicts nothing";

    // Somebody who speaks plain HTTP there is let go, and the next one is served.
    here.beside([port] {
        const auto plain = raw_client::tcp(port);
        plain.send(get("/"));
        return plain.rest();
    });
    EXPECT_THAT(over_tls(here, port, client, "reports.example", get("/", "reports.example")),
                EndsWith("site reports"));
}

} // namespace
