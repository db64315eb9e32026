// SPDX-License-Identifier: Apache-2.0
#include "app/settings_keys.h"

namespace mailtight::app {

std::vector<setting_key> report_keys() {
    return {
        {"store", "where", &settings::store_where,
         "The database: a file (SQLite), or \"postgresql://…\" for several machines. Empty: "
         "/var/lib/mailtight/mailtight.db for the daemon and root, else mailtight.db in "
         "$XDG_STATE_HOME/mailtight or ~/.local/state/mailtight."},
        {"store", "keep-bodies", &settings::keep_bodies,
         "Days for which the reports' own text is kept. 0: for ever."},
        {"store", "keep-details", &settings::keep_details,
         "Days for which each report and its failures are kept; the totals of each day stay. 0: for ever."},

        {"reports", "domains", &settings::domains,
         "The domains that reports are received for. Reports about others are kept apart and not counted; a "
         "report never makes a domain known."},
        {"reports", "domains-file", &settings::domains_file,
         "A file with more of them, one a line; # begins a comment. Read again on reload."},
        {"reports", "mailboxes", &settings::mailboxes,
         "Addresses that take reports, such as \"tls-report@reports.example.com\". Each is accepted with "
         "+TOKEN too, a secret per domain that mailtight report address shows."},
        {"reports", "url", &settings::report_url,
         "Where senders reach the HTTPS site from outside, such as \"https://reports.example.com\". Empty: "
         "no https address is offered by mailtight report address."},
        {"reports", "count-unverified", &settings::count_unverified,
         "Count also reports whose DKIM signature could not be judged: the key is gone, or the signature is "
         "past its end. For back-fills; a forger can write them."},
        {"reports", "strict-dkim-service", &settings::strict_dkim_service,
         "Refuse DKIM keys that are for e-mail alone (s=email without tlsrpt), as RFC 8460 section 3 may be "
         "read. Most senders have no other."},
        {"reports", "trusted-authservers", &settings::trusted_authservers,
         "Mail servers of your own whose Authentication-Results are believed, where the signature itself no "
         "longer can be judged (a gateway added a banner)."},
        {"reports", "dkim-keys-file", &settings::dkim_keys_file,
         "DKIM keys, \"NAME TXT-VALUE\" a line, in place of DNS: for tests and back-fills."},

        {"lmtp", "listen", &settings::lmtp_listen,
         "Where your mail server hands reports over: \"unix:/run/mailtight/lmtp.sock\" (add \",mode=0666\" "
         "where the mail server is not in our group) or \"127.0.0.1:2424\". Empty: off."},
        {"smtp", "listen", &settings::smtp_listen,
         "Where senders deliver reports directly, as the MX of a report address: \"0.0.0.0:25\", "
         "\"[::]:25\". Empty: off."},
        {"smtp", "hostname", &settings::smtp_hostname,
         "Our name in the greeting, the one in the MX record. Empty: this host's name."},
        {"smtp", "require-tls", &settings::smtp_require_tls,
         "Accept mail only after STARTTLS. Careful: a sender whose TLS fails cannot tell you so then."},

        {"https", "listen", &settings::https_listen,
         "Where the report site /tlsrpt/TOKEN is served over TLS: \"0.0.0.0:443\", \"[::]:443\". Empty: "
         "off."},
        {"https", "plain-listen", &settings::plain_listen,
         "The same without TLS, behind a proxy of your own: \"127.0.0.1:8080\". Empty: off."},
        {"https", "trusted-proxies", &settings::trusted_proxies,
         "Networks whose X-Forwarded-For is believed: \"127.0.0.0/8\"."},
        {"https", "hosts", &settings::https_hosts,
         "Names of the report site. Empty: whatever name the request gives."},

        {"maildir", "path", &settings::maildir_path, "A maildir to watch for reports. Empty: off."},
        {"maildir", "after", &settings::maildir_after,
         "What becomes of a mail once its report is stored: \"seen\" (moved to cur/ and marked), \"delete\", "
         "or a folder such as \".Reports\" to move it to."},
        {"mbox", "path", &settings::mbox_path,
         "An mbox file to watch for reports; it is only read. Empty: off."},

        {"imap", "host", &settings::imap_host, "The IMAP server of a mailbox to poll. Empty: off."},
        {"imap", "port", &settings::imap_port, "993 is implicit TLS; 143 goes with start-tls."},
        {"imap", "start-tls", &settings::imap_start_tls,
         "STARTTLS instead of implicit TLS. There is no way without TLS."},
        {"imap", "ca-file", &settings::imap_ca_file,
         "Trusted roots for this server. Empty: those of network.ca-file, or the system's."},
        {"imap", "user", &settings::imap_user, "The name to log in with."},
        {"imap", "folder", &settings::imap_folder, "The folder that is polled."},
        {"imap", "after", &settings::imap_after,
         "What becomes of a mail once its report is stored: \"mark\" (as seen), \"delete\", or the name of a "
         "folder to move it to."},
        {"imap", "interval", &settings::imap_interval, "Between two polls."},
        {"imap", "password", &settings::imap_password, "The password; better in a file."},
        {"imap", "password-file", &settings::imap_password_file, "A file with the password or app password."},
        {"imap", "oauth-token-url", &settings::imap_oauth_token_url,
         "OAuth2: where access tokens come from."},
        {"imap", "oauth-client-id", &settings::imap_oauth_client_id, "OAuth2: the client."},
        {"imap", "oauth-client-secret-file", &settings::imap_oauth_client_secret_file,
         "OAuth2: a file with the client's secret."},
        {"imap", "oauth-refresh-token-file", &settings::imap_oauth_refresh_token_file,
         "OAuth2: a file with the refresh token. Empty: the client's own credentials are used (Microsoft "
         "365)."},
        {"imap", "oauth-scope", &settings::imap_oauth_scope,
         "OAuth2: the scope asked for; https://outlook.office365.com/.default at Microsoft."},
        {"imap", "service-account-file", &settings::imap_service_account_file,
         "Google Workspace: the JSON key of a service account that may act for the user above."},
        {"imap",
         "mechanism",
         &settings::imap_mechanism,
         "How to log in.",
         {"automatic", "xoauth2", "oauthbearer", "plain", "login"}},
    };
}

} // namespace mailtight::app
