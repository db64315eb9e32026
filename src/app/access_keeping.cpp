// SPDX-License-Identifier: Apache-2.0
#include "app/access_keeping.h"

#include "api/credentials.h"
#include "app/domain_access.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "base/crypto/password.h"
#include "base/text.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <unistd.h>

namespace mailtight::app {

namespace {

/// A line of the audit log.
void enter(store::access_store& in, const std::string& who, std::string_view what, std::string_view subject,
           base::utc_seconds now) {
    const auto done = in.log_audit({.number = 0,
                                    .at = now,
                                    .who = who,
                                    .from = "command",
                                    .what = std::string(what),
                                    .subject = base::printable(subject, 300),
                                    .status = 200});
    if (!done)
        complain("it is done, but the audit log could not be written: " + words(done.error()));
}

} // namespace

std::expected<std::unique_ptr<store::access_store>, std::string> open_access_to_ask(const settings& from) {
    auto place = place_to_ask(from);
    if (!place)
        return std::unexpected(std::move(place.error()));
    auto opened = store::open_access({.where = *place, .read_only = true, .create = false});
    if (!opened && opened.error().what == store::store_error::kind::nothing)
        return std::unexpected("nobody was let in yet: mailtight access token add, access user add, or "
                               "mailtight login-link");
    if (!opened)
        return std::unexpected(words(opened.error()));
    return std::move(*opened);
}

std::expected<std::unique_ptr<store::access_store>, std::string> open_access_to_change(const settings& from) {
    const std::string place = store_place(from);
    if (!may_change_store(from))
        return std::unexpected(fmt::format("{}: {}; run this as root or as the daemon's user",
                                           base::printable(place), std::strerror(errno)));
    if (auto made = prepare_place(place); !made)
        return std::unexpected(made.error());
    auto opened = store::open_access({.where = place});
    if (!opened)
        return std::unexpected(words(opened.error()));
    leave_to_owner(place);
    return std::move(*opened);
}

bool may_change_store(const settings& from) {
    const std::string place = store_place(from);
    std::error_code error;
    return store::is_postgres(place) || !std::filesystem::exists(place, error) ||
           ::access(place.c_str(), W_OK) == 0;
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

std::expected<std::string, std::string> make_link(store::access_store& in, const wished_link& wish,
                                                  const std::string& who, base::utc_seconds now) {
    auto secret = base::random_secret();
    store::granted to{.name = who, .role = wish.role, .tenant = {}};
    to.tenant = wish.owner;
    if (auto added = in.add_link(base::digest_of_secret(secret), to, now + wish.lasts); !added)
        return std::unexpected(words(added.error()));
    enter(in, who, "login-link", wish.owner ? fmt::format("{} of {}", wish.role, *wish.owner) : wish.role,
          now);
    return secret;
}

void write_down(store::access_store& in, std::string_view what, std::string_view subject,
                base::utc_seconds now) {
    enter(in, person(), what, subject, now);
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
