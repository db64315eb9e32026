// SPDX-License-Identifier: Apache-2.0
// The client side of one mail over SMTP (RFC 5321) or LMTP as bytes in and bytes out: greeting, EHLO,
// STARTTLS where wished, AUTH, MAIL, RCPT, DATA with dot stuffing, QUIT. The owner does the sockets, the TLS
// and the waiting. One thread; whatever the server says is bounded by the limits of smtp_reply.h and ends in
// an outcome, never in an exception.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::wire {

struct outgoing_mail {
    std::string sender; ///< "" : the null sender
    std::vector<std::string> recipients;
    std::string message; ///< CRLF line ends
};
struct smtp_client_options {
    bool lmtp = false;
    std::string helo;
    bool start_tls = true;           ///< where offered
    std::string user, password;      ///< AUTH PLAIN or LOGIN, only under TLS
    bool auth_allowed_plain = false; ///< or without it too, for a server on loopback
};
enum class smtp_client_step { need_bytes, send, start_tls, done };
struct smtp_client_outcome {
    bool accepted = false;  ///< for at least one recipient
    bool temporary = false; ///< a 4xx or a broken connection: try again
    int code = 0;
    std::string enhanced; ///< "5.7.1"
    std::string text;     ///< the reply that decided, for people: printable, bounded
    /// "greeting", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "message"; of the owner's: "connect",
    /// "DNS", "command".
    std::string stage;
    /// Recipients that were refused, or under LMTP never answered for, though others may have been served.
    std::vector<std::string> refused;
};
class smtp_client {
public:
    /// Addresses and names that could break out of their command (line ends, brackets) are refused at once.
    smtp_client(smtp_client_options options, outgoing_mail mail);
    /// Bytes of the server. What it says before it was asked is a broken protocol, and behind the 220 of
    /// STARTTLS an injection (3207-4-c): the machine is done then, and nothing of it is believed.
    void feed(std::string_view bytes);
    smtp_client_step step();
    std::string output(); ///< taken
    void tls_started();
    void tls_failed(); ///< the connection is lost: temporary
    /// Closed, broken or timed out. What was decided before (the reply to QUIT is awaited only) stays.
    void connection_lost(std::string_view why);
    const smtp_client_outcome& outcome() const;

private:
    struct machine;
    std::shared_ptr<machine> machine_;
};

} // namespace mailtight::wire
