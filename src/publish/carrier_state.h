// SPDX-License-Identifier: Apache-2.0
// The inside of the carrier, for carrier*.cpp alone. The loop's thread owns everything here. carrier.cpp is
// the beat and the leases, carrier_turn.cpp one domain's turn, carrier_doing.cpp one step carried out,
// carrier_memory.cpp what a look leaves in the store, carrier_rights.cpp what may be done unasked.
#pragma once

#include "publish/carrier.h"
#include "publish/carrier_memo.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace mailtight::publish {

/// A domain's work in our hands.
struct holding {
    store::due_work work;
    memo notes;
    std::optional<std::optional<model::next_step>> next; ///< what the last plan says; nothing: none was made
    io::loop::time_point renewed{};
    bool held = false; ///< the lease is ours; before, its place is taken and the store's thread writes `work`
    bool lost = false; ///< somebody else has it now: nothing may be done any more
};

/// What is known of a domain at one moment, and what follows.
struct thought {
    model::looked_after wish;
    looked seen;
    plan::remembered past;
    model::enforce_evidence evidence;
    plan::plan plan;
};

/// What became of a step.
struct effect {
    std::string did, failed;
    std::optional<std::chrono::seconds> again;
};

struct carrier::state : std::enable_shared_from_this<state> {
    state(io::loop& on, io::worker& store_thread, store::domain_store& kept_in, hands given,
          const base::clock& time, carrier_options wanted, heard teller);

    /// Runs a job on the store's thread. Nothing is asked any more once the carrier is gone.
    template<class T>
    static io::task<store::result<T>> ask(std::shared_ptr<state> self,
                                          std::function<store::result<T>(store::domain_store&)> job) {
        if (self->closed)
            co_return std::unexpected(gone());
        try {
            co_return co_await self->thread.template run<store::result<T>>(
                [job = std::move(job), &from = self->kept] { return job(from); });
        } catch (const io::worker_gone&) {
            co_return std::unexpected(gone());
        }
    }
    static store::store_error gone() {
        return {.what = store::store_error::kind::unreachable, .message = "the carrier has ended"};
    }

    // ---- carrier.cpp ----
    static io::task<> beat(std::shared_ptr<state> self);
    static io::task<> take_due(std::shared_ptr<state> self);
    static io::task<> renew(std::shared_ptr<state> self);
    static io::task<> carry(std::shared_ptr<state> self, std::shared_ptr<holding> mine);
    /// Still ours? Writes the notes and keeps the lease; before everything that the world can see.
    static io::task<bool> hold(std::shared_ptr<state> self, std::shared_ptr<holding> mine);
    static io::task<> finish(std::shared_ptr<state> self, std::shared_ptr<holding> mine,
                             std::optional<base::utc_seconds> again);

    // ---- carrier_turn.cpp ----
    /// Looks, remembers where `keep`, and plans. Nothing: the domain is not looked after.
    static io::task<store::result<std::optional<thought>>> think(std::shared_ptr<state> self,
                                                                 std::string domain, bool keep);
    /// Step after step, as far as it goes; when to come back.
    static io::task<std::optional<base::utc_seconds>> turn(std::shared_ptr<state> self,
                                                           std::shared_ptr<holding> mine);
    static io::task<carried> look_once(std::shared_ptr<state> self, std::string domain);
    /// The domain for us alone, however it stands with its time; nothing: somebody else has it.
    static io::task<store::result<std::shared_ptr<holding>>> seize(std::shared_ptr<state> self,
                                                                   std::string domain);
    static io::task<carried> do_once(std::shared_ptr<state> self, std::string domain, std::string who);
    /// The first thing that we can do where a person says so, whatever is left to us.
    std::optional<plan::step> first_for_a_person(const thought& known) const;
    base::utc_seconds come_back(const plan::plan& what, holding& mine) const;
    base::utc_seconds back_off(holding& mine, std::string why, std::optional<std::chrono::seconds> least);

    // ---- carrier_doing.cpp ----
    static io::task<effect> perform(std::shared_ptr<state> self, std::shared_ptr<holding> mine,
                                    std::shared_ptr<const thought> known, plan::step what, std::string who);
    static io::task<effect> act(std::shared_ptr<state> self, std::shared_ptr<holding> mine,
                                std::shared_ptr<const thought> known, plan::step what, std::string who);
    static io::task<effect> verify(std::shared_ptr<state> self, std::string domain, std::string body);
    static io::task<effect> publish(std::shared_ptr<state> self, std::shared_ptr<holding> mine,
                                    std::string domain, plan::step what, std::string who);
    static io::task<effect> certify(std::shared_ptr<state> self, std::string domain);
    static io::task<effect> write(std::shared_ptr<state> self, std::shared_ptr<const thought> known,
                                  plan::step what);
    static io::task<effect> write_sts_record(std::shared_ptr<state> self, std::shared_ptr<holding> mine,
                                             std::shared_ptr<const thought> known, plan::step what);

    io::loop& loop;
    io::worker& thread;
    store::domain_store& kept;
    hands with;
    const base::clock& policy_time;
    const carrier_options options;
    heard tell; ///< empty once the carrier is gone
    counters counts;
    bool started = false, stopping = false, closed = false, away = false;
    bool more = false;   ///< more was due than there was room for
    bool newest = false; ///< the next are taken from the end of the queue
    std::map<std::string, std::shared_ptr<holding>, std::less<>> inside;
};

/// One thing, however often it is planned anew: what is not seen to have worked is not done twice at once.
std::string signature(const plan::step& of);
/// Whether the kind is something that this program does, beside looking and waiting.
bool is_action(plan::step_kind kind);
/// "" : may be done unasked; else why a person has to say so.
std::string refused_because(const model::looked_after& wish, const plan::situation& seen,
                            const plan::remembered& past, const plan::step& what);
/// Writes what was seen into the logs and the history, and beside them what only looks can tell: how long the
/// record has its id, the largest TTLs, whether there was a policy before us. On the store's thread.
store::result<void> remember(store::domain_store& kept, const model::looked_after& wish, const looked& seen,
                             std::string_view machine, base::utc_seconds now);

} // namespace mailtight::publish
