// SPDX-License-Identifier: Apache-2.0
#include "deliver/compose_clean.h"

#include "base/encode.h"
#include "base/host_name.h"
#include "base/ip.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/utf8.h"
#include "mail/domain_name.h"

#include <algorithm>
#include <utility>

namespace mailtight::deliver {
namespace {

using tlsrpt::policy_type;
using tlsrpt::result_type;

constexpr std::size_t line_bytes = base::limits::policy_bytes; // a policy is no longer, so no line is
constexpr std::size_t name_bytes = 255;
constexpr std::size_t words_bytes = 300;

bool is_control(char32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0);
}
bool is_noncharacter(char32_t c) {
    return (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFEU) == 0xFFFE;
}
bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < '\x7f'; });
}

std::string_view cut(std::string_view text, std::size_t most) {
    if (text.size() <= most)
        return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U)
        --most;
    return text.substr(0, most);
}

// The pieces between any of the separators, as single lines; empty ones are left out.
template<class Take>
void each_piece(std::string_view text, std::string_view separators, Take take) {
    while (!text.empty()) {
        const auto end = text.find_first_of(separators);
        if (auto piece = one_line(text.substr(0, end), line_bytes); !piece.empty())
            take(std::move(piece));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
}

// A25: `usage selector matching HEX`, single blanks, upper case; "" where it is none.
std::string tlsa_text(std::string_view line) {
    const auto is_number = [](std::string_view w) {
        return w.size() <= 3 && std::ranges::all_of(w, base::is_digit);
    };
    std::string numbers, data;
    int words = 0;
    for (const auto word : base::split(line, ' ')) {
        if (word.empty())
            continue;
        if (++words <= 3) {
            if (!is_number(word))
                return "";
            (numbers += word) += ' ';
            continue;
        }
        data += word;
    }
    for (char& c : data)
        c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
    return data.empty() || !base::unhex(data) ? "" : numbers + data;
}

// No label of a real name begins or ends with a hyphen (RFC 1123 §2.1).
bool is_name(std::string_view text) {
    return base::is_host_name(text) && !text.starts_with('-') && !text.ends_with('-') &&
           text.find(".-") == text.npos && text.find("-.") == text.npos;
}

bool is_pattern(std::string_view text) {
    if (text.starts_with("*."))
        text.remove_prefix(2);
    return is_name(text);
}

// `mx: ` and something that is no pattern: no policy that can be applied has such a line.
bool is_broken_mx_line(std::string_view line) {
    return base::iequals(line.substr(0, 3), "mx:") && !is_pattern(base::trim(line.substr(3)));
}

std::vector<std::string> clean_strings(const std::vector<std::string>& from, policy_type type) {
    std::vector<std::string> out;
    const auto take = [&](std::string line) {
        if (type == policy_type::tlsa)
            line = tlsa_text(line);
        // A list within a text, as one reporter writes it, is no line of any policy.
        if (!line.empty() && line.front() != '[' && !is_broken_mx_line(line))
            out.push_back(std::move(line));
    };
    for (const auto& text : from)
        each_piece(text, type == policy_type::tlsa ? "\r\n;" : "\r\n", take);
    if (type == policy_type::sts && out.size() == 1) { // the lines of a policy, joined
        const auto joined = std::move(out.front());
        out.clear();
        each_piece(joined, ";", take);
    }
    return out;
}

void add_pattern(std::vector<std::string>& to, std::string_view pattern) {
    pattern = base::trim(pattern);
    while (base::iequals(pattern.substr(0, 3), "mx:"))
        pattern = base::trim(pattern.substr(3));
    while (pattern.ends_with('.')) // A48
        pattern.remove_suffix(1);
    if (is_pattern(pattern))
        to.push_back(base::lower(pattern));
}

std::vector<std::string> clean_patterns(const std::vector<std::string>& from,
                                        const std::vector<std::string>& policy) {
    std::vector<std::string> out;
    for (const auto& text : from)
        each_piece(text, ",;\r\n", [&](const std::string& piece) { add_pattern(out, piece); });
    if (out.empty()) // A24
        for (const auto& line : policy)
            if (base::iequals(std::string_view(line).substr(0, 3), "mx:"))
                each_piece(std::string_view(line).substr(3), ",;",
                           [&](const std::string& piece) { add_pattern(out, piece); });
    return out;
}

std::string clean_host(std::string_view text) {
    text = base::trim(text);
    if (text.ends_with('.'))
        text.remove_suffix(1);
    return is_name(text) ? base::lower(text) : "";
}

// The name in the first line of a greeting or of a whole reply to EHLO.
std::string clean_helo(std::string_view text) {
    const auto first = text.find_first_not_of("\r\n \t");
    if (first == std::string_view::npos)
        return "";
    text = text.substr(first);
    text = text.substr(0, text.find_first_of("\r\n"));
    const bool code = text.size() > 4 && std::ranges::all_of(text.substr(0, 3), base::is_digit) &&
                      (text[3] == '-' || text[3] == ' ');
    if (code)
        text = base::trim(text.substr(4));
    const auto line = one_line(text, name_bytes);
    return line.substr(0, line.find(' '));
}

bool is_web_address(std::string_view text) {
    const auto scheme = text.substr(0, text.find(':'));
    if (scheme != "https" && scheme != "http")
        return false;
    const auto rest = text.substr(scheme.size());
    return rest.starts_with("://") && rest.size() > 3 && base::is_alnum(rest[3]) &&
           std::ranges::all_of(text, [](char c) {
               return base::is_alnum(c) ||
                      std::string_view("-._~:/?#[]@!$&'()*+,;=%").find(c) != std::string_view::npos;
           });
}

} // namespace

