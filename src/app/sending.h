// SPDX-License-Identifier: Apache-2.0
// The sender's side, made from the settings: what the daemon (part_resolve.cpp) and the commands that do
// without one (local_sending.cpp) share.
#pragma once

#include "app/settings.h"
#include "app/world.h"
#include "resolve/front.h"
#include "resolve/keeper.h"
#include "resolve/service.h"

#include <expected>
#include <string>
#include <vector>

namespace mailtight::app {

/// resolve.prefetch and the lines of resolve.prefetch-file. The error is for a person.
std::expected<std::vector<std::string>, std::string> prefetch_list(const settings& from);
std::expected<resolve::service_options, std::string> service_options_of(const settings& from);
/// What map names mean, and whether the mail server does DANE itself. `main_cf`: the text of this host's
/// main.cf, "" : there is none.
std::expected<resolve::front_options, std::string> front_options_of(const settings& from,
                                                                    std::string_view main_cf);
/// The text of /etc/postfix/main.cf, "" where it cannot be read.
std::string main_cf_here();
/// resolve.machine-name, or the host's name: this machine among those that share a database.
std::string machine_name_of(const settings& from);
resolve::keeper_options keeper_options_of(const settings& from);
resolve::fetch_fn fetcher_of(world& with, const settings& from);
resolve::probe_fn prober_of(world& with, const settings& from);

} // namespace mailtight::app
