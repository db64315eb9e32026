// SPDX-License-Identifier: Apache-2.0
#include "app/alarm_loop.h"

#include "app/daemon_core.h"
#include "app/outgoing.h"
#include "app/pages_part.h"
#include "app/policy_time.h"
#include "app/publish_part.h"
#include "app/report_facts.h"
#include "app/reports_part.h"
#include "app/sending_part.h"
#include "app/turns.h"
#include "base/text.h"

#include <boost/json.hpp>
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
constexpr std::string_view store_alarm = "store/write";
constexpr int looks_before_alarm = 2; ///< a mailbox that hiccups once is no alarm

struct gathered {
    std::vector<insight::alarm> alarms;
    std::vector<insight::alarm_state> states;
    std::vector<insight::mute> mutes;
    std::vector<insight::alarm> of_others; ///< that other machines wrote down
    struct sessions {
        std::string domain;
        std::uint64_t success = 0, failure = 0;
    };
    std::vector<sessions> two_days;
};

constexpr std::string_view machine_prefix = "alarms-of/";
constexpr auto written_counts = std::chrono::minutes(30); ///< what a machine wrote before it went is over

std::string machine_alarms_text(const std::vector<insight::alarm>& all, base::utc_seconds now) {
    boost::json::array rows;
    for (const auto& each : all)
        rows.push_back(boost::json::object{{"key", base::printable(each.key)},
                                           {"kind", each.kind},
                                           {"domain", each.domain},
                                           {"error", each.weight == insight::weight::error},
                                           {"title", base::printable(each.title)},
                                           {"text", base::printable(each.text)},
                                           {"fix", base::printable(each.fix)}});
    return boost::json::serialize(boost::json::object{{"at", base::format_utc(now)}, {"alarms", rows}});
}

std::vector<insight::alarm> read_machine_alarms(std::string_view text, base::utc_seconds now) {
    boost::system::error_code error;
    const auto parsed = boost::json::parse(text, error);
    const auto* object = error ? nullptr : parsed.if_object();
    auto word = [](const boost::json::object& of, std::string_view key) {
        const auto* value = of.if_contains(key);
        return value && value->is_string() ? std::string(value->as_string()) : std::string();
    };
    const auto at = object ? base::parse_utc(word(*object, "at")) : std::nullopt;
    const auto* rows = object ? object->if_contains("alarms") : nullptr;
    std::vector<insight::alarm> all;
    if (!at || now - *at > written_counts || !rows || !rows->is_array())
        return all;
    for (const auto& each : rows->as_array()) {
        if (!each.is_object())
            continue;
        const auto& of = each.as_object();
        insight::alarm alarm;
        alarm.key = word(of, "key");
        alarm.kind = word(of, "kind");
        alarm.domain = word(of, "domain");
        const auto* error_too = of.if_contains("error");
        alarm.weight = error_too && error_too->is_bool() && error_too->as_bool() ? insight::weight::error
                                                                                 : insight::weight::warning;
        alarm.title = word(of, "title");
        alarm.text = word(of, "text");
        alarm.fix = word(of, "fix");
        all.push_back(std::move(alarm));
    }
    return all;
}

store::result<gathered> gather(store::store& from, base::utc_seconds now,
                               const insight::alarm_thresholds& thresholds, const std::string& machine) {
    gathered all;
    auto written = from.facts(machine_prefix);
    if (!written)
        return std::unexpected(written.error());
    for (const auto& [name, text] : *written)
        if (name.substr(machine_prefix.size()) != machine)
            for (auto& each : read_machine_alarms(text, now))
                all.of_others.push_back(std::move(each));
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
                    "keeps the reports. Fix the cause, then look at mailtight status.";
        all.push_back(std::move(alarm));
    }
    return all;
}

