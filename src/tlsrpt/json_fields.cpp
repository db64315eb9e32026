// SPDX-License-Identifier: Apache-2.0
#include "tlsrpt/json_fields.h"

#include "base/text.h"
#include "base/utf8.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace mailtight::tlsrpt {
namespace {

namespace dom = simdjson::dom;

constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max(); // what databases hold

bool is_noncharacter(char32_t c) {
    return (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFEU) == 0xFFFE;
}

void take_odd_text(std::string_view text, const place& at, reading& r, std::string& into) {
    into.clear();
    into.reserve(text.size());
    bool control = false, none = false, surrogate = false;
    for (std::size_t i = 0; i < text.size();) {
        const auto c = base::utf8_at(text, i);
        if (!c) { // an escaped half of a pair, which one parser lets pass
            surrogate = true;
            base::append_utf8(into, 0xFFFD);
            ++i;
            while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U)
                ++i;
            continue;
        }
        none = none || is_noncharacter(c->code_point);
        control = control || (c->code_point < 0x20 && c->code_point != '\t' && c->code_point != '\n' &&
                              c->code_point != '\r');
        if (c->code_point == 0) // databases refuse it
            base::append_utf8(into, 0xFFFD);
        else
            into += text.substr(i, c->length);
        i += c->length;
    }
    if (surrogate)
        r.notes.add(quirk::lone_surrogate, at);
    if (none)
        r.notes.add(quirk::noncharacter, at, into);
    if (control)
        r.notes.add(quirk::control_character, at, into);
}

void take_text(std::string_view text, const place& at, reading& r, std::string& into) {
    if (text.size() > r.limits.text_bytes) {
        r.notes.add(quirk::truncated, at, text);
        r.into.truncated = true;
        text = bounded(text, r.limits.text_bytes);
    }
    if (r.all_plain || is_plain(text))
        into.assign(text);
    else
        take_odd_text(text, at, r, into);
}

std::uint64_t within(std::uint64_t count, const place& at, reading& r) {
    if (count > safe_integer)
        r.notes.add(quirk::number_too_large, at, std::to_string(count));
    return std::min(count, most);
}

std::uint64_t count_of(double number, const place& at, reading& r, std::string_view written) {
    if (!std::isfinite(number)) {
        r.notes.add(quirk::not_a_number, at, written);
        return 0;
    }
    if (number < 0) {
        r.notes.add(quirk::count_negative, at, written);
        return 0;
    }
    r.notes.add(std::trunc(number) == number ? quirk::count_as_float : quirk::count_odd, at, written);
    if (number >= static_cast<double>(most)) {
        r.notes.add(quirk::number_too_large, at, written);
        return most;
    }
    return within(static_cast<std::uint64_t>(number), at, r);
}

std::uint64_t count_of_text(std::string_view written, const place& at, reading& r) {
    auto text = base::trim(written);
    if (text.starts_with('+'))
        text.remove_prefix(1);
    if (text.empty()) {
        r.notes.add(quirk::count_missing, at);
        return 0;
    }
    const char* end = text.data() + text.size();
    std::uint64_t whole = 0;
    const auto as_whole = std::from_chars(text.data(), end, whole);
    if (as_whole.ptr == end) {
        r.notes.add(quirk::count_as_text, at, written);
        return within(as_whole.ec == std::errc{} ? whole : std::numeric_limits<std::uint64_t>::max(), at, r);
    }
    double number = 0;
    const auto as_number = std::from_chars(text.data(), end, number);
    if (as_number.ptr != end) {
        r.notes.add(quirk::count_odd, at, written);
        return 0;
    }
    if (std::isfinite(number) && as_number.ec == std::errc{})
        r.notes.add(quirk::count_as_text, at, written);
    else if (as_number.ec != std::errc{}) // out of a double's range, either way
        number = 0;
    return count_of(number, at, r, written);
}

// Numbers and truth values in the place of a text.
std::string text_of(dom::element value) {
    return simdjson::minify(value);
}

} // namespace

std::optional<unsigned> find_other_name(std::string_view name, const std::string_view* names,
                                        std::size_t count, const other_name* others,
                                        std::size_t other_count) {
    constexpr std::size_t longest = 64;
    if (name.size() > longest)
        return std::nullopt;
    std::string folded = base::lower(name);
    for (char& c : folded)
        if (c == '_' || c == ' ')
            c = '-';
    for (std::size_t i = 0; i < count; ++i)
        if (names[i] == folded)
            return static_cast<unsigned>(i);
    for (std::size_t i = 0; i < other_count; ++i)
        if (others[i].name == folded)
            return others[i].index;
    return std::nullopt;
}

void read_odd_text(dom::element value, const place& at, reading& r, std::string& into) {
    switch (value.type()) {
    case dom::element_type::STRING:
        take_text(value.get_string().value_unsafe(), at, r, into);
        return;
    case dom::element_type::NULL_VALUE:
        into.clear();
        return;
    case dom::element_type::ARRAY: {
        std::vector<std::string> parts;
        read_texts(value, at, r, parts);
        r.notes.add(quirk::wrong_type, at, text_of(value));
        take_text(base::join(parts, ", "), at, r, into);
        return;
    }
    default: {
        const std::string text = text_of(value);
        r.notes.add(quirk::wrong_type, at, text);
        take_text(text, at, r, into);
    }
    }
}

bool read_texts(dom::element value, const place& at, reading& r, std::vector<std::string>& into) {
    if (value.type() != dom::element_type::ARRAY) {
        if (!is_blank(value)) {
            std::string text;
            read_text(value, at, r, text);
            into.push_back(std::move(text));
        }
        return value.type() == dom::element_type::NULL_VALUE;
    }
    const dom::array list = value.get_array().value_unsafe();
    into.reserve(into.size() + std::min(list.size(), r.texts_left));
    place here{&at, {}, 0};
    for (const auto element : list) {
        if (r.texts_left == 0) {
            r.notes.add(quirk::truncated, at, "texts");
            r.into.truncated = true;
            break;
        }
        --r.texts_left;
        if (element.type() == dom::element_type::STRING) {
            take_text(element.get_string().value_unsafe(), here, r, into.emplace_back());
        } else if (element.type() != dom::element_type::NULL_VALUE) {
            const std::string text = text_of(element);
            r.notes.add(quirk::wrong_type, here, text);
            take_text(text, here, r, into.emplace_back());
        }
        ++here.index;
    }
    return true;
}

std::uint64_t read_count(dom::element value, const place& at, reading& r) {
    switch (value.type()) {
    case dom::element_type::INT64: {
        const std::int64_t number = value.get_int64().value_unsafe();
        if (number < 0) {
            r.notes.add(quirk::count_negative, at, std::to_string(number));
            return 0;
        }
        return within(static_cast<std::uint64_t>(number), at, r);
    }
    case dom::element_type::UINT64:
        return within(value.get_uint64().value_unsafe(), at, r);
    case dom::element_type::DOUBLE:
        return count_of(value.get_double().value_unsafe(), at, r, text_of(value));
    case dom::element_type::STRING:
        return count_of_text(value.get_string().value_unsafe(), at, r);
    case dom::element_type::NULL_VALUE:
        r.notes.add(quirk::count_missing, at);
        return 0;
    default:
        r.notes.add(quirk::wrong_type, at, text_of(value));
        return 0;
    }
}

} // namespace mailtight::tlsrpt
