// SPDX-License-Identifier: Apache-2.0
// `certificate list`, `renew` and `key-rollover`: the certificates that the daemon got, and those of
// certificates.folder. It alone orders them.
#include "app/certificate_rows.h"
#include "app/control_client.h"
#include "app/domain_access.h"
#include "app/pages_certificates.h"
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

namespace mailtight::app {

namespace {

constexpr std::string_view host_prefix = "mta-sts.";

int failed(const std::string& why, int status = not_done) {
    complain(why);
    return status;
}

/// A name of the pages: their daemon looks for it each half second.
int renew_for_pages(const common_options& common, const std::string& name) {
    auto kept = open_domains_to_change(common.set);
    if (!kept)
        return failed(kept.error());
    if (auto due = (*kept)->plan_work(publish::name_work, name, store::person_asks); !due)
        return failed(words(due.error()));
    if (common.json)
        print(boost::json::serialize(boost::json::object{{"name", name}, {"asked", true}}) + "\n");
    else
        say(fmt::format("the daemon renews {} now; mailtight certificate list shows the new one", name));
    return fine;
}

} // namespace

int cmd_certificate_list(const common_options& common, const certificate_options& options) {
    auto kept = open_domains_to_ask(common.set);
    if (!kept)
        return failed(kept.error());
    std::vector<folder_certificate> folder;
    if (!common.set.certificate_folder.empty() && hosts_policies(common.set)) {
        std::vector<std::string> trouble;
        folder = read_certificate_folder(common.set.certificate_folder, trouble);
        for (const auto& words : trouble)
            complain("certificates.folder: " + words);
    }
    const base::system_clock clock; // of certificates, the real one
    const auto now = clock.now();
    auto all = certificate_rows(**kept, folder, now);
    if (!all)
        return failed(words(all.error()));
    const bool ended = std::ranges::any_of(
        *all, [now](const certificate_row& row) { return row.not_after && *row.not_after <= now; });
    if (options.days > 0)
        std::erase_if(*all, [&](const certificate_row& row) {
            return row.not_after && *row.not_after - now > std::chrono::days(static_cast<int>(options.days));
        });
    if (common.json) {
        for (const auto& row : certificates_json(*all))
            print(insight::json_line(row) + "\n");
        return ended ? problems_found : fine;
    }
    using kind = insight::column::kind;
    insight::table table;
    table.columns = {{"name", "NAME", kind::whole},        {"not_after", "ENDS", kind::whole},
                     {"renew_at", "RENEWED", kind::whole}, {"in_use", "IN USE", kind::whole},
                     {"issuer", "FROM", kind::text},       {"trouble", "LAST TROUBLE", kind::remark}};
    table.nothing = options.days > 0 ? "No certificate ends so soon." : "No certificate is kept yet.";
    for (const auto& each : *all) {
        const std::string ends = !each.not_after ? "none yet"
                                 : *each.not_after <= now
                                     ? "ENDED"
                                     : "in " + base::format_duration(*each.not_after - now);
        table.rows.push_back(
            {boost::json::value(each.name),
             boost::json::value(
                 each.not_after ? fmt::format("{} ({})", base::format_date(*each.not_after), ends) : ends),
             each.renew_at ? boost::json::value(base::format_date(*each.renew_at))
                           : boost::json::value(nullptr),
             boost::json::value(each.in_use      ? "yes"
                                : each.not_after ? "not yet seen"
                                                 : "no"),
             boost::json::value(base::printable(each.file.empty() ? each.issuer : each.file)),
             each.trouble.empty() ? boost::json::value(nullptr)
                                  : boost::json::value(base::printable(each.trouble, 300))});
    }
    print(insight::table_text(
        table, {.colour = stdout_colour(), .width = terminal_width(), .whole_tables = !stdout_terminal()}));
    return ended ? problems_found : fine;
}

int cmd_certificate_renew(const common_options& common, const certificate_options& options) {
    if (common.set.web_acme)
        if (const auto names = names_for_acme(common.set);
            names && std::ranges::find(*names, base::lower(options.name)) != names->end())
            return renew_for_pages(common, base::lower(options.name));
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
