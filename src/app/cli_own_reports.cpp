// SPDX-License-Identifier: Apache-2.0
// The commands below `report` that are about reports of our own.
#include "app/cli_tree.h"

namespace mailtight::app {

void add_own_report_commands(command_tree& s, CLI::App* report) {
    constexpr const char* group = "Your mail server sending";
    auto& o = s.own_reports;

    auto* preview =
        report->add_subcommand("preview", "What would be reported to a domain and to whom, or why nothing")
            ->group(group);
    preview->add_option("domain", o.domain, "The domain that mail went to")->required()->type_name("DOMAIN");
    preview->add_option("--day", o.day, "YYYY-MM-DD; today, as far as it is counted, without it")
        ->type_name("DAY");
    preview->footer("Examples:\n  mailtight report preview example.com\n"
                    "  mailtight report preview example.com --day 2026-01-31 --json | jq .report");
    s.finish(preview, [&s] { return cmd_report_preview(s.common, s.own_reports); }, true);

    auto* send = report->add_subcommand("send", "Send the reports for a day now")->group(group);
    send->add_option("--day", o.day, "YYYY-MM-DD, a day that is over (UTC)")->required()->type_name("DAY");
    send->add_option("--dry-run", o.dry_run, "Write them to files in this folder; nothing else happens")
        ->type_name("DIR");
    send->footer("Examples:\n  mailtight report send --day 2026-01-31 --dry-run /tmp/reports\n"
                 "  mailtight report send --day 2026-01-31");
    s.finish(send, [&s] { return cmd_report_send(s.common, s.own_reports); }, true);

    auto* outbox = report->add_subcommand("outbox", "The reports sent to other domains, and their deliveries")
                       ->group(group);
    outbox
        ->add_option("what", o.what,
                     "The number of a report, for all of it; or suppress, allow, suppressed: addresses "
                     "that get nothing")
        ->type_name("NUMBER");
    outbox
        ->add_option("address", o.address,
                     "With suppress and allow: a mail address, @domain or the host of https addresses")
        ->type_name("ADDRESS");
    outbox
        ->add_option("--state", o.state,
                     "Only with a delivery that is waiting, sent, refused, given-up, suppressed, skipped "
                     "or copied")
        ->type_name("STATE");
    outbox->add_option("--domain", o.domain, "Only about this domain")->type_name("DOMAIN");
    outbox->add_option("--day", o.day, "Only of this day, YYYY-MM-DD")->type_name("DAY");
    outbox->add_option("--limit", o.limit, "So many, the newest (default 100)")->type_name("N");
    outbox->add_option("--why", o.why, "With suppress: the reason, for those who come later")
        ->type_name("TEXT");
    outbox->add_option("--until", o.until, "With suppress: the last day on which it holds, YYYY-MM-DD")
        ->type_name("DAY");
    outbox->footer("Examples:\n  mailtight report outbox --state waiting\n  mailtight report outbox 17\n"
                   "  mailtight report outbox suppress reports@example.com --why 'they asked us to'");
    s.finish(outbox, [&s] { return cmd_report_outbox(s.common, s.own_reports); }, false);

    auto* keys = report->add_subcommand("keys", "The DKIM keys that sign our reports, and their DNS records")
                     ->group(group);
    keys->add_option("what", o.what, "make, where there is none yet; show is the default")->type_name("WHAT");
    keys->add_option("--selector", o.selector, "What the selectors of new keys begin with")
        ->type_name("LABEL");
    keys->add_option("--format", o.format,
                     "table, bind, nsupdate, dnscontrol, octodns, terraform, cloudflare or route53")
        ->type_name("NAME");
    keys->footer("Examples:\n  mailtight report keys make\n  mailtight report keys --format bind");
    s.finish(keys, [&s] { return cmd_report_keys(s.common, s.own_reports); }, true);
}

} // namespace mailtight::app
