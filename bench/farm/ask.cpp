// SPDX-License-Identifier: Apache-2.0
// ask SERVER FIRST COUNT WINDOW [ZONE [LETTER]]: how many questions a second a resolver answers, asked what a
// DNS-only scan asks (the records and MX of LETTERn.ZONE) by a client that does nothing else. WINDOW
// are under way at once; what is lost is asked again after a second.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;

std::string question(std::uint16_t id, std::string_view name, std::uint16_t type) {
    const auto two = [](unsigned value) {
        return std::string{static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
    };
    std::string bytes = two(id) + two(0x0120) + two(1) + two(0) + two(0) + two(1); // RD, AD
    while (!name.empty()) {
        const auto label = name.substr(0, name.find('.'));
        bytes += static_cast<char>(label.size());
        bytes += label;
        name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    bytes += '\0' + two(type) + two(1);
    return bytes + '\0' + two(41) + two(1232) + two(0) + two(0x8000) + two(0); // EDNS, DO
}

struct slot {
    long number = -1; ///< of the question; -1: free
    clock_type::time_point sent;
};

} // namespace

int main(int count, char** words) {
    if (count < 5) {
        std::fprintf(stderr, "ask SERVER FIRST COUNT WINDOW [ZONE [LETTER]]\n");
        return 2;
    }
    const long first = std::atol(words[2]), domains = std::atol(words[3]);
    const std::size_t window = std::min<std::size_t>(static_cast<std::size_t>(std::atol(words[4])), 60'000);
    const std::string zone = count > 5 ? words[5] : "bench", letter = count > 6 ? words[6] : "d";
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(53);
    inet_pton(AF_INET, words[1], &to.sin_addr);
    const int socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (socket_ < 0)
        return 3;
    const int bytes = 8 << 20;
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        return 3;

    const auto ask = [&](std::size_t id, long number) {
        const std::string domain = letter + std::to_string(first + number / 3) + "." + zone;
        const auto text = number % 3 == 0 ? question(static_cast<std::uint16_t>(id), "_mta-sts." + domain, 16)
                          : number % 3 == 1
                              ? question(static_cast<std::uint16_t>(id), "_smtp._tls." + domain, 16)
                              : question(static_cast<std::uint16_t>(id), domain, 15);
        (void)!send(socket_, text.data(), text.size(), 0);
    };
    std::vector<slot> slots(window);
    std::vector<std::size_t> free;
    for (std::size_t i = 0; i < window; ++i)
        free.push_back(i);
    long next = 0, answered = 0, again = 0;
    std::size_t allowed = std::min<std::size_t>(window, 100); // grows with each answer, as the scan's does
    const long all = domains * 3;
    const auto begun = clock_type::now();
    auto looked = begun;
    char buffer[4096];
    while (answered < all) {
        const auto now = clock_type::now();
        while (next < all && !free.empty() && window - free.size() < allowed) {
            const auto id = free.back();
            free.pop_back();
            slots[id] = {next, now};
            ask(id, next++);
        }
        pollfd wait{socket_, POLLIN, 0};
        poll(&wait, 1, 200);
        ssize_t got;
        while ((got = recv(socket_, buffer, sizeof buffer, 0)) > 12) {
            const auto id = static_cast<std::size_t>(static_cast<unsigned char>(buffer[0]) << 8 |
                                                     static_cast<unsigned char>(buffer[1]));
            if (id >= window || slots[id].number < 0)
                continue;
            slots[id].number = -1;
            free.push_back(id);
            ++answered;
            allowed = std::min(window, allowed + 1);
        }
        if (now - looked > std::chrono::milliseconds(200)) {
            looked = now;
            for (std::size_t id = 0; id < window; ++id)
                if (slots[id].number >= 0 && now - slots[id].sent > std::chrono::seconds(1)) {
                    slots[id].sent = now;
                    ++again;
                    ask(id, slots[id].number);
                }
        }
    }
    const double seconds = std::chrono::duration<double>(clock_type::now() - begun).count();
    std::printf("{\"queries\":%ld,\"again\":%ld,\"seconds\":%.3f,\"per_second\":%.0f}\n", answered, again,
                seconds, static_cast<double>(answered) / seconds);
    return 0;
}
