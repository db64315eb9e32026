// SPDX-License-Identifier: Apache-2.0
#include "mail/dkim_tags.h"

#include "base/encode.h"
#include "base/text.h"

#include <algorithm>

namespace mailtight::mail {
namespace {
constexpr std::size_t tags_max = 64; // a signature has some ten

bool is_tag_name(std::string_view name) {
    return !name.empty() && base::is_alpha(name.front()) &&
           std::ranges::all_of(name, [](char c) { return base::is_alnum(c) || c == '_'; });
}
bool is_fws(char c) {
    return base::is_wsp(c) || c == '\r' || c == '\n';
}
} // namespace

std::optional<dkim_tags> dkim_tags::read(std::string_view text) {
    dkim_tags out;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = std::min(text.find(';', at), text.size());
        const auto item = text.substr(at, end - at);
        if (end == text.size() && base::trim(item).empty() && at > 0)
            break; // behind the optional last semicolon
        const std::size_t equals = item.find('=');
        if (equals == item.npos)
            return std::nullopt;
        const auto name = base::trim(item.substr(0, equals));
        if (!is_tag_name(name) || out.find(name) != nullptr || out.tags_.size() == tags_max)
            return std::nullopt;
        out.tags_.push_back({name, base::trim(item.substr(equals + 1)), at + equals + 1, end});
        at = end + 1;
    }
    if (out.tags_.empty())
        return std::nullopt;
    return out;
}

const dkim_tag* dkim_tags::find(std::string_view name) const {
    const auto found = std::ranges::find(tags_, name, &dkim_tag::name);
    return found == tags_.end() ? nullptr : &*found;
}

std::string_view dkim_tags::value(std::string_view name, std::string_view otherwise) const {
    const auto* tag = find(name);
    return tag == nullptr ? otherwise : tag->value;
}

std::vector<std::string_view> colon_list(std::string_view value) {
    auto items = base::split(value, ':');
    for (auto& item : items)
        item = base::trim(item);
    return items;
}

bool colon_list_has(std::string_view value, std::string_view word) {
    return std::ranges::any_of(colon_list(value), [&](auto item) { return base::iequals(item, word); });
}

std::optional<std::string> folded_base64(std::string_view value) {
    std::string plain;
    plain.reserve(value.size());
    std::ranges::copy_if(value, std::back_inserter(plain), [](char c) { return !is_fws(c); });
    if (plain.empty())
        return std::nullopt;
    return base::unbase64(plain);
}

} // namespace mailtight::mail
