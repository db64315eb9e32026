// SPDX-License-Identifier: Apache-2.0
// Who may ask the pages and the API, with the daemon's objects: the gate for its listener, what is made at
// the first start, and how a command comes to the same store. Lives on the loop; errors are for a person.
#pragma once

#include "api/doorkeeper.h"
#include "app/settings.h"

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::app {

struct daemon_core;

/// The gate and the desk behind it, over the store of the settings; opened when the first one asks. Its
/// keep() is a task of the loop from the start of the part to its end.
std::expected<std::unique_ptr<api::doorkeeper>, std::string> make_access(daemon_core& core);
std::expected<api::doorkeeper_options, std::string> access_options_of(const settings& from);

/// What lets the first person in. Shown once, to who started the daemon, and nowhere else: not in a log.
struct first_access {
    std::string token; ///< of an administrator; "" : not made, since nobody would see it
    std::string link;  ///< the secret of a link that logs in once, for 15 minutes
};
inline constexpr std::chrono::minutes link_lasts{15};
/// Makes it where neither token nor person is there yet; nothing where somebody can get in already.
/// `watched`: somebody reads what is printed. Without, a link alone is made.
std::expected<std::optional<first_access>, std::string> first_start(const settings& from, bool watched,
                                                                    base::utc_seconds now);

/// For commands, beside a running daemon.
std::expected<std::unique_ptr<store::access_store>, std::string> open_access_to_ask(const settings& from);
std::expected<std::unique_ptr<store::access_store>, std::string> open_access_to_change(const settings& from);

/// A fresh token for this, with its secret; nothing where the name is taken.
std::expected<std::optional<std::string>, std::string> make_token(store::access_store& in, store::granted to,
                                                                  std::optional<base::utc_seconds> expires_at,
                                                                  base::utc_seconds now);
/// The secret of a fresh link.
std::expected<std::string, std::string> make_link(store::access_store& in, store::granted to,
                                                  std::chrono::seconds lasts, base::utc_seconds now);

/// Where a link leads: `http://127.0.0.1:8460/login#SECRET`. What stands behind `#` is sent to no server and
/// stands in no log.
std::string link_at(std::string_view address, std::string_view secret);
/// Whether a browser can be expected beside this terminal: not over ssh, and a display is there.
bool has_display();
/// The line that opens the pages of this machine in a browser elsewhere: `ssh -L 8460:127.0.0.1:8460 NAME`;
/// "" where the address is not on loopback.
std::string ssh_line(std::string_view address);

} // namespace mailtight::app
