// SPDX-License-Identifier: Apache-2.0
#include "io/stream.h"
#include "support/tls_server.h"

#include <gtest/gtest.h>

using namespace mailtight;
using namespace std::chrono_literals;
using tests::peer;
using tests::test_server;

namespace {

const auto here = *base::ip_address::parse("127.0.0.1");
const base::address_guard strict;
const base::address_guard lenient({*base::ip_network::parse("127.0.0.0/8")});

io::connect_result connect(io::loop& on, std::uint16_t port, const base::address_guard& guard,
                           bool exempt = false) {
    return on.block_on(io::connect_tcp(on, {here, port}, guard, on.now() + 2s, exempt));
}

TEST(Connect, TheGuardIsAskedAboutTheVeryAddress) {
    test_server server([](peer&) {});
    io::loop on;
    const auto blocked = connect(on, server.port(), strict);
    EXPECT_EQ(blocked.outcome, model::connect_outcome::blocked);
    EXPECT_EQ(blocked.connection, nullptr);
    EXPECT_FALSE(blocked.detail.empty()) << "and says why";
    const auto mapped = on.block_on(io::connect_tcp(
        on, {*base::ip_address::parse("::ffff:127.0.0.1"), server.port()}, strict, on.now() + 2s));
    EXPECT_EQ(mapped.outcome, model::connect_outcome::blocked);
    EXPECT_EQ(server.connections(), 0) << "not a packet was sent";

    EXPECT_EQ(connect(on, server.port(), lenient).outcome, model::connect_outcome::connected);
    EXPECT_EQ(connect(on, server.port(), strict, true).outcome, model::connect_outcome::connected)
        << "an endpoint that the operator named";
}

TEST(Connect, TellsRefusedFromSilent) {
    std::uint16_t port = 0;
    {
        test_server gone([](peer&) {});
        port = gone.port();
    }
    io::loop on;
    EXPECT_EQ(connect(on, port, lenient).outcome, model::connect_outcome::refused);
    const auto late = on.block_on(io::connect_tcp(on, {here, port}, lenient, on.now() - 1s));
    EXPECT_EQ(late.outcome, model::connect_outcome::timeout);
}

TEST(Connect, ReadsAndWritesKeepTheirDeadlines) {
    std::atomic<bool> over = false;
    test_server server([&](peer& client) {
        client.send("hello");
        while (!over) // reads nothing
            std::this_thread::sleep_for(5ms);
    });
    io::loop on;
    auto connected = connect(on, server.port(), lenient);
    ASSERT_TRUE(connected.connection);
    auto& stream = *connected.connection;
    const auto first = on.block_on(stream.read_some(100, on.now() + 2s));
    EXPECT_EQ(first.status, io::io_status::ok);
    EXPECT_EQ(first.bytes, "hello");
    const auto start = on.now();
    EXPECT_EQ(on.block_on(stream.read_some(100, start + 50ms)).status, io::io_status::timeout);
    EXPECT_GE(on.now() - start, 50ms);
    EXPECT_LT(on.now() - start, 10s);
    // More than the kernel holds does not go out to a peer that does not read.
    EXPECT_EQ(on.block_on(stream.write_all(std::string(64 << 20, 'x'), on.now() + 100ms)),
              io::io_status::timeout);
    stream.close();
    EXPECT_EQ(on.block_on(stream.read_some(1, on.now() + 1s)).status, io::io_status::failed);
    EXPECT_EQ(on.block_on(stream.write_all("x", on.now() + 1s)), io::io_status::failed);
    over = true;
}

TEST(Connect, TellsTheEnd) {
    test_server server([](peer& client) { client.send("bye"); });
    io::loop on;
    auto connected = connect(on, server.port(), lenient);
    ASSERT_TRUE(connected.connection);
    EXPECT_EQ(on.block_on(connected.connection->read_some(2, on.now() + 2s)).bytes, "by");
    EXPECT_EQ(on.block_on(connected.connection->read_some(2, on.now() + 2s)).bytes, "e");
    EXPECT_EQ(on.block_on(connected.connection->read_some(2, on.now() + 2s)).status, io::io_status::eof);
}

} // namespace
