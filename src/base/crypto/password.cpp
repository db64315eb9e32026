// SPDX-License-Identifier: Apache-2.0
#include "base/crypto/password.h"

#include "base/base64url.h"
#include "base/encode.h"
#include "base/text.h"

#include <argon2.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

namespace mailtight::base {
namespace {

constexpr std::size_t salt_bytes = 16, hash_bytes = 32;
constexpr std::size_t least_characters = 12, most_bytes = 1'024, most_encoded = 256;
// Beyond this no encoding is believed.
constexpr password_cost most{.passes = 16, .kibibytes = 256 * 1024, .lanes = 8};

std::string random_bytes(std::size_t how_many) {
    std::string out(how_many, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(how_many)) != 1)
        throw std::runtime_error("the system gives no random bytes"); // nothing that anybody could mend
    return out;
}

/// Without its padding, as the encoding has it.
std::string unpadded(std::string_view bytes) {
    auto out = base64(bytes);
    while (out.ends_with('='))
        out.pop_back();
    return out;
}
std::optional<std::string> padded_bytes(std::string_view text) {
    std::string whole(text);
    while (whole.size() % 4 != 0)
        whole += '=';
    auto bytes = unbase64(whole);
    if (!bytes || unpadded(*bytes) != text) // one text for the bytes alone
        return {};
    return bytes;
}

struct parts {
    password_cost cost;
    std::string salt, hash;
};

bool take(std::string_view& from, std::string_view prefix) {
    if (!from.starts_with(prefix))
        return false;
    from.remove_prefix(prefix.size());
    return true;
}
bool take(std::string_view& from, std::uint32_t& number, std::uint32_t largest) {
    const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), number);
    if (error != std::errc{} || from.front() == '0' || number == 0 || number > largest)
        return false;
    from.remove_prefix(static_cast<std::size_t>(end - from.data()));
    return true;
}

std::optional<parts> parse(std::string_view text) {
    parts out;
    if (text.size() > most_encoded || !take(text, "$argon2id$v=19$m=") ||
        !take(text, out.cost.kibibytes, most.kibibytes) || !take(text, ",t=") ||
        !take(text, out.cost.passes, most.passes) || !take(text, ",p=") ||
        !take(text, out.cost.lanes, most.lanes) || !take(text, "$"))
        return {};
    if (out.cost.kibibytes < 8 * out.cost.lanes) // RFC 9106 §3.1
        return {};
    const auto dollar = text.find('$');
    if (dollar == std::string_view::npos)
        return {};
    auto salt = padded_bytes(text.substr(0, dollar)), hash = padded_bytes(text.substr(dollar + 1));
    if (!salt || !hash || salt->size() < 8 || salt->size() > 64 || hash->size() < 16 || hash->size() > 64)
        return {};
    out.salt = std::move(*salt);
    out.hash = std::move(*hash);
    return out;
}

std::optional<std::string> hashed(std::string_view password, const std::string& salt,
                                  const password_cost& cost, std::size_t bytes) {
    std::string out(bytes, '\0');
    if (argon2id_hash_raw(cost.passes, cost.kibibytes, cost.lanes, password.data(), password.size(),
                          salt.data(), salt.size(), out.data(), out.size()) != ARGON2_OK)
        return {};
    return out;
}

std::size_t characters(std::string_view utf8) {
    return static_cast<std::size_t>(
        std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

} // namespace

std::optional<std::string> unfit_password(std::string_view password, std::string_view name) {
    if (password.size() > most_bytes)
        return fmt::format("a password has at most {} bytes", most_bytes);
    if (!is_utf8(password))
        return "the password is no text in UTF-8";
    if (characters(password) < least_characters)
        return fmt::format("a password has at least {} characters", least_characters);
    if (iequals(password, name))
        return "the password is the name";
    if (password.find_first_not_of(password.front()) == std::string_view::npos)
        return "the password is one character again and again";
    return {};
}

std::expected<std::string, std::string> encode_password(std::string_view password, password_cost cost) {
    const auto salt = random_bytes(salt_bytes);
    const auto hash = hashed(password, salt, cost, hash_bytes);
    if (!hash)
        return std::unexpected(fmt::format("there are no {} MiB for the password", cost.kibibytes / 1024));
    return fmt::format("$argon2id$v=19$m={},t={},p={}${}${}", cost.kibibytes, cost.passes, cost.lanes,
                       unpadded(salt), unpadded(*hash));
}

bool verify_password(std::string_view encoded, std::string_view password) {
    if (password.size() > most_bytes)
        return false;
    const auto of = parse(encoded);
    if (!of)
        return false;
    const auto hash = hashed(password, of->salt, of->cost, of->hash.size());
    return hash && equal_secrets(*hash, of->hash);
}

void verify_nobody(std::string_view password) {
    if (password.size() <= most_bytes)
        static_cast<void>(hashed(password, std::string(salt_bytes, 'n'), {}, hash_bytes));
}

std::optional<password_cost> cost_of(std::string_view encoded) {
    const auto of = parse(encoded);
    return of ? std::optional(of->cost) : std::nullopt;
}

std::string random_secret() {
    return base64url(random_bytes(32));
}

std::string digest_of_secret(std::string_view secret) {
    return hex(sha256(secret));
}

bool equal_secrets(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::string& secret) {
    OPENSSL_cleanse(secret.data(), secret.size());
    secret.clear();
}

} // namespace mailtight::base
