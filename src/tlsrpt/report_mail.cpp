// SPDX-License-Identifier: Apache-2.0
// One entry: compose(). The fields in the order in which people look for them, then the two parts.
#include "tlsrpt/report_mail.h"

#include "base/encode.h"
#include "base/text.h"
#include "tlsrpt/mail_fields.h"
#include "tlsrpt/write_report.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mailtight::tlsrpt {
namespace {

constexpr std::size_t text_width = 72;

std::string_view domain_of(std::string_view address) {
    const auto at = address.rfind('@');
    return at == std::string_view::npos ? std::string_view() : address.substr(at + 1);
}

// Two dot-atoms with an @ between, whatever the id holds (3.G5).
std::string msg_id(std::string_view id, std::string_view submitter) {
    const auto at = id.rfind('@');
    const std::string left = dot_atom(id.substr(0, at));
    const std::string right = dot_atom(at == std::string_view::npos ? submitter : id.substr(at + 1));
    return (left.empty() ? "report" : left) + "@" + (right.empty() ? "unknown.invalid" : right);
}

constexpr std::string_view bullet = "* ", hanging = "  ";

std::string paragraphs(const std::vector<std::string>& text) {
    std::string out;
    for (const auto& paragraph : text) {
        if (!out.empty())
            out += "\n\n";
        bool first = true;
        for (const auto& shown : base::split(paragraph, '\n')) {
            const bool item = shown.starts_with(bullet); // its further lines begin below its first word
            std::string_view before;
            for (const auto& line :
                 base::wrap(base::printable(shown), text_width - (item ? bullet.size() : 0))) {
                if (!std::exchange(first, false))
                    out += '\n';
                out += before;
                out += line;
                before = item ? hanging : std::string_view();
            }
        }
    }
    return out;
}

// A field's name: letters, digits and hyphens are all that anybody has use for.
bool is_field_name(std::string_view name) {
    return !name.empty() && name.size() < mail_line_best &&
           std::ranges::all_of(name, [](char c) { return base::is_alnum(c) || c == '-'; });
}

std::string mailbox(std::string_view name, std::string_view address) {
    const std::string shown = name.empty() ? "" : display_name(name);
    return (shown.empty() ? "<" : shown + " <") + bare_address(address) + ">";
}

} // namespace

std::string compose(const report_mail& what) {
    const std::string submitter(domain_of(bare_address(what.from)));
    const std::string id = msg_id(what.report_id, submitter);
    const std::string text = paragraphs(what.text);
    // `=_` stands neither in base64 nor in quoted-printable, and a text cannot hold its own hash.
    const std::string boundary =
        "=_" + base::hex(base::sha256(id + what.message_unique + text)).substr(0, 32);

    std::string out;
    out.reserve(4096 + text.size() + what.body.size() * 3 / 2);
    append_field(
        out, "Date",
        fmt::format("{:%a, %d %b %Y %H:%M:%S} +0000", fmt::gmtime(what.date.time_since_epoch().count())));
    append_field(out, "From", mailbox(what.from_name, what.from));
    append_field(out, "To", mailbox("", what.to));
    append_field(out, "Subject", report_subject{what.report_domain, submitter, id}.to_string()); // 8460-5.3-i
    append_field(out, "Message-ID",
                 what.message_unique.empty() ? "<" + id + ">"
                                             : "<" + dot_atom(what.message_unique) + "." + id + ">");
    append_field(out, "TLS-Report-Domain", what.report_domain); // 8460-5.3-e
    append_field(out, "TLS-Report-Submitter", submitter);       // 8460-5.3-f
    append_field(out, "TLS-Required", "No");                    // 8460-3-g, 8460-5.3.1-a: RFC 8689
    append_field(out, "Auto-Submitted", "auto-generated");
    for (const auto& [name, value] : what.more)
        if (is_field_name(name))
            append_field(out, name, free_text(value));
    append_field(out, "MIME-Version", "1.0");
    append_field(out, "Content-Type", // 8460-5.3-b
                 "multipart/report; report-type=\"tlsrpt\"; boundary=\"" + boundary + "\"");

    out += "\r\n--" + boundary + "\r\n"; // 8460-5.3-c: for people, then for machines
    append_text_part(out, text);
    out += "--" + boundary + "\r\n";
    append_field(out, "Content-Type", "application/tlsrpt+gzip"); // 8460-5.3-d, 8460-6.4-a: no parameters
    append_field(out, "Content-Transfer-Encoding", "base64");
    append_field(out, "Content-Disposition", "attachment; " + file_name_parameter(what.file_name));
    out += "\r\n";
    append_base64(out, what.body);
    out += "--" + boundary + "--\r\n";
    return out;
}

} // namespace mailtight::tlsrpt
