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
    if (has_no_capitals(text))
        return;
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

// What a member says, as it stands in the parser's memory.
struct plain_detail {
    std::array<std::string_view, fields.size()> texts; // by field
    std::uint64_t count = 0;
};

// The only field whose name has so many letters.
constexpr std::size_t longest_name = std::ranges::max(fields, {}, &std::string_view::size).size();
constexpr std::uint8_t no_field = 0xFF;
constexpr auto field_by_length = [] {
    std::array<std::uint8_t, longest_name + 1> out;
    out.fill(no_field);
    for (std::uint8_t i = 0; i < fields.size(); ++i) {
        if (out.at(fields.at(i).size()) != no_field)
            throw "two names are as long"; // while compiling
        out.at(fields.at(i).size()) = i;
    }
    return out;
}();

// Of names as long: their first eight letters, their last eight and eight between are all there is.
constexpr std::size_t shortest_name = std::ranges::min(fields, {}, &std::string_view::size).size();
static_assert(shortest_name >= 8 && longest_name <= 24);
bool is_field(std::string_view name, unsigned which) {
    const std::size_t last = name.size() - 8, middle = std::min<std::size_t>(last, 8);
    const char *a = name.data(), *b = fields[which].data();
    return ((eight_bytes(a) ^ eight_bytes(b)) | (eight_bytes(a + middle) ^ eight_bytes(b + middle)) |
            (eight_bytes(a + last) ^ eight_bytes(b + last))) == 0;
}

// A detail about which there is nothing to say: registered names, each once, plain texts, a count. False
// where it is any other, or may be.
bool read_plain(dom::object object, const reading& r, plain_detail& into) {
    unsigned seen = 0;
    for (const auto member : object) {
        const std::string_view name = member.key;
        const unsigned which = name.size() <= longest_name ? field_by_length[name.size()] : no_field;
        if (which == no_field || !is_field(name, which))
            return false;
        const unsigned bit = 1U << which;
        if (seen & bit)
            return false;
        seen |= bit;
        if (which == count) {
            if (!member.value.is_int64())
                return false;
            const std::int64_t number = member.value.get_int64().value_unsafe();
            if (number < 0 || static_cast<std::uint64_t>(number) > safe_integer)
                return false;
            into.count = static_cast<std::uint64_t>(number);
            continue;
        }
        if (!member.value.is_string())
            return false;
        const std::string_view text = member.value.get_string().value_unsafe();
        if (text.size() > r.limits.text_bytes || !(r.all_plain || is_plain(text)))
            return false;
        into.texts[which] = text;
    }
    const auto& texts = into.texts;
    const auto is_settled = [](std::string_view address) {
        return address.empty() || is_plain_address(address);
    };
    return (seen >> count & 1U) != 0 && parse_result_type(texts[type]) && is_settled(texts[sending_ip]) &&
           is_settled(texts[receiving_ip]) && (texts[information].empty() || is_uri(texts[information]));
}

// Becomes the string where it is to stand.
struct copied {
    std::string_view text;
    operator std::string() const { return std::string(text); }
};

void add_plain(const plain_detail& d, std::vector<failure_detail>& into) {
    const auto& texts = d.texts;
    auto& added = into.emplace_back(copied{texts[type]}, d.count, copied{texts[sending_ip]},
                                    copied{texts[mx]}, copied{texts[helo]}, copied{texts[receiving_ip]},
                                    copied{texts[information]}, copied{texts[reason]});
    settle_mx(added.receiving_mx);
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
    const dom::object object = value.get_object().value_unsafe();
    if (plain_detail plain; read_plain(object, r, plain)) {
        add_plain(plain, into);
        return;
    }
    auto& d = into.emplace_back();
    bool counted = false;
    each_member(
        object, fields, other_fields, at, r,
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
