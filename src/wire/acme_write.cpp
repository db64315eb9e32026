// SPDX-License-Identifier: Apache-2.0
// Entries: what is signed and sent. URLs and nonces come from the authority and have passed their reader;
// everything that is quoted goes through the JSON writer all the same.
#include "wire/acme.h"

#include "base/base64url.h"
#include "base/encode.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::wire {

namespace {

namespace json = boost::json;

std::string flattened(std::string_view head, std::string_view payload, auto sign) {
    const auto protected_part = base::base64url(head), payload_part = base::base64url(payload);
    const auto signature = base::base64url(sign(protected_part + "." + payload_part));
    return fmt::format(R"({{"protected":"{}","payload":"{}","signature":"{}"}})", protected_part,
                       payload_part, signature);
}

std::string quoted(std::string_view text) {
    return json::serialize(json::value(text));
}

json::array contact_urls(const std::vector<std::string>& contacts) {
    json::array all;
    for (const auto& one : contacts)
        all.emplace_back(one.find(':') == one.npos ? "mailto:" + one : one);
    return all;
}

} // namespace

std::string jwk(const base::ec_key& key) {
    const auto [x, y] = key.point();
    // RFC 7638 §3.2: the required members alone, by name, without blanks.
    return fmt::format(R"({{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}})", base::base64url(x),
                       base::base64url(y));
}

std::string jwk_thumbprint(const base::ec_key& key) {
    return base::base64url(base::sha256(jwk(key)));
}

std::string key_authorization(std::string_view token, const base::ec_key& account) {
    return fmt::format("{}.{}", token, jwk_thumbprint(account));
}

std::string acme_request(const base::ec_key& key, std::string_view account_url, std::string_view nonce,
                         std::string_view url, std::string_view payload) {
    // RFC 8555 §6.2: the account's URL, or the key itself where there is no account yet; never both.
    const auto who = account_url.empty() ? fmt::format(R"("jwk":{})", jwk(key))
                                         : fmt::format(R"("kid":{})", quoted(account_url));
    const auto head =
        fmt::format(R"({{"alg":"ES256",{},"nonce":{},"url":{}}})", who, quoted(nonce), quoted(url));
    return flattened(head, payload, [&](std::string_view bytes) { return key.sign(bytes); });
}

std::string new_account_payload(const base::ec_key& key, std::string_view url,
                                const std::vector<std::string>& contacts,
                                const std::optional<external_account>& eab) {
    json::object payload = {{"termsOfServiceAgreed", true}};
    if (!contacts.empty())
        payload["contact"] = contact_urls(contacts);
    if (eab) {
        const auto head = fmt::format(R"({{"alg":"HS256","kid":{},"url":{}}})", quoted(eab->id), quoted(url));
        const auto binding = flattened(
            head, jwk(key), [&](std::string_view bytes) { return base::hmac_sha256(eab->hmac_key, bytes); });
        payload["externalAccountBinding"] = json::parse(binding);
    }
    return json::serialize(payload);
}

std::string known_account_payload() {
    return R"({"onlyReturnExisting":true})";
}

std::string contacts_payload(const std::vector<std::string>& contacts) {
    return json::serialize(json::object{{"contact", contact_urls(contacts)}});
}

std::string new_order_payload(std::string_view host, std::string_view profile, std::string_view replaces) {
    json::object payload = {{"identifiers", json::array{json::object{{"type", "dns"}, {"value", host}}}}};
    if (!profile.empty())
        payload["profile"] = profile;
    if (!replaces.empty())
        payload["replaces"] = replaces;
    return json::serialize(payload);
}

std::string finalize_payload(std::string_view csr_der) {
    return fmt::format(R"({{"csr":"{}"}})", base::base64url(csr_der));
}

std::string key_change_payload(const base::ec_key& old_key, const base::ec_key& new_key,
                               std::string_view account_url, std::string_view url) {
    // The inner one is signed by the new key, names it, and has no nonce.
    const auto head = fmt::format(R"({{"alg":"ES256","jwk":{},"url":{}}})", jwk(new_key), quoted(url));
    const auto payload = fmt::format(R"({{"account":{},"oldKey":{}}})", quoted(account_url), jwk(old_key));
    return flattened(head, payload, [&](std::string_view bytes) { return new_key.sign(bytes); });
}

} // namespace mailtight::wire
