// SPDX-License-Identifier: Apache-2.0
// The man page, from the command tree and the table of configuration keys.
#include "app/cli.h"
#include "app/settings.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::app {

namespace {

std::string roff(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n'))
            out += std::string("\\&") + c;
        else
            out += c;
    }
    return out;
}

} // namespace

std::string command_line::manual() const {
    std::string out =
        ".TH MAILTIGHT 1 \"\" \"mailtight " MAILTIGHT_VERSION "\" \"User Commands\"\n"
        ".SH NAME\nmailtight \\- MTA\\-STS and SMTP TLS reporting for both sides of a mail domain\n"
        ".SH SYNOPSIS\n.B mailtight\n.I COMMAND\n[options] [arguments]\n.SH DESCRIPTION\n"
        "Judges what a mail domain publishes for MTA\\-STS (RFC 8461) and SMTP TLS Reporting (RFC 8460), "
        "suggests a "
        "configuration made for it, and writes the policy and the DNS records. Takes in the reports that "
        "senders write about it, keeps them, and explains every failure.\n"
        ".SH COMMANDS\n";
    const auto all = commands();
    const command_text* outgoing = nullptr;
    for (const auto& command : all) {
        out += fmt::format(".SS mailtight {}\n{}.\n", roff(command.name), roff(command.description));
        for (const auto& option : command.options) {
            if (option.network) {
                outgoing = &command;
                continue;
            }
            out += fmt::format(".TP\n.B {}\n{}.\n", roff(option.name), roff(option.description));
        }
        out += fmt::format(".PP\n.nf\n{}\n.fi\n", roff(command.example));
    }
    if (outgoing) {
        out += ".SH NETWORK OPTIONS\nOf every command that goes out.\n";
        for (const auto& option : outgoing->options)
            if (option.network)
                out += fmt::format(".TP\n.B {}\n{}.\n", roff(option.name), roff(option.description));
    }
    out +=
        ".SH EXIT STATUS\n.TP\n.B 0\nFine.\n.TP\n.B 1\nProblems were found in what was examined.\n.TP\n.B 2\n"
        "The command line or the configuration is wrong.\n.TP\n.B 3\nIt could not be done.\n"
        ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nNo colour, where set and not empty.\n"
        ".SH SIGNALS\nOf mailtight serve.\n.TP\n.B SIGHUP\nRead configuration, domains and certificates "
        "again.\n.TP\n.B SIGTERM, SIGINT\nTake no more, finish what was acknowledged, end.\n"
        ".SH FILES\n.TP\n.I /etc/mailtight/mailtight.toml\nThe configuration.\n"
        ".TP\n.I /var/lib/mailtight/mailtight.db\nThe store, unless store.where names another.\n"
        ".TP\n.I /run/mailtight/control.sock\nWhere commands reach the daemon.\n"
        ".SH SEE ALSO\n.BR mailtight.toml (5)\n";
    return out;
}

std::string command_line::commands_json() const {
    boost::json::array rows;
    for (const auto& command : tree()) {
        boost::json::array options;
        for (const auto& option : command.options)
            options.push_back(
                boost::json::object{{"name", option.name},
                                    {"description", option.description},
                                    {"network", option.network},
                                    {"flags", boost::json::array(option.flags.begin(), option.flags.end())},
                                    {"value", option.type}});
        rows.push_back(boost::json::object{{"name", command.name},
                                           {"description", command.description},
                                           {"example", command.example},
                                           {"works", command.works},
                                           {"options", std::move(options)}});
    }
    return boost::json::serialize(rows) + "\n";
}

std::string command_line::configuration_manual() const {
    std::string out =
        ".TH MAILTIGHT.TOML 5 \"\" \"mailtight " MAILTIGHT_VERSION "\" \"File Formats\"\n"
        ".SH NAME\nmailtight.toml \\- configuration of mailtight\n"
        ".SH SYNOPSIS\n.I /etc/mailtight/mailtight.toml\n.SH DESCRIPTION\n"
        "A TOML file. Every key has a default; an unknown key is an error. Options on the command "
        "line win over it. "
        "The daemon reads it when it starts, and on SIGHUP again: keys marked \"Restart\" take effect when "
        "it "
        "starts the next time, all others at once.\n";
    std::string section;
    for (const auto& key : setting_keys()) {
        if (key.section != section) {
            section = key.section;
            out += fmt::format(".SH \"[{}]\"\n", roff(section));
        }
        // No .B, which takes quotation marks for its own.
        out += fmt::format(".TP\n\\fB{} = {}\\fR\n{}{}\n", roff(key.name), roff(key.fallback()),
                           roff(key.comment), needs_restart(key) ? " (Restart.)" : "");
    }
    out += ".SH SEE ALSO\n.BR mailtight (1)\n";
    return out;
}

} // namespace mailtight::app
