// SPDX-License-Identifier: Apache-2.0
// Reports received behind the API, made up: a desk that answers what a test puts into it and remembers what
// it was asked.
#pragma once

#include "api/received_documents.h"
#include "api/route.h"
#include "json_schema.h"
#include "support/reports.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mailtight::api {

inline const store::store_error the_store_is_away{store::store_error::kind::unreachable,
                                                  "connection refused"};

class made_up_desk final : public received_desk {
public:
    base::utc_seconds today = tests::at(2026, 5, 20, 12);
    std::map<std::string, std::vector<std::string>> owners; ///< owner -> domains, in order
    std::vector<store::report_row> rows;
    std::map<std::int64_t, std::pair<std::string, boost::json::object>> reports;
    std::map<std::int64_t, std::string> bodies;
    std::map<std::int64_t, std::vector<std::string>> named; ///< domains in reports
    report_period period;
    failing_list failing;
    std::map<std::string, insight::mute> silent;
    std::expected<read_file, upload_refusal> file = read_file();
    std::expected<imported_file, upload_refusal> taken = imported_file();
    std::map<std::string, report_test> tests;
    bool is_away = false, test_runs = false;

    store::filter asked;
    own_domains told_to; ///< the last who was told of reports
    store::page asked_page;
    int questions = 0;
    upload handed_in;

    base::utc_seconds now() const override { return today; }
    io::task<store::result<std::vector<std::string>>> domains_of(std::string owner) override {
        if (is_away)
            co_return std::unexpected(the_store_is_away);
        co_return owners[owner];
    }
    io::task<store::result<std::vector<store::report_row>>> list(store::filter of, store::page which,
                                                                 own_domains whose) override {
        told_to = std::move(whose);
        co_return note(of, which, rows);
    }
    io::task<store::result<std::optional<shown_report>>> show(store::report_number number,
                                                              own_domains whose) override {
        told_to = std::move(whose);
        const auto found = reports.find(number);
        if (is_away)
            co_return std::unexpected(the_store_is_away);
        if (found == reports.end())
            co_return std::nullopt;
        co_return shown_report{
            .report_domain = found->second.first, .document = found->second.second, .named = named[number]};
    }
    io::task<store::result<std::optional<raw_report>>> raw(store::report_number number,
                                                           own_domains whose) override {
        told_to = std::move(whose);
        const auto found = reports.find(number);
        if (found == reports.end())
            co_return std::nullopt;
        co_return raw_report{
            .report_domain = found->second.first, .json = bodies[number], .named = named[number]};
    }
    io::task<store::result<report_period>> summary(store::filter of) override {
        co_return note(of, {}, period);
    }
    io::task<store::result<failing_list>> failures(store::filter of) override {
        co_return note(of, {}, failing);
    }
    io::task<store::result<std::vector<insight::mute>>> mutes() override {
        std::vector<insight::mute> all;
        for (const auto& [key, one] : silent)
            all.push_back(one);
        co_return all;
    }
    io::task<store::result<void>> set_mute(insight::mute value) override {
        if (is_away)
            co_return std::unexpected(the_store_is_away);
        silent[value.key] = value;
        co_return store::result<void>();
    }
    io::task<store::result<void>> end_mute(std::string key) override {
        silent.erase(key);
        co_return store::result<void>();
    }
    io::task<std::expected<read_file, upload_refusal>> read(upload one) override {
        handed_in = std::move(one);
        co_return file;
    }
    io::task<std::expected<imported_file, upload_refusal>> import(upload one) override {
        handed_in = std::move(one);
        co_return taken;
    }
    io::task<store::result<std::expected<report_test, test_refusal>>>
    begin_test(std::string domain) override {
        if (is_away)
            co_return std::unexpected(the_store_is_away);
        if (domain == "stranger.example")
            co_return std::expected<report_test, test_refusal>(std::unexpected(test_refusal::not_ours));
        if (test_runs)
            co_return std::expected<report_test, test_refusal>(std::unexpected(test_refusal::busy));
        const report_test one{
            .token = "abc", .domain = std::move(domain), .finished = false, .trouble = {}, .sent = {}};
        tests[one.token] = one;
        co_return one;
    }
    io::task<store::result<std::optional<report_test>>> test(std::string token) override {
        const auto found = tests.find(token);
        co_return found == tests.end() ? std::nullopt : std::optional(found->second);
    }

private:
    template<class T>
    store::result<T> note(const store::filter& of, const store::page& which, const T& answer) {
        asked = of;
        asked_page = which;
        ++questions;
        if (is_away)
            return std::unexpected(the_store_is_away);
        return answer;
    }
};

/// Calls routes as the site does once it knows who asks.
class received_api : public testing::Test {
protected:
    struct standing_clock final : base::clock {
        base::utc_seconds at = tests::at(2026, 5, 20, 12);
        base::utc_seconds now() const override { return at; }
    };
    wire::http_reply ask(const std::string& method, const std::string& target, const std::string& body = {}) {
        const auto mark = target.find('?');
        const auto path = target.substr(0, mark);
        auto found = find_route(method, std::string(root) + path);
        EXPECT_TRUE(found.at) << method << " " << target;
        if (!found.at)
            return {};
        EXPECT_TRUE(found.at->tenants || !by_.tenant) << "the site refuses tenants here";
        auto query = read_query(*found.at, mark == std::string::npos ? "" : target.substr(mark + 1));
        EXPECT_TRUE(query) << target;
        if (!query)
            return {};
        call made{.item = found.item, .query = std::move(*query), .body = body, .who = "ann", .by = by_};
        last_ = found.at;
        return loop_.block_on(found.at->handle(context_, std::move(made)));
    }
    boost::json::object good(const std::string& method, const std::string& target,
                             const std::string& body = {}) {
        const auto reply = ask(method, target, body);
        EXPECT_EQ(reply.status, 200) << method << " " << target << ": " << reply.body;
        boost::system::error_code error;
        const auto value = boost::json::parse(reply.body, error);
        if (error || !value.is_object() || !last_) {
            ADD_FAILURE() << "no object: " << reply.body;
            return {};
        }
        static const tests::json_schema checker(boost::json::parse(openapi("1")).as_object());
        EXPECT_THAT(checker.complaints(value, std::string(last_->answer)), testing::IsEmpty()) << reply.body;
        return value.as_object();
    }
    std::string bad(int status, const std::string& method, const std::string& target,
                    const std::string& body = {}) {
        const auto reply = ask(method, target, body);
        EXPECT_EQ(reply.status, status) << method << " " << target << ": " << reply.body;
        boost::system::error_code error;
        const auto value = boost::json::parse(reply.body, error);
        return error || !value.is_object() ? std::string() : std::string(value.at("detail").as_string());
    }
    void as_tenant(std::string owner) { by_.tenant = std::move(owner); }

    io::loop loop_;
    standing_clock clock_;
    made_up_desk desk_;
    context context_{.loop = loop_, .clock = clock_, .received = &desk_, .version = "1"};
    caller by_{.name = "user ann", .role = role::operates, .tenant = {}, .csrf = {}};
    const route* last_ = nullptr;
};

} // namespace mailtight::api
