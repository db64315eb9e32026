// SPDX-License-Identifier: Apache-2.0
// A report of ours on its way out: the day and domain that it is owed for, the report as filed, its
// deliveries.
#pragma once

#include "base/time.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::model {

/// For whom a day's results are reported (A22).
enum class report_audience {
    recipient_domain, ///< all results of a recipient's domain
    tlsa_base,        ///< the tlsa results of an MX host, of every recipient's domain
};
std::string_view to_string(report_audience a); ///< "recipient-domain", "tlsa-base"

/// A report that is owed: nobody has asked yet whether the domain wants it.
struct due_report {
    std::chrono::sys_days day{};
    std::string domain; ///< the one whose TLSRPT record asks
    report_audience audience = report_audience::recipient_domain;
    base::utc_seconds due_at{};
    base::utc_seconds first_tried{}; ///< epoch: not yet
    std::uint32_t tries = 0;
    std::int64_t fence = 0;           ///< grows with every lease; what an older holder says is not believed
    base::utc_seconds last_part_at{}; ///< when a report of the same was made before; epoch: none yet
    friend bool operator==(const due_report&, const due_report&) = default;
};

enum class delivery_state {
    waiting,    ///< to be tried at next_at
    sent,       ///< accepted by the other side: never tried again
    refused,    ///< for good
    given_up,   ///< 24 hours of trying (8460-5.5-a)
    suppressed, ///< by the list, a cap, or a guard: `words` says which
    skipped,    ///< another address of the report has taken it ("first")
    copied,     ///< dry run: written to a file
};
std::string_view to_string(delivery_state s);
std::optional<delivery_state> parse_delivery_state(std::string_view word);

enum class address_family : std::uint8_t { any, v4, v6 };

/// A report to one address.
struct outgoing_delivery {
    std::int64_t number = 0, report = 0;
    std::string tag;     ///< begins its Message-ID; nobody but who gets the mail can know it. "": not filed
    std::string uri;     ///< as in the record
    std::string address; ///< mailto: the mail address; https: ""
    std::string host;    ///< its mail domain, or the https host
    delivery_state state = delivery_state::waiting;
    std::uint32_t tries = 0;
    base::utc_seconds first_at{}, next_at{}, ended_at{}; ///< epoch: not yet
    address_family family = address_family::any;         ///< the one to use next
    std::string words;                                   ///< of the last try, or why it is not tried
    std::int64_t fence = 0;
    friend bool operator==(const outgoing_delivery&, const outgoing_delivery&) = default;
};

struct outgoing_report {
    std::int64_t number = 0;
    std::chrono::sys_days day{};
    std::string domain;
    report_audience audience = report_audience::recipient_domain;
    std::uint32_t part = 0; ///< 0: the day's report; more: sessions that became known later
    std::string report_id;  ///< also left and right of the Message-ID
    std::string file_name;
    std::string body; ///< gzip; "" once nothing is waiting and the copy's time is over
    std::uint64_t success = 0, failure = 0;
    base::utc_seconds made_at{};
    std::vector<outgoing_delivery> deliveries;
    friend bool operator==(const outgoing_report&, const outgoing_report&) = default;
};

} // namespace mailtight::model
