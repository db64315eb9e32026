// SPDX-License-Identifier: Apache-2.0
#include "wire/http_date.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace mailtight::wire {
namespace {

constexpr std::chrono::seconds longest_wait{31 * 86'400};
constexpr std::array<std::string_view, 12> months{"jan", "feb", "mar", "apr", "may", "jun",
                                                  "jul", "aug", "sep", "oct", "nov", "dec"};

std::optional<unsigned> number(std::string_view digits) {
    unsigned out = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size())
        return std::nullopt;
    return out;
}

std::optional<unsigned> month_of(std::string_view word) {
    const auto lower = base::lower(word);
    const auto* at = std::ranges::find(months, lower);
    if (at == months.end())
        return std::nullopt;
    return static_cast<unsigned>(at - months.begin()) + 1;
}

std::optional<base::utc_seconds> at(unsigned year, unsigned month, unsigned day, std::string_view clock) {
    const auto parts = base::split(clock, ':');
    if (parts.size() != 3)
        return std::nullopt;
    const auto hour = number(parts[0]), minute = number(parts[1]), second = number(parts[2]);
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                           std::chrono::month(month), std::chrono::day(day)};
    if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60 || !date.ok() ||
        year < 1970 || year > 9999)
        return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second);
}

} // namespace

std::optional<base::utc_seconds> read_http_date(std::string_view text) {
    std::vector<std::string_view> words;
    if (text.size() > 64)
        return std::nullopt;
    for (const auto word : base::split(base::trim(text), ' '))
        if (!word.empty())
            words.push_back(word);
    if (words.size() == 6) { // Sun, 06 Nov 1994 08:49:37 GMT
        const auto day = number(words[1]), month = month_of(words[2]), year = number(words[3]);
        return day && month && year && words[5] == "GMT" ? at(*year, *month, *day, words[4]) : std::nullopt;
    }
    if (words.size() == 4) { // Sunday, 06-Nov-94 08:49:37 GMT
        const auto date = base::split(words[1], '-');
        if (date.size() != 3 || words[3] != "GMT")
            return std::nullopt;
        const auto day = number(date[0]), month = month_of(date[1]), year = number(date[2]);
        return day && month && year && *year < 100
                   ? at(*year + (*year < 70 ? 2000 : 1900), *month, *day, words[2])
                   : std::nullopt;
    }
    if (words.size() == 5) { // Sun Nov  6 08:49:37 1994
        const auto day = number(words[2]), month = month_of(words[1]), year = number(words[4]);
        return day && month && year ? at(*year, *month, *day, words[3]) : std::nullopt;
    }
    return std::nullopt;
}

std::optional<std::chrono::seconds> read_retry_after(std::string_view text, base::utc_seconds now) {
    text = base::trim(text);
    if (text.empty())
        return std::nullopt;
    if (std::ranges::all_of(text, base::is_digit)) {
        const auto seconds = number(text); // nothing: beyond every bound
        return seconds ? std::min(std::chrono::seconds(*seconds), longest_wait) : longest_wait;
    }
    const auto date = read_http_date(text);
    if (!date)
        return std::nullopt;
    return std::clamp(*date - now, std::chrono::seconds(0), longest_wait);
}

} // namespace mailtight::wire
