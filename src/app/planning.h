// SPDX-License-Identifier: Apache-2.0
// A plan for a domain from a look now and from what the store remembers: the same for the commands and for
// the daemon's pages. Lives on the loop; the store is used on its thread. Errors are for a person.
#pragma once

#include "app/publish_hands.h"
#include "plan/plan.h"

#include <expected>
#include <functional>
#include <string>

namespace mailtight::app {

/// All of it outlives the planning.
struct planning_needs {
    publish_hands& hands;
    io::worker& store_thread;
    store::domain_store* kept = nullptr; ///< null: there is no store yet
    const base::clock& policy_time;
    /// Whether a certificate for its policy host is here; the configuration's folder, or what is served.
    std::function<bool(const std::string& domain)> certificate_here;
};

struct planned {
    plan::plan next;
    publish_hands::look_result look;
    plan::remembered past;
    model::enforce_evidence evidence;
};
/// Of a domain that nobody looked after nothing is known of the past.
io::task<std::expected<planned, std::string>> plan_for(planning_needs with, model::looked_after wish,
                                                       observe::progress_fn progress = {});
/// Without looking again.
plan::plan plan_again(const model::looked_after& wish, const planned& before, base::utc_seconds now);

/// Whether certificates.folder has one for the policy host of the domain; false where none is configured.
bool certificate_in_folder(const settings& from, const std::string& domain);

} // namespace mailtight::app
