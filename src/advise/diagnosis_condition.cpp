// SPDX-License-Identifier: Apache-2.0
// Reads the conditions of the diagnosis rules and matches words in what senders write.
#include "advise/diagnosis_rules.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mailtight::advise {

namespace {

struct phrase {
    std::string_view text;
    clause::subject what;
    bool takes_words = false;
};
// A phrase that another begins with stands after it.
constexpr std::array phrases{
    phrase{"reason has ", clause::subject::reason_has, true},
    phrase{"reason given", clause::subject::reason_given},
    phrase{"greeting has ", clause::subject::greeting_has, true},
    phrase{"MX given", clause::subject::mx_given},
    phrase{"MX outside policy", clause::subject::mx_outside},
    phrase{"MX inside policy of today", clause::subject::mx_inside_today},
    phrase{"MX one wildcard deep", clause::subject::mx_one_wildcard_deep},
    phrase{"MX among those of today", clause::subject::mx_among_today},
    phrase{"MX at Google Workspace", clause::subject::mx_at_google},
    phrase{"MX at Microsoft 365", clause::subject::mx_at_microsoft},
    phrase{"policy type ", clause::subject::policy_type, true},
    phrase{"policy older", clause::subject::policy_older},
    phrase{"policy published", clause::subject::policy_published},
};

std::expected<clause, std::string> read_clause(std::string_view text) {
    clause made{};
    if (text.starts_with("no ")) {
        made.negated = true;
        text.remove_prefix(3);
    }
    for (const phrase& one : phrases) {
        if (one.takes_words ? !text.starts_with(one.text) : text != one.text)
            continue;
        made.what = one.what;
        if (one.takes_words)
            for (const auto word : base::split(text.substr(one.text.size()), '|')) {
                made.words.push_back(plain_words(word));
                if (made.words.back().empty())
                    return std::unexpected(fmt::format("an empty word in \"{}\"", text));
            }
        return made;
    }
    return std::unexpected(fmt::format("no such clause: \"{}\"", text));
}

} // namespace

std::expected<std::vector<clause>, std::string> read_condition(std::string_view when) {
    constexpr std::string_view joint = " and ";
    std::vector<clause> all;
    if (when.empty())
        return all;
    while (true) {
        const auto end = when.find(joint);
        auto one = read_clause(when.substr(0, end));
        if (!one)
            return std::unexpected(one.error());
        all.push_back(std::move(*one));
        if (end == std::string_view::npos)
            return all;
        when.remove_prefix(end + joint.size());
    }
}

std::string plain_words(std::string_view text) {
    std::string plain;
    for (const char c : base::trim(text)) {
        const bool blank = c == '_' || c == '-' || base::is_wsp(c) || c == '\r' || c == '\n';
        if (!blank)
            plain += base::to_lower(c);
        else if (!plain.empty() && plain.back() != ' ')
            plain += ' ';
    }
    if (plain.ends_with(' '))
        plain.pop_back();
    return plain;
}

bool holds_words(std::string_view text, std::string_view words) {
    for (auto at = text.find(words); at != std::string_view::npos; at = text.find(words, at + 1)) {
        const std::size_t end = at + words.size();
        const bool begins = at == 0 || !base::is_alnum(words.front()) || !base::is_alnum(text[at - 1]);
        const bool ends = end == text.size() || !base::is_alnum(words.back()) || !base::is_alnum(text[end]);
        if (begins && ends)
            return true;
    }
    return false;
}

} // namespace mailtight::advise
