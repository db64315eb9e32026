// SPDX-License-Identifier: Apache-2.0
// What leaves this program on its own account: mail to people (alarms, digest), the synthetic report, and
// signed webhooks. Settings in, one call out; errors are for a person.
#pragma once

#include "app/settings.h"
#include "app/world.h"
#include "insight/insight.h"
#include "io/mail_client.h"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::app {

/// The [mail] section. The error: a password file that cannot be read.
std::expected<io::mail_route, std::string> mail_route(const settings& from, const std::string& own_name);
/// The sender's address: mail.from, or mailtight@ and this host's name.
std::string sender_address(const settings& from, const std::string& own_name);

/// A plain text message (RFC 5322), CRLF line ends; the subject and the text may hold any characters.
std::string text_message(const insight::letter& letter, const std::string& from,
                         const std::vector<std::string>& to, const std::string& own_name,
                         base::utc_seconds now, std::string_view unique);

io::task<std::expected<void, std::string>> send_letter(world& with, const settings& from,
                                                       insight::letter letter, std::vector<std::string> to);

/// `t=UNIX_TIME,v1=HEX`: the HMAC-SHA256 of "UNIX_TIME.BODY" under the secret.
std::string webhook_signature(std::string_view secret, std::string_view body, base::utc_seconds now);
io::task<std::expected<void, std::string>> post_webhook(world& with, const settings& from, std::string body);

/// HMAC-SHA256 (RFC 2104), 32 raw bytes.
std::string hmac_sha256(std::string_view key, std::string_view bytes);
/// Random letters and digits (base32), from the kernel.
std::string random_token(std::size_t bytes = 15);

} // namespace mailtight::app
