// SPDX-License-Identifier: Apache-2.0
// From bytes to a message: the cut by message_scan.h, the fields by message_values.h. Goes down into
// multiparts and attached messages at most message_limits::depth levels, and stops at the limits on parts and
// on decoded bytes; what was read until then is kept.
#include "base/text.h"
#include "mail/message.h"
#include "mail/message_base64.h"
#include "mail/message_scan.h"
#include "mail/message_values.h"

#include <algorithm>
#include <utility>

namespace mailtight::mail {
namespace {

enum class transfer { identity, base64, quoted_printable };

transfer read_transfer(std::string_view value) {
    // `base64 (comment)` and `"base64"` are met; a prefix is told apart by what ends the word.
    value = base::trim(value);
    if (value.starts_with('"'))
        value.remove_prefix(1);
    const auto word = value.substr(0, value.find_first_of(" \t\r\n;(\""));
    if (base::iequals(word, "base64"))
        return transfer::base64;
    if (base::iequals(word, "quoted-printable"))
        return transfer::quoted_printable;
    return transfer::identity;
}

// Gzip in base64 always begins so; a part that lost its Content-Transfer-Encoding is known by it.
bool is_bare_base64_gzip(std::string_view body) {
    return base::trim(body.substr(0, 64)).starts_with("H4sI");
}

std::string decode(std::string_view body, transfer how) {
    switch (how) {
    case transfer::base64:
        return decode_damaged_base64(body);
    case transfer::quoted_printable:
        return decode_quoted_printable(body);
    case transfer::identity:
        break;
    }
    return std::string(body);
}

class reader {
public:
    reader(message& out, const message_limits& limits)
        : out_(out)
        , limits_(limits)
        , entities_left_(limits.parts * 4 + 4 * limits.depth)
        , bytes_left_(limits.bytes * 2) {}

    void read_entity(const raw_entity& entity, std::string_view default_type, std::size_t depth) {
        if (entities_left_ == 0) {
            out_.truncated = true;
            return;
        }
        --entities_left_;
        out_.truncated = out_.truncated || entity.cut;
        auto type = read_content_type(unfold(entity.field("Content-Type")));
        if (type.media_type.empty())
            type.media_type = default_type;
        const bool opened = type.is("multipart") ? open_multipart(entity, type, depth)
                            : type.media_type == "message/rfc822" || type.media_type == "message/global"
                                ? open_message(entity, depth)
                                : false;
        if (!opened)
            add_leaf(entity, std::move(type), depth);
    }

private:
    // False where it has no delimiters and is a leaf.
    bool open_multipart(const raw_entity& entity, const content_type& type, std::size_t depth) {
        if (type.media_type == "multipart/report" && base::iequals(type.report_type, "tlsrpt"))
            out_.is_report = true;
        if (too_deep(depth))
            return true;
        const std::size_t wanted = limits_.parts - out_.parts.size();
        scanned_parts found;
        if (!type.boundary.empty())
            found = scan_parts(entity.body, type.boundary, wanted);
        if (!found.found)
            if (const auto boundary = guess_boundary(entity.body); !boundary.empty())
                found = scan_parts(entity.body, boundary, wanted);
        if (!found.found)
            return false;
        out_.truncated = out_.truncated || found.cut;
        const auto* inner_default = type.media_type == "multipart/digest" ? "message/rfc822" : "text/plain";
        for (const auto part : found.parts)
            read_entity(scan_entity(part, limits_.header_bytes, body_start::tolerant), inner_default,
                        depth + 1);
        return true;
    }

    // False where there is no message inside.
    bool open_message(const raw_entity& entity, std::size_t depth) {
        if (too_deep(depth))
            return true;
        const auto how = read_transfer(entity.field("Content-Transfer-Encoding"));
        std::string decoded;
        auto bytes = entity.body;
        if (how != transfer::identity) { // forbidden (RFC 2046 §5.2.1), and seen
            if (!take(bytes.size()))
                return true;
            decoded = decode(bytes, how);
            bytes = decoded;
        }
        const auto inner = scan_entity(bytes, limits_.header_bytes, body_start::tolerant);
        if (inner.fields.empty())
            return false;
        read_entity(inner, "text/plain", depth + 1);
        return true;
    }

    // 8460-5.3-h: parts of any kind are given; whoever asks for reports takes those he knows.
    void add_leaf(const raw_entity& entity, content_type type, std::size_t depth) {
        if (out_.parts.size() >= limits_.parts || !take(entity.body.size())) {
            out_.truncated = true;
            return;
        }
        auto how = read_transfer(entity.field("Content-Transfer-Encoding"));
        if (how == transfer::identity && is_bare_base64_gzip(entity.body))
            how = transfer::base64;
        auto& part = out_.parts.emplace_back();
        part.media_type = std::move(type.media_type);
        part.name = read_disposition_name(unfold(entity.field("Content-Disposition")));
        if (part.name.empty())
            part.name = std::move(type.name);
        part.description = decode_words(unfold(entity.field("Content-Description")));
        part.bytes = decode(entity.body, how);
        part.depth = depth;
    }

    bool too_deep(std::size_t depth) {
        if (depth < limits_.depth)
            return false;
        out_.truncated = true;
        return true;
    }
    // Whether so many bytes may still be decoded.
    bool take(std::size_t bytes) {
        if (bytes > bytes_left_) {
            out_.truncated = true;
            return false;
        }
        bytes_left_ -= bytes;
        return true;
    }

    message& out_;
    const message_limits& limits_;
    std::size_t entities_left_;
    std::size_t bytes_left_;
};

bool is_address_field(std::string_view name) {
    for (const auto known : {"From", "Sender", "Reply-To", "To", "Cc"})
        if (base::iequals(name, known))
            return true;
    return false;
}

// Encoded words may hide characters that have a meaning in addresses; then they stay encoded, so that no
// display name can pass for an address.
std::string decode_field(const raw_field& field) {
    auto plain = unfold(field.value);
    auto decoded = decode_words(plain);
    if (decoded != plain && is_address_field(field.name))
        for (const char special : std::string_view("<>@,;:\"\\()"))
            if (std::ranges::count(decoded, special) != std::ranges::count(plain, special))
                return plain;
    return decoded;
}

} // namespace

std::expected<message, message_problem> read_message(std::string_view bytes, const message_limits& limits) {
    if (bytes.size() > limits.bytes)
        return std::unexpected(message_problem::too_large);
    const std::size_t start = bytes.find_first_not_of("\r\n");
    if (start == bytes.npos)
        return std::unexpected(message_problem::empty);
    const auto top = scan_entity(bytes.substr(start), limits.header_bytes, body_start::after_empty_line);
    if (top.fields.empty())
        return std::unexpected(message_problem::no_message);
    message out;
    out.headers.reserve(top.fields.size());
    for (const auto& field : top.fields)
        out.headers.emplace_back(field.name, decode_field(field));
    reader(out, limits).read_entity(top, "text/plain", 0);
    return out;
}

} // namespace mailtight::mail
