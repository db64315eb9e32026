// SPDX-License-Identifier: Apache-2.0
// Results told over HTTP and the outbox, with made-up parts behind them: who may ask, what is understood, and
// answers that are what the document promises.
#include "api/outbox_documents.h"
#include "api/site.h"
#include "json_schema.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace mailtight::api {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr base::utc_seconds today{std::chrono::seconds(1'800'000'000)}; // 2027-01-15T08:00:00Z

struct standing_clock final : base::clock {
    base::utc_seconds now() const override { return today; }
};

const store::store_error away{store::store_error::kind::unreachable, "connection refused"};

class made_up final : public outbox {
public:
    std::vector<model::outgoing_report> reports;
    std::vector<store::suppressed_address> list_of_suppressed;
    store::result_store::outbox_question asked;
    std::vector<std::chrono::sys_days> sent;
    bool delivers = true, is_away = false;

    io::task<store::result<std::vector<model::outgoing_report>>>
    list(store::result_store::outbox_question which) override {
        asked = which;
        if (is_away)
            co_return std::unexpected(away);
        co_return reports;
    }
    io::task<store::result<std::optional<model::outgoing_report>>> report(std::int64_t number) override {
        for (const auto& each : reports)
            if (each.number == number)
                co_return each;
        co_return std::nullopt;
    }
    io::task<store::result<std::vector<store::suppressed_address>>> suppressed() override {
        co_return list_of_suppressed;
    }
    io::task<store::result<void>> suppress(store::suppressed_address value) override {
        list_of_suppressed.push_back(std::move(value));
        co_return store::result<void>();
    }
    io::task<store::result<bool>> allow_again(std::string who) override {
        co_return std::erase_if(list_of_suppressed, [&](const auto& each) { return each.who == who; }) > 0;
    }
    bool sends() const override { return delivers; }
    base::utc_seconds now() const override { return today; }
    io::task<store::result<deliver::sender::day_result>> send_day(std::chrono::sys_days day) override {
        sent.push_back(day);
        co_return deliver::sender::day_result{.filed = 2, .sent = 1, .waiting = 1, .troubles = {"one"}};
    }
};

class outgoing : public testing::Test {
protected:
    outgoing()
        : context_(std::make_shared<context>(
              context{.loop = loop_, .clock = clock_, .reports = &box_, .version = "1"})) {
        context_->results = {.take = [this](const tally::told&) { ++taken_; },
                             .refused = [this](const tally::read_error&) { ++refused_; },
                             .written = [this]() -> io::task<store::result<void>> {
                                 at_commit_ = taken_;
                                 if (box_.is_away)
                                     co_return std::unexpected(away);
                                 co_return store::result<void>();
                             }};
    }
    wire::http_reply ask(const std::string& method, const std::string& target, const std::string& body = {},
                         const std::string& origin = {}) {
        site_options options;
        if (!for_mail_servers_)
            options.may_change = [this](const io::peer&) { return may_; };
        options.may_tell = [this](const io::peer&) { return may_; };
        options.name_of = [](const io::peer&) { return std::string("ann"); };
        const auto site = make_site(context_, options);
        io::http_exchange asked;
        asked.request.method = method;
        const auto mark = target.find('?');
        asked.request.path = target.substr(0, mark);
        asked.request.query = mark == std::string::npos ? "" : target.substr(mark + 1);
        if (!origin.empty())
            asked.request.fields.emplace_back("origin", origin);
        if (auto refused = site.admit(asked))
            return *refused;
        asked.request.body = body;
        return loop_.block_on(site.handle(std::move(asked)));
    }
    boost::json::object good(const std::string& method, const std::string& target,
                             const std::string& body = {}, int status = 200) {
        const auto reply = ask(method, target, body);
        EXPECT_EQ(reply.status, status) << reply.body;
        const auto value = boost::json::parse(reply.body);
        const tests::json_schema checker(boost::json::parse(openapi("1")).as_object());
        const auto found = find_route(method, target.substr(0, target.find('?')));
        EXPECT_THAT(checker.complaints(value, std::string(found.at->answer)), IsEmpty()) << reply.body;
        return value.as_object();
    }
    std::string bad(int status, const std::string& method, const std::string& target,
                    const std::string& body = {}) {
        const auto reply = ask(method, target, body);
        EXPECT_EQ(reply.status, status) << method << " " << target << ": " << reply.body;
        return std::string(boost::json::parse(reply.body).at("detail").as_string());
    }

    io::loop loop_;
    standing_clock clock_;
    made_up box_;
    std::shared_ptr<context> context_;
    int taken_ = 0, refused_ = 0, at_commit_ = -1;
    bool may_ = true;
    bool for_mail_servers_ = false; ///< resolve.http-listen, where nobody changes anything
};

