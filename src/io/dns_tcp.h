// SPDX-License-Identifier: Apache-2.0
// One question over TCP (RFC 7766), for answers that do not fit a datagram.
#pragma once

#include "io/dns_channel.h"

namespace mailtight::io {

/// Connects, asks, reads one message, closes; all before the deadline. `server` comes back in the event.
task<dns_event> ask_over_tcp(loop& on, endpoint to, wire::dns_question question,
                             wire::dns_query_options options, std::size_t server, loop::time_point deadline);

} // namespace mailtight::io
