// SPDX-License-Identifier: Apache-2.0
#include "app/web_welcome.h"

#include "app/daemon_core.h"
#include "app/domain_access.h"
#include "app/first_access.h"
#include "app/store_access.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include <unistd.h>

namespace mailtight::app {

namespace {

bool has_display() {
    return std::getenv("DISPLAY") || std::getenv("WAYLAND_DISPLAY");
}

/// The port behind the last colon of an address with one; the usual one otherwise.
std::string_view port_of(std::string_view address) {
    const auto colon = address.rfind(':');
    return address.find_first_not_of("0123456789", colon + 1) == address.npos ? address.substr(colon + 1)
                                                                              : "8460";
}

/// For a person at a terminal.
void greet(const std::string& address, const first_access& access) {
    std::string out = fmt::format("\n  The pages:      {}\n  Log in (once, within the hour):\n"
                                  "                  {}\n",
                                  address, login_url(address, access.link));
    if (!has_display()) {
        std::array<char, 256> host{};
        ::gethostname(host.data(), host.size() - 1);
        const auto port = port_of(address);
        out += fmt::format("  From your desk: ssh -L {}:127.0.0.1:{} {}@{}    then open the link there\n",
                           port, port, person(), host.data());
    }
    if (!access.token_file.empty())
        out += fmt::format("  For programs:   the administrator's token is in {}\n", access.token_file);
    fmt::print(stderr, "{}\n", out);
}

} // namespace

io::task<> welcome(daemon_core& core, std::string address) {
    const bool terminal = ::isatty(STDERR_FILENO) == 1;
    auto access = co_await core.asker->run<store::result<first_access>>(
        [set = core.set, terminal, now = core.now()] { return begin_access(set, now, terminal); });
    if (!access) {
        core.log->write(base::event::store_unavailable, {{"error", words(access.error())}});
        co_return;
    }
    if (terminal)
        greet(address, *access);
    else if (access->made)
        core.log->write(base::event::web_first_start, {{"address", address},
                                                       {"link", login_url(address, access->link)},
                                                       {"token-file", access->token_file}});
}

} // namespace mailtight::app
