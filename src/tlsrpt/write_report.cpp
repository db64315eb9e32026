// SPDX-License-Identifier: Apache-2.0
// One entry: write_report(). Two spaces a level: people read reports too.
#include "tlsrpt/write_report.h"

#include "base/ip.h"
#include "base/text.h"
#include "base/utf8.h"

#include <algorithm>

namespace mailtight::tlsrpt {
namespace {

constexpr std::uint64_t safe_integer = 9'007'199'254'740'991; // 2^53-1, RFC 7493 §2.2

bool is_noncharacter(char32_t c) {
    return (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFEU) == 0xFFFE;
}

// A JSON string of any bytes; what I-JSON forbids becomes U+FFFD (8460-4-a).
void append_string(std::string& out, std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    constexpr char32_t replacement = 0xFFFD;
    out += '"';
    for (std::size_t at = 0; at < text.size();) {
        const auto c = base::utf8_at(text, at);
        at += c ? c->length : 1;
        const char32_t point = !c || is_noncharacter(c->code_point) ? replacement : c->code_point;
        if (point == '"' || point == '\\') {
            out += '\\';
            out += static_cast<char>(point);
        } else if (point == '\n') {
            out += "\\n";
        } else if (point == '\r') {
            out += "\\r";
        } else if (point == '\t') {
            out += "\\t";
        } else if (point < 0x20) {
            out += "\\u00";
            out += hex[point >> 4U];
            out += hex[point & 0xFU];
        } else {
            base::append_utf8(out, point);
        }
    }
    out += '"';
}

// Objects and lists with their commas and levels.
class json_writer {
public:
    void open(char bracket) {
        out_ += bracket;
        ++depth_;
        first_ = true;
    }
    void close(char bracket) {
        --depth_;
        if (!first_)
            new_line();
        out_ += bracket;
        first_ = false;
    }
    void item() {
        if (!first_)
            out_ += ',';
        first_ = false;
        new_line();
    }
    void name(std::string_view member) {
        item();
        append_string(out_, member);
        out_ += ": ";
    }
    void text(std::string_view value) { append_string(out_, value); }
    void member(std::string_view of, std::string_view value) {
        name(of);
        text(value);
    }
    void optional_member(std::string_view of, std::string_view value) {
        if (!value.empty())
            member(of, value);
    }
    void member(std::string_view of, std::uint64_t value) {
        name(of);
        out_ += std::to_string(std::min(value, safe_integer));
    }
    void member(std::string_view of, const std::vector<std::string>& values) {
        name(of);
        open('[');
        for (const auto& value : values) {
            item();
            text(value);
        }
        close(']');
    }
    std::string take() && {
        out_ += '\n';
        return std::move(out_);
    }

private:
    void new_line() {
        out_ += '\n';
        out_.append(2 * depth_, ' ');
    }
    std::string out_;
    std::size_t depth_ = 0;
    bool first_ = true;
};

std::string canonical_address(const std::string& text) { // 3.G6
    const auto address = base::ip_address::parse(text);
    return address ? address->to_string() : text;
}

void write_detail(json_writer& to, const failure_detail& d) { // 8460-4-g
    to.item();
    to.open('{');
    to.member("result-type", d.result_type);
    to.optional_member("sending-mta-ip", canonical_address(d.sending_mta_ip));
    to.optional_member("receiving-mx-hostname", d.receiving_mx);
    to.optional_member("receiving-mx-helo", d.receiving_mx_helo);
    to.optional_member("receiving-ip", canonical_address(d.receiving_ip));
    to.member("failed-session-count", d.count);
    to.optional_member("additional-information", d.additional_information); // A26
    to.optional_member("failure-reason-code", d.reason_code);
    to.close('}');
}

void write_policy(json_writer& to, const policy_result& p) {
    to.item();
    to.open('{');
    to.name("policy");
    to.open('{');
    to.optional_member("policy-type", p.type);
    const auto type = p.known_type();
    if (type != policy_type::no_policy_found && !p.strings.empty()) // A23
        to.member("policy-string", p.strings);
    to.optional_member("policy-domain", p.domain);                     // 8460-4-c
    if ((type == policy_type::sts || !type) && !p.mx_patterns.empty()) // A24: a list, and only for sts
        to.member("mx-host", p.mx_patterns);
    to.close('}');
    to.name("summary");
    to.open('{');
    to.member("total-successful-session-count", p.success);
    to.member("total-failure-session-count", p.failure);
    to.close('}');
    if (!p.details.empty()) {
        to.name("failure-details");
        to.open('[');
        for (const auto& d : p.details)
            write_detail(to, d);
        to.close(']');
    }
    to.close('}');
}

} // namespace

std::string write_report(const report& what) {
    json_writer to;
    to.open('{');
    to.member("organization-name", what.organization_name); // 8460-4-b
    to.name("date-range");
    to.open('{');
    if (what.start)
        to.member("start-datetime", base::format_utc(*what.start));
    if (what.end)
        to.member("end-datetime", base::format_utc(*what.end));
    to.close('}');
    to.member("contact-info", what.contact_info);
    to.member("report-id", what.report_id);
    to.name("policies"); // 8460-4-f
    to.open('[');
    for (const auto& p : what.policies)
        write_policy(to, p);
    to.close(']');
    to.close('}');
    return std::move(to).take();
}

} // namespace mailtight::tlsrpt
