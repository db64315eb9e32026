// SPDX-License-Identifier: Apache-2.0
// Who may ask the API and the pages: tokens, people with passwords, sessions, links that log in once, and the
// audit log; and which names a tenant may add. Secrets are kept as digests (tokens, sessions, links: SHA-256
// of 256 random bits; passwords: argon2id as text), never as they are. Both engines; threads and errors as in
// store/store.h. What is written is durable when the call returns, but for the times of last use.
#pragma once

#include "store/store.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::store {

/// Names of tokens and people are short (1 to 64 of A-Z a-z 0-9 . _ @ + -, the first a letter or digit).
bool is_access_name(std::string_view text);

/// What an access may do. `tenant`: sees and changes the domains of this owner alone; nothing: all.
struct granted {
    std::string name; ///< of the token or the person
    std::string role; ///< "viewer", "operator", "administrator"
    std::optional<std::string> tenant;
    friend bool operator==(const granted&, const granted&) = default;
};
struct access_token {
    granted to;
    std::string digest;
    base::utc_seconds made_at{};
    std::optional<base::utc_seconds> used_at, expires_at;
};
struct access_user {
    granted to;
    std::string password; ///< argon2id, encoded
    base::utc_seconds made_at{};
    std::optional<base::utc_seconds> last_login;
};
/// Of a browser. `from` says what it came from ("token NAME", "user NAME", "link"), so that taking that away
/// ends it.
struct access_session {
    std::string digest, from, csrf;
    granted to;
    base::utc_seconds made_at{}, used_at{}, expires_at{};
    /// What was shown to get it: the token's digest, or the person's password as it was kept. Not kept here.
    std::string proof = {};
};
struct used_link {
    granted to; ///< of a person: as they are now
    std::optional<access_user> person = {};
};
/// A name that the owner may add: "example.com", or "*.example.com" for every name below it.
struct allowed_name {
    std::string owner, name;
    base::utc_seconds at{};
    friend bool operator==(const allowed_name&, const allowed_name&) = default;
};
/// How a name was allowed.
enum class name_right { none, below /* by "*.example.com" */, itself };
struct audit_entry {
    std::int64_t number = 0;
    base::utc_seconds at{};
    std::string who, from, what, subject;
    int status = 0;
};

class access_store {
public:
    virtual ~access_store() = default;
    /// False where the name is taken.
    virtual result<bool> add_token(const access_token& value) = 0;
    virtual result<std::optional<access_token>> token(std::string_view digest) = 0;
    virtual result<std::vector<access_token>> tokens() = 0;
    /// With the sessions that came from it. False: there is none.
    virtual result<bool> remove_token(std::string_view name) = 0;
    /// New, or changed: their sessions end. Who is there keeps when they were made and last logged in, and,
    /// where `value` has none, their password. The person as they are now; nothing where there is nobody and
    /// no password either. One statement: of two changes at once neither undoes the other's password.
    virtual result<std::optional<access_user>> put_user(const access_user& value) = 0;
    /// False where somebody of this name is there already; they stay as they are.
    virtual result<bool> add_user(const access_user& value) = 0;
    /// Of who is there: their role and owner stay as they are just then, their sessions end. The person as
    /// they are now; nothing where there is nobody.
    virtual result<std::optional<access_user>> set_password(std::string_view name,
                                                            std::string_view encoded) = 0;
    virtual result<std::optional<access_user>> user(std::string_view name) = 0;
    virtual result<std::vector<access_user>> users() = 0;
    virtual result<bool> remove_user(std::string_view name) = 0;
    /// False, and nothing is kept, where what it came from is no longer what it was when the proof was
    /// looked at: taken away, another password, another role. A login never outruns the one who ends it.
    virtual result<bool> add_session(const access_session& value) = 0;
    virtual result<std::optional<access_session>> session(std::string_view digest) = 0;
    virtual result<void> end_session(std::string_view digest) = 0;
    /// All that came from this; "" : all there are. How many.
    virtual result<std::uint64_t> end_sessions(std::string_view from) = 0;
    virtual result<std::uint64_t> sessions(base::utc_seconds now) = 0; ///< how many hold
    /// When tokens, users and sessions were last used, now and then.
    virtual result<void> used(std::string_view kind, std::string_view key, base::utc_seconds at) = 0;
    /// A link that logs in once, until it ends.
    virtual result<void> add_link(std::string_view digest, const granted& to, base::utc_seconds until) = 0;
    /// The same for a person, as whom it logs in: it goes with them, and with their next change. False: there
    /// is nobody of this name.
    virtual result<bool> add_link_of(std::string_view digest, std::string_view person,
                                     base::utc_seconds until) = 0;
    /// Takes it away, and says what it gives: of two that ask at once only one is answered.
    virtual result<std::optional<used_link>> use_link(std::string_view digest, base::utc_seconds now) = 0;
    virtual result<void> log_audit(const audit_entry& entry) = 0;
    virtual result<void> log_audit_all(std::span<const audit_entry> entries) = 0; ///< in one transaction
    /// The newest first, those below `before` where that is not 0.
    virtual result<std::vector<audit_entry>> audit(std::int64_t before, std::size_t limit) = 0;
    /// The key of this name that all machines share; `fresh` becomes it where there is none yet.
    virtual result<std::string> shared_key(std::string_view name, std::string_view fresh) = 0;
    /// What owners may add; how many of the names are new. Canonical names, as mail::canonical_name gives.
    virtual result<std::size_t> allow_names(std::string_view owner, std::span<const std::string> names,
                                            base::utc_seconds now) = 0;
    virtual result<std::size_t> disallow_names(std::string_view owner,
                                               std::span<const std::string> names) = 0;
    /// In order of owner and name, those after `after`; `owner`: theirs alone.
    virtual result<std::vector<allowed_name>> allowed_names(const std::optional<std::string>& owner,
                                                            const allowed_name& after, std::size_t limit) = 0;
    /// What the owner may do with a domain by the names that they were allowed.
    virtual result<name_right> right_to(std::string_view owner, std::string_view domain) = 0;
    /// Drops sessions and links that ended, and audit entries before `audit_before`; true while more is left.
    virtual result<bool> expire_access(base::utc_seconds now, base::utc_seconds audit_before) = 0;
};
/// Opens, and brings this part of the schema up to date.
result<std::unique_ptr<access_store>> open_access(const open_options& options);

} // namespace mailtight::store
