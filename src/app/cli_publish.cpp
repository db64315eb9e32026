// SPDX-License-Identifier: Apache-2.0
// The commands about the domains that this installation looks after; they stand under "Your domains".
#include "app/cli_tree.h"

namespace mailtight::app {

namespace {

constexpr const char* group = "Your domains";

/// What is wanted of a domain: the same words for `add` and `set`.
void add_wishes(command_tree& s, CLI::App* to) {
    auto& w = s.domain.wishes;
    to->add_option("--mode", w.mode, "testing, enforce (reached by way of testing) or off")
        ->type_name("MODE");
    to->add_option("--max-age", w.max_age,
                   "Seconds; ladder: a week in testing, then a day, a week, two weeks in enforce (default)")
        ->type_name("SECONDS|ladder");
    s.add_repeatable(to, "--mx", w.mx,
                     "MX host or pattern of the policy (repeatable); follow: as the MX records say (default)",
                     "HOST|follow");
    s.add_repeatable(to, "--rua", w.rua,
                     "Where reports go: mailto:, https: or a mail address (repeatable); default: as "
                     "configured",
                     "URI|default");
    to->add_option("--hosting", w.hosting,
                   "Who serves the policy: here, proxied (here, behind somebody's TLS), elsewhere (your own "
                   "web server) or delegated (a provider, by CNAME)")
        ->type_name("WHERE");
    to->add_option("--dns", w.dns,
                   "Who writes the records: hand, update[:NAME of dns-update.servers], or hook")
        ->type_name("WHO");
    to->add_option("--policy-host", w.policy_host,
                   "What mta-sts.DOMAIN points at, where it is not publish.policy-host")
        ->type_name("NAME|IP");
    to->add_option("--sts-target", w.sts_target, "Delegated: the CNAME target of _mta-sts.DOMAIN")
        ->type_name("NAME");
    to->add_option("--leave", w.leave,
                   "What the daemon may do by itself: nothing, records (not the mode, no removing) or all")
        ->type_name("WHAT");
    to->add_option("--owner", w.owner, "The tenant that it belongs to; none: the operator")
        ->type_name("NAME");
    s.add_repeatable(to, "--label", w.labels, "A label to find it by, -WORD takes it away (repeatable)",
                     "WORD");
    to->add_option("--why", w.why, "The reason, for the log of changes")->type_name("TEXT");
}

void add_domain(command_tree& s) {
    auto& d = s.domain;
    auto* domain = s.app.add_subcommand("domain", "The domains this installation looks after")->group(group);
    domain->require_subcommand(1);
    domain->footer("Try:  mailtight domain add example.com\n      mailtight domain list");

    auto* add = domain->add_subcommand("add", "Start looking after domains");
    add->add_option("name", d.names, "Domains")->type_name("DOMAIN");
    add_wishes(s, add);
    add->add_option("--like", d.like,
                    "Take over what is wanted of this one: for renamed, secondary and alias domains")
        ->type_name("DOMAIN");
    add->add_option(
           "--csv", d.csv,
           "A table with a head line: domain and any of mode, max_age, mx, rua, hosting, dns, labels, "
           "owner, leave, policy_host, sts_target, like; - is standard input")
        ->type_name("FILE");
    add->footer("Examples:\n  mailtight domain add example.com\n"
                "  mailtight domain add example.com --mode enforce --dns update --leave all\n"
                "  mailtight domain add example.net --like example.com\n"
                "  mailtight domain add --csv domains.csv");
    s.finish(add, [&s] { return cmd_domain_add(s.common, s.domain); }, false);

    auto* list = domain->add_subcommand("list", "All domains, with the latest result for each");
    list->add_option("contains", d.contains, "Only names that contain this")->type_name("TEXT");
    list->add_option("--label", d.label, "Only with this label")->type_name("WORD");
    list->add_option("--owner", d.owner, "Only of this tenant; none: the operator's")->type_name("NAME");
    list->add_option("--state", d.state,
                     "Only those seen so: protected, testing, unverified, retiring, broken, absent, "
                     "unreachable or unseen (not yet looked at)")
        ->type_name("STATE");
    list->add_flag("--csv", d.as_csv, "CSV");
    list->footer("Examples:\n  mailtight domain list\n  mailtight domain list --state broken --json | jq -r "
                 ".domain");
    s.finish(list, [&s] { return cmd_domain_list(s.common, s.domain); }, false);

    auto* show = domain->add_subcommand(
        "show",
        "One domain: its plan, the policies served and until when senders may hold them, all changes");
    show->add_option("name", d.names, "The domain")->required()->type_name("DOMAIN");
    show->add_flag("--no-look", d.no_look, "Only what is stored: no look at the domain now, no plan");
    show->add_option("--limit", d.limit, "At most N changes and looks (default 20)")->type_name("N");
    show->footer("Example:\n  mailtight domain show example.com");
    s.finish(show, [&s] { return cmd_domain_show(s.common, s.domain); }, true);

    auto* set = domain->add_subcommand("set", "Change the goal or the settings of domains");
    set->add_option("name", d.names, "Domains")->required()->type_name("DOMAIN");
    add_wishes(s, set);
    set->add_flag(
        "--pause", d.wishes.pause,
        "Back to testing for a while, to find a fault; senders may hold enforce until max_age ends");
    set->add_flag("--resume", d.wishes.resume, "End the pause");
    set->footer("Examples:\n  mailtight domain set example.com --mode enforce\n"
                "  mailtight domain set example.com --pause --why 'new gateway refuses TLS'\n"
                "  mailtight domain set example.com --label customers --label -trial");
    s.finish(set, [&s] { return cmd_domain_set(s.common, s.domain); }, false);

    auto* remove = domain->add_subcommand(
        "remove", "Stop looking after domains; refused while senders may hold a policy");
    remove->add_option("name", d.names, "Domains")->required()->type_name("DOMAIN");
    remove->add_flag("--force", d.force, "All the same, with a reason: its policy is no longer served");
    remove->add_option("--why", d.wishes.why, "The reason, for the log of changes")->type_name("TEXT");
    remove->footer("Examples:\n  mailtight plan example.com --to off --do\n"
                   "  mailtight domain remove example.com");
    s.finish(remove, [&s] { return cmd_domain_remove(s.common, s.domain); }, false);
}

void add_plan(command_tree& s) {
    auto& p = s.plan;
    auto* plan =
        s.app.add_subcommand("plan", "The steps from a domain's present state to its goal, with reasons")
            ->group(group);
    plan->add_option("domain", p.domain, "The domain")->required()->type_name("DOMAIN");
    plan->add_option("--to", p.to, "testing, enforce or off (default: the domain's goal)")->type_name("MODE");
    plan->add_option(
            "--by", p.by,
            "With --to off: none (mode none first, wait, then remove; default) or expiry (delete the "
            "record, wait until every sender has forgotten)")
        ->type_name("WAY");
    s.add_repeatable(plan, "--add-mx", p.add_mx, "An MX host to add (repeatable)", "HOST");
    s.add_repeatable(plan, "--remove-mx", p.remove_mx, "An MX host to remove (repeatable)", "HOST");
    plan->add_flag("--keep-mx", p.keep_mx, "With --to off: keep the mx lines in mode none");
    plan->add_flag("--force", p.force, "Enforce without evidence from reports; requires --why");
    plan->add_option("--why", p.why, "The reason, which is kept")->type_name("TEXT");
    plan->add_option(
            "--said", p.said,
            "What only you know: report-way (the mailbox for reports is there), or checked-mx (mail servers "
            "that cannot be tested from here are in order)")
        ->type_name("WHAT");
    plan->add_flag("--do", p.act, "Make this the goal, and carry out the next step");
    plan->footer("Examples:\n  mailtight plan example.com\n"
                 "  mailtight plan example.com --to enforce --do\n"
                 "  mailtight plan example.com --add-mx mx3.example.com --remove-mx mx1.example.com\n"
                 "  mailtight plan example.com --to off --by none");
    s.finish(plan, [&s] { return cmd_plan(s.common, s.plan); }, true);
}

void add_certificate(command_tree& s) {
    auto& c = s.certificate;
    auto* certificate =
        s.app.add_subcommand("certificate", "The certificates of the policy hosts")->group(group);
    certificate->require_subcommand(1);
    certificate->footer("Try:  mailtight certificate list");
    auto* list = certificate->add_subcommand("list", "All certificates, with expiry, renewal and last error");
    list->add_option("--days", c.days, "Only those that end within N days")->type_name("N");
    list->footer("Example:\n  mailtight certificate list --days 14");
    s.finish(list, [&s] { return cmd_certificate_list(s.common, s.certificate); }, false);
    auto* renew = certificate->add_subcommand("renew", "Get a new one now");
    renew->add_option("name", c.name, "The domain, or its mta-sts name")->required()->type_name("DOMAIN");
    renew->footer("Example:\n  mailtight certificate renew example.com");
    s.finish(renew, [&s] { return cmd_certificate_renew(s.common, s.certificate); }, false);
    auto* roll = certificate->add_subcommand("key-rollover", "Replace the key of the ACME account");
    roll->footer("Example:\n  mailtight certificate key-rollover");
    s.finish(roll, [&s] { return cmd_certificate_key_rollover(s.common); }, false);
}

} // namespace

void add_publish_commands(command_tree& s) {
    auto* protect =
        s.app.add_subcommand("protect", "Take a domain from check to enforce, step by step")->group(group);
    protect->add_option("domain", s.protect.domain, "The domain")->required()->type_name("DOMAIN");
    protect->add_flag("--print", s.protect.print_only, "Print all steps and change nothing");
    protect->footer("Examples:\n  mailtight protect example.com\n  mailtight protect example.com --print");
    s.finish(protect, [&s] { return cmd_protect(s.common, s.protect); }, true);
    add_plan(s);
    add_domain(s);
    add_certificate(s);
}

void add_dns_push(command_tree& s, CLI::App* dns) {
    auto& p = s.push;
    auto* push = dns->add_subcommand("push", "Send the records that are due to the name server");
    push->add_option("domain", p.domain, "The domain")->required()->type_name("DOMAIN");
    push->add_option("--server", p.server,
                     "NAME of dns-update.servers (default: the domain's, else the first)")
        ->type_name("NAME");
    push->add_flag("--hook", p.hook, "By the command of dns-update.hook");
    push->add_flag("--dry-run", p.dry_run, "Show them and send nothing");
    push->footer("Examples:\n  mailtight dns push example.com --dry-run\n  mailtight dns push example.com");
    s.finish(push, [&s] { return cmd_dns_push(s.common, s.push); }, true);

    auto& z = s.zone;
    auto* zone = dns->add_subcommand(
        "zone", "A zone file for customers whose _mta-sts and _smtp._tls point at you by CNAME");
    zone->add_option("zone", z.zone, "The zone, one of your own")->required()->type_name("ZONE");
    s.add_repeatable(zone, "--ns", z.servers, "A name server of it, the primary first (repeatable)", "NAME");
    zone->add_option("--mailbox", z.mailbox, "Who looks after it (default: hostmaster@ZONE)")
        ->type_name("ADDRESS");
    zone->add_option("--label", z.label, "Only domains with this label")->type_name("WORD");
    zone->add_flag("--aliases", z.aliases, "The CNAME records that customers publish, once, instead");
    zone->footer("Examples:\n  mailtight dns zone sts.example.net --ns ns1.example.net --ns ns2.example.net\n"
                 "  mailtight dns zone sts.example.net --aliases");
    s.finish(zone, [&s] { return cmd_dns_zone(s.common, s.zone); }, true);
}

void add_policy_export(command_tree& s, CLI::App* policy) {
    auto& e = s.exporting;
    auto* out = policy->add_subcommand("export", "The policy for a web server of your own, with the steps");
    out->add_option("domain", e.domain, "The domain; with --all the folder")->required()->type_name("DOMAIN");
    out->add_option("folder", e.folder, "Where to write")->type_name("DIR");
    out->add_option("--form", e.form, "directory (default), nginx, caddy, apache or worker (Cloudflare)")
        ->type_name("FORM");
    out->add_flag("--all", e.all, "Every policy that is published, in one file or a folder each");
    out->add_option("--ask-url", e.ask_url, "For caddy: the URL of publish.ask-listen")->type_name("URL");
    out->footer("Examples:\n  mailtight policy export example.com /srv/www/mta-sts.example.com\n"
                "  mailtight policy export example.com . --form nginx\n"
                "  mailtight policy export --all /etc/nginx/mta-sts --form nginx");
    s.finish(out, [&s] { return cmd_policy_export(s.common, s.exporting); }, true);
}

} // namespace mailtight::app
