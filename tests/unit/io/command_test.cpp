// SPDX-License-Identifier: Apache-2.0
// Programs run without a shell: what goes in, what comes out, and how they end.
#include "io/command.h"

#include <gtest/gtest.h>

namespace mailtight::io {
namespace {

using namespace std::chrono_literals;

TEST(command, output_is_taken_where_it_is_wanted_and_no_more_of_it) {
    const auto all = run_command({"cat"}, "one\ntwo\n", 5s, 100);
    EXPECT_EQ(all.exit_status, 0) << all.error;
    EXPECT_EQ(all.wrote, "one\ntwo\n");
    const auto some = run_command({"cat"}, "one\ntwo\n", 5s, 4);
    EXPECT_EQ(some.exit_status, 0) << "what is beyond the limit is read and dropped";
    EXPECT_EQ(some.wrote, "one\n");
    EXPECT_EQ(run_command({"cat"}, "one\n", 5s).wrote, "") << "not wanted";
}

TEST(command, more_output_than_a_pipe_holds_stops_nobody) {
    const auto much = run_command({"head", "-c", "1000000", "/dev/zero"}, "", 10s, 300'000);
    EXPECT_EQ(much.exit_status, 0) << much.error;
    EXPECT_EQ(much.wrote.size(), 300'000u);
}

TEST(command, complaints_and_failures_are_told_apart) {
    const auto failed = run_command({"ls", "/does/not/exist"}, "", 5s, 100);
    EXPECT_GT(failed.exit_status, 0);
    EXPECT_NE(failed.said.find("exist"), std::string::npos);
    EXPECT_EQ(failed.wrote, "");
    const auto none = run_command({"/does/not/exist"}, "", 5s, 100);
    EXPECT_EQ(none.exit_status, -1);
    EXPECT_NE(none.error.find("cannot start"), std::string::npos);
    EXPECT_NE(run_command({"sleep", "10"}, "", 100ms).error.find("did not end"), std::string::npos);
    EXPECT_EQ(run_command({}, "", 1s).error, "no program is named");
}

} // namespace
} // namespace mailtight::io
