// SPDX-License-Identifier: Apache-2.0
// Many at once: idle connections and their memory, floods, slow heads, certificates that change under
// traffic.
#include "io/http_server.h"
#include "support/scratch.h"
#include "support/sockets.h"
#include "support/tls_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <thread>

#include <malloc.h>
#include <sys/wait.h>

using namespace mailtight;
using namespace std::chrono_literals;
using testing::EndsWith;
using tests::eventually;
using tests::raw_client;

namespace {

const base::system_clock wall;
const base::address_guard guard;
const auto here = *base::ip_address::parse("127.0.0.1");
const auto any_port = *io::parse_listen_address("127.0.0.1:0", 0);

io::http_server_options roomy() {
    io::http_server_options options;
    options.head_time = options.body_time = options.idle_time = 60s;
    options.listening.connections = options.listening.per_source = 5'000;
    return options;
}

std::uint16_t open(io::http_server& server, const io::tls_server* tls) {
    server.add_site({.name = "any", .handle = [](io::http_exchange) -> io::task<wire::http_reply> {
                         co_return wire::http_reply{.body = "here", .media_type = "text/plain"};
                     }});
    if (const auto opened = server.listen(any_port, tls); !opened)
        throw std::runtime_error(opened.error());
    const auto text = server.addresses().back();
    return static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
}

struct certificates {
    tests::identity root = tests::make_root();
    tests::root_file trusted{{&root}};
    io::tls_client client{trusted.path()};
    tests::scratch_folder folder;
    io::tls_server::pair pair(const std::string& name) const {
        const auto leaf = tests::make_leaf(root, {"same.example", name + ".example"});
        std::ofstream(folder / name) << leaf.pem() << leaf.key_pem();
        return {folder / name, ""};
    }
};

const std::string request = "GET / HTTP/1.1\r\nHost: same.example\r\n\r\n";

/// A request and its answer on an open connection.
io::task<bool> ask(io::loop& on, io::stream& connection) {
    co_await connection.write_all(request, on.now() + 60s);
    std::string answer;
    while (!answer.ends_with("here")) {
        const auto got = co_await connection.read_some(4'096, on.now() + 60s);
        if (got.status != io::io_status::ok)
            co_return false;
        answer += got.bytes;
    }
    co_return true;
}

io::task<std::unique_ptr<io::stream>> dial(io::loop& on, std::uint16_t port, const io::tls_client* tls,
                                           std::string* shown = nullptr) {
    auto reached = co_await io::connect_tcp(on, {here, port}, guard, on.now() + 60s, true);
    if (!tls || !reached.connection)
        co_return std::move(reached.connection);
    io::tls_options options{.host = "same.example"};
    auto made = co_await io::start_tls(on, std::move(reached.connection), *tls, std::move(options),
                                       wall.now(), on.now() + 60s);
    if (shown && !made.fact.chain.empty())
        *shown = made.fact.chain.front().dns_names.back();
    co_return std::move(made.connection);
}

std::size_t heap_in_use() {
    const auto all = ::mallinfo2();
    return all.uordblks + all.hblkhd;
}

/// Clients in a process of their own: so many connections that ask once and stay, more at each byte of the
/// pipe.
class idle_clients {
public:
    idle_clients(std::uint16_t port, const io::tls_client* tls) {
        int ends[2];
        if (::pipe(ends) != 0)
            throw std::runtime_error("pipe");
        child_ = ::fork();
        if (child_ == 0) {
            ::close(ends[1]);
            run(ends[0], port, tls);
            ::_exit(0);
        }
        ::close(ends[0]);
        orders_ = ends[1];
    }
    ~idle_clients() {
        ::close(orders_);
        ::waitpid(child_, nullptr, 0);
    }
    idle_clients(const idle_clients&) = delete;
    void ten_more() const { EXPECT_EQ(::write(orders_, "x", 1), 1); }

private:
    static void run(int orders, std::uint16_t port, const io::tls_client* tls) {
        io::loop on;
        std::vector<std::unique_ptr<io::stream>> held;
        auto one_more = [&]() -> io::task<bool> {
            auto connection = co_await dial(on, port, tls);
            const bool answered = connection && co_await ask(on, *connection);
            held.push_back(std::move(connection));
            co_return answered;
        };
        for (char order = 0; ::read(orders, &order, 1) == 1;) {
            for (int i = 0; i < 10; ++i) {
                if (!on.block_on(one_more()))
                    return;
            }
        }
    }
    pid_t child_ = -1;
    int orders_ = -1;
};

/// Heap bytes of the server for each of 1,000 connections that have asked once and are silent now.
std::size_t heap_a_connection(const io::tls_server* tls, const io::tls_client* client) {
    io::loop on;
    auto options = roomy();
    std::size_t served = 0;
    options.served = [&](const auto&, const auto&, auto) { ++served; };
    io::http_server server(on, options, wall);
    const auto port = open(server, tls);
    const idle_clients clients(port, client);
    const auto up_to = [&](std::size_t connections) {
        for (std::size_t i = served; i < connections; i += 10)
            clients.ten_more();
        EXPECT_TRUE(eventually(on, [&] { return served == connections; }, 60s));
        EXPECT_EQ(server.open_connections(), connections);
        return heap_in_use();
    };
    const auto before = up_to(50); // what is made once is not counted
    return (up_to(1'050) - before) / 1'000;
}

TEST(HttpLoad, AnIdleConnectionHoldsLittle) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    GTEST_SKIP() << "the sanitizer's allocator counts its own way";
#endif
#endif
    const auto plain = heap_a_connection(nullptr, nullptr);
    RecordProperty("plain", std::to_string(plain));
    EXPECT_LT(plain, 8'000u); // 4.5 kB when this was written
    const certificates made;
    io::tls_server tls;
    ASSERT_TRUE(tls.load({made.pair("one")}));
    const auto secured = heap_a_connection(&tls, &made.client);
    RecordProperty("tls", std::to_string(secured));
    EXPECT_LT(secured, 40'000u); // 20.7 kB
}

TEST(HttpLoad, SlowHeadsHinderNobody) {
    io::loop on;
    auto options = roomy();
    options.listening.connections = 600;
    options.listening.per_source = 200;
    options.head_time = 500ms;
    io::http_server server(on, options, wall);
    const auto port = open(server, nullptr);
    std::vector<raw_client> slow;
    for (int i = 0; i < 500; ++i) {
        slow.push_back(raw_client::tcp(port, "127.0.0.1", i % 2 ? "127.0.0.1" : "127.0.0.2"));
        slow.back().send("GET / HTTP/1.1\r\nHost: same.example\r\nX-Slow: ");
    }
    auto honest = std::async(std::launch::async, [port] {
        const auto client = raw_client::tcp(port, "127.0.0.1", "127.0.0.3");
        client.send(request);
        return client.until("here");
    });
    EXPECT_TRUE(eventually(on, [&] { return honest.wait_for(0s) == std::future_status::ready; }));
    EXPECT_THAT(honest.get(), EndsWith("here"));
    EXPECT_LE(server.open_connections(), 401u) << "two sources with 200 places each";
    EXPECT_TRUE(eventually(on, [&] { return server.open_connections() <= 1; }, 60s)) << "and they end";
}

TEST(HttpLoad, CertificatesChangeUnderTraffic) {
    const certificates made;
    const auto one = made.pair("one"), two = made.pair("two");
    io::tls_server tls;
    ASSERT_TRUE(tls.load({one}));
    io::loop on;
    io::http_server server(on, roomy(), wall);
    const auto port = open(server, &tls);
    std::vector<std::string> failures;
    int done = 0, first = 0, second = 0;
    auto visitor = [&]() -> io::task<> {
        for (int i = 0; i < 20; ++i) {
            std::string shown;
            auto connection = co_await dial(on, port, &made.client, &shown);
            for (int again = 0; again < 3; ++again) {
                if (!connection || !co_await ask(on, *connection))
                    failures.push_back("no answer");
            }
            first += shown == "one.example";
            second += shown == "two.example";
        }
        ++done;
    };
    auto changer = [&]() -> io::task<> {
        int i = 0;
        while (done < 5) {
            ++i;
            if (const auto loaded = tls.load({i % 2 ? two : one}); !loaded)
                failures.push_back(loaded.error());
            co_await on.sleep_for(1ms);
        }
    };
    for (int i = 0; i < 5; ++i)
        on.spawn(visitor());
    on.spawn(changer());
    EXPECT_TRUE(eventually(on, [&] { return done == 5; }, 60s));
    EXPECT_TRUE(failures.empty()) << failures.front();
    EXPECT_EQ(first + second, 100);
    EXPECT_GT(first, 0);
    EXPECT_GT(second, 0);
}

TEST(HttpLoad, HalfRequestsLeaveNothingBehind) {
    io::loop on;
    io::http_server server(on, roomy(), wall);
    const auto port = open(server, nullptr);
    const std::string whole =
        "POST /x HTTP/1.1\r\nHost: same.example\r\nContent-Length: 10\r\n\r\n0123456789";
    auto clients = std::async(std::launch::async, [&] {
        for (std::size_t length = 0; length < whole.size(); ++length) {
            const auto client = raw_client::tcp(port);
            client.send(std::string_view(whole).substr(0, length));
        }
    });
    EXPECT_TRUE(eventually(on, [&] { return clients.wait_for(0s) == std::future_status::ready; }));
    EXPECT_TRUE(eventually(on, [&] { return server.open_connections() == 0; }));
}

} // namespace
