// SPDX-License-Identifier: Apache-2.0
#include "app/settings_keys.h"

namespace mailtight::app {

namespace {

std::vector<setting_key> collect_keys() {
    return {
        {"collect", "datagram-listen", &settings::datagram_listen,
         "Unix sockets at which Postfix 3.10 and later tells the result of each session (libtlsrpt): "
         "\"/var/spool/postfix/mailtight/tlsrpt.sock\", below its queue directory. mailtight doctor prints "
         "the lines for Postfix. Empty: off."},
        {"collect", "datagram-permissions", &settings::datagram_permissions,
         "Permissions of these sockets, in octal: who may write may send results."},
        {"collect", "postfix-log", &settings::postfix_log,
         "The log of a Postfix that cannot tell its results otherwise (3.4 to 3.9, with smtp_tls_loglevel = "
         "1): \"file:/var/log/mail.log\", \"journal\", or \"syslog:/path/of/a/socket\", to which your log "
         "daemon writes what Postfix says. Empty: off."},
        {"collect", "ignore-programs", &settings::ignored_programs,
         "Words in a program's name in that log whose sessions do not count: the transport that carries our "
         "reports, so that reports do not cause reports."},
        {"collect", "lines-listen", &settings::result_lines_listen,
         "Where every other mail server tells results, one JSON object a line: "
         "\"unix:/run/mailtight/results.sock,mode=0666\" or \"127.0.0.1:8646\". The same is taken over HTTP "
         "at resolve.http-listen. Empty: off."},
        {"collect", "keep-days", &settings::keep_results,
         "Days for which counted results and the reports made of them are kept."},
        {"collect", "faults-per-policy", &settings::faults_per_policy,
         "Different failures that are told apart for one policy on one day; more are added up without "
         "their addresses."},
    };
}

std::vector<setting_key> deliver_keys() {
    return {
        {"deliver", "contact", &settings::reporter_contact,
         "Who reports: an address that reaches you, such as \"tls-reports@example.com\". Reports are sent in "
         "its name and signed for its domain. Empty: no reports are sent."},
        {"deliver", "organization", &settings::reporter_organization,
         "The name of your organisation in the reports. Empty: the domain of the contact."},
        {"deliver", "dkim-folder", &settings::dkim_folder,
         "The folder with the DKIM keys; mailtight report keys make fills it. Empty: dkim beside the "
         "database."},
        {"deliver", "dkim-selector", &settings::dkim_selector, "What the selectors of new keys begin with."},
        {"deliver", "require-dkim", &settings::require_dkim,
         "Send no report by mail while there is no key: receivers must refuse it (RFC 8460 section 3). Set "
         "this to false where your mail server signs."},
        {"deliver",
         "to",
         &settings::deliver_to,
         "Where a record names several addresses: \"all\" of them, or the \"first\" that works.",
         {"all", "first"}},
        {"deliver", "mail", &settings::deliver_mail, "Deliver to mailto addresses, by [mail]."},
        {"deliver", "https", &settings::deliver_https, "Deliver to https addresses."},
        {"deliver", "ignore-certificate", &settings::ignore_certificate,
         "Post a report again without judging the certificate where that was what failed: the report may be "
         "about it (RFC 8460 section 3). It is noted."},
        {"deliver", "success-only", &settings::success_only,
         "Report days without a failure too: their silence would look like a fault."},
        {"deliver", "tlsa-base", &settings::tlsa_base,
         "Report DANE results also to the domain of the mail servers, where its own record asks for it."},
        {"deliver", "sending-address", &settings::sending_address,
         "Tell which address of ours a failed session came from."},
        {"deliver", "minimum-sessions", &settings::minimum_sessions,
         "A day with fewer sessions to a domain is not reported: a report tells that somebody here wrote to "
         "somebody there."},
        {"deliver", "own-domains", &settings::own_domains,
         "Domains of this installation, for report-to-self."},
        {"deliver", "report-to-self", &settings::report_to_self, "Report to own-domains too."},
        {"deliver", "spread", &settings::report_spread,
         "Reports go out over so long a time after midnight UTC; 4h is what RFC 8460 asks for."},
        {"deliver", "per-address", &settings::per_address,
         "Deliveries to one address a day at most: a record may name somebody who never asked."},
        {"deliver", "per-host", &settings::per_host, "Deliveries to one mail domain or https host a day."},
        {"deliver", "per-day", &settings::per_day, "Deliveries a day in all."},
        {"deliver", "at-once", &settings::deliveries_at_once, "Deliveries under way at the same time."},
        {"deliver", "copy-to", &settings::report_copy_to,
         "An address of yours that gets each report too. Empty: none."},
        {"deliver", "dry-run", &settings::dry_run,
         "A folder that reports are written to in place of being sent. Empty: they are sent."},
    };
}

} // namespace

std::vector<setting_key> result_keys() {
    auto all = collect_keys();
    for (auto& key : deliver_keys())
        all.push_back(std::move(key));
    return all;
}

} // namespace mailtight::app
