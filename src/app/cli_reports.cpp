// SPDX-License-Identifier: Apache-2.0
// The commands of "Reports you receive".
#include "app/cli_tree.h"

namespace mailtight::app {

namespace {

void add_filters(command_tree& s, CLI::App* to, bool all_time = false) {
    auto& q = s.question;
    s.add_repeatable(to, "--domain", q.domains, "Only about this domain (repeatable)", "DOMAIN");
    s.add_repeatable(to, "--reporter", q.reporters, "Only from this reporter (repeatable)", "NAME");
    to->add_option("--result", q.result, "Only with this result type")->type_name("TYPE");
    to->add_option("--mx", q.mx, "Only with this MX host")->type_name("HOST");
    to->add_option("--from", q.from, "From this day on, YYYY-MM-DD")->type_name("DAY");
    to->add_option("--to", q.to, "Up to this day, YYYY-MM-DD")->type_name("DAY");
    to->add_option("--days", q.days,
                   all_time ? "The last N days (default: all)" : "The last N days (default 30)")
        ->type_name("N");
    to->add_flag("--csv", q.csv, "CSV");
}

void add_keys_option(command_tree& s, CLI::App* to) {
    to->add_option("--dkim-keys", s.read.dkim_keys,
                   "DKIM keys from a file (NAME TXT-VALUE a line) instead of DNS")
        ->type_name("FILE");
}

void add_questions(command_tree& s, CLI::App* report) {
    auto& q = s.question;
    auto* list = report->add_subcommand("list", "The reports in the store, newest first");
    add_filters(s, list, true);
    list->add_flag("--quarantined", q.quarantined, "Those that are kept apart and not counted, with the why");
    list->add_flag("--tests", q.tests, "Those of report test");
    list->add_flag("--failures", q.only_failures, "Only reports with failed sessions");
    list->add_option("--limit", q.limit, "At most N reports (default 100)")->type_name("N");
    list->footer("Examples:\n  mailtight report list --domain example.com --days 7\n"
                 "  mailtight report list --quarantined");
    s.finish(list, [&s] { return cmd_report_list(s.common, s.question); }, false);

    auto* show = report->add_subcommand("show", "One stored report, explained");
    show->add_option("number", q.number, "Its number, from report list")->required()->type_name("NUMBER");
    show->add_flag("--live", q.live, "Look at the domain now too, and say whether each failure is still so");
    show->footer("Examples:\n  mailtight report show 42\n  mailtight report show 42 --live");
    s.finish(show, [&s] { return cmd_report_show(s.common, s.question); }, true);

    auto* summary = report->add_subcommand("summary", "Sessions per domain and day, and who reported them");
    add_filters(s, summary);
    summary
        ->add_option("--by", q.by, "day, reporter, mx (reporter and MX), result or policy: that table alone")
        ->type_name("WHAT");
    summary->footer("Examples:\n  mailtight report summary --days 30\n"
                    "  mailtight report summary --by reporter --csv > reporters.csv");
    s.finish(summary, [&s] { return cmd_report_summary(s.common, s.question); }, false);

    auto* failures = report->add_subcommand("failures", "Each kind of failure, with its cause and fix");
    add_filters(s, failures);
    failures->add_flag("--live", q.live,
                       "Look at the domains now too, and say whether each failure is still so");
    failures->footer("Examples:\n  mailtight report failures --domain example.com --days 14\n"
                     "  mailtight report failures --domain example.com --live");
    s.finish(failures, [&s] { return cmd_report_failures(s.common, s.question); }, true);
}

void add_alarm_commands(command_tree& s, CLI::App* report) {
    auto* ready = report->add_subcommand("ready", "Whether a domain is ready for enforce, with the reasons");
    ready->add_option("domain", s.other.domain, "The domain")->required()->type_name("DOMAIN");
    ready->add_flag("--live", s.other.live, "Look at the domain now too, as check does");
    ready->footer("Example:\n  mailtight report ready --live example.com");
    s.finish(ready, [&s] { return cmd_report_ready(s.common, s.other); }, true);

    auto* digest = report->add_subcommand("digest", "Print the weekly digest as it would be mailed today");
    digest->footer("Example:\n  mailtight report digest");
    s.finish(digest, [&s] { return cmd_report_digest(s.common); }, false);

    auto* mute =
        report->add_subcommand("mute", "Silence an alarm, or all whose key begins with KEY, until a date");
    mute->add_option("key", s.other.key, "The alarm's key; with / at its end: all below it")
        ->required()
        ->type_name("KEY");
    mute->add_option("--until", s.other.until, "The last silent day, YYYY-MM-DD")->type_name("DAY");
    mute->add_option("--why", s.other.why, "A word for those who come later")->type_name("TEXT");
    mute->add_flag("--off", s.other.off, "End the silence now");
    mute->footer("Example:\n  mailtight report mute new-failure/example.com/ --until 2030-01-31 --why 'mx "
                 "moves'");
    s.finish(mute, [&s] { return cmd_report_mute(s.common, s.other); }, false);

    auto* mutes = report->add_subcommand("mutes", "The silenced alarms, and until when");
    mutes->footer("Example:\n  mailtight report mutes");
    s.finish(mutes, [&s] { return cmd_report_mutes(s.common); }, false);
}

} // namespace

void add_report_commands(command_tree& s) {
    auto* report = s.app
                       .add_subcommand(
                           "report", "Read, store and explain TLS reports, and send reports to other domains")
                       ->group("Reports you receive");
    report->require_subcommand(1);
    report->footer("Try:  mailtight report read --example\n      mailtight report summary --help");

    auto* read = report->add_subcommand("read", "Read reports and explain them; nothing is stored");
    read->add_option("path", s.read.paths,
                     "JSON, gzip, zip, mails, mbox, maildir, folders of these; - is standard input")
        ->type_name("PATH");
    read->add_flag("--example", s.read.example, "A made-up report with every result type, explained");
    add_keys_option(s, read);
    read->footer("Examples:\n  mailtight report read google.com!example.com!1767225600!1767311999.json.gz\n"
                 "  mailtight report read --json ~/Maildir | jq .headline\n"
                 "  mailtight report read --example");
    s.finish(read, [&s] { return cmd_report_read(s.common, s.read); }, true);

    auto* import = report->add_subcommand("import", "Import reports into the store; safe to repeat");
    import->add_option("path", s.read.paths, "As for report read")->required()->type_name("PATH");
    add_keys_option(s, import);
    import->footer("Example:\n  mailtight report import ~/Maildir/.Reports");
    s.finish(import, [&s] { return cmd_report_import(s.common, s.read); }, true);

    add_questions(s, report);

    auto* address = report->add_subcommand("address", "The report addresses to publish for a domain");
    address->add_option("domain", s.other.domain, "The domain; all of ours without it")->type_name("DOMAIN");
    address->footer("Example:\n  mailtight report address example.com");
    s.finish(address, [&s] { return cmd_report_address(s.common, s.other); }, false);

    auto* test = report->add_subcommand(
        "test", "Send a synthetic report to each published address and follow it into the store");
    test->add_option("domain", s.test.domain, "The domain")->required()->type_name("DOMAIN");
    test->add_option("--wait", s.test_wait, "How long to wait for it to arrive (default 2m)")
        ->type_name("TIME");
    test->footer("Example:\n  mailtight report test example.com");
    s.finish(test, [&s] { return cmd_report_test(s.common, s.test); }, true);

    auto* silence = report->add_subcommand("silence", "Find out why no reports arrive");
    silence->add_option("domain", s.test.domain, "The domain")->required()->type_name("DOMAIN");
    silence->add_option("--wait", s.test_wait, "How long to wait for the test report (default 2m)")
        ->type_name("TIME");
    silence->footer("Example:\n  mailtight report silence example.com");
    s.finish(silence, [&s] { return cmd_report_silence(s.common, s.test); }, true);

    add_alarm_commands(s, report);
    add_own_report_commands(s, report);
}

} // namespace mailtight::app
