// SPDX-License-Identifier: Apache-2.0
// Entry: start(). What came goes through came(), TLS, feed() and flush(); then settle() decides what to wait
// for.
#include "io/secure_connection.h"

#include "base/crypto/openssl_ptr.h"
#include "io/client_hello.h"
#include "wire/bounded.h"

#include <boost/asio/buffer.hpp>

#include <fmt/format.h>

#include <openssl/err.h>

#include <algorithm>
#include <cerrno>

#include <sys/socket.h>

namespace mailtight::io {

namespace {

using namespace std::chrono_literals;

/// How long what still comes is thrown away: closed at once, it would make the kernel throw our last words
/// away.
constexpr auto linger_time = 2s;
/// As much is sealed before it is sent.
constexpr std::size_t sealed_most = 128 * 1024;

secure_connection& client_of(BIO* bio) {
    return *static_cast<secure_connection*>(BIO_get_data(bio));
}

int bio_read(BIO* bio, char* into, std::size_t most, std::size_t* got) {
    BIO_clear_retry_flags(bio);
    *got = client_of(bio).give(into, most);
    if (*got > 0)
        return 1;
    BIO_set_retry_read(bio);
    return 0;
}

int bio_write(BIO* bio, const char* bytes, std::size_t size, std::size_t* put) {
    BIO_clear_retry_flags(bio);
    client_of(bio).take({bytes, size});
    *put = size;
    return 1;
}

long bio_control(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

struct method_free {
    void operator()(BIO_METHOD* it) const { BIO_meth_free(it); }
};

const BIO_METHOD* method() {
    static const std::unique_ptr<BIO_METHOD, method_free> made = [] {
        std::unique_ptr<BIO_METHOD, method_free> one(
            BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "mailtight"));
        if (one) {
            BIO_meth_set_read_ex(one.get(), bio_read);
            BIO_meth_set_write_ex(one.get(), bio_write);
            BIO_meth_set_ctrl(one.get(), bio_control);
        }
        return one;
    }();
    return made.get();
}

} // namespace

secure_connection::secure_connection(secure_server::state& in, descriptor socket, acceptor::place place,
                                     peer who)
    : server_(&in)
    , socket_(std::in_place, in.on.native().context, socket.release())
    , ssl_(SSL_new(in.context.get()))
    , place_(std::move(place))
    , from_(std::move(who)) {}

bool secure_connection::start() {
    BIO* const bio = ssl_ && method() ? BIO_new(method()) : nullptr;
    if (!bio) {
        ERR_clear_error();
        return false;
    }
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), this);
    SSL_set_accept_state(ssl_.get());
    restart_clock(server_->options.handshake_time);
    await_bytes(shared_from_this());
    return true;
}

std::size_t secure_connection::give(char* into, std::size_t most) {
    const auto size = input_.copy(into, most);
    input_.remove_prefix(size);
    return size;
}

void secure_connection::take(std::string_view bytes) {
    if (server_)
        server_->wire += bytes;
}

bool secure_connection::choose(SSL* ssl, int& alert) {
    auto said = read_client_hello(ssl);
    acme_ = said.acme;
    name_ = std::move(said.server_name);
    const auto chosen = server_->choose(name_, acme_);
    if (!chosen) {
        ++server_->counted.unknown_name;
        alert = SSL_AD_UNRECOGNIZED_NAME; // 8461-7.1-e
        return false;
    }
    if (acme_) { // proves a name, and nothing else may come of it
        SSL_set_options(ssl, SSL_OP_NO_TICKET);
        SSL_set_num_tickets(ssl, 0);
    }
    alert = SSL_AD_INTERNAL_ERROR;
    return bind_sessions(ssl, name_) && chosen->native().apply(ssl); // 8461-7.1-d
}

void secure_connection::await_bytes(self me) {
    reading_ = true;
    socket_->async_read_some(boost::asio::buffer(first_.data(), first_.size()),
                             [me = std::move(me)](const boost::system::error_code& error, std::size_t got) {
                                 me->reading_ = false;
                                 if (me->server_)
                                     me->came(error, got);
                             });
}

