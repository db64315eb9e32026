// SPDX-License-Identifier: Apache-2.0
// Entry: ready(). A request that is whole and answered at once goes through read(), feed() and transmit():
// recv, the session, send. Everything else is for clients that are slow, late or hostile.
#include "io/request_connection.h"
#include "wire/bounded.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include <sys/epoll.h>
#include <sys/socket.h>

namespace mailtight::io {

request_connection::request_connection(request_server::state& in, descriptor socket, acceptor::place place)
    : server_(&in)
    , socket_(std::move(socket))
    , place_(std::move(place)) {}

bool request_connection::start(const peer& who) {
    events_ = EPOLLIN;
    if (!server_->sockets.add(socket_.get(), events_, *this))
        return false;
    session_ = server_->session(shared_from_this(), who); // which may greet
    return session_ != nullptr;
}

void request_connection::ready(std::uint32_t events) {
    if (server_ && events & EPOLLIN)
        read();
    if (server_ && events & EPOLLOUT)
        write();
    // Nobody is there any more, and nothing is left to be read that would say so.
    if (server_ && events & (EPOLLHUP | EPOLLERR) && !(events & EPOLLIN))
        close();
}

void request_connection::read() {
    auto& input = server_->input;
    const auto room = lingering_ ? input.size() : input.size() - kept_.size();
    const auto got = ::recv(socket_.get(), input.data(), room, 0);
    if (got < 0) {
        if (errno != EAGAIN && errno != EINTR)
            close();
        return;
    }
    if (lingering_) {
        if (got == 0)
            close();
        return;
    }
    if (got == 0) {
        ended_ = true;
        session_->ended();
        settle();
        return;
    }
    const std::string_view bytes(input.data(), static_cast<std::size_t>(got));
    if (kept_.empty()) {
        feed(bytes);
    } else {
        wire::append_within(kept_, bytes, input.size());
        feed(kept_);
    }
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
    if (full_ || blocked_ || ended_ || finishing_ || server_->stopping || events_ != EPOLLIN)
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
        const auto put = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (put < 0 && errno != EAGAIN && errno != EINTR) {
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

void request_connection::write() {
    const auto put = ::send(socket_.get(), unsent_.data() + sent_, unsent(), MSG_NOSIGNAL);
    if (put < 0) {
        if (errno != EAGAIN && errno != EINTR)
            close();
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
        ::shutdown(socket_.get(), SHUT_WR);
    }
    const bool over = ended_ || (server_->stopping && !lingering_);
    if (over && unsent() == 0 && (finishing_ || session_->idle()))
        close();
    else
        update();
}

void request_connection::update() {
    const bool reads = lingering_ || !(full_ || blocked_ || ended_ || finishing_ || server_->stopping);
    const std::uint32_t wanted = (reads ? EPOLLIN : 0u) | (unsent() > 0 ? EPOLLOUT : 0u);
    if (wanted != events_) {
        events_ = wanted;
        server_->sockets.change(socket_.get(), events_, *this);
    }
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
    server_->again.push_back(shared_from_this());
    server_->want_turn();
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
    server.sockets.remove(socket_.get());
    socket_ = descriptor{};
    place_.reset();
    std::string().swap(unsent_);
    server.leave(*this); // kept_ may be what the session looks at: it goes with this
}

} // namespace mailtight::io
