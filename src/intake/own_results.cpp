// SPDX-License-Identifier: Apache-2.0
// Entry point: own_dkim_passes(). The field is cut at its semicolons after comments and quotes are gone; of
// each result only `dkim=pass` and its `header.d` (or the domain of `header.i`) are looked at.
#include "intake/own_results.h"

#include "base/text.h"
#include "mail/domain_name.h"

#include <algorithm>
#include <utility>

namespace mailtight::intake {

namespace {

constexpr std::size_t fields_max = 20, results_max = 50;

// Without comments (which nest) and quotes: neither says anything here, and both may hold semicolons.
std::string plain(std::string_view value) {
    std::string out;
    out.reserve(value.size());
    std::size_t depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        if (c == '\\' && (quoted || depth > 0)) {
            ++i;
            continue;
        }
        if (c == '"' && depth == 0) {
            quoted = !quoted;
            continue;
        }
        if (!quoted && c == '(') {
            ++depth;
            out += ' ';
            continue;
        }
        if (!quoted && c == ')' && depth > 0) {
            --depth;
            continue;
        }
        if (depth > 0)
            continue;
        out += quoted && (c == ';' || base::is_wsp(c)) ? '_' : c;
    }
    return out;
}

// "dkim=pass header.d=example.com header.s=x" -> "example.com"
std::string passed_domain(std::string_view result) {
    std::string domain;
    bool passed = false, first = true;
    std::string text(result);
    std::ranges::replace_if(text, [](char c) { return c == '\t' || c == '\r' || c == '\n'; }, ' ');
    for (const auto word : base::split(text, ' ')) {
        if (word.empty())
            continue;
        if (std::exchange(first, false)) {
            passed = base::iequals(word, "dkim=pass") || base::iequals(word, "dkim/1=pass");
            continue;
        }
        const auto at = word.find('=');
        if (at == word.npos)
            continue;
        const auto name = word.substr(0, at);
        auto value = word.substr(at + 1);
        if (base::iequals(name, "header.d"))
            domain = value;
        else if (base::iequals(name, "header.i") && domain.empty())
            domain = value.substr(std::min(value.size(), value.rfind('@') + 1));
    }
    return passed ? mail::canonical_name(domain).value_or("") : "";
}

} // namespace

std::vector<own_result> read_own_result(std::string_view value,
                                        std::span<const std::string> trusted_servers) {
    const std::string text = plain(value);
    const auto pieces = base::split(text, ';');
    auto server = base::trim(pieces.front());
    server = server.substr(0, server.find_first_of(" \t")); // a version may follow
    const auto known = std::ranges::find_if(
        trusted_servers, [&](const std::string& own) { return base::iequals(own, server); });
    std::vector<own_result> out;
    if (server.empty() || known == trusted_servers.end())
        return out;
    for (std::size_t i = 1; i < pieces.size() && i < results_max; ++i)
        if (auto domain = passed_domain(pieces[i]); !domain.empty())
            out.push_back({std::move(domain), *known});
    return out;
}

std::vector<own_result> own_dkim_passes(const mail::message& of,
                                        std::span<const std::string> trusted_servers) {
    std::vector<own_result> out;
    if (trusted_servers.empty())
        return out;
    std::size_t seen = 0;
    for (const auto& [name, value] : of.headers) {
        if (!base::iequals(name, "Authentication-Results") || ++seen > fields_max)
            continue;
        auto more = read_own_result(value, trusted_servers);
        std::ranges::move(more, std::back_inserter(out));
    }
    return out;
}

} // namespace mailtight::intake
