// SPDX-License-Identifier: Apache-2.0
// `login-link`: a link that opens the pages once, for who may write to the store anyway. Where the machine
// has no display, the line that opens it from elsewhere.
#include "api/access.h"
#include "app/access_commands.h"
#include "app/access_keeping.h"
#include "app/control_client.h"
#include "app/domain_access.h"
#include "app/first_access.h"
#include "app/terminal.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::app {

namespace {

constexpr std::uint64_t minutes_most = 24 * 60;

/// Where the running daemon shows its pages; "" : none runs, or it shows none.
std::string address_of_daemon(const settings& set) {
    io::loop loop;
    const auto told = call_daemon(loop, set, "/status", {}, "GET", std::chrono::seconds(5));
    if (!told || !told->is_object())
        return "";
    const auto* web = told->as_object().if_contains("web");
    const auto* address = web && web->is_object() ? web->as_object().if_contains("address") : nullptr;
    return address && address->is_string() ? std::string(address->as_string()) : "";
}

} // namespace

int cmd_login_link(const common_options& common, const access_options& options) {
    const std::string role = options.role.empty() ? "administrator" : options.role;
    if (!api::parse_role(role)) {
        complain(fmt::format("--role {}: viewer, operator or administrator", base::printable(role, 60)));
        return wrong_usage;
    }
    if (options.minutes > minutes_most) {
        complain(fmt::format("--minutes: at most {}", minutes_most));
        return wrong_usage;
    }
    if (const auto wrong = fault_of_owner(options); !wrong.empty()) {
        complain(wrong);
        return wrong_usage;
    }
    const auto lasts = std::chrono::minutes(options.minutes > 0 ? options.minutes : 15);
    auto kept = open_access_to_change(common.set);
    if (!kept) {
        complain(kept.error());
        return not_done;
    }
    store::granted to{.name = person(), .role = role, .tenant = {}};
    to.tenant = options.owner;
    auto secret = make_link(**kept, std::move(to), lasts, base::system_clock().now());
    if (!secret) {
        complain(secret.error());
        return not_done;
    }
    write_down(**kept, "login-link", options.owner ? fmt::format("{} of {}", role, *options.owner) : role,
               base::system_clock().now());
    const auto running = address_of_daemon(common.set);
    const std::string address = running.empty() ? "http://127.0.0.1:8460" : running;
    const auto link = login_url(address, *secret);
    if (common.json) {
        print(boost::json::serialize(boost::json::object{{"link", link},
                                                         {"role", role},
                                                         {"minutes", lasts.count()},
                                                         {"ssh", ssh_line(address)},
                                                         {"running", !running.empty()}}) +
              "\n");
        return fine;
    }
    say(fmt::format("this opens the pages as {}, once, for {} minutes:", role, lasts.count()));
    print(link + "\n");
    if (const auto ssh = ssh_line(address); !has_display() && !ssh.empty())
        say(fmt::format("from another machine, first: {}", ssh));
    if (running.empty())
        say("no daemon shows pages just now: mailtight serve does, and this is its usual address");
    return fine;
}

} // namespace mailtight::app
