// SPDX-License-Identifier: Apache-2.0
// Entry: make_mail().
#include "base/compress.h"
#include "deliver/compose.h"
#include "deliver/report_letter.h"
#include "tlsrpt/read_report.h"

#include <fmt/format.h>

namespace mailtight::deliver {
namespace {

// A report beyond it would be inflated and read for three lines of text.
constexpr std::size_t read_again_bytes = 1U << 20U;

const tlsrpt::report* content_of(const std::string& body, std::optional<tlsrpt::report>& into) {
    thread_local tlsrpt::report_reader reader; // keeps its buffers
    if (body.empty() || body.size() > read_again_bytes)
        return nullptr;
    const auto json = base::gunzip(body, {.bytes = 64 * read_again_bytes});
    if (!json)
        return nullptr;
    auto read = reader.read_json(json->bytes);
    if (!read)
        return nullptr;
    return &into.emplace(std::move(*read));
}

} // namespace

std::string make_mail(const reporter& who, const model::outgoing_report& what,
                      const model::outgoing_delivery& to, std::span<const mail::dkim_signer> keys,
                      base::utc_seconds now) {
    std::optional<tlsrpt::report> content;
    tlsrpt::report_mail mail;
    mail.from_name = who.organization;
    mail.from = who.address(); // 8460-5.3-f
    mail.to = to.address;
    mail.report_domain = what.domain;
    mail.report_id = what.report_id;
    mail.message_unique = to.tag; // the same whenever the same delivery is tried again
    mail.file_name = what.file_name;
    mail.text = letter_text(who, what, content_of(what.body, content));
    mail.body = what.body;
    mail.date = now;
    const std::string message = tlsrpt::compose(mail);
    return mail::sign_dkim(message, keys, now) + message; // 8460-3-j, 8463
}

} // namespace mailtight::deliver
