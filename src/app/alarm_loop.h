// SPDX-License-Identifier: Apache-2.0
// Alarms while the daemon runs: looks every five minutes and soon after new reports, remembers in the store
// what was told, and tells each once, reminds, and says when it is over. What is to be sent stands in the
// store until it went out, so that neither a crash nor a mail server that is down loses it.
#pragma once

#include "insight/insight.h"
#include "io/loop.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::app {

struct daemon_core;

class alarm_loop {
public:
    explicit alarm_loop(daemon_core& core)
        : core_(core) {}
    io::task<> run(); ///< as long as the daemon does
    void wake() { woken_ = true; }
    /// A letter for the people of alarms.mail, sent at the next turn and until it went out.
    io::task<> post(insight::letter letter);
    const std::vector<insight::alarm_state>& active() const { return active_; }

private:
    io::task<> look();
    io::task<> send_outbox();
    std::vector<insight::alarm> alarms_of_ways_in();
    std::vector<insight::alarm> alarms_of_this_machine();
    std::optional<insight::alarm> alarm_of_store(); ///< where it cannot be written
    /// Of the store itself: what is to be told cannot be kept there first, so it goes out at once, and once.
    io::task<> tell_at_once(insight::alarm alarm);
    /// Of several machines one tells; the others write down what they have to tell.
    io::task<> write_down(std::vector<insight::alarm> mine);

    daemon_core& core_;
    bool woken_ = true;
    bool tells_ = true; ///< it is our turn to tell
    std::vector<insight::alarm_state> active_;
    std::optional<insight::notice> told_at_once_; ///< until the store is back
    std::map<std::string, int> failing_;          ///< way in -> looks in succession at which it failed
};

} // namespace mailtight::app
