// SPDX-License-Identifier: Apache-2.0
// The memory's way to the database and back: loads at the start, writes through in groups on a thread of its
// own, takes over what other machines wrote, asks them before fetching. A database that is away stops
// nothing: what was not written is kept (bounded, the latest state of each domain) and written when it comes
// back. Lives on the loop.
#pragma once

#include "io/worker.h"
#include "model/sending.h"
#include "store/policies.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mailtight::resolve {

struct keeper_options {
    store::open_options database;
    std::string machine;                            ///< our name among the machines
    std::chrono::milliseconds look_every{5'000};    ///< for what others wrote
    std::size_t unwritten = 100'000;                ///< kept while the database is away
    std::function<void(std::string_view)> complain; ///< once an outage, and at its end; on the loop
};

class keeper {
public:
    /// `opened` null: nothing is kept beyond this process (resolve without a store); with `options.database`
    /// it is opened as soon as it can be.
    keeper(io::loop& on, const base::clock& clock, std::unique_ptr<store::policy_store> opened,
           keeper_options options);
    ~keeper();
    /// Everything that is kept, into `take`; before the first answer.
    io::task<store::result<void>> load(std::function<void(model::kept_policy)> take);
    /// Done when it is durable, or at the deadline, or at once where the database is known to be away; goes
    /// on in the background then. False: not durable yet.
    io::task<bool> put(model::kept_policy value, io::loop::time_point deadline);
    void remove(std::string domain);
    /// Before a fetch: somebody else's newer state of the domain, where there is one (waits, at most until
    /// then, for a machine that fetches it just now); nothing: fetch it yourself.
    io::task<std::optional<model::kept_policy>>
    ask_others(std::string domain, const sts::resolution_state& ours, io::loop::time_point deadline);
    /// Gives the lease back, behind what was put of the domain.
    void fetched(std::string domain);
    /// Calls `changed` with what others wrote, for as long as it runs; with SQLite for what commands wrote.
    /// `exceptions`: the overrides are others than before; who cares reads them again.
    void watch(std::function<void(model::kept_policy)> changed, std::function<void(std::string)> removed,
               std::function<void()> exceptions = {});
    io::task<store::result<std::vector<model::policy_override>>> overrides();
    io::task<store::result<void>> set_override(model::policy_override value);
    io::task<store::result<bool>> remove_override(std::string domain);
    io::task<store::result<void>> put_verdicts(std::vector<model::testing_verdict> found);
    io::task<store::result<std::vector<model::testing_verdict>>> verdicts(std::string domain);
    /// Ends when everything is written, or at the deadline.
    io::task<> drain(io::loop::time_point deadline);
    struct figures {
        std::size_t unwritten = 0;
        std::uint64_t written = 0, taken_over = 0;
        std::string last_error;
        base::utc_seconds last_error_at{}, last_success{};
    };
    figures counted() const;
    struct state;

private:
    std::shared_ptr<state> state_;
};

} // namespace mailtight::resolve
