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

#include "io/connection_books.h"
#include "io/request_server.h"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <array>
#include <optional>
#include <vector>

namespace mailtight::io {

class request_connection;

struct request_server::state final : connection_books<request_connection> {
    state(loop& on, request_server_options wanted, make_session session);

    request_server_options options;
    make_session session;
    std::vector<char> input; ///< where long requests are read to, `request_bytes` of them
    std::string out;         ///< where every reply is written
    std::size_t slow = 0;    ///< connections that the sweep looks at

private:
    void welcome(descriptor socket, const peer& who, acceptor::place place) override;
    std::chrono::milliseconds sweep_after() const override;
    void sweep(request_connection& one, loop::time_point now) override;
    bool sweeps_on() const override { return slow > 0; }
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
    bool queued = false;   ///< to be looked at again
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
