// SPDX-License-Identifier: Apache-2.0
// Entries: read_acme_*() and retry_after(). What an authority says is as hostile as anything from outside: it
// is cut to what is used, and a part that is missing where it is needed is an error.
#include "wire/acme.h"

#include "base/text.h"
#include "wire/acme_json.h"
#include "wire/http_date.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::wire {

namespace {

namespace json = boost::json;
using namespace acme_json;
using failure = std::unexpected<std::string>;

constexpr std::size_t word_bytes = 64;
constexpr std::size_t token_bytes = 512;
constexpr std::size_t challenges_max = 32;
constexpr std::chrono::seconds longest_wait{86'400};

constexpr std::string_view error_prefix = "urn:ietf:params:acme:error:";

std::string without_prefix(std::string type) {
    // RFC 8555 §6.7; the drafts before it wrote urn:acme:error:.
    for (const std::string_view prefix : {error_prefix, std::string_view("urn:acme:error:")})
        if (type.starts_with(prefix))
            type.erase(0, prefix.size());
    return base::printable(type, word_bytes * 4);
}

std::string identifier_of(const json::object& from) {
    const auto* identifier = object_of(from, "identifier");
    return identifier != nullptr ? base::printable(text_of(*identifier, "value"), 300) : std::string();
}

acme_problem problem_of(const json::object& from) {
    acme_problem problem;
    problem.type = without_prefix(text_of(from, "type"));
    problem.detail = words_of(from, "detail");
    if (const auto* status = from.if_contains("status");
        status != nullptr && status->is_int64() && status->get_int64() >= 100 && status->get_int64() <= 599)
        problem.status = static_cast<int>(status->get_int64());
    if (const auto* all = array_of(from, "subproblems")) {
        for (const auto& one : *all) {
            const auto* object = one.if_object();
            if (object != nullptr && problem.by_name.size() < list_entries)
                problem.by_name.emplace_back(identifier_of(*object), words_of(*object, "detail"));
        }
    }
    return problem;
}

std::optional<acme_problem> error_in(const json::object& from) {
    const auto* error = object_of(from, "error");
    return error != nullptr ? std::optional(problem_of(*error)) : std::nullopt;
}

/// A token is base64url (RFC 8555 §8.3): it becomes part of a path and of a record.
bool is_token(std::string_view text) {
    return !text.empty() && text.size() <= token_bytes &&
           std::ranges::all_of(text, [](char c) { return base::is_alnum(c) || c == '-' || c == '_'; });
}

std::expected<acme_challenge, std::string> challenge_of(const json::object& from) {
    acme_challenge challenge;
    challenge.type = text_of(from, "type", word_bytes);
    challenge.url = url_of(from, "url");
    challenge.token = text_of(from, "token");
    challenge.status = text_of(from, "status", word_bytes);
    challenge.error = error_in(from);
    if (challenge.type.empty() || challenge.url.empty())
        return failure("a challenge without type or URL");
    if (!is_token(challenge.token))
        challenge.token.clear(); // a kind that needs none, or one that cannot be answered
    return challenge;
}

std::vector<std::string> urls_of(const json::object& from, std::string_view name) {
    std::vector<std::string> urls;
    if (const auto* all = array_of(from, name)) {
        for (const auto& one : *all) {
            if (!one.is_string() || urls.size() == list_entries)
                continue;
            const std::string_view url(one.get_string().data(), one.get_string().size());
            if (is_url(url))
                urls.emplace_back(url);
        }
    }
    return urls;
}

} // namespace

std::expected<acme_directory, std::string> read_acme_directory(std::string_view body) {
    const auto object = read_object(body, "the directory");
    if (!object)
        return failure(object.error());
    acme_directory all;
    all.new_nonce = url_of(*object, "newNonce");
    all.new_account = url_of(*object, "newAccount");
    all.new_order = url_of(*object, "newOrder");
    all.revoke = url_of(*object, "revokeCert");
    all.key_change = url_of(*object, "keyChange");
    all.renewal_info = url_of(*object, "renewalInfo");
    if (all.new_nonce.empty() || all.new_account.empty() || all.new_order.empty())
        return failure("this is no ACME directory: newNonce, newAccount or newOrder is missing");
    const auto* meta = object_of(*object, "meta");
    if (meta == nullptr)
        return all;
    all.account_binding_required = flag_of(*meta, "externalAccountRequired");
    all.terms = words_of(*meta, "termsOfService"); // a URL, and pebble has one of data:
    if (const auto* profiles = object_of(*meta, "profiles"))
        for (const auto& entry : *profiles)
            if (all.profiles.size() < list_entries && entry.key().size() <= word_bytes)
                all.profiles.emplace_back(base::printable(entry.key()), words_of(*profiles, entry.key()));
    if (const auto* names = array_of(*meta, "caaIdentities"))
        for (const auto& name : *names)
            if (name.is_string() && name.get_string().size() <= 253 &&
                all.caa_identities.size() < list_entries)
                all.caa_identities.push_back(base::lower(
                    base::printable(std::string_view(name.get_string().data(), name.get_string().size()))));
    return all;
}

std::expected<acme_account, std::string> read_acme_account(std::string_view body) {
    const auto object = read_object(body, "the account");
    if (!object)
        return failure(object.error());
    return acme_account{.status = text_of(*object, "status", word_bytes),
                        .orders = url_of(*object, "orders")};
}

std::expected<std::vector<std::string>, std::string> read_acme_orders(std::string_view body) {
    const auto object = read_object(body, "the list of orders");
    if (!object)
        return failure(object.error());
    return urls_of(*object, "orders");
}

std::expected<acme_order, std::string> read_acme_order(std::string_view body) {
    const auto object = read_object(body, "the order");
    if (!object)
        return failure(object.error());
    acme_order order;
    order.status = text_of(*object, "status", word_bytes);
    order.finalize = url_of(*object, "finalize");
    order.certificate = url_of(*object, "certificate");
    order.authorizations = urls_of(*object, "authorizations");
    order.expires = time_of(*object, "expires");
    order.error = error_in(*object);
    if (const auto* names = array_of(*object, "identifiers"))
        for (const auto& name : *names)
            if (const auto* one = name.if_object(); one != nullptr && order.names.size() < list_entries)
                order.names.push_back(base::lower(base::printable(text_of(*one, "value"), 300)));
    if (order.status.empty())
        return failure("the order has no status");
    if (order.finalize.empty())
        return failure("the order has no finalize URL");
    return order;
}

std::expected<acme_authorization, std::string> read_acme_authorization(std::string_view body) {
    const auto object = read_object(body, "the authorization");
    if (!object)
        return failure(object.error());
    acme_authorization all;
    all.name = base::lower(identifier_of(*object));
    all.status = text_of(*object, "status", word_bytes);
    all.wildcard = flag_of(*object, "wildcard"); // false may be written out (erratum 6364 of RFC 8555)
    all.expires = time_of(*object, "expires");
    if (all.status.empty())
        return failure("the authorization has no status");
    if (const auto* challenges = array_of(*object, "challenges")) {
        for (const auto& one : *challenges) {
            const auto* entry = one.if_object();
            if (entry == nullptr || all.challenges.size() == challenges_max)
                continue;
            if (auto challenge = challenge_of(*entry))
                all.challenges.push_back(std::move(*challenge));
        }
    }
    return all;
}

std::expected<acme_window, std::string> read_acme_window(std::string_view body) {
    const auto object = read_object(body, "the renewal information");
    if (!object)
        return failure(object.error());
    const auto* window = object_of(*object, "suggestedWindow");
    if (window == nullptr)
        return failure("the renewal information has no suggestedWindow");
    acme_window out{.from = time_of(*window, "start"),
                    .to = time_of(*window, "end"),
                    .explanation_url = url_of(*object, "explanationURL")};
    // RFC 9773 §4.2: an end that is not after the start is to be treated as no answer.
    if (out.from == base::utc_seconds{} || out.to <= out.from)
        return failure("the renewal information's window has no length");
    return out;
}

acme_problem read_acme_problem(int status, std::string_view body) {
    acme_problem problem;
    if (const auto object = read_object(body, "the answer"))
        problem = problem_of(*object);
    // The status line counts: what the document repeats of it may be anything.
    problem.status = status;
    if (problem.detail.empty() && problem.type.empty())
        problem.detail = body.empty() ? fmt::format("HTTP status {} without a word", status)
                                      : fmt::format("HTTP status {}: {}", status, base::printable(body, 200));
    return problem;
}

std::optional<std::chrono::seconds> retry_after(std::string_view field, base::utc_seconds now) {
    const auto wait = read_retry_after(field, now);
    return wait ? std::optional(std::min(*wait, longest_wait)) : std::nullopt;
}

} // namespace mailtight::wire
