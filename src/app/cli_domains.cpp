// SPDX-License-Identifier: Apache-2.0
// The commands of "Your domains".
#include "app/cli_tree.h"

namespace mailtight::app {

void add_domain_commands(command_tree& s) {
    constexpr const char* group = "Your domains";
    auto& app = s.app;
    auto* check =
        app.add_subcommand("check", "Check a domain: what is wrong, what follows, and how to fix it")
            ->group(group);
    check->add_option("domain", s.check.domains, "Domains to check; without one, a table of all your domains")
        ->type_name("DOMAIN");
    check->add_flag("--fresh", s.check.fresh, "Without a domain: check all of them now");
    check->add_flag("--no-smtp", s.check.no_smtp, "Do not talk to the mail servers");
    check->add_flag("--wait", s.check.wait, "Wait until every server shows what you entered by hand");
    check->add_option("--wait-limit", s.wait_limit, "Give up after this time (default 1h)")
        ->type_name("TIME");
    check->add_option("--wait-interval", s.wait_interval, "Time between two rounds (default 15s)")
        ->type_name("TIME");
    check->add_option("--id", s.check.id, "With --wait: the id that the record must show")->type_name("ID");
    s.add_repeatable(check, "--rua", s.check.rua,
                     "With --wait: the report address that must be published (repeatable)", "URI");
    check
        ->add_option("--policy", s.check.policy_file,
                     "With --wait: the file that must be served, byte for byte")
        ->type_name("FILE");
    check->add_flag("--changed", s.check.changed,
                    "Compare with the last run and say what changed (for cron)");
    check->add_option("--without-code", s.check.without, "Leave out a rule")
        ->group(hidden_group)
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    check->footer("Examples:\n  mailtight check example.com\n  mailtight check --json example.com "
                  "example.org | jq .verdict\n"
                  "  mailtight check --wait --id 20260102030405 example.com\n"
                  "  mailtight check");
    s.finish(check, [&s] { return cmd_check(s.common, s.check); }, true);

    auto* scan = app.add_subcommand("scan", "Check a long list of domains at once")->group(group);
    scan->add_option("list", s.scan.list, "File with one domain a line; - is standard input (default)")
        ->type_name("FILE");
    scan->add_option("-o,--output", s.scan.output, "Write results here instead of stdout")->type_name("FILE");
    scan->add_flag("--csv", s.scan.csv, "CSV instead of one JSON document a line");
    scan->add_flag("--dns-only", s.scan.dns_only, "Look at the records and MX alone");
    scan->add_flag("--no-smtp", s.scan.no_smtp, "Records and policy host, but no mail server");
    scan->add_flag("--resume", s.scan.resume, "Go on where an earlier run with the same --output stopped");
    scan->footer("Examples:\n  mailtight scan domains.txt -o results.ndjson\n  mailtight scan domains.txt -o "
                 "results.ndjson --resume\n"
                 "  cut -d, -f2 top-1m.csv | mailtight scan --dns-only --csv - > results.csv");
    s.finish(scan, [&s] { return cmd_scan(s.common, s.scan); }, true);

    auto* dns =
        app.add_subcommand("dns", "The DNS records to publish, in order, in the form your provider wants")
            ->group(group);
    dns->add_option("domain", s.dns.domain, "The domain")->type_name("DOMAIN");
    s.add_repeatable(dns, "--rua", s.dns.rua,
                     "Where reports go: mailto:, https: or a mail address (repeatable)", "URI");
    dns->add_option("--policy-host", s.dns.policy_host, "Name or address of the web server with the policy")
        ->type_name("NAME|IP");
    dns->add_option("--id", s.dns.id, "Policy id (default: the present date and time)")->type_name("ID");
    dns->add_option("--mode", s.dns.mode, "testing, enforce or none (default: as the evidence allows)")
        ->type_name("MODE");
    dns->add_option("--format", s.dns.format,
                    "table, bind, nsupdate, dnscontrol, octodns, terraform, cloudflare or route53")
        ->type_name("FORMAT");
    dns->add_flag("--all", s.dns.all, "Also the records that are already right");
    dns->footer(
        "Examples:\n  mailtight dns example.com --rua tls-report@example.com --policy-host web.example.com\n"
        "  mailtight dns example.com --format bind >> zone.db");
    s.finish(dns, [&s] { return cmd_dns(s.common, s.dns); }, true);
    add_dns_push(s, dns);

    auto* policy = app.add_subcommand("policy", "Create, check and test policy files")->group(group);
    policy->require_subcommand(1);
    policy->footer("Try:  mailtight policy new example.com");
    auto* policy_lint = policy->add_subcommand("lint", "Judge a policy file, byte for byte");
    policy_lint->add_option("file", s.lint.file, "The file; - is standard input (default)")
        ->type_name("FILE");
    policy_lint->footer("Example:\n  mailtight policy lint mta-sts.txt");
    s.finish(policy_lint, [&s] { return cmd_policy_lint(s.common, s.lint); }, false);
    auto* policy_new = policy->add_subcommand("new", "Print the policy suited to a domain");
    policy_new->add_option("domain", s.policy.domain, "The domain")->required()->type_name("DOMAIN");
    policy_new
        ->add_option("--mode", s.policy.mode, "testing, enforce or none (default: as the evidence allows)")
        ->type_name("MODE");
    policy_new->add_option("--max-age", s.policy.max_age, "Seconds (default: suited to the mode)")
        ->type_name("SECONDS");
    s.add_repeatable(policy_new, "--mx", s.policy.mx,
                     "MX host or pattern, instead of looking them up (repeatable)", "HOST");
    s.add_repeatable(policy_new, "--rua", s.policy.rua, "Where reports go (repeatable)", "URI");
    policy_new->add_flag("--keep-mx", s.policy.keep_mx, "Keep the mx lines in mode none");
    policy_new->footer("Examples:\n  mailtight policy new example.com > mta-sts.txt\n  mailtight policy new "
                       "example.com --mx mail.example.com --mode testing");
    s.finish(policy_new, [&s] { return cmd_policy_new(s.common, s.policy); }, true);
    auto* policy_match =
        policy->add_subcommand("match", "Which MX hosts a policy admits, and by which pattern");
    policy_match->add_option("file", s.policy.file, "The policy file; - is standard input")
        ->required()
        ->type_name("FILE");
    policy_match->add_option("host", s.policy.hosts, "MX hosts")->required()->type_name("HOST");
    policy_match->footer("Example:\n  mailtight policy match mta-sts.txt mx1.example.com mx2.example.com");
    s.finish(policy_match, [&s] { return cmd_policy_match(s.common, s.policy); }, false);

    add_policy_export(s, policy);

    auto* record = app.add_subcommand("record", "Check TXT records offline")->group(group);
    record->require_subcommand(1);
    record->footer("Try:  mailtight record lint 'v=STSv1; id=20260102030405'");
    auto* record_lint = record->add_subcommand("lint", "Judge _mta-sts and _smtp._tls TXT values");
    record_lint->add_option("text", s.lint.texts, "One TXT record an argument; several are the whole RRset")
        ->required()
        ->type_name("TEXT");
    record_lint->footer("Example:\n  mailtight record lint 'v=STSv1; id=20260102030405'");
    s.finish(record_lint, [&s] { return cmd_record_lint(s.common, s.lint); }, false);
}

} // namespace mailtight::app
