// SPDX-License-Identifier: Apache-2.0
// Failure details: where a large report spends its time, so a well-formed one costs its copies and no more.
#include "base/ip.h"
#include "base/text.h"
#include "tlsrpt/policy_fields.h"

#include <algorithm>

namespace mailtight::tlsrpt {
namespace {

namespace dom = simdjson::dom;

enum field : unsigned { type, sending_ip, mx, helo, receiving_ip, count, information, reason };
constexpr std::array<std::string_view, 8> fields{
    "result-type",  "sending-mta-ip",       "receiving-mx-hostname",  "receiving-mx-helo",
    "receiving-ip", "failed-session-count", "additional-information", "failure-reason-code"};
constexpr std::array<other_name, 6> other_fields{{{"additional-info-uri", information}, // A26
                                                  {"additional-info", information},
                                                  {"additional-information-uri", information},
                                                  {"failure-error-code", reason},
                                                  {"failure-reason", reason},
                                                  {"receiving-mx", mx}}};

void settle_type(std::string& text, const place& at, reading& r) {
    if (text.empty() || parse_result_type(text))
        return;
    std::string folded = base::lower(base::trim(text));
    std::ranges::replace(folded, '_', '-');
    if (!parse_result_type(folded)) {
        r.notes.add(quirk::result_type_unknown, at, text); // 8460-4.3-a: kept as it is
        return;
    }
    r.notes.add(quirk::result_type_case, at, text);
    text = std::move(folded);
}

// `192.0.2.1` in the form that nothing is to be done about.
bool is_plain_v4(std::string_view text) {
    unsigned octet = 0, digits = 0, dots = 0;
    for (const char c : text) {
        if (c == '.') {
            if (digits == 0)
                return false;
            ++dots;
            octet = digits = 0;
        } else if (!base::is_digit(c) || (digits > 0 && octet == 0)) {
            return false;
        } else {
            octet = octet * 10 + static_cast<unsigned>(c - '0');
            ++digits;
            if (octet > 255)
                return false;
        }
    }
    return dots == 3 && digits > 0;
}

// IPv6 that is canonical beyond doubt (RFC 5952): lower-case groups without leading zeros, no two zero groups
// side by side but behind one "::", which hides two or more. What fails here is asked of the real parser.
bool is_plain_v6(std::string_view text) {
    unsigned groups = 0, digits = 0;
    bool gap = false, zero = false, zero_before = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (base::is_digit(c) || (c >= 'a' && c <= 'f')) {
            if (zero || digits == 4)
                return false;
            zero = digits == 0 && c == '0';
            ++digits;
            continue;
        }
        if (c != ':')
            return false;
        if (digits > 0) {
            if (zero && zero_before)
                return false;
            zero_before = zero;
            ++groups;
            digits = 0;
            zero = false;
        }
        if (i + 1 < text.size() && text[i + 1] == ':') {
            if (gap || zero_before)
                return false;
            gap = true;
            ++i;
            if (i + 1 < text.size() && text[i + 1] == '0') // a zero next to it belongs into it
                return false;
        } else if (i == 0 || i + 1 == text.size()) {
            return false;
        }
    }
    if (digits > 0) {
        if (zero && zero_before)
            return false;
        ++groups;
    }
    return gap ? groups <= 6 : groups == 8;
}

void settle_address(std::string& text, const place& at, reading& r) {
    if (text.empty() || is_plain_v4(text) || is_plain_v6(text))
        return;
    std::string_view bare = base::trim(text);
    if (bare.starts_with('[') && bare.ends_with(']'))
        bare = bare.substr(1, bare.size() - 2);
    if (base::iequals(bare.substr(0, 5), "ipv6:"))
        bare.remove_prefix(5);
    const auto address = base::ip_address::parse(bare);
    if (!address) {
        r.notes.add(quirk::address_odd, at, text);
        return;
    }
    std::string canonical = address->to_string();
    if (canonical == text)
        return;
    r.notes.add(quirk::address_not_canonical, at, text);
    text = std::move(canonical);
}

void settle_mx(std::string& text) {
    if (text.ends_with('.'))
        text.pop_back();
    for (char& c : text)
        c = base::to_lower(c);
}

// The whole reply to EHLO stands there at times.
void settle_helo(std::string& text, const place& at, reading& r) {
    const auto end = text.find_first_of("\r\n");
    if (end == std::string::npos)
        return;
    r.notes.add(quirk::helo_several_lines, at, text);
    const auto from = text.find_first_not_of("\r\n");
    const auto first = std::string_view(text).substr(std::min(from, text.size()));
    text = std::string(base::trim(first.substr(0, first.find_first_of("\r\n"))));
}

bool is_uri(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == 0 || colon == std::string_view::npos || !base::is_alpha(text.front()))
        return false;
    const auto in_scheme = [](char c) { return base::is_alnum(c) || c == '+' || c == '-' || c == '.'; };
    const auto in_uri = [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '<' && c != '>'; };
    return std::ranges::all_of(text.substr(0, colon), in_scheme) && std::ranges::all_of(text, in_uri);
}

