// SPDX-License-Identifier: Apache-2.0
// Looks over the API with a made-up looker: what a stream tells, who shares a look, and how many there are.
#include "api/look_desk.h"
#include "api/route.h"
#include "io/event_stream.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::api {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

struct heard final : io::event_stream {
    io::task<bool> send(std::string_view event, std::string_view data) override {
        if (left)
            co_return false;
        events.push_back(std::string(event) + " " + std::string(data));
        co_return true;
    }
    io::task<bool> keep_alive() override {
        ++comments;
        co_return !left;
    }
    bool open() const override { return !left; }
    std::vector<std::string> events;
    int comments = 0;
    bool left = false;
};

const caller ann{.name = "user ann"}, ben{.name = "user ben"};
const caller tenant{.name = "user cat", .tenant = "cats"};

class looks : public testing::Test {
public:
    looks()
        : desk_(loop_,
                [this](std::string domain, bool whole, std::function<void(look_stage)> told,
                       std::function<bool()> wanted) {
                    return look(std::move(domain), whole, std::move(told), std::move(wanted));
                },
                {.at_once = 3, .of_one = 2, .kept = 4, .shared = 60s})
        , context_{.loop = loop_, .clock = clock_, .looks = &desk_} {}

    io::task<boost::json::object> look(std::string domain, bool whole, std::function<void(look_stage)> told,
                                       std::function<bool()> wanted) {
        ++taken_;
        told({.what = look_stage::kind::dns, .done = false, .subject = domain, .words = ""});
        told({.what = look_stage::kind::dns, .done = true, .subject = domain, .words = "found"});
        while (held_ && wanted())
            co_await loop_.sleep_for(1ms);
        while (slow_)
            co_await loop_.sleep_for(1ms);
        if (domain == "broken.example")
            throw std::runtime_error("a fault");
        co_return boost::json::object{{"domain", domain}, {"whole", whole}};
    }
    const route& at() {
        static const auto rows = look_routes();
        return rows.front();
    }
    io::task<> stream(heard& into, std::string domain, caller by) {
        return at().stream(context_, call{.item = std::move(domain), .by = std::move(by)}, into);
    }
    wire::http_reply ask(const std::string& domain, const caller& by = ann) {
        return loop_.block_on(at().handle(context_, call{.item = domain, .by = by}));
    }

    io::loop loop_;
    base::system_clock clock_;
    int taken_ = 0;
    bool held_ = false, slow_ = false; ///< slow: it ends late, although nobody wants it
    look_desk desk_;
    context context_;
};

TEST_F(looks, a_stream_tells_each_stage_and_then_the_document) {
    heard into;
    loop_.block_on(stream(into, " Example.COM. ", ann));
    ASSERT_EQ(into.events.size(), 3u);
    EXPECT_THAT(into.events[0],
                HasSubstr(R"(stage {"stage":"dns","state":"begun","subject":"example.com","words":"")"));
    EXPECT_THAT(into.events[1],
                HasSubstr(R"("state":"done","subject":"example.com","words":"found","elapsed_ms":)"));
    EXPECT_EQ(into.events[2], R"(check {"domain":"example.com","whole":true})");
}

TEST_F(looks, those_who_ask_for_the_same_share_one_and_the_last_minute) {
    held_ = true;
    heard first, second;
    loop_.spawn(stream(first, "example.com", ann));
    loop_.spawn(stream(second, "example.com", ben));
    loop_.spawn([](bool& held, io::loop& on) -> io::task<> {
        co_await on.sleep_for(20ms);
        held = false;
    }(held_, loop_));
    loop_.run();
    EXPECT_EQ(first.events, second.events) << "who comes later hears all of it";
    EXPECT_EQ(first.events.size(), 3u);
    EXPECT_THAT(ask("example.com").body, HasSubstr("example.com")) << "done, and fresh still";
    EXPECT_EQ(taken_, 1);
    EXPECT_THAT(ask("example.com", tenant).body, HasSubstr(R"("whole":false)"))
        << "what is known here beside it is not told to a tenant";
    EXPECT_EQ(taken_, 2);
}

