// SPDX-License-Identifier: Apache-2.0
// When to look, and what to tell of it: each look of the past is judged as it was then, so that a fault's
// beginning and its comings and goings are known without any memory but the looks themselves.
#include "publish/watch.h"

#include "publish/watch_faults.h"

#include <algorithm>
#include <map>

namespace mailtight::publish {
namespace {

using namespace std::chrono_literals;
using base::utc_seconds;

constexpr auto settle = 20min; ///< two looks, an hour apart or a little less
constexpr auto damping = 24h;

using judge_of_looks = void (*)(const watch_memory&, std::span<const look_at>, faults&);

void alarms_by(judge_of_looks judge, const watch_memory& memory, const std::vector<look_at>& looks,
               utc_seconds now, unsigned flaps, std::map<std::string, watch_alarm>& into) {
    struct course {
        fault last;
        utc_seconds since{};  ///< of the present one, or of the last
        unsigned changes = 0; ///< within a day
        bool on = false;
    };
    std::map<std::string, course, std::less<>> all;
    for (std::size_t i = 0; i < looks.size(); ++i) {
        const bool recent = now - looks[i].at < damping;
        if (!recent && i + 1 < looks.size() && now - looks[i + 1].at >= damping &&
            looks[i].state == looks[i + 1].state)
            continue; // the middle of something steady, long ago
        faults seen;
        judge(memory, std::span(looks).first(i + 1), seen);
        for (auto& [key, was] : all)
            if (was.on && !seen.contains(key)) {
                was.on = false;
                was.changes += recent ? 1 : 0;
            }
        for (auto& [key, one] : seen) {
            auto& was = all[key];
            if (!was.on) {
                was.on = true;
                was.since = looks[i].at;
                was.changes += recent && i > 0 ? 1 : 0;
            }
            was.last = std::move(one);
        }
    }
    for (const auto& [key, one] : all) {
        const bool comes_and_goes = flaps > 0 && one.changes >= flaps;
        const bool steady = one.on && (one.last.at_once || now - one.since >= settle);
        if (comes_and_goes || steady)
            into.insert_or_assign(
                key, in_words(memory.domain, one.last, one.since, comes_and_goes ? one.changes : 0));
    }
}

std::uint64_t hash_of(std::string_view text) { // FNV-1a, then mixed: near names are far apart
    std::uint64_t out = 14'695'981'039'346'656'037U;
    for (const char each : text)
        out = (out ^ static_cast<unsigned char>(each)) * 1'099'511'628'211U;
    out ^= out >> 30U;
    out *= 0xbf58476d1ce4e5b9U;
    out ^= out >> 27U;
    out *= 0x94d049bb133111ebU;
    return out ^ (out >> 31U);
}

} // namespace

std::vector<watch_alarm> alarms_of(const watch_memory& memory, utc_seconds now, unsigned flaps) {
    std::map<std::string, watch_alarm> all;
    alarms_by(&faults_of_facts, memory, in_order(memory.states, false), now, flaps, all);
    alarms_by(&faults_of_findings, memory, in_order(memory.states, true), now, flaps, all);
    if (memory.certificate_not_loaded && memory.hosted_here) {
        const fault one{.what = change_kind::certificate_not_loaded, .error = true};
        all.insert_or_assign(key_of(memory.domain, one), in_words(memory.domain, one, now, 0));
    }
    std::vector<watch_alarm> out;
    out.reserve(all.size());
    for (auto& [key, each] : all)
        out.push_back(std::move(each));
    return out;
}

utc_seconds unsettled_until(const watch_memory& memory) {
    utc_seconds changed{};
    for (const auto& each : memory.states)
        changed = std::max(changed, each.first);
    return changed + damping + 1h;
}

utc_seconds next_look(std::string_view domain, utc_seconds now, std::chrono::seconds interval) {
    const auto every = std::max<std::chrono::seconds::rep>(interval.count(), 1);
    const auto phase =
        static_cast<std::chrono::seconds::rep>(hash_of(domain) % static_cast<std::uint64_t>(every));
    // The first time of its own that is not too soon after this one.
    const auto least = now.time_since_epoch().count() + (every + 1) / 2;
    auto at = least - (least % every) + phase;
    if (at < least)
        at += every;
    return utc_seconds(std::chrono::seconds(at));
}

} // namespace mailtight::publish
