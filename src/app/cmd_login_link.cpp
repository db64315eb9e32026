// SPDX-License-Identifier: Apache-2.0
// `login-link`: a link that opens the pages once, for who may write to the store, or change everything at the
// control socket, anyway. Where the machine has no display, the line that opens it from elsewhere.
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

std::string text_in(const boost::json::value& object, std::string_view name) {
    const auto* value = object.is_object() ? object.as_object().if_contains(name) : nullptr;
    return value && value->is_string() ? std::string(value->as_string()) : "";
}

/// Where the running daemon shows its pages; "" : it shows none.
std::expected<std::string, control_error> address_of_daemon(const settings& set) {
    io::loop loop;
    const auto told = call_daemon(loop, set, "/status", {}, "GET", std::chrono::seconds(5));
    if (!told)
        return std::unexpected(told.error());
    const auto* web = told->is_object() ? told->as_object().if_contains("web") : nullptr;
    return web ? text_in(*web, "address") : "";
}

using made_link = std::expected<std::string, std::string>;

made_link made_in_the_store(const settings& set, const wished_link& wish) {
    auto kept = open_access_to_change(set);
    if (!kept)
        return std::unexpected(kept.error());
    return make_link(**kept, wish, person(), base::system_clock().now());
}

/// Members of the daemon's group may not write to the store, and everything at the control socket.
made_link made_by_the_daemon(const settings& set, const wished_link& wish) {
    boost::json::object asked{{"role", wish.role}, {"minutes", wish.lasts.count()}};
    if (wish.owner)
        asked["owner"] = *wish.owner;
    io::loop loop;
    const auto told = call_daemon(loop, set, "/login-link", boost::json::serialize(asked), "POST");
    if (!told)
        return std::unexpected(told.error().message);
    auto secret = text_in(*told, "secret");
    return secret.empty() ? made_link(std::unexpected(std::string("the daemon gave no link"))) : secret;
}

} // namespace

int cmd_login_link(const common_options& common, const access_options& options) {
    const std::string role = options.role.empty() ? "administrator" : options.role;
    if (!api::parse_role(role)) {
        complain(fmt::format("--role {}: viewer, operator or administrator", base::printable(role, 60)));
        return wrong_usage;
    }
    if (options.minutes > static_cast<std::uint64_t>(longest_link.count())) {
        complain(fmt::format("--minutes: at most {}", longest_link.count()));
        return wrong_usage;
    }
    if (const auto wrong = fault_of_owner(options); !wrong.empty()) {
        complain(wrong);
        return wrong_usage;
    }
    const wished_link wish{.role = role,
                           .owner = options.owner,
                           .lasts = std::chrono::minutes(options.minutes > 0 ? options.minutes : 15)};
    const auto told = address_of_daemon(common.set);
    // A link in a store of this user's own would open nothing there.
    if (!told && told.error().what == control_error::kind::refused && common.set.store_where.empty()) {
        complain(told.error().message);
        return not_done;
    }
    const auto secret = told && !may_change_store(common.set) ? made_by_the_daemon(common.set, wish)
                                                              : made_in_the_store(common.set, wish);
    if (!secret) {
        complain(secret.error());
        return not_done;
    }
    const auto running = told.value_or("");
    const std::string address = running.empty() ? "http://127.0.0.1:8460" : running;
    const auto link = login_url(address, *secret);
    if (common.json) {
        print(boost::json::serialize(boost::json::object{{"link", link},
                                                         {"role", role},
                                                         {"minutes", wish.lasts.count()},
                                                         {"ssh", ssh_line(address)},
                                                         {"running", !running.empty()}}) +
              "\n");
        return fine;
    }
    say(fmt::format("this opens the pages as {}, once, for {} minutes:", role, wish.lasts.count()));
    print(link + "\n");
    if (const auto ssh = ssh_line(address); !has_display() && !ssh.empty())
        say(fmt::format("from another machine, first: {}", ssh));
    if (running.empty())
        say("no daemon shows pages just now: mailtight serve does, and this is its usual address");
    return fine;
}

} // namespace mailtight::app
