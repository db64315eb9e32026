// SPDX-License-Identifier: Apache-2.0
// The site that takes reports by POST, behind a real HTTP server on loopback.
#include "intake_world.h"

#include "intake/ways_in.h"
#include "support/proves.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>

#include <future>

namespace mailtight::intake {
namespace {

using namespace std::chrono_literals;
using namespace tests;
using mood = memory_database::mood;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct site_world : intake_world {
    std::shared_ptr<way_status> status = std::make_shared<way_status>();
    io::http_server server;

    explicit site_world(http_intake_options options = {})
        : server(loop, {}, clock) {
        server.add_site(report_site(loop, *keeper, book, clock, std::move(options), status));
        const auto listening = server.listen(*io::parse_listen_address("127.0.0.1:0", 0), nullptr);
        EXPECT_TRUE(listening) << listening.error();
    }
    ~site_world() {
        server.stop();
        EXPECT_TRUE(eventually(loop, [this] { return server.open_connections() == 0; }));
    }
    std::uint16_t port() const {
        const auto address = server.addresses().at(0);
        return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
    }
    std::string send(std::string request) {
        auto result = std::async(std::launch::async, [port = port(), request = std::move(request)] {
            const auto client = raw_client::tcp(port);
            client.send(request);
            return client.rest();
        });
        EXPECT_TRUE(eventually(loop, [&] { return result.wait_for(0s) == std::future_status::ready; }, 60s));
        return result.get();
    }
    std::string post(const std::string& body,
                     const std::string& fields = "Content-Type: application/tlsrpt+gzip\r\n",
                     const std::string& path = "/tlsrpt/tokena2345", const std::string& method = "POST") {
        return send(method + " " + path + " HTTP/1.1\r\nHost: reports.example\r\nConnection: close\r\n" +
                    fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
};

TEST(report_site, takes_json_and_gzip_whatever_they_are_called) {
    PROVES("8460-5.4-c", "A42", "A39");
    site_world world;
    const auto body = [](const char* id) { return make_report("example.com", id); };
    EXPECT_THAT(world.post(gzip_of(body("1"))), StartsWith("HTTP/1.1 201 "));
    EXPECT_THAT(world.post(json_of(body("2")), "Content-Type: application/tlsrpt+json\r\n"),
                StartsWith("HTTP/1.1 201 "));
    EXPECT_THAT(world.post(json_of(body("3"))), StartsWith("HTTP/1.1 201 ")); // json that says gzip
    EXPECT_THAT(
        world.post(gzip_of(body("4")), "Content-Type: application/tlsrpt+json\r\nContent-Encoding: gzip\r\n"),
        StartsWith("HTTP/1.1 201 "));
    EXPECT_THAT(world.post(gzip_of(body("5")), ""), StartsWith("HTTP/1.1 201 "));
    EXPECT_EQ(world.database->count(), 5U);
    for (const auto& report : world.database->reports) {
        EXPECT_EQ(report.trust, model::trust::authorised);
        EXPECT_EQ(report.way, model::way_in::https);
        EXPECT_EQ(report.source, "127.0.0.1");
        EXPECT_EQ(report.recipient, "tokena2345");
    }
    EXPECT_EQ(world.status->accepted, 5U);
}

TEST(report_site, says_201_once_and_200_again) {
    PROVES("8460-5.4-c");
    site_world world;
    const auto first = world.post(gzip_of(make_report())), second = world.post(gzip_of(make_report()));
    EXPECT_THAT(first, StartsWith("HTTP/1.1 201 "));
    EXPECT_THAT(second, StartsWith("HTTP/1.1 200 "));
    const auto reply = boost::json::parse(first.substr(first.find("\r\n\r\n") + 4));
    EXPECT_EQ(reply.at("status").as_string(), "received");
    EXPECT_EQ(reply.at("reports").to_number<int>(), 1);
    EXPECT_EQ(world.database->count(), 1U);
}

struct refused_row {
    std::string why, reply, status;
};
TEST(report_site, refuses_with_a_status_that_helps) {
    PROVES("8460-7-a");
    http_intake_options options;
    options.body_bytes = 100'000;
    site_world world(options);
    const auto gz = gzip_of(make_report());
    const refused_row rows[] = {
        {"a token that nobody has", world.post(gz, "", "/tlsrpt/unknown"), "404"},
        {"no token", world.post(gz, "", "/tlsrpt/"), "404"},
        {"more than a token", world.post(gz, "", "/tlsrpt/tokena2345/x"), "404"},
        {"GET", world.post("", "", "/tlsrpt/tokena2345", "GET"), "405"},
        {"PUT", world.post(gz, "", "/tlsrpt/tokena2345", "PUT"), "405"},
        {"GET of a token that nobody has", world.post("", "", "/tlsrpt/unknown", "GET"), "404"},
        {"a coding that is not read", world.post(gz, "Content-Encoding: br\r\n"), "415"},
        {"no JSON", world.post("<html>"), "415"},
        {"a mail", world.post(signed_mail("one")), "415"},
        {"JSON that is no report", world.post("{\"hello\":1}"), "422"},
        {"a broken gzip", world.post(gz.substr(0, gz.size() / 2)), "422"},
        {"nothing", world.post(""), "422"},
        {"too large", world.post(std::string(200'000, ' ')), "413"},
        {"a bomb", world.post(base::gzip(std::string(50'000'000, ' '))), "413"},
    };
    for (const auto& row : rows) {
        EXPECT_THAT(row.reply, StartsWith("HTTP/1.1 " + row.status + " ")) << row.why;
        EXPECT_THAT(row.reply, HasSubstr("application/problem+json")) << row.why;
        EXPECT_THAT(row.reply, Not(HasSubstr("tokena2345"))) << row.why;
    }
    EXPECT_THAT(rows[3].reply, HasSubstr("Allow: POST"));
    EXPECT_EQ(world.database->count(), 0U);
}

TEST(report_site, one_source_may_post_only_so_much) {
    PROVES("8460-7-a");
    http_intake_options options;
    options.posts_per_minute = 2;
    site_world world(options);
    EXPECT_THAT(world.post(gzip_of(make_report("example.com", "1"))), StartsWith("HTTP/1.1 201 "));
    EXPECT_THAT(world.post(gzip_of(make_report("example.com", "2"))), StartsWith("HTTP/1.1 201 "));
    const auto third = world.post(gzip_of(make_report("example.com", "3")));
    EXPECT_THAT(third, StartsWith("HTTP/1.1 429 "));
    EXPECT_THAT(third, HasSubstr("Retry-After: "));
    EXPECT_EQ(world.database->count(), 2U);
}

TEST(report_site, a_store_that_cannot_is_503_and_the_next_try_succeeds) {
    site_world world;
    for (const auto trouble : {mood::full, mood::unreachable}) {
        world.database->behaves = trouble;
        const auto refused = world.post(gzip_of(make_report()));
        EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 "));
        EXPECT_THAT(refused, HasSubstr("Retry-After: 60"));
        world.database->behaves = mood::fine;
        world.loop.block_on(world.loop.sleep_for(5ms));
        EXPECT_THAT(
            world.post(gzip_of(make_report("example.com", std::to_string(static_cast<int>(trouble))))),
            StartsWith("HTTP/1.1 201 "));
    }
    EXPECT_EQ(world.database->count(), 2U);
}

} // namespace
} // namespace mailtight::intake
