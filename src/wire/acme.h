// SPDX-License-Identifier: Apache-2.0
// ACME (RFC 8555, 8737, 9773) as bytes: signed requests are built, replies are read. Pure: keys and nonces
// are arguments, nothing is sent. Reading takes any bytes, with a limit on each list and text.
#pragma once

#include "base/crypto/issuing.h"
#include "base/time.h"

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::wire {

struct acme_directory {
    std::string new_nonce, new_account, new_order, revoke, key_change,
        renewal_info; ///< URLs; "" : not offered
    bool account_binding_required = false;
    std::vector<std::pair<std::string, std::string>> profiles; ///< name and description
    std::string terms;
    std::vector<std::string> caa_identities; ///< domains that it takes for its own in CAA records
};
struct acme_account {
    std::string status;
    std::string orders; ///< URL of its list of orders; "" : not offered
};
struct acme_problem {
    std::string type;   ///< without "urn:ietf:params:acme:error:" where it begins so: "badNonce"
    std::string detail; ///< printable
    int status = 0;
    std::vector<std::pair<std::string, std::string>> by_name; ///< subproblems: identifier, detail
};
struct acme_challenge {
    std::string type, url, token, status;
    std::optional<acme_problem> error;
};
struct acme_authorization {
    std::string name, status;
    bool wildcard = false;
    base::utc_seconds expires{};
    std::vector<acme_challenge> challenges;
};
struct acme_order {
    std::string status, finalize, certificate;
    std::vector<std::string> names;
    std::vector<std::string> authorizations;
    base::utc_seconds expires{};
    std::optional<acme_problem> error;
};
struct acme_window {
    base::utc_seconds from{}, to{};
    std::string explanation_url;
};

std::expected<acme_directory, std::string> read_acme_directory(std::string_view json);
std::expected<acme_account, std::string> read_acme_account(std::string_view json);
/// URLs of an account's orders (RFC 8555 §7.1.2.1); at most some hundreds of the first page.
std::expected<std::vector<std::string>, std::string> read_acme_orders(std::string_view json);
std::expected<acme_order, std::string> read_acme_order(std::string_view json);
std::expected<acme_authorization, std::string> read_acme_authorization(std::string_view json);
std::expected<acme_window, std::string> read_acme_window(std::string_view json);
/// Of a problem document (RFC 9457); something of every body.
acme_problem read_acme_problem(int status, std::string_view body);

/// base64url(SHA-256 of the JWK), members in the order of RFC 7638.
std::string jwk_thumbprint(const base::ec_key& key);
std::string jwk(const base::ec_key& key);
/// token "." thumbprint (RFC 8555 §8.1).
std::string key_authorization(std::string_view token, const base::ec_key& account);

/// A flattened JWS: protected header with alg, nonce, url and either kid or jwk. payload "" : POST-as-GET.
std::string acme_request(const base::ec_key& key, std::string_view account_url, std::string_view nonce,
                         std::string_view url, std::string_view payload);
/// newAccount's payload; with an external account binding where `eab` is given (RFC 8555 §7.3.4).
struct external_account {
    std::string id, hmac_key; ///< raw bytes
};
std::string new_account_payload(const base::ec_key& key, std::string_view url,
                                const std::vector<std::string>& contacts,
                                const std::optional<external_account>& eab);
/// newAccount's of one that asks for the URL of its account and makes none (RFC 8555 §7.3.1).
std::string known_account_payload();
/// For an account's URL: other contacts (RFC 8555 §7.3.2).
std::string contacts_payload(const std::vector<std::string>& contacts);
/// newOrder's; `replaces` as RFC 9773 §5, `profile` as the profiles extension; both "" : left out.
std::string new_order_payload(std::string_view host, std::string_view profile, std::string_view replaces);
std::string finalize_payload(std::string_view csr_der);
/// keyChange's inner JWS (RFC 8555 §7.3.5).
std::string key_change_payload(const base::ec_key& old_key, const base::ec_key& new_key,
                               std::string_view account_url, std::string_view url);
/// Retry-After as seconds or a date; nothing where it is neither. At most a day.
std::optional<std::chrono::seconds> retry_after(std::string_view field, base::utc_seconds now);

} // namespace mailtight::wire
