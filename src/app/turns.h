// SPDX-License-Identifier: Apache-2.0
// Whose turn it is, among the machines of one database, to do what the outside world must see once: poll the
// mailbox, send the letters of alarms. With SQLite there is one machine, and it is always its turn. Lives on
// the loop.
#pragma once

#include "app/settings.h"
#include "io/worker.h"
#include "store/domains.h"

#include <map>
#include <memory>
#include <string>

namespace mailtight::app {

class turns {
public:
    turns(io::loop& on, const settings& from);
    /// Takes the turn, or keeps it; ours for some minutes from then on. False while another machine has it,
    /// or where the database does not say.
    io::task<bool> ours(std::string what);
    bool shared() const { return shared_; } ///< there may be other machines
    const std::string& machine() const { return machine_; }

private:
    struct thread_side {
        std::unique_ptr<store::domain_store> kept;
        std::map<std::string, store::lease> held;
    };
    bool shared_;
    std::string where_, machine_;
    std::unique_ptr<io::worker> worker_;
    std::shared_ptr<thread_side> side_ = std::make_shared<thread_side>();
};

} // namespace mailtight::app
