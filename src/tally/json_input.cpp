// SPDX-License-Identifier: Apache-2.0
#include "tally/json_input.h"

#include "base/text.h"
#include "mail/domain_name.h"
#include "tally/clean_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>

namespace mailtight::tally {
namespace {

namespace dom = simdjson::dom;
using kind = read_error::kind;

constexpr std::size_t depth = 16;         // a result needs 6
constexpr std::size_t least_room = 4'096; // of the parser, so that it does not grow step by step
constexpr std::size_t kept_room = std::size_t{1} << 20;

} // namespace

std::string to_string(const place& where) {
    std::string out = where.above ? to_string(*where.above) : std::string();
    if (!where.name.empty())
        return (out.empty() ? out : out + '.') + base::printable(where.name, 60);
    return where.above ? fmt::format("{}[{}]", out, where.index) : out;
}

read_failure refuse(kind code, const place& where, std::string words) {
    return read_failure({code, to_string(where), std::move(words)});
}

simdjson::error_code json_input::parse(std::string_view bytes, dom::element& into) {
    const std::size_t room = bytes.size() + simdjson::SIMDJSON_PADDING;
    if (padded_.size() < room)
        padded_.resize(std::bit_ceil(std::max(room, least_room)));
    std::ranges::copy(bytes, padded_.begin());
    if (parser_.capacity() < bytes.size() || parser_.capacity() == 0)
        if (const auto error = parser_.allocate(std::bit_ceil(std::max(bytes.size(), least_room)), depth);
            error != simdjson::SUCCESS)
            return error;
    return parser_.parse(padded_.data(), bytes.size(), false).get(into);
}

std::expected<dom::object, read_error> json_input::object(std::string_view bytes, std::size_t most) {
    if (bytes.size() > most)
        return refuse(kind::too_large, {}, fmt::format("{} bytes are more than {}", bytes.size(), most));
    if (parser_.capacity() > kept_room) { // one large input must not cost its memory for ever
        parser_ = dom::parser();
        padded_ = std::string();
    }
    dom::element top;
    auto error = parse(bytes, top);
    if (error != simdjson::SUCCESS && !base::is_utf8(bytes))
        error = parse(mend_utf8(bytes), top);
    if (error == simdjson::DEPTH_ERROR)
        return refuse(kind::not_json, {}, "it is nested too deeply");
    if (error != simdjson::SUCCESS)
        return refuse(kind::not_json, {}, bytes.empty() ? "there is nothing" : "it is no JSON");
    if (!top.is_object())
        return refuse(kind::not_an_object, {}, "it is JSON, but no object");
    return top.get_object().value_unsafe();
}

bool is_absent(dom::element value) {
    return value.is_null() || (value.is_string() && value.get_string().value_unsafe().empty());
}

std::expected<std::string, read_error> read_text(dom::element value, const place& at, std::size_t most) {
    if (value.is_string())
        return clean_text(value.get_string().value_unsafe(), most);
    if (value.is_null())
        return std::string();
    return refuse(kind::field, at, "a text is expected");
}

std::optional<std::int64_t> as_number(dom::element value) {
    std::int64_t number = 0;
    if (value.is_string()) {
        const auto text = base::trim(value.get_string().value_unsafe());
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (text.empty() || error != std::errc{} || end != text.data() + text.size())
            return std::nullopt;
        return number;
    }
    if (value.is_int64())
        return value.get_int64().value_unsafe();
    if (double real = 0; value.is_double() && value.get_double().get(real) == simdjson::SUCCESS)
        if (real > -1e9 && real < 1e9 && real == static_cast<double>(static_cast<std::int64_t>(real)))
            return static_cast<std::int64_t>(real);
    return std::nullopt;
}

std::expected<bool, read_error> read_flag(dom::element value, const place& at) {
    if (value.is_bool())
        return value.get_bool().value_unsafe();
    if (const auto number = as_number(value); number && (*number == 0 || *number == 1))
        return *number == 1;
    return refuse(kind::field, at, "0 or 1 is expected");
}

std::optional<std::string> as_domain(std::string_view text) {
    auto name = mail::canonical_name(text);
    if (!name)
        name = mail::to_ascii(mail::with_plain_dots(text));
    if (!name || base::ip_address::parse(*name))
        return std::nullopt;
    return name;
}

std::string as_host(std::string_view text, std::size_t most) {
    if (auto name = mail::canonical_name(text))
        return std::move(*name);
    return clean_text(text, most);
}

std::string as_address(std::string_view text) {
    const auto address = base::ip_address::parse(text);
    return address ? address->to_string() : std::string();
}

} // namespace mailtight::tally
