// SPDX-License-Identifier: Apache-2.0
// The synthetic report of `report test`: made like a sender's, marked by a token in its report-id, sent by
// mail or POST to one report address.
#pragma once

#include "app/settings.h"
#include "app/world.h"
#include "tlsrpt/record.h"

#include <string>
#include <string_view>

namespace mailtight::app {

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

} // namespace mailtight::app
