// SPDX-License-Identifier: Apache-2.0
// An oracle: the TLS policies that Postfix takes from a table, by version, read as Postfix reads them and
// stricter where Postfix only warns. Shares no code with what writes them.
#pragma once

#include <algorithm>
#include <cctype>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::tests {

/// The first version that knows something more: servername (3.4), enable_rpk (3.9), policy_* (3.10).
enum class postfix_version { v2_11, v3_4, v3_9, v3_10 };

struct postfix_policy {
    std::string level;
    std::vector<std::string> match; ///< the parts between colons
    std::vector<std::string> mx_host_pattern, policy_string;
    std::map<std::string, std::string> single; ///< attributes that may stand once: servername, policy_type, …
};

namespace postfix {

inline bool separates(char c) {
    return c == ' ' || c == ',' || c == '\t' || c == '\r' || c == '\n';
}
inline std::string_view trimmed(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
        text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
        text.remove_suffix(1);
    return text;
}

/// Words between separators; braces keep together what they enclose.
inline std::expected<std::vector<std::string_view>, std::string> words(std::string_view text) {
    std::vector<std::string_view> all;
    for (std::size_t at = 0; at < text.size();) {
        if (separates(text[at])) {
            ++at;
            continue;
        }
        const std::size_t begin = at;
        int depth = 0;
        for (; at < text.size() && (depth > 0 || !separates(text[at])); ++at) {
            depth += text[at] == '{';
            depth -= text[at] == '}';
            if (depth < 0)
                return std::unexpected("a closing brace too many");
        }
        if (depth > 0)
            return std::unexpected("a brace is not closed");
        all.push_back(text.substr(begin, at - begin));
    }
    return all;
}

/// A host name as Postfix judges one: labels of letters, digits, hyphens and underscores, not all numeric.
inline bool valid_hostname(std::string_view name) {
    if (name.empty() || name.size() > 255)
        return false;
    std::size_t label = 0;
    bool numeric = true;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const auto c = static_cast<unsigned char>(name[i]);
        if (std::isalnum(c) != 0 && c < 0x80) {
            numeric = numeric && std::isdigit(c) != 0;
            ++label;
        } else if (c == '_') {
            numeric = false;
            ++label;
        } else if (c == '-') {
            if (label == 0 || i + 1 == name.size() || name[i + 1] == '.')
                return false;
            numeric = false;
            ++label;
        } else if (c == '.') {
            if (label == 0 || i + 1 == name.size())
                return false;
            label = 0;
        } else {
            return false;
        }
        if (label > 63)
            return false;
    }
    return !numeric;
}

/// What old versions take a part of match= for: `.b.example` is every name below, at any depth.
inline bool certificate_name_fits(std::string_view part, std::string_view name) {
    return part.starts_with('.') ? name.size() > part.size() && name.ends_with(part) : name == part;
}

} // namespace postfix

inline std::expected<postfix_policy, std::string> parse_postfix_policy(std::string_view text,
                                                                       postfix_version version) {
    using postfix::trimmed;
    postfix_policy policy;
    if (text.size() > 100'000 - 3)
        return std::unexpected("longer than a reply may be");
    const auto parts = postfix::words(text);
    if (!parts)
        return std::unexpected(parts.error());
    if (parts->empty())
        return std::unexpected("an empty policy");
    policy.level = parts->front();
    static const std::vector<std::string> levels{"none",      "may",         "encrypt", "dane",
                                                 "dane-only", "fingerprint", "verify",  "secure"};
    if (std::ranges::find(levels, policy.level) == levels.end())
        return std::unexpected("no level: " + policy.level);
    const bool matches =
        policy.level == "fingerprint" || policy.level == "verify" || policy.level == "secure";
    for (std::size_t i = 1; i < parts->size(); ++i) {
        std::string_view pair = (*parts)[i];
        if (pair.starts_with('{')) {
            if (!pair.ends_with('}'))
                return std::unexpected("something behind a closing brace");
            pair = trimmed(pair.substr(1, pair.size() - 2));
        }
        const auto equals = pair.find('=');
        if (equals == pair.npos)
            return std::unexpected("no pair of name and value: " + std::string(pair));
        const std::string name(trimmed(pair.substr(0, equals)));
        const std::string value(trimmed(pair.substr(equals + 1)));
        if (name.empty() || value.empty())
            return std::unexpected("an attribute without name or value");
        const bool known_later = name == "policy_type" || name == "policy_domain" ||
                                 name == "policy_string" || name == "mx_host_pattern" ||
                                 name == "policy_failure" || name == "policy_ttl";
        if (known_later && version < postfix_version::v3_10)
            return std::unexpected("invalid attribute name: " + name);
        if (name == "servername" && version < postfix_version::v3_4)
            return std::unexpected("invalid attribute name: " + name);
        if (name == "match") {
            if (!matches)
                return std::unexpected("match= at level " + policy.level);
            for (std::size_t at = 0; at <= value.size();) {
                const auto colon = std::min(value.find(':', at), value.size());
                if (colon == at)
                    return std::unexpected("an empty part in match=");
                policy.match.push_back(value.substr(at, colon - at));
                at = colon + 1;
            }
        } else if (name == "mx_host_pattern") {
            policy.mx_host_pattern.push_back(value);
        } else if (name == "policy_string") {
            policy.policy_string.push_back(value);
        } else if (known_later || name == "servername") {
            if (!policy.single.emplace(name, value).second)
                return std::unexpected("twice: " + name);
        } else { // the rest of Postfix's attributes we never say
            return std::unexpected("invalid attribute name: " + name);
        }
    }
    if (const auto type = policy.single.find("policy_type"); type != policy.single.end()) {
        if (type->second != "sts" && type->second != "no-policy-found")
            return std::unexpected("invalid policy_type");
        // Postfix 3.10.0 to 3.10.5 end at a null pointer without either.
        if (type->second == "sts" && (policy.mx_host_pattern.empty() || policy.policy_string.empty()))
            return std::unexpected("an sts policy without its strings or patterns");
    } else if (!policy.mx_host_pattern.empty() || !policy.policy_string.empty() ||
               policy.single.contains("policy_domain") || policy.single.contains("policy_failure")) {
        return std::unexpected("policy_* without policy_type");
    }
    if (policy.single.contains("policy_domain") && !postfix::valid_hostname(policy.single["policy_domain"]))
        return std::unexpected("policy_domain is no host name: " + policy.single["policy_domain"]);
    if (policy.single.contains("policy_ttl"))
        return std::unexpected("policy_ttl is deprecated");
    return policy;
}

} // namespace mailtight::tests
