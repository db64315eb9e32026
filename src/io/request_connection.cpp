// SPDX-License-Identifier: Apache-2.0
// Entry: start(). A request that is whole and answered at once goes through came(), feed() and transmit():
// read, the session, send. Everything else is for clients that are slow, late or hostile.
#include "io/request_connection.h"
#include "wire/bounded.h"

#include <boost/asio/buffer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include <sys/socket.h>

namespace mailtight::io {

namespace {

bool would_block(int error) {
    return error == EAGAIN || error == EINTR;
}

} // namespace

request_connection::request_connection(request_server::state& in, descriptor socket, acceptor::place place)
    : server_(&in)
    , socket_(std::in_place, in.on.native().context, socket.release())
    , place_(std::move(place)) {}

void request_connection::start(const peer& who) {
    session_ = server_->session(shared_from_this(), who); // which may greet
    if (session_ && server_)
        settle();
    else
        close();
}

void request_connection::await_bytes(self me) {
    reading_ = true;
    const auto size = std::min(first_.size(), lingering_ ? first_.size() : room());
    socket_->async_read_some(
        boost::asio::buffer(first_.data(), size),
        [me = std::move(me)](const boost::system::error_code& error, std::size_t got) mutable {
            auto& one = *me;
            auto* const server = one.server_;
            if (!server)
                return;
            server->begin_turn();
            one.came(error, got);
            one.reading_ = false;
            if (one.server_ && one.wants_bytes())
                one.await_bytes(std::move(me));
            server->end_turn();
        });
}

void request_connection::came(const boost::system::error_code& error, std::size_t got) {
    if (error == boost::asio::error::eof && !lingering_) {
        ended_ = true;
        session_->ended();
        settle();
    } else if (error) {
        close();
    } else if (lingering_) {
        auto& input = server_->input;
        (void)!::recv(socket_->native_handle(), input.data(), input.size(), 0);
    } else {
        take(got);
    }
}

void request_connection::take(std::size_t got) {
    auto& input = server_->input;
    std::string_view bytes(first_.data(), got);
    if (got == first_.size()) { // long, or many: the rest is there too, as a rule
        std::ranges::copy(bytes, input.begin());
        const auto more = ::recv(socket_->native_handle(), input.data() + got, room() - got, 0);
        bytes = {input.data(), got + (more > 0 ? static_cast<std::size_t>(more) : 0)};
    } // an end or an error comes again with the next read
    if (!kept_.empty()) {
        wire::append_within(kept_, bytes, input.size());
        bytes = kept_;
    }
    feed(bytes);
}

std::size_t request_connection::receive(std::string_view bytes) {
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
        transmit(out);
    return used;
}

void request_connection::feed(std::string_view bytes) {
    std::size_t used = 0;
    do {
        used = receive(bytes);
        if (!server_)
            return;
        bytes.remove_prefix(used);
    } while (used > 0 && !bytes.empty() && !finishing_ && !blocked_);
    if (finishing_)
        bytes = {};
    keep(bytes);
    // Nothing is owed, and even all of this is no request: it never will be one.
    full_ = bytes.size() == server_->input.size();
    if (full_ && used == 0 && !blocked_ && session_->idle()) {
        close();
        return;
    }
    if (full_ || blocked_ || ended_ || finishing_ || server_->stopping)
        settle();
}

void request_connection::keep(std::string_view rest) {
    if (rest.empty()) {
        if (kept_.capacity() > std::string().capacity())
            std::string().swap(kept_);
    } else if (kept_.empty()) {
        kept_.assign(rest);
    } else {
        kept_.erase(0, kept_.size() - rest.size());
    }
}

void request_connection::transmit(std::string_view bytes) {
    if (unsent_.empty()) {
        const auto put = ::send(socket_->native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (put < 0 && !would_block(errno)) {
            close();
            return;
        }
        bytes.remove_prefix(put > 0 ? static_cast<std::size_t>(put) : 0);
        if (bytes.empty())
            return;
        since_ = server_->on.now();
    }
    unsent_ += bytes;
    blocked_ = unsent() > server_->options.unsent_bytes;
    update();
}

void request_connection::await_room(self me) {
    writing_ = true;
    socket_->async_wait(socket::wait_write, [me = std::move(me)](const boost::system::error_code&) {
        auto* const server = me->server_;
        if (!server)
            return;
        server->begin_turn();
        me->writing_ = false;
        me->write(); // which sees an error too
        server->end_turn();
    });
}

void request_connection::write() {
    const auto put = ::send(socket_->native_handle(), unsent_.data() + sent_, unsent(), MSG_NOSIGNAL);
    if (put < 0) {
        if (!would_block(errno))
            close();
        else
            update();
        return;
    }
    sent_ += static_cast<std::size_t>(put);
    since_ = server_->on.now();
    if (unsent() == 0) {
        std::string().swap(unsent_);
        sent_ = 0;
    } else if (sent_ > unsent_.size() / 2) {
        unsent_.erase(0, sent_);
        sent_ = 0;
    }
    if (blocked_ && unsent() <= server_->options.unsent_bytes / 2) {
        blocked_ = false;
        look();
    } else {
        settle();
    }
}

void request_connection::look() {
    if (!server_)
        return;
    if (!kept_.empty() && !blocked_ && !finishing_)
        feed(kept_);
    if (server_)
        settle();
}

void request_connection::settle() {
    if (unsent() == 0 && finishing_ && !lingering_) {
        // Closed at once, what still comes from the client would make the kernel throw the answer away.
        lingering_ = true;
        since_ = server_->on.now();
        ::shutdown(socket_->native_handle(), SHUT_WR);
    }
    const bool over = ended_ || (server_->stopping && !lingering_);
    if (over && unsent() == 0 && (finishing_ || session_->idle()))
        close();
    else
        update();
}

void request_connection::update() {
    if (!reading_ && wants_bytes())
        await_bytes(shared_from_this());
    if (!writing_ && unsent() > 0)
        await_room(shared_from_this());
    const bool slow = lingering_ || unsent() > 0;
    if (slow != slow_) {
        slow_ = slow;
        slow ? ++server_->slow : --server_->slow;
    }
    if (slow)
        server_->want_sweep();
}

void request_connection::send(std::string_view bytes) {
    if (!open() || bytes.empty())
        return;
    if (receiving_) { // in order with what the session says itself
        server_->out += bytes;
        return;
    }
    transmit(bytes);
    if (server_ && (full_ || ended_ || server_->stopping))
        queue();
}

void request_connection::read_on() {
    if (open())
        queue();
}

void request_connection::finish() {
    if (!open())
        return;
    finishing_ = true;
    queue();
}

void request_connection::queue() {
    if (std::exchange(queued, true))
        return;
    server_->look_again(shared_from_this());
}

void request_connection::sweep(loop::time_point now) {
    if (slow_ && now - since_ >= server_->options.stuck_time)
        close();
}

void request_connection::close() {
    if (!server_)
        return;
    auto& server = *std::exchange(server_, nullptr);
    if (slow_)
        --server.slow;
    socket_.reset(); // what waits in it ends without a word
    place_.reset();
    std::string().swap(unsent_);
    server.leave(*this); // kept_ may be what the session looks at: it goes with this
}

} // namespace mailtight::io
