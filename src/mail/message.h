// SPDX-License-Identifier: Apache-2.0
// An Internet message (RFC 5322, MIME) taken apart: header fields as they came, leaf parts decoded. What
// stands in a field is read by gmime, behind the wall; the cut into parts is ours, linear and bounded. Pure;
// takes any bytes, from any thread; depth, parts and sizes are limited before anything is decoded.
#pragma once

#include "base/time.h"

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::mail {

struct message_limits {
    std::size_t bytes = 25 * 1024 * 1024;
    std::size_t depth = 10;   ///< of nested multiparts and messages
    std::size_t parts = 1000; ///< leaves
    std::size_t header_bytes = 256 * 1024;
};

struct message_part {
    std::string media_type; ///< lower case `application/tlsrpt+gzip`; the default where there is none
    std::string name;       ///< file name from disposition or type, RFC 2231 and 2047 decoded; only a hint
    std::string description;
    std::string bytes; ///< transfer encoding undone, tolerantly (base64 with foreign bytes, wrong wraps)
    std::size_t depth = 0;
};

struct message {
    std::vector<std::pair<std::string, std::string>> headers; ///< name as written, value unfolded and decoded
    std::vector<message_part> parts; ///< leaves in order, attached messages opened too
    bool is_report = false;          ///< multipart/report with report-type=tlsrpt
    bool truncated = false;          ///< a limit cut parts off
    /// The first field of that name (case-insensitive), or "".
    std::string_view header(std::string_view name) const;
    std::size_t count(std::string_view name) const;
    std::optional<base::utc_seconds> date() const;
    std::string from_domain() const; ///< of the first From address, A-labels, lower case; "" : none
};

enum class message_problem { empty, too_large, no_message };
std::string_view explain(message_problem problem);
std::expected<message, message_problem> read_message(std::string_view bytes,
                                                     const message_limits& limits = {});
/// Whether bytes of unknown kind look like a message: header fields first.
bool looks_like_message(std::string_view bytes);

/// Splits an mbox (RFC 4155, mboxrd and mboxo) without copying: each message's bytes without its From_ line.
/// `>From ` quoting is undone by unquote_mbox().
std::vector<std::string_view> split_mbox(std::string_view bytes);
bool looks_like_mbox(std::string_view bytes);
std::string unquote_mbox(std::string_view message);

} // namespace mailtight::mail
