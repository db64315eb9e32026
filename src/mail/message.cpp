// SPDX-License-Identifier: Apache-2.0
#include "mail/message.h"

#include "base/text.h"
#include "mail/domain_name.h"
#include "mail/message_scan.h"
#include "mail/message_values.h"

#include <algorithm>
#include <array>

namespace mailtight::mail {

std::string_view explain(message_problem problem) {
    switch (problem) {
    case message_problem::empty:
        return "the mail is empty";
    case message_problem::too_large:
        return "the mail is larger than the limit";
    case message_problem::no_message:
        return "this is no mail: it does not begin with header fields";
    }
    return "";
}

std::string_view message::header(std::string_view name) const {
    const auto found =
        std::ranges::find_if(headers, [&](const auto& f) { return base::iequals(f.first, name); });
    return found == headers.end() ? std::string_view() : found->second;
}

std::size_t message::count(std::string_view name) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(headers, [&](const auto& f) { return base::iequals(f.first, name); }));
}

std::optional<base::utc_seconds> message::date() const {
    const auto value = header("Date");
    return value.empty() ? std::nullopt : read_mail_date(value);
}

std::string message::from_domain() const {
    const auto domain = first_address_domain(header("From"));
    return to_ascii(domain).value_or("");
}

bool looks_like_message(std::string_view bytes) {
    constexpr std::size_t enough = 64 * 1024;
    constexpr auto known = std::to_array<std::string_view>(
        {"Return-Path", "Received", "From", "To", "Date", "Subject", "Message-ID", "MIME-Version",
         "Content-Type", "DKIM-Signature", "Delivered-To", "X-Original-To", "Authentication-Results",
         "ARC-Seal", "Received-SPF", "Sender", "Reply-To", "TLS-Report-Domain", "TLS-Report-Submitter"});
    bytes = bytes.substr(0, enough);
    const std::size_t start = bytes.find_first_not_of("\r\n");
    if (start == bytes.npos || bytes[start] == '{' || bytes[start] == '[')
        return false;
    const auto head = scan_entity(bytes.substr(start), enough, body_start::after_empty_line);
    return std::ranges::any_of(head.fields, [&](const auto& field) {
        return std::ranges::any_of(known, [&](auto name) { return base::iequals(field.name, name); });
    });
}

} // namespace mailtight::mail
