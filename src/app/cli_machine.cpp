// SPDX-License-Identifier: Apache-2.0
// The commands of "This machine".
#include "app/cli_tree.h"

namespace mailtight::app {

void add_machine_commands(command_tree& s) {
    constexpr const char* group = "This machine";
    auto& app = s.app;
    auto* serve =
        app.add_subcommand("serve",
                           "Run the daemon: it publishes, receives reports, watches, and serves the pages")
            ->group(group);
    serve->footer("Example:\n  mailtight serve --config /etc/mailtight/mailtight.toml");
    s.finish(serve, [&s] { return cmd_serve(s.common); }, true);
    auto* status = app.add_subcommand("status", "The state of the running daemon: parts, queues, last errors")
                       ->group(group);
    status->footer("Example:\n  mailtight status");
    s.finish(status, [&s] { return cmd_status(s.common); }, false);
    auto* doctor =
        app.add_subcommand("doctor",
                           "Check this host: resolver, port 25, addresses, trusted roots, mail server")
            ->group(group);
    doctor->footer("Example:\n  mailtight doctor");
    s.finish(doctor, [&s] { return cmd_doctor(s.common); }, true);
}

} // namespace mailtight::app
