// SPDX-License-Identifier: Apache-2.0
#include "io/http_session.h"

#include "support/fixed_resolver.h"
#include "support/scratch.h"
#include "support/tls_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using tests::peer;

class HttpSession : public testing::Test {
protected:
    /// Serves `per_connection` requests on each connection, then closes it without a word about it.
    void start(int per_connection, std::string fields = "", bool with_length = true) {
        server_ = std::make_unique<tests::test_server>([=, this](peer& client) {
            ++connections_;
            if (!client.start_tls(tls_))
                return;
            for (int i = 0; i < per_connection; ++i) {
                const auto head = client.head();
                if (head.empty())
                    return;
                asked_.push_back(head.substr(0, head.find(' ')));
                client.send("HTTP/1.1 200 OK\r\n" + fields + (with_length ? "Content-Length: 2\r\n" : "") +
                            "\r\nok");
            }
        });
    }
    io::http_answer ask(io::http_session& by, bool repeatable) {
        return on_.block_on(by.ask({.method = repeatable ? "GET" : "POST",
                                    .url = fmt::format("https://localhost:{}/x", server_->port()),
                                    .exempt = true,
                                    .time = 5s},
                                   repeatable));
    }
    std::unique_ptr<io::http_session> session(io::http_session_options options = {}) {
        return std::make_unique<io::http_session>(on_, dns_, *client_, guard_, clock_, options);
    }
    void SetUp() override {
        std::ofstream(folder_ / "ca") << root_.pem();
        client_ = std::make_unique<io::tls_client>(folder_ / "ca");
    }

    tests::scratch_folder folder_;
    tests::identity root_ = tests::make_root();
    tests::identity host_ = tests::make_leaf(root_, {"localhost"});
    tests::server_tls tls_{host_};
    io::loop on_;
    tests::fixed_resolver dns_;
    base::address_guard guard_;
    base::system_clock clock_;
    std::unique_ptr<io::tls_client> client_;
    std::atomic<int> connections_{0};
    std::vector<std::string> asked_;
    std::unique_ptr<tests::test_server> server_;
};

TEST_F(HttpSession, KeepsItsConnection) {
    start(100);
    auto one = session();
    for (int i = 0; i < 5; ++i) {
        const auto answer = ask(*one, i % 2 == 0);
        ASSERT_EQ(answer.status, 200) << answer.error;
        EXPECT_EQ(answer.body, "ok");
        EXPECT_EQ(answer.address, "127.0.0.1");
    }
    EXPECT_EQ(one->counted().handshakes, 1u);
    EXPECT_EQ(one->counted().requests, 5u);
}

TEST_F(HttpSession, AConnectionThatWasClosedMeanwhileIsMadeAgain) {
    start(1);
    auto one = session();
    ASSERT_EQ(ask(*one, true).status, 200);
    on_.block_on(on_.sleep_for(50ms)); // the server's close arrives
    EXPECT_EQ(ask(*one, true).status, 200);
    EXPECT_EQ(one->counted().repeated, 1u);
    EXPECT_THAT(asked_, ElementsAre("GET", "GET"));
}

TEST_F(HttpSession, WhatIsSentOnceIsNotSentAgain) {
    start(1);
    auto one = session();
    ASSERT_EQ(ask(*one, true).status, 200);
    on_.block_on(on_.sleep_for(50ms));
    const auto answer = ask(*one, false);
    EXPECT_EQ(answer.status, 0) << "nobody knows whether it was done";
    EXPECT_FALSE(answer.error.empty());
    EXPECT_EQ(one->counted().repeated, 0u);
}

TEST_F(HttpSession, WhatIsSentOnceGoesOverAConnectionThatIsCertain) {
    start(1);
    auto one = session({.certain = 20ms});
    ASSERT_EQ(ask(*one, true).status, 200);
    on_.block_on(on_.sleep_for(50ms));
    EXPECT_EQ(ask(*one, false).status, 200);
    EXPECT_EQ(one->counted().handshakes, 2u);
}

TEST_F(HttpSession, ClosesWhereTheServerSaysSoOrTheEndIsTheEnd) {
    for (const bool with_length : {true, false}) {
        start(1, with_length ? "Connection: close\r\n" : "", with_length);
        auto one = session();
        EXPECT_EQ(ask(*one, true).status, 200);
        EXPECT_EQ(ask(*one, true).status, 200);
        EXPECT_EQ(one->counted().handshakes, 2u) << with_length;
        EXPECT_EQ(one->counted().repeated, 0u) << with_length;
    }
}

TEST_F(HttpSession, RefusesWhatNobodyNamed) {
    start(1);
    auto one = session();
    const auto answer = on_.block_on(one->ask({.method = "GET", .url = "http://localhost/x"}, true));
    EXPECT_EQ(answer.error, "only https is asked");
}

} // namespace
} // namespace mailtight
