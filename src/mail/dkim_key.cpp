// SPDX-License-Identifier: Apache-2.0
#include "mail/dkim_key.h"

#include "base/text.h"
#include "mail/dkim_tags.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::mail {
namespace {

constexpr std::size_t record_bytes_max = 16 * 1024; // a 4096-bit key takes some 750
constexpr unsigned rsa_bits_min = 1024;             // 8301-3
constexpr unsigned rsa_bits_max = 4096;             // 8301-3: verifiers need not go beyond

void read_public_key(dkim_key_record& out, std::string_view kind, std::string_view encoded) {
    const auto bytes = folded_base64(encoded);
    if (!bytes) {
        out.problem = "the p= of the key record is no base64";
        return;
    }
    const bool is_rsa = kind == "rsa";
    // 8463: the bare 32 bytes, no SubjectPublicKeyInfo
    auto key = is_rsa ? base::public_key::rsa(*bytes) : base::public_key::ed25519(*bytes);
    if (!key)
        out.problem = "the key in the record cannot be used: " + key.error();
    else if (is_rsa && key->bits() < rsa_bits_min) // 8301-3
        out.problem =
            fmt::format("the RSA key has {} bits; under {} anyone could forge it, so it counts as none",
                        key->bits(), rsa_bits_min);
    else if (is_rsa && key->bits() > rsa_bits_max)
        out.problem =
            fmt::format("the RSA key has {} bits; only up to {} are verified", key->bits(), rsa_bits_max);
    else
        out.key = std::move(*key);
}

} // namespace

dkim_key_record read_dkim_key(std::string_view text) {
    dkim_key_record out;
    if (text.size() > record_bytes_max) {
        out.problem = "the key record is too long";
        return out;
    }
    const auto tags = dkim_tags::read(text);
    if (!tags) {
        out.problem = "the TXT record is no DKIM key: it is not made of name=value pairs";
        return out;
    }
    const auto* version = tags->find("v");
    if (version != nullptr && (version != &tags->all().front() || version->value != "DKIM1")) {
        out.problem = "the TXT record is no DKIM key: v=DKIM1 must come first, if it is there";
        return out;
    }
    const auto* encoded = tags->find("p");
    if (encoded == nullptr) {
        out.problem = "the TXT record is no DKIM key: p= is missing";
        return out;
    }
    out.is_key = true;
    const auto flags = tags->value("t");
    out.in_test = colon_list_has(flags, "y");
    out.exact_identity = colon_list_has(flags, "s");
    out.takes_sha256 = colon_list_has(tags->value("h", "sha256"), "sha256");
    const auto services = tags->value("s", "*"); // 6376-3.6.1-s
    const bool any_service = colon_list_has(services, "*");
    out.for_email = any_service || colon_list_has(services, "email");
    out.for_tlsrpt = any_service || colon_list_has(services, "tlsrpt");

    const auto kind = tags->value("k", "rsa");
    if (encoded->value.empty()) // 6376-3.6.1-p
        out.problem = "the key was revoked: p= is empty in the record";
    else if (kind != "rsa" && kind != "ed25519")
        out.problem = fmt::format("the record's key type {} is unknown", base::printable(kind, 40));
    else
        read_public_key(out, kind, encoded->value);
    return out;
}

const dkim_key_record& dkim_key_cache::state::get(const std::string& text) {
    if (const auto found = places.find(text); found != places.end()) {
        entries.splice(entries.begin(), entries, found->second);
        return entries.front().second;
    }
    while (!entries.empty() && entries.size() >= entries_max) {
        places.erase(entries.back().first);
        entries.pop_back();
    }
    entries.emplace_front(text, read_dkim_key(text));
    places.emplace(entries.front().first, entries.begin());
    return entries.front().second;
}

dkim_key_cache::dkim_key_cache(std::size_t entries)
    : state_(std::make_unique<state>(std::max<std::size_t>(entries, 1))) {}
dkim_key_cache::~dkim_key_cache() = default;

} // namespace mailtight::mail
