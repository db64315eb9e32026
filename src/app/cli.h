// SPDX-License-Identifier: Apache-2.0
// The tree of commands and options; the only place that knows the command line library. The manual comes from
// it.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace mailtight::app {

/// A command as the manual shows it.
struct command_text {
    struct option_text {
        std::string name, description;
        bool network = false; ///< shared by every command that goes out
    };
    std::string name, description, example;
    std::vector<option_text> options;
};

class command_line {
public:
    command_line();
    ~command_line();
    int run(int argc, char** argv);
    std::vector<command_text> commands() const;
    /// The man page (roff), made from commands() and the configuration keys.
    std::string manual() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace mailtight::app
