// SPDX-License-Identifier: Apache-2.0
// `domain list`: the domains looked after with what was seen of each last; page by page, so that a hundred
// thousand are no trouble.
#include "app/domain_access.h"
#include "app/domain_wish.h"
#include "app/options.h"
#include "app/publish_commands.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "base/text.h"
#include "insight/table.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>

namespace mailtight::app {

namespace {

constexpr std::size_t page = 1'000;
constexpr auto state_words = std::to_array<std::string_view>(
    {"protected", "testing", "unverified", "retiring", "broken", "absent", "unreachable", "unseen"});

insight::table empty_table() {
    using kind = insight::column::kind;
    insight::table out;
    out.columns = {{"domain", "DOMAIN", kind::whole},
                   {"mode", "MODE", kind::whole},
                   {"state", "STATE", kind::whole},
                   {"seen", "SEEN", kind::whole},
                   {"problems", "PROBLEMS", kind::number},
                   {"hosting", "HOSTING", kind::text},
                   {"dns", "DNS", kind::text},
                   {"leave", "LEAVE", kind::text},
                   {"next", "NEXT", kind::whole},
                   {"owner", "OWNER", kind::text},
                   {"labels", "LABELS", kind::text}};
    out.nothing = "No domain is looked after yet: mailtight domain add example.com";
    return out;
}

boost::json::value text_or_null(const std::string& text) {
    return text.empty() ? boost::json::value(nullptr) : boost::json::value(text);
}

} // namespace

int cmd_domain_list(const common_options& common, const domain_options& options) {
    if (!options.state.empty() && std::ranges::find(state_words, options.state) == state_words.end()) {
        complain(fmt::format("--state takes {}, not '{}'", fmt::join(state_words, ", "),
                             base::printable(options.state, 60)));
        return wrong_usage;
    }
    auto kept = open_domains_to_ask(common.set);
    if (!kept) {
        complain(kept.error());
        return not_done;
    }
    store::domain_question which{
        .owner = {}, .label = options.label, .contains = options.contains, .after = {}, .limit = page};
    if (!options.owner.empty())
        which.owner = options.owner == "none" ? "" : options.owner; // as in domain set
    auto table = empty_table();
    if (!options.label.empty() || !options.contains.empty() || !options.owner.empty() ||
        !options.state.empty())
        table.nothing = "No domain looked after fits that.";
    for (bool more = true; more;) {
        auto some = (*kept)->list(which);
        auto states = some ? (*kept)->latest_states(which)
                           : store::result<std::vector<model::watched_state>>(std::unexpected(some.error()));
        if (!states) {
            complain(words(states.error()));
            return not_done;
        }
        std::map<std::string, const model::watched_state*> seen;
        for (const auto& state : *states)
            seen[state.domain] = &state;
        for (const auto& domain : *some) {
            const auto found = seen.find(domain.domain);
            const auto* state = found == seen.end() ? nullptr : found->second;
            const std::string verdict = state ? state->verdict : "";
            if (!options.state.empty() && (verdict.empty() ? "unseen" : verdict) != options.state)
                continue;
            auto due = (*kept)->work("plan", domain.domain);
            const std::string next =
                due && *due && (*due)->due_at != base::utc_seconds{} ? base::format_utc((*due)->due_at) : "";
            if (common.json && !options.as_csv) {
                auto row = to_json(domain);
                row["state"] = text_or_null(verdict);
                row["seen"] = state ? boost::json::value(base::format_utc(state->last)) : nullptr;
                row["problems"] = state ? boost::json::value_from(state->findings) : boost::json::array();
                row["next"] = text_or_null(next);
                print(boost::json::serialize(row) + "\n");
                continue;
            }
            const std::string mode = domain.paused ? "paused" : std::string(model::to_string(domain.aim));
            std::vector<boost::json::value> row;
            row.emplace_back(domain.domain);
            row.emplace_back(mode);
            row.emplace_back(verdict.empty() ? "not yet seen" : verdict);
            row.push_back(text_or_null(state ? base::format_date(state->last) : ""));
            row.push_back(state ? boost::json::value(state->findings.size()) : boost::json::value(nullptr));
            row.emplace_back(model::to_string(domain.host));
            row.emplace_back(model::to_string(domain.dns));
            row.emplace_back(model::to_string(domain.leave));
            row.push_back(text_or_null(next.substr(0, 10)));
            row.push_back(text_or_null(domain.owner));
            row.push_back(boost::json::value_from(domain.labels));
            table.rows.push_back(std::move(row));
        }
        more = some->size() == page;
        if (more)
            which.after = some->back().domain;
    }
    if (options.as_csv)
        print_csv(insight::table_csv(table));
    else if (!common.json)
        print(insight::table_text(
            table,
            {.colour = stdout_colour(), .width = terminal_width(), .whole_tables = !stdout_terminal()}));
    return fine;
}

} // namespace mailtight::app
