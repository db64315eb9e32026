// SPDX-License-Identifier: Apache-2.0
// The log: its table, its lines, what a remote side cannot do to it, and what is held back.
#include "base/log.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

using namespace mailtight::base;
using testing::HasSubstr;

namespace {

class set_clock final : public clock {
public:
    utc_seconds at = *parse_utc("2026-01-02T03:04:05Z");
    utc_seconds now() const override { return at; }
};

struct written {
    set_clock time;
    std::vector<std::string> lines;
    log_options options(bool json = false, std::uint64_t repeats = 3) {
        return {.least = log_level::info,
                .json = json,
                .journal = false,
                .repeats = repeats,
                .sink = [this](std::string_view line) { lines.emplace_back(line); }};
    }
};

TEST(log_table, stands_in_the_order_of_the_enum_and_every_row_tells_the_operator_something) {
    std::set<std::string_view> names;
    std::size_t index = 0;
    for (const auto& entry : log_events()) {
        SCOPED_TRACE(std::string(entry.name));
        EXPECT_EQ(static_cast<std::size_t>(entry.what), index++);
        EXPECT_EQ(&entry_of(entry.what), &entry);
        EXPECT_TRUE(names.insert(entry.name).second) << "a name means one thing";
        EXPECT_THAT(std::string(entry.name), testing::MatchesRegex("[a-z-]+\\.[a-z-]+"));
        EXPECT_GT(entry.text.size(), 10u);
        EXPECT_TRUE(entry.text.ends_with('.')) << "a sentence";
    }
    EXPECT_EQ(index, static_cast<std::size_t>(event::internal_error) + 1) << "every event has a row";
}

TEST(log_line, for_people_has_time_level_name_and_fields) {
    written to;
    mailtight::base::log log(to.time, to.options());
    log.write(event::listening, {{"part", "lmtp"}, {"at", "two words"}, {"empty", ""}});
    EXPECT_EQ(to.lines, std::vector<std::string>{"2026-01-02T03:04:05Z info    listener.open part=lmtp "
                                                 "at=\"two words\" empty=\"\""});
}

TEST(log_line, in_the_journal_has_its_priority_and_no_time) {
    written to;
    auto options = to.options();
    options.journal = true;
    mailtight::base::log log(to.time, options);
    log.write(event::part_failed, {{"error", "x"}});
    log.write(event::way_in_failed);
    log.write(event::ready);
    EXPECT_EQ(to.lines,
              (std::vector<std::string>{"<3>part.failed error=x", "<4>way-in.failed", "<6>serve.ready"}));
}

TEST(log_line, as_json_is_one_document) {
    written to;
    mailtight::base::log log(to.time, to.options(true));
    log.write(event::report_stored, {{"from", "google.com"}, {"number", "7"}});
    const auto line = boost::json::parse(to.lines.at(0)).as_object();
    EXPECT_EQ(line.at("time").as_string(), "2026-01-02T03:04:05Z");
    EXPECT_EQ(line.at("level").as_string(), "info");
    EXPECT_EQ(line.at("event").as_string(), "report.stored");
    EXPECT_EQ(line.at("from").as_string(), "google.com");
}

TEST(log_line, cannot_be_broken_by_what_a_remote_side_says) {
    for (const bool json : {false, true}) {
        written to;
        mailtight::base::log log(to.time, to.options(json));
        log.write(event::report_refused, {{"error", "a\r\n2026 error forged\x1b[2J \xff \"quoted\" x=y " +
                                                        std::string(9'000, 'z')}});
        ASSERT_EQ(to.lines.size(), 1u);
        EXPECT_EQ(to.lines[0].find_first_of("\r\n\x1b"), std::string::npos);
        EXPECT_LT(to.lines[0].size(), 1'500u) << "a bounded line";
        if (json)
            EXPECT_NO_THROW((void)boost::json::parse(to.lines[0]));
        else
            EXPECT_THAT(to.lines[0], HasSubstr("\\\"quoted\\\" x=y")) << "inside the quotes of its field";
    }
}

TEST(log_level, leaves_out_what_is_below_and_can_change) {
    written to;
    mailtight::base::log log(to.time, to.options());
    log.set_level(log_level::error);
    log.write(event::ready);
    log.write(event::way_in_failed);
    log.write(event::part_failed);
    EXPECT_EQ(to.lines.size(), 1u);
    log.set_level(log_level::info);
    log.write(event::ready);
    EXPECT_EQ(to.lines.size(), 2u);
    for (const auto level : {log_level::debug, log_level::info, log_level::warning, log_level::error})
        EXPECT_EQ(parse_log_level(to_string(level)), level);
    EXPECT_EQ(parse_log_level("loud"), std::nullopt);
}

TEST(log_repeats, are_held_back_counted_and_told_with_the_next_one) {
    written to;
    {
        mailtight::base::log log(to.time, to.options());
        for (int i = 0; i < 10; ++i)
            log.write(event::report_refused);
        EXPECT_EQ(to.lines.size(), 3u) << "three within the window";
        log.write(event::ready);
        EXPECT_EQ(to.lines.size(), 4u) << "another event is not held back with it";
        to.time.at += std::chrono::seconds(60);
        log.write(event::report_refused);
        EXPECT_THAT(to.lines.at(4), HasSubstr("held_back=7"));
        for (int i = 0; i < 5; ++i)
            log.write(event::report_refused);
        EXPECT_EQ(to.lines.size(), 7u);
    }
    EXPECT_THAT(to.lines.at(7), HasSubstr("held_back=3")) << "nothing is lost at the end";
}

TEST(log_threads, write_whole_lines) {
    written to;
    mailtight::base::log log(to.time, to.options(false, 100'000));
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&log] {
            for (int n = 0; n < 500; ++n)
                log.write(event::ready, {{"n", "1"}});
        });
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(to.lines.size(), 2'000u);
}

} // namespace
