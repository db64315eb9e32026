// SPDX-License-Identifier: Apache-2.0
// What bash, zsh and fish need to complete command lines of ours: written from the command tree, so that it
// cannot drift. A "place" is the command that the words so far lead to ("report list"), empty before any.
#include "app/cli.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace mailtight::app {

namespace {

using option_text = command_text::option_text;

/// The words that may come before any command; cli.cpp adds these options.
const std::array top_options = {option_text{"--config FILE", "Configuration", false, {"--config"}, "FILE"},
                                option_text{"--json", "JSON on stdout", false, {"--json"}, ""},
                                option_text{"--version", "Print the version", false, {"--version"}, ""}};
const option_text help{"--help", "Print help, with an example for each command", false, {"--help"}, ""};

bool is_file(const option_text& option) {
    constexpr std::array kinds = {"FILE", "DIR", "PATH", "PEM"};
    return std::any_of(kinds.begin(), kinds.end(),
                       [&](std::string_view kind) { return option.type.starts_with(kind); });
}

/// One place: the commands that may follow, the options, and whether files may.
struct place {
    std::string name;
    std::vector<const command_text*> next;
    std::vector<option_text> options;
    bool files = false;
};

std::vector<place> places(const std::vector<command_text>& tree) {
    const auto below = [&](const std::string& name) {
        std::vector<const command_text*> found;
        const std::string prefix = name.empty() ? name : name + ' ';
        for (const auto& each : tree)
            if (each.name.starts_with(prefix) && each.name.find(' ', prefix.size()) == std::string::npos &&
                each.name.size() > prefix.size())
                found.push_back(&each);
        return found;
    };
    std::vector<place> all;
    all.push_back({"", below(""), {top_options.begin(), top_options.end()}});
    all.back().options.push_back(help);
    for (const auto& each : tree) {
        place here{each.name, below(each.name), {}};
        for (const auto& option : each.options) {
            if (option.flags.empty())
                here.files = here.files || is_file(option);
            else
                here.options.push_back(option);
        }
        here.options.push_back(help);
        all.push_back(std::move(here));
    }
    return all;
}

std::string last_word(const std::string& name) {
    return name.substr(name.rfind(' ') + 1); // npos + 1 is 0
}

/// In single quotes as a POSIX shell reads them.
std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text)
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

/// As fish reads them.
std::string fish_quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\')
            out += '\\';
        out += c;
    }
    return out + "'";
}

/// A text inside a specification of zsh's _arguments and _describe.
std::string zsh_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '[' || c == ']' || c == ':' || c == '\\')
            out += '\\';
        out += c;
    }
    return out;
}

std::string all_names(const std::vector<place>& of, std::string_view between) {
    std::vector<std::string> names;
    for (const auto& each : of)
        if (!each.name.empty())
            names.push_back(quoted(each.name));
    return fmt::format("{}", fmt::join(names, between));
}

std::string for_bash(const std::vector<place>& all) {
    std::string out =
        "# bash completion for mailtight(1); generated from its commands by mailtight doc completion-bash.\n"
        "_mailtight() {\n"
        "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
        "    local place= next words= takes_file= takes_value= files= i\n"
        "    COMPREPLY=()\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        next=\"${place:+$place }${COMP_WORDS[i]}\"\n"
        "        case $next in\n        " +
        all_names(all, " | ") + ") place=$next ;;\n        esac\n    done\n    case $place in\n";
    for (const auto& each : all) {
        std::string words, takes_file, takes_value;
        for (const auto* next : each.next)
            words += last_word(next->name) + ' ';
        for (const auto& option : each.options)
            for (const auto& flag : option.flags) {
                words += flag + ' ';
                if (is_file(option))
                    takes_file += flag + ' ';
                else if (!option.type.empty())
                    takes_value += flag + ' ';
            }
        out += fmt::format("    {})\n        words='{}' takes_file=' {}' takes_value=' {}' files={} ;;\n",
                           quoted(each.name), words, takes_file, takes_value, each.files ? "yes" : "");
    }
    out += "    esac\n"
           "    if [[ $takes_file == *\" $prev \"* ]]; then\n"
           "        compopt -o filenames 2>/dev/null\n"
           "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
           "        return\n"
           "    fi\n"
           "    if [[ $takes_value == *\" $prev \"* ]]; then return; fi\n"
           "    if [[ $files && $cur != -* ]]; then\n"
           "        compopt -o filenames 2>/dev/null\n"
           "        mapfile -t COMPREPLY < <(compgen -f -W \"$words\" -- \"$cur\")\n"
           "        return\n"
           "    fi\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
           "}\n"
           "complete -F _mailtight mailtight\n";
    return out;
}

