// SPDX-License-Identifier: Apache-2.0
// `certificate list`, `renew` and `key-rollover`: the certificates that the daemon got. It alone orders them.
#include "app/control_client.h"
#include "app/domain_access.h"
#include "app/policy_time.h"
#include "app/publish_commands.h"
#include "app/publish_marks.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "app/typed.h"
#include "base/text.h"
#include "insight/table.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace mailtight::app {

namespace {

constexpr std::string_view host_prefix = "mta-sts.";
constexpr std::size_t page = 1'000;

int failed(const std::string& why, int status = not_done) {
    complain(why);
    return status;
}

} // namespace

int cmd_certificate_list(const common_options& common, const certificate_options& options) {
    auto kept = open_domains_to_ask(common.set);
    if (!kept)
        return failed(kept.error());
    std::map<std::string, store::kept_certificate> all; // of each name the one that is served
    for (std::int64_t change = 0;;) {
        auto some = (*kept)->certificates_after(change, page);
        if (!some)
            return failed(words(some.error()));
        for (auto& each : *some) {
            change = std::max(change, each.change);
            if (each.gone)
                all.erase(each.name);
            else
                all[each.name] = std::move(each);
        }
        if (some->size() < page)
            break;
    }
    const base::system_clock clock; // of certificates, the real one
    const auto now = clock.now();
    using kind = insight::column::kind;
    insight::table table;
    table.columns = {{"name", "NAME", kind::whole},        {"not_after", "ENDS", kind::whole},
                     {"renew_at", "RENEWED", kind::whole}, {"in_use", "IN USE", kind::whole},
                     {"issuer", "FROM", kind::text},       {"trouble", "LAST TROUBLE", kind::remark}};
    std::map<std::string, std::string> troubles; // by name, of those with and without a certificate
    for (std::string after;;) {
        const auto some = (*kept)->noted_work("certificate", after, page);
        if (!some)
            return failed(words(some.error()));
        for (const auto& each : *some)
            if (after = each.domain; !each.last_error.empty())
                troubles[std::string(host_prefix) + each.domain] = each.last_error;
        if (some->size() < page)
            break;
    }
    table.nothing = options.days > 0 ? "No certificate ends so soon." : "No certificate is kept yet.";
    bool trouble = false;
    for (const auto& [name, each] : all) {
        if (options.days > 0 && each.not_after - now > std::chrono::days(static_cast<int>(options.days)))
            continue;
        std::string error;
        if (const auto found = troubles.find(name); found != troubles.end()) {
            error = std::move(found->second);
            troubles.erase(found);
        }
        trouble = trouble || each.not_after <= now;
        std::vector<boost::json::value> row;
        row.emplace_back(name);
        row.emplace_back(common.json
                             ? base::format_utc(each.not_after)
                             : fmt::format("{} ({})", base::format_date(each.not_after),
                                           each.not_after <= now
                                               ? "ENDED"
                                               : "in " + base::format_duration(each.not_after - now)));
        row.push_back(each.renew_at ? boost::json::value(common.json ? base::format_utc(*each.renew_at)
                                                                     : base::format_date(*each.renew_at))
                                    : boost::json::value(nullptr));
        row.emplace_back(common.json ? boost::json::value(each.proven)
                                     : boost::json::value(each.proven ? "yes" : "not yet seen"));
        row.emplace_back(base::printable(each.issuer));
        row.push_back(error.empty() ? boost::json::value(nullptr)
                                    : boost::json::value(base::printable(error, 300)));
        table.rows.push_back(std::move(row));
    }
    for (const auto& [name, error] : troubles) {
        if (all.contains(name))
            continue; // it does not end so soon
        std::vector<boost::json::value> row;
        row.emplace_back(name);
        row.push_back(common.json ? boost::json::value(nullptr) : boost::json::value("none yet"));
        row.emplace_back(nullptr);
        row.push_back(common.json ? boost::json::value(false) : boost::json::value("no"));
        row.emplace_back("");
        row.emplace_back(base::printable(error, 300));
        table.rows.push_back(std::move(row));
    }
    if (common.json)
        print(insight::table_ndjson(table));
    else
        print(insight::table_text(
            table,
            {.colour = stdout_colour(), .width = terminal_width(), .whole_tables = !stdout_terminal()}));
    return trouble ? problems_found : fine;
}

int cmd_certificate_renew(const common_options& common, const certificate_options& options) {
    const bool whole = options.name.starts_with(host_prefix);
    const auto domain = take_domain(whole ? options.name.substr(host_prefix.size()) : options.name);
    if (!domain)
        return wrong_usage;
    auto kept = open_domains_to_change(common.set);
    if (!kept)
        return failed(kept.error());
    auto found = (*kept)->find(domain->name);
    if (!found)
        return failed(words(found.error()));
    if (!*found)
        return failed(
            fmt::format("{} is not looked after, and only such domains get a certificate", domain->name),
            problems_found);
    if ((*found)->host != model::hosting::here)
        return failed(
            fmt::format("the policy of {} is not hosted here, so its certificate is not ours", domain->name),
            problems_found);
    const auto now = policy_now(common.set);
    if (auto set = (*kept)->set_mark(domain->name, renew_mark, {.at = now, .by = person(), .text = {}}); !set)
        return failed(words(set.error()));
    if (auto due = (*kept)->plan_work("certificate", domain->name, base::utc_seconds{}); !due)
        return failed(words(due.error()));
    wake_daemon(common.set, std::span(&domain->name, 1));
    if (common.json)
        print(boost::json::serialize(
                  boost::json::object{{"name", "mta-sts." + domain->name}, {"asked", true}}) +
              "\n");
    else
        say(fmt::format("the daemon renews mta-sts.{} now; mailtight certificate list shows the new one",
                        domain->name));
    return fine;
}

int cmd_certificate_key_rollover(const common_options& common) {
    io::loop loop;
    const auto told = call_daemon(loop, common.set, "/account-key", "{}", "POST");
    if (!told)
        return failed(told.error().what == control_error::kind::absent
                          ? "the daemon has the account's key, and none runs: " + told.error().message
                          : told.error().message);
    if (common.json)
        print(boost::json::serialize(*told) + "\n");
    else
        say("the account with the certificate authority has a new key; certificates keep theirs");
    return fine;
}

} // namespace mailtight::app
