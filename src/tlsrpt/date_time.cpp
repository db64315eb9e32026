// SPDX-License-Identifier: Apache-2.0
#include "tlsrpt/date_time.h"

#include "base/text.h"

namespace mailtight::tlsrpt {
namespace {

using namespace std::chrono;

// Reports exist since 2018; a clock that lost its battery says 1970, and none says 2200.
constexpr base::utc_seconds earliest = sys_days{year{2000} / 1 / 1};
constexpr base::utc_seconds latest = sys_days{year{2200} / 1 / 1};

bool plausible(base::utc_seconds at) {
    return at >= earliest && at < latest;
}

// Takes a text apart from its beginning.
class scanner {
public:
    explicit scanner(std::string_view text)
        : rest_(text) {}

    std::string_view rest() const { return rest_; }
    bool done() const { return rest_.empty(); }
    char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
    bool skip(char c) {
        if (peek() != c)
            return false;
        rest_.remove_prefix(1);
        return true;
    }
    // Exactly `count` digits.
    std::optional<int> digits(std::size_t count) {
        if (rest_.size() < count)
            return std::nullopt;
        int value = 0;
        for (const char c : rest_.substr(0, count)) {
            if (!base::is_digit(c))
                return std::nullopt;
            value = value * 10 + (c - '0');
        }
        rest_.remove_prefix(count);
        return value;
    }
    void skip_digits() {
        while (base::is_digit(peek()))
            rest_.remove_prefix(1);
    }

private:
    std::string_view rest_;
};

std::optional<sys_days> read_day(scanner& from, bool& odd) {
    const auto y = from.digits(4);
    if (!y)
        return std::nullopt;
    const char separator = from.peek();
    const bool separated = separator == '-' || separator == '/';
    odd = odd || separator != '-';
    if (separated)
        from.skip(separator);
    const auto m = from.digits(2);
    if (!m || (separated && !from.skip(separator)))
        return std::nullopt;
    const auto d = from.digits(2);
    if (!d)
        return std::nullopt;
    const auto date = year{*y} / month{static_cast<unsigned>(*m)} / day{static_cast<unsigned>(*d)};
    return date.ok() ? std::optional(sys_days{date}) : std::nullopt;
}

// `separator` is ':' but in the ids of one reporter, who writes a dot.
std::optional<seconds> read_time(scanner& from, bool& odd) {
    const auto h = from.digits(2);
    const char separator = from.peek();
    if (!h || *h > 24 || (separator != ':' && separator != '.') || !from.skip(separator))
        return std::nullopt;
    odd = odd || separator != ':';
    const auto m = from.digits(2);
    if (!m || *m > 59)
        return std::nullopt;
    int s = 0;
    if (from.skip(separator)) {
        const auto given = from.digits(2);
        if (!given || *given > 60)
            return std::nullopt;
        s = *given == 60 ? 59 : *given; // a leap second belongs to the day that it ends
    } else {
        odd = true;
    }
    if (from.peek() == '.' || from.peek() == ',') {
        odd = odd || from.peek() == ',';
        from.skip(from.peek());
        from.skip_digits();
    }
    if (*h == 24) { // ISO 8601's other name of the next midnight
        odd = true;
        if (*m != 0 || s != 0)
            return std::nullopt;
    }
    return hours{*h} + minutes{*m} + seconds{s};
}

// What has to be taken off for UTC; nothing where it is no zone.
std::optional<seconds> read_zone(scanner& from, read_date& out) {
    while (from.skip(' '))
        out.odd = true;
    if (from.done()) {
        out.zone = false;
        return seconds{0};
    }
    if (from.skip('Z'))
        return seconds{0};
    if (from.skip('z')) {
        out.odd = true;
        return seconds{0};
    }
    if (base::iequals(from.rest(), "UTC") || base::iequals(from.rest(), "GMT")) {
        out.odd = true;
        from = scanner{""};
        return seconds{0};
    }
    const char sign = from.peek();
    if ((sign != '+' && sign != '-') || !from.skip(sign))
        return std::nullopt;
    const auto h = from.digits(2);
    if (!h || *h > 23)
        return std::nullopt;
    out.odd = out.odd || from.peek() != ':';
    from.skip(':');
    int m = 0;
    if (!from.done()) {
        const auto given = from.digits(2);
        if (!given || *given > 59)
            return std::nullopt;
        m = *given;
    }
    const auto offset = hours{*h} + minutes{m};
    return sign == '+' ? seconds{offset} : -seconds{offset};
}

std::optional<std::uint64_t> small_number(std::string_view digits) {
    std::uint64_t value = 0;
    for (const char c : digits) {
        if (!base::is_digit(c))
            return std::nullopt;
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return value;
}

} // namespace

std::optional<read_date> parse_date_time(std::string_view text) {
    if (const auto exact = base::parse_utc(text); exact && plausible(*exact))
        return read_date{*exact};
    read_date out;
    const auto trimmed = base::trim(text);
    out.odd = trimmed.size() != text.size();
    if (trimmed.size() == 10 || trimmed.size() == 13) // Unix seconds, or milliseconds
        if (const auto number = small_number(trimmed)) {
            const auto at = plausible_epoch(trimmed.size() == 10 ? *number : *number / 1000);
            return at ? std::optional(read_date{.at = *at, .odd = true}) : std::nullopt;
        }
    scanner from(trimmed);
    const auto day = read_day(from, out.odd);
    if (!day)
        return std::nullopt;
    seconds time{0}, offset{0};
    if (from.done()) {
        out.odd = out.date_only = true;
    } else {
        const char between = from.peek();
        if (between != 'T' && between != 't' && between != ' ' && between != '_')
            return std::nullopt;
        out.odd = out.odd || between != 'T'; // RFC 7493 §4.3
        while (from.skip(between) && between == ' ') {
        }
        const auto given = read_time(from, out.odd);
        const auto zone = given ? read_zone(from, out) : std::nullopt;
        if (!zone || !from.done())
            return std::nullopt;
        time = *given;
        offset = *zone;
    }
    out.at = *day + time - offset;
    return plausible(out.at) ? std::optional(out) : std::nullopt;
}

std::optional<base::utc_seconds> parse_date_prefix(std::string_view text) {
    std::size_t run = 0;
    while (run < text.size() && base::is_digit(text[run]))
        ++run;
    if (run == 10)
        return plausible_epoch(small_number(text.substr(0, 10)).value_or(0));
    if (run == 8) {
        const auto day = parse_date_time(text.substr(0, 8));
        return day ? std::optional(day->at) : std::nullopt;
    }
    if (run != 4 || text.size() < 10)
        return std::nullopt;
    std::string date(text.substr(0, 10));
    for (const std::size_t at : {4U, 7U}) // 2024.09.03 is how one reporter writes it in its subject
        if (date[at] == '.' || date[at] == '_')
            date[at] = '-';
    const auto day = parse_date_time(date);
    return day && day->date_only ? std::optional(day->at) : std::nullopt;
}

std::optional<base::utc_seconds> plausible_epoch(std::uint64_t number) {
    if (number > 100'000'000'000) // beyond the year 5000, and far from an overflow
        return std::nullopt;
    const base::utc_seconds at{seconds{static_cast<std::int64_t>(number)}};
    return plausible(at) ? std::optional(at) : std::nullopt;
}

base::utc_seconds day_begin(base::utc_seconds at) {
    return floor<days>(at);
}
base::utc_seconds day_end(base::utc_seconds at) {
    return floor<days>(at) + days{1} - seconds{1};
}

} // namespace mailtight::tlsrpt
