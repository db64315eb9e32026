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

#include <array>

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
    std::string out = fmt::format("{:<8} {}", mode_word(row), base::printable(row.domain));
    if (row.state.held)
        out += fmt::format("  id {}, fetched {}, ends {}", base::printable(row.state.held->id, 32),
                           away(row.state.held->fetched_at, now), away(row.state.held->expires_at(), now));
    if (row.state.failed)
        out += fmt::format("  {}: {}", sts::to_string(row.state.failed->fault),
                           base::printable(row.state.failed->detail, 200));
    return out + "\n";
}

} // namespace

int cmd_cache_list(const common_options& common, const cache_options& options) {
    constexpr std::array modes = {"enforce", "testing", "none", "without"};
    if (!options.mode.empty() && std::ranges::find(modes, options.mode) == modes.end()) {
        complain("--mode takes enforce, testing, none or without");
        return wrong_usage;
    }
    auto from = policies_to_ask(common.set);
    if (!from) {
        complain(from.error());
        return not_done;
    }
    const base::system_clock clock;
    const auto now = clock.now();
    std::uint64_t shown = 0;
    auto done = (*from)->each([&](const model::kept_policy& row) {
        if ((!options.mode.empty() && mode_word(row) != options.mode) ||
            (options.failing && !row.state.failed))
            return true;
        ++shown;
        return print(common.json ? boost::json::serialize(api::policy_document(row, now, false)) + "\n"
                                 : line_of(row, now));
    });
    if (!done) {
        complain(words(done.error()));
        return not_done;
    }
    if (shown == 0 && !common.json)
        print("Nothing is remembered.\n");
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
    if (!*kept) {
        complain(fmt::format("nothing is remembered of {}", hop.domain));
        return problems_found;
    }
    const base::system_clock clock;
    const auto now = clock.now();
    if (common.json) {
        print(boost::json::serialize(api::policy_document(**kept, now, true)) + "\n");
        return fine;
    }
    const auto& row = **kept;
    print(line_of(row, now));
    print(fmt::format(
        "record   looked at {}{}\n", away(row.state.record_at, now),
        row.state.record.detail.empty() ? "" : ": " + base::printable(row.state.record.detail, 500)));
    if (row.state.failures > 0)
        print(fmt::format("failing  {} fetches in a row, since {}\n", row.state.failures,
                          base::format_utc(row.state.failing_since)));
    print(fmt::format("used     {}\n", away(row.used_at, now)));
    if (row.state.held) {
        print("policy\n");
        for (const auto line : base::split(base::trim(row.state.held->body), '\n'))
            print(fmt::format("  {}\n", base::printable(base::trim(line), 1'000)));
    }
    return fine;
}

int cmd_cache_overrides(const common_options& common) {
    auto from = policies_to_ask(common.set);
    if (!from) {
        complain(from.error());
        return not_done;
    }
    auto all = (*from)->overrides();
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
        print(fmt::format("{:<8} {}{}{}  since {}, by {}{}: {}\n", model::to_string(each.what), each.domain,
                          each.mx.empty() ? "" : " to ", base::join(each.mx, ", "),
                          base::format_date(each.since), base::printable(each.by, 100),
                          !each.until       ? ""
                          : each.holds(now) ? ", until " + base::format_utc(*each.until)
                                            : ", over since " + base::format_utc(*each.until),
                          base::printable(each.why, 500)));
    }
    if (all->empty() && !common.json)
        print("There are no exceptions.\n");
    return fine;
}

} // namespace mailtight::app
