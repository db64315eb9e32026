// SPDX-License-Identifier: Apache-2.0
// A report as it came in: what it says, how it came, and how far it is to be believed. `intake` makes it, the
// store keeps it, the commands show it.
#pragma once

#include "base/time.h"
#include "mail/dkim.h"
#include "tlsrpt/report.h"

#include <string>
#include <string_view>
#include <vector>

namespace mailtight::model {

/// How far a report is believed (docs/reports.md). Only `verified` and `authorised` count.
enum class trust {
    rejected,   ///< mail unsigned, failing, unaligned, or signed with `l=` or a testing key
    unverified, ///< key not to be had, signature past its `x=`, or a file read without import
    authorised, ///< HTTPS at the domain's secret URL, or imported by an administrator
    verified,   ///< DKIM passes, aligned with the reporter
};
std::string_view to_string(trust t);

enum class way_in { smtp, lmtp, https, imap, maildir, mbox, file };
std::string_view to_string(way_in w);
std::optional<way_in> parse_way_in(std::string_view word);

/// The DKIM signature that decided, or why there is none.
struct dkim_outcome {
    mail::dkim_result result = mail::dkim_result::none;
    std::string domain, selector, reason;
    bool mail = false; ///< false: it did not come as mail, so there is nothing to verify (`"dkim": null`)
};

struct received_report {
    tlsrpt::report report;
    std::string format; ///< "mail", "gzip", "zip", "json": the outermost
    std::string source; ///< file name, mailbox and uid, or client address: for people
    way_in way = way_in::file;
    base::utc_seconds received_at{};
    std::string submitter;     ///< TLS-Report-Submitter, else the contact's domain, else ""
    std::string report_domain; ///< which domain it is about (A22): header, token, else the only policy
                               ///< domain; "" unknown
    std::string recipient;     ///< the address or token it was sent to; "" : not known
    dkim_outcome dkim;
    model::trust trust = model::trust::unverified;
    std::string trust_reason; ///< in words
    std::string json;         ///< the body as it came, decompressed
    std::string test_token;   ///< of `report test`: never counted
};

/// The name by which a reporter is known and compared: the submitter's organisational domain, else the
/// normalised organisation name, else "unknown".
std::string reporter_of(const received_report& from);

} // namespace mailtight::model
