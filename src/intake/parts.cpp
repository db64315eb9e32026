// SPDX-License-Identifier: Apache-2.0
#include "intake/parts.h"

#include "base/compress.h"
#include "base/encode.h"
#include "base/text.h"

#include <algorithm>
#include <array>

namespace mailtight::intake {

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

bool begins_as_json(std::string_view bytes) {
    if (bytes.starts_with(byte_order_mark))
        bytes.remove_prefix(byte_order_mark.size());
    const auto first = bytes.find_first_not_of(" \t\r\n");
    return first != bytes.npos && bytes[first] == '{';
}

bool begins_as_report(std::string_view bytes) {
    return base::looks_like_gzip(bytes) || base::looks_like_zip(bytes) || begins_as_json(bytes);
}

bool typed_as_report(std::string_view media_type) {
    // 8460-5.3-d, and what senders write instead (A45)
    if (media_type.find("tlsrpt") != media_type.npos)
        return true;
    constexpr std::array suffixes = {
        "/json", "+json", "/gzip", "+gzip", "/x-gzip", "/zip", "/x-zip-compressed"};
    return std::ranges::any_of(suffixes,
                               [&](std::string_view end) { return base::iends_with(media_type, end); });
}

bool named_as_report(std::string_view name) {
    constexpr std::array endings = {".json", ".gz", ".gzip", ".zip"};
    return std::ranges::any_of(endings, [&](std::string_view end) { return base::iends_with(name, end); });
}

} // namespace

part_claim claim_of(const mail::message& whole, const mail::message_part& part) {
    if (typed_as_report(part.media_type) || named_as_report(part.name))
        return part_claim::by_label;
    const bool prose = part.media_type.starts_with("text/") || part.media_type.starts_with("message/");
    if (whole.is_report && !prose)
        return part_claim::by_label;
    if (begins_as_report(part.bytes) || part.bytes.starts_with("H4sI"))
        return part_claim::by_bytes;
    return part_claim::none; // 8460-5.3-h
}

std::optional<std::string> undeclared_base64(std::string_view bytes) {
    // "H4sI" is how a gzip file begins in base64; nothing that is read here begins so by itself.
    if (!bytes.starts_with("H4sI"))
        return std::nullopt;
    std::string text;
    text.reserve(bytes.size());
    for (const char c : bytes)
        if (!base::is_wsp(c) && c != '\r' && c != '\n')
            text += c;
    return base::unbase64(text);
}

bool is_delivery_status(std::string_view mail) {
    mail = mail.substr(0, mail::message_limits{}.header_bytes);
    mail = mail.substr(0, std::min(mail.find("\n\n"), mail.find("\r\n\r\n")));
    const auto header = mail::read_message(mail);
    if (!header)
        return false;
    const auto type = base::lower(header->header("content-type"));
    return type.starts_with("multipart/report") && type.find("delivery-status") != type.npos;
}

} // namespace mailtight::intake
