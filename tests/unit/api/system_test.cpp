// SPDX-License-Identifier: Apache-2.0
// The system and sending over the API, with made-up parts behind: answers that are what the document
// promises, and none of them for who sees the domains of one owner alone.
#include "api/route.h"
#include "api/system_desk.h"
#include "json_schema.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::api {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr base::utc_seconds today{std::chrono::seconds(1'800'000'000)}; // 2027-01-15T08:00:00Z
const store::store_error away{store::store_error::kind::unreachable, "connection refused"};

struct standing_clock final : base::clock {
    base::utc_seconds now() const override { return today; }
};

class made_up final : public system_desk {
public:
    doctor_view host;
    std::vector<bool> asked_again;
    sending_view seen;
    bool is_away = false;

    io::task<boost::json::object> status() override {
        co_return boost::json::parse(R"({"version":"1","pid":7,"since":"2027-01-15T08:00:00Z","domains":2,
"parts":[{"name":"lmtp","where":"unix:/run/x","running":true,"failing":false,"accepted":1,"refused":0,"open":0,
"last_success":null,"last_error":"","last_error_at":null}],
"store":{"where":"x.db","writable":true,"queued_bytes":0,"commits":3,"last_error":""},
"reports":{"inputs":1,"added":1,"duplicates":0,"corrections":0,"kept_apart":0,"tests":0,"refused":0,"later":0,"last":null},
"alarms":[],"certificates":[],"sending":null,"collect":null,"deliver":null,"publish":null,"carry":null})")
            .as_object();
    }
    io::task<doctor_view> doctor(bool again) override {
        asked_again.push_back(again);
        co_return host;
    }
    io::task<store::result<boost::json::array>> certificates() override {
        if (is_away)
            co_return std::unexpected(away);
        co_return boost::json::parse(R"([{"name":"mta-sts.a.example","domain":"a.example","not_before":null,
"not_after":null,"renew_at":null,"in_use":false,"issuer":"","file":null,"trouble":"no address"}])")
            .as_array();
    }
    io::task<store::result<sending_view>> sending() override {
        if (is_away)
            co_return std::unexpected(away);
        co_return seen;
    }
};

class system_api : public testing::Test {
protected:
    wire::http_reply ask(const std::string& target) {
        const auto mark = target.find('?');
        auto found = find_route("GET", std::string(root) + target.substr(0, mark));
        EXPECT_TRUE(found.at) << target;
        if (!found.at)
            return {};
        EXPECT_FALSE(found.at->tenants) << "of the whole installation";
        EXPECT_EQ(found.at->part, part_of::system);
        auto query = read_query(*found.at, mark == std::string::npos ? "" : target.substr(mark + 1));
        EXPECT_TRUE(query);
        answer_ = found.at->answer;
        needs_ = found.at->needs;
        call made;
        made.query = query ? std::move(*query) : std::map<std::string, std::string>();
        return loop_.block_on(found.at->handle(context_, std::move(made)));
    }
    boost::json::object good(const std::string& target) {
        const auto reply = ask(target);
        EXPECT_EQ(reply.status, 200) << reply.body;
        const auto value = boost::json::parse(reply.body);
        const tests::json_schema checker(boost::json::parse(openapi("1")).as_object());
        EXPECT_THAT(checker.complaints(value, std::string(answer_)), IsEmpty()) << reply.body;
        return value.as_object();
    }

    io::loop loop_;
    standing_clock clock_;
    made_up desk_;
    context context_{.loop = loop_, .clock = clock_, .system = &desk_, .version = "1"};
    std::string_view answer_;
    role needs_ = role::viewer;
};

TEST_F(system_api, the_status_is_the_command_s) {
    EXPECT_EQ(good("/status").at("parts").at(0).at("name").as_string(), "lmtp");
    EXPECT_EQ(needs_, role::operates);
}

TEST_F(system_api, the_host_is_looked_at_and_looked_at_again) {
    desk_.host.looking = true;
    auto said = good("/doctor");
    EXPECT_EQ(needs_, role::operates);
    EXPECT_TRUE(said.at("looked_at").is_null()) << "the first look is under way";
    EXPECT_TRUE(said.at("looking").as_bool());
    desk_.host = {.looked_at = today,
                  .looking = false,
                  .checks = {boost::json::object{{"check", "port 25"},
                                                 {"state", "problem"},
                                                 {"seen", "refused"},
                                                 {"fix", "open it"},
                                                 {"lines", ""}}}};
    said = good("/doctor?again=1");
    EXPECT_EQ(said.at("looked_at").as_string(), "2027-01-15T08:00:00Z");
    EXPECT_EQ(said.at("checks").at(0).at("state").as_string(), "problem");
    good("/doctor?again=false");
    EXPECT_THAT(desk_.asked_again, testing::ElementsAre(false, true, false));
}

TEST_F(system_api, certificates_stand_there_with_their_trouble) {
    const auto said = good("/certificates");
    EXPECT_EQ(said.at("certificates").at(0).at("trouble").as_string(), "no address");
    desk_.is_away = true;
    const auto refused = ask("/certificates");
    EXPECT_EQ(refused.status, 503);
    EXPECT_THAT(refused.body, HasSubstr("connection refused"));
}

TEST_F(system_api, sending_is_figures_of_the_parts_that_are_on) {
    auto said = good("/sending");
    EXPECT_FALSE(said.at("parts").at("policies").as_bool());
    EXPECT_THAT(said.at("days").as_array(), IsEmpty());
    auto& seen = desk_.seen;
    seen.policies = seen.results = true;
    seen.destinations = 12;
    seen.enforce = 3;
    seen.without = 9;
    seen.answers = 40;
    seen.said = {{"enforce", 30}, {"no-policy", 10}};
    const auto day = std::chrono::floor<std::chrono::days>(today);
    seen.days = {{day, 90, 10}};
    seen.failures = {{.domain = "a.example",
                      .type = tlsrpt::result_type::certificate_expired,
                      .mx = "mx\x1b[31m.a.example",
                      .reason = "",
                      .count = 10,
                      .day = day}};
    seen.outbox.waiting = 4;
    said = good("/sending");
    EXPECT_EQ(said.at("decisions").at("without").to_number<int>(), 9);
    EXPECT_EQ(said.at("said").at("enforce").to_number<int>(), 30);
    EXPECT_EQ(said.at("failures").at(0).at("result_type").as_string(), "certificate-expired");
    EXPECT_EQ(std::string(said.at("failures").at(0).at("mx").as_string()).find('\x1b'), std::string::npos);
    EXPECT_EQ(said.at("outbox").at("waiting").to_number<int>(), 4);
    EXPECT_EQ(needs_, role::viewer);
    desk_.is_away = true;
    EXPECT_EQ(ask("/sending").status, 503);
}

} // namespace
} // namespace mailtight::api
