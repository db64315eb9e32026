// SPDX-License-Identifier: Apache-2.0
// Looks that share a conversation with a mail server: it ends when the last of them is left, and not before.
#include "observe/observe.h"
#include "support/dns_world.h"
#include "unit/probe/probe_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace mailtight::observe {
namespace {

using namespace std::chrono_literals;

/// Two domains with one mail server, which takes its time to greet.
class shared_server : public testing::Test {
protected:
    shared_server() {
        for (const char* domain : {"a.example", "b.example"})
            dns_.mx(domain, {{10, "mx.example"}});
        dns_.addresses("mx.example", {"127.0.0.1"});
        world_.options.smtp_port = server_.port();
        options_.https = options_.every_server = options_.pitfalls = false;
        seen_ = std::make_unique<observer>(world_.loop, dns_, world_.context(), options_);
    }
    io::task<> look(std::string domain, wanted_fn wanted, model::observation& into) {
        into = co_await seen_->look(domain, domain, {}, std::move(wanted));
    }
    static const model::smtp_fact& probe_of(const model::observation& seen) {
        static const model::smtp_fact none;
        const bool any = !seen.mx.empty() && !seen.mx.front().probes.empty();
        EXPECT_TRUE(any);
        return any ? seen.mx.front().probes.front() : none;
    }

    std::atomic<int> greeted_ = 0; ///< by us
    tests::test_server server_{[this](tests::peer& client) {
        std::this_thread::sleep_for(200ms);
        client.send("220 mx.example ESMTP\r\n");
        if (client.line().starts_with("EHLO"))
            ++greeted_;
        client.send("250 mx.example\r\n");
        client.line();
        client.send("221 bye\r\n");
    }};
    tests::world world_;
    tests::dns_world dns_{&world_.loop};
    observe_options options_;
    std::unique_ptr<observer> seen_;
};

TEST_F(shared_server, hears_no_more_of_a_look_that_nobody_wants_and_the_next_begins_anew) {
    bool wanted = true;
    model::observation left, next;
    world_.loop.spawn(look("a.example", [&] { return wanted; }, left));
    world_.loop.block_on(world_.loop.sleep_for(100ms));
    wanted = false;
    world_.loop.run();
    EXPECT_EQ(greeted_, 0);
    EXPECT_EQ(server_.connections(), 1);
    world_.loop.block_on(look("b.example", {}, next));
    EXPECT_EQ(probe_of(next).outcome, model::smtp_outcome::no_starttls) << "what was cut short is not shared";
    EXPECT_EQ(greeted_, 1);
    EXPECT_EQ(seen_->counted().smtp, 2u);
}

TEST_F(shared_server, is_talked_to_for_as_long_as_one_look_waits) {
    bool wanted = true;
    model::observation left, stays;
    world_.loop.spawn(look("a.example", [&] { return wanted; }, left));
    world_.loop.block_on(world_.loop.sleep_for(50ms));
    world_.loop.spawn(look("b.example", [] { return true; }, stays));
    world_.loop.block_on(world_.loop.sleep_for(50ms));
    wanted = false;
    world_.loop.run();
    EXPECT_EQ(probe_of(stays).outcome, model::smtp_outcome::no_starttls);
    EXPECT_EQ(greeted_, 1);
    EXPECT_EQ(seen_->counted().smtp, 1u);
    EXPECT_EQ(seen_->counted().shared, 1u);
}

TEST_F(shared_server, is_not_even_called_where_nobody_waited_for_its_address) {
    model::observation left;
    world_.loop.block_on(look("a.example", [] { return false; }, left));
    EXPECT_EQ(server_.connections(), 0);
    EXPECT_EQ(seen_->counted().smtp, 0u);
}

} // namespace
} // namespace mailtight::observe
