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

/// A fresh token for this, with its secret; nothing where the name is taken.
std::expected<std::optional<std::string>, std::string> make_token(store::access_store& in, store::granted to,
                                                                  std::optional<base::utc_seconds> expires_at,
                                                                  base::utc_seconds now);
/// The secret of a fresh link.
std::expected<std::string, std::string> make_link(store::access_store& in, store::granted to,
                                                  std::chrono::seconds lasts, base::utc_seconds now);

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
