// SPDX-License-Identifier: Apache-2.0
// What is told of an alarm over its life: once when it begins, again at intervals, once when it is over. A
// muted alarm is silent; one that outlives its mute is then told as if it were new.
#include "insight/alarms.h"

#include <boost/json.hpp>

#include <algorithm>

namespace mailtight::insight {

namespace {

namespace json = boost::json;

bool muted(std::string_view key, std::span<const mute> mutes, base::utc_seconds now) {
    return std::ranges::any_of(mutes, [&](const mute& one) { return silences(one, key, now); });
}

/// What is left of an alarm that is over: its key holds kind and domain.
alarm alarm_of(const alarm_state& state) {
    alarm made;
    made.key = state.key;
    made.title = state.title;
    made.weight = weight::fine;
    const auto kind_end = state.key.find('/');
    made.kind = state.key.substr(0, kind_end);
    if (kind_end != std::string::npos) {
        const auto rest = state.key.substr(kind_end + 1);
        made.domain = rest.substr(0, rest.find('/'));
    }
    made.text = "It is not seen any more.";
    return made;
}

} // namespace

bool silences(const mute& one, std::string_view key, base::utc_seconds now) {
    return now < one.until && (key == one.key || (one.key.ends_with('/') && key.starts_with(one.key)));
}

alarm_step step_alarms(std::span<const alarm> now_active, std::span<const alarm_state> before,
                       std::span<const mute> mutes, base::utc_seconds now,
                       const alarm_thresholds& thresholds) {
    alarm_step step;
    for (const alarm& one : now_active) {
        const auto known = std::ranges::find_if(
            before, [&](const alarm_state& state) { return state.active && state.key == one.key; });
        const bool told = known != before.end();
        const bool silent = muted(one.key, mutes, now);
        if (!told && silent)
            continue;
        alarm_state state = told ? *known : alarm_state{one.key, one.title, now, now, true};
        state.title = one.title;
        if (!told)
            step.to_send.push_back({notice::kind::raised, one, state.since});
        else if (!silent && now - state.last_sent >= thresholds.reminder) {
            state.last_sent = now;
            step.to_send.push_back({notice::kind::reminder, one, state.since});
        }
        step.states.push_back(std::move(state));
    }
    for (const alarm_state& state : before) {
        if (!state.active || std::ranges::find(now_active, state.key, &alarm::key) != now_active.end())
            continue;
        if (!muted(state.key, mutes, now))
            step.to_send.push_back({notice::kind::resolved, alarm_of(state), state.since});
        step.states.push_back(state);
        step.states.back().active = false; // once: the next step leaves it out
        step.states.back().last_sent = now;
    }
    return step;
}

std::string alarm_state::to_text() const {
    return json::serialize(json::object{{"key", key},
                                        {"title", title},
                                        {"since", since.time_since_epoch().count()},
                                        {"last_sent", last_sent.time_since_epoch().count()},
                                        {"active", active}});
}

std::optional<alarm_state> alarm_state::parse(std::string_view text) {
    boost::system::error_code wrong;
    const json::value read = json::parse(text, wrong);
    const json::object* of = wrong ? nullptr : read.if_object();
    if (!of)
        return std::nullopt;
    const auto* key = of->if_contains("key");
    const auto* title = of->if_contains("title");
    const auto* since = of->if_contains("since");
    const auto* last_sent = of->if_contains("last_sent");
    const auto* active = of->if_contains("active");
    if (!key || !key->is_string() || !title || !title->is_string() || !since || !since->is_int64() ||
        !last_sent || !last_sent->is_int64() || !active || !active->is_bool())
        return std::nullopt;
    alarm_state made;
    made.key = key->get_string();
    made.title = title->get_string();
    made.since = base::utc_seconds(std::chrono::seconds(since->get_int64()));
    made.last_sent = base::utc_seconds(std::chrono::seconds(last_sent->get_int64()));
    made.active = active->get_bool();
    return made;
}

} // namespace mailtight::insight
