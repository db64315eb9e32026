// SPDX-License-Identifier: Apache-2.0
// OAuth2 for mailboxes, the bytes of it: the token request for each kind of grant, and what the answer means.
// Pure; the caller sends the request.
#pragma once

#include "base/time.h"

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::intake {

/// How a token is had.
struct oauth_grant {
    enum class kind {
        refresh_token,      ///< RFC 6749 §6: a person agreed once
        client_credentials, ///< RFC 6749 §4.4: Microsoft 365
        service_account,    ///< RFC 7523: Google Workspace, acting for a user
    } how = kind::refresh_token;
    std::string token_url, client_id, client_secret, refresh_token, scope;
    // service account
    std::string issuer, private_key_pem, subject;
};

/// A Google service account's JSON key: client_email, private_key, token_uri. The error is for a person and
/// holds nothing of the key.
std::expected<oauth_grant, std::string> read_service_account(std::string_view json, std::string_view user,
                                                             std::string_view scope);

/// The body of the POST, application/x-www-form-urlencoded. The error: the key cannot sign.
std::expected<std::string, std::string> token_request(const oauth_grant& grant, base::utc_seconds now);

struct oauth_token {
    std::string access_token;
    std::string refresh_token; ///< a new one in place of the old; "" : the old goes on
    base::utc_seconds expires_at{};
};
struct oauth_error {
    bool revoked = false; ///< asking again will not help: a person has to act
    std::string message;
};
/// RFC 6749 §5.1, §5.2. `status` 0: no answer.
std::expected<oauth_token, oauth_error> read_token(int status, std::string_view body, base::utc_seconds now);

} // namespace mailtight::intake
