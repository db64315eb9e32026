// SPDX-License-Identifier: Apache-2.0
// Entry: read_bounce(). The parts of the mail are walked once: the delivery status (RFC 3464, RFC 6533) says
// who and why, what was returned says which report; a bounce of old Exim has both in plain text.
#include "deliver/bounce.h"

#include "base/text.h"
#include "deliver/compose_clean.h"
#include "mail/message_scan.h"
#include "mail/message_values.h"

#include <algorithm>
#include <vector>

namespace mailtight::deliver {
namespace {

constexpr std::size_t message_bytes = 1U << 20U; // what was returned may be long, its header is not
constexpr std::size_t header_bytes = 64 * 1024;
constexpr std::size_t parts_max = 20;
constexpr int depth_max = 3;
constexpr std::size_t address_bytes = 320;
constexpr std::size_t words_bytes = 300;
constexpr std::size_t id_bytes = 900;

/// `TAG.YYYYMMDD.HASH.DOMAIN@SUBMITTER`, as make_mail() and make_report() write it (A28). Empty where it is
/// none of ours.
struct message_id {
    std::string tag, report;
};

message_id read_message_id(std::string_view text) {
    constexpr std::size_t hash_letters = 16;
    const auto is_ours = [](std::string_view id) {
        const auto digits = id.substr(0, std::min<std::size_t>(id.size(), 8));
        if (digits.size() < 8 || !std::ranges::all_of(digits, base::is_digit) ||
            !id.substr(8).starts_with('.'))
            return false;
        const auto hash = id.substr(9, hash_letters);
        return hash.size() == hash_letters && std::ranges::all_of(hash, base::is_alnum) &&
               id.substr(9 + hash_letters).starts_with('.') && id.find('@') != std::string_view::npos;
    };
    text = base::trim(text.substr(0, id_bytes + 2)); // of a list only its first
    if (text.starts_with('<'))
        text.remove_prefix(1);
    text = text.substr(0, text.find_first_of("<> \t\r\n"));
    if (text.size() > id_bytes || !std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; }))
        return {};
    const auto dot = text.find('.');
    if (dot == 0 || dot == std::string_view::npos || !is_ours(text.substr(dot + 1)))
        return {};
    return {std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
}

// The first id of ours in a list such as References.
message_id any_message_id(std::string_view value) {
    for (std::size_t at = 0; (at = value.find('<', at)) != std::string_view::npos; ++at)
        if (auto id = read_message_id(value.substr(at)); !id.report.empty())
            return id;
    return {};
}

// `rfc822; user@example.com`, `rfc822;user@example.com`, `<user@example.com>`.
std::string address_of(std::string_view value) {
    if (const auto type = value.find(';'); type != std::string_view::npos)
        value.remove_prefix(type + 1);
    value = base::trim(value);
    if (value.starts_with('<') && value.ends_with('>'))
        value = value.substr(1, value.size() - 2);
    const auto out = one_line(value, address_bytes + 1);
    return out.size() > address_bytes || out.find('@') == std::string::npos ? "" : out;
}

struct recipient_status {
    std::string recipient, action, status, words;
    bool failed() const { return base::iequals(action, "failed"); }
    bool permanent() const { return failed() && status.starts_with('5'); }
};

// Foldings leave runs of blanks.
std::string shown(std::string words) {
    const auto repeated =
        std::ranges::unique(words, [](char a, char b) { return base::is_wsp(a) && base::is_wsp(b); });
    words.erase(repeated.begin(), repeated.end());
    return one_line(base::printable(one_line(words, words_bytes), words_bytes), words_bytes);
}

// The blocks of fields behind each other; the first is about the message.
std::vector<recipient_status> read_status(std::string_view body) {
    std::vector<recipient_status> out;
    for (std::size_t blocks = 0; blocks < parts_max && !body.empty(); ++blocks) {
        const auto first = body.find_first_not_of("\r\n");
        if (first == std::string_view::npos)
            break;
        body.remove_prefix(first);
        const auto lf = std::min(body.find("\n\n"), body.size()),
                   crlf = std::min(body.find("\n\r\n"), body.size());
        const auto end = std::min(lf, crlf);
        const auto fields =
            mail::scan_entity(body.substr(0, end), header_bytes, mail::body_start::after_empty_line);
        body.remove_prefix(end);
        recipient_status one;
        one.recipient = address_of(mail::unfold(fields.field("Final-Recipient")));
        if (one.recipient.empty())
            one.recipient = address_of(mail::unfold(fields.field("Original-Recipient")));
        one.action = base::trim(mail::unfold(fields.field("Action")));
        one.status = base::trim(mail::unfold(fields.field("Status")));
        auto words = mail::unfold(fields.field("Diagnostic-Code"));
        if (const auto type = words.find(';'); type < 20)
            words.erase(0, type + 1);
        one.words = shown(std::move(words));
        if (!one.recipient.empty())
            out.push_back(std::move(one));
    }
    return out;
}

struct found {
    std::vector<recipient_status> recipients;
    message_id id;
};

void walk(std::string_view bytes, int depth, found& to) {
    const auto entity = mail::scan_entity(bytes, header_bytes, mail::body_start::tolerant);
    const auto type = mail::read_content_type(entity.field("Content-Type"));
    if (type.is("multipart") && depth < depth_max) {
        for (const auto part : mail::scan_parts(entity.body, type.boundary, parts_max).parts)
            walk(part, depth + 1, to);
        return;
    }
    const auto& name = type.media_type;
    if (name == "message/delivery-status" || name == "message/global-delivery-status") {
        if (to.recipients.empty())
            to.recipients = read_status(entity.body);
    } else if (name == "message/rfc822" || name == "message/global" || name == "text/rfc822-headers" ||
               name == "message/rfc822-headers" || name == "message/global-headers") {
        const auto returned =
            mail::scan_entity(entity.body, header_bytes, mail::body_start::after_empty_line);
        if (to.id.report.empty())
            to.id = read_message_id(mail::unfold(returned.field("Message-ID")));
    }
}

// Exim before 4.90 or so: the addresses in a field of its own, the returned header behind a line of dashes.
std::optional<bounce> read_plain(const mail::raw_entity& top) {
    const auto failed = mail::unfold(top.field("X-Failed-Recipients"));
    if (failed.empty())
        return std::nullopt;
    bounce out;
    message_id id;
    out.recipient = address_of(std::string_view(failed).substr(0, failed.find(',')));
    out.permanent = top.body.find("permanent error") != std::string_view::npos;
    const auto copy = top.body.find("This is a copy of ");
    if (copy == std::string_view::npos)
        return std::nullopt;
    auto rest = top.body.substr(copy);
    for (std::size_t at = 0; (at = rest.find('\n', at)) != std::string_view::npos && id.report.empty();) {
        ++at;
        constexpr std::string_view name = "message-id:";
        if (base::iequals(rest.substr(at, name.size()), name))
            id = any_message_id(rest.substr(at, id_bytes + name.size() + 8));
    }
    if (id.report.empty() || out.recipient.empty())
        return std::nullopt;
    out.tag = std::move(id.tag);
    out.report_id = std::move(id.report);
    return out;
}

} // namespace

std::optional<bounce> read_bounce(std::string_view message) {
    message = message.substr(0, message_bytes);
    const auto top = mail::scan_entity(message, header_bytes, mail::body_start::after_empty_line);
    found all;
    walk(message, 0, all);
    if (all.recipients.empty())
        return read_plain(top);
    if (all.id.report.empty()) // some return nothing, and name the mail that they answer
        all.id = any_message_id(mail::unfold(top.field("In-Reply-To")));
    if (all.id.report.empty())
        all.id = any_message_id(mail::unfold(top.field("References")));
    if (all.id.report.empty())
        return std::nullopt;
    auto it = std::ranges::find_if(all.recipients, &recipient_status::permanent);
    if (it == all.recipients.end())
        it = std::ranges::find_if(all.recipients, &recipient_status::failed);
    if (it == all.recipients.end())
        it = all.recipients.begin();
    return bounce{std::move(all.id.tag), std::move(all.id.report), it->recipient, it->permanent(), it->words};
}

} // namespace mailtight::deliver
