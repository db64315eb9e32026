// SPDX-License-Identifier: Apache-2.0
#include "publish/seen_marks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace mailtight::publish {
namespace {

/// The number before the next blank; what was read is taken away.
std::optional<std::uint32_t> number(std::string_view& text) {
    std::uint32_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end == text.data())
        return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.starts_with(' '))
        text.remove_prefix(1);
    return out;
}

} // namespace

std::optional<record_history> parse_record(const model::mark& from) {
    std::string_view text = from.text;
    const auto blank = text.find(' ');
    if (blank == std::string_view::npos || blank == 0)
        return std::nullopt;
    record_history out{.id = std::string(text.substr(0, blank)), .since = from.at};
    text.remove_prefix(blank + 1);
    const auto ttl = number(text), before = number(text);
    if (!ttl || !before)
        return std::nullopt;
    out.ttl = *ttl;
    out.ttl_before = *before;
    return out;
}

std::string to_text(const record_history& value) {
    return fmt::format("{} {} {}", value.id, value.ttl, value.ttl_before);
}

std::optional<record_history> after_look(const std::optional<record_history>& before,
                                         const plan::record_seen& now, base::utc_seconds at) {
    using enum plan::record_seen::what;
    if (now.state == unknown)
        return before;
    const std::string id = now.state == one ? now.id : now.state == absent ? "-" : "?";
    if (before && before->id == id) {
        auto same = *before;
        same.ttl = std::max(same.ttl, now.ttl);
        return same;
    }
    record_history fresh{.id = id.empty() ? "?" : id, .since = at, .ttl = now.ttl};
    if (before) {
        fresh.ttl_before = before->ttl;
        // What stood before that may still be cached too.
        if (at - before->since < std::chrono::seconds(before->ttl_before))
            fresh.ttl_before = std::max(fresh.ttl_before, before->ttl_before);
    }
    return fresh;
}

std::optional<lifetime> parse_lifetime(const model::mark& from) {
    std::string_view text = from.text;
    const auto ttl = number(text);
    return ttl ? std::optional(lifetime{.ttl = *ttl, .at = from.at}) : std::nullopt;
}

lifetime after_look(const std::optional<lifetime>& before, std::uint32_t ttl, base::utc_seconds at) {
    if (!before || ttl > before->ttl)
        return {.ttl = ttl, .at = at};
    const auto age = at - before->at;
    if (ttl == before->ttl) // written again only when it matters
        return age > std::chrono::seconds(before->ttl) ? lifetime{.ttl = ttl, .at = at} : *before;
    // Lowered, or the rest of a cached answer: believed when no cache can hold the larger one any more.
    return age > 2 * std::chrono::seconds(before->ttl) + std::chrono::hours(1)
               ? lifetime{.ttl = ttl, .at = at}
               : *before;
}

} // namespace mailtight::publish
