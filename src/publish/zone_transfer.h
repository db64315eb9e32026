// SPDX-License-Identifier: Apache-2.0
// The names of a zone that take mail, by zone transfer from a server that the operator named: one connection
// over TCP, signed where it has a key, bounded in time and size. On the loop's thread.
#pragma once

#include "publish/dns_push.h"
#include "wire/dns_transfer.h"

#include <chrono>
#include <string>
#include <vector>

namespace mailtight::publish {

struct zone_names {
    enum class fate {
        whole,
        refused, ///< the server's rules, or the key; it stays so until somebody changes something
        failed,  ///< not reached, broken off, unreadable, or larger than the bounds
    } what = fate::failed;
    std::vector<std::string> names; ///< in order; the apex and wildcards are not among them
    std::string words;              ///< for a person, where it is not whole
};

struct transfer_bounds {
    wire::transfer_limits size;
    std::chrono::milliseconds silence{10'000}, in_all{120'000};
};
/// Asks for the whole zone (AXFR, RFC 5936).
io::task<zone_names> names_with_mail(io::loop& on, update_server from, std::string zone,
                                     const base::clock& real_time, transfer_bounds within = {});

} // namespace mailtight::publish
