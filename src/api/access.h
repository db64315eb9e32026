// SPDX-License-Identifier: Apache-2.0
// Who asks, and what they may do. The gate stands before every route: it turns a request into a caller or a
// refusal, without the store where memory knows the answer. Lives on the loop.
//
// Ways in: `Authorization: Bearer TOKEN` (programs); a session's cookie (browsers), whose changes need the
// field X-CSRF-Token and a Sec-Fetch-Site of our own; a proxy's field with the name, from trusted proxies
// alone; the control socket, where the kernel says who it is.
#pragma once

#include "base/time.h"
#include "io/http_server.h"
#include "wire/http_request.h"

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::api {

/// Each may do what those before it may.
enum class role { viewer, operates, administrator };
std::string_view to_string(role r); ///< "viewer", "operator", "administrator"
std::optional<role> parse_role(std::string_view word);

struct caller {
    std::string name; ///< "token backup", "user ann", "root (uid 0)": for the audit log and what remembers it
    api::role role = role::viewer;
    std::optional<std::string> tenant;                ///< the owner whose domains they see; nothing: all
    std::string csrf;                                 ///< of the session; "" : no cookie is in play
    std::optional<base::utc_seconds> expires_at = {}; ///< of the session or the token
    /// Whether a domain of this owner is theirs to see.
    bool sees(std::string_view owner) const { return !tenant || *tenant == owner; }
};

/// Asked before the body is read, and for every request.
class gate {
public:
    virtual ~gate() = default;
    /// Asked when the head is there: a refusal that needs no look at the store, before a body is read.
    /// `open`: the route answers who shows no credential.
    virtual std::optional<wire::http_reply> at_the_door(const io::http_exchange& asked, bool open) {
        static_cast<void>(asked), static_cast<void>(open);
        return {};
    }
    /// The caller, or the refusal (401, 403, 429, 503), a problem document. `changes`: the route changes
    /// something, so that a browser must show that the page is ours.
    virtual io::task<std::expected<caller, wire::http_reply>> enter(const io::http_exchange& asked,
                                                                    bool changes) = 0;
    /// Told every request that changed something or was refused, for the audit log. `subject`: what it is
    /// about, where its path does not say so.
    virtual void noted(const caller* who, const io::http_exchange& asked, int status,
                       std::string_view subject) = 0;
};

} // namespace mailtight::api