void secure_connection::await_room(self me) {
    writing_ = true;
    socket_->async_wait(socket::wait_write, [me = std::move(me)](const boost::system::error_code&) {
        me->writing_ = false;
        if (me->server_)
            me->write(); // which sees an error too
    });
}

void secure_connection::came(const boost::system::error_code& error, std::size_t got) {
    if (error && (error != boost::asio::error::eof || shaking_ || lingering_)) {
        if (shaking_ && !lingering_)
            ++server_->counted.failed;
        close();
        return;
    }
    if (error) {
        ended_ = true;
        if (session_)
            session_->ended();
    } else if (!lingering_ && !goodbye_) {
        input_ = {first_.data(), got};
        if (shaking_)
            shake_hands();
        if (server_ && !shaking_ && !finishing_)
            read_all();
    }
    if (server_)
        settle();
}

void secure_connection::shake_hands() {
    ERR_clear_error();
    const int result = SSL_accept(ssl_.get());
    const int error = SSL_get_error(ssl_.get(), result);
    ERR_clear_error();
    if (result == 1) {
        begin();
    } else if (error != SSL_ERROR_WANT_READ) {
        ++server_->counted.failed;
        goodbye_ = true; // the alert says it
        finishing_ = true;
        restart_clock(linger_time);
    }
}

void secure_connection::begin() {
    shaking_ = false;
    ++server_->counted.handshakes;
    restart_clock(server_->options.idle_time);
    if (acme_) { // RFC 8737 §3: the handshake was all
        ++server_->counted.acme;
        finishing_ = true;
        return;
    }
    try {
        session_ = server_->session(shared_from_this(), {from_, name_});
    } catch (const std::exception& error) {
        server_->complain(fmt::format("a session could not begin: {}", error.what()));
    }
    if (!session_)
        finishing_ = true;
}

void secure_connection::read_all() {
    auto& input = server_->input;
    while (server_ && !finishing_) {
        std::size_t got = 0;
        ERR_clear_error();
        const int ok = SSL_read_ex(ssl_.get(), input.data(), input.size(), &got);
        const int error = SSL_get_error(ssl_.get(), ok);
        ERR_clear_error();
        if (ok == 1) {
            std::string_view bytes(input.data(), got);
            if (!kept_.empty() || unsent() > 0) {
                kept_ += bytes;
                bytes = kept_;
            }
            if (unsent() == 0)
                feed(bytes);
        } else if (error == SSL_ERROR_WANT_READ) {
            return;
        } else if (error == SSL_ERROR_ZERO_RETURN) {
            ended_ = true;
            session_->ended();
            return;
        } else {
            flush(); // its alert
            close();
            return;
        }
    }
}

std::size_t secure_connection::receive(std::string_view bytes) {
    auto& out = server_->out;
    wire::forget(out);
    receiving_ = true;
    std::size_t used = 0;
    try {
        used = std::min(session_->received(bytes, out), bytes.size());
    } catch (const std::exception& error) { // one connection's fault never ends the others
        if (server_)
            server_->complain(fmt::format("a session ended by an exception: {}", error.what()));
        close();
    }
    receiving_ = false;
    if (server_ && !out.empty())
        seal(out);
    return used;
}

void secure_connection::feed(std::string_view bytes) {
    std::size_t used = 0;
    do {
        used = receive(bytes);
        if (!server_)
            return;
        if (used > 0)
            restart_clock(server_->options.idle_time);
        bytes.remove_prefix(used);
        if (server_->wire.size() > sealed_most)
            flush();
        if (!server_)
            return;
    } while (used > 0 && !bytes.empty() && !finishing_ && unsent() == 0);
    if (finishing_)
        bytes = {};
    keep(bytes);
    // Nothing is owed, and even all of this is no request: it never will be one.
    if (used == 0 && kept_.size() >= server_->input.size() && session_->idle())
        finishing_ = true;
}

void secure_connection::keep(std::string_view rest) {
    if (rest.empty()) {
        if (kept_.capacity() > std::string().capacity())
            std::string().swap(kept_);
    } else if (kept_.empty()) {
        kept_.assign(rest);
    } else {
        kept_.erase(0, kept_.size() - rest.size());
    }
}

