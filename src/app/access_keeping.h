// SPDX-License-Identifier: Apache-2.0
// Who may ask the pages and the API, as commands keep it: in the store beside a running daemon, which hears
// of it within two seconds. Blocks on the store; errors are for a person.
#pragma once

#include "app/settings.h"
#include "base/time.h"
#include "store/access.h"

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::app {

std::expected<std::unique_ptr<store::access_store>, std::string> open_access_to_ask(const settings& from);
std::expected<std::unique_ptr<store::access_store>, std::string> open_access_to_change(const settings& from);
/// False where this user may read the store, but not write to it: a member of the daemon's group.
bool may_change_store(const settings& from);

/// A fresh token for this, with its secret; nothing where the name is taken.
std::expected<std::optional<std::string>, std::string> make_token(store::access_store& in, store::granted to,
                                                                  std::optional<base::utc_seconds> expires_at,
                                                                  base::utc_seconds now);
/// A link that `login-link` is to make, here or in the daemon.
struct wished_link {
    std::string role;
    std::optional<std::string> owner; ///< the tenant; nothing: all domains
    std::chrono::minutes lasts{15};
};
inline constexpr auto longest_link = std::chrono::minutes(24 * 60);
/// The secret of a fresh link for `who` asked for it, which stands in the audit log.
std::expected<std::string, std::string> make_link(store::access_store& in, const wished_link& wish,
                                                  const std::string& who, base::utc_seconds now);

/// Into the audit log: a command of whoever types it, such as "access token add". That it cannot be written
/// is told, and undoes nothing.
void write_down(store::access_store& in, std::string_view what, std::string_view subject,
                base::utc_seconds now);

/// Whether a browser can be expected beside this terminal: not over ssh, and a display is there.
bool has_display();
/// The line that opens the pages of this machine in a browser elsewhere: `ssh -L 8460:127.0.0.1:8460 NAME`;
/// "" where the address is not on loopback.
std::string ssh_line(std::string_view address);

} // namespace mailtight::app
