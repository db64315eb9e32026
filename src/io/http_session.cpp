// SPDX-License-Identifier: Apache-2.0
#include "io/http_session.h"

#include "io/http_exchange.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <vector>

namespace mailtight::io {

struct http_session::state {
    struct resting {
        std::unique_ptr<stream> connection;
        loop::time_point since;
        std::string address;
        bool over_v6 = false;
    };
    state(http_exchange::world given, http_session_options wanted)
        : around(given)
        , options(wanted)
        , permits(given.on, wanted.connections) {}

    /// The one that rested for the shortest time, where it may be used.
    std::optional<resting> take(const std::string& origin, bool repeatable) {
        const auto found = idle.find(origin);
        if (found == idle.end())
            return std::nullopt;
        auto& all = found->second;
        const auto now = around.on.now();
        while (!all.empty() && now - all.front().since > options.rest) {
            all.front().connection->close();
            all.erase(all.begin());
        }
        if (all.empty() || (!repeatable && now - all.back().since > options.certain))
            return std::nullopt;
        auto last = std::move(all.back());
        all.pop_back();
        return last;
    }
    /// Other origins' connections make room.
    void put(const std::string& origin, resting one) {
        std::size_t kept = 0;
        for (const auto& [name, all] : idle)
            kept += all.size();
        while (kept >= options.connections && !idle.empty()) {
            auto from = idle.begin();
            if (!from->second.empty()) {
                from->second.front().connection->close();
                from->second.erase(from->second.begin());
                --kept;
            }
            if (from->second.empty())
                idle.erase(from);
        }
        idle[origin].push_back(std::move(one));
    }

    http_exchange::world around;
    http_session_options options;
    semaphore permits;
    std::map<std::string, std::vector<resting>> idle; ///< by scheme, host and port; the oldest first
    counters count;
};

http_session::http_session(loop& on, resolver& dns, const tls_client& tls, const base::address_guard& guard,
                           const base::clock& clock, http_session_options options)
    : state_(std::make_unique<state>(http_exchange::world{on, dns, tls, guard, clock}, options)) {}
http_session::~http_session() {
    close();
}

void http_session::close() {
    for (auto& [origin, all] : state_->idle)
        for (auto& one : all)
            one.connection->close();
    state_->idle.clear();
}

http_session::counters http_session::counted() const {
    return state_->count;
}

task<http_answer> http_session::ask(http_call call, bool repeatable) {
    auto& self = *state_;
    http_answer answer;
    const auto url = parse_url(call.url);
    answer.error = http_exchange::fault_of(url, call);
    if (!answer.error.empty())
        co_return answer;
    const auto deadline = self.around.on.now() + call.time;
    const auto origin = fmt::format("{}{}:{}", url->tls ? "s" : "", url->host, url->port);
    const auto text = http_exchange::request_text(*url, call, true);
    const auto permit = co_await self.permits.acquire();
    ++self.count.requests;
    for (bool again = false;; again = true) {
        state::resting on;
        bool stayed = false;
        if (auto kept = again ? std::nullopt : self.take(origin, repeatable)) {
            on = std::move(*kept);
            stayed = true;
            answer.address = on.address;
            answer.over_v6 = on.over_v6;
        } else {
            ++self.count.handshakes;
            on.connection = co_await http_exchange::reach(self.around, *url, call, answer, deadline);
            if (!on.connection)
                co_return answer;
            on.address = answer.address;
            on.over_v6 = answer.over_v6;
        }
        const auto how =
            co_await http_exchange::converse(*on.connection, text, answer, call.reply_bytes, deadline);
        if (how.keep) {
            on.since = self.around.on.now();
            self.put(origin, std::move(on));
            co_return answer;
        }
        on.connection->close();
        const bool stale = stayed && !how.heard && answer.status == 0;
        if (!stale || !repeatable || self.around.on.now() >= deadline)
            co_return answer;
        ++self.count.repeated;
        answer = {};
    }
}

} // namespace mailtight::io
