// SPDX-License-Identifier: Apache-2.0
// Looks for the mail servers of this host and asks their own programs, and asks our listeners as they would.
// Blocks; for doctor alone.
#pragma once

#include "app/doctor_mta.h"
#include "app/doctor_results.h"
#include "app/settings.h"

#include <optional>
#include <string>
#include <vector>

namespace mailtight::app {

/// A program by its name, in $PATH and where mail servers live; "" where there is none.
std::string find_program(const std::string& name);

/// How the file of a unix socket stands.
socket_seen look_at_socket_file(const std::string& path);
/// How a listener of ours stands, and what it answers to a question for `localhost`, which needs no network.
socket_seen look_at_socket(const std::string& listener, bool lines);
/// The listeners of [resolve], looked at, and the trusted roots of this host.
sending_facts look_at_listeners(const settings& set);

/// What is said of every mail server that is installed; one row that none is where none is.
std::vector<check_row> look_at_mail_servers(const settings& set, std::optional<bool> validated,
                                            const results_facts& results);

} // namespace mailtight::app
