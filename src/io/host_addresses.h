// SPDX-License-Identifier: Apache-2.0
// The addresses of a host in the order in which a client tries them. For io/ alone.
#pragma once

#include "io/families.h"
#include "io/resolver.h"

#include <string>
#include <vector>

namespace mailtight::io {

struct host_addresses {
    std::vector<base::ip_address> addresses; ///< at most limits::addresses_per_host
    std::string error;                       ///< for people, where there are none
    bool temporary = false;                  ///< DNS gave no answer: it may later
};
/// `host` is a name or an address as text. "localhost" is never asked for (RFC 6761 §6.3).
task<host_addresses> addresses_of(resolver& dns, std::string host, families which = families::any);

} // namespace mailtight::io
