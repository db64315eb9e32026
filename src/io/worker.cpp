// SPDX-License-Identifier: Apache-2.0
#include "io/worker.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include <pthread.h>

namespace mailtight::io {

struct worker::state {
    std::mutex guard;
    std::condition_variable wake, rested;
    std::deque<job> jobs;
    bool stopping = false, busy = false;
    std::thread thread;

    void serve() {
        std::unique_lock held(guard);
        for (;;) {
            wake.wait(held, [this] { return stopping || !jobs.empty(); });
            if (stopping)
                return;
            auto next = std::move(jobs.front());
            jobs.pop_front();
            busy = true;
            held.unlock();
            next.drop = nullptr; // so that the result ends with its caller, on the loop
            next.begin();
            next = {}; // not under the lock: what it holds may be ours to ask again
            held.lock();
            busy = false;
            if (jobs.empty())
                rested.notify_all();
        }
    }
};

worker::worker(loop& on, std::string name)
    : state_(std::make_shared<state>())
    , loop_(on) {
    state_->thread = std::thread([held = state_.get(), name = name.substr(0, 15)] {
        pthread_setname_np(pthread_self(), name.c_str()); // the kernel keeps 15 characters
        held->serve();
    });
}

worker::~worker() {
    std::deque<job> dropped;
    {
        std::lock_guard held(state_->guard);
        state_->stopping = true;
        dropped.swap(state_->jobs);
    }
    state_->wake.notify_all();
    state_->thread.join();
    for (const auto& each : dropped)
        each.drop();
}

void worker::post(job work) {
    {
        std::lock_guard held(state_->guard);
        state_->jobs.push_back(std::move(work));
    }
    state_->wake.notify_one();
}

std::size_t worker::waiting() const {
    std::lock_guard held(state_->guard);
    return state_->jobs.size();
}

void worker::rest() {
    std::unique_lock held(state_->guard);
    state_->rested.wait(held, [this] { return !state_->busy && state_->jobs.empty(); });
}

} // namespace mailtight::io
