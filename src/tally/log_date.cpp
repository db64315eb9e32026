// SPDX-License-Identifier: Apache-2.0
// Fixed columns, looked at one after the other: every line of a mail log passes here.
#include "tally/log_date.h"

#include "base/text.h"

#include <array>

namespace mailtight::tally {
namespace {

using base::is_digit;
using std::chrono::seconds;

/// Two digits at an offset, or -1.
int two(std::string_view text, std::size_t at) {
    if (!is_digit(text[at]) || !is_digit(text[at + 1]))
        return -1;
    return (text[at] - '0') * 10 + text[at + 1] - '0';
}

/// `07:00:00` at an offset; a leap second counts as the one before it.
std::optional<seconds> time_at(std::string_view text, std::size_t at) {
    const int hour = two(text, at), minute = two(text, at + 3), second = two(text, at + 6);
    if (text[at + 2] != ':' || text[at + 5] != ':' || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
        second < 0 || second > 60)
        return std::nullopt;
    return seconds(hour * 3'600 + minute * 60 + std::min(second, 59));
}

std::optional<unsigned> month_at(std::string_view text) {
    static constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (unsigned i = 0; i < months.size(); ++i)
        if (text.starts_with(months[i]))
            return i + 1;
    return std::nullopt;
}

/// What stands behind the seconds of an ISO date: a fraction, a zone.
std::optional<seconds> take_zone(std::string_view& text, seconds zone) {
    if (text.starts_with('.') || text.starts_with(',')) {
        std::size_t end = 1;
        while (end < text.size() && is_digit(text[end]))
            ++end;
        text.remove_prefix(end);
    }
    if (text.starts_with('Z')) {
        text.remove_prefix(1);
        return seconds(0);
    }
    if (!text.starts_with('+') && !text.starts_with('-'))
        return zone;
    if (text.size() < 5)
        return std::nullopt;
    const bool colon = text[3] == ':';
    if (colon && text.size() < 6)
        return std::nullopt;
    const int hours = two(text, 1), minutes = two(text, colon ? 4 : 3);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return std::nullopt;
    const seconds offset(hours * 3'600 + minutes * 60);
    const bool west = text[0] == '-';
    text.remove_prefix(colon ? 6 : 5);
    return west ? -offset : offset;
}

} // namespace

std::optional<base::utc_seconds> take_old_date(std::string_view& text, base::utc_seconds now, seconds zone) {
    using namespace std::chrono;
    if (text.size() < 16 || text[3] != ' ' || text[6] != ' ' || text[15] != ' ')
        return std::nullopt;
    const auto month = month_at(text);
    const int day = text[4] == ' ' && is_digit(text[5]) ? text[5] - '0' : two(text, 4);
    const auto time = time_at(text, 7);
    if (!month || day < 1 || day > 31 || !time)
        return std::nullopt;
    const auto this_year = year_month_day(floor<days>(now + zone)).year();
    std::optional<base::utc_seconds> nearest;
    for (const int offset : {0, -1, 1}) {
        const year_month_day date = (this_year + years(offset)) / static_cast<int>(*month) / day;
        if (!date.ok())
            continue;
        const base::utc_seconds at = sys_days(date) + *time - zone;
        if (!nearest || abs(at - now) < abs(*nearest - now))
            nearest = at;
    }
    if (nearest)
        text.remove_prefix(16);
    return nearest;
}

std::optional<base::utc_seconds> take_iso_date(std::string_view& text, seconds zone) {
    using namespace std::chrono;
    if (text.size() < 20 || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != ' '))
        return std::nullopt;
    const int century = two(text, 0), in_century = two(text, 2), month = two(text, 5), day = two(text, 8);
    const auto time = time_at(text, 11);
    if (century < 0 || in_century < 0 || month < 0 || day < 0 || !time)
        return std::nullopt;
    const year_month_day date = year(century * 100 + in_century) / month / day;
    std::string_view rest = text.substr(19);
    const auto offset = take_zone(rest, zone);
    if (!date.ok() || !offset || !rest.starts_with(' '))
        return std::nullopt;
    text = rest.substr(1);
    return sys_days(date) + *time - *offset;
}

} // namespace mailtight::tally
