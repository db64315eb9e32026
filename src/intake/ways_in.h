// SPDX-License-Identifier: Apache-2.0
// The ways in of the daemon: each takes bytes from its peers and hands them to the keeper; each says yes only
// after the commit. They live on the loop's thread; keeper, book, clock and certificates outlive them, and
// after stop() the loop runs on until their tasks are done.
#pragma once

#include "intake/keeper.h"
#include "io/http_server.h"
#include "io/server.h"
#include "wire/smtp_server.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mailtight::intake {

/// What a way in tells `status` and the metrics.
struct way_status {
    std::string name, where; ///< "lmtp", "unix:/run/mailtight/lmtp.sock"
    bool running = false;
    std::uint64_t accepted = 0, refused = 0, open = 0;
    std::string last_error;
    base::utc_seconds last_error_at{}, last_success{};
};

// ---- SMTP and LMTP ----
struct smtp_intake_options {
    bool lmtp = true;
    io::listen_address at;
    wire::smtp_server_options protocol;
    const io::tls_server* tls = nullptr; ///< STARTTLS where given
    std::chrono::milliseconds command_time{300'000}, data_time{600'000};
    /// Of one source (IPv4 address, IPv6 /64). Unix sockets, exempt networks and, with LMTP, this machine's
    /// own mail server: no limit.
    std::uint64_t mails_per_minute = 600;
    std::vector<base::ip_network> no_limit;
    /// Mails that are still arriving, over all connections together; beyond it a sender is told to come
    /// again.
    std::size_t arriving_bytes = 128 * 1024 * 1024;
    io::listener_options listening;
};
class smtp_intake {
public:
    smtp_intake(io::loop& on, keeper& into, const address_book& book, const base::clock& clock,
                smtp_intake_options options);
    ~smtp_intake();
    std::expected<void, std::string> start();
    void stop(); ///< no new connections; idle ones end with 421, others after the mail under way
    way_status status() const;
    std::string address() const; ///< bound

private:
    struct state;
    std::shared_ptr<state> state_;
};

// ---- HTTPS ----
struct http_intake_options {
    std::vector<std::string> hosts; ///< of the site; empty: every host
    std::size_t body_bytes = 20 * 1024 * 1024;
    std::uint64_t posts_per_minute = 600; ///< of one source
};
/// The site `/tlsrpt/TOKEN`: POST; 201 after the commit, 200 for a duplicate, 404 for a foreign token, 405,
/// 413, 415, 422 for what is no report, 429 and 503 with Retry-After.
io::http_site report_site(io::loop& on, keeper& into, const address_book& book, const base::clock& clock,
                          http_intake_options options, std::shared_ptr<way_status> status);

// ---- folders ----
/// A mail without a report in it is left where it is, unread, for a person to see. The place reached in an
/// mbox is a fact of the store (`mbox:PATH`).
struct folder_intake_options {
    std::string maildir;                        ///< or
    std::string mbox;                           ///< one of the two
    std::chrono::milliseconds interval{30'000}; ///< also woken by inotify
    std::string after = "seen"; ///< maildir: "seen" (to cur/ with S), "delete", or ".Folder" to move to
    bool by_administrator = false;
};
class folder_intake {
public:
    folder_intake(io::loop& on, keeper& into, const base::clock& clock, folder_intake_options options);
    ~folder_intake();
    io::task<> run(); ///< until stop()
    void stop();
    way_status status() const;

private:
    struct state;
    std::shared_ptr<state> state_;
};

// ---- IMAP ----
struct imap_options {
    std::string url_host;
    std::uint16_t port = 993;
    bool start_tls = false; ///< else implicit TLS
    std::string ca_file;
    std::string user;
    std::string folder = "INBOX";
    std::string after = "mark"; ///< "mark" (\Seen), "delete", or a folder to move to
    std::chrono::seconds interval{300};
    /// One of these
    std::string password, password_file;
    std::string oauth_token_url, oauth_client_id, oauth_client_secret_file, oauth_refresh_token_file,
        oauth_scope;
    std::string service_account_file;    ///< Google Workspace: JSON key; `user` is impersonated
    std::string mechanism = "automatic"; ///< "xoauth2", "oauthbearer", "plain", "login"
    std::size_t mail_bytes = 25 * 1024 * 1024;
    /// Asked before each poll: of several machines one polls. May be empty.
    std::function<io::task<bool>()> our_turn;
};
class imap_intake {
public:
    imap_intake(io::loop& on, keeper& into, const base::clock& clock, io::resolver& dns,
                const io::tls_client& tls, imap_options options);
    ~imap_intake();
    io::task<> run();
    void stop();
    void poll_now();
    way_status status() const;

private:
    struct state;
    std::shared_ptr<state> state_;
};

/// Reads inputs from files for `report read` and `report import`: files, maildirs, mboxes, folders of these,
/// "-". Calls back with each input's name and bytes, one at a time; symbolic links that leave the folder are
/// not followed. False from the callback ends it.
/// A maildir inside gives its new/ and cur/ and its subfolders; elsewhere names that begin with a dot are
/// left out. Files of more than `input_bytes` are an error each; an mbox may be of any size.
struct input {
    std::string name; ///< path; `PATH#N` for the Nth message of an mbox; "-"
    std::string bytes;
    std::string error; ///< where it could not be read
    bool from_mbox = false;
    base::utc_seconds modified{};
};
inline constexpr std::size_t input_bytes = 100 * 1024 * 1024;
void read_inputs(const std::string& path, const std::function<bool(input)>& each);

} // namespace mailtight::intake