void read_field(unsigned which, dom::element value, const place& at, reading& r, failure_detail& d) {
    switch (which) {
    case type:
        read_text(value, at, r, d.result_type);
        settle_type(d.result_type, at, r);
        break;
    case sending_ip:
        read_text(value, at, r, d.sending_mta_ip);
        settle_address(d.sending_mta_ip, at, r);
        break;
    case mx:
        read_text(value, at, r, d.receiving_mx);
        settle_mx(d.receiving_mx);
        break;
    case helo:
        if (!read_text(value, at, r, d.receiving_mx_helo))
            settle_helo(d.receiving_mx_helo, at, r);
        break;
    case receiving_ip:
        read_text(value, at, r, d.receiving_ip);
        settle_address(d.receiving_ip, at, r);
        break;
    case count:
        d.count = read_count(value, at, r);
        break;
    case information:
        read_text(value, at, r, d.additional_information);
        if (!d.additional_information.empty() && !is_uri(d.additional_information))
            r.notes.add(quirk::additional_information_no_uri, at, d.additional_information);
        break;
    case reason:
        read_text(value, at, r, d.reason_code);
        break;
    default:
        break;
    }
}

void read_detail(dom::element value, const place& at, reading& r, std::vector<failure_detail>& into) {
    if (!value.is_object()) {
        r.notes.add(quirk::wrong_type, at, simdjson::minify(value));
        return;
    }
    if (r.details_left == 0) {
        r.into.truncated = true;
        r.notes.add(quirk::truncated, "", "failure details");
        return;
    }
    --r.details_left;
    auto& d = into.emplace_back();
    bool counted = false;
    each_member(
        value.get_object().value_unsafe(), fields, other_fields, at, r,
        [&](unsigned which, dom::element v, const place& here) {
            counted = counted || which == count;
            read_field(which, v, here, r, d);
        },
        [](std::string_view, dom::element) {});
    if (d.result_type.empty())
        r.notes.add(quirk::result_type_missing, place{&at, fields[type]});
    if (!counted)
        r.notes.add(quirk::count_missing, place{&at, fields[count]});
}

} // namespace

void read_details(dom::element value, const place& at, reading& r, std::vector<failure_detail>& into) {
    if (value.is_array()) {
        const dom::array list = value.get_array().value_unsafe();
        into.reserve(into.size() + std::min(list.size(), r.details_left));
        place here{&at, {}, 0};
        for (const auto element : list) {
            read_detail(element, here, r, into);
            ++here.index;
        }
    } else if (!is_blank(value)) {
        r.notes.add(quirk::details_not_array, at, simdjson::minify(value));
        read_detail(value, at, r, into);
    }
}

} // namespace mailtight::tlsrpt
