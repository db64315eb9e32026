// SPDX-License-Identifier: Apache-2.0
// `dns push`: the records that the plan allows now go to the name server, by dynamic update or by the hook;
// then every server is asked. What has to wait is not sent.
#include "app/domain_access.h"
#include "app/plan_bench.h"
#include "app/publish_commands.h"
#include "app/store_access.h"
#include "app/typed.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace mailtight::app {

namespace {

int failed(const std::string& why, int status = not_done) {
    complain(why);
    return status;
}

std::string line_of(const plan::record_change& change, std::string_view sign, const std::string& value) {
    return fmt::format("{} {}. {} IN {} {}\n", sign, change.name, change.ttl, change.type,
                       change.type == "TXT" ? fmt::format("\"{}\"", base::printable(value))
                                            : base::printable(value));
}

std::string_view word(publish::pushed::fate what) {
    using fate = publish::pushed::fate;
    switch (what) {
    case fate::done:
        return "done";
    case fate::already:
        return "already";
    case fate::spreading:
        return "spreading";
    case fate::stopped:
        return "stopped";
    case fate::refused:
        return "refused";
    case fate::failed:
        return "failed";
    }
    return "";
}

boost::json::object to_json(const std::string& domain, const std::vector<plan::record_change>& changes,
                            const publish::pushed& done) {
    boost::json::array rows, servers;
    for (const auto& change : changes)
        rows.push_back(boost::json::object{{"name", change.name},
                                           {"type", change.type},
                                           {"ttl", change.ttl},
                                           {"add", boost::json::value_from(change.add)},
                                           {"remove", boost::json::value_from(change.remove)}});
    for (const auto& each : done.servers)
        servers.push_back(boost::json::object{{"server", each.server},
                                              {"address", each.address.to_string()},
                                              {"status", model::to_string(each.status)}});
    return {{"domain", domain},
            {"fate", word(done.what)},
            {"words", base::printable(done.words)},
            {"records", std::move(rows)},
            {"servers", std::move(servers)}};
}

} // namespace

int cmd_dns_push(const common_options& common, const push_options& options) {
    const auto domain = take_domain(options.domain);
    if (!domain)
        return wrong_usage;
    auto made = plan_bench::make(common, false);
    if (!made)
        return failed(made.error().words, made.error().status);
    auto& bench = **made;
    auto found = bench.find(domain->name);
    if (!found)
        return failed(found.error());
    model::looked_after wish;
    wish.domain = domain->name;
    wish.host = model::hosting::elsewhere;
    if (*found)
        wish = **found;
    const bool by_hook = options.hook || (options.server.empty() && wish.dns == model::dns_way::hook);
    const auto* server = bench.say().server(options.server.empty() ? wish.dns_server : options.server);
    if (by_hook && !bench.say().hook)
        return failed("dns-update.hook of the configuration names no command", wrong_usage);
    if (!by_hook && !server)
        return failed(bench.say().servers.empty()
                          ? "dns-update.servers of the configuration names no server; mailtight dns prints "
                            "the records for a person"
                          : fmt::format("dns-update.servers knows no '{}'", base::printable(options.server)),
                      wrong_usage);
    progress_line line(!common.json);
    auto planned = bench.plan_for(wish, line);
    if (!planned)
        return failed(planned.error());
    std::vector<plan::record_change> changes;
    const plan::step* waits = nullptr;
    for (const auto& step : planned->next.steps) {
        if (step.records.empty() || step.state == plan::step_state::done)
            continue;
        if (step.state == plan::step_state::now && step.blocked.empty())
            changes.insert(changes.end(), step.records.begin(), step.records.end());
        else if (!waits)
            waits = &step;
    }
    if (changes.empty()) {
        if (common.json)
            print(boost::json::serialize(to_json(domain->name, changes,
                                                 {publish::pushed::fate::already, "no record is due", {}})) +
                  "\n");
        else
            say(waits
                    ? fmt::format("no record may be changed now; {} waits for the steps before it: mailtight "
                                  "plan {}",
                                  waits->title, domain->name)
                    : fmt::format("every record of {} is as it should be", domain->name));
        return fine;
    }
    if (!common.json)
        for (const auto& change : changes) {
            for (const auto& value : change.remove)
                print(line_of(change, "-", value));
            for (const auto& value : change.add)
                print(line_of(change, "+", value));
        }
    if (options.dry_run) {
        if (common.json)
            print(boost::json::serialize(
                      to_json(domain->name, changes, {publish::pushed::fate::stopped, "dry run", {}})) +
                  "\n");
        return fine;
    }
    line.show(fmt::format("{}: pushing…", domain->name));
    auto done =
        bench.with().loop.block_on(by_hook ? bench.hands().pusher().run_hook(*bench.say().hook, changes)
                                           : bench.hands().pusher().push(*server, changes));
    line.clear();
    if (common.json) {
        print(boost::json::serialize(to_json(domain->name, changes, done)) + "\n");
    } else {
        for (const auto& each : done.servers)
            print(fmt::format("  {} ({}): {}\n", base::printable(each.server), each.address.to_string(),
                              model::to_string(each.status)));
        if (!done.words.empty())
            say(base::printable(done.words, 500));
    }
    if (*found && bench.kept() && told_of(done).ok)
        wake_daemon(common.set, std::span(&domain->name, 1));
    return told_of(done).ok ? fine : not_done;
}

} // namespace mailtight::app
