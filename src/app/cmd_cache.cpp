// SPDX-License-Identifier: Apache-2.0
// `cache list`, `cache show`, `cache overrides`: read from the store, whether a daemon runs or not.
#include "api/documents.h"
#include "app/local_sending.h"
#include "app/sending_commands.h"
#include "app/terminal.h"
#include "base/text.h"
#include "mail/next_hop.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace mailtight::app {

namespace {

std::string_view mode_word(const model::kept_policy& row) {
    return row.state.held ? sts::to_string(row.state.held->value.mode) : "without";
}

/// "in 6 days", "3 h ago"
std::string away(base::utc_seconds at, base::utc_seconds now) {
    return at > now ? "in " + base::format_duration(at - now) : base::format_duration(now - at) + " ago";
}

std::string line_of(const model::kept_policy& row, base::utc_seconds now) {
    std::string out = fmt::format("{:<8} {:<30}", mode_word(row), base::printable(row.domain));
    if (const auto& held = row.state.held) {
        const bool over = held->expires_at() <= now;
        out += fmt::format("  fetched {:<14}  {} {}", away(held->fetched_at, now), over ? "ended" : "ends",
                           away(held->expires_at(), now));
    }
    if (row.state.failed)
        out += fmt::format("\n{:9}{}: {}", "", sts::to_string(row.state.failed->fault),
                           base::printable(row.state.failed->detail, 200));
    return out + "\n";
}

/// Lines with a label in front, wrapped to the terminal.
void show_row(std::string_view label, const std::string& words) {
    constexpr std::size_t indent = 13;
    for (const auto& line : base::wrap(words, std::max<std::size_t>(terminal_width(), 40) - indent)) {
        print(fmt::format("  {:<11}{}\n", label, line));
        label = "";
    }
}

void show_failure(const sts::resolution_state& state, base::utc_seconds now) {
    if (!state.failed)
        return;
    show_row("last error",
             fmt::format("{}, {}: {}", sts::to_string(state.failed->fault), away(state.failed->at, now),
                         base::printable(state.failed->detail, 500)));
    if (state.failures > 1)
        show_row("", fmt::format("{} fetches in a row failed, since {}", state.failures,
                                 base::format_utc(state.failing_since)));
}

void show_verdicts(const std::vector<model::testing_verdict>& found, base::utc_seconds now) {
    for (const auto& each : found)
        show_row(&each == found.data() ? "probes" : "",
                 fmt::format("{} ({}), {}: {}", base::printable(each.mx_host), each.address.to_string(),
                             away(each.at, now),
                             each.result.empty()
                                 ? "enforce would have delivered"
                                 : fmt::format("enforce would have refused, {}: {}", each.result,
                                               base::printable(each.reason, 300))));
}

void show_kept(const model::kept_policy& row, const std::vector<model::testing_verdict>& verdicts,
               base::utc_seconds now) {
    const auto& state = row.state;
    print(fmt::format("{}: {}\n", base::printable(row.domain),
                      state.held ? sts::to_string(state.held->value.mode) : "no policy is held"));
    if (const auto& held = state.held) {
        show_row("id", held->id.empty() ? "none" : base::printable(held->id, 64));
        show_row("fetched",
                 fmt::format("{}, {}", base::format_utc(held->fetched_at), away(held->fetched_at, now)));
        show_row(held->expires_at() <= now ? "ended" : "ends",
                 fmt::format("{}, {}", base::format_utc(held->expires_at()), away(held->expires_at(), now)));
    }
    if (state.record_at != base::utc_seconds{})
        show_row(
            "record",
            fmt::format("looked at {}{}", away(state.record_at, now),
                        state.record.detail.empty() ? "" : ": " + base::printable(state.record.detail, 500)));
    show_failure(state, now);
    if (row.used_at != base::utc_seconds{})
        show_row("used", away(row.used_at, now));
    if (state.held) {
        std::string_view label = "text";
        for (const auto line : base::split(base::trim(state.held->body), '\n'))
            show_row(std::exchange(label, ""), base::printable(base::trim(line), 1'000));
    }
    show_verdicts(verdicts, now);
}

boost::json::array verdicts_json(const std::vector<model::testing_verdict>& found) {
    boost::json::array all;
    for (const auto& each : found)
        all.push_back(boost::json::object{{"mx_host", base::printable(each.mx_host, 253)},
                                          {"address", each.address.to_string()},
                                          {"at", base::format_utc(each.at)},
                                          {"policy_id", base::printable(each.policy_id, 64)},
                                          {"result", each.result},
                                          {"reason", base::printable(each.reason, 500)}});
    return all;
}

} // namespace

int cmd_cache_list(const common_options& common, const cache_options& options) {
    constexpr std::array modes = {"enforce", "testing", "none", "without"};
    if (!options.mode.empty() && std::ranges::find(modes, options.mode) == modes.end()) {
        complain("--mode takes enforce, testing, none or without");
        return wrong_usage;
    }
    auto from = policies_if_any(common.set);
    if (!from) {
        complain(from.error());
        return not_done;
    }
    const base::system_clock clock;
    const auto now = clock.now();
    std::uint64_t shown = 0;
    const auto show = [&](const model::kept_policy& row) {
        if ((!options.mode.empty() && mode_word(row) != options.mode) ||
            (options.failing && !row.state.failed))
            return true;
        ++shown;
        return print(common.json ? boost::json::serialize(api::policy_document(row, now, false)) + "\n"
                                 : line_of(row, now));
    };
    if (const auto done = *from ? (*from)->each(show) : store::result<void>{}; !done) {
        complain(words(done.error()));
        return not_done;
    }
    if (shown == 0 && !common.json) // stdout is the list, and that is empty
        say(options.failing || !options.mode.empty()
                ? "no kept policy fits that"
                : "no policy is kept yet: mailtight serve keeps what it looks up for your mail server");
    return fine;
}

int cmd_cache_show(const common_options& common, const cache_options& options) {
    const auto hop = mail::parse_next_hop(options.domain);
    if (!hop.can_have_policy()) {
        complain(fmt::format("'{}': {}", base::printable(options.domain, 253), mail::explain(hop.what)));
        return wrong_usage;
    }
    auto from = policies_to_ask(common.set);
    if (!from) {
        complain(from.error());
        return not_done;
    }
    auto kept = (*from)->get(hop.domain);
    if (!kept) {
        complain(words(kept.error()));
        return not_done;
    }
    const base::system_clock clock;
    const auto now = clock.now();
    if (!*kept) {
        complain(fmt::format("no policy of {} is kept; mailtight resolve {} looks for one", hop.domain,
                             hop.domain));
        return problems_found;
    }
    auto verdicts = (*from)->verdicts(hop.domain);
    if (!verdicts) {
        complain(words(verdicts.error()));
        return not_done;
    }
    if (!common.json) {
        show_kept(**kept, *verdicts, now);
        return fine;
    }
    auto shown = api::policy_document(**kept, now, true);
    shown["verdicts"] = verdicts_json(*verdicts);
    print(boost::json::serialize(shown) + "\n");
    return fine;
}

int cmd_cache_overrides(const common_options& common) {
    auto from = policies_if_any(common.set);
    if (!from) {
        complain(from.error());
        return not_done;
    }
    auto all = *from ? (*from)->overrides() : std::vector<model::policy_override>{};
    if (!all) {
        complain(words(all.error()));
        return not_done;
    }
    const base::system_clock clock;
    const auto now = clock.now();
    for (const auto& each : *all) {
        if (common.json) {
            print(boost::json::serialize(api::override_document(each, now)) + "\n");
            continue;
        }
        print(fmt::format("{}: {}{}{}\n", each.domain, model::to_string(each.what),
                          each.mx.empty() ? "" : " to ", base::join(each.mx, ", ")));
        show_row("since",
                 fmt::format("{}, by {}", base::format_date(each.since), base::printable(each.by, 100)));
        show_row(each.holds(now) ? "until" : "ended",
                 each.until ? base::format_utc(*each.until) : "it is removed");
        show_row("why", base::printable(each.why, 500));
    }
    if (all->empty() && !common.json)
        say("there are no exceptions");
    return fine;
}

} // namespace mailtight::app
