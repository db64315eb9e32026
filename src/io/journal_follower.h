// SPDX-License-Identifier: Apache-2.0
// The entries of systemd's journal as lines of a mail log, from where they were last read. Reads them from
// `journalctl --follow`, which is started again where it ends, so that no library of the journal's is needed
// and its files are read by a process of their own. Lives on the loop.
#pragma once

#include "io/loop.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::io {

struct journal_options {
    std::vector<std::string> program = {"journalctl"};        ///< and arguments before ours
    std::vector<std::string> matches = {"SYSLOG_FACILITY=2"}; ///< as journalctl takes them: those of mail
    std::string from;                                         ///< a cursor; "" : begins with what comes
    std::size_t message_bytes = 16'384;                       ///< longer texts are cut
    std::chrono::milliseconds again{1'000};                   ///< after its end; doubled up to a minute
    /// Asked before each chunk: true, and nothing is read until it says otherwise; the program waits for us
    /// then. May be empty.
    std::function<bool()> wait;
};

/// Reads until stop(). `take` gets `2026-11-22T07:00:00.123456Z host program[pid]: text`; `read_to` the
/// cursor after each chunk, when everything up to it was taken. What `complain` gets is printable.
class journal_follower {
public:
    journal_follower(loop& on, journal_options options, std::function<void(std::string_view)> take,
                     std::function<void(std::string_view cursor)> read_to,
                     std::function<void(std::string_view)> complain);
    ~journal_follower();
    task<> run(); ///< done soon after stop(), when the program has ended
    void stop();
    struct figures {
        std::uint64_t lines = 0, cut = 0, starts = 0;
        bool running = false; ///< the program
        std::string last_error;
    };
    figures counted() const;

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace mailtight::io
