// SPDX-License-Identifier: Apache-2.0
// The command line: parses it, reads the configuration file with the options on top, then the command itself.
#include "app/cli.h"

#include "app/app.h"
#include "app/cli_tree.h"
#include "app/terminal.h"
#include "base/text.h"

#include <fmt/format.h>

#include <csignal>
#include <cstring>
#include <exception>
#include <memory>
#include <sstream>

namespace mailtight::app {

namespace {

constexpr const char* version_text = "mailtight " MAILTIGHT_VERSION;
constexpr std::string_view completion_prefix = "completion-";

} // namespace

struct command_line::state : command_tree {};

void command_tree::finish(CLI::App* command, std::function<int()> work, bool goes_out) {
    command
        ->add_option("--config", common.config_file, "Configuration (default /etc/mailtight/mailtight.toml)")
        ->type_name("FILE");
    command->add_flag("--json", common.json, "JSON on stdout; one document per line if there are several");
    if (goes_out)
        add_network_options(command, network);
    working.insert(command);
    command->callback([this, command, work = std::move(work)] {
        if (command->get_subcommands().empty()) // else the one below is meant
            chosen = work;
    });
}

CLI::Option* command_tree::add_repeatable(CLI::App* command, const std::string& name,
                                          std::vector<std::string>& into, const std::string& description,
                                          const std::string& type) {
    return command->add_option(name, into, description)
        ->type_name(type)
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

std::expected<settings, std::string> command_tree::read_settings() const {
    auto loaded = load_settings(common.config_file);
    if (!loaded)
        return loaded;
    if (auto wrong = network.apply(*loaded))
        return std::unexpected(*wrong);
    return loaded;
}

std::optional<std::string> command_tree::take_durations() {
    struct wait {
        const char* option;
        const std::string& given;
        std::chrono::milliseconds& into;
    };
    for (const wait& each : {wait{"--wait-limit", wait_limit, check.wait_limit},
                             wait{"--wait-interval", wait_interval, check.wait_interval},
                             wait{"--wait", test_wait, test.wait}}) {
        if (each.given.empty())
            continue;
        auto length = parse_duration(each.given);
        if (!length)
            return fmt::format("{} takes a duration such as 30s or 2h", each.option);
        each.into = *length;
    }
    return {};
}

std::optional<std::string> command_tree::what_is_unknown() const {
    const CLI::App* at = &app;
    std::string path;
    while (at->remaining_size() == 0 && !at->get_subcommands().empty()) {
        at = at->get_subcommands().front();
        path += at->get_name() + " ";
    }
    const auto left = at->remaining();
    if (left.empty())
        return {};
    std::string word = left.front();
    const bool option = word.starts_with('-');
    std::vector<std::string> known;
    if (option) {
        word = word.substr(0, word.find('='));
        for (const auto* each : at->get_options())
            for (const auto& name : each->get_lnames())
                known.push_back("--" + name);
    } else {
        for (const auto* each : at->get_subcommands([](const CLI::App*) { return true; }))
            if (!each->get_group().empty())
                known.push_back(each->get_name());
        if (known.empty())
            return {}; // a word too many, which the library tells
    }
    const auto near = base::nearest(word, {known.begin(), known.end()});
    const auto whose = option ? "" : path;
    const auto hint = near.empty() ? std::string() : fmt::format("; did you mean {}{}?", whose, near);
    if (option)
        return fmt::format("mailtight {}has no option {}{}", path, base::printable(word), hint);
    return fmt::format("there is no command '{}{}'{}", path, base::printable(word), hint);
}

command_line::command_line()
    : state_(std::make_unique<state>()) {
    auto& s = *state_;
    auto& app = s.app;
    app.set_version_flag("--version", version_text, "Print the version");
    app.set_help_flag("-h,--help", "Print help, with an example for each command");
    app.require_subcommand(0, 1);
    app.add_option("--config", s.common.config_file,
                   "Configuration (default /etc/mailtight/mailtight.toml); before or after the command")
        ->type_name("FILE");
    app.add_flag("--json", s.common.json, "JSON on stdout; before or after the command");
    app.footer("Try:  mailtight check example.com\n      mailtight check --help");
    app.get_formatter()->column_width(34);
    add_publish_commands(s);
    add_domain_commands(s);
    add_report_commands(s);
    add_sending_commands(s);
    add_machine_commands(s);
    add_access_commands(s);

    auto* doc = app.add_subcommand("doc", "Print a generated document")->group(hidden_group);
    doc->add_option("what", s.doc, doc_words)->required();
    s.finish(
        doc,
        [&s, this] {
            std::string text;
            if (s.doc == "man")
                text = manual();
            else if (s.doc == "man-config")
                text = configuration_manual();
            else if (s.doc == "commands")
                text = commands_json();
            else if (s.doc.starts_with(completion_prefix))
                text = completion(std::string_view(s.doc).substr(completion_prefix.size()));
            if (text.empty())
                return cmd_doc(s.common, s.doc);
            print(text);
            return static_cast<int>(fine);
        },
        false);
}

command_line::~command_line() = default;

std::vector<command_text> command_line::commands() const {
    auto all = tree();
    std::erase_if(all, [](const command_text& each) { return !each.works; });
    return all;
}

std::vector<command_text> command_line::tree() const {
    std::vector<command_text> all;
    std::function<void(const CLI::App*, std::string)> walk = [&](const CLI::App* from, std::string prefix) {
        for (const auto* command : from->get_subcommands([](const CLI::App*) { return true; })) {
            if (prefix.empty() && command->get_group().empty())
                continue;
            command_text text;
            text.name = prefix + command->get_name();
            text.description = command->get_description();
            text.example = command->get_footer();
            text.works = state_->working.contains(command);
            for (const auto* option : command->get_options()) {
                const auto group = option->get_group();
                if (group.empty() || option->get_single_name() == "help")
                    continue;
                const bool placed = option->get_positional() && !option->nonpositional();
                const bool takes_value = option->get_expected_max() > 0; // a flag expects none
                command_text::option_text one{
                    placed ? option->get_type_name()
                           : option->get_name(false, true) +
                                 (takes_value ? " " + option->get_type_name() : std::string()),
                    option->get_description(),
                    group == "Network",
                    {},
                    takes_value ? option->get_type_name() : std::string()};
                if (!placed)
                    for (const auto& name : option->get_lnames())
                        one.flags.push_back("--" + name);
                text.options.push_back(std::move(one));
            }
            all.push_back(std::move(text));
            walk(command, prefix + command->get_name() + " ");
        }
    };
    walk(&state_->app, "");
    return all;
}

int command_line::run(int argc, char** argv) {
    const int status = carry_out(argc, argv);
    if (const int fault = print_fault(); fault != 0) {
        complain(fmt::format("the output could not be written: {}", std::strerror(fault)));
        return not_done;
    }
    return status;
}

int command_line::carry_out(int argc, char** argv) {
    auto& s = *state_;
    try {
        s.app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const auto unknown = s.what_is_unknown();
        if (error.get_exit_code() == 0 && !unknown) { // --help, --version
            std::ostringstream text, none;
            const int status = s.app.exit(error, text, none);
            print(text.str());
            return status;
        }
        complain(unknown.value_or(base::printable(error.what())));
        say("see mailtight --help, or --help after a command");
        return wrong_usage;
    }
    if (!s.chosen) {
        print(s.app.help());
        return fine;
    }
    auto loaded = s.read_settings();
    if (!loaded) {
        complain(loaded.error());
        return wrong_usage;
    }
    s.common.set = *loaded;
    s.common.read_again = [&s] { return s.read_settings(); };
    if (auto wrong = s.take_durations()) {
        complain(*wrong);
        return wrong_usage;
    }
    return s.chosen();
}

int run(int argc, char** argv) {
    hold_standard_streams();
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
