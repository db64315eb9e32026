// SPDX-License-Identifier: Apache-2.0
// What enforce would do to a domain whose policy is in testing (8461-5-b): its MX hosts are matched with the
// policy and talked to, and each address gets a verdict for the reports. An address that serves many domains
// is talked to once in a while for all of them. Lives on the loop of the probes.
#pragma once

#include "probe/probes.h"
#include "resolve/service.h"

#include <chrono>
#include <cstddef>

namespace mailtight::resolve {

struct testing_probe_options {
    std::size_t addresses = 8;        ///< of one domain, probed at most
    std::size_t at_once = 16;         ///< conversations of all probes together
    std::chrono::seconds keep{1'800}; ///< what an address showed holds for other domains too
    std::size_t kept = 20'000;        ///< addresses remembered
};

/// A host that the policy does not admit gets one verdict without an address (A32), since no sender would
/// connect to it. An address that cannot be talked to gets none (8460-4.3.4-a), and neither does a domain
/// whose MX cannot be looked up. What `with` and `dns` point to outlives the function and everything that it
/// started.
probe_fn testing_prober(probe::context with, io::resolver& dns, testing_probe_options options = {});

} // namespace mailtight::resolve
