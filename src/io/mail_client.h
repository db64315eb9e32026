// SPDX-License-Identifier: Apache-2.0
// Sends one mail: to a named smart host, to the MX hosts of the recipient's domain, or to a sendmail command.
// What is sent is decided elsewhere; here are sockets, TLS and processes.
#pragma once

#include "io/families.h"
#include "io/resolver.h"
#include "io/stream.h"
#include "wire/smtp_client.h"

#include <chrono>
#include <string>
#include <vector>

namespace mailtight::io {

struct mail_route {
    enum class kind {
        smart_host, ///< host and port below; TLS where offered, certificate not judged on loopback
        direct,     ///< look up the MX of the recipient's domain; opportunistic TLS
        command,    ///< program and arguments; the message on stdin, recipients appended
    } how = kind::smart_host;
    std::string host = "127.0.0.1";
    std::uint16_t port = 25;
    std::string user, password;
    std::vector<std::string> command = {"/usr/sbin/sendmail", "-i", "-f", "%sender"};
    std::string helo;
    std::uint16_t mx_port = 25;
    std::chrono::milliseconds connect_time{30'000}, reply_time{300'000};
    bool exempt = true; ///< smart host: the guard is not asked
    families over = families::v4_first;
};
struct mail_sent {
    wire::smtp_client_outcome outcome; ///< of the answer that decided; else of the last attempt
    std::string server;                ///< host and address that it came from
    std::string address;               ///< the address alone; "" where nobody answered
    bool over_v6 = false;              ///< it is one of IPv6
    bool blocked = false;              ///< nobody was asked: the guard refused every address
    bool tls = false;
};
task<mail_sent> send_mail(loop& on, resolver& dns, const tls_client& tls, const base::address_guard& guard,
                          const base::clock& clock, mail_route by, wire::outgoing_mail mail);

} // namespace mailtight::io
