// SPDX-License-Identifier: Apache-2.0
#include "publish/watch_notes.h"

#include <boost/json.hpp>

#include <algorithm>

namespace mailtight::publish {
namespace {

constexpr std::size_t most_bytes = 1U << 20U, most_alarms = 200;

std::string text_of(const boost::json::object& from, std::string_view key) {
    const auto* value = from.if_contains(key);
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::optional<change_kind> kind_of(std::string_view word) {
    for (auto each = change_kind::mx_without_policy; each <= change_kind::step_fails;
         each = static_cast<change_kind>(static_cast<int>(each) + 1))
        if (to_string(each) == word)
            return each;
    return std::nullopt;
}

} // namespace

std::string watch_notes::to_text() const {
    boost::json::object out{{"at", base::format_utc(at)}, {"until", base::format_utc(until)}};
    auto& all = out["alarms"].emplace_array();
    for (const auto& each : alarms) {
        if (all.size() >= most_alarms)
            break;
        all.push_back({{"key", each.key},
                       {"what", to_string(each.what)},
                       {"subject", each.subject},
                       {"title", each.title},
                       {"text", each.text},
                       {"fix", each.fix},
                       {"error", each.error}});
    }
    return boost::json::serialize(out);
}

watch_notes watch_notes::parse(std::string_view domain, std::string_view text) {
    watch_notes out;
    boost::system::error_code error;
    if (text.empty() || text.size() > most_bytes)
        return out;
    const auto value = boost::json::parse(text, error);
    if (error || !value.is_object())
        return out;
    const auto& object = value.as_object();
    out.at = base::parse_utc(text_of(object, "at")).value_or(base::utc_seconds{});
    out.until = base::parse_utc(text_of(object, "until")).value_or(base::utc_seconds{});
    const auto* alarms = object.if_contains("alarms");
    if (!alarms || !alarms->is_array())
        return out;
    for (const auto& each : alarms->as_array()) {
        const auto* one = each.if_object();
        const auto what = one ? kind_of(text_of(*one, "what")) : std::nullopt;
        if (!what || out.alarms.size() >= most_alarms)
            continue;
        const auto* serious = one->if_contains("error");
        out.alarms.push_back({.key = text_of(*one, "key"),
                              .what = *what,
                              .domain = std::string(domain),
                              .subject = text_of(*one, "subject"),
                              .title = text_of(*one, "title"),
                              .text = text_of(*one, "text"),
                              .fix = text_of(*one, "fix"),
                              .error = serious && serious->is_bool() && serious->as_bool()});
    }
    return out;
}

} // namespace mailtight::publish
