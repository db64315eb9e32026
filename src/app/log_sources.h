// SPDX-License-Identifier: Apache-2.0
// The logs of collect.postfix-log: files, the journal, and sockets that a log daemon writes to. Each has a
// reader of its own, whose sessions go to the collector with the time of their line. Lives on the loop.
#pragma once

#include "app/settings.h"
#include "base/time.h"
#include "io/loop.h"
#include "tally/collector.h"
#include "tally/postfix_log.h"

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::app {

class log_sources {
public:
    /// `days`: the clock of the results, by whose offset from the real one the lines' times are moved.
    log_sources(io::loop& on, const base::clock& real, std::function<std::chrono::seconds()> ahead,
                tally::collector& to, std::function<void(std::string_view)> complain);
    ~log_sources();
    /// Binds sockets, and looks that the rest can be read as configured. The error is for a person.
    std::expected<void, std::string> open(const settings& from);
    /// Begins where the marks of the last run end.
    void start();
    void stop();

    struct row {
        std::string kind, where; ///< file, journal, syslog
        std::uint64_t lines = 0, used = 0, sessions = 0, lost = 0;
        bool tells_tls = false; ///< the mail server writes about TLS at all
        std::string trouble;    ///< "" : it works
        bool rotated = false; ///< the trouble may be that the file is made anew with the next line of the log
    };
    std::vector<row> list() const;
    struct source;

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace mailtight::app
