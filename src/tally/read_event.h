// SPDX-License-Identifier: Apache-2.0
// The line protocol for every other mail server, and the body of POST /api/v1/results: one JSON object a
// line. Either a whole result with its policies in the words of RFC 8460 (`policies`, as in a datagram or
// with words for numbers), or the facts of a session, which the known policy is joined to:
//   {"domain":"a.example","mx":"mx1.a.example","ip":"192.0.2.1","tls":"verified"}
//   {"domain":"a.example","mx":"mx1.a.example","result":"certificate-expired","reason":"..."}
// Exim's lines, made by packaging/exim, are of the second kind. Pure; takes any bytes.
#pragma once

#include "tally/read_datagram.h"

#include <variant>

namespace mailtight::tally {

/// Facts are joined with the policy that is known; a whole result is counted as it is.
using told = std::variant<model::delivery_result, model::session_seen>;

class event_reader {
public:
    explicit event_reader(datagram_limits limits = {});
    ~event_reader();
    std::expected<told, read_error> read(std::string_view line);

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace mailtight::tally
