// SPDX-License-Identifier: Apache-2.0
// farm --ca FILE [--latency MS]: runs in a network namespace of its own on ports 53, 25 and 443 (see
// server.h), writes its root certificate to FILE, says "ready", and at SIGTERM its counters as JSON.
#include "farm/server.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string_view>

namespace {

volatile bool stop = false;
void on_signal(int) {
    stop = true;
}

void print(const mailtight::farm::counters& c) {
    std::printf(
        "{\"queries\":%llu,\"fetches\":%llu,\"handshakes\":%llu,\"smtp\":%llu,\"smtp_with_sni\":%llu,"
        "\"smtp_at_once\":%llu,\"smtp_at_once_one_address\":%llu,\"smtp_repeated\":%llu,"
        "\"smtp_hosts\":%llu,\"https_at_once\":%llu}\n",
        static_cast<unsigned long long>(c.queries), static_cast<unsigned long long>(c.fetches),
        static_cast<unsigned long long>(c.handshakes), static_cast<unsigned long long>(c.smtp),
        static_cast<unsigned long long>(c.smtp_with_sni), static_cast<unsigned long long>(c.smtp_at_once),
        static_cast<unsigned long long>(c.smtp_at_once_one_address),
        static_cast<unsigned long long>(c.smtp_repeated), static_cast<unsigned long long>(c.smtp_hosts),
        static_cast<unsigned long long>(c.https_at_once));
    std::fflush(stdout);
}

} // namespace

int main(int count, char** words) {
    mailtight::farm::options wanted;
    std::string_view ca_file;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string_view key = words[i];
        if (key == "--ca")
            ca_file = words[i + 1];
        else if (key == "--latency")
            wanted.latency = std::chrono::milliseconds(std::atoi(words[i + 1]));
    }
    if (ca_file.empty()) {
        std::fprintf(stderr, "farm --ca FILE [--latency MS]\n");
        return 2;
    }
    try {
        mailtight::farm::authority by;
        std::ofstream(std::string(ca_file)) << by.root_pem();
        mailtight::farm::server serving(wanted, by);
        std::signal(SIGTERM, on_signal);
        std::puts("ready");
        std::fflush(stdout);
        serving.run(stop);
        print(serving.counted);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "farm: %s\n", error.what());
        return 3;
    }
    return 0;
}
