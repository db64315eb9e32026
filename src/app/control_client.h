// SPDX-License-Identifier: Apache-2.0
// How a command reaches the running daemon: HTTP over its control socket. Blocking: one call runs the given
// loop until the answer is there. Errors are values.
#pragma once

#include "app/settings.h"
#include "io/loop.h"

#include <boost/json/value.hpp>

#include <chrono>
#include <expected>
#include <string>

namespace mailtight::app {

struct control_error {
    enum class kind {
        absent,  ///< nobody listens: no daemon runs, or it has no control socket
        refused, ///< the socket's permissions, or the daemon, do not let us
        broken,  ///< it answered wrongly or not at all
    } what = kind::absent;
    std::string message; ///< for a person
    int status = 0;      ///< of the daemon's answer; 0: none
};

/// serve.control-socket; else in $RUNTIME_DIRECTORY (systemd), /run/mailtight for root and where it is, else
/// in the user's runtime directory. "" : off.
std::string control_place(const settings& from);

/// Asks once. `target` such as "/status"; a body goes with a `method` that has one. Statuses of 400 and more
/// are `broken`, 403 is `refused`, with the daemon's words.
std::expected<boost::json::value, control_error>
call_daemon(io::loop& on, const settings& from, std::string target, std::string body = {},
            std::string method = "GET", std::chrono::milliseconds time = std::chrono::minutes(5));

} // namespace mailtight::app
