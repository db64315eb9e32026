// SPDX-License-Identifier: Apache-2.0
// One Policy Domain as a sender sees it, and the sender's state, under a clock that a test moves: what
// resolution.h asks for is answered at once from what the world publishes, as the policy service would do
// over DNS and HTTPS. Counts every question.
#pragma once

#include "sts/resolution.h"

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace mailtight::sts::tests {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
inline constexpr base::utc_seconds story_begins{seconds(1'767'225'600)}; // 2026-01-01

inline record_sighting record_with(std::string id, std::uint32_t ttl = 300) {
    return {record_sighting::kind::valid, std::move(id), ttl, ""};
}
inline record_sighting no_record(record_sighting::kind what = record_sighting::kind::none,
                                 std::uint32_t ttl = 900) {
    return {what, "", ttl, ""};
}
inline record_sighting dns_error() {
    return {record_sighting::kind::error, "", 0, "SERVFAIL"};
}
inline policy_sighting served(mode m, std::uint64_t max_age = 604'800,
                              std::string_view mx = "mx.example.com") {
    policy_sighting out;
    out.body = fmt::format("version: STSv1\nmode: {}\n{}max_age: {}\n", to_string(m),
                           m == mode::none ? "" : fmt::format("mx: {}\n", mx), max_age);
    out.value = parse_policy(out.body).value();
    return out;
}
inline policy_sighting broken(policy_fault fault = policy_fault::fetch_error,
                              std::string detail = "HTTP 404") {
    return {std::nullopt, "", fault, std::move(detail)};
}

struct sending_world {
    // what the domain publishes
    record_sighting record = no_record();
    policy_sighting policy = broken();
    // the sender
    base::utc_seconds now = story_begins;
    resolution_state state;
    std::size_t looks = 0, fetches = 0;
    std::uint64_t dice = 1;
    next_look latest; ///< what the latest use, failure or schedule asked for
    /// A fetch takes its answer when it begins and gives it when it ends.
    bool fetches_wait = false;
    std::optional<policy_sighting> under_way;
    base::utc_seconds began_at{}; ///< of that fetch; none lasts as long as five minutes
    std::function<void()> fetch_begins = [] {};
    std::function<void(const policy_sighting&)> fetch_over = [](const policy_sighting&) {};

    void fetch() {
        ++fetches;
        fetch_begins();
        under_way = policy;
        began_at = now;
        if (!fetches_wait)
            fetch_ends();
    }
    void fetch_ends() {
        if (!under_way)
            return;
        dice = dice * 6364136223846793005u + 1442695040888963407u;
        const auto answer = *std::exchange(under_way, std::nullopt);
        fetch_over(answer);
        policy_seen(state, answer, now, dice >> 20);
    }
    void follow(next_look look, occasion why) {
        latest = look;
        ask next = look.what;
        if (next == ask::record) {
            ++looks;
            next = record_seen(state, record, why, now);
        }
        if (next == ask::policy && !under_way) // identical fetches are one
            fetch();
    }
    void use() { follow(on_use(state, now), occasion::use); }
    void delivery_fails() { follow(on_failed_delivery(state, now), occasion::failed_delivery); }
    /// Time goes by.
    void wait(seconds length) {
        end_old_fetch(length);
        now += length;
    }
    /// Time goes by and the daily fetches happen.
    void run(seconds length) {
        end_old_fetch(length);
        const auto end = now + length;
        while (state.refresh_at != base::utc_seconds{} && state.refresh_at <= end) {
            now = std::max(now, state.refresh_at);
            follow(on_schedule(state, now), occasion::schedule);
            if (state.refresh_at != base::utc_seconds{} && state.refresh_at <= now && !under_way)
                throw std::logic_error("a refresh did not set the time of the next one");
            if (under_way)
                return; // time stands still until it has ended
        }
        now = end;
    }
    void end_old_fetch(seconds before) {
        if (under_way && now + before - began_at >= minutes(5))
            fetch_ends();
    }
    standing stands() const { return standing_at(state, now); }
};

} // namespace mailtight::sts::tests
