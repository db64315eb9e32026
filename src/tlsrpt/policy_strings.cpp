// SPDX-License-Identifier: Apache-2.0
// What a policy says, in whatever packing: lines of an MTA-STS policy, TLSA records, MX patterns.
#include "base/text.h"
#include "tlsrpt/policy_fields.h"

#include <algorithm>
#include <utility>

namespace mailtight::tlsrpt {
namespace {

namespace dom = simdjson::dom;

// `["3 1 1 AB","2 1 1 CD"]` as a text: what it lists, or nothing.
std::optional<std::vector<std::string>> nested_list(std::string_view text, dom::parser& parser,
                                                    const place& at, reading& r) {
    text = base::trim(text);
    if (!text.starts_with('[') || !text.ends_with(']'))
        return std::nullopt;
    dom::element list;
    constexpr std::size_t least = 512, depth = 4;
    if ((parser.capacity() < text.size() || parser.capacity() == 0) &&
        parser.allocate(std::max(text.size(), least), depth) != simdjson::SUCCESS)
        return std::nullopt;
    if (parser.parse(text.data(), text.size(), true).get(list) != simdjson::SUCCESS || !list.is_array())
        return std::nullopt;
    std::vector<std::string> out;
    read_texts(list, at, r, out);
    return out;
}

bool needs_split(std::string_view text, bool by_semicolon) {
    return text.find_first_of(by_semicolon ? "\n\r;" : "\n\r") != std::string_view::npos;
}

bool blank_ended(std::string_view text) {
    return text.empty() || base::trim(text).size() != text.size();
}

void append_lines(std::string_view text, bool by_semicolon, std::vector<std::string>& into) {
    while (!text.empty()) {
        const auto end = text.find_first_of(by_semicolon ? "\n\r;" : "\n\r");
        if (const auto line = base::trim(text.substr(0, end)); !line.empty())
            into.emplace_back(line);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
}

bool all_tidy(const std::vector<std::string>& strings, bool by_semicolon) {
    return std::ranges::none_of(strings, [&](const std::string& s) {
        return blank_ended(s) || s.front() == '[' || needs_split(s, by_semicolon);
    });
}

} // namespace

void settle_policy_strings(std::vector<std::string>& strings, std::string_view type, const place& at,
                           reading& r) {
    // A `;` separates records or the lines of a policy put into one text (A25); in a list of lines it is
    // text.
    const bool tlsa = type == to_string(policy_type::tlsa);
    const bool by_semicolon = tlsa || strings.size() == 1;
    if (all_tidy(strings, by_semicolon))
        return;
    std::vector<std::string> out;
    dom::parser parser;
    place here{&at, {}, 0};
    for (auto& text : strings) {
        if (auto nested = nested_list(text, parser, here, r)) {
            r.notes.add(quirk::policy_string_nested, here, text);
            for (const auto& inner : *nested)
                append_lines(inner, tlsa, out);
        } else {
            // 3a: the CR of a policy file with CRLF, kept by the reporter.
            const auto body = base::trim(text);
            if (blank_ended(text))
                r.notes.add(quirk::policy_string_trimmed, here, text);
            if (needs_split(body, by_semicolon))
                r.notes.add(quirk::policy_string_joined, here, text);
            append_lines(body, by_semicolon, out);
        }
        ++here.index;
    }
    strings = std::move(out);
}

void settle_mx_patterns(policy_result& p, const place& at, reading& r) {
    const place here{&at, "mx-host"};
    std::vector<std::string> out;
    out.reserve(p.mx_patterns.size());
    place element{&here, {}, 0};
    for (const auto& text : p.mx_patterns) {
        std::string_view rest = text;
        while (!rest.empty()) {
            const auto end = rest.find_first_of(",;\r\n");
            auto pattern = base::trim(rest.substr(0, end));
            rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
            if (base::iequals(pattern.substr(0, 3), "mx:")) {
                r.notes.add(quirk::mx_host_prefixed, element, text);
                pattern = base::trim(pattern.substr(3));
            }
            if (pattern.ends_with('.'))
                pattern.remove_suffix(1);
            if (!pattern.empty())
                out.push_back(base::lower(pattern));
        }
        ++element.index;
    }
    if (out.empty() && p.type == to_string(policy_type::sts)) {
        for (const auto& line : p.strings) // A24
            if (base::iequals(std::string_view(line).substr(0, 3), "mx:"))
                if (const auto pattern = base::trim(std::string_view(line).substr(3)); !pattern.empty())
                    out.push_back(base::lower(pattern));
        if (!out.empty())
            r.notes.add(quirk::mx_host_from_policy, here, base::join(out, " "));
    }
    p.mx_patterns = std::move(out);
}

} // namespace mailtight::tlsrpt
