// SPDX-License-Identifier: Apache-2.0
// The client side of one mail over SMTP (RFC 5321) or LMTP as bytes in and bytes out: greeting, EHLO,
// STARTTLS where wished, MAIL, RCPT, DATA with dot stuffing, QUIT. The owner does the sockets and the TLS.
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
    bool start_tls = true;      ///< where offered
    std::string user, password; ///< AUTH PLAIN, only under TLS or on loopback
    bool auth_allowed_plain = false;
};
enum class smtp_client_step { need_bytes, send, start_tls, done };
struct smtp_client_outcome {
    bool accepted = false;  ///< for at least one recipient
    bool temporary = false; ///< a 4xx or a broken connection: try again
    int code = 0;
    std::string enhanced; ///< "5.7.1"
    std::string text;     ///< the last reply, for people
    std::string stage;    ///< "greeting", "EHLO", "STARTTLS", "MAIL", "RCPT", "DATA", "message"
};
class smtp_client {
public:
    smtp_client(smtp_client_options options, outgoing_mail mail);
    void feed(std::string_view bytes);
    smtp_client_step step();
    std::string output(); ///< taken
    void tls_started();
    void tls_failed(); ///< the connection is lost: temporary
    void connection_lost(std::string_view why);
    const smtp_client_outcome& outcome() const;

private:
    struct machine;
    std::shared_ptr<machine> machine_;
};

} // namespace mailtight::wire
