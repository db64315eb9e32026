// SPDX-License-Identifier: Apache-2.0
// What probes of policies in testing found, ready for results that are joined with it at once: the probes of
// this machine as they come, those of others when a domain is first asked about. Lives on the loop.
#pragma once

#include "model/sending.h"
#include "resolve/keeper.h"
#include "resolve/service.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::app {

class verdict_memory {
public:
    /// `keep`: where verdicts of other machines are; outlives this.
    verdict_memory(io::loop& on, const base::clock& clock, resolve::keeper& keep);
    ~verdict_memory();
    /// The prober whose verdicts are remembered besides; an empty one stays empty.
    resolve::probe_fn noting(resolve::probe_fn probe);
    /// Those of a domain, at most an hour old. Where none are known here, they are asked for, and the next
    /// caller gets them.
    std::vector<model::testing_verdict> of(std::string_view domain);

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace mailtight::app
