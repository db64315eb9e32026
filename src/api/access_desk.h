// SPDX-License-Identifier: Apache-2.0
// What the routes of sessions, tokens, people and the audit log ask: logging in and out, and who may. Secrets
// come in, are looked at on threads of their own, and are kept as digests; a new one is given out once. Lives
// on the loop.
#pragma once

#include "api/access.h"
#include "store/access.h"

#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::api {

/// One of: a person's name and password, a token, the secret of a link.
struct credentials {
    std::string user, password, token, link;
};

/// Somebody is in.
struct logged_in {
    caller who;
    std::string cookie; ///< the field Set-Cookie
};

/// Which parts of the daemon are on, for the pages.
struct parts_on {
    bool domains = false, publish = false, reports = false, sending = false, collect = false, deliver = false;
    bool policy_host = false; ///< configured: what new domains are served by, unless somebody says otherwise
};

class access_desk {
public:
    virtual ~access_desk() = default;

    /// A session for who shows this; or the refusal: 401, 403 (another site's page, or plain HTTP over a
    /// network), 429, 503.
    virtual io::task<std::expected<logged_in, wire::http_reply>> log_in(credentials shown,
                                                                        const io::http_exchange& asked) = 0;
    /// Ends the session of the cookie. The field Set-Cookie that takes it away.
    virtual io::task<store::result<std::string>> log_out(const io::http_exchange& asked) = 0;

    virtual io::task<store::result<std::vector<store::access_token>>> tokens() = 0;
    /// Makes it; the secret, or nothing where the name is taken.
    virtual io::task<store::result<std::optional<std::string>>>
    add_token(store::granted to, std::optional<base::utc_seconds> expires_at) = 0;
    virtual io::task<store::result<bool>> remove_token(std::string name) = 0;

    virtual io::task<store::result<std::vector<store::access_user>>> users() = 0;
    /// New, or changed. Without a password the old one stays; nothing where there is none to stay.
    virtual io::task<store::result<std::optional<store::access_user>>>
    put_user(store::granted to, std::optional<std::string> password) = 0;
    virtual io::task<store::result<bool>> remove_user(std::string name) = 0;
    /// A link that logs in as this person, once: its secret; nothing where there is nobody of this name.
    virtual io::task<store::result<std::optional<std::string>>> make_link(std::string person,
                                                                          base::utc_seconds until) = 0;

    /// Names that tenants may add: in order, those after `after`; `owner`: theirs alone.
    virtual io::task<store::result<std::vector<store::allowed_name>>>
    allowed_names(std::optional<std::string> owner, store::allowed_name after, std::size_t limit) = 0;
    /// How many of them are new, or were there.
    virtual io::task<store::result<std::size_t>> allow_names(std::string owner,
                                                             std::vector<std::string> names) = 0;
    virtual io::task<store::result<std::size_t>> disallow_names(std::string owner,
                                                                std::vector<std::string> names) = 0;

    /// The newest first, those below `before` where that is not 0; what was just done is among them.
    virtual io::task<store::result<std::vector<store::audit_entry>>> audit(std::int64_t before,
                                                                           std::size_t limit) = 0;

    virtual base::utc_seconds now() const = 0; ///< the clock of days and waits
    virtual parts_on parts() const = 0;
};

} // namespace mailtight::api