std::string for_zsh(const std::vector<place>& all) {
    std::string out =
        "#compdef mailtight\n"
        "# zsh completion for mailtight(1); generated from its commands by mailtight doc completion-zsh.\n"
        "_mailtight_rest() {\n"
        "    (( ${#commands_here} )) && _describe -t commands command commands_here\n"
        "    [[ -n $files_here ]] && _files\n"
        "}\n"
        "_mailtight() {\n"
        "    local place next files_here\n"
        "    local -i i\n"
        "    local -a commands_here options_here\n"
        "    for (( i = 2; i < CURRENT; i++ )); do\n"
        "        next=\"${place:+$place }${words[i]}\"\n"
        "        case $next in\n        (" +
        all_names(all, " | ") + ") place=$next ;;\n        esac\n    done\n    case $place in\n";
    for (const auto& each : all) {
        out += fmt::format("    ({})\n", quoted(each.name));
        if (!each.next.empty()) {
            out += "        commands_here=(\n";
            for (const auto* next : each.next)
                out += fmt::format("            {}\n",
                                   quoted(last_word(next->name) + ":" + zsh_text(next->description)));
            out += "        )\n";
        }
        if (each.files)
            out += "        files_here=yes\n";
        out += "        options_here=(\n";
        for (const auto& option : each.options)
            for (const auto& flag : option.flags) {
                std::string spec = fmt::format("*{}[{}]", flag, zsh_text(option.description));
                if (!option.type.empty())
                    spec += fmt::format(":{}:{}", zsh_text(option.type), is_file(option) ? "_files" : "( )");
                out += fmt::format("            {}\n", quoted(spec));
            }
        out += "        )\n        ;;\n";
    }
    out += "    esac\n"
           "    _arguments $options_here '*: :_mailtight_rest'\n"
           "}\n"
           "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _mailtight \"$@\"; else compdef _mailtight "
           "mailtight; fi\n";
    return out;
}

std::string for_fish(const std::vector<place>& all) {
    std::string out =
        "# fish completion for mailtight(1); generated from its commands by mailtight doc completion-fish.\n"
        "function __mailtight_at\n"
        "    set -l place ''\n"
        "    for word in (commandline -opc)[2..-1]\n"
        "        set -l next (string trim -- \"$place $word\")\n"
        "        if contains -- $next " +
        all_names(all, " ") +
        "\n            set place $next\n        end\n    end\n    test \"$place\" = \"$argv[1]\"\nend\n"
        "complete -c mailtight -f\n";
    for (const auto& each : all) {
        const auto head =
            fmt::format("complete -c mailtight -n {}", fish_quoted("__mailtight_at " + quoted(each.name)));
        for (const auto* next : each.next)
            out +=
                fmt::format("{} -a {} -d {}\n", head, last_word(next->name), fish_quoted(next->description));
        if (each.files)
            out += head + " -F\n";
        for (const auto& option : each.options)
            for (const auto& flag : option.flags)
                out += fmt::format("{} -l {}{} -d {}\n", head, flag.substr(2),
                                   option.type.empty() ? ""
                                   : is_file(option)   ? " -r -F"
                                                       : " -x",
                                   fish_quoted(option.description));
    }
    return out;
}

} // namespace

std::string command_line::completion(std::string_view shell) const {
    const auto commands = tree();
    const auto all = places(commands);
    if (shell == "bash")
        return for_bash(all);
    if (shell == "zsh")
        return for_zsh(all);
    if (shell == "fish")
        return for_fish(all);
    return {};
}

} // namespace mailtight::app
