// SPDX-License-Identifier: Apache-2.0
#include "mail/dkim_signature.h"

#include "base/host_name.h"
#include "base/text.h"
#include "mail/dkim_tags.h"
#include "mail/domain_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace mailtight::mail {
namespace {

constexpr std::size_t header_bytes_max = 1024 * 1024; // each signature may hash all of it

std::optional<std::uint64_t> read_number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

std::optional<dkim_canon> read_canon(std::string_view word) {
    if (base::iequals(word, "simple"))
        return dkim_canon::simple;
    if (base::iequals(word, "relaxed"))
        return dkim_canon::relaxed;
    return std::nullopt;
}

// `header/body`; a lone word is the header's, and the body's is simple (§3.5).
bool read_canons(std::string_view text, dkim_signature& out) {
    const std::size_t slash = text.find('/');
    const auto header = read_canon(text.substr(0, slash));
    const auto body = slash == text.npos ? dkim_canon::simple : read_canon(text.substr(slash + 1));
    if (!header || !body)
        return false;
    out.header_canon = *header;
    out.body_canon = *body;
    return true;
}

// An optional number: false where it is there and is none.
bool read_time(const dkim_tags& tags, std::string_view name, std::optional<std::uint64_t>& out) {
    const auto* tag = tags.find(name);
    if (tag == nullptr)
        return true;
    out = read_number(tag->value);
    return out.has_value();
}

// The tags that name the key; what is wrong with them, or "".
std::string read_names(const dkim_tags& tags, dkim_signature& out) {
    const auto domain = to_ascii(tags.value("d")); // RFC 8616: U-labels may stand here
    if (!domain || domain->empty())
        return "its d= is no domain name";
    out.domain = *domain;
    out.selector = base::lower(tags.value("s"));
    out.identity_domain = out.domain;
    if (!base::is_host_name(out.key_name()))
        return "its s= is no selector";
    const auto identity = tags.value("i");
    if (identity.empty())
        return "";
    const std::size_t at = identity.rfind('@');
    const auto within = to_ascii(at == identity.npos ? identity : identity.substr(at + 1));
    if (!within || !is_within(*within, out.domain))
        return fmt::format("its i= lies outside of d={}", out.domain);
    out.identity_domain = *within;
    return "";
}

// The tags that say how and what is signed; what is wrong with them, or "".
std::string read_method(const dkim_tags& tags, dkim_signature& out) {
    if (out.algorithm == "rsa-sha1") // 8301-3
        return "it uses rsa-sha1, which proves nothing any more (RFC 8301)";
    if (out.algorithm != "rsa-sha256" && out.algorithm != "ed25519-sha256")
        return fmt::format("its algorithm {} is unknown", base::printable(out.algorithm, 40));
    if (!read_canons(tags.value("c", "simple/simple"), out))
        return "its canonicalisation c= is unknown";
    if (!colon_list_has(tags.value("q", "dns/txt"), "dns/txt"))
        return "its q= asks for keys in another way than by DNS";
    const auto body_hash = folded_base64(tags.value("bh"));
    const auto signature = folded_base64(tags.value("b"));
    if (!body_hash || body_hash->size() != 32)
        return "its bh= is no SHA-256 in base64";
    if (!signature)
        return "its b= is no base64";
    out.body_hash = *body_hash;
    out.signature = *signature;
    if (!read_time(tags, "t", out.signed_at) || !read_time(tags, "x", out.expires_at))
        return "its t= or x= is no time";
    if (out.signed_at && out.expires_at && *out.expires_at <= *out.signed_at)
        return "it expired (x=) before it was made (t=)";
    return "";
}

std::string read_all(const dkim_tags& tags, dkim_signature& out) {
    out.uses_length = tags.find("l") != nullptr;
    out.algorithm = base::lower(tags.value("a"));
    if (auto wrong = read_names(tags, out); !wrong.empty())
        return wrong;
    if (tags.value("v") != "1")
        return "its version v= is not 1";
    for (const auto name : {"a", "b", "bh", "h"})
        if (tags.value(name).empty())
            return fmt::format("its {}= is missing", name);
    out.signed_fields = colon_list(tags.value("h"));
    return read_method(tags, out);
}

} // namespace

dkim_signature read_dkim_signature(const dkim_field& field) {
    dkim_signature out;
    out.field = &field;
    const auto tags = dkim_tags::read(field.value());
    if (!tags) {
        out.problem = dkim_result::permerror;
        out.reason = "the DKIM-Signature field is malformed: it is not made of name=value pairs, each once";
        return out;
    }
    const std::size_t value_at = field.raw.size() - field.value().size();
    if (const auto* b = tags->find("b")) {
        out.b_begin = value_at + b->begin;
        out.b_end = value_at + b->end;
    }
    if (auto wrong = read_all(*tags, out); !wrong.empty()) {
        out.problem = dkim_result::permerror;
        out.reason = "the DKIM-Signature field is malformed or unusable: " + std::move(wrong);
    } else if (std::ranges::none_of(out.signed_fields,
                                    [](auto name) { return base::iequals(name, "From"); })) {
        out.problem = dkim_result::neutral; // 6376-3.5-h
        out.reason = "the signature does not cover From, so it counts as none";
    } else if (out.uses_length) {
        out.problem = dkim_result::neutral; // 8460-3-l
        out.reason =
            "the signature covers only the beginning of the body (l=), so anyone may append a report; "
            "RFC 8460 forbids it and it counts as none";
    }
    return out;
}

std::vector<dkim_signature> read_dkim_signatures(const dkim_message& message, std::size_t most) {
    std::vector<dkim_signature> out;
    for (const auto& field : message.fields) {
        if (out.size() == most)
            break;
        if (!base::iequals(field.name, "DKIM-Signature"))
            continue;
        auto& signature = out.emplace_back(read_dkim_signature(field));
        if (message.header_bytes > header_bytes_max) {
            signature.problem = dkim_result::permerror;
            signature.reason = "the mail's header is longer than 1 MiB and is not hashed";
        }
    }
    return out;
}

} // namespace mailtight::mail
