// SPDX-License-Identifier: Apache-2.0
// collect_floor PATH: what no collector can be faster than. A unix datagram socket emptied by recvmmsg; the
// datagrams are counted and nothing else. Says how many on SIGTERM.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <vector>

namespace {
volatile std::sig_atomic_t over = 0;
}

int main(int count, char** words) {
    if (count < 2) {
        std::fprintf(stderr, "collect_floor PATH\n");
        return 2;
    }
    struct sigaction act{};
    act.sa_handler = [](int) { over = 1; }; // without SA_RESTART: recvmmsg ends
    ::sigaction(SIGTERM, &act, nullptr);
    const int socket = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::strncpy(at.sun_path, words[1], sizeof at.sun_path - 1);
    ::unlink(words[1]);
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
        std::perror(words[1]);
        return 1;
    }
    constexpr std::size_t slots = 64, bytes = 4'096;
    std::vector<char> room(slots * bytes);
    std::vector<iovec> parts(slots);
    std::vector<mmsghdr> headers(slots);
    for (std::size_t i = 0; i < slots; ++i) {
        parts[i] = {room.data() + i * bytes, bytes};
        headers[i].msg_hdr.msg_iov = &parts[i];
        headers[i].msg_hdr.msg_iovlen = 1;
    }
    unsigned long long taken = 0, batches = 0;
    while (over == 0) {
        const int got = ::recvmmsg(socket, headers.data(), slots, MSG_WAITFORONE, nullptr);
        if (got > 0) {
            taken += static_cast<unsigned>(got);
            ++batches;
        } else if (errno != EINTR) {
            std::perror("recvmmsg");
            return 1;
        }
    }
    for (int got = 1; got > 0;) { // what is still there
        got = ::recvmmsg(socket, headers.data(), slots, MSG_DONTWAIT, nullptr);
        taken += got > 0 ? static_cast<unsigned>(got) : 0;
    }
    std::printf("{\"datagrams\": %llu, \"batches\": %llu}\n", taken, batches);
}
