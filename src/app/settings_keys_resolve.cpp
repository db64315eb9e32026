// SPDX-License-Identifier: Apache-2.0
#include "app/settings_keys.h"

namespace mailtight::app {

std::vector<setting_key> resolve_keys() {
    return {
        {"resolve", "socketmap-listen", &settings::socketmap_listen,
         "Where Postfix and Sendmail ask for the TLS policy of a destination: \"127.0.0.1:8642\", "
         "\"unix:/var/spool/postfix/mailtight/policy.sock,mode=0666\" (below Postfix's queue directory, "
         "since "
         "its client is chrooted). mailtight doctor prints the lines for your mail server. Empty: off."},
        {"resolve", "tcp-table-listen", &settings::tcp_table_listen,
         "The same as Postfix's tcp_table(5): \"127.0.0.1:8643\". Empty: off."},
        {"resolve", "lines-listen", &settings::lines_listen,
         "The same as one line a question, for Exim and scripts: \"unix:/run/mailtight/lines.sock\". Empty: "
         "off."},
        {"resolve", "http-listen", &settings::policy_http_listen,
         "The same over HTTP, GET /api/v1/policy/DOMAIN: \"127.0.0.1:8644\". Reads only, but for results of "
         "deliveries that this machine tells ([collect]); what changes something answers on the control "
         "socket alone. Empty: off."},
        {"resolve",
         "mta-dane",
         &settings::mta_dane,
         "Whether the mail server does validated DANE look-ups of its own, so that it can be told to. "
         "\"auto\": where Postfix on this host has smtp_dns_support_level = dnssec.",
         {"auto", "yes", "no"}},
        {"resolve",
         "on-dns-error",
         &settings::on_dns_error,
         "What is said where _mta-sts cannot be looked up and nothing is cached: \"no-policy\", and mail "
         "goes out as it would without MTA-STS, or \"defer\".",
         {"no-policy", "defer"}},
        {"resolve", "budget", &settings::answer_budget,
         "The longest that an answer takes. What is not known by then goes on in the background."},
        {"resolve", "half-dane", &settings::half_dane,
         "Use TLSA records of a signed mail server also where the domain's own zone is not signed. A policy "
         "in enforce comes before them there, since unsigned MX records can be forged."},
        {"resolve", "cache-domains", &settings::cache_domains,
         "So many destinations are remembered at most, those without a policy included."},
        {"resolve", "cache-memory", &settings::cache_memory, "Memory for them at most, in MB."},
        {"resolve", "prefetch", &settings::prefetch,
         "Domains whose policies are held ready before anybody asks: \"example.com\"."},
        {"resolve", "prefetch-file", &settings::prefetch_file,
         "More of them in a file: one domain a line, # begins a comment. Read again on reload."},
        {"resolve", "map-names", &settings::map_names,
         "Further socketmap names and the dialect that each means, so that mail servers need not be changed "
         "at once: \"default=postfix\". Built in: postfix, postfix-legacy, postfix-3.10, sts, QUERY, "
         "QUERYwithTLSRPT."},
        {"resolve",
         "tcp-table-dialect",
         &settings::tcp_table_dialect,
         "The dialect of tcp-table-listen.",
         {"postfix", "postfix-legacy", "postfix-3.10"}},
        {"resolve", "require-text-plain", &settings::require_text_plain,
         "Take a policy only where its host calls it text/plain."},
        {"resolve", "probe-testing", &settings::probe_testing,
         "Try the mail servers of destinations whose policy is in testing, about once an hour while mail "
         "goes there, so that reports can say what enforce would have done."},
        {"resolve", "fetches", &settings::policy_fetches, "Policies fetched at once."},
        {"resolve", "refreshes-per-second", &settings::policy_refreshes,
         "Policies refreshed in a second in the background, at most."},
        {"resolve", "machine-name", &settings::machine_name,
         "This machine's name among those that share a database. Empty: the host's name."},
    };
}

} // namespace mailtight::app
