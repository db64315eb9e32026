// SPDX-License-Identifier: Apache-2.0
// What probes found, at hand for results: this machine's at once, others' from the next question on.
#include "app/verdict_memory.h"
#include "support/scratch.h"

#include <gtest/gtest.h>

namespace mailtight::app {
namespace {

using namespace std::chrono_literals;

struct set_clock final : base::clock {
    base::utc_seconds at{1'800'000'000s};
    base::utc_seconds now() const override { return at; }
};

class verdicts : public testing::Test {
protected:
    verdicts()
        : keeper_(loop_, clock_, store::open_policies({.where = folder_ / "store.db"}).value(), {})
        , memory_(loop_, clock_, keeper_) {}
    model::testing_verdict verdict(const std::string& host, const std::string& result) const {
        return {.domain = "a.example",
                .policy_id = "1",
                .mx_host = host,
                .address = *base::ip_address::parse("192.0.2.1"),
                .at = clock_.at,
                .result = result,
                .reason = ""};
    }
    void probe(std::vector<model::testing_verdict> found) {
        const auto noting = memory_.noting(
            [found](std::string, sts::held_policy) -> io::task<std::vector<model::testing_verdict>> {
                co_return found;
            });
        EXPECT_EQ(loop_.block_on(noting("a.example", {})).size(), found.size());
    }
    const tests::scratch_folder folder_;
    io::loop loop_;
    set_clock clock_;
    resolve::keeper keeper_;
    verdict_memory memory_;
};

TEST_F(verdicts, what_a_probe_finds_is_known_at_once_and_for_an_hour) {
    EXPECT_FALSE(memory_.noting({}));
    probe({verdict("mx1.a.example", "certificate-expired"), verdict("mx2.a.example", "")});
    ASSERT_EQ(memory_.of("a.example").size(), 2u);
    EXPECT_TRUE(memory_.of("b.example").empty());
    clock_.at += 1'800s;
    probe({verdict("mx1.a.example", "")}); // it was mended
    ASSERT_EQ(memory_.of("a.example").size(), 2u);
    for (const auto& each : memory_.of("a.example"))
        EXPECT_EQ(each.result, "") << "the later one counts";
    clock_.at += 1'801s;
    ASSERT_EQ(memory_.of("a.example").size(), 1u) << "the other one is older than an hour";
    EXPECT_EQ(memory_.of("a.example").front().mx_host, "mx1.a.example");
}

TEST_F(verdicts, those_of_other_machines_are_asked_for) {
    auto other = store::open_policies({.where = folder_ / "store.db"});
    ASSERT_TRUE(other);
    const std::vector<model::testing_verdict> found = {verdict("mx1.a.example", "certificate-expired")};
    ASSERT_TRUE((*other)->put_verdicts(found, clock_.at - 3'600s));
    EXPECT_TRUE(memory_.of("a.example").empty()) << "nobody waits for the database";
    for (int i = 0; i < 200 && memory_.of("a.example").empty(); ++i)
        loop_.block_on([](io::loop& on) -> io::task<> { co_await on.sleep_for(10ms); }(loop_));
    ASSERT_EQ(memory_.of("a.example").size(), 1u);
    EXPECT_EQ(memory_.of("a.example").front().result, "certificate-expired");
}

} // namespace
} // namespace mailtight::app
