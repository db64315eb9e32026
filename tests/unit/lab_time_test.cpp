// SPDX-License-Identifier: Apache-2.0
// The clock of mailtight-lab: set forward by its route, never back, and nothing else moves it.
#include "app/policy_time.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace mailtight::app {
namespace {

boost::json::object set_ahead(const std::string& body) {
    const auto routes = lab_routes();
    if (routes.size() != 1 || routes.front().path != "/lab/ahead")
        return {};
    return boost::json::parse(routes.front().answer(body)).as_object();
}

TEST(policy_time_of_the_lab, goes_forward_as_told_and_never_back) {
    const base::system_clock real;
    EXPECT_EQ(policy_time().ahead().count(), 0);
    EXPECT_LE(policy_time().now() - real.now(), std::chrono::seconds(1));
    EXPECT_TRUE(set_ahead("3600").at("taken").as_bool());
    EXPECT_TRUE(set_ahead(R"({"seconds":86400})").at("taken").as_bool()) << "in all, not besides";
    EXPECT_EQ(policy_time().ahead(), std::chrono::days(1));
    EXPECT_GE(policy_time().now() - real.now(), std::chrono::seconds(86'399));
    for (const char* bad :
         {"", "soon", "{}", "3600", "-1", "1.5", R"({"seconds":"9"})", "[90000]", "99999999999999"}) {
        EXPECT_FALSE(set_ahead(bad).at("taken").as_bool()) << bad;
        EXPECT_EQ(policy_time().ahead(), std::chrono::days(1)) << bad;
    }
}

} // namespace
} // namespace mailtight::app
