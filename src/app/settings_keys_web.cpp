// SPDX-License-Identifier: Apache-2.0
#include "app/settings_keys.h"

namespace mailtight::app {

std::vector<setting_key> web_keys() {
    return {
        {"web", "listen", &settings::web_listen,
         "Where the pages and the API answer: \"127.0.0.1:8460\", \"[::1]:8460\", \"0.0.0.0:443\". Beyond "
         "this machine only with acme, tls-certificates or trusted-proxies. An empty list: off."},
        {"web", "hosts", &settings::web_hosts,
         "The names under which they are reached: \"mta-sts-admin.example.com\". Requests for another name "
         "are "
         "turned away. Empty: any name over TLS or behind a proxy, else addresses and localhost alone."},
        {"web", "acme", &settings::web_acme,
         "Whether the daemon gets and renews a certificate for each name in hosts by itself, from the "
         "authority of [certificates], and the listeners speak TLS with it. Control of a name is shown on "
         "port 443 of these listeners or of publish.listen, on port 80 of http-listen or "
         "publish.http-listen, or by a record ([dns-update])."},
        {"web", "http-listen", &settings::web_http_listen,
         "Port 80, where the listeners speak TLS: \"0.0.0.0:80\". Answers http-01, and leads browsers to "
         "https. Empty: off."},
        {"web", "tls-certificates", &settings::web_certificates,
         "Certificates for these listeners: \"CHAIN.pem KEY.pem\" each, or one file with both. Read again on "
         "reload. Empty: plain HTTP. From none to some, or back: at a restart."},
        {"web", "trusted-proxies", &settings::web_proxies,
         "Networks of proxies that speak TLS in front: \"127.0.0.1\", \"10.0.0.0/8\". Their X-Forwarded-For "
         "is "
         "believed, and beyond this machine they alone may connect."},
        {"web", "proxy-user-field", &settings::web_proxy_field,
         "The field in which the proxy names whom it has let in: \"X-Remote-User\". Believed from "
         "trusted-proxies alone, which must drop what a client sends of it. Empty: nobody comes in so."},
        {"web",
         "proxy-role",
         &settings::web_proxy_role,
         "What those may do whom the proxy names and `access user` does not know. Empty: nothing.",
         {"", "viewer", "operator", "administrator"}},
        {"web", "read-only", &settings::web_read_only,
         "Whether the pages only show: nothing is changed over this listener, whoever asks."},
        {"web", "session-hours", &settings::web_session_hours, "After so long one logs in again."},
        {"web", "audit-days", &settings::web_audit_days,
         "Days for which the log of logins, refusals and changes is kept."},
    };
}

} // namespace mailtight::app