void secure_connection::seal(std::string_view bytes) {
    std::size_t put = 0;
    ERR_clear_error();
    const bool whole = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &put) == 1;
    ERR_clear_error();
    if (!whole)
        close();
}

void secure_connection::flush() {
    auto& wire = server_->wire;
    std::string_view bytes = wire;
    if (bytes.empty())
        return;
    if (unsent() == 0) {
        const auto put = ::send(socket_->native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (put < 0 && errno != EAGAIN && errno != EINTR) {
            wire.clear();
            close();
            return;
        }
        bytes.remove_prefix(put > 0 ? static_cast<std::size_t>(put) : 0);
    }
    unsent_ += bytes;
    wire::forget(wire, 2 * sealed_most);
}

void secure_connection::write() {
    const auto put = ::send(socket_->native_handle(), unsent_.data() + sent_, unsent(), MSG_NOSIGNAL);
    if (put < 0 && errno != EAGAIN && errno != EINTR) {
        close();
        return;
    }
    if (put > 0)
        sent_ += static_cast<std::size_t>(put);
    if (unsent() == 0) { // only then: who takes a byte now and then holds no place for it
        restart_clock(server_->options.idle_time);
        std::string().swap(unsent_);
        sent_ = 0;
        look();
    } else {
        settle();
    }
}

void secure_connection::look() {
    if (server_ && !later_.empty())
        seal(std::exchange(later_, {}));
    if (server_ && !kept_.empty() && session_ && !finishing_ && unsent() == 0)
        feed(kept_);
    if (server_)
        settle();
}

bool secure_connection::over() const {
    if (finishing_)
        return true;
    return !shaking_ && (ended_ || server_->stopping) && session_->idle();
}

void secure_connection::say_goodbye() {
    if (std::exchange(goodbye_, true) || shaking_)
        return;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
}

void secure_connection::settle() {
    flush();
    if (!server_)
        return;
    if (unsent() == 0 && over() && !lingering_) {
        say_goodbye();
        flush();
        if (!server_)
            return;
    }
    if (goodbye_ && unsent() == 0 && !lingering_) {
        if (ended_) {
            close();
            return;
        }
        lingering_ = true;
        restart_clock(linger_time);
        ::shutdown(socket_->native_handle(), SHUT_WR);
    }
    const bool full = kept_.size() >= server_->input.size();
    if (!reading_ && !ended_ && unsent() == 0 && (lingering_ || !full))
        await_bytes(shared_from_this());
    if (!writing_ && unsent() > 0)
        await_room(shared_from_this());
}

void secure_connection::send(std::string_view bytes) {
    if (!open() || shaking_ || bytes.empty())
        return;
    if (receiving_) { // in order with what the session says itself
        server_->out += bytes;
        return;
    }
    later_ += bytes; // the buffers of the server belong to whose turn it is
    queue();
}

void secure_connection::read_on() {
    if (server_)
        queue();
}

void secure_connection::finish() {
    if (!open())
        return;
    finishing_ = true;
    queue();
}

void secure_connection::queue() {
    if (std::exchange(queued, true))
        return;
    server_->look_again(shared_from_this());
}

void secure_connection::restart_clock(std::chrono::milliseconds patience) {
    patience_ = patience;
    deadline_ = server_->on.now() + patience;
}

void secure_connection::sweep(loop::time_point now, bool crowded) {
    if (now + (crowded ? patience_ * 3 / 4 : patience_ * 0) < deadline_)
        return;
    if (shaking_ && !lingering_)
        ++server_->counted.failed;
    if (shaking_ || lingering_ || unsent() > 0) {
        close();
    } else if (session_->idle()) {
        finishing_ = true;
        settle();
    }
}

void secure_connection::close() {
    if (!server_)
        return;
    auto& server = *std::exchange(server_, nullptr);
    socket_.reset(); // what waits in it ends without a word
    place_.reset();
    server.wire.clear();
    std::string().swap(unsent_);
    sent_ = 0;
    server.leave(*this); // kept_ may be what the session looks at: it goes with this
}

} // namespace mailtight::io
