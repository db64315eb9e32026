// SPDX-License-Identifier: Apache-2.0
// The audit log beside the gate: what waits for the database, and what was done last.
#include "door_world.h"

namespace mailtight::api {
namespace {

using gate_that_writes_down = door_world;

TEST_F(gate_that_writes_down, an_audit_log_that_waits_is_complained_of_once) {
    std::vector<std::string> complaints;
    doorkeeper_options options;
    options.complain = [&complaints](std::string_view words) { complaints.emplace_back(words); };
    restart(options);
    away_ = true;
    EXPECT_EQ(ask("GET", "/api/v1/session", {{"authorization", "Basic abc"}}).status, 401);
    for (int beat = 0; beat < 5; ++beat)
        EXPECT_FALSE(loop_.block_on(door_->audit(0, 10)));
    ASSERT_EQ(complaints.size(), 1U);
    EXPECT_THAT(complaints[0], testing::HasSubstr("connection refused"));
    away_ = false;
    const auto written = loop_.block_on(door_->audit(0, 10));
    ASSERT_TRUE(written);
    ASSERT_EQ(written->size(), 1U) << "nothing of it is lost";
    EXPECT_EQ(written->front().status, 401);
}

TEST_F(gate_that_writes_down, what_was_done_last_is_written_down_before_the_end) {
    const auto admin = add_token("boss", "administrator");
    loop_.spawn(door_->keep());
    wait(std::chrono::milliseconds(1));
    EXPECT_EQ(ask("POST", "/api/v1/tokens", bearer(admin), R"({"name":"backup","role":"viewer"})").status,
              200);
    door_->stop();
    EXPECT_FALSE(door_->idle()) << "whoever ends waits for it";
    for (int tries = 0; tries < 300 && !door_->idle(); ++tries)
        wait(std::chrono::milliseconds(10));
    EXPECT_TRUE(door_->idle());
    const auto all = beside().audit(0, 10);
    ASSERT_TRUE(all);
    ASSERT_FALSE(all->empty());
    EXPECT_EQ(all->front().subject, "backup");
}

} // namespace
} // namespace mailtight::api
