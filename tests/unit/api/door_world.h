// SPDX-License-Identifier: Apache-2.0
// The gate over a real store, with a clock that the test sets, and requests as the HTTP server hands them on.
#pragma once

#include "api/credentials.h"
#include "api/doorkeeper.h"
#include "api/site.h"
#include "support/scratch.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mailtight::api {

struct set_clock final : base::clock {
    base::utc_seconds at{std::chrono::seconds(1'800'000'000)};
    base::utc_seconds now() const override { return at; }
};

using fields = std::vector<std::pair<std::string, std::string>>;

class door_world : public testing::Test {
protected:
    static constexpr base::password_cost cheap{.passes = 1, .kibibytes = 64, .lanes = 1};
    static constexpr const char* password = "correct horse battery";

    door_world() { restart({}); }

    static doorkeeper_options plain() {
        doorkeeper_options out;
        out.cost = cheap;
        return out;
    }
    void restart(doorkeeper_options options) {
        options.cost = cheap;
        options.told = [this](const store::audit_entry& entry, bool) { told_.push_back(entry); };
        options.parts = [] { return parts_on{.domains = true, .reports = true}; };
        door_ = std::make_unique<doorkeeper>(
            loop_, clock_,
            [this]() -> store::result<std::unique_ptr<store::access_store>> {
                if (away_)
                    return std::unexpected(
                        store::store_error{store::store_error::kind::unreachable, "connection refused"});
                return store::open_access({.where = folder_ / "store.db"});
            },
            std::move(options));
        context_ = std::make_shared<context>(context{.loop = loop_, .clock = clock_, .version = "1.2.3"});
        context_->access = door_.get();
        site_options options_of_site;
        options_of_site.keeper = door_.get();
        site_ = make_site(context_, options_of_site);
    }
    /// What another machine, or a command, writes.
    store::access_store& beside() {
        if (!beside_)
            beside_ = store::open_access({.where = folder_ / "store.db"}).value();
        return *beside_;
    }
    std::string add_token(const std::string& name, const std::string& role,
                          std::optional<std::string> tenant = {},
                          std::optional<base::utc_seconds> until = {}) {
        const auto secret = std::string(token_prefix) + base::random_secret();
        EXPECT_TRUE(*beside().add_token({.to = {.name = name, .role = role, .tenant = std::move(tenant)},
                                         .digest = base::digest_of_secret(secret),
                                         .made_at = clock_.now(),
                                         .used_at = {},
                                         .expires_at = until}));
        return secret;
    }
    void add_user(const std::string& name, const std::string& role, std::string_view of = password) {
        EXPECT_TRUE(beside().put_user({.to = {.name = name, .role = role, .tenant = {}},
                                       .password = *base::encode_password(of, cheap),
                                       .made_at = clock_.now(),
                                       .last_login = {}}));
    }

    static io::http_exchange request(const std::string& method, const std::string& target, fields more = {},
                                     std::string body = {}) {
        io::http_exchange asked;
        asked.request.method = method;
        asked.request.target = target;
        const auto mark = target.find('?');
        asked.request.path = target.substr(0, mark);
        asked.request.query = mark == std::string::npos ? "" : target.substr(mark + 1);
        asked.request.host = "127.0.0.1";
        asked.request.fields = {{"host", "127.0.0.1:8460"}};
        asked.request.fields.insert(asked.request.fields.end(), more.begin(), more.end());
        if (!body.empty())
            asked.request.fields.emplace_back("content-length", std::to_string(body.size()));
        asked.request.body = std::move(body);
        asked.peer.address = io::endpoint{*base::ip_address::parse("127.0.0.1"), 5'000};
        asked.client = "127.0.0.1";
        return asked;
    }
    /// As http_server does: admit() with the head alone, then handle().
    wire::http_reply ask(io::http_exchange asked) {
        auto body = std::move(asked.request.body);
        asked.request.body.clear();
        if (auto refused = site_.admit(asked))
            return *refused;
        asked.request.body = std::move(body);
        return loop_.block_on(site_.handle(std::move(asked)));
    }
    wire::http_reply ask(const std::string& method, const std::string& target, fields more = {},
                         std::string body = {}) {
        return ask(request(method, target, std::move(more), std::move(body)));
    }
    static fields bearer(const std::string& token) { return {{"authorization", "Bearer " + token}}; }
    static boost::json::object document(const wire::http_reply& reply) {
        boost::system::error_code error;
        auto value = boost::json::parse(reply.body, error);
        EXPECT_FALSE(error) << reply.body;
        return !error && value.is_object() ? value.as_object() : boost::json::object{};
    }
    static std::string field(const wire::http_reply& reply, std::string_view name) {
        for (const auto& [key, value] : reply.fields)
            if (key == name)
                return value;
        return "";
    }

    /// A browser that logged in.
    struct browser {
        std::string cookie, csrf;
        fields reads() const { return {{"cookie", cookie}, {"sec-fetch-site", "same-origin"}}; }
        fields writes() const {
            return {{"cookie", cookie}, {"sec-fetch-site", "same-origin"}, {"x-csrf-token", csrf}};
        }
    };
    static std::string login_body(const std::string& name, std::string_view of = password) {
        return boost::json::serialize(boost::json::object{{"user", name}, {"password", of}});
    }
    browser log_in(const std::string& body) {
        const auto reply = ask("POST", "/api/v1/session", {{"sec-fetch-site", "same-origin"}}, body);
        EXPECT_EQ(reply.status, 200) << reply.body;
        const auto cookie = field(reply, "Set-Cookie");
        const auto said = document(reply);
        return {.cookie = cookie.substr(0, cookie.find(';')),
                .csrf = said.contains("csrf") ? std::string(said.at("csrf").as_string()) : ""};
    }
    std::vector<std::string> told() const {
        std::vector<std::string> all;
        for (const auto& each : told_)
            all.push_back(each.what + " " + std::to_string(each.status));
        return all;
    }
    void wait(std::chrono::milliseconds how_long) { loop_.block_on(loop_.sleep_for(how_long)); }

    tests::scratch_folder folder_;
    io::loop loop_;
    set_clock clock_;
    bool away_ = false;
    std::vector<store::audit_entry> told_;
    std::unique_ptr<doorkeeper> door_;
    std::shared_ptr<context> context_;
    io::http_site site_;
    std::unique_ptr<store::access_store> beside_;
};

} // namespace mailtight::api
