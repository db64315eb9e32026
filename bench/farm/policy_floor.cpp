// SPDX-License-Identifier: Apache-2.0
// policy_floor WHERE DOMAINS: what no policy service can be cheaper than. Requests in netstrings, one look
// into a table of ready replies, one read and one write a request, and nothing else: no limits, no slow
// clients, no session. WHERE is a port of 127.0.0.1 or the path of a unix socket.
#include "policy_names.h"
#include "wire/netstring.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unordered_map>

using namespace mailtight;

namespace {

struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

/// As much of the bytes as is whole requests is answered.
std::size_t answer(const auto& table, std::string_view bytes, std::string& out) {
    std::size_t used = 0;
    for (;;) {
        const auto got = wire::read_netstring(bytes.substr(used), 10'000);
        if (got.what != wire::netstring_read::state::complete)
            return used;
        used += got.size;
        const auto key = got.payload.substr(got.payload.find(' ') + 1);
        const auto found = table.find(key);
        if (found == table.end())
            wire::append_netstring(out, "NOTFOUND ");
        else
            out += found->second;
    }
}

} // namespace

int main(int count, char** words) {
    if (count < 3) {
        std::fprintf(stderr, "policy_floor WHERE DOMAINS\n");
        return 2;
    }
    std::unordered_map<std::string, std::string, text_hash, std::equal_to<>> table;
    const long domains = std::atol(words[2]);
    for (long i = 0; i < domains; ++i)
        wire::append_netstring(table[bench::domain(i)], "OK " + bench::reply(i));

    const int listening = bench::listen_at(words[1]);
    const int ready = epoll_create1(0);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = listening;
    if (listening < 0 || epoll_ctl(ready, EPOLL_CTL_ADD, listening, &event) != 0)
        return 3;
    std::string out;
    epoll_event events[256];
    char buffer[16'384];
    for (;;) {
        const int some = epoll_wait(ready, events, 256, -1);
        for (int i = 0; i < some; ++i) {
            const int fd = events[i].data.fd;
            if (fd == listening) {
                const int accepted = accept4(listening, nullptr, nullptr, SOCK_NONBLOCK);
                const int yes = 1;
                setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
                event.data.fd = accepted;
                epoll_ctl(ready, EPOLL_CTL_ADD, accepted, &event);
                continue;
            }
            const auto got = recv(fd, buffer, sizeof buffer, 0);
            if (got <= 0) {
                close(fd);
                continue;
            }
            const std::string_view bytes(buffer, static_cast<std::size_t>(got));
            out.clear();
            const auto used = answer(table, bytes, out);
            if (used < bytes.size()) // the bench's client never cuts a request
                return 4;
            (void)!send(fd, out.data(), out.size(), MSG_NOSIGNAL);
        }
    }
}
