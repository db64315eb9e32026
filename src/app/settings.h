// SPDX-License-Identifier: Apache-2.0
// The configuration, declared once: a table of keys from which the parser, the example file, the man page and
// the documentation come, so that none of them can drift. The defaults are those of the struct. The command
// line's options of the same meaning win over the file.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mailtight::app {

struct settings {
    // [dns]
    std::vector<std::string> dns_servers;
    std::string dns_mode = "automatic";
    std::string dns_trust_anchor;
    std::string dns_root_hints;
    std::chrono::milliseconds dns_timeout{5000};
    std::uint16_t dns_port = 53;
    // [network]
    std::vector<std::string> allow_net;
    std::string ca_file;
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds smtp_timeout{30'000};
    std::chrono::milliseconds https_timeout{60'000};
    std::uint16_t smtp_port = 25;
    std::uint16_t https_port = 443;
    std::string ehlo_name;
    // [check]
    std::string smtp_control = "gmail-smtp-in.l.google.com";
    std::string state_directory;
    // [scan]
    std::uint64_t scan_in_flight = 0;
    std::uint64_t smtp_connections = 200;
    std::uint64_t connections_per_host = 2;
    // [doctor]
    std::string signed_name = "org";
    std::string forged_name = "dnssec-failed.org";

    // [store]
    std::string store_where; ///< "" : where store_place() says
    std::uint64_t keep_bodies = 90;
    std::uint64_t keep_details = 730;
    // [reports]
    std::vector<std::string> domains;
    std::string domains_file;
    std::vector<std::string> mailboxes;
    std::string report_url;
    bool count_unverified = false;
    bool strict_dkim_service = false;
    std::vector<std::string> trusted_authservers;
    std::string dkim_keys_file;
    // [resolve]
    std::vector<std::string> socketmap_listen, tcp_table_listen, lines_listen, policy_http_listen;
    std::string mta_dane = "auto", on_dns_error = "no-policy";
    std::chrono::milliseconds answer_budget{5'000};
    bool half_dane = false;
    std::uint64_t cache_domains = 1'000'000, cache_memory = 1'024;
    std::vector<std::string> prefetch;
    std::string prefetch_file;
    std::vector<std::string> map_names;
    std::string tcp_table_dialect = "postfix";
    bool require_text_plain = true, probe_testing = true;
    std::uint64_t policy_fetches = 50, policy_refreshes = 50;
    std::string machine_name;
    // [collect]
    std::vector<std::string> datagram_listen;
    std::string datagram_permissions = "0622";
    std::vector<std::string> postfix_log;
    std::vector<std::string> ignored_programs = {"mailtight-report"};
    std::vector<std::string> result_lines_listen;
    std::uint64_t keep_results = 14, faults_per_policy = 1'000;
    // [deliver]
    std::string reporter_organization, reporter_contact;
    std::string dkim_folder, dkim_selector = "tlsrpt";
    bool require_dkim = true;
    std::string deliver_to = "all";
    bool deliver_mail = true, deliver_https = true, ignore_certificate = true;
    bool success_only = true, tlsa_base = true, sending_address = true, report_to_self = true;
    std::uint64_t minimum_sessions = 1;
    std::vector<std::string> own_domains;
    std::chrono::milliseconds report_spread{14'400'000};
    std::uint64_t per_address = 100, per_host = 1'000, per_day = 200'000, deliveries_at_once = 20;
    std::string report_copy_to, dry_run;
    // [publish]
    std::vector<std::string> publish_listen, publish_plain_listen, publish_http_listen, ask_listen;
    std::string carry_out = "automatic", leave_to_us = "records";
    std::string policy_host_name;
    std::vector<std::string> policy_host_addresses, publish_rua;
    std::string sealing_key_file; ///< "" : where sealing_key_place() says
    // [certificates]
    std::string acme_directory = "https://acme-v02.api.letsencrypt.org/directory";
    std::vector<std::string> acme_contact;
    bool acme_agree = false;
    std::string acme_profile;
    std::vector<std::string> acme_challenges = {"tls-alpn-01", "http-01"};
    std::string acme_eab_id, acme_eab_key_file, acme_ca_file, certificate_folder;
    std::uint64_t acme_per_hour = 80;
    // [dns-update]
    std::vector<std::string> update_servers, dns_hook;
    std::string dns_hook_convention = "own";
    std::chrono::milliseconds dns_hook_timeout{120'000};
    // [watch]
    bool watch_domains = true;
    std::chrono::milliseconds watch_full{86'400'000}, watch_cheap{3'600'000};
    std::vector<std::string> sub_domains, zone_transfer;
    std::uint64_t keep_watched = 730;
    // [serve]
    std::string user, group;
    std::string control_socket; ///< "" : where control_place() says
    std::vector<std::string> tls_certificates;
    // [lmtp] [smtp]
    std::vector<std::string> lmtp_listen, smtp_listen;
    std::string smtp_hostname;
    bool smtp_require_tls = false;
    // [https]
    std::vector<std::string> https_listen, plain_listen;
    std::vector<std::string> trusted_proxies;
    std::vector<std::string> https_hosts;
    // [web]
    std::vector<std::string> web_listen = {"127.0.0.1:8460"};
    std::vector<std::string> web_hosts, web_certificates, web_proxies, web_http_listen;
    bool web_acme = false;
    std::string web_proxy_field, web_proxy_role;
    bool web_read_only = false;
    std::uint64_t web_session_hours = 12, web_audit_days = 365;
    // [maildir] [mbox]
    std::string maildir_path, maildir_after = "seen", mbox_path;
    // [imap]
    std::string imap_host;
    std::uint16_t imap_port = 993;
    bool imap_start_tls = false;
    std::string imap_ca_file, imap_user, imap_folder = "INBOX", imap_after = "mark";
    std::chrono::milliseconds imap_interval{300'000};
    std::string imap_password, imap_password_file;
    std::string imap_oauth_token_url, imap_oauth_client_id, imap_oauth_client_secret_file,
        imap_oauth_refresh_token_file, imap_oauth_scope;
    std::string imap_service_account_file, imap_mechanism = "automatic";
    // [mail]
    std::string mail_route = "smart-host", mail_host = "127.0.0.1";
    std::uint16_t mail_port = 25;
    std::string mail_user, mail_password_file, mail_from;
    std::vector<std::string> mail_command = {"/usr/sbin/sendmail", "-i", "-f", "%sender"};
    // [alarms]
    std::vector<std::string> alarm_mail;
    std::string webhook, webhook_secret_file;
    std::uint64_t alarm_share = 10, silent_days = 7, reminder_days = 7;
    std::string digest = "monday";
    // [metrics]
    std::string metrics_listen;
    // [log]
    std::string log_level = "info", log_format = "text";
};

/// One key of the configuration file: its place in the struct says what it takes, and its default.
struct setting_key {
    std::string_view section, name;
    std::variant<std::string settings::*,               // a text
                 std::vector<std::string> settings::*,  // a list of texts
                 std::uint64_t settings::*,             // a number
                 std::uint16_t settings::*,             // a port
                 std::chrono::milliseconds settings::*, // a duration
                 bool settings::*>
        field;
    std::string_view comment;                  ///< what it is for, one or more sentences
    std::vector<std::string_view> one_of = {}; ///< of a text: the words it may be; empty: any
    /// The default as the example file shows it.
    std::string fallback() const;
};
std::span<const setting_key> setting_keys();
/// Whether only a new process takes it in: what is bound, the store, who we are, the resolver. All else takes
/// effect on reload.
bool needs_restart(const setting_key& key);
/// Whether any listener of [resolve] is configured.
bool serves_policies(const settings& of);
/// Whether [collect] names a source of results.
bool collects_results(const settings& of);
/// Whether [deliver] says who reports.
bool sends_reports(const settings& of);

/// Whether a listener of [publish] is configured: this machine serves policies.
bool hosts_policies(const settings& of);
/// Whether this machine carries out plans, gets certificates and watches (publish.carry-out).
bool carries_out(const settings& of);

/// Reads a TOML text into the settings. A `_` in a key is the same as a `-`. The error names the file, the
/// line and, for an unknown key, the nearest known one.
std::expected<settings, std::string> parse_settings(std::string_view toml, const std::string& file_name);
/// The configuration file: the named one, else /etc/mailtight/mailtight.toml where it exists, else the
/// defaults.
std::expected<settings, std::string> load_settings(const std::string& named);
/// Every key with its default and its comment, ready to be edited.
std::string example_settings();

/// `5`, `5s`, `1500ms`, `2m`, `1h`: a bare number is seconds. Nothing on anything else, or beyond a day.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

} // namespace mailtight::app
