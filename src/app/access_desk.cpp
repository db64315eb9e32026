// SPDX-License-Identifier: Apache-2.0
#include "app/access_desk.h"

#include "api/credentials.h"
#include "app/daemon_core.h"
#include "app/domain_access.h"
#include "app/policy_time.h"
#include "app/store_access.h"
#include "base/text.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <unistd.h>

namespace mailtight::app {

namespace {

constexpr std::uint64_t hours_most = 24 * 90, days_most = 36'500;

api::parts_on parts_of(const daemon_core& core) {
    return {.domains = core.api->domains != nullptr,
            .publish = core.hosting != nullptr || core.carrying != nullptr,
            .reports = core.api->received != nullptr,
            .sending = core.api->policies != nullptr,
            .collect = core.api->results.on(),
            .deliver = core.api->reports != nullptr && core.api->reports->sends()};
}

void tell_log(base::log& to, const store::audit_entry& entry, bool refused) {
    const auto which = refused                 ? base::event::access_refused
                       : entry.what == "login" ? base::event::access_login
                                               : base::event::access_changed;
    to.write(which, {{"who", entry.who},
                     {"from", entry.from},
                     {"what", entry.what},
                     {"subject", entry.subject},
                     {"status", std::to_string(entry.status)}});
}

} // namespace

std::expected<api::doorkeeper_options, std::string> access_options_of(const settings& from) {
    api::doorkeeper_options made;
    for (const auto& host : from.web_hosts)
        made.hosts.push_back(base::lower(host));
    auto proxies = networks("web.trusted-proxies", from.web_proxies);
    if (!proxies)
        return std::unexpected(proxies.error());
    made.trusted_proxies = std::move(*proxies);
    made.proxy_user_header = base::lower(from.web_proxy_user_header);
    if (!made.proxy_user_header.empty() && made.trusted_proxies.empty())
        return std::unexpected("web.proxy-user-header: web.trusted-proxies has to say whose word it is");
    made.proxy_role = api::parse_role(from.web_proxy_role);
    if (from.web_session_hours == 0 || from.web_session_hours > hours_most)
        return std::unexpected(fmt::format("web.session-hours: 1 to {}", hours_most));
    made.session = std::chrono::hours(from.web_session_hours);
    if (from.web_audit_days == 0 || from.web_audit_days > days_most)
        return std::unexpected(fmt::format("web.audit-days: 1 to {}", days_most));
    made.keep_audit = std::chrono::hours(24 * from.web_audit_days);
    return made;
}

std::expected<std::unique_ptr<api::doorkeeper>, std::string> make_access(daemon_core& core) {
    auto options = access_options_of(core.set);
    if (!options)
        return std::unexpected(options.error());
    options->days = [] { return policy_time().now(); };
    options->parts = [&core] { return parts_of(core); };
    options->told = [&core](const store::audit_entry& entry, bool refused) {
        tell_log(*core.log, entry, refused);
    };
    options->complain = [&core](std::string_view what) {
        core.log->write(base::event::access_trouble, {{"error", std::string(what)}});
    };
    return std::make_unique<api::doorkeeper>(
        core.loop(), core.with->clock,
        [where = store_place(core.set)] { return store::open_access({.where = where}); },
        std::move(*options));
}

std::expected<std::unique_ptr<store::access_store>, std::string> open_access_to_ask(const settings& from) {
    const std::string place = store_place(from);
    if (!store::is_postgres(place)) {
        std::error_code error;
        if (!std::filesystem::exists(place, error) && !error)
            return std::unexpected(
                fmt::format("there is no store at {} yet: mailtight serve makes it", base::printable(place)));
        if (::access(place.c_str(), R_OK) != 0)
            return std::unexpected(
                fmt::format("{}: {}; ask as root, as the daemon's user or as a member of its group",
                            base::printable(place), std::strerror(errno)));
    }
    auto opened = store::open_access({.where = place, .read_only = true, .create = false});
    if (!opened && opened.error().what == store::store_error::kind::wrong)
        return std::unexpected("nobody was let in yet: mailtight access token add, access user add, or "
                               "mailtight login-link");
    if (!opened)
        return std::unexpected(words(opened.error()));
    return std::move(*opened);
}

std::expected<std::unique_ptr<store::access_store>, std::string> open_access_to_change(const settings& from) {
    const std::string place = store_place(from);
    if (auto made = prepare_place(place); !made)
        return std::unexpected(made.error());
    auto opened = store::open_access({.where = place});
    if (!opened)
        return std::unexpected(words(opened.error()));
    leave_to_owner(place);
    return std::move(*opened);
}

std::expected<std::optional<std::string>, std::string> make_token(store::access_store& in, store::granted to,
                                                                  std::optional<base::utc_seconds> expires_at,
                                                                  base::utc_seconds now) {
    const auto secret = std::string(api::token_prefix) + base::random_secret();
    auto added = in.add_token({.to = std::move(to),
                               .digest = base::digest_of_secret(secret),
                               .made_at = now,
                               .used_at = {},
                               .expires_at = expires_at});
    if (!added)
        return std::unexpected(words(added.error()));
    return *added ? std::optional(secret) : std::nullopt;
}

std::expected<std::string, std::string> make_link(store::access_store& in, store::granted to,
                                                  std::chrono::seconds lasts, base::utc_seconds now) {
    auto secret = base::random_secret();
    auto added = in.add_link(base::digest_of_secret(secret), to, now + lasts);
    if (!added)
        return std::unexpected(words(added.error()));
    return secret;
}

std::expected<std::optional<first_access>, std::string> first_start(const settings& from, bool watched,
                                                                    base::utc_seconds now) {
    auto opened = open_access_to_change(from);
    if (!opened)
        return std::unexpected(opened.error());
    auto& in = **opened;
    const auto tokens = in.tokens();
    if (!tokens)
        return std::unexpected(words(tokens.error()));
    const auto people = in.users();
    if (!people)
        return std::unexpected(words(people.error()));
    if (!tokens->empty() || !people->empty())
        return std::nullopt;
    first_access made;
    const auto administrator = [](std::string name) {
        return store::granted{.name = std::move(name), .role = "administrator", .tenant = {}};
    };
    if (watched) {
        auto token = make_token(in, administrator("first"), {}, now);
        if (!token)
            return std::unexpected(token.error());
        made.token = token->value_or(""); // another machine was faster
    }
    auto link = make_link(in, administrator(person()), link_lasts, now);
    if (!link)
        return std::unexpected(link.error());
    made.link = std::move(*link);
    return made;
}

std::string link_at(std::string_view address, std::string_view secret) {
    return fmt::format("{}/login#{}", address, secret);
}

bool has_display() {
    const auto is_set = [](const char* name) {
        const char* value = std::getenv(name);
        return value && *value;
    };
    return !is_set("SSH_CONNECTION") && (is_set("DISPLAY") || is_set("WAYLAND_DISPLAY"));
}

std::string ssh_line(std::string_view address) {
    const auto scheme = address.find("://");
    if (scheme == std::string_view::npos)
        return "";
    auto place = address.substr(scheme + 3);
    place = place.substr(0, place.find('/'));
    const bool loopback =
        place.starts_with("127.") || place.starts_with("[::1]") || place.starts_with("localhost");
    const auto colon = place.rfind(':');
    if (!loopback || colon == std::string_view::npos || place.ends_with(']'))
        return "";
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0)
        return "";
    return fmt::format("ssh -L {}:{} {}", place.substr(colon + 1), place, base::printable(name.data()));
}

} // namespace mailtight::app
