// SPDX-License-Identifier: Apache-2.0
// Writes that many coroutines wait for at the same moment, as one transaction: while one is under way, the
// next one gathers. Each is answered after its commit. Owned and asked on the loop's thread; the store is
// used on the worker. A transaction that fails is done again one by one, so that each has an answer of its
// own.
#pragma once

#include "io/loop.h"
#include "io/worker.h"
#include "store/domains.h"

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mailtight::publish {

class write_desk {
public:
    /// `light`: what of it a power cut takes is done again.
    enum class weight { durable, light };

    write_desk(io::loop& on, io::worker& thread, store::domain_store& to);
    /// `job` is one call of the store, which may be made more than once. Within a transaction they go by
    /// `order`, that of the rows they lock. An exception of any becomes that of all in its transaction.
    template<class T>
    io::task<store::result<T>> write(weight how, std::string order,
                                     std::function<store::result<T>(store::domain_store&)> job);
    struct counters {
        std::uint64_t writes = 0, transactions = 0;
    };
    counters counted() const { return state_->count; }

private:
    struct wish {
        wish(io::loop& on, weight how_heavy, std::string by)
            : how(how_heavy)
            , order(std::move(by))
            , done(on) {}
        weight how;
        std::string order;
        std::function<void(store::domain_store&)> call; ///< keeps its answer
        io::event done;
        std::exception_ptr error;
    };
    using wishes = std::vector<std::shared_ptr<wish>>;
    struct state {
        io::loop& loop;
        io::worker& thread;
        store::domain_store& to;
        wishes waiting;
        bool busy = false;
        counters count;
    };
    void put(std::shared_ptr<wish> one);
    static io::task<> carry(std::shared_ptr<state> self);

    std::shared_ptr<state> state_;
};

template<class T>
io::task<store::result<T>> write_desk::write(weight how, std::string order,
                                             std::function<store::result<T>(store::domain_store&)> job) {
    // The answer lives as long as the job, which may outlive this coroutine.
    auto answer = std::make_shared<store::result<T>>(std::unexpected(store::store_error{}));
    auto mine = std::make_shared<wish>(state_->loop, how, std::move(order));
    mine->call = [answer, job = std::move(job)](store::domain_store& in) { *answer = job(in); };
    put(mine);
    co_await mine->done;
    if (mine->error)
        std::rethrow_exception(mine->error);
    co_return std::move(*answer);
}

} // namespace mailtight::publish
