// SPDX-License-Identifier: Apache-2.0
#include "app/alarm_loop.h"

#include "app/daemon_core.h"
#include "app/outgoing.h"
#include "app/publish_part.h"
#include "app/report_facts.h"
#include "app/reports_part.h"
#include "app/sending_part.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace mailtight::app {

namespace {

using namespace std::chrono_literals;

constexpr auto between_looks = 5min;
constexpr auto after_reports = 20s;  ///< a burst of reports is one look
constexpr auto given_up_after = 72h; ///< a letter that nobody takes
constexpr std::string_view outbox_mail = "outbox/mail/", outbox_hook = "outbox/hook/";
constexpr std::size_t domains_at_once = 250;
constexpr int looks_before_alarm = 2; ///< a mailbox that hiccups once is no alarm

struct gathered {
    std::vector<insight::alarm> alarms;
    std::vector<insight::alarm_state> states;
    std::vector<insight::mute> mutes;
    struct sessions {
        std::string domain;
        std::uint64_t success = 0, failure = 0;
    };
    std::vector<sessions> two_days;
};

store::result<gathered> gather(store::store& from, base::utc_seconds now,
                               const insight::alarm_thresholds& thresholds) {
    gathered all;
    auto ours = from.domains();
    if (!ours)
        return std::unexpected(ours.error());
    auto states = alarm_states(from);
    if (!states)
        return std::unexpected(states.error());
    all.states = std::move(*states);
    const auto today = day_of(now);
    // In portions: few questions for thousands of domains, and never all of their rows in memory.
    for (std::size_t begin = 0; begin < ours->size(); begin += domains_at_once) {
        std::vector<std::string> names;
        for (const auto& domain :
             std::span(*ours).subspan(begin, std::min(domains_at_once, ours->size() - begin)))
            names.push_back(domain.name);
        auto portion = alarm_inputs(from, names, today, all.states);
        if (!portion)
            return std::unexpected(portion.error());
        for (const auto& facts : *portion) {
            auto some = insight::alarms_now(facts, thresholds, now);
            all.alarms.insert(all.alarms.end(), some.begin(), some.end());
            gathered::sessions sum{.domain = facts.domain};
            for (const auto& row : facts.days)
                if (row.day >= today - std::chrono::days(2)) {
                    sum.success += row.success;
                    sum.failure += row.failure;
                }
            all.two_days.push_back(std::move(sum));
        }
    }
    auto silenced = mutes(from);
    if (!silenced)
        return std::unexpected(silenced.error());
    all.mutes = std::move(*silenced);
    return all;
}

insight::alarm_thresholds thresholds_of(const settings& from) {
    insight::alarm_thresholds thresholds;
    thresholds.share = static_cast<double>(from.alarm_share) / 100.0;
    thresholds.silent_days = static_cast<int>(from.silent_days);
    thresholds.reminder = std::chrono::hours(24 * from.reminder_days);
    return thresholds;
}

/// A name in the outbox: when it was written, then something of its own.
std::string outbox_name(std::string_view channel, base::utc_seconds now) {
    return fmt::format("{}{}/{}", channel, base::format_utc(now), random_token(5));
}

void tell(base::log& log, const insight::notice& what) {
    using kind = insight::notice::kind;
    const auto event = what.what == kind::raised     ? base::event::alarm_raised
                       : what.what == kind::reminder ? base::event::alarm_reminder
                                                     : base::event::alarm_resolved;
    log.write(event, {{"key", what.alarm.key}, {"title", what.alarm.title}});
}

} // namespace

std::vector<insight::alarm> alarm_loop::alarms_of_ways_in() {
    std::vector<insight::alarm> all;
    for (const auto& each : core_.parts) {
        if (!each->is_way_in())
            continue; // they have alarms of their own
        const auto now = each->status();
        const std::string name = now.name + "/" + now.where;
        if (!each->failing()) {
            failing_.erase(name);
            continue;
        }
        if (++failing_[name] < looks_before_alarm)
            continue;
        insight::alarm alarm;
        alarm.key = "way-in/" + name;
        alarm.kind = "way-in";
        alarm.weight = insight::weight::error;
        alarm.title =
            fmt::format("Reports cannot be taken in by {} ({})", now.name, base::printable(now.where));
        alarm.text = fmt::format("Since {} at the latest: {}", base::format_utc(now.last_error_at),
                                 base::printable(now.last_error));
        alarm.fix = "It is tried again by itself and nothing is lost meanwhile: the mailbox or the sender "
                    "keeps the reports. Mend the cause, then look at mailtight status.";
        all.push_back(std::move(alarm));
    }
    return all;
}

