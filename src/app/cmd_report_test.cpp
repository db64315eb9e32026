// SPDX-License-Identifier: Apache-2.0
// `report test`: the record is looked up, a synthetic report goes to each address in it, and is awaited in
// the store. What gets lost is said with the stage at which it was.
#include "app/options.h"
#include "app/report_test.h"
#include "app/terminal.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::app {

namespace {

/// Why nothing was found after a server said yes.
std::string lost_words(const followed& one, std::chrono::milliseconds waited) {
    return fmt::format(
        "{} took it, and it is not in the store after {}. Look there first: the log of that server for {}, "
        "then whether it hands the address over to the daemon (mailtight status counts what comes in), then "
        "the mailbox's spam folder",
        one.sending.server.empty() ? "the server" : one.sending.server,
        base::format_duration(std::chrono::duration_cast<std::chrono::seconds>(waited)), one.sending.token);
}

void show(const followed& one, std::chrono::milliseconds waited) {
    const auto& sending = one.sending;
    print(fmt::format("{}\n", base::printable(sending.rua)));
    auto line = [](std::string_view word, const std::string& text) {
        bool first = true;
        for (const auto& part : base::wrap(text, terminal_width() - 12)) {
            print(fmt::format("  {:<9} {}\n", first ? word : "", part));
            first = false;
        }
    };
    if (!sending.sent) {
        line("LOST", fmt::format("at {}{}: {}", sending.stage,
                                 sending.server.empty() ? "" : " of " + sending.server, sending.words));
        return;
    }
    line("sent", fmt::format("to {}{}: {}", sending.server.empty() ? "the command" : sending.server,
                             sending.tls ? " over TLS" : "", sending.words));
    if (one.arrived)
        line("arrived",
             fmt::format("after {}, as report {}", base::format_duration(one.after), *one.arrived));
    else
        line("LOST", lost_words(one, waited));
}

boost::json::object to_json(const followed& one) {
    boost::json::object row{{"rua", base::printable(one.sending.rua)},
                            {"token", one.sending.token},
                            {"sent", one.sending.sent},
                            {"server", one.sending.server},
                            {"words", one.sending.words},
                            {"arrived", one.arrived.has_value()}};
    row["report"] = one.arrived ? boost::json::value(*one.arrived) : boost::json::value(nullptr);
    row["lost_at"] = one.arrived        ? boost::json::value(nullptr)
                     : one.sending.sent ? boost::json::value("way to the store")
                                        : boost::json::value(one.sending.stage);
    return row;
}

} // namespace

int cmd_report_test(const common_options& common, const report_test_options& options) {
    auto ready = prepare_test(common.set, options.domain);
    if (!ready)
        return ready.error();
    auto& [domain, world_of_it, from] = *ready;
    auto& with = *world_of_it;
    const std::string name = "_smtp._tls." + domain.name;
    const auto record = with.loop.block_on(with.dns->txt(name));
    const auto judged = tlsrpt::judge_rrset(record.texts);
    if (model::is_dns_error(record.status)) {
        complain(
            fmt::format("{}: {} {}", name, model::to_string(record.status), base::printable(record.detail)));
        return not_done;
    }
    if (judged.result != tlsrpt::rrset_judgement::outcome::valid || !judged.judgement.value) {
        complain(fmt::format("{}: no record that a sender could use, so no report would be sent; "
                             "mailtight dns {} prints one",
                             name, domain.name));
        return problems_found;
    }
    progress_line line(!common.json);
    auto followed_all = send_and_follow(with, common.set, *from, domain.name, judged.judgement.value->rua,
                                        options.wait, line);
    line.clear();
    if (!followed_all) {
        complain(followed_all.error());
        return not_done;
    }
    const auto& all = *followed_all;
    bool lost = all.empty();
    for (const auto& one : all) {
        lost = lost || !one.arrived;
        if (common.json)
            print(boost::json::serialize(to_json(one)) + "\n");
        else
            show(one, options.wait);
    }
    return lost ? problems_found : fine;
}

} // namespace mailtight::app
