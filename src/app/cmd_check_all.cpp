// SPDX-License-Identifier: Apache-2.0
// `check` without a domain: all domains looked after in one table, from what watching saw last or, with
// --fresh, from a look at each now. `check --changed` looks at all of them and tells what differs from the
// last run: for a timer where no daemon watches.
#include "advise/render.h"
#include "app/domain_access.h"
#include "app/last_run.h"
#include "app/live_look.h"
#include "app/names_below.h"
#include "app/publish_commands.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "app/world.h"
#include "base/text.h"
#include "insight/table.h"
#include "mail/domain_name.h"
#include "publish/history.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

namespace mailtight::app {

namespace {

constexpr std::size_t looks_at_once = 20;

int failed(const std::string& why) {
    complain(why);
    return not_done;
}

struct row {
    std::string domain, verdict;
    std::optional<base::utc_seconds> seen;
    std::vector<std::string> problems;
};

/// Trouble first, then by name.
int rank(const std::string& verdict) {
    static const std::map<std::string, int, std::less<>> order = {
        {"broken", 0}, {"absent", 1}, {"unreachable", 2}, {"", 3}, {"unverified", 4}};
    const auto found = order.find(verdict);
    return found == order.end() ? 5 : found->second;
}

void show(const common_options& common, std::vector<row> rows) {
    using kind = insight::column::kind;
    insight::table table;
    table.columns = {{"domain", "DOMAIN", kind::whole},
                     {"verdict", "STATE", kind::whole},
                     {"seen", "SEEN", kind::whole},
                     {"problems", "PROBLEMS", kind::remark}};
    table.nothing = "No domain is looked after yet: mailtight domain add example.com";
    std::ranges::sort(rows, [](const row& a, const row& b) {
        return std::pair(rank(a.verdict), a.domain) < std::pair(rank(b.verdict), b.domain);
    });
    for (auto& each : rows) {
        std::vector<boost::json::value> cells;
        cells.emplace_back(each.domain);
        cells.emplace_back(each.verdict.empty() ? "not yet seen" : each.verdict);
        cells.push_back(each.seen ? boost::json::value(base::format_utc(*each.seen))
                                  : boost::json::value(nullptr));
        if (common.json)
            cells.push_back(boost::json::value_from(each.problems));
        else
            cells.emplace_back(base::printable(base::join(each.problems, "; "), 400));
        table.rows.push_back(std::move(cells));
    }
    if (common.json)
        print(insight::table_ndjson(table));
    else
        print(insight::table_text(
            table,
            {.colour = stdout_colour(), .width = terminal_width(), .whole_tables = !stdout_terminal()}));
}

int nobody_looked_after() {
    complain("which domain? None is looked after here yet: name one, as in mailtight check example.com, or "
             "begin with mailtight domain add example.com");
    return wrong_usage;
}

bool bad(const std::string& verdict) {
    return verdict == "broken" || verdict == "absent";
}

} // namespace

int cmd_check_all(const common_options& common, const check_options& options) {
    std::error_code error;
    if (const auto place = store_place(common.set);
        !store::is_postgres(place) && !std::filesystem::exists(place, error) && !error)
        return nobody_looked_after();
    auto kept = open_domains_to_ask(common.set);
    if (!kept)
        return failed(kept.error());
    auto domains = all_domains(**kept, {});
    if (!domains)
        return failed(words(domains.error()));
    if (domains->empty())
        return nobody_looked_after();
    std::vector<row> rows;
    int status = fine;
    if (!options.fresh && !options.changed) {
        std::map<std::string, model::watched_state> seen;
        store::domain_question which;
        for (bool more = true; more;) {
            auto some = (*kept)->latest_states(which);
            if (!some)
                return failed(words(some.error()));
            more = some->size() >= which.limit;
            for (auto& each : *some) {
                which.after = each.domain;
                seen[each.domain] = std::move(each);
            }
        }
        for (const auto& domain : *domains) {
            row one{.domain = domain.domain, .verdict = {}, .seen = {}, .problems = {}};
            if (const auto found = seen.find(domain.domain); found != seen.end()) {
                one.verdict = found->second.verdict;
                one.seen = found->second.last;
                one.problems = found->second.findings;
            }
            // Nothing to enforce is no problem of a domain that is switched off.
            if (bad(one.verdict) && !(one.verdict == "absent" && domain.aim == model::aim::off))
                status = problems_found;
            rows.push_back(std::move(one));
        }
        show(common, std::move(rows));
        return status;
    }

    observe::observe_options what;
    what.smtp = !options.no_smtp;
    auto made = world::make(common.set, what);
    if (!made) {
        complain(made.error());
        return wrong_usage;
    }
    auto& with = **made;
    progress_line line;
    std::vector<std::string> names;
    for (const auto& each : *domains)
        names.push_back(each.domain);
    const auto below = names_below_here::make(common.set, with, std::move(names));
    io::semaphore gate(with.loop, looks_at_once);
    std::size_t done = 0;
    auto one = [&](const model::looked_after& domain) -> io::task<> {
        auto permit = co_await gate.acquire();
        auto seen = co_await with.observer->look(domain.domain, mail::to_unicode(domain.domain));
        static_cast<void>(publish::add_history(seen, **kept));
        if (below)
            seen.unprotected_below = co_await below->names().unprotected_below(domain.domain);
        const auto judged = advise::judge(seen);
        row found{.domain = domain.domain,
                  .verdict = std::string(advise::to_string(judged.verdict)),
                  .seen = seen.checked_at,
                  .problems = {}};
        for (const auto& each : judged.findings)
            if (each.severity >= findings::severity::warning)
                found.problems.push_back(fmt::format("{} {}", each.code, each.subject));
        if (options.changed) {
            for (const auto& change : compare_with_last_run(common.set, seen, judged)) {
                line.clear();
                if (common.json)
                    print(boost::json::serialize(
                              boost::json::object{{"domain", domain.domain}, {"changed", change}}) +
                          "\n");
                else
                    print(fmt::format("{}: {}\n", domain.domain, change));
                status = problems_found;
            }
        } else if (bad(found.verdict) && !(found.verdict == "absent" && domain.aim == model::aim::off)) {
            status = problems_found;
        }
        rows.push_back(std::move(found));
        line.show(fmt::format("{} of {} done · {}", ++done, domains->size(), domain.domain));
    };
    for (const auto& domain : *domains)
        with.loop.spawn(one(domain));
    with.loop.run();
    line.clear();
    if (options.changed && !daemon_carries_out(common.set))
        for (const auto& domain : *domains) {
            const auto work = (*kept)->work("plan", domain.domain);
            if (!work || !*work || (*work)->due_at > base::system_clock().now())
                continue;
            const std::string words = "the next step of its plan is due: mailtight protect " + domain.domain;
            if (common.json)
                print(boost::json::serialize(boost::json::object{{"domain", domain.domain}, {"due", words}}) +
                      "\n");
            else
                print(fmt::format("{}: {}\n", domain.domain, words));
            status = problems_found;
        }
    if (!options.changed)
        show(common, std::move(rows));
    return status;
}

} // namespace mailtight::app
