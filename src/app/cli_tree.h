// SPDX-License-Identifier: Apache-2.0
// The tree of commands with everything that they fill in, shared by the cli_*.cpp files: each of them adds
// one group of --help. Not for other files.
#pragma once

#include "app/access_commands.h"
#include "app/options.h"
#include "app/publish_commands.h"
#include "app/sending_commands.h"
#include "app/zone_command.h"

#include <CLI/CLI.hpp>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mailtight::app {

/// Options on the command line that win over the configuration file; empty where not given.
struct network_overrides {
    std::vector<std::string> resolver, allow_net;
    std::string dns_mode, trust_anchor, root_hints, ca_file, dns_timeout, connect_timeout, smtp_timeout,
        https_timeout, smtp_control;
    std::uint16_t smtp_port = 0, https_port = 0, dns_port = 0;

    /// The error is for the person.
    std::optional<std::string> apply(settings& to) const;
    bool any() const; ///< whether one of them was given
};

struct command_tree {
    CLI::App app{"MTA-STS and SMTP TLS reporting, from both sides of a mail domain.", "mailtight"};
    common_options common;
    network_overrides network;
    check_options check;
    scan_options scan;
    lint_options lint;
    policy_options policy;
    dns_options dns;
    report_read_options read;
    report_question question;
    report_test_options test;
    report_other_options other;
    resolve_options resolve;
    cache_options cache;
    own_report_options own_reports;
    domain_options domain;
    plan_request plan;
    push_options push;
    zone_options zone;
    export_options exporting;
    protect_options protect;
    certificate_options certificate;
    access_options access;
    std::string doc;
    std::string wait_limit, wait_interval, test_wait;
    std::function<int()> chosen;
    std::set<const CLI::App*> working; ///< commands that do something themselves

    /// The options that every command has, and what it does.
    void finish(CLI::App* command, std::function<int()> work, bool goes_out);
    /// An option that may be given again and takes one value each time.
    CLI::Option* add_repeatable(CLI::App* command, const std::string& name, std::vector<std::string>& into,
                                const std::string& description, const std::string& type);
    /// Reads the configuration file and puts the options on top.
    std::expected<settings, std::string> read_settings() const;
    /// The durations of single commands. The error is for the person.
    std::optional<std::string> take_durations();
    /// After parsing: the word that names no command or no option of where it stands, with the nearest one.
    /// Also beside --help, which would otherwise explain something else and call it fine.
    std::optional<std::string> what_is_unknown() const;
};

constexpr const char* hidden_group = "";
void add_network_options(CLI::App* to, network_overrides& into);
void add_domain_commands(command_tree& to);
void add_report_commands(command_tree& to);
void add_sending_commands(command_tree& to);
/// Below `report`: those about reports of our own.
void add_own_report_commands(command_tree& to, CLI::App* report);
void add_publish_commands(command_tree& to);
/// `dns push`, `dns zone` and `policy export`, below their commands.
void add_dns_push(command_tree& to, CLI::App* dns);
void add_policy_export(command_tree& to, CLI::App* policy);
void add_machine_commands(command_tree& to);
void add_access_commands(command_tree& to);

} // namespace mailtight::app
