// SPDX-License-Identifier: Apache-2.0
// One client of a request_server: its socket, its session, and the bytes that wait. For request_server.cpp.
//
// A connection always waits in one read of the event library, into a few bytes of its own: measured beside a
// wait for readiness and beside an epoll of ours inside the loop's, that costs the least, and most requests
// need no more.
//
// A session is called from a turn of the loop alone, never from inside a call of its own to the link; and it
// is destroyed at the end of a turn, so that it may lose its client in any call.
#pragma once

#include "io/acceptor.h"
#include "io/loop_state.h"
#include "io/request_server.h"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <array>
#include <optional>
#include <vector>

namespace mailtight::io {

class request_connection;

/// What all connections of a server share.
struct request_server::state {
    state(loop& on, request_server_options wanted, make_session session);
    ~state();
    state(const state&) = delete;
    state& operator=(const state&) = delete;

    loop& on;
    request_server_options options;
    make_session session;
    boost::asio::steady_timer sweeper;
    std::vector<std::unique_ptr<acceptor>> acceptors;
    std::string addresses;
    std::vector<std::shared_ptr<request_connection>> all;
    std::vector<std::shared_ptr<request_connection>> again; ///< to be looked at in this turn or the next
    std::vector<std::shared_ptr<request_connection>> closed;
    std::shared_ptr<event> gone; ///< set when the last has left after stop()
    std::weak_ptr<state> self;
    std::vector<char> input; ///< where long requests are read to, `request_bytes` of them
    std::string out;         ///< where every reply is written
    std::size_t slow = 0;    ///< connections that the sweep looks at
    bool stopping = false, in_turn = false, turn_is_due = false, sweeping = false;

    void welcome(descriptor socket, const peer& who, acceptor::place place);
    void begin_turn() { in_turn = true; }
    void end_turn() {
        if (again.empty() && closed.empty())
            in_turn = false;
        else
            clear_up();
    }
    void clear_up();
    /// Sees to it that a turn ends after this.
    void want_turn();
    void want_sweep();
    void sweep();
    void complain(std::string_view what) const;
    /// Takes a closed connection out of the books.
    void leave(request_connection& who);
    void close_all();
};

class request_connection final : public request_link,
                                 public std::enable_shared_from_this<request_connection> {
public:
    request_connection(request_server::state& in, descriptor socket, acceptor::place place);

    void start(const peer& who);
    void send(std::string_view bytes) override;
    void read_on() override;
    void finish() override;
    bool open() const override { return server_ && !finishing_; }

    /// Goes on with what waits, as far as that is possible now.
    void look();
    /// Closes it where nothing was taken for too long.
    void sweep(loop::time_point now);
    void close();
    void forget_session() { session_.reset(); }
    bool queued = false;   ///< in state::again
    std::size_t index = 0; ///< in state::all

private:
    using self = std::shared_ptr<request_connection>;
    using socket = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

    void await_bytes(self me);
    void came(const boost::system::error_code& error, std::size_t got);
    void take(std::size_t got);
    void await_room(self me);
    void write();
    /// Gives the session what waits: bytes that just came, or those that were kept.
    void feed(std::string_view bytes);
    std::size_t receive(std::string_view bytes);
    void keep(std::string_view rest);
    void transmit(std::string_view bytes);
    void settle();
    void update();
    void queue();
    std::size_t unsent() const { return unsent_.size() - sent_; }
    std::size_t room() const { return server_->input.size() - kept_.size(); }
    bool wants_bytes() const {
        return lingering_ || !(full_ || blocked_ || ended_ || finishing_ || server_->stopping);
    }

    request_server::state* server_; ///< null: closed
    std::optional<socket> socket_;
    bool reading_ = false, writing_ = false; ///< an operation of the event library waits
    bool receiving_ = false;                 ///< the session is in received()
    bool full_ = false;                      ///< as much is kept as may be
    bool blocked_ = false;                   ///< too much is unsent
    bool ended_ = false;                     ///< the client closed its side
    bool finishing_ = false;                 ///< we close when everything is sent
    bool lingering_ = false; ///< ours is closed; what still comes is thrown away until theirs is
    bool slow_ = false;      ///< counted in state::slow
    std::unique_ptr<request_session> session_;
    std::string kept_, unsent_;
    std::size_t sent_ = 0; ///< of unsent_
    loop::time_point since_{};
    std::optional<acceptor::place> place_;
    std::array<char, 128> first_; ///< where a request is read to: most are no longer
};

} // namespace mailtight::io
