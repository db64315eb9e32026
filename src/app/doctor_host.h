// SPDX-License-Identifier: Apache-2.0
// All that `doctor` looks at, for the command and for the daemon's page: what the network shows on the loop,
// what this host's own programs say on a thread that may block.
#pragma once

#include "app/doctor_look.h"
#include "app/doctor_results.h"
#include "app/settings.h"
#include "app/world.h"

#include <boost/json/array.hpp>

#include <optional>
#include <span>
#include <vector>

namespace mailtight::app {

struct host_seen {
    std::vector<check_row> rows;
    std::optional<bool> validated; ///< the resolver validates; nothing: it did not say
    results_facts results;
};
/// Resolver, validation, port 25, our keys and addresses; on the loop.
io::task<host_seen> look_at_host(world& with, settings set);
/// Adds what the mail servers of this host say. Blocks.
void add_mail_servers(host_seen& to, const settings& set);
/// The rows of `doctor --json`.
boost::json::array checks_json(std::span<const check_row> rows);

} // namespace mailtight::app
