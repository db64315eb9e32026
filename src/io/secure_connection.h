// SPDX-License-Identifier: Apache-2.0
// One client of a secure_server: its socket, TLS, its session, and the bytes that wait. For
// secure_server.cpp.
//
// OpenSSL sees a BIO of ours: what was received in this turn is read from where it lies, what is to be sent
// gathers in a buffer of the server's, so that a handshake's last words and the first answer leave in one
// send(). A client that does not take its answers is not read from: at most one turn's answers wait.
//
// A session is called from a turn of the loop alone, never from inside a call of its own to the link; and it
// is destroyed at the end of a turn, so that it may lose its client in any call.
#pragma once

#include "io/certified_key_state.h"
#include "io/connection_books.h"
#include "io/secure_server.h"
#include "io/tls_stream.h"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <array>
#include <optional>
#include <vector>

namespace mailtight::io {

class secure_connection;

struct ssl_context_free {
    void operator()(SSL_CTX* it) const { SSL_CTX_free(it); }
};

struct secure_server::state final : connection_books<secure_connection> {
    state(loop& on, secure_server_options wanted, choose_certificate choose, make_secure_session session);

    secure_server_options options;
    choose_certificate choose;
    make_secure_session session;
    std::unique_ptr<SSL_CTX, ssl_context_free> context;
    std::vector<char> input; ///< what TLS was read to
    std::string out;         ///< what sessions say, before it is sealed
    std::string wire;        ///< what is sealed, before it is sent
    secure_server::counters counted;

private:
    void welcome(descriptor socket, const peer& who, acceptor::place place) override;
    std::chrono::milliseconds sweep_after() const override;
    void sweep(secure_connection& one, loop::time_point now) override;
    bool sweeps_on() const override { return !all.empty(); }
    void renew_ticket_keys();

    loop::time_point ticket_keys_from_{};
};

class secure_connection final : public request_link, public std::enable_shared_from_this<secure_connection> {
public:
    secure_connection(secure_server::state& in, descriptor socket, acceptor::place place, peer who);

    bool start();
    void send(std::string_view bytes) override;
    void read_on() override;
    void finish() override;
    bool open() const override { return server_ && !finishing_; }

    /// Goes on with what waits, as far as that is possible now.
    void look();
    /// `crowded`: places run out, and patience is a quarter.
    void sweep(loop::time_point now, bool crowded);
    void close();
    void forget_session() { session_.reset(); }
    /// What the client wants, in its hello. False: refused with this alert.
    bool choose(SSL* ssl, int& alert);
    bool acme() const { return acme_; }
    bool queued = false;   ///< to be looked at again
    std::size_t index = 0; ///< in state::all

    // the BIO's side
    std::size_t give(char* into, std::size_t most);
    void take(std::string_view bytes);

private:
    using self = std::shared_ptr<secure_connection>;
    using socket = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

    void await_bytes(self me);
    void await_room(self me);
    void came(const boost::system::error_code& error, std::size_t got);
    void shake_hands();
    void begin();
    void read_all();
    void feed(std::string_view bytes);
    std::size_t receive(std::string_view bytes);
    void keep(std::string_view rest);
    void seal(std::string_view bytes);
    void flush();
    void write();
    void settle();
    bool over() const;
    void say_goodbye();
    void queue();
    void restart_clock(std::chrono::milliseconds patience);
    std::size_t unsent() const { return unsent_.size() - sent_; }

    secure_server::state* server_; ///< null: closed
    std::optional<socket> socket_;
    ssl_ptr ssl_;
    std::unique_ptr<request_session> session_;
    std::optional<acceptor::place> place_;
    peer from_;
    std::string name_;
    std::string_view input_; ///< received and not read by TLS yet; in first_
    std::string kept_;       ///< read and not consumed by the session yet
    std::string later_;      ///< what the session said outside of its turn
    std::string unsent_;     ///< sealed
    std::size_t sent_ = 0;   ///< of unsent_
    loop::time_point deadline_{};
    std::chrono::milliseconds patience_{};   ///< that deadline_ was made of
    bool reading_ = false, writing_ = false; ///< an operation of the event library waits
    bool shaking_ = true;                    ///< hands
    bool receiving_ = false;                 ///< the session is in received()
    bool acme_ = false;
    bool ended_ = false;     ///< the client closed its side
    bool finishing_ = false; ///< we close when everything is sent
    bool goodbye_ = false;   ///< close-notify is said
    bool lingering_ = false; ///< ours is closed; what still comes is thrown away until theirs is
    std::array<char, 1'024> first_;
};

} // namespace mailtight::io
