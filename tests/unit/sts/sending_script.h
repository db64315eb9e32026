// SPDX-License-Identifier: Apache-2.0
// Plays tests/scenarios/sending/NAME.txt over a sending_world. One command a line, `#` begins a comment:
//
//   proves IDS                             the rules, as the test names them
//   record valid ID [ttl N]                what the domain publishes from now on
//   record none|multiple|invalid|error [ttl N]
//   policy enforce|testing|none max_age N [mx HOST]
//   policy fetch_error|webpki_invalid|invalid
//   use                                    somebody asks for the domain
//   fail                                   a delivery failed
//   wait N s|min|h|days                    time goes by, nothing runs
//   run N s|min|h|days                     time goes by, daily fetches run
//   clock back N s|min|h|days              the clock is set back
//   fetches wait / fetches end             a fetch lasts until it is let go
//   expect policy MODE id ID | no policy | unknown | dns error | fault RESULT-TYPE | no fault
//   expect mx HOST | waits | no wait | alarm | no alarm | worthless | not worthless
//   expect looks N | fetches N             since the last such line
//   expect expires in N UNIT | refresh in N to N UNIT | no refresh
#pragma once

#include "sending_world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace mailtight::sts::tests {

class sending_script {
public:
    explicit sending_script(const std::string& path)
        : path_(path) {}

    void play() {
        std::ifstream file(path_);
        ASSERT_TRUE(file) << path_;
        for (std::string text; std::getline(file, text);) {
            ++line_;
            const testing::ScopedTrace where(path_.c_str(), line_, text);
            std::istringstream words(text.substr(0, text.find('#')));
            args_.clear();
            next_ = 0;
            for (std::string word; words >> word;)
                args_.push_back(word);
            if (!args_.empty())
                command();
            if (next_ < args_.size())
                ADD_FAILURE() << "not understood from here: " << args_[next_];
            if (testing::Test::HasFailure())
                return;
        }
        EXPECT_FALSE(proves_.empty()) << "the scenario proves nothing";
        EXPECT_GT(expectations_, 0u);
    }
    const std::string& proves() const { return proves_; }

private:
    std::string word() { return next_ < args_.size() ? args_[next_++] : ""; }
    bool take(std::string_view expected) {
        if (next_ >= args_.size() || args_[next_] != expected)
            return false;
        ++next_;
        return true;
    }
    std::uint64_t number() {
        const auto text = word();
        const bool digits =
            !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
        EXPECT_TRUE(digits) << "a number is missing";
        return digits ? std::stoull(text) : 0;
    }
    seconds unit() {
        const auto text = word();
        for (const auto& [name, length] : {std::pair{"s", seconds(1)},
                                           {"min", minutes(1)},
                                           {"h", hours(1)},
                                           {"day", days(1)},
                                           {"days", days(1)}})
            if (text == name)
                return length;
        ADD_FAILURE() << "no unit of time: " << text;
        return seconds(0);
    }
    seconds duration() {
        const auto count = static_cast<std::int64_t>(number());
        return count * unit();
    }

    void command() {
        const auto what = word();
        if (what == "proves") {
            while (next_ < args_.size())
                proves_ += (proves_.empty() ? "" : " ") + word();
        } else if (what == "record") {
            publish_record();
        } else if (what == "policy") {
            publish_policy();
        } else if (what == "use") {
            world_.use();
        } else if (what == "fail") {
            world_.delivery_fails();
        } else if (what == "wait") {
            world_.wait(duration());
        } else if (what == "run") {
            world_.run(duration());
        } else if (what == "clock" && take("back")) {
            world_.now -= duration();
        } else if (what == "fetches") {
            world_.fetches_wait = take("wait");
            if (!world_.fetches_wait && take("end"))
                world_.fetch_ends();
        } else if (what == "expect") {
            ++expectations_;
            expect();
        } else {
            ADD_FAILURE() << "no such command";
        }
    }
    void publish_record() {
        const auto what = word();
        const auto id = what == "valid" ? word() : "";
        const auto ttl = static_cast<std::uint32_t>(take("ttl") ? number() : 300);
        using enum record_sighting::kind;
        for (const auto& [name, value] : {std::pair{"valid", valid},
                                          {"none", none},
                                          {"multiple", multiple},
                                          {"invalid", invalid},
                                          {"error", error}})
            if (what == name) {
                world_.record = {value, id, ttl, value == error ? "SERVFAIL" : ""};
                return;
            }
        ADD_FAILURE() << "no such record";
    }
    void publish_policy() {
        const auto what = word();
        if (const auto m = parse_mode(what)) {
            EXPECT_TRUE(take("max_age"));
            const auto max_age = number();
            world_.policy = served(*m, max_age, take("mx") ? word() : "mx.example.com");
            return;
        }
        using enum policy_fault;
        for (const auto& [name, value] : {std::pair{"fetch_error", fetch_error},
                                          {"webpki_invalid", webpki_invalid},
                                          {"invalid", invalid}})
            if (what == name) {
                world_.policy = broken(value, what);
                return;
            }
        ADD_FAILURE() << "no such policy";
    }
    void expect() {
        const auto stands = world_.stands();
        const bool no = take("no"), not_so = take("not");
        const auto what = word();
        if (what == "policy" && no) {
            EXPECT_EQ(stands.what, standing::kind::no_policy);
        } else if (what == "policy") {
            ASSERT_EQ(stands.what, standing::kind::policy);
            EXPECT_EQ(to_string(stands.held->value.mode), word());
            if (take("id"))
                EXPECT_EQ(stands.held->id, word());
        } else if (what == "mx") {
            ASSERT_TRUE(stands.held);
            EXPECT_EQ(stands.held->value.mx, std::vector{word()});
        } else if (what == "unknown") {
            EXPECT_EQ(stands.what, standing::kind::unknown);
        } else if (what == "dns" && take("error")) {
            EXPECT_TRUE(stands.dns_error);
        } else if (what == "fault") {
            EXPECT_EQ(stands.fault ? to_string(*stands.fault) : "", no ? "" : word());
        } else if (what == "waits" || what == "wait") {
            EXPECT_EQ(world_.latest.answer_waits, !no);
        } else if (what == "alarm") {
            EXPECT_EQ(deserves_alarm(world_.state, world_.now), !no);
        } else if (what == "worthless") {
            EXPECT_EQ(worthless(world_.state, world_.now), !not_so);
        } else if (what == "looks") {
            EXPECT_EQ(std::exchange(world_.looks, 0), number());
        } else if (what == "fetches") {
            EXPECT_EQ(std::exchange(world_.fetches, 0), number());
        } else if (what == "expires" && take("in")) {
            ASSERT_TRUE(world_.state.held);
            EXPECT_EQ(world_.state.held->expires_at() - world_.now, duration());
        } else if (what == "refresh" && no) {
            EXPECT_EQ(world_.state.refresh_at, base::utc_seconds{});
        } else if (what == "refresh" && take("in")) {
            const auto from = static_cast<std::int64_t>(number());
            EXPECT_TRUE(take("to"));
            const auto to = static_cast<std::int64_t>(number());
            const auto length = unit();
            EXPECT_GE(world_.state.refresh_at - world_.now, from * length);
            EXPECT_LE(world_.state.refresh_at - world_.now, to * length);
        } else {
            ADD_FAILURE() << "no such expectation";
        }
    }

    std::string path_, proves_;
    int line_ = 0;
    std::size_t next_ = 0, expectations_ = 0;
    std::vector<std::string> args_;
    sending_world world_;
};

} // namespace mailtight::sts::tests