constexpr const char* line = R"({"domain":"a.example","mx":"mx.a.example","tls":"verified"})";

TEST_F(outgoing, results_are_taken_and_the_first_errors_are_told) {
    const auto said =
        good("POST", "/api/v1/results", std::string(line) + "\n\nno json\r\n" + line + "\n{\"domain\":7}");
    EXPECT_EQ(said.at("taken").to_number<int>(), 2);
    EXPECT_EQ(said.at("refused").to_number<int>(), 2);
    EXPECT_TRUE(said.at("durable").as_bool());
    ASSERT_EQ(said.at("errors").as_array().size(), 2u);
    EXPECT_EQ(said.at("errors").at(0).at("line").to_number<int>(), 3);
    EXPECT_EQ(said.at("errors").at(1).at("line").to_number<int>(), 5);
    EXPECT_EQ(taken_, 2);
    EXPECT_EQ(refused_, 2);
    EXPECT_EQ(at_commit_, 2) << "the commit came after the last of them";
}

TEST_F(outgoing, many_lines_are_taken_in_portions_and_all_of_them) {
    std::string body;
    for (int i = 0; i < 1'000; ++i)
        body += std::string(line) + "\n";
    EXPECT_EQ(good("POST", "/api/v1/results", body).at("taken").to_number<int>(), 1'000);
    EXPECT_EQ(at_commit_, 1'000);
    bad(413, "POST", "/api/v1/results", std::string((8u << 20) + 1, ' '));
}

TEST_F(outgoing, results_that_are_not_durable_yet_must_not_be_told_again) {
    box_.is_away = true;
    const auto said = good("POST", "/api/v1/results", line, 202);
    EXPECT_EQ(said.at("taken").to_number<int>(), 1);
    EXPECT_FALSE(said.at("durable").as_bool());
    EXPECT_THAT(std::string(said.at("trouble").as_string()), HasSubstr("connection refused"));
}

TEST_F(outgoing, results_that_would_be_lost_are_not_taken) {
    context_->results.full = [] { return true; };
    EXPECT_THAT(bad(503, "POST", "/api/v1/results", line), HasSubstr("again later"));
    EXPECT_EQ(taken_, 0U);
}

TEST_F(outgoing, results_are_taken_from_programs_of_this_machine_alone) {
    EXPECT_EQ(ask("POST", "/api/v1/results", line, "https://evil.example").status, 403)
        << "a page in a browser of this machine";
    may_ = false;
    bad(403, "POST", "/api/v1/results", line);
    EXPECT_EQ(taken_, 0);
}

TEST_F(outgoing, results_are_taken_where_nobody_may_change_anything) {
    for_mail_servers_ = true;
    EXPECT_EQ(good("POST", "/api/v1/results", line).at("taken").to_number<int>(), 1);
    may_ = false;
    bad(403, "POST", "/api/v1/results", line);
    EXPECT_EQ(taken_, 1);
}

TEST_F(outgoing, what_is_off_is_not_there) {
    context_->results = {};
    context_->reports = nullptr;
    EXPECT_THAT(bad(404, "POST", "/api/v1/results", line), HasSubstr("[collect]"));
    EXPECT_THAT(bad(404, "GET", "/api/v1/outbox"), HasSubstr("[deliver]"));
    EXPECT_THAT(bad(404, "GET", "/api/v1/policies"), HasSubstr("[resolve]"));
    EXPECT_EQ(ask("GET", "/api/v1/openapi.json").status, 200);
}

TEST_F(outgoing, reports_are_listed_narrowed_and_in_pages) {
    model::outgoing_report report;
    report.number = 7;
    report.day = std::chrono::floor<std::chrono::days>(today);
    report.domain = "a.example";
    report.made_at = today;
    report.deliveries.push_back({.number = 8,
                                 .report = 7,
                                 .uri = "mailto:tls@a.example",
                                 .address = "tls@a.example",
                                 .host = "a.example",
                                 .state = model::delivery_state::given_up,
                                 .tries = 9,
                                 .first_at = today,
                                 .next_at = today,
                                 .ended_at = today,
                                 .words = "451 later\r\n\x1b[31m"});
    box_.reports = {report};
    const auto said = good("GET", "/api/v1/outbox?state=given-up&domain=A.example&day=2027-01-15&before=9"
                                  "&limit=1");
    EXPECT_EQ(box_.asked.state, model::delivery_state::given_up);
    EXPECT_EQ(box_.asked.domain, "a.example");
    EXPECT_EQ(box_.asked.day, report.day);
    EXPECT_EQ(box_.asked.before, 9);
    EXPECT_EQ(box_.asked.limit, 1u);
    EXPECT_EQ(said.at("next").to_number<int>(), 7);
    const auto& delivery = said.at("reports").at(0).at("deliveries").at(0);
    EXPECT_EQ(delivery.at("state").as_string(), "given-up");
    EXPECT_TRUE(delivery.at("next_at").is_null()) << "it is not tried again";
    EXPECT_EQ(std::string(delivery.at("words").as_string()).find('\x1b'), std::string::npos);
    EXPECT_EQ(good("GET", "/api/v1/outbox/7").at("domain").as_string(), "a.example");
    bad(404, "GET", "/api/v1/outbox/8");
    bad(404, "GET", "/api/v1/outbox/seven");
    bad(400, "GET", "/api/v1/outbox?state=lost");
    bad(400, "GET", "/api/v1/outbox?day=yesterday");
    box_.is_away = true;
    EXPECT_THAT(bad(503, "GET", "/api/v1/outbox"), HasSubstr("connection refused"));
}

TEST_F(outgoing, a_day_is_sent_when_it_is_over) {
    const auto said = good("POST", "/api/v1/days/2027-01-14/send");
    EXPECT_EQ(said.at("filed").to_number<int>(), 2);
    EXPECT_EQ(said.at("troubles").at(0).as_string(), "one");
    EXPECT_EQ(box_.sent.size(), 1u);
    EXPECT_THAT(bad(422, "POST", "/api/v1/days/2027-01-15/send"), HasSubstr("not over"));
    bad(422, "POST", "/api/v1/days/2027-02-30/send");
    box_.delivers = false;
    EXPECT_THAT(bad(409, "POST", "/api/v1/days/2027-01-14/send"), HasSubstr("deliver.contact"));
    may_ = false;
    bad(403, "POST", "/api/v1/days/2027-01-14/send");
    EXPECT_EQ(box_.sent.size(), 1u);
}

TEST_F(outgoing, an_address_is_suppressed_until_a_day_or_for_good) {
    const auto said =
        good("PUT", "/api/v1/suppressed/TLS@A.Example", R"({"why":"bounces","until":"2027-01-15"})");
    EXPECT_EQ(said.at("who").as_string(), "tls@a.example");
    EXPECT_EQ(said.at("until").as_string(), "2027-01-16T00:00:00Z") << "the day is included";
    EXPECT_EQ(good("PUT", "/api/v1/suppressed/@b.example").at("why").as_string(), "by ann");
    EXPECT_EQ(good("GET", "/api/v1/suppressed").at("suppressed").as_array().size(), 2u);
    good("DELETE", "/api/v1/suppressed/@b.example");
    bad(404, "DELETE", "/api/v1/suppressed/@b.example");
    for (const char* body :
         {"[]", "{", R"({"why":7})", R"({"until":"2027-01-14"})", R"({"until":"soon"})", R"({"reason":"x"})"})
        bad(422, "PUT", "/api/v1/suppressed/a@b.example", body);
}

TEST_F(outgoing, nothing_is_changed_but_where_who_asks_may) {
    may_ = false;
    const std::vector<std::pair<const char*, const char*>> changes = {
        {"POST", "/api/v1/days/2027-01-14/send"},
        {"PUT", "/api/v1/suppressed/a@b.example"},
        {"DELETE", "/api/v1/suppressed/a@b.example"}};
    for (const auto& [method, path] : changes)
        bad(403, method, path);
    EXPECT_TRUE(box_.sent.empty());
    EXPECT_TRUE(box_.list_of_suppressed.empty());
    EXPECT_EQ(std::ranges::count_if(
                  routes(), [](const route& each) { return each.changes && each.part == part_of::outbox; }),
              static_cast<std::ptrdiff_t>(changes.size()))
        << "every route that changes something stands above";
    good("GET", "/api/v1/outbox"); // reading goes on
}

TEST(outbox_documents, an_address_is_a_mail_address_a_domain_or_a_host) {
    for (const auto& [typed, read] :
         std::vector<std::pair<const char*, const char*>>{{"A@B.example", "a@b.example"},
                                                          {" @B.Example ", "@b.example"},
                                                          {"reports.example.com", "reports.example.com"}})
        EXPECT_EQ(read_address(typed), read) << typed;
    for (const char* bad : {"", "@", "a@", "localhost", "a b@c.example", "a@b.example\r\nx", "a@b..example",
                            "https://reports.example.com/x"})
        EXPECT_FALSE(read_address(bad)) << bad;
    EXPECT_FALSE(read_address(std::string(400, 'a') + "@b.example"));
    EXPECT_EQ(parse_day("2027-01-15"), std::chrono::floor<std::chrono::days>(today));
    for (const char* bad : {"", "2027-1-15", "2027-02-30", "15.01.2027", "2027-01-15T00:00:00Z"})
        EXPECT_FALSE(parse_day(bad)) << bad;
}

} // namespace
} // namespace mailtight::api