TEST_F(looks, few_at_once_a_caller_and_in_all) {
    held_ = true;
    std::vector<heard> into(3);
    loop_.spawn(stream(into[0], "a.example", ann));
    loop_.spawn(stream(into[1], "b.example", ann));
    loop_.block_on(loop_.sleep_for(5ms));
    EXPECT_EQ(ask("c.example").status, 429) << "two of one";
    heard refused;
    loop_.block_on(stream(refused, "c.example", ann));
    EXPECT_THAT(
        refused.events,
        ElementsAre(HasSubstr(R"(failed {"type":"about:blank","title":"Too Many Requests","status":429)")));
    loop_.spawn(stream(into[2], "c.example", ben));
    loop_.block_on(loop_.sleep_for(5ms));
    EXPECT_EQ(desk_.under_way(), 3u);
    EXPECT_EQ(ask("d.example", ben).status, 429) << "three in all";
    heard shared;
    loop_.spawn(stream(shared, "a.example", ben));
    held_ = false;
    loop_.run();
    EXPECT_EQ(shared.events.size(), 3u) << "to share one under way costs nothing";
    EXPECT_EQ(ask("d.example").status, 200);
}

TEST_F(looks, a_look_that_all_have_left_ends_soon_and_counts_until_it_does) {
    held_ = slow_ = true;
    heard into;
    bool ended = false;
    loop_.spawn([](looks& of, heard& to, bool& done) -> io::task<> {
        co_await of.stream(to, "a.example", ann);
        done = true;
    }(*this, into, ended));
    loop_.block_on(loop_.sleep_for(5ms));
    into.left = true;
    loop_.block_on(loop_.sleep_for(1'200ms));
    EXPECT_TRUE(ended);
    EXPECT_EQ(into.comments, 1);
    EXPECT_EQ(desk_.under_way(), 1u) << "who reloads a page finds it";
    loop_.block_on(loop_.sleep_for(2'100ms));
    EXPECT_EQ(desk_.under_way(), 1u) << "it waits for the last answer still";
    held_ = false;
    heard again;
    loop_.spawn(stream(again, "a.example", ann));
    loop_.block_on(loop_.sleep_for(5ms));
    EXPECT_EQ(taken_, 2) << "what was cut short is nobody's";
    EXPECT_EQ(desk_.under_way(), 2u) << "both count";
    EXPECT_EQ(ask("b.example").status, 429) << "leaving and coming back makes no more of them";
    slow_ = false;
    loop_.run();
    EXPECT_EQ(desk_.under_way(), 0u);
    EXPECT_EQ(again.events.size(), 3u);
    EXPECT_EQ(ask("a.example").status, 200);
    EXPECT_EQ(taken_, 2) << "the second is whole, and shared";
}

TEST_F(looks, one_who_still_waits_keeps_a_look_alive) {
    held_ = true;
    heard leaves, stays;
    loop_.spawn(stream(leaves, "a.example", ann));
    loop_.spawn(stream(stays, "a.example", ben));
    loop_.block_on(loop_.sleep_for(5ms));
    leaves.left = true;
    loop_.block_on(loop_.sleep_for(3'500ms));
    EXPECT_EQ(desk_.under_way(), 1u);
    EXPECT_EQ(stays.events.size(), 2u) << "nothing was cut";
    held_ = false;
    loop_.run();
    EXPECT_EQ(taken_, 1);
    EXPECT_THAT(stays.events.back(), HasSubstr(R"(check {"domain":"a.example")"));
}

TEST_F(looks, what_is_no_domain_and_a_fault_are_told) {
    for (const char* typed : {"", "a b", "-", "exa_mple..com", "192.0.2.1", "[::1]", "a."})
        EXPECT_EQ(ask(typed).status, 422) << typed;
    EXPECT_EQ(taken_, 0);
    EXPECT_EQ(ask("broken.example").status, 500);
    heard into;
    loop_.block_on(stream(into, "broken.example", ann));
    EXPECT_EQ(taken_, 2) << "a look that failed is nothing to share";
    EXPECT_THAT(into.events.back(), HasSubstr("failed {"));
}

TEST_F(looks, what_is_kept_has_an_end) {
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(ask("d" + std::to_string(i) + ".example").status, 200);
    EXPECT_EQ(taken_, 20);
    EXPECT_EQ(ask("d19.example").status, 200);
    EXPECT_EQ(taken_, 20) << "the newest is there";
    EXPECT_EQ(ask("d0.example").status, 200);
    EXPECT_EQ(taken_, 21) << "the oldest went for it";
}

} // namespace
} // namespace mailtight::api
