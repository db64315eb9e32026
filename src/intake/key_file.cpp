// SPDX-License-Identifier: Apache-2.0
#include "intake/examine.h"

#include "base/text.h"
#include "mail/domain_name.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::intake {

std::expected<key_file, std::string> key_file::parse(std::string_view text) {
    key_file keys;
    std::size_t number = 0;
    for (auto line : base::split(text, '\n')) {
        ++number;
        line = base::trim(line);
        if (line.empty() || line.starts_with('#'))
            continue;
        const auto end = line.find_first_of(" \t");
        const auto name = mail::canonical_name(line.substr(0, end));
        if (!name || name->find("._domainkey.") == name->npos)
            return std::unexpected(
                fmt::format("line {}: \"{}\" is no name of a DKIM key (SELECTOR._domainkey.DOMAIN)", number,
                            base::printable(line.substr(0, end), 255)));
        auto value = end == line.npos ? std::string_view{} : base::trim(line.substr(end));
        if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"'))
            value = value.substr(1, value.size() - 2);
        if (value.empty())
            return std::unexpected(fmt::format("line {}: no value follows {}", number, *name));
        keys.entries_.emplace_back(*name, value);
    }
    std::ranges::sort(keys.entries_);
    return keys;
}

mail::dkim_key_answer key_file::find(std::string_view name) const {
    mail::dkim_key_answer answer;
    const auto wanted = mail::canonical_name(name);
    if (!wanted)
        return answer;
    const auto same =
        std::ranges::equal_range(entries_, *wanted, {}, &std::pair<std::string, std::string>::first);
    for (const auto& [_, value] : same)
        answer.texts.push_back(value);
    if (!answer.texts.empty())
        answer.what = mail::dkim_key_answer::status::found;
    return answer;
}

} // namespace mailtight::intake
