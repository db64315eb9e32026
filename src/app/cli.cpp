// SPDX-License-Identifier: Apache-2.0
// The command line: which commands and options there are, in the groups of --help; then the configuration
// file, with the options on top; then the command itself.
#include "app/cli.h"
#include "app/app.h"
#include "app/options.h"
#include "app/terminal.h"
#include "base/text.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <memory>

namespace mailtight::app {

namespace {

constexpr const char* version_text = "mailtight " MAILTIGHT_VERSION;

constexpr const char* group_domains = "Your domains";
constexpr const char* group_machine = "This machine";
constexpr const char* hidden = "";

/// Options on the command line that win over the configuration file; empty where not given.
struct network_overrides {
    std::vector<std::string> resolver, allow_net;
    std::string dns_mode, trust_anchor, root_hints, ca_file, dns_timeout, connect_timeout, smtp_timeout,
        https_timeout, smtp_control;
    std::uint16_t smtp_port = 0, https_port = 0, dns_port = 0;

    std::optional<std::string> apply(settings& to) const {
        if (!resolver.empty())
            to.dns_servers = resolver;
        to.allow_net.insert(to.allow_net.end(), allow_net.begin(), allow_net.end());
        auto text = [](const std::string& from, std::string& into) {
            if (!from.empty())
                into = from;
        };
        text(dns_mode, to.dns_mode);
        text(trust_anchor, to.dns_trust_anchor);
        text(root_hints, to.dns_root_hints);
        text(ca_file, to.ca_file);
        if (smtp_control == "none")
            to.smtp_control.clear();
        else
            text(smtp_control, to.smtp_control);
        if (smtp_port)
            to.smtp_port = smtp_port;
        if (https_port)
            to.https_port = https_port;
        if (dns_port)
            to.dns_port = dns_port;
        struct wait {
            const char* option;
            const std::string& given;
            std::chrono::milliseconds& into;
        };
        for (const wait& each : {wait{"--dns-timeout", dns_timeout, to.dns_timeout},
                                 wait{"--connect-timeout", connect_timeout, to.connect_timeout},
                                 wait{"--smtp-timeout", smtp_timeout, to.smtp_timeout},
                                 wait{"--https-timeout", https_timeout, to.https_timeout}}) {
            if (each.given.empty())
                continue;
            auto length = parse_duration(each.given);
            if (!length || length->count() == 0)
                return fmt::format("{} takes a duration such as 5s or 1500ms, not '{}'", each.option,
                                   base::printable(each.given));
            each.into = *length;
        }
        return {};
    }
};

void add_network_options(CLI::App* to, network_overrides& into) {
    const char* group = "Network";
    to->add_option("--resolver", into.resolver, "Name server to ask, ADDRESS[:PORT] (default: the system's)")
        ->group(group)
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->type_name("ADDR[:PORT]");
    to->add_option("--dns-mode", into.dns_mode, "automatic, forwarding, validating or recursive")
        ->group(group)
        ->type_name("MODE");
    to->add_option("--trust-anchor", into.trust_anchor,
                   "DNSSEC trust anchor in place of the system's root key")
        ->group(group)
        ->type_name("FILE");
    to->add_option("--root-hints", into.root_hints, "Root servers for --dns-mode recursive")
        ->group(group)
        ->type_name("FILE");
    to->add_option("--ca-file", into.ca_file, "Trusted roots in place of the system's")
        ->group(group)
        ->type_name("PEM");
    to->add_option("--allow-net", into.allow_net,
                   "Network that may be connected to although it is not global (repeatable)")
        ->group(group)
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->type_name("CIDR");
    to->add_option("--smtp-port", into.smtp_port, "Port of the MX hosts (default 25)")
        ->group(group)
        ->type_name("N");
    to->add_option("--https-port", into.https_port, "Port of the policy hosts (default 443)")
        ->group(group)
        ->type_name("N");
    to->add_option("--dns-port", into.dns_port, "Port of authoritative servers asked directly (default 53)")
        ->group(group)
        ->type_name("N");
    to->add_option("--dns-timeout", into.dns_timeout, "For one DNS question (default 5s)")
        ->group(group)
        ->type_name("TIME");
    to->add_option("--connect-timeout", into.connect_timeout, "For one TCP connection (default 10s)")
        ->group(group)
        ->type_name("TIME");
    to->add_option("--smtp-timeout", into.smtp_timeout, "For each SMTP reply (default 30s)")
        ->group(group)
        ->type_name("TIME");
    to->add_option("--https-timeout", into.https_timeout, "For a whole policy fetch (default 60s)")
        ->group(group)
        ->type_name("TIME");
    to->add_option("--smtp-control", into.smtp_control,
                   "Host known to accept on port 25, asked only when every MX is silent; none: never")
        ->group(group)
        ->type_name("HOST");
}

} // namespace

/// The tree of commands with everything that they fill in.
struct command_line::state {
    CLI::App app{"MTA-STS and SMTP TLS reporting, from both sides of a mail domain.", "mailtight"};
    common_options common;
    network_overrides network;
    check_options check;
    scan_options scan;
    lint_options lint;
    policy_options policy;
    dns_options dns;
    std::string doc;
    std::string wait_limit, wait_interval;
    std::function<int()> chosen;
};

command_line::command_line()
    : state_(std::make_unique<state>()) {
    auto& s = *state_;
    auto& app = s.app;
    app.set_version_flag("--version", version_text, "Print the version");
    app.set_help_flag("-h,--help", "Print help, with an example for each command");
    app.require_subcommand(0, 1);
    app.footer("Try:  mailtight check example.com\n      mailtight check --help");
    app.get_formatter()->column_width(34);

    auto finish = [&s](CLI::App* command, std::function<int()> work, bool goes_out) {
        command
            ->add_option("--config", s.common.config_file,
                         "Configuration (default /etc/mailtight/mailtight.toml)")
            ->type_name("FILE");
        command->add_flag("--json", s.common.json,
                          "One JSON document on stdout (one a line where many things are handled)");
        if (goes_out)
            add_network_options(command, s.network);
        command->callback([&s, work = std::move(work)] { s.chosen = work; });
    };

    auto* check = app.add_subcommand("check", "Observe a domain: what is wrong, what follows, how to mend it")
                      ->group(group_domains);
    check->add_option("domain", s.check.domains, "Domains to look at")->type_name("DOMAIN");
    check->add_flag("--no-smtp", s.check.no_smtp, "Do not talk to the mail servers");
    check->add_flag("--wait", s.check.wait, "Poll every server until what was entered by hand is right");
    check->add_option("--wait-limit", s.wait_limit, "Give up after (default 1h)")->type_name("TIME");
    check->add_option("--wait-interval", s.wait_interval, "Between two rounds (default 15s)")
        ->type_name("TIME");
    check->add_option("--id", s.check.id, "With --wait: the id that the record must show")->type_name("ID");
    check
        ->add_option("--rua", s.check.rua,
                     "With --wait: the report address that must be published (repeatable)")
        ->type_name("URI")
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    check
        ->add_option("--policy", s.check.policy_file,
                     "With --wait: the file that must be served, byte for byte")
        ->type_name("FILE");
    check->add_flag("--changed", s.check.changed,
                    "Compare with the last run and say what changed (for cron)");
    check->add_option("--without-code", s.check.without, "Leave out a rule")
        ->group(hidden)
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    check->footer("Examples:\n  mailtight check example.com\n  mailtight check --json example.com "
                  "example.org | jq .verdict\n"
                  "  mailtight check --wait --id 20260102030405 example.com");
    finish(check, [&s] { return cmd_check(s.common, s.check); }, true);

    auto* scan = app.add_subcommand("scan", "Check a long list of domains at once")->group(group_domains);
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
    finish(scan, [&s] { return cmd_scan(s.common, s.scan); }, true);

    auto* dns =
        app.add_subcommand("dns", "The DNS records to publish, in order, in the form your provider wants")
            ->group(group_domains);
    dns->add_option("domain", s.dns.domain, "The domain")->required()->type_name("DOMAIN");
    dns->add_option("--rua", s.dns.rua, "Where reports go: mailto:, https: or a mail address (repeatable)")
        ->type_name("URI")
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
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
    finish(dns, [&s] { return cmd_dns(s.common, s.dns); }, true);

    auto* policy = app.add_subcommand("policy", "Judge, make and try policy files")->group(group_domains);
    policy->require_subcommand(1);
    auto* policy_lint = policy->add_subcommand("lint", "Judge a policy file, byte for byte");
    policy_lint->add_option("file", s.lint.file, "The file; - is standard input (default)")
        ->type_name("FILE");
    policy_lint->footer("Example:\n  mailtight policy lint mta-sts.txt");
    finish(policy_lint, [&s] { return cmd_policy_lint(s.common, s.lint); }, false);
    auto* policy_new = policy->add_subcommand("new", "Print the policy suited to a domain");
    policy_new->add_option("domain", s.policy.domain, "The domain")->required()->type_name("DOMAIN");
    policy_new
        ->add_option("--mode", s.policy.mode, "testing, enforce or none (default: as the evidence allows)")
        ->type_name("MODE");
    policy_new->add_option("--max-age", s.policy.max_age, "Seconds (default: suited to the mode)")
        ->type_name("SECONDS");
    policy_new->add_option("--mx", s.policy.mx, "MX host or pattern, instead of looking them up (repeatable)")
        ->type_name("HOST")
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    policy_new->add_option("--rua", s.policy.rua, "Where reports go (repeatable)")
        ->type_name("URI")
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    policy_new->add_flag("--keep-mx", s.policy.keep_mx, "Keep the mx lines in mode none");
    policy_new->footer("Examples:\n  mailtight policy new example.com > mta-sts.txt\n  mailtight policy new "
                       "example.com --mx mail.example.com --mode testing");
    finish(policy_new, [&s] { return cmd_policy_new(s.common, s.policy); }, true);
    auto* policy_match =
        policy->add_subcommand("match", "Which MX hosts a policy admits, and by which pattern");
    policy_match->add_option("file", s.policy.file, "The policy file; - is standard input")
        ->required()
        ->type_name("FILE");
    policy_match->add_option("host", s.policy.hosts, "MX hosts")->required()->type_name("HOST");
    policy_match->footer("Example:\n  mailtight policy match mta-sts.txt mx1.example.com mx2.example.com");
    finish(policy_match, [&s] { return cmd_policy_match(s.common, s.policy); }, false);

    auto* record = app.add_subcommand("record", "Judge TXT records")->group(group_domains);
    record->require_subcommand(1);
    auto* record_lint = record->add_subcommand("lint", "Judge _mta-sts and _smtp._tls TXT values");
    record_lint->add_option("text", s.lint.texts, "One TXT record an argument; several are the whole RRset")
        ->required()
        ->type_name("TEXT");
    record_lint->footer("Example:\n  mailtight record lint 'v=STSv1; id=20260102030405'");
    finish(record_lint, [&s] { return cmd_record_lint(s.common, s.lint); }, false);

    auto* doctor =
        app.add_subcommand("doctor", "Judge this host: resolver, port 25, addresses, trusted roots")
            ->group(group_machine);
    doctor->footer("Example:\n  mailtight doctor");
    finish(doctor, [&s] { return cmd_doctor(s.common); }, true);

    auto* doc = app.add_subcommand("doc", "Print a generated document")->group(hidden);
    doc->add_option("what", s.doc, "config, findings or man")->required();
    finish(
        doc,
        [&s, this] {
            if (s.doc != "man")
                return cmd_doc(s.common, s.doc);
            print(manual());
            return static_cast<int>(fine);
        },
        false);
}

command_line::~command_line() = default;

std::vector<command_text> command_line::commands() const {
    std::vector<command_text> all;
    std::function<void(const CLI::App*, std::string)> walk = [&](const CLI::App* from, std::string prefix) {
        for (const auto* command : from->get_subcommands([](const CLI::App*) { return true; })) {
            if (prefix.empty() && command->get_group().empty())
                continue;
            command_text text;
            text.name = prefix + command->get_name();
            text.description = command->get_description();
            text.example = command->get_footer();
            for (const auto* option : command->get_options()) {
                const auto group = option->get_group();
                if (group.empty() || option->get_single_name() == "help")
                    continue;
                text.options.push_back(
                    {option->get_positional() && !option->nonpositional()
                         ? option->get_type_name()
                         : option->get_name(false, true) +
                               (option->get_type_size() == 0 ? "" : " " + option->get_type_name()),
                     option->get_description(), group == "Network"});
            }
            if (command->get_subcommands([](const CLI::App*) { return true; }).empty())
                all.push_back(std::move(text));
            walk(command, prefix + command->get_name() + " ");
        }
    };
    walk(&state_->app, "");
    return all;
}

int command_line::run(int argc, char** argv) {
    auto& s = *state_;
    try {
        s.app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0)
            return s.app.exit(error); // --help, --version
        const std::string first = argc > 1 ? argv[1] : "";
        std::vector<std::string_view> names;
        for (const auto* command : s.app.get_subcommands([](const CLI::App*) { return true; }))
            if (!command->get_group().empty())
                names.emplace_back(command->get_name());
        const bool known = std::find(names.begin(), names.end(), first) != names.end();
        if (!known && !first.empty() && !first.starts_with('-') && first != "doc") {
            const auto near = base::nearest(first, names);
            complain(fmt::format("there is no command '{}'{}", base::printable(first),
                                 near.empty() ? std::string() : fmt::format("; did you mean {}?", near)));
        } else {
            complain(base::printable(error.what()));
        }
        say("see mailtight --help, or --help behind a command");
        return wrong_usage;
    }
    if (!s.chosen) {
        print(s.app.help());
        return fine;
    }
    auto loaded = load_settings(s.common.config_file);
    if (!loaded) {
        complain(loaded.error());
        return wrong_usage;
    }
    s.common.set = *loaded;
    if (auto wrong = s.network.apply(s.common.set)) {
        complain(*wrong);
        return wrong_usage;
    }
    struct wait {
        const char* option;
        const std::string& given;
        std::chrono::milliseconds& into;
    };
    for (const wait& each : {wait{"--wait-limit", s.wait_limit, s.check.wait_limit},
                             wait{"--wait-interval", s.wait_interval, s.check.wait_interval}}) {
        if (each.given.empty())
            continue;
        auto length = parse_duration(each.given);
        if (!length) {
            complain(fmt::format("{} takes a duration such as 30s or 2h", each.option));
            return wrong_usage;
        }
        each.into = *length;
    }
    return s.chosen();
}

int run(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    try {
        command_line line;
        return line.run(argc, argv);
    } catch (const std::exception& error) {
        // What comes here is a programmer's or a machine's fault (no memory, a broken library), never bad
        // input.
        complain(fmt::format("this should not have happened: {}", base::printable(error.what())));
        return not_done;
    }
}

} // namespace mailtight::app
