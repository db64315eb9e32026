// SPDX-License-Identifier: Apache-2.0
// What the servers of many small connections share: their listening sockets, the books of who is connected,
// and turns. What happens on the loop comes in turns: what came to a connection, then connections that asked
// to be looked at again, then the end of what was closed. For request_server and secure_server; lives on the
// loop's thread.
//
// A Connection has `queued` (it is in `again`), `index` (its place in `all`), look(), close(), read_on() and
// forget_session(); it calls leave() from close().
#pragma once

#include "io/acceptor.h"
#include "io/loop_state.h"
#include "io/server.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::io {

template<class Connection>
class connection_books {
public:
    connection_books(loop& on, listener_options listening)
        : on(on)
        , listening_(std::move(listening))
        , sweeper_(on.native().context) {}
    virtual ~connection_books() {
        for (const auto& one : closed_)
            one->forget_session(); // the session holds the link, which is its connection
    }
    connection_books(const connection_books&) = delete;
    connection_books& operator=(const connection_books&) = delete;

    loop& on;
    std::vector<std::shared_ptr<Connection>> all;
    bool stopping = false;

    /// A connection that is to be looked at in this turn or the next.
    void look_again(std::shared_ptr<Connection> one) {
        again_.push_back(std::move(one));
        want_turn();
    }
    void enter(std::shared_ptr<Connection> one) {
        one->index = all.size();
        all.push_back(std::move(one));
    }
    /// Takes a closed connection out of the books; it lives until the end of the turn.
    void leave(Connection& who) {
        const auto index = who.index;
        closed_.push_back(std::move(all[index]));
        if (index + 1 != all.size()) {
            all[index] = std::move(all.back());
            all[index]->index = index;
        }
        all.pop_back();
        want_turn();
    }
    void begin_turn() { in_turn_ = true; }
    void end_turn() {
        if (again_.empty() && closed_.empty())
            in_turn_ = false;
        else
            clear_up();
    }
    /// Sees to it that a turn ends after this.
    void want_turn() {
        if (in_turn_ || std::exchange(turn_is_due_, true))
            return;
        boost::asio::post(on.native().context, [weak = self_] {
            const auto held = weak.lock();
            if (!held)
                return;
            held->turn_is_due_ = false;
            held->begin_turn();
            held->clear_up();
        });
    }
    void want_sweep() {
        if (std::exchange(sweeping_, true))
            return;
        sweeper_.expires_after(sweep_after());
        sweeper_.async_wait([weak = self_](const boost::system::error_code& error) {
            const auto held = weak.lock();
            if (!error && held)
                held->sweep();
        });
    }
    void complain(std::string_view what) const {
        if (listening_.complain)
            listening_.complain(what);
    }

    // ---- for the server ----
    void know(const std::shared_ptr<connection_books>& self) { self_ = self; }
    std::expected<void, std::string> listen(const listen_address& at) {
        auto opened = acceptor::open(
            on, at, listening_, [weak = self_](descriptor socket, const peer& who, acceptor::place place) {
                if (const auto held = weak.lock(); held && !held->stopping)
                    held->welcome(std::move(socket), who, std::move(place));
            });
        if (!opened)
            return std::unexpected(std::move(opened.error()));
        if (!addresses_.empty())
            addresses_ += ", ";
        addresses_ += at.tcp ? (*opened)->bound().to_string() : at.to_string();
        acceptors_.push_back(std::move(*opened));
        if (!gone_) {
            gone_ = std::make_shared<event>(on);
            on.spawn(until_gone(gone_));
        }
        return {};
    }
    const std::string& addresses() const { return addresses_; }
    void stop() {
        stopping = true;
        for (const auto& one : acceptors_)
            one->stop();
        for (const auto& one : all)
            one->read_on(); // looks at it, closes it where nothing is owed
        want_turn();
    }
    void close_all() {
        stopping = true;
        acceptors_.clear();
        while (!all.empty())
            all.back()->close();
        if (!in_turn_) {
            begin_turn();
            clear_up();
        }
    }
    std::uint64_t refused() const {
        std::uint64_t sum = 0;
        for (const auto& one : acceptors_)
            sum += one->refused();
        return sum;
    }

protected:
    virtual void welcome(descriptor socket, const peer& who, acceptor::place place) = 0;
    virtual std::chrono::milliseconds sweep_after() const = 0;
    virtual void sweep(Connection& one, loop::time_point now) = 0;
    /// Whether one sweep follows the other.
    virtual bool sweeps_on() const = 0;

private:
    /// Keeps the loop running as long as the server has clients.
    static task<> until_gone(std::shared_ptr<event> gone) { co_await *gone; }

    void clear_up() {
        for (const auto& one : std::exchange(again_, {})) {
            one->queued = false;
            one->look();
        }
        // Sessions may say a last word while they go; what comes of it is the next turn's.
        for (const auto& one : std::exchange(closed_, {}))
            one->forget_session();
        in_turn_ = false;
        if (!again_.empty() || !closed_.empty())
            want_turn();
        if (stopping && all.empty() && gone_)
            gone_->set();
    }
    void sweep() {
        sweeping_ = false;
        const auto now = on.now();
        for (std::size_t i = all.size(); i-- > 0;) // one that goes is replaced by the last, which was seen
            sweep(*all[i], now);
        if (sweeps_on())
            want_sweep();
    }

    listener_options listening_;
    boost::asio::steady_timer sweeper_;
    std::vector<std::unique_ptr<acceptor>> acceptors_;
    std::string addresses_;
    std::vector<std::shared_ptr<Connection>> again_, closed_;
    std::shared_ptr<event> gone_; ///< set when the last has left after stop()
    std::weak_ptr<connection_books> self_;
    bool in_turn_ = false, turn_is_due_ = false, sweeping_ = false;
};

} // namespace mailtight::io
