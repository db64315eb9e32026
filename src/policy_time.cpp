// SPDX-License-Identifier: Apache-2.0
// Of the shipped program; the lab's is tests/lab/policy_time.cpp. Beside main.cpp and not in app/, so that a
// program has one of the two and never both.
#include "app/policy_time.h"

namespace mailtight::app {

namespace {

class real_clock final : public policy_clock {
public:
    base::utc_seconds now() const override { return system_.now(); }
    std::chrono::seconds ahead() const override { return {}; }

private:
    base::system_clock system_;
};

} // namespace

policy_clock& policy_time() {
    static real_clock one;
    return one;
}

std::vector<lab_route> lab_routes() {
    return {};
}

} // namespace mailtight::app
