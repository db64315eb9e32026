// SPDX-License-Identifier: Apache-2.0
// Sessions out of the log lines of Postfix's SMTP client (3.4 to 3.9, which cannot tell them otherwise; 3.10
// and later too, where libtlsrpt is not built in). A line says little; what a session was is known when the
// delivery lines that follow it name the recipient. So the reader remembers, for each client process, the
// connection that it has, within bounds. Pure; lines in, sessions out; takes any bytes.
#pragma once

#include "base/time.h"
#include "model/delivery.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::tally {

/// A log line without its envelope. Views into the line.
struct log_line {
    std::optional<base::utc_seconds> at; ///< where the envelope has a date that can be understood
    std::string_view host;
    std::string_view program; ///< `postfix/smtp`, `postfix-out/smtp`
    std::uint32_t pid = 0;
    std::string_view text; ///< behind `]: `
};
/// Takes off the envelope: RFC 3164 (`Nov 22 07:00:00 host postfix/smtp[1]: `) as syslog daemons write it to
/// files and sockets, with or without `<PRI>`, RFC 3339 dates, RFC 5424. Nothing where it is none of these.
/// A date without a year is of the year that brings it nearest to `now`; without a zone, of `zone`.
std::optional<log_line> parse_log_line(std::string_view line, base::utc_seconds now,
                                       std::chrono::seconds zone = {});

struct postfix_log_options {
    std::vector<std::string> programs; ///< that are read; empty: every one whose name ends in `/smtp`
    /// Words in a program's name: the transport that carries reports (8460-3-h).
    std::vector<std::string> ignored = {"mailtight-report"};
    std::size_t processes = 10'000; ///< remembered at once; the one not heard of for longest goes first
    std::chrono::seconds forget{900};
};

struct session_at {
    base::utc_seconds at{};
    model::session_seen what;
};

class postfix_log {
public:
    explicit postfix_log(postfix_log_options options = {});
    ~postfix_log();
    /// Sessions that became known by this line; at most a few. `now` where the line has no date.
    void take(const log_line& line, base::utc_seconds now, std::vector<session_at>& out);
    struct figures {
        std::uint64_t lines = 0, used = 0, sessions = 0, forgotten = 0;
        /// A session in the clear counts only where lines about TLS were seen: with smtp_tls_loglevel=0 there
        /// are none, and every session would look so.
        bool tells_tls = false;
    };
    figures counted() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace mailtight::tally
