// SPDX-License-Identifier: Apache-2.0
// How the service reaches a policy host (RFC 8461 §3.2, §3.3): its addresses one after the other, a silent
// one not waited for, what came judged to the end. Lives on the loop of the probes.
#pragma once

#include "model/probe_facts.h"
#include "probe/probes.h"
#include "resolve/service.h"

#include <chrono>
#include <cstddef>
#include <string_view>

namespace mailtight::resolve {

struct policy_fetch_options {
    bool any_content_type = false; ///< A9: take a policy whatever its media type
    std::size_t addresses = 4;     ///< tried at most
    /// A host that is silent so long gets company: the next address is tried beside it.
    std::chrono::milliseconds head_start{2'000};
};

/// What one fetch means to a sender; where it brought no policy, why, for a person.
sts::policy_sighting judge_fetch(const model::fetch_fact& seen, std::string_view policy_host,
                                 const policy_fetch_options& options);

/// All of a fetch, look-up included, takes `with.options.fetch_time` (8461-3.3-m; the resolver has its own
/// limit). What `with` and `dns` point to outlives the function and everything that it started.
fetch_fn policy_fetcher(probe::context with, io::resolver& dns, policy_fetch_options options = {});

} // namespace mailtight::resolve
