// SPDX-License-Identifier: Apache-2.0
// collect_plain PATH: the socket's thread of this program without the rest of it: each datagram goes onto a
// pile, which is exchanged with each beat and thrown away. Says how many on SIGTERM.
#include "io/datagram_drain.h"
#include "tally/pile.h"

#include <csignal>
#include <cstdio>

using namespace mailtight;

int main(int count, char** words) {
    if (count < 2) {
        std::fprintf(stderr, "collect_plain PATH\n");
        return 2;
    }
    sigset_t end;
    ::sigemptyset(&end);
    ::sigaddset(&end, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &end, nullptr);
    tally::pile pile;
    std::uint64_t inputs = 0, different = 0, piles = 0;
    const auto exchange = [&] {
        inputs += pile.inputs();
        different += pile.entries().size();
        ++piles;
        pile.clear();
    };
    auto drain = io::datagram_drain::open(
        {.path = words[1]},
        [&](std::string_view one) {
            if (pile.add(one))
                return;
            exchange();
            pile.add(one);
        },
        exchange);
    if (!drain) {
        std::fprintf(stderr, "%s\n", drain.error().c_str());
        return 1;
    }
    int signal = 0;
    ::sigwait(&end, &signal);
    const auto before = (*drain)->counted();
    drain->reset();
    std::printf("{\"datagrams\": %llu, \"different\": %llu, \"piles\": %llu, \"batches\": %llu, "
                "\"queue_was_full\": %llu}\n",
                static_cast<unsigned long long>(inputs), static_cast<unsigned long long>(different),
                static_cast<unsigned long long>(piles), static_cast<unsigned long long>(before.batches),
                static_cast<unsigned long long>(before.queue_was_full));
}
