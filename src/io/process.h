// SPDX-License-Identifier: Apache-2.0
// The process of a daemon: signals as events of the loop, readiness to systemd (sd_notify's protocol, no
// library), dropping root.
#pragma once

#include "io/loop.h"

#include <expected>
#include <functional>
#include <string>
#include <string_view>

namespace mailtight::io {

/// SIGTERM and SIGINT -> stop, SIGHUP -> reload; handled on the loop, from here on, until the object goes.
/// SIGPIPE is ignored from here on. One object a process.
class signals {
public:
    signals(loop& on, std::function<void()> stop, std::function<void()> reload);
    ~signals();
    signals(const signals&) = delete;
    signals& operator=(const signals&) = delete;

private:
    struct state;
    std::shared_ptr<state> state_;
};

/// `READY=1`, `RELOADING=1` (with MONOTONIC_USEC added), `STOPPING=1`, `STATUS=...`, `WATCHDOG=1` to
/// $NOTIFY_SOCKET; nothing where it is not set.
void notify_manager(std::string_view what);
/// Half of WATCHDOG_USEC, or nothing.
std::optional<std::chrono::milliseconds> watchdog_interval();

/// Becomes this user with its groups and without the way back; "" : stays. Already that user: fine. The error
/// is for a person.
std::expected<void, std::string> drop_privileges(const std::string& user, const std::string& group);

} // namespace mailtight::io
