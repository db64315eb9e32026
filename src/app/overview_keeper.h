// SPDX-License-Identifier: Apache-2.0
// Keeps the table of all domains current for whoever asks: read on a thread of its own, with connections of
// its own, so that a long reading keeps nobody waiting. While pages are open it is read every second; what
// nobody asks for rests. Lives on the loop.
#pragma once

#include "api/overview_memory.h"
#include "io/worker.h"

#include <functional>
#include <memory>
#include <string>

namespace mailtight::app {

struct overview_sources {
    /// On the thread of the keeper; again after one failed.
    std::function<store::result<std::unique_ptr<store::domain_store>>()> domains;
    std::function<store::result<std::unique_ptr<store::store>>()> reports; ///< empty: none are kept
};

class overview_keeper {
public:
    /// `days`: the clock that says which day is the last one shown.
    overview_keeper(io::loop& on, const base::clock& days, overview_sources from);
    ~overview_keeper();
    /// The rows, two seconds old at most, unless everything is being read just now: then those before.
    io::task<store::result<std::shared_ptr<const api::overview_rows>>> rows();
    struct state;

private:
    std::shared_ptr<state> state_;
};

} // namespace mailtight::app
