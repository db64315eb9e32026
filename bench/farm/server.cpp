// SPDX-License-Identifier: Apache-2.0
#include "farm/server.h"

#include "farm/names.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace mailtight::farm {

namespace {

constexpr std::uint32_t dns_address = 0x7f000101; // 127.0.1.1
constexpr std::size_t line_limit = 16'384;

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + std::strerror(errno));
}

sockaddr_in at(std::uint32_t address, std::uint16_t port) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_addr.s_addr = htonl(address);
    made.sin_port = htons(port);
    return made;
}

} // namespace

server::server(const options& wanted, authority& by)
    : latency_(wanted.latency)
    , authority_(by)
    , epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0)
        fail("epoll");
    dns_ = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (dns_ < 0)
        fail("socket");
    const int bytes = 8 << 20;
    setsockopt(dns_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    const auto here = at(dns_address, wanted.dns_port);
    if (bind(dns_, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0)
        fail("DNS port");
    watch(dns_, false);
    smtp_ = listen_at(INADDR_ANY, wanted.smtp_port);
    https_ = listen_at(web_address, wanted.https_port);
}

server::~server() {
    for (const auto& [descriptor, kept] : open_)
        close(descriptor);
    for (const int descriptor : {dns_, smtp_, https_, epoll_})
        if (descriptor >= 0)
            close(descriptor);
}

void server::watch(int descriptor, bool edge) {
    epoll_event wanted{};
    wanted.events = EPOLLIN | (edge ? EPOLLRDHUP : 0u);
    wanted.data.fd = descriptor;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &wanted) != 0)
        fail("epoll");
}

int server::listen_at(std::uint32_t address, std::uint16_t port) {
    const int made = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0)
        fail("socket");
    const int yes = 1;
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const auto here = at(address, port);
    if (bind(made, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 || listen(made, 4096) != 0)
        fail("port " + std::to_string(port));
    watch(made, false);
    return made;
}

void server::run(const volatile bool& stop) {
    std::array<epoll_event, 256> events;
    while (!stop) {
        int wait = 1000;
        if (!later_.empty()) {
            const auto left =
                std::chrono::duration_cast<std::chrono::microseconds>(later_.front().due - clock::now());
            wait = static_cast<int>(std::clamp<long>((left.count() + 999) / 1000, 0, 1000));
        }
        const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait);
        for (int i = 0; i < count; ++i) {
            const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
            if (descriptor == dns_)
                take_datagrams();
            else if (descriptor == smtp_ || descriptor == https_)
                accept_all(descriptor, descriptor == smtp_);
            else
                take(descriptor);
        }
        send_due();
    }
}

void server::take_datagrams() {
    std::array<char, 4096> buffer;
    for (int i = 0; i < 256; ++i) {
        parcel reply;
        socklen_t size = sizeof reply.peer;
        const auto got =
            recvfrom(dns_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&reply.peer), &size);
        if (got < 0)
            return;
        ++counted.queries;
        reply.bytes = answer_dns({buffer.data(), static_cast<std::size_t>(got)});
        reply.descriptor = dns_;
        if (!reply.bytes.empty())
            send_later(std::move(reply));
    }
}

void server::accept_all(int listener, bool smtp) {
    for (;;) {
        const int made = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (made < 0)
            return;
        const int yes = 1;
        setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        sockaddr_in here{};
        socklen_t size = sizeof here;
        getsockname(made, reinterpret_cast<sockaddr*>(&here), &size);
        watch(made, true);
        auto& [number, fresh] = open_[made];
        number = next_number_++;
        fresh.smtp = smtp;
        fresh.address = ntohl(here.sin_addr.s_addr);
        if (!smtp) {
            fresh.tls = std::make_unique<tls_session>(authority_, "nobody.bench");
            see_who_left();
            counted.https_at_once = std::max(counted.https_at_once, ++https_open_);
            continue;
        }
        ++counted.smtp;
        see_who_left();
        counted.smtp_at_once = std::max(counted.smtp_at_once, ++smtp_open_);
        counted.smtp_at_once_one_address =
            std::max(counted.smtp_at_once_one_address, ++at_once_[fresh.address]);
        say(made, fresh, "220 farm ESMTP\r\n");
    }
}

void server::see_who_left() {
    // A client that ends one conversation and begins the next has at no time two, in whatever order the
    // kernel tells us.
    std::array<char, 256> rest;
    for (const int descriptor : std::exchange(leaving_, {})) {
        const auto found = open_.find(descriptor);
        if (found == open_.end() || !found->second.second.closing)
            continue;
        ssize_t got;
        while ((got = read(descriptor, rest.data(), rest.size())) > 0) {
        }
        if (got == 0)
            drop(descriptor);
        else
            leaving_.push_back(descriptor);
    }
}

