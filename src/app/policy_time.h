// SPDX-License-Identifier: Apache-2.0
// The clock of days, waits and lifetimes. In the program as it is shipped it is the system's. The program of
// the lab (mailtight-lab, never shipped) links another policy_time: its clock can be set forward through the
// control socket, so that a report day passes in a second, while everything that a peer judges (TLS, DNSSEC,
// DKIM) keeps the real time.
#pragma once

#include "base/time.h"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::app {

class policy_clock : public base::clock {
public:
    /// How far it is ahead of the real time; 0 in the shipped program.
    virtual std::chrono::seconds ahead() const = 0;
};
/// One for the whole process.
policy_clock& policy_time();

/// What the control socket offers besides; nothing in the shipped program.
struct lab_route {
    std::string path; ///< of a POST
    std::function<std::string(std::string_view body)> answer;
};
std::vector<lab_route> lab_routes();

} // namespace mailtight::app