io::task<> alarm_loop::look() {
    const auto now = core_.now();
    const auto thresholds = thresholds_of(core_.set);
    auto asked = co_await core_.ask<gathered>(
        [now, thresholds](store::store& from) { return gather(from, now, thresholds); });
    if (!asked) {
        core_.log->write(base::event::store_slow, {{"error", asked.error().message}});
        co_return;
    }
    auto alarms = std::move(asked->alarms);
    for (auto& more : alarms_of_ways_in())
        alarms.push_back(std::move(more));
    if (core_.sending)
        for (auto& more : core_.sending->alarms())
            alarms.push_back(std::move(more));
    if (core_.collecting)
        for (auto& more : core_.collecting->alarms())
            alarms.push_back(std::move(more));
    if (core_.delivering)
        for (auto& more : core_.delivering->alarms())
            alarms.push_back(std::move(more));
    if (core_.hosting)
        for (auto& more : core_.hosting->alarms())
            alarms.push_back(std::move(more));
    if (core_.carrying) {
        co_await core_.carrying->gather_alarms();
        for (auto& more : core_.carrying->alarms())
            alarms.push_back(std::move(more));
    }
    const auto step = insight::step_alarms(alarms, asked->states, asked->mutes, now, thresholds);

    // States and what is to be sent are committed together: told once, whatever happens in between.
    std::vector<std::pair<std::string, std::string>> facts;
    for (const auto& before : asked->states)
        if (std::ranges::find(step.states, before.key, &insight::alarm_state::key) == step.states.end())
            facts.emplace_back(std::string(alarm_prefix) + before.key, "");
    for (const auto& state : step.states) {
        const auto before = std::ranges::find(asked->states, state.key, &insight::alarm_state::key);
        if (before == asked->states.end() || before->to_text() != state.to_text())
            facts.emplace_back(std::string(alarm_prefix) + state.key, state.to_text());
    }
    if (!step.to_send.empty() && !core_.set.alarm_mail.empty()) {
        const auto letter = insight::write_notices(step.to_send);
        facts.emplace_back(outbox_name(outbox_mail, now), letter.subject + "\n\n" + letter.text);
    }
    for (const auto& notice : step.to_send) {
        tell(*core_.log, notice);
        if (!core_.set.webhook.empty())
            facts.emplace_back(outbox_name(outbox_hook, now), insight::notice_json(notice));
    }
    core_.metrics.clear(base::metric::alarm_active);
    core_.metrics.clear(base::metric::alarms_active);
    std::map<std::string, double> by_kind;
    for (const auto& alarm : alarms) {
        core_.metrics.set(base::metric::alarm_active, 1,
                          {alarm.domain, alarm.kind, insight::to_string(alarm.weight)});
        ++by_kind[alarm.kind];
    }
    for (const auto& [kind, count] : by_kind)
        core_.metrics.set(base::metric::alarms_active, count, {kind});
    core_.metrics.clear(base::metric::sessions);
    for (const auto& sum : asked->two_days) {
        core_.metrics.set(base::metric::sessions, static_cast<double>(sum.success), {sum.domain, "success"});
        core_.metrics.set(base::metric::sessions, static_cast<double>(sum.failure), {sum.domain, "failure"});
    }
    if (!facts.empty()) {
        auto written = co_await core_.keeper->write([facts](store::store& to) -> store::result<void> {
            for (const auto& [name, value] : facts)
                if (auto done = to.set_fact(name, value); !done)
                    return done;
            return {};
        });
        if (!written)
            core_.log->write(base::event::store_slow, {{"error", written.error().message}});
    }
    // Shown only now: who sees an alarm finds its letter in the store, unless that fails.
    active_.clear();
    for (const auto& state : step.states)
        if (state.active)
            active_.push_back(state);
}

io::task<> alarm_loop::post(insight::letter letter) {
    const std::string name = outbox_name(outbox_mail, core_.now());
    const std::string value = letter.subject + "\n\n" + letter.text;
    auto written =
        co_await core_.keeper->write([name, value](store::store& to) { return to.set_fact(name, value); });
    if (!written)
        core_.log->write(base::event::store_slow, {{"error", written.error().message}});
    wake();
}

io::task<> alarm_loop::send_outbox() {
    using pairs = std::vector<std::pair<std::string, std::string>>;
    auto waiting = co_await core_.ask<pairs>([](store::store& from) { return from.facts("outbox/"); });
    if (!waiting)
        co_return;
    for (const auto& [name, value] : *waiting) {
        const bool mail = name.starts_with(outbox_mail);
        std::expected<void, std::string> sent;
        if (mail && core_.set.alarm_mail.empty()) {
            // Nobody is to be told any more.
        } else if (mail) {
            const auto gap = value.find("\n\n");
            insight::letter letter{value.substr(0, gap),
                                   gap == std::string::npos ? "" : value.substr(gap + 2)};
            sent = co_await send_letter(*core_.with, core_.set, std::move(letter), core_.set.alarm_mail);
        } else if (!core_.set.webhook.empty()) {
            sent = co_await post_webhook(*core_.with, core_.set, value);
        }
        core_.metrics.add(base::metric::notices, 1, {mail ? "mail" : "webhook", sent ? "sent" : "failed"});
        const auto prefix = mail ? outbox_mail : outbox_hook;
        const auto written_at = base::parse_utc(std::string_view(name).substr(prefix.size(), 20));
        const bool too_old = !written_at || core_.now() - *written_at > given_up_after;
        if (!sent)
            core_.log->write(base::event::notice_failed, {{"channel", mail ? "mail" : "webhook"},
                                                          {"error", sent.error()},
                                                          {"given_up", too_old ? "yes" : "no"}});
        if (sent || too_old) {
            const std::string done = name;
            co_await core_.keeper->write([done](store::store& to) { return to.set_fact(done, ""); });
        }
    }
}

io::task<> alarm_loop::run() {
    auto next = core_.loop().now() + 2s;
    auto pause = std::chrono::steady_clock::duration(after_reports);
    for (;;) {
        co_await core_.loop().sleep_for(2s);
        const auto now = core_.loop().now();
        if (woken_)
            next = std::min(next, now + pause);
        if (now < next)
            continue;
        woken_ = false;
        co_await look();
        // With thousands of domains a look takes a while: it never takes more than a tenth of the time.
        pause = std::max(std::chrono::steady_clock::duration(after_reports), 10 * (core_.loop().now() - now));
        next = core_.loop().now() + std::max(std::chrono::steady_clock::duration(between_looks), pause);
        co_await send_outbox();
    }
}

} // namespace mailtight::app
