// SPDX-License-Identifier: Apache-2.0
#include "plan/plan.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mailtight::plan {
namespace {

TEST(PlanWords, EveryKindHasAWordOfItsOwn) {
    std::set<std::string> words;
    int kinds = 0;
    for (auto kind = step_kind::report_way;; kind = static_cast<step_kind>(static_cast<int>(kind) + 1)) {
        words.emplace(to_string(kind));
        ++kinds;
        if (kind == step_kind::come_back)
            break;
    }
    EXPECT_EQ(words.size(), static_cast<std::size_t>(kinds));
    EXPECT_FALSE(words.contains(""));
}

TEST(Plan, TheNextStepIsTheFirstThatIsNotDone) {
    plan p;
    EXPECT_EQ(p.next(), nullptr);
    p.steps = {{.state = step_state::done}, {.kind = step_kind::evidence, .state = step_state::waiting}};
    ASSERT_NE(p.next(), nullptr);
    EXPECT_EQ(p.next()->kind, step_kind::evidence);
}

} // namespace
} // namespace mailtight::plan
