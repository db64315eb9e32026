// SPDX-License-Identifier: Apache-2.0
// `access tenant ...`: which names a tenant may add, in the store beside a running daemon, which asks it anew
// each time.
#include "api/allowed_names.h"
#include "app/access_commands.h"
#include "app/access_keeping.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "base/text.h"
#include "insight/table.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::app {

namespace {

namespace json = boost::json;
using kind = insight::column::kind;

constexpr std::size_t page = 1'000;

int failed(const std::string& why) {
    complain(why);
    return not_done;
}

/// As they are kept; what was wrong is told already where there are none.
std::vector<std::string> names_of(const access_options& options) {
    access_options owner;
    owner.owner = options.name;
    if (const auto wrong = fault_of_owner(owner); !wrong.empty()) {
        complain("the owner is the name of a tenant, as in domain set --owner");
        return {};
    }
    std::vector<std::string> names;
    for (const auto& typed : options.names) {
        auto name = api::read_allowed_name(typed);
        if (!name) {
            complain(name.error());
            return {};
        }
        names.push_back(std::move(*name));
    }
    return names;
}

void tell(const common_options& common, const access_options& options, const char* what, std::size_t count,
          const std::string& words) {
    if (common.json)
        print(json::serialize(json::object{{"owner", options.name}, {what, count}}) + "\n");
    else
        say(words);
}

} // namespace

int cmd_access_tenant_allow(const common_options& common, const access_options& options) {
    const auto names = names_of(options);
    if (names.empty())
        return wrong_usage;
    auto kept = open_access_to_change(common.set);
    if (!kept)
        return failed(kept.error());
    const auto now = base::system_clock().now();
    const auto fresh = (*kept)->allow_names(options.name, names, now);
    if (!fresh)
        return failed(words(fresh.error()));
    write_down(**kept, "access tenant allow", fmt::format("{}: {}", options.name, base::join(names, " ")),
               now);
    tell(common, options, "added", *fresh,
         fmt::format("{} may add {}", options.name, base::join(names, ", ")));
    return fine;
}

int cmd_access_tenant_remove(const common_options& common, const access_options& options) {
    const auto names = names_of(options);
    if (names.empty())
        return wrong_usage;
    auto kept = open_access_to_change(common.set);
    if (!kept)
        return failed(kept.error());
    const auto gone = (*kept)->disallow_names(options.name, names);
    if (!gone)
        return failed(words(gone.error()));
    if (*gone == 0) {
        complain(fmt::format("{} was allowed none of these; mailtight access tenant list says what is",
                             base::printable(options.name, 100)));
        return problems_found;
    }
    write_down(**kept, "access tenant remove", fmt::format("{}: {}", options.name, base::join(names, " ")),
               base::system_clock().now());
    tell(common, options, "removed", *gone,
         fmt::format("{} of {} no longer allowed; what {} added already stays theirs", *gone, names.size(),
                     options.name));
    return fine;
}

int cmd_access_tenant_list(const common_options& common, const access_options& options) {
    auto kept = open_access_to_ask(common.set);
    if (!kept)
        return failed(kept.error());
    insight::table table;
    table.columns = {
        {"owner", "OWNER", kind::text}, {"name", "MAY ADD", kind::whole}, {"at", "SINCE", kind::whole}};
    table.nothing = "No tenant was allowed a name: they prove in DNS that a domain is theirs.";
    store::allowed_name after;
    for (bool more = true; more;) {
        const auto some = (*kept)->allowed_names(
            options.name.empty() ? std::nullopt : std::optional(options.name), after, page);
        if (!some)
            return failed(words(some.error()));
        for (const auto& each : *some)
            table.rows.push_back(
                {json::value(each.owner), json::value(each.name), json::value(base::format_utc(each.at))});
        more = some->size() == page;
        if (more)
            after = some->back();
    }
    if (common.json)
        print(insight::table_ndjson(table));
    else
        print(insight::table_text(
            table,
            {.colour = stdout_colour(), .width = terminal_width(), .whole_tables = !stdout_terminal()}));
    return fine;
}

} // namespace mailtight::app
