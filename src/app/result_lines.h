// SPDX-License-Identifier: Apache-2.0
// The line protocol of results, for mail servers that are neither Postfix 3.10 nor speak HTTP: one JSON
// object a line, taken as it comes. The line `flush` is answered, when all before it is in the database, by
// one line of JSON: {"taken":2,"refused":0,"errors":[],"durable":true}. Nothing else is. Lives on the loop.
#pragma once

#include "api/context.h"
#include "io/request_server.h"

namespace mailtight::app {

/// The longest line, and so what is kept of an incomplete one.
inline constexpr std::size_t result_line_bytes = 262'144;

/// Sessions for io::request_server. The sink outlives them.
io::make_session result_lines(io::loop& on, const api::result_sink& to);

} // namespace mailtight::app
