// SPDX-License-Identifier: Apache-2.0
// What the log reader remembers between lines. Private to it: postfix_log.cpp has the processes and what each
// line does, postfix_log_sessions.cpp how connections become sessions.
#pragma once

#include "tally/postfix_log.h"
#include "tally/postfix_words.h"

#include <list>
#include <unordered_map>
#include <unordered_set>

namespace mailtight::tally {

inline constexpr std::size_t log_text_most = 255; ///< of a name that is kept

/// One connection, from what the lines about it say.
struct attempt {
    base::utc_seconds at{};
    std::string host, address;
    std::uint16_t port = 0;
    model::tls_reached tls = model::tls_reached::encrypted;
    std::optional<tlsrpt::result_type> failure; ///< counts once the certificate was refused
    std::string reason;
    bool handshaken = false; ///< the summary has come
    bool clear = false;      ///< talked about mail without a word of TLS
    bool told = false;       ///< a TLSRPT line has told of it, or it was made for an earlier message
    bool counted = false;    ///< kept while its message lasts, so that it is not counted again
    bool is_with(const postfix::peer& p) const { return address == p.address && host == p.host; }
};

/// What the TLS proxy says of a connection that a client process has.
struct told_elsewhere {
    base::utc_seconds at{};
    std::string host, address;
    std::optional<tlsrpt::result_type> failure;
    std::string reason;
    bool told = false;
};

struct client_process {
    std::string key;
    base::utc_seconds heard{};
    std::vector<attempt> tries;
    std::string queue_id, waited; ///< of the message that the latest delivery line was about
    std::string unused_offer;
    bool own_fault = false; ///< the next handshake breaks for want of a service of our own
};

struct postfix_log::state {
    postfix_log_options options;
    figures seen;
    std::optional<base::utc_seconds> since; ///< the first line
    std::list<client_process> processes;    ///< the one heard of last in front
    std::unordered_map<std::string_view, std::list<client_process>::iterator> by_key;
    std::unordered_set<std::string> telling; ///< host and program of clients whose TLS lines were seen
    std::vector<told_elsewhere> proxied;     ///< in order of time

    bool is_read(std::string_view program) const;
    bool is_ignored(std::string_view program) const;
    client_process& process_of(const log_line& line, base::utc_seconds at);
    void drop_oldest();

    static void turn_to(client_process& of, std::string_view queue_id, std::string_view waited);
    attempt& begin(client_process& of, const postfix::peer& with, base::utc_seconds at);
    attempt& open(client_process& of, const postfix::peer& with, base::utc_seconds at);
    void judge(client_process& of, const postfix::verdict& how, const std::optional<postfix::peer>& relay,
               base::utc_seconds at);
    void refuse_certificate(client_process& of, postfix::verdict::kind what,
                            const std::optional<postfix::peer>& relay, base::utc_seconds at);
    void deliver(client_process& of, const log_line& line, const postfix::delivery& told,
                 base::utc_seconds at, std::vector<session_at>& out);
    void tell(client_process& of, const postfix::told_result& told, base::utc_seconds at,
              std::vector<session_at>& out);
    void emit(const attempt& of, std::string domain, std::vector<session_at>& out);

    void note_proxy(const postfix::said& what, base::utc_seconds at, std::vector<session_at>& out);
    std::optional<told_elsewhere> from_proxy(const attempt& of);
    bool was_in_the_clear(const log_line& line, const postfix::delivery& told, base::utc_seconds at) const;
};

/// The client that writes the line, whichever of its processes.
std::string client_of(const log_line& line);

} // namespace mailtight::tally
