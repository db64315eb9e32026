// SPDX-License-Identifier: Apache-2.0
// The tree of commands and options; the only place that knows the command line library. The manual comes from
// it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::app {

/// A command as the manual shows it.
struct command_text {
    struct option_text {
        std::string name, description;
        bool network = false;           ///< shared by every command that goes out
        std::vector<std::string> flags; ///< "--json"; empty where it is known by its place
        std::string type;               ///< what its value is, "FILE"; empty where it takes none
    };
    std::string name, description, example;
    bool works = true; ///< false: only the commands below it do something
    std::vector<option_text> options;
};

class command_line {
public:
    command_line();
    ~command_line();
    int run(int argc, char** argv); ///< also says so, with 3, where what was printed did not arrive
    /// Those that do something.
    std::vector<command_text> commands() const;
    /// With the groups that stand before others, in the order of --help.
    std::vector<command_text> tree() const;
    /// The man page (roff), made from commands().
    std::string manual() const;
    /// tree() for the generators of docs/ and the check of the commands that docs/ show.
    std::string commands_json() const;
    /// mailtight.toml(5), from the configuration keys.
    std::string configuration_manual() const;
    /// What a shell ("bash", "zsh", "fish") needs to complete command lines, made from tree(); empty for
    /// others.
    std::string completion(std::string_view shell) const;

private:
    int carry_out(int argc, char** argv);

    struct state;
    std::unique_ptr<state> state_;
};

} // namespace mailtight::app
