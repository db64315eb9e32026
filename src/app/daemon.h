// SPDX-License-Identifier: Apache-2.0
// The daemon behind `serve`: opens the store, binds every part that the configuration switches on, drops
// privileges, takes reports in until it is told to stop, and finishes what it acknowledged. One loop; the
// store is written on the keeper's thread and asked on another.
#pragma once

#include "app/options.h"

#include <expected>
#include <memory>
#include <string>

namespace mailtight::app {

struct daemon_core;

class daemon {
public:
    /// Opens and binds everything, as the user that it will be. The error is for a person.
    static std::expected<std::unique_ptr<daemon>, std::string> make(const common_options& common);
    ~daemon();
    /// Until SIGTERM or SIGINT; gives the exit status.
    int run();

private:
    daemon();
    std::unique_ptr<daemon_core> core_;
};

} // namespace mailtight::app
