// SPDX-License-Identifier: Apache-2.0
// Failure details: where a large report spends its time, so a well-formed one costs its copies and no more.
#include "base/ip.h"
#include "base/text.h"
#include "tlsrpt/plain_address.h"
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

void settle_address(std::string& text, const place& at, reading& r) {
    if (text.empty() || is_plain_address(text))
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
    return std::ranges::all_of(text.substr(0, colon), in_scheme) && has_only_uri_bytes(text);
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