std::string one_line(std::string_view text, std::size_t bytes_max) {
    text = base::trim(text);
    if (is_plain(text))
        return std::string(base::trim(text.substr(0, bytes_max)));
    std::string out;
    for (std::size_t at = 0; at < text.size() && out.size() <= bytes_max;) {
        const auto c = base::utf8_at(text, at);
        at += c ? c->length : 1;
        if (c && is_control(c->code_point)) {
            if (!out.ends_with(' '))
                out += ' ';
        } else {
            base::append_utf8(out, !c || is_noncharacter(c->code_point) ? char32_t{0xFFFD} : c->code_point);
        }
    }
    return std::string(base::trim(cut(out, bytes_max)));
}

std::string clean_address(const std::string& text) {
    if (text.empty())
        return "";
    const auto address = base::ip_address::parse(text);
    return address ? address->to_string() : "";
}

model::applied_policy clean_policy(const model::applied_policy& of, const std::string& otherwise) {
    model::applied_policy out;
    out.type = of.type;
    out.domain = mail::canonical_name(of.domain).value_or(otherwise); // 8460-5.1-c: A-labels
    if (!is_name(out.domain))
        out.domain = otherwise;
    if (of.type == policy_type::no_policy_found) // A23
        return out;
    out.strings = clean_strings(of.strings, of.type);
    if (of.type == policy_type::sts) // A24
        out.mx_patterns = clean_patterns(of.mx_patterns, out.strings);
    return out;
}

model::session_fault clean_fault(const model::session_fault& of, bool sending_address) {
    model::session_fault out;
    out.type = of.type;
    if (sending_address)
        out.sending_mta_ip = clean_address(of.sending_mta_ip);
    out.receiving_ip = clean_address(of.receiving_ip);
    out.receiving_mx = clean_host(of.receiving_mx);
    out.receiving_mx_helo = clean_helo(of.receiving_mx_helo);
    out.reason_code = one_line(of.reason_code, words_bytes);
    if (const auto information = one_line(of.additional_information, words_bytes);
        is_web_address(information))
        out.additional_information = information;
    else if (!information.empty()) // A26: the member holds a URI; words belong to the reason
        out.reason_code += (out.reason_code.empty() ? "" : "; ") + information;
    if (out.reason_code.empty() &&
        (of.type == result_type::certificate_not_trusted || of.type == result_type::validation_failure))
        out.reason_code = "reason-not-told"; // 8460-4.3.1-d, 8460-4.3.1-e: one should be there
    return out;
}

} // namespace mailtight::deliver
