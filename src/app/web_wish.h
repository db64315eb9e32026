// SPDX-License-Identifier: Apache-2.0
// What [web] asks for, read and judged before anything is bound; and which requests the pages' listener
// answers at all. The errors are for a person.
#pragma once

#include "app/settings.h"
#include "base/ip.h"
#include "io/http_server.h"
#include "io/server.h"

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace mailtight::app {

inline constexpr std::uint16_t web_port = 8460;

struct web_wish {
    std::vector<io::listen_address> at, plain_at;
    std::vector<base::ip_network> proxies;
    std::vector<std::string> hosts;
    std::vector<std::string> acme; ///< names for which certificates are asked
    bool tls = false;
    bool by_default = false; ///< nobody asked for the address
};

/// A setting that would quietly do nothing, or let nobody in, is an error.
std::expected<web_wish, std::string> web_wish_of(const settings& set);

/// The site behind the refusal of requests that were not meant for us, before anything of them is looked at.
/// `is` may change while the site answers.
io::http_site under(const web_wish& is, io::http_site site);

} // namespace mailtight::app
