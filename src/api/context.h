// SPDX-License-Identifier: Apache-2.0
// What the routes work with: the services of the daemon, given by app/. Everything outlives the sites.
#pragma once

#include "resolve/reply.h"
#include "resolve/service.h"
#include "store/policies.h"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace mailtight::api {

/// A part of what the database holds of destinations, in order of their names.
struct stored_page {
    std::vector<model::kept_policy> rows;
    bool more = false;
};

struct context {
    io::loop& loop;
    resolve::service& policies;
    const base::clock& clock;
    resolve::reply_options replies;
    /// Those after this domain, at most so many; asked of the database on a thread of its own.
    std::function<io::task<store::result<stored_page>>(std::string after, std::size_t limit)> stored;
    std::string version; ///< of the program
};

} // namespace mailtight::api
