// SPDX-License-Identifier: Apache-2.0
#include "plan/say.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace mailtight::plan {

using namespace std::chrono;

std::string say_day(base::utc_seconds at) {
    constexpr std::array<std::string_view, 7> week{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<std::string_view, 12> months{"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
    const auto date = floor<days>(at);
    const year_month_day parts{date};
    return fmt::format("{} {} {} {}", week[weekday{date}.c_encoding()], unsigned{parts.day()},
                       months[unsigned{parts.month()} - 1], int{parts.year()});
}

std::string say_moment(base::utc_seconds at) {
    const auto whole = ceil<minutes>(at); // never earlier than what it stands for
    const auto time = whole - floor<days>(whole);
    return fmt::format("{}, {:02}:{:02} UTC", say_day(whole), duration_cast<hours>(time).count(),
                       (time % hours(1)).count());
}

std::string say_length(std::uint64_t length) {
    return base::format_duration(seconds(static_cast<std::int64_t>(length)));
}

std::string say_list(const std::vector<std::string>& words) {
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0)
            out += i + 1 == words.size() ? " and " : ", ";
        out += words[i];
    }
    return out;
}

std::string say_policy(const sts::policy& policy) {
    return fmt::format("mode {}, max_age {} ({})", sts::to_string(policy.mode), policy.max_age,
                       say_length(policy.max_age));
}

} // namespace mailtight::plan
