// SPDX-License-Identifier: Apache-2.0
// What the first start says of how to come in to the pages, and each start at a terminal.
#include "app/access_desk.h"
#include "app/domain_access.h"
#include "app/pages_part.h"
#include "app/policy_time.h"

#include <fmt/format.h>

#include <cstdio>

#include <unistd.h>

namespace mailtight::app {

namespace {

using welcome_result = std::expected<std::optional<first_access>, std::string>;

/// The first start's, or at a terminal a link for who has one already.
welcome_result let_in(const settings& set, bool terminal) {
    const auto now = policy_time().now();
    auto first = first_start(set, terminal, now);
    if (!first || *first || !terminal)
        return first;
    auto kept = open_access_to_change(set);
    if (!kept)
        return std::unexpected(kept.error());
    auto link = make_link(**kept, {.name = person(), .role = "administrator", .tenant = {}}, link_lasts, now);
    if (!link)
        return std::unexpected(link.error());
    return first_access{.token = {}, .link = std::move(*link)};
}

void greet(const std::string& address, const first_access& access) {
    std::string out =
        fmt::format("\n  The pages:  {}\n  Log in:     {}\n              (once, within {} minutes)\n",
                    address, link_at(address, access.link), link_lasts.count());
    if (const auto ssh = ssh_line(address); !has_display() && !ssh.empty())
        out += fmt::format("  From your desk, first:  {}\n", ssh);
    if (!access.token.empty())
        out += fmt::format("  For programs, an administrator's token, shown this once:\n              {}\n",
                           access.token);
    fmt::print(stderr, "{}\n", out);
}

} // namespace

io::task<> welcome(daemon_core& core, std::string address) {
    const bool terminal = ::isatty(STDERR_FILENO) == 1;
    auto access = co_await core.asker->run<welcome_result>(
        [set = core.set, terminal] { return let_in(set, terminal); });
    if (!access)
        core.log->write(base::event::access_trouble, {{"error", access.error()}});
    else if (*access && terminal)
        greet(address, **access);
    else if (*access) // a link that works once and for a short while; the token would last
        core.log->write(base::event::web_first_start,
                        {{"address", address}, {"link", link_at(address, (*access)->link)}});
}

} // namespace mailtight::app
