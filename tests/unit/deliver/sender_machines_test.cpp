// SPDX-License-Identifier: Apache-2.0
// Several machines over one PostgreSQL owe their reports together: each goes out once, and what a machine had
// in hand when it died goes out by another.
#include "sender_world.h"

#include <fmt/format.h>

namespace mailtight::deliver {
namespace {

using namespace tests;
using testing::SizeIs;

class machines : public testing::Test {
protected:
    std::shared_ptr<result_database> database = std::make_shared<result_database>(true);
    sender_world one{database}, two{database};
    void SetUp() override {
        one.options.machine = "one";
        two.options.machine = "two";
    }
};

TEST_F(machines, each_report_goes_out_once) {
    constexpr int domains = 60;
    std::vector<model::counted_result> results;
    for (int i = 0; i < domains; ++i) {
        const auto domain = fmt::format("d{}.example", i);
        results.push_back(sessions(domain, 1));
        for (auto* each : {&one, &two})
            each->world.asks(domain, fmt::format("mailto:{0}@r.example,https://{0}/", domain));
    }
    one.count(results);
    // Both on one loop, at the same time; the second's own is not run.
    one.make();
    two.options.open = [&] { return std::make_unique<watched_store>(database->open(), two.watched); };
    deliver::sender other(one.loop, two.ways(), two.clock, two.real_clock, two.options);
    one.sender->start();
    other.start();
    EXPECT_TRUE(one.eventually(
        [&] {
            return one.world.accepted.size() + two.world.accepted.size() >= std::size_t{2 * domains} &&
                   one.sender->idle() && other.idle();
        },
        30s));
    other.stop();
    auto all = one.world.accepted;
    all.insert(all.end(), two.world.accepted.begin(), two.world.accepted.end());
    EXPECT_THAT(all, SizeIs(2 * domains));
    std::ranges::sort(all);
    EXPECT_EQ(std::ranges::adjacent_find(all), all.end()) << "twice";
    EXPECT_EQ(one.stored().due, 0u);
    EXPECT_EQ(one.stored().waiting, 0u);
}

} // namespace
} // namespace mailtight::deliver
