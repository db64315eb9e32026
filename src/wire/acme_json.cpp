// SPDX-License-Identifier: Apache-2.0
#include "wire/acme_json.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace mailtight::wire::acme_json {

namespace json = boost::json;

namespace {

/// `digits` of them; -1 where they are none.
int number(std::string_view text, std::size_t at, std::size_t digits) {
    int out = 0;
    for (std::size_t i = at; i < at + digits; ++i) {
        if (i >= text.size() || !base::is_digit(text[i]))
            return -1;
        out = out * 10 + (text[i] - '0');
    }
    return out;
}

/// What stands behind the seconds: a fraction, then `Z` or `+hh:mm`.
std::optional<std::chrono::minutes> zone_of(std::string_view rest) {
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        const auto digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
        if (digits == 0)
            return std::nullopt;
        rest.remove_prefix(digits);
    }
    if (rest == "Z" || rest == "z")
        return std::chrono::minutes(0);
    const int hours = number(rest, 1, 2), minutes = number(rest, 4, 2);
    if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':' || hours < 0 || hours > 23 ||
        minutes < 0 || minutes > 59)
        return std::nullopt;
    return std::chrono::minutes((rest[0] == '-' ? -1 : 1) * (hours * 60 + minutes));
}

std::optional<base::utc_seconds> read_time(std::string_view text) {
    constexpr std::size_t seconds_end = 19; // 2026-01-02T03:04:05
    if (text.size() <= seconds_end || text.size() > 64)
        return std::nullopt;
    const int year = number(text, 0, 4), month = number(text, 5, 2), day = number(text, 8, 2),
              hour = number(text, 11, 2), minute = number(text, 14, 2), second = number(text, 17, 2);
    const auto zone = zone_of(text.substr(seconds_end));
    if (year < 0 || month < 0 || day < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
        second < 0 || second > 60 || !zone || text[4] != '-' || text[7] != '-' ||
        base::to_lower(text[10]) != 't' || text[13] != ':' || text[16] != ':')
        return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok())
        return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
           std::chrono::seconds(second) - *zone;
}

} // namespace

std::expected<json::object, std::string> read_object(std::string_view body, std::string_view what) {
    if (body.size() > body_bytes)
        return std::unexpected(fmt::format("{} has more than {} bytes", what, body_bytes));
    boost::system::error_code wrong;
    auto value = json::parse({body.data(), body.size()}, wrong, {}, {.max_depth = depth});
    if (wrong)
        return std::unexpected(fmt::format("{} is no JSON: {}", what, wrong.message()));
    if (!value.is_object())
        return std::unexpected(fmt::format("{} is no JSON object", what));
    return std::move(value.get_object());
}

std::string text_of(const json::object& from, std::string_view name, std::size_t most) {
    const auto* value = from.if_contains(name);
    if (value == nullptr || !value->is_string() || value->get_string().size() > most)
        return {};
    return {value->get_string().data(), value->get_string().size()};
}

std::string words_of(const json::object& from, std::string_view name) {
    return base::printable(text_of(from, name, body_bytes), words_bytes);
}

bool is_url(std::string_view text) {
    return text.size() <= url_bytes && (text.starts_with("https://") || text.starts_with("http://")) &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\'; });
}

std::string url_of(const json::object& from, std::string_view name) {
    auto url = text_of(from, name);
    return is_url(url) ? url : std::string();
}

bool flag_of(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    return value != nullptr && value->is_bool() && value->get_bool();
}

const json::object* object_of(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    return value != nullptr ? value->if_object() : nullptr;
}

const json::array* array_of(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    return value != nullptr ? value->if_array() : nullptr;
}

base::utc_seconds time_of(const json::object& from, std::string_view name) {
    return read_time(text_of(from, name)).value_or(base::utc_seconds{});
}

} // namespace mailtight::wire::acme_json
