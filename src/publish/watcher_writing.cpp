// SPDX-License-Identifier: Apache-2.0
// What looks saw goes into the store, many together. A look without differences costs one small row; one with
// differences is judged: what senders can fetch now goes into the log of policies, the domain's plan becomes
// due, and the alarms are written down. It is one transaction, so that no difference is kept whose alarm was
// never judged.
#include "publish/watch_notes.h"
#include "publish/watcher_state.h"

#include <algorithm>
#include <set>

namespace mailtight::publish {
namespace {

using namespace std::chrono_literals;
using model::watched_state;
using store::result;

constexpr std::size_t states_read = 64;
constexpr auto loaded_within = 2h; ///< a certificate that is kept for longer should be served

std::uint64_t mix(std::uint64_t with, std::string_view text) { // FNV-1a, each text ended
    for (const char each : text)
        with = (with ^ static_cast<unsigned char>(each)) * 1'099'511'628'211U;
    return (with ^ 0x1ffU) * 1'099'511'628'211U;
}
constexpr std::uint64_t seed = 14'695'981'039'346'656'037U;

std::uint64_t name_of(const watched_state& of) {
    return mix(mix(seed, of.domain), of.full ? "f" : "c");
}
std::uint64_t digest(const watched_state& of) {
    auto out = seed;
    for (const auto* each : {&of.verdict, &of.record_id, &of.policy_sha256, &of.policy})
        out = mix(out, *each);
    for (const auto& each : of.mx)
        out = mix(out, each);
    out = mix(out, "\n");
    for (const auto& each : of.findings)
        out = mix(out, each);
    return out;
}

/// The newest state of the same kind of look.
result<std::optional<watched_state>> newest(store::domain_store& kept, const watched_state& like) {
    auto states = kept.history(like.domain, states_read);
    if (!states)
        return std::unexpected(states.error());
    const watched_state* found = nullptr;
    for (const auto& each : *states)
        if (each.full == like.full && (!found || each.first > found->first))
            found = &each;
    return found ? std::optional(*found) : std::nullopt;
}

/// Whether it is like the last look of its kind, as far as this process knows, else as the store does.
result<bool> differs(store::domain_store& kept, const watched_state& now, last_looks& memory) {
    const auto name = name_of(now), is = digest(now);
    if (const auto found = memory.find(name); found != memory.end())
        return found->second != is;
    const auto before = newest(kept, now);
    if (!before)
        return std::unexpected(before.error());
    return !*before || digest(**before) != is;
}

/// 8461-8.3-a: what senders can fetch now, whoever serves it; and somebody has to think about it.
result<void> tell(store::domain_store& kept, const watched_state& now, base::utc_seconds at) {
    if (now.policy.empty()) {
        if (auto done = kept.seen_gone(now.domain, now.last); !done)
            return done;
    } else {
        const auto ours = kept.published(now.domain);
        if (!ours)
            return std::unexpected(ours.error());
        const bool is_ours = *ours && (*ours)->body == now.policy;
        if (auto done = kept.seen_served(now.domain, now.policy, now.record_id, is_ours, now.last); !done)
            return done;
    }
    return kept.plan_work("plan", now.domain, at);
}

result<std::vector<watch_alarm>> judge(store::domain_store& kept, const std::string& domain,
                                       base::utc_seconds now, base::utc_seconds real_now,
                                       const write_rules& rules, base::utc_seconds& until) {
    const auto wish = kept.find(domain);
    if (!wish)
        return std::unexpected(wish.error());
    if (!*wish)
        return std::vector<watch_alarm>();
    auto states = kept.history(domain, states_read);
    if (!states)
        return std::unexpected(states.error());
    auto ours = kept.published(domain);
    if (!ours)
        return std::unexpected(ours.error());
    auto served = kept.served(domain);
    if (!served)
        return std::unexpected(served.error());
    const auto certificate = kept.certificate("mta-sts." + domain);
    if (!certificate)
        return std::unexpected(certificate.error());
    watch_memory memory{.domain = domain,
                        .states = std::move(*states),
                        .publication = std::move(*ours),
                        .served = std::move(*served),
                        .hosted_here = (*wish)->host == model::hosting::here,
                        .leaving = (*wish)->aim == model::aim::off,
                        .serious = rules.serious};
    memory.certificate_not_loaded =
        *certificate && !(*certificate)->proven && real_now - (*certificate)->not_before > loaded_within;
    until = unsettled_until(memory);
    return alarms_of(memory, now);
}

std::set<std::string> keys_of(const std::vector<watch_alarm>& alarms) {
    std::set<std::string> keys;
    for (const auto& each : alarms)
        keys.insert(each.key);
    return keys;
}

/// The alarms of a domain stand beside one of its two kinds of look: the later judgement counts.
result<void> write_down(store::domain_store& kept, store::due_work& work, base::utc_seconds now,
                        base::utc_seconds real_now, const write_rules& rules, written& into) {
    watch_notes fresh{.at = now};
    auto alarms = judge(kept, work.domain, now, real_now, rules, fresh.until);
    if (!alarms)
        return std::unexpected(alarms.error());
    fresh.alarms = std::move(*alarms);
    into.alarms += fresh.alarms.size();
    const auto other = kept.work(work.kind == "watch" ? "glance" : "watch", work.domain);
    if (!other)
        return std::unexpected(other.error());
    auto before = watch_notes::parse(work.domain, work.state);
    auto elsewhere = *other ? watch_notes::parse(work.domain, (*other)->state) : watch_notes();
    const bool said_elsewhere = !elsewhere.alarms.empty();
    if (elsewhere.at > before.at)
        before = std::move(elsewhere);
    into.news = into.news || keys_of(before.alarms) != keys_of(fresh.alarms);
    const bool worth_it = !fresh.alarms.empty() || fresh.until > now || said_elsewhere;
    work.state = worth_it ? fresh.to_text() : std::string();
    return {};
}

/// Another machine has looked between two looks of ours: what the store found to differ is told as well.
result<void> find_surprises(store::domain_store& kept, const std::vector<const watched_state*>& steady,
                            std::set<std::string>& differed, base::utc_seconds now) {
    for (const auto* each : steady) {
        const auto before = newest(kept, *each);
        if (!before)
            return std::unexpected(before.error());
        if (!*before || (*before)->first != each->first)
            continue;
        differed.insert(each->domain);
        if (auto done = tell(kept, *each, now); !done)
            return done;
    }
    return {};
}

/// All that write_looks writes. Run again where the transaction was lost against another machine's.
result<written> write_all(store::domain_store& kept, const std::vector<watch_turn>& turns,
                          base::utc_seconds now, base::utc_seconds real_now, const write_rules& rules,
                          std::vector<const watch_turn*>& ours) {
    written out;
    ours.clear();
    std::vector<const watched_state*> steady;
    std::vector<watched_state> steady_states;
    std::set<std::string> differed;
    for (const auto& each : turns) {
        if (each.news) {
            // Its row is ours to the end. Whoever has it now looks too: kept by us, the difference would be
            // none to them, and nobody would tell of it.
            const auto held = kept.keep_work(each.work, now, rules.lease);
            if (!held)
                return std::unexpected(held.error());
            if (!*held)
                continue;
        }
        ours.push_back(&each);
        if (!each.state)
            continue;
        if (!each.news) {
            steady.push_back(&*each.state);
            steady_states.push_back(*each.state);
            continue;
        }
        differed.insert(each.state->domain);
        if (auto done = tell(kept, *each.state, now); !done)
            return std::unexpected(done.error());
        if (auto done = kept.watched(*each.state); !done)
            return std::unexpected(done.error());
    }
    const auto appended = kept.watched_all(steady_states);
    if (!appended)
        return std::unexpected(appended.error());
    if (*appended > 0)
        if (auto done = find_surprises(kept, steady, differed, now); !done)
            return std::unexpected(done.error());
    std::vector<store::domain_store::done_with> ended;
    for (const auto* each : ours) {
        auto work = each->work;
        if (!each->state) {
            ++work.tries;
            work.last_error = "it could not be looked at";
            ended.emplace_back(std::move(work), now + rules.retry);
            continue;
        }
        work.tries = 0;
        work.last_error.clear();
        const bool again = !work.state.empty() || each->full() || differed.contains(work.domain);
        if (again)
            if (auto done = write_down(kept, work, now, real_now, rules, out); !done)
                return std::unexpected(done.error());
        const auto next = next_look(work.domain, now, each->full() ? rules.full : rules.cheap);
        ended.emplace_back(std::move(work), next);
    }
    if (const auto done = kept.done_all(ended); !done)
        return std::unexpected(done.error());
    out.differed = differed.size();
    return out;
}

} // namespace

store::result<written> write_looks(store::domain_store& kept, std::vector<watch_turn>& turns,
                                   last_looks& memory, base::utc_seconds now, base::utc_seconds real_now,
                                   const write_rules& rules) {
    // By name, as others lock their rows.
    std::ranges::sort(turns, {}, [](const watch_turn& each) {
        return std::pair(std::string_view(each.work.domain), each.full());
    });
    bool news = false;
    for (auto& each : turns) {
        if (!each.state)
            continue;
        const auto found = differs(kept, *each.state, memory);
        if (!found)
            return std::unexpected(found.error());
        each.news = *found;
        news = news || *found;
    }
    result<written> out;
    std::vector<const watch_turn*> ours;
    const auto kept_all = kept.together(
        !news, [&](store::domain_store& in) { out = write_all(in, turns, now, real_now, rules, ours); });
    if (!kept_all)
        return std::unexpected(kept_all.error());
    if (!out)
        return out;
    for (const auto* each : ours)
        if (each->state)
            memory.insert_or_assign(name_of(*each->state), digest(*each->state));
    return out;
}

store::result<void> begin_watching(store::domain_store& kept, const std::vector<std::string>& domains,
                                   base::utc_seconds now, const watch_options& options) {
    const auto each_full = std::min<std::chrono::seconds::rep>(
        options.full.count(), static_cast<std::chrono::seconds::rep>(domains.size()));
    const auto each_cheap = std::min<std::chrono::seconds::rep>(
        options.cheap.count(), static_cast<std::chrono::seconds::rep>(domains.size()) / 10);
    for (const auto& [kind, over] : {std::pair("watch", each_full), std::pair("glance", each_cheap)}) {
        std::vector<std::pair<std::string, base::utc_seconds>> due;
        due.reserve(domains.size());
        for (std::size_t i = 0; i < domains.size(); ++i)
            due.emplace_back(domains[i], now + std::chrono::seconds(
                                                   static_cast<std::chrono::seconds::rep>(i) * over /
                                                   static_cast<std::chrono::seconds::rep>(domains.size())));
        if (auto done = kept.plan_all(kind, due); !done)
            return done;
    }
    return {};
}

} // namespace mailtight::publish
