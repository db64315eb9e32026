// SPDX-License-Identifier: Apache-2.0
// The synthetic report of `report test`: made like a sender's, marked by a token in its report-id, sent by
// mail or POST to each report address, and awaited in the store.
#pragma once

#include "app/settings.h"
#include "app/terminal.h"
#include "app/world.h"
#include "mail/domain_name.h"
#include "store/store.h"
#include "tlsrpt/record.h"

#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::app {

/// What a command that tries the way of a report needs: the domain, the network, the store.
struct test_bench {
    mail::typed_domain domain;
    std::unique_ptr<world> with;
    std::unique_ptr<store::store> from;
};
/// The error is the exit status; what it means was complained about.
std::expected<test_bench, int> prepare_test(const settings& set, const std::string& typed);

/// What became of one sending.
struct test_sending {
    std::string rua, token;
    bool sent = false;
    std::string stage; ///< where it was lost: "RCPT", "connect", "status 404", …; "" where sent
    std::string words; ///< what the other side said
    std::string server;
    bool tls = false;
};

/// The mail (RFC 8460 §5.3), CRLF line ends.
std::string test_message(const std::string& domain, const std::string& submitter, const std::string& sender,
                         const std::string& recipient, std::string_view token, base::utc_seconds now);
/// The gzip body that goes into the mail and the POST.
std::string test_body(const std::string& domain, const std::string& submitter, const std::string& sender,
                      std::string_view token, base::utc_seconds now);
io::task<test_sending> send_test(world& with, const settings& set, std::string domain, tlsrpt::report_uri to);

/// A sending, and whether it came through.
struct followed {
    test_sending sending;
    std::optional<store::report_number> arrived;
    std::chrono::seconds after{};
};
/// Sends to each address and looks into the store until all arrived or the time is over. A daemon that polls
/// a mailbox is asked to look now. The error is the store's, for a person.
std::expected<std::vector<followed>, std::string>
send_and_follow(world& with, const settings& set, store::store& from, const std::string& domain,
                std::span<const tlsrpt::report_uri> to, std::chrono::milliseconds wait, progress_line& line);

} // namespace mailtight::app