void server::take(int descriptor) {
    std::array<char, 16'384> buffer;
    const auto found = open_.find(descriptor);
    if (found == open_.end())
        return;
    auto& from = found->second.second;
    const auto got = read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0)
        return drop(descriptor);
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    if (from.closing)
        return;
    if (!from.tls)
        return hear(descriptor, from, bytes);
    std::string clear, to_send;
    const bool before = from.tls->established();
    const bool sound = from.tls->feed(bytes, clear, to_send);
    if (!before && from.tls->established())
        note_handshake(from);
    if (!to_send.empty())
        send_later({{}, descriptor, found->second.first, {}, std::move(to_send), false});
    if (!clear.empty())
        return hear(descriptor, from, clear);
    if (!sound)
        drop(descriptor);
}

void server::note_handshake(connection& from) {
    ++counted.handshakes;
    if (!from.smtp)
        return;
    counted.smtp_with_sni += !from.tls->sni().empty();
    if (!seen_.emplace(from.address, from.tls->sni()).second)
        ++counted.smtp_repeated;
}

void server::hear(int descriptor, connection& from, std::string_view clear) {
    from.line += clear;
    if (from.line.size() > line_limit)
        return drop(descriptor);
    if (!from.smtp) {
        if (from.line.find("\r\n\r\n") == std::string::npos)
            return;
        ++counted.fetches;
        const auto policy = policy_of(from.tls->sni());
        const std::string body = policy.value_or("no such policy\n");
        return say(descriptor, from,
                   std::string(policy ? "HTTP/1.1 200 OK" : "HTTP/1.1 404 Not Found") +
                       "\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: " +
                       std::to_string(body.size()) + "\r\n\r\n" + body,
                   true);
    }
    for (auto end = from.line.find('\n'); end != std::string::npos && !from.closing;
         end = from.line.find('\n')) {
        const auto line = from.line.substr(0, end);
        from.line.erase(0, end + 1);
        hear_line(descriptor, from, line);
    }
}

void server::hear_line(int descriptor, connection& from, const std::string& line) {
    const auto verb = line.substr(0, 4);
    if (verb == "EHLO")
        say(descriptor, from,
            from.tls ? "250-farm\r\n250 PIPELINING\r\n" : "250-farm\r\n250-PIPELINING\r\n250 STARTTLS\r\n");
    else if (verb == "STAR") {
        say(descriptor, from, "220 go ahead\r\n");
        from.tls = std::make_unique<tls_session>(authority_, host_at(from.address));
    } else if (verb == "QUIT")
        say(descriptor, from, "221 bye\r\n", true);
    else
        say(descriptor, from, "502 no\r\n");
}

void server::say(int descriptor, connection& to, std::string_view clear, bool close_then) {
    std::string bytes;
    if (to.tls) {
        to.tls->say(clear, bytes);
        if (close_then)
            to.tls->end(bytes);
    } else {
        bytes = clear;
    }
    to.closing = close_then;
    if (close_then)
        leaving_.push_back(descriptor);
    send_later({{}, descriptor, open_[descriptor].first, {}, std::move(bytes), close_then});
}

void server::send_later(parcel what) {
    if (latency_.count() == 0)
        return send_now(what);
    what.due = clock::now() + latency_;
    later_.push_back(std::move(what));
}

void server::send_due() {
    const auto now = clock::now();
    while (!later_.empty() && later_.front().due <= now) {
        send_now(later_.front());
        later_.pop_front();
    }
}

void server::send_now(const parcel& what) {
    if (what.number == 0) {
        sendto(what.descriptor, what.bytes.data(), what.bytes.size(), 0,
               reinterpret_cast<const sockaddr*>(&what.peer), sizeof what.peer);
        return;
    }
    const auto found = open_.find(what.descriptor);
    if (found == open_.end() || found->second.first != what.number)
        return; // gone meanwhile, and perhaps another has its place
    // What is sent is small: it fits the kernel's buffer, or the client has stopped reading.
    if (send(what.descriptor, what.bytes.data(), what.bytes.size(), MSG_NOSIGNAL) < 0)
        return drop(what.descriptor);
    if (what.close_then)
        shutdown(what.descriptor, SHUT_WR); // the client's end closes it
}

void server::drop(int descriptor) {
    const auto found = open_.find(descriptor);
    if (found == open_.end())
        return;
    if (found->second.second.smtp) {
        --smtp_open_;
        --at_once_[found->second.second.address];
    } else {
        --https_open_;
    }
    counted.smtp_hosts = at_once_.size();
    open_.erase(found);
    close(descriptor);
}

} // namespace mailtight::farm
