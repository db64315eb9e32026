// SPDX-License-Identifier: Apache-2.0
// Signing of report mail: relaxed/relaxed, never l= (8460-3-l). What says whose report it is and how it is to
// be read is named once more than it is there, so that nobody can add another (RFC 6376 §8.15).
#include "base/crypto/keys.h"
#include "base/crypto/sha256_stream.h"
#include "base/encode.h"
#include "base/host_name.h"
#include "base/text.h"
#include "mail/dkim.h"
#include "mail/dkim_fields.h"
#include "mail/domain_name.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <vector>

namespace mailtight::mail {
namespace {

constexpr unsigned rsa_bits_min = 1024; // 8301-3
constexpr unsigned rsa_bits_max = 4096; // verifiers need not go beyond

struct signed_field {
    std::string_view name;
    bool once_more; ///< also named where the message has none, so that the next one breaks the signature
};

// RFC 6376 §5.4.1, and what else shapes how the mail is read. Fields that a relay may add, such as Cc, are
// named only as often as they are there.
constexpr std::array<signed_field, 14> signed_fields{{{"From", true},
                                                      {"To", true},
                                                      {"Cc", false},
                                                      {"Reply-To", false},
                                                      {"Subject", true},
                                                      {"Date", true},
                                                      {"Message-ID", true},
                                                      {"MIME-Version", true},
                                                      {"Content-Type", true},
                                                      {"Content-Transfer-Encoding", false},
                                                      {"TLS-Report-Domain", true},
                                                      {"TLS-Report-Submitter", true},
                                                      {"TLS-Required", false},
                                                      {"Auto-Submitted", false}}};

constexpr std::size_t line_width = 76;

// Appends items of a list, folded before the one that would pass the width; `column` is kept.
void append_folded(std::string& out, std::size_t& column, std::string_view item) {
    if (column + item.size() > line_width) {
        out += "\r\n\t ";
        column = 9;
    }
    out += item;
    column += item.size();
}

// The names of h=, in its order.
std::vector<std::string_view> names_to_sign(const dkim_field_index& index, bool guarded) {
    std::vector<std::string_view> out;
    for (const auto& field : signed_fields)
        out.insert(out.end(), index.count(field.name) + (guarded && field.once_more ? 1 : 0), field.name);
    return out;
}

std::string list_of_fields(const std::vector<std::string_view>& names) {
    std::string out = "h=";
    std::size_t column = 8 + out.size();
    for (std::size_t i = 0; i < names.size(); ++i)
        append_folded(out, column, fmt::format("{}{}", i == 0 ? "" : ":", names[i]));
    return out;
}

std::string folded_base64_lines(std::string_view bytes) {
    const auto text = base::base64(bytes);
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += 70) {
        if (at > 0)
            out += "\r\n\t ";
        out += text.substr(at, 70);
    }
    return out;
}

// What every signature of a message begins with, whichever key makes it.
struct prepared_message {
    std::string names;     // h=
    std::string body_hash; // bh=
    std::string header;    // the named fields, canonical
};
prepared_message prepare(std::string_view message, bool guarded = true) {
    const auto split = split_for_dkim(message);
    const dkim_field_index index(split);
    prepared_message out;
    const auto names = names_to_sign(index, guarded);
    out.names = list_of_fields(names);
    out.body_hash = base::base64(canonical_body_hash(split.body, dkim_canon::relaxed));
    // Every named field from the bottom up; the name too many finds none.
    out.header.reserve(message.size() - split.body.size());
    dkim_field_index::selection fields(index);
    for (const auto name : names)
        if (const auto* found = fields.next(name))
            append_canonical(out.header, found->raw, dkim_canon::relaxed);
    return out;
}

} // namespace

struct dkim_signer::state {
    std::string domain, selector;
    std::optional<base::private_key> key;

    std::string field_for(const prepared_message& message, base::utc_seconds now) const;
};

dkim_signer::dkim_signer()
    : state_(std::make_unique<state>()) {}
dkim_signer::dkim_signer(dkim_signer&&) noexcept = default;
dkim_signer& dkim_signer::operator=(dkim_signer&&) noexcept = default;
dkim_signer::~dkim_signer() = default;

std::expected<dkim_signer, std::string> dkim_signer::make(std::string domain, std::string selector,
                                                          std::string_view private_key_pem) {
    const auto ascii = to_ascii(domain);
    if (!ascii || ascii->empty())
        return std::unexpected(fmt::format("{} is no domain name", base::printable(domain, 80)));
    selector = base::lower(selector);
    if (selector.empty() || !base::is_host_name(selector + "._domainkey." + *ascii))
        return std::unexpected(fmt::format("{} is no selector", base::printable(selector, 80)));
    auto key = base::private_key::from_pem(private_key_pem);
    if (!key)
        return std::unexpected(fmt::format("the DKIM key cannot be read: {}", key.error()));
    if (key->kind() == base::key_kind::rsa && (key->bits() < rsa_bits_min || key->bits() > rsa_bits_max))
        return std::unexpected(fmt::format("the DKIM key has {} bits; RSA keys need {} to {}, best 2048",
                                           key->bits(), rsa_bits_min, rsa_bits_max)); // 8301-3
    dkim_signer out;
    out.state_->domain = *ascii;
    out.state_->selector = std::move(selector);
    out.state_->key.emplace(std::move(*key));
    return out;
}

dkim_algorithm dkim_signer::algorithm() const {
    return state_->key->kind() == base::key_kind::rsa ? dkim_algorithm::rsa_sha256
                                                      : dkim_algorithm::ed25519_sha256;
}

// 8460-3-j, 8463
std::string dkim_signer::state::field_for(const prepared_message& message, base::utc_seconds now) const {
    auto field =
        fmt::format("DKIM-Signature: v=1; a={}; c=relaxed/relaxed;\r\n\td={}; s={};\r\n\tt={};\r\n\t{};"
                    "\r\n\tbh={};\r\n\tb=",
                    key->kind() == base::key_kind::rsa ? "rsa-sha256" : "ed25519-sha256", domain, selector,
                    now.time_since_epoch().count(), message.names, message.body_hash);
    std::string own;
    append_canonical(own, field, dkim_canon::relaxed);
    own.resize(own.size() - 2);
    base::sha256_stream hash;
    hash.update(message.header);
    hash.update(own);
    field += folded_base64_lines(key->sign(hash.finish()));
    field += "\r\n";
    return field;
}

std::string dkim_signer::sign(std::string_view message, base::utc_seconds now, bool guarded) const {
    return state_->field_for(prepare(message, guarded), now);
}

std::string sign_dkim(std::string_view message, std::span<const dkim_signer> keys, base::utc_seconds now) {
    std::string out;
    if (keys.empty())
        return out;
    const auto prepared = prepare(message);
    for (const auto& key : keys)
        out += key.state_->field_for(prepared, now);
    return out;
}

// 8460-3-m, A38: the type tlsrpt beside email, since verifiers of mail ignore a key for tlsrpt alone.
std::string dkim_signer::key_record() const {
    return fmt::format("v=DKIM1; k={}; s=email:tlsrpt; p={}",
                       algorithm() == dkim_algorithm::rsa_sha256 ? "rsa" : "ed25519",
                       base::base64(state_->key->public_part()));
}

} // namespace mailtight::mail
