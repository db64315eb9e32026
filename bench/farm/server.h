// SPDX-License-Identifier: Apache-2.0
// The farm's one loop: DNS over UDP, SMTP with STARTTLS on every address of 127/8, policies over HTTPS.
// Whatever it sends waits for the simulated latency first. Counts what a scan did to it. One thread; throws
// std::runtime_error where it cannot start.
#pragma once

#include "farm/tls.h"

#include <netinet/in.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mailtight::farm {

struct options {
    std::chrono::milliseconds latency{0};
    std::uint16_t dns_port = 53, smtp_port = 25, https_port = 443;
};

struct counters {
    std::uint64_t queries = 0, fetches = 0, handshakes = 0;
    std::uint64_t https_at_once = 0;            ///< at most, at the one address
    std::uint64_t smtp = 0, smtp_with_sni = 0;  ///< conversations
    std::uint64_t smtp_at_once = 0;             ///< at most, over all
    std::uint64_t smtp_at_once_one_address = 0; ///< at most, at one address
    std::uint64_t smtp_repeated = 0;            ///< more than once with the same address and SNI
    std::uint64_t smtp_hosts = 0;               ///< distinct addresses
};

class server {
public:
    server(const options& wanted, authority& by);
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;
    /// Until `stop` becomes true (looked at when a signal interrupts the wait, and every second).
    void run(const volatile bool& stop);
    counters counted;

private:
    using clock = std::chrono::steady_clock;
    struct connection {
        bool smtp = false, counted_sni = false, closing = false;
        std::uint32_t address = 0;
        std::string line;
        std::unique_ptr<tls_session> tls;
    };
    struct parcel {
        clock::time_point due;
        int descriptor = -1;
        std::uint64_t number = 0; ///< of the connection; 0: a datagram to `peer`
        sockaddr_in peer{};
        std::string bytes;
        bool close_then = false;
    };
    void watch(int descriptor, bool edge);
    int listen_at(std::uint32_t address, std::uint16_t port);
    void take_datagrams();
    void accept_all(int listener, bool smtp);
    void take(int descriptor);
    void hear(int descriptor, connection& from, std::string_view clear);
    void hear_line(int descriptor, connection& from, const std::string& line);
    void say(int descriptor, connection& to, std::string_view clear, bool close_then = false);
    void send_later(parcel what);
    void send_due();
    void send_now(const parcel& what);
    void drop(int descriptor);
    void note_handshake(connection& from);
    void see_who_left();

    std::chrono::milliseconds latency_;
    authority& authority_;
    int epoll_ = -1, dns_ = -1, smtp_ = -1, https_ = -1;
    std::uint64_t next_number_ = 1;
    std::unordered_map<int, std::pair<std::uint64_t, connection>> open_;
    std::deque<parcel> later_; ///< all wait equally long, so it is in order
    std::unordered_map<std::uint32_t, std::uint64_t> at_once_;
    std::uint64_t smtp_open_ = 0, https_open_ = 0;
    std::vector<int> leaving_; ///< clients that were told goodbye
    std::set<std::pair<std::uint32_t, std::string>> seen_;
};

} // namespace mailtight::farm