std::optional<insight::alarm> alarm_loop::alarm_of_store() {
    if (core_.store_ok) // a write is tried every few seconds where the last one failed
        return {};
    insight::alarm alarm;
    alarm.key = store_alarm;
    alarm.kind = "store";
    alarm.weight = insight::weight::error;
    alarm.title = "The store cannot be written";
    alarm.text = base::printable(core_.keeper->counters().last_error, 1'000);
    alarm.fix =
        "Reports are put off, and their senders bring them again for some days: make room on the disk, "
        "or bring the database back. The daemon goes on by itself then.";
    return alarm;
}

io::task<> alarm_loop::tell_at_once(insight::alarm alarm) {
    if (told_at_once_)
        co_return;
    told_at_once_ = {.what = insight::notice::kind::raised, .alarm = std::move(alarm), .since = core_.now()};
    const auto notice = *told_at_once_;
    tell(*core_.log, notice);
    const auto count = [this](std::string_view channel, const std::expected<void, std::string>& sent) {
        core_.metrics.add(base::metric::notices, 1, {channel, sent ? "sent" : "failed"});
        if (!sent)
            core_.log->write(
                base::event::notice_failed,
                {{"channel", std::string(channel)}, {"error", sent.error()}, {"given_up", "yes"}});
    };
    if (!core_.set.alarm_mail.empty())
        count("mail", co_await send_letter(*core_.with, core_.set, insight::write_notices({&notice, 1}),
                                           core_.set.alarm_mail));
    if (!core_.set.webhook.empty())
        count("webhook", co_await post_webhook(*core_.with, core_.set, insight::notice_json(notice)));
}

std::vector<insight::alarm> alarm_loop::alarms_of_this_machine() {
    auto all = alarms_of_ways_in();
    if (auto store = alarm_of_store())
        all.push_back(std::move(*store));
    auto add = [&all](std::vector<insight::alarm> more) { std::ranges::move(more, std::back_inserter(all)); };
    if (core_.sending)
        add(core_.sending->alarms());
    if (core_.collecting)
        add(core_.collecting->alarms());
    if (core_.delivering)
        add(core_.delivering->alarms());
    if (core_.hosting)
        add(core_.hosting->alarms());
    if (core_.pages)
        add(core_.pages->alarms());
    return all;
}

io::task<> alarm_loop::write_down(std::vector<insight::alarm> mine) {
    const std::string name = std::string(machine_prefix) + core_.turn->machine();
    const std::string text = mine.empty() ? std::string() : machine_alarms_text(mine, core_.now());
    const auto written =
        co_await core_.keeper->write([name, text](store::store& to) { return to.set_fact(name, text); });
    active_.clear();
    if (auto store = alarm_of_store(); store && !written)
        co_await tell_at_once(std::move(*store));
}

io::task<> alarm_loop::look() {
    const auto now = core_.now();
    const auto thresholds = thresholds_of(core_.set);
    auto asked =
        co_await core_.ask<gathered>([now, thresholds, machine = core_.turn->machine()](store::store& from) {
            return gather(from, now, thresholds, machine);
        });
    if (!asked) {
        core_.log->write(base::event::store_slow, {{"error", asked.error().message}});
        if (auto store = alarm_of_store()) {
            if (std::ranges::find(active_, store->key, &insight::alarm_state::key) == active_.end())
                active_.push_back({.key = store->key,
                                   .title = store->title,
                                   .since = now,
                                   .last_sent = now,
                                   .active = true});
            co_await tell_at_once(std::move(*store));
        }
        co_return;
    }
    auto mine = alarms_of_this_machine();
    tells_ = co_await core_.turn->ours("alarms");
    if (!tells_) {
        co_await write_down(std::move(mine));
        co_return;
    }
    auto alarms = std::move(asked->alarms);
    for (auto& more : mine)
        alarms.push_back(std::move(more));
    for (auto& more : asked->of_others)
        if (std::ranges::find(alarms, more.key, &insight::alarm::key) == alarms.end())
            alarms.push_back(std::move(more));
    if (core_.carrying) {
        co_await core_.carrying->gather_alarms();
        for (auto& more : core_.carrying->alarms())
            alarms.push_back(std::move(more));
    }
    auto step = insight::step_alarms(alarms, asked->states, asked->mutes, now, thresholds);
    if (told_at_once_ && core_.store_ok) { // the outbox takes it, if this is so
        told_at_once_->what = insight::notice::kind::resolved;
        step.to_send.push_back(*told_at_once_);
    }

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
    if (!core_.set.webhook.empty())
        for (const auto& notice : step.to_send)
            facts.emplace_back(outbox_name(outbox_hook, now), insight::notice_json(notice));
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
    store::result<void> written;
    if (!facts.empty())
        written = co_await core_.keeper->write([facts](store::store& to) { return to.set_facts(facts); });
    if (written) {
        for (const auto& notice : step.to_send)
            tell(*core_.log, notice);
        if (core_.store_ok)
            told_at_once_.reset();
    } else { // all but one thing is told when it can be kept that it was
        core_.log->write(base::event::store_slow, {{"error", written.error().message}});
        const auto store = std::ranges::find(alarms, store_alarm, &insight::alarm::key);
        if (store != alarms.end())
            co_await tell_at_once(*store);
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
    using duration = std::chrono::steady_clock::duration;
    // Where policy time is set forward, the pauses end with it.
    const auto time = [this] { return core_.loop().now() + policy_time().ahead(); };
    auto next = time() + 2s;
    auto pause = duration(after_reports);
    for (;;) {
        co_await core_.loop().sleep_for(2s);
        if (woken_)
            next = std::min(next, time() + pause);
        if (time() < next)
            continue;
        woken_ = false;
        const auto began = core_.loop().now();
        co_await look();
        // With thousands of domains a look takes a while: it never takes more than a tenth of the time.
        pause = std::max(duration(after_reports), 10 * (core_.loop().now() - began));
        next = time() + std::max(duration(between_looks), pause);
        if (tells_)
            co_await send_outbox();
    }
}

} // namespace mailtight::app
