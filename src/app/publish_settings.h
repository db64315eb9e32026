// SPDX-License-Identifier: Apache-2.0
// What the sections [publish], [certificates], [dns-update] and [watch] mean, read and checked once for the
// daemon and the commands. Errors name the key and what it takes.
#pragma once

#include "app/settings.h"
#include "base/crypto/sealed.h"
#include "model/looked_after.h"
#include "publish/dns_push.h"
#include "publish/issuer.h"

#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::app {

struct publish_settings {
    std::string policy_host; ///< name or address; "" : not configured
    std::vector<base::ip_address> addresses;
    std::vector<std::string> rua;
    model::leave leave = model::leave::records;
    std::vector<publish::update_server> servers;
    std::optional<publish::dns_pusher::hook> hook;
    publish::issuer_options issuing;
    std::vector<std::string> sub_domains;
    std::vector<std::string> transfer_from; ///< names of servers

    /// Of that name, or the first for "" ; null where there is none.
    const publish::update_server* server(std::string_view name) const;
};
std::expected<publish_settings, std::string> publish_settings_of(const settings& from);

/// publish.key-file; else sealing.key beside the SQLite file, or in /var/lib/mailtight.
std::string sealing_key_place(const settings& from);
/// Reads the key; where there is none, makes one if `make`, and says so in `made`.
std::expected<base::sealing_key, std::string> sealing_key_of(const settings& from, bool make,
                                                             bool* made = nullptr);

} // namespace mailtight::app
