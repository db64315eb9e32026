// SPDX-License-Identifier: Apache-2.0
// `domain show`: everything about one domain: what is wanted, how it looks, the next step, every policy that
// was served with the date until which senders may hold it, who fetched it, and who changed what.
#include "app/domain_access.h"
#include "app/domain_wish.h"
#include "app/plan_bench.h"
#include "app/store_access.h"
#include "app/typed.h"
#include "base/text.h"
#include "insight/table.h"
#include "publish/seen_marks.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace mailtight::app {

namespace {

constexpr auto fetches_shown = std::chrono::days(14);

struct known_of_it {
    model::looked_after domain;
    std::optional<model::publication> published;
    std::vector<model::served_policy> served;
    std::vector<model::change_entry> changes;
    std::vector<model::policy_fetches> fetches;
    std::vector<model::watched_state> history;
    std::optional<plan_bench::planned> planned;
};

store::result<known_of_it> gather(store::domain_store& kept, const model::looked_after& domain,
                                  std::size_t limit, base::utc_seconds now) {
    known_of_it all{.domain = domain,
                    .published = {},
                    .served = {},
                    .changes = {},
                    .fetches = {},
                    .history = {},
                    .planned = {}};
    auto published = kept.published(domain.domain);
    if (!published)
        return std::unexpected(published.error());
    all.published = std::move(*published);
    auto served = kept.served(domain.domain);
    if (!served)
        return std::unexpected(served.error());
    all.served = std::move(*served);
    auto changes = kept.changes(domain.domain, 0, limit);
    if (!changes)
        return std::unexpected(changes.error());
    all.changes = std::move(*changes);
    auto fetches = kept.fetches(domain.domain, std::chrono::floor<std::chrono::days>(now) - fetches_shown);
    if (!fetches)
        return std::unexpected(fetches.error());
    all.fetches = std::move(*fetches);
    auto history = kept.history(domain.domain, limit);
    if (!history)
        return std::unexpected(history.error());
    all.history = std::move(*history);
    return all;
}

/// Each id once, in the order in which it was first seen.
std::vector<std::string> ids_of(const model::served_policy& policy) {
    std::vector<std::string> out;
    for (const auto& id : policy.ids)
        if (std::ranges::find(out, id) == out.end())
            out.push_back(id);
    return out;
}

/// Senders may hold it until then.
base::utc_seconds binds_until(const model::served_policy& policy, base::utc_seconds now) {
    return policy.last_served.value_or(now) + std::chrono::seconds(policy.max_age);
}

boost::json::array served_json(const known_of_it& all, base::utc_seconds now) {
    boost::json::array rows;
    for (const auto& each : all.served)
        rows.push_back(boost::json::object{
            {"mode", sts::to_string(each.mode)},
            {"max_age", each.max_age},
            {"ids", boost::json::value_from(ids_of(each))},
            {"first_served", base::format_utc(each.first_served)},
            {"last_served", each.last_served ? boost::json::value(base::format_utc(*each.last_served))
                                             : boost::json::value(nullptr)},
            {"binds_until", base::format_utc(binds_until(each, now))},
            {"ours", each.ours},
            {"body", base::printable(each.body, 65'536)}});
    return rows;
}

void show_json(const known_of_it& all, base::utc_seconds now) {
    auto out = to_json(all.domain);
    out["published"] =
        all.published && !all.published->body.empty()
            ? boost::json::value(boost::json::object{{"id", all.published->id},
                                                     {"body", all.published->body},
                                                     {"since", base::format_utc(all.published->since)}})
            : boost::json::value(nullptr);
    out["served"] = served_json(all, now);
    boost::json::array changes, fetches, history;
    for (const auto& each : all.changes)
        changes.push_back(boost::json::object{{"number", each.number},
                                              {"at", base::format_utc(each.at)},
                                              {"who", each.who},
                                              {"what", each.what},
                                              {"from", base::printable(each.from)},
                                              {"to", base::printable(each.to)},
                                              {"why", base::printable(each.why)}});
    for (const auto& each : all.fetches)
        fetches.push_back(boost::json::object{{"day", base::format_date(base::utc_seconds(each.day))},
                                              {"network", each.network},
                                              {"agent", base::printable(each.agent)},
                                              {"id", each.id},
                                              {"count", each.count},
                                              {"last", base::format_utc(each.last)}});
    for (const auto& each : all.history)
        history.push_back(boost::json::object{{"first", base::format_utc(each.first)},
                                              {"last", base::format_utc(each.last)},
                                              {"state", each.verdict},
                                              {"id", base::printable(each.record_id)},
                                              {"policy_sha256", each.policy_sha256},
                                              {"mx", boost::json::value_from(each.mx)},
                                              {"problems", boost::json::value_from(each.findings)}});
    out["changes"] = std::move(changes);
    out["fetches"] = std::move(fetches);
    out["history"] = std::move(history);
    boost::system::error_code ignored;
    out["plan"] = all.planned ? boost::json::parse(plan::render_json(all.planned->next), ignored)
                              : boost::json::value(nullptr);
    print(boost::json::serialize(out) + "\n");
}

/// Networks by the latest id that they fetched: a free view of which senders know the present policy.
void show_fetches(const known_of_it& all) {
    struct sum {
        std::uint64_t networks = 0, count = 0;
        std::string agents;
        base::utc_seconds last{};
    };
    std::map<std::string, std::pair<std::string, base::utc_seconds>> latest; // network -> id, when
    std::map<std::string, sum> by_id;
    for (const auto& each : all.fetches) {
        auto& newest = latest[each.network];
        if (each.last >= newest.second)
            newest = {each.id, each.last};
        by_id[each.id].count += each.count;
        by_id[each.id].last = std::max(by_id[each.id].last, each.last);
    }
    for (const auto& [network, newest] : latest)
        ++by_id[newest.first].networks;
    print("\nWho fetched it in two weeks\n");
    if (by_id.empty())
        print("  nobody from here yet\n");
    for (const auto& [id, of] : by_id)
        print(fmt::format("  id {}{}: {} fetches; {} network{} fetched this one last; latest {}\n",
                          id.empty() ? "-" : id,
                          all.published && id == all.published->id ? " (the present one)" : "", of.count,
                          of.networks, of.networks == 1 ? "" : "s", base::format_utc(of.last)));
}

void show_text(const known_of_it& all, base::utc_seconds now) {
    const auto& domain = all.domain;
    print(fmt::format("{}: {}\n", domain.domain, summary_of(domain)));
    print(fmt::format("  since {}{}{}{}\n", base::format_date(domain.added_at),
                      domain.owner.empty() ? "" : ", of " + domain.owner,
                      domain.labels.empty() ? "" : ", labels " + base::join(domain.labels, " "),
                      domain.like.empty() ? "" : ", after " + domain.like));
    for (const auto& [name, mark] : domain.marks)
        print(fmt::format("  {}: {} by {}{}\n", name, base::format_date(mark.at), base::printable(mark.by),
                          mark.text.empty() ? "" : ": " + base::printable(mark.text, 200)));
    if (!all.history.empty()) {
        const auto& state = all.history.front();
        print(fmt::format("  {} since {}, seen last {}\n", state.verdict, base::format_utc(state.first),
                          base::format_utc(state.last)));
        for (const auto& problem : state.findings)
            print(fmt::format("    {}\n", base::printable(problem)));
    }
    if (all.planned) {
        print("\nThe plan\n");
        print(plan::render_text(all.planned->next, now, terminal_width(), stdout_colour()));
    }
    print("\nPolicies that were served\n");
    if (all.served.empty())
        print("  none that is known\n");
    for (const auto& each : all.served) {
        const auto until = binds_until(each, now);
        print(fmt::format(
            "  {} to {}: {}, max_age {}{}{}; {}\n", base::format_utc(each.first_served),
            each.last_served ? base::format_utc(*each.last_served) : "now", sts::to_string(each.mode),
            each.max_age, each.ids.empty() ? "" : ", id " + base::join(ids_of(each), " "),
            each.ours ? "" : ", not published by us",
            until <= now ? std::string("forgotten by every sender")
                         : fmt::format("senders may hold it until {}", base::format_utc(until))));
    }
    if (domain.host == model::hosting::here || domain.host == model::hosting::proxied)
        show_fetches(all);
    print("\nChanges, newest first\n");
    for (const auto& each : all.changes)
        print(fmt::format(
            "  {}  {} by {}{}{}\n", base::format_utc(each.at), each.what, base::printable(each.who),
            each.from.empty() && each.to.empty()
                ? ""
                : fmt::format(": {} -> {}", each.from.empty() ? "-" : base::printable(each.from, 300),
                              each.to.empty() ? "-" : base::printable(each.to, 300)),
            each.why.empty() ? "" : " (" + base::printable(each.why, 200) + ")"));
}

} // namespace

int cmd_domain_show(const common_options& common, const domain_options& options) {
    if (options.names.size() != 1) {
        complain("which domain? For example: mailtight domain show example.com");
        return wrong_usage;
    }
    const auto domain = take_domain(options.names.front());
    if (!domain)
        return wrong_usage;
    auto kept = open_domains_to_ask(common.set);
    if (!kept) {
        complain(kept.error());
        return not_done;
    }
    auto found = (*kept)->find(domain->name);
    if (!found) {
        complain(words(found.error()));
        return not_done;
    }
    if (!*found) {
        complain(fmt::format("{} is not looked after: mailtight domain add {}", domain->name, domain->name));
        return problems_found;
    }
    auto now = policy_now(common.set);
    auto all = gather(**kept, **found, std::max<std::size_t>(options.limit, 1), now);
    if (!all) {
        complain(words(all.error()));
        return not_done;
    }
    if (!options.no_look) {
        auto bench = plan_bench::make(common, false);
        if (!bench) {
            complain(bench.error().words);
            return bench.error().status;
        }
        progress_line line(!common.json);
        auto planned = (*bench)->plan_for(all->domain, line);
        if (planned)
            all->planned = std::move(*planned);
        else
            say(planned.error());
        now = (*bench)->now();
    }
    // What looks wrote down for the planner says nothing to a person.
    std::erase_if(all->domain.marks,
                  [](const auto& mark) { return mark.first.starts_with(publish::seen_marks_prefix); });
    if (common.json)
        show_json(*all, now);
    else
        show_text(*all, now);
    return fine;
}

} // namespace mailtight::app
