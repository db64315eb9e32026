// SPDX-License-Identifier: Apache-2.0
// A mailbox over IMAP (RFC 9051, 3501), by libcurl. Calls block, so a session belongs to an io::worker; one
// connection is kept from call to call and opened anew when it broke. Answers are bounded: mail bytes by the
// caller's limit, lists by their count, whatever the server sends.
//
// What to read is known by UID, never by \Seen: fetching marks a mail as seen on most servers, and that must
// not hide a mail that was fetched and not yet stored.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

namespace mailtight::io {

struct imap_access {
    std::string host;
    std::uint16_t port = 993;
    bool start_tls = false; ///< STARTTLS, required; else TLS from the first byte. Never without.
    std::string ca_file;    ///< "" : the system's roots
    std::string user;
    std::string password;
    std::string bearer;                  ///< OAuth2 access token instead of the password
    std::string mechanism = "automatic"; ///< or "xoauth2", "oauthbearer", "plain", "login"
    std::chrono::seconds connect_time{30}, transfer_time{300};
};

struct imap_error {
    enum class kind {
        login,       ///< the server refused the name, password or token
        certificate, ///< its certificate is not to be trusted
        network,     ///< it cannot be reached, or the connection broke
        refused,     ///< it said NO or BAD to a command
        too_large,   ///< a mail beyond the limit
        gone,        ///< the mail is not there any more
    } what = kind::network;
    std::string message; ///< for a person
};
template<class T>
using imap_result = std::expected<T, imap_error>;

struct imap_status {
    std::uint64_t uid_validity = 0, uid_next = 0, messages = 0;
};
class imap_session {
public:
    static constexpr std::uint64_t list_span = 8'000;
    explicit imap_session(imap_access access);
    ~imap_session();
    /// A new token or password for the next connection.
    void set_access(imap_access access);
    imap_result<imap_status> status(const std::string& folder);
    /// The UIDs in [first, last] of mails not marked \Deleted, ascending. At most `list_span` UIDs a call.
    imap_result<std::vector<std::uint64_t>> list(const std::string& folder, std::uint64_t first,
                                                 std::uint64_t last);
    imap_result<std::string> fetch(const std::string& folder, std::uint64_t uid, std::size_t bytes_max);
    imap_result<void> mark_seen(const std::string& folder, const std::vector<std::uint64_t>& uids);
    /// By UID MOVE (RFC 6851), or COPY, \Deleted and UID EXPUNGE (RFC 4315) where the server has no MOVE. The
    /// target is made where it is missing.
    imap_result<void> move(const std::string& folder, const std::vector<std::uint64_t>& uids,
                           const std::string& target);
    /// \Deleted and UID EXPUNGE of exactly these.
    imap_result<void> remove(const std::string& folder, const std::vector<std::uint64_t>& uids);
    /// Makes calls that run, and later ones, end soon; from any thread.
    void abort();

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// `5:7,9` for a list of ascending UIDs.
std::string uid_set(const std::vector<std::uint64_t>& uids);

} // namespace mailtight::io
