// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace mailtight::base {
namespace {

using namespace std::chrono;

// RFC 3339 has years of four digits; what lies outside is shown as the nearest that it can say.
constexpr utc_seconds earliest = sys_days{year{0} / 1 / 1};
constexpr utc_seconds latest = sys_days{year{9999} / 12 / 31} + 86'399s;

struct civil {
    int year;
    unsigned month, day;
    long hour, minute, second;
};

civil civil_of(utc_seconds at) {
    at = std::clamp(at, earliest, latest);
    const auto day = floor<days>(at);
    const year_month_day date{day};
    const hh_mm_ss time{at - day};
    return {int{date.year()},     unsigned{date.month()}, unsigned{date.day()},
            time.hours().count(), time.minutes().count(), time.seconds().count()};
}

} // namespace

utc_seconds system_clock::now() const {
    return floor<seconds>(std::chrono::system_clock::now());
}

std::string format_utc(utc_seconds at) {
    const auto c = civil_of(at);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute,
                       c.second);
}

std::string format_compact(utc_seconds at) {
    const auto c = civil_of(at);
    return fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

std::string format_date(utc_seconds at) {
    const auto c = civil_of(at);
    return fmt::format("{:04}-{:02}-{:02}", c.year, c.month, c.day);
}

std::optional<utc_seconds> parse_utc(std::string_view text) {
    constexpr std::string_view shape = "dddd-dd-ddTdd:dd:ddZ";
    const auto fits = [](char wanted, char c) { return wanted == 'd' ? is_digit(c) : wanted == c; };
    if (!std::ranges::equal(shape, text, fits))
        return std::nullopt;
    const auto number = [&](std::size_t at, std::size_t count) {
        int value = 0;
        for (const char c : text.substr(at, count))
            value = value * 10 + (c - '0');
        return value;
    };
    const auto unsigned_number = [&](std::size_t at) { return static_cast<unsigned>(number(at, 2)); };
    const auto date = year{number(0, 4)} / month{unsigned_number(5)} / day{unsigned_number(8)};
    const int h = number(11, 2), m = number(14, 2), s = number(17, 2);
    if (!date.ok() || h > 23 || m > 59 || s > 59)
        return std::nullopt;
    return sys_days{date} + hours{h} + minutes{m} + seconds{s};
}

std::string format_duration(seconds length) {
    struct unit {
        std::uint64_t length;
        std::string_view one, many;
    };
    // The RFC's largest max_age, 31557600, is one year and a quarter of a day: "1 year".
    constexpr std::array<unit, 5> units{{{31'536'000, " year", " years"},
                                         {86'400, " day", " days"},
                                         {3'600, " h", " h"},
                                         {60, " min", " min"},
                                         {1, " s", " s"}}};
    // With ten or more of the first unit, the second no longer matters.
    constexpr std::uint64_t coarse_from = 10;

    const bool negative = length.count() < 0;
    const auto bits = static_cast<std::uint64_t>(length.count());
    const std::uint64_t total = negative ? 0 - bits : bits;
    const auto text = [](std::uint64_t n, const unit& u) {
        return fmt::format("{}{}", n, n == 1 ? u.one : u.many);
    };
    const auto first = std::ranges::find_if(units, [&](const unit& u) { return total >= u.length; });
    if (first == units.end())
        return "0 s";
    const auto count = total / first->length;
    std::string out = (negative ? "-" : "") + text(count, *first);
    const auto second = std::next(first);
    if (second != units.end() && count < coarse_from)
        if (const auto rest = total % first->length / second->length; rest > 0)
            out += " " + text(rest, *second);
    return out;
}

} // namespace mailtight::base
