// SPDX-License-Identifier: Apache-2.0
#include "app/settings_keys.h"

namespace mailtight::app {

std::vector<setting_key> daemon_keys() {
    return {
        {"serve", "user", &settings::user,
         "The user to become after the ports are bound, where serve is started as root. Empty: stay who we "
         "are."},
        {"serve", "group", &settings::group, "The group to go with it. Empty: the user's own."},
        {"serve", "control-socket", &settings::control_socket,
         "The unix socket at which status and the commands that write reach the daemon. Empty: "
         "/run/mailtight/control.sock, or in $XDG_RUNTIME_DIR for who is not root. \"off\": none."},
        {"serve", "tls-certificates", &settings::tls_certificates,
         "Certificates for https and STARTTLS, chosen by the name asked for: \"CHAIN.pem KEY.pem\" each, or "
         "one file with both. Read again on reload."},

        {"mail",
         "route",
         &settings::mail_route,
         "How mail of ours goes out (reports to others, alarms, the digest, report test): \"smart-host\" to "
         "the host below, "
         "\"direct\" to the recipient's MX, or \"command\".",
         {"smart-host", "direct", "command"}},
        {"mail", "host", &settings::mail_host, "The smart host, a name or an address."},
        {"mail", "port", &settings::mail_port, "Its port."},
        {"mail", "user", &settings::mail_user, "Name to log in with at the smart host. Empty: no login."},
        {"mail", "password-file", &settings::mail_password_file, "A file with the password."},
        {"mail", "from", &settings::mail_from,
         "The sender's address. Empty: mailtight@ and this host's name."},
        {"mail", "command", &settings::mail_command,
         "The program for route \"command\"; the message comes on its standard input, the recipients follow "
         "the arguments."},

        {"alarms", "mail", &settings::alarm_mail,
         "Who is told of alarms and gets the weekly digest. Empty: nobody by mail."},
        {"alarms", "webhook", &settings::webhook,
         "A URL that each alarm is posted to, as JSON. Empty: none."},
        {"alarms", "webhook-secret-file", &settings::webhook_secret_file,
         "A file with the secret that signs it: the field Mailtight-Signature holds t=TIME,v1=HEX, the "
         "HMAC-SHA256 of TIME, a dot and the body."},
        {"alarms", "share", &settings::alarm_share,
         "Percentage of failed sessions, over two days, from which there is an alarm."},
        {"alarms", "silent-days", &settings::silent_days,
         "Days without any report about a domain after which there is an alarm."},
        {"alarms", "reminder-days", &settings::reminder_days,
         "An alarm that goes on is told again after so many days."},
        {"alarms",
         "digest",
         &settings::digest,
         "The day of the weekly digest.",
         {"off", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}},

        {"metrics", "listen", &settings::metrics_listen,
         "Where Prometheus fetches /metrics: \"127.0.0.1:9465\". Empty: off."},

        {"log",
         "level",
         &settings::log_level,
         "What is written to the log.",
         {"debug", "info", "warning", "error"}},
        {"log",
         "format",
         &settings::log_format,
         "Lines for people, or one JSON document a line.",
         {"text", "json"}},
    };
}

} // namespace mailtight::app
