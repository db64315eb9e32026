// SPDX-License-Identifier: Apache-2.0
// Reading what the programs print; each mail server's judgement is in a file of its own.
#include "app/doctor_mta.h"

#include "base/text.h"

#include <charconv>

namespace mailtight::app {

std::string_view word(check_row::state state) {
    switch (state) {
    case check_row::state::good:
        return "ok";
    case check_row::state::bad:
        return "problem";
    case check_row::state::unknown:
        return "unknown";
    }
    return "unknown";
}

std::optional<mta_version> parse_version(std::string_view text) {
    mta_version version;
    version.text = base::trim(text);
    const char* at = text.data();
    const char* const end = at + text.size();
    int* const parts[] = {&version.major, &version.minor, &version.patch};
    for (std::size_t i = 0; i < std::size(parts); ++i) {
        const auto [stop, error] = std::from_chars(at, end, *parts[i]);
        if (error != std::errc{} || *parts[i] < 0) {
            if (i < 2)
                return {};
            *parts[i] = 0;
            break;
        }
        at = stop;
        if (i == 0 && (at == end || *at != '.'))
            return {};
        if (at == end || *at != '.')
            break;
        ++at;
    }
    return version;
}

std::map<std::string, std::string> parse_postconf(std::string_view text) {
    std::map<std::string, std::string> all;
    std::string* last = nullptr;
    for (const auto line : base::split(text, '\n')) {
        if (line.empty() || line.starts_with('#'))
            continue;
        if (base::is_wsp(line.front())) {
            if (last && !base::trim(line).empty())
                *last += (last->empty() ? "" : " ") + std::string(base::trim(line));
            continue;
        }
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) {
            last = nullptr;
            continue;
        }
        last = &all[std::string(base::trim(line.substr(0, equals)))];
        *last = base::trim(line.substr(equals + 1));
    }
    return all;
}

std::optional<std::string> main_cf_value(std::string_view main_cf, std::string_view name) {
    const auto all = parse_postconf(main_cf);
    const auto found = all.find(std::string(name));
    return found == all.end() ? std::nullopt : std::optional(found->second);
}

} // namespace mailtight::app
