// SPDX-License-Identifier: Apache-2.0
// Records by a command of the operator's, in two conventions: our own, and that of lego's provider "exec".
// What stands there is seen before, so that nothing is put twice, and after, so that a command that only says
// that it did is found out.
#include "base/text.h"
#include "io/command.h"
#include "publish/dns_push_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

namespace mailtight::publish {

namespace {

using fate = pushed::fate;

struct call {
    bool add = false;
    std::string name, type, value;
    std::uint32_t ttl = 0;
};

/// What the servers say stands at the names themselves. A record of which any server speaks is there.
std::vector<wire::update_record> standing_of(const dns_pusher::state::round& round,
                                             const std::vector<plan::record_change>& wanted) {
    std::set<std::tuple<std::string, wire::dns_type, std::string>> known;
    std::vector<wire::update_record> all;
    for (const auto& by : round.all) {
        const auto& change = wanted[by.change];
        const auto type = change_type(change.type);
        if (!type || by.through_alias || !by.answered())
            continue;
        for (const auto& text : by.answer.texts) {
            auto value = canonical_value(*type, text).value_or(text);
            if (known.emplace(change.name, *type, value).second)
                all.push_back({change.name, *type, by.answer.ttl, std::move(value)});
        }
    }
    return all;
}

/// True where every server that answers says this (`all`), or any does.
bool said_by(const dns_pusher::state::round& round, std::size_t change, wire::dns_type type,
             const std::string& value, bool all) {
    bool heard = false, any = false, every = true;
    const auto wanted = canonical_value(type, value).value_or(value);
    for (const auto& by : round.all) {
        if (by.change != change || !by.answered())
            continue;
        heard = true;
        const bool says = std::ranges::any_of(by.answer.texts, [&](const std::string& text) {
            return canonical_value(type, text).value_or(text) == wanted;
        });
        any = any || says;
        every = every && says;
    }
    return all ? heard && every : any;
}

/// In order. What comes is put before what it replaces goes, so that a command that fails leaves the old;
/// but where both cannot stand (an alias, and anything else) the old goes first.
std::vector<call> calls_for(const dns_pusher::state::round& round,
                            const std::vector<plan::record_change>& wanted) {
    std::vector<call> first, middle, last;
    std::set<std::string> aliased;
    for (const auto& change : wanted)
        if (change.type == "CNAME")
            aliased.insert(change.name);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto& change = wanted[i];
        const auto type = change_type(change.type).value_or(wire::dns_type::txt);
        const bool looked = std::ranges::any_of(round.all, [i](const auto& by) { return by.change == i; });
        for (const auto& value : change.remove) {
            if (std::ranges::find(change.add, value) != change.add.end())
                continue;
            if (looked && !said_by(round, i, type, value, false))
                continue;
            (aliased.contains(change.name) ? first : last)
                .push_back({false, change.name, change.type, value, change.ttl});
        }
        for (const auto& value : change.add)
            if (!said_by(round, i, type, value, true))
                middle.push_back({true, change.name, change.type, value, change.ttl});
    }
    first.insert(first.end(), middle.begin(), middle.end());
    first.insert(first.end(), last.begin(), last.end());
    return first;
}

std::vector<std::string> words_of(const dns_pusher::hook& with, const call& one) {
    auto words = with.command;
    if (with.how == dns_pusher::hook::convention::lego_exec)
        words.insert(words.end(), {one.add ? "present" : "cleanup", one.name + ".", one.value});
    else
        words.insert(words.end(),
                     {one.add ? "add" : "remove", one.name, one.type, std::to_string(one.ttl), one.value});
    return words;
}

std::string about(const dns_pusher::hook& with, const call& one, const io::command_result& result) {
    const auto program = std::filesystem::path(with.command.front()).filename().string();
    const auto how = result.error.empty() ? fmt::format("it ended with status {}", result.exit_status)
                                          : std::string("it did not run to its end: ") + result.error;
    const auto said = base::trim(result.said);
    return fmt::format("the hook {} did not {} the {} record of {}: {}{}", base::printable(program, 100),
                       one.add ? "add" : "remove", one.type, one.name, how,
                       said.empty() ? "" : fmt::format(" (it says: {})", base::printable(said, 300)));
}

bool only_texts(const std::vector<plan::record_change>& wanted) {
    return std::ranges::all_of(wanted, [](const auto& change) { return change.type == "TXT"; });
}

} // namespace

io::task<pushed> dns_pusher::run_hook(hook with, std::vector<plan::record_change> changes) {
    auto& state = *state_;
    if (auto why = wrong_with(changes); !why.empty())
        co_return pushed{fate::stopped, std::move(why), {}};
    if (with.command.empty() || with.command.front().empty())
        co_return pushed{fate::stopped, "no command is named for the hook", {}};
    if (with.how == hook::convention::lego_exec && !only_texts(changes))
        co_return pushed{fate::stopped,
                         "the convention of lego's exec knows only TXT records: take our own for others "
                         "(add and remove NAME TYPE TTL VALUE)",
                         {}};
    const auto before = co_await state.look_around(changes);
    auto seen = judge_round(before, changes);
    if (seen.what == fate::failed) {
        seen.words = "what stands there now is not known, so nothing was changed: " + seen.words;
        co_return seen;
    }
    if (seen.what == fate::done) {
        seen.what = fate::already;
        co_return seen;
    }
    if (const auto planned = plan_updates(changes, "", standing_of(before, changes)); !planned)
        co_return pushed{fate::stopped, planned.error(), std::move(seen.servers)};
    if (!state.programs)
        state.programs.emplace(state.loop, "dns-hook");
    for (const auto& one : calls_for(before, changes)) {
        const auto words = words_of(with, one);
        const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(with.timeout);
        const auto result = co_await state.programs->run<io::command_result>(
            [words, time] { return io::run_command(words, "", time); });
        if (!result.error.empty() || result.exit_status != 0)
            co_return pushed{fate::failed, about(with, one, result), std::move(seen.servers)};
    }
    auto after = co_await state.wait_until_seen(std::move(changes));
    if (after.what == fate::failed)
        after.what = fate::spreading;
    after.words = "the hook has run; " + after.words;
    co_return after;
}

} // namespace mailtight::publish
