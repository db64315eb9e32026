// SPDX-License-Identifier: Apache-2.0
// Which software or service takes the mail: by the MX host where it is a hoster's, else by what the server
// says of itself.
#include "advise/diagnose.h"

#include "advise/diagnosis_rules.h"
#include "advise/providers.h"

#include <array>

namespace mailtight::advise {

namespace {

struct sign {
    std::string_view words; ///< in the banner, as plain_words() makes them
    mail_server server;
};
constexpr std::array signs{
    sign{"postfix", mail_server::postfix},
    sign{"exim", mail_server::exim},
    sign{"sendmail", mail_server::sendmail},
    sign{"gsmtp", mail_server::google_workspace},
    sign{"protection.outlook.com", mail_server::microsoft_365},
    sign{"mx.microsoft", mail_server::microsoft_365},
    // The hoster's banner reads the same; its hosts are known by name and stand above.
    sign{"microsoft esmtp mail service", mail_server::exchange},
};

} // namespace

std::string_view to_string(mail_server s) {
    switch (s) {
    case mail_server::unknown:
        return "";
    case mail_server::postfix:
        return "Postfix";
    case mail_server::exim:
        return "Exim";
    case mail_server::sendmail:
        return "Sendmail";
    case mail_server::exchange:
        return "Exchange";
    case mail_server::google_workspace:
        return "Google Workspace";
    case mail_server::microsoft_365:
        return "Microsoft 365";
    case mail_server::other_service:
        return "the mail hoster";
    }
    return "";
}

mail_server recognise_server(std::string_view mx_host, std::string_view helo_or_banner) {
    if (mx_host.ends_with('.'))
        mx_host.remove_suffix(1);
    if (const mail_provider* provider = provider_of(mx_host)) {
        if (provider->name.starts_with("Google Workspace"))
            return mail_server::google_workspace;
        if (provider->name.starts_with("Microsoft 365"))
            return mail_server::microsoft_365;
        return mail_server::other_service;
    }
    const std::string said = plain_words(helo_or_banner);
    for (const sign& one : signs) {
        // "postfix.example.com" is a host, and says nothing of its software.
        const bool part_of_name = !one.words.contains('.') && (said.contains(std::string(one.words) + ".") ||
                                                               said.contains("." + std::string(one.words)));
        if (holds_words(said, one.words) && !part_of_name)
            return one.server;
    }
    return mail_server::unknown;
}

} // namespace mailtight::advise
