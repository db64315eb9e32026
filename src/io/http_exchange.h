// SPDX-License-Identifier: Apache-2.0
// One HTTP request and its answer over a connection: what http_client.cpp and http_session.cpp share. For io/
// alone.
#pragma once

#include "io/http_client.h"

#include <memory>
#include <optional>
#include <string>

namespace mailtight::io::http_exchange {

struct world {
    loop& on;
    resolver& dns;
    const tls_client& tls;
    const base::address_guard& guard;
    const base::clock& clock;
};

/// "" or what cannot be asked.
std::string fault_of(const std::optional<url_parts>& url, const http_call& call);
/// The request's bytes; `keep`: the connection is to stay.
std::string request_text(const url_parts& url, const http_call& call, bool keep);

/// Connects, under TLS where the URL asks for it: addresses are tried in turn until one takes it. Null with
/// answer.error where none does.
task<std::unique_ptr<stream>> reach(world around, const url_parts& url, const http_call& call,
                                    http_answer& answer, loop::time_point deadline);

struct ended {
    bool heard = false; ///< at least one byte of an answer came
    bool keep = false;  ///< the connection can take another request
};
/// Sends the request and reads the answer.
task<ended> converse(stream& connection, std::string request, http_answer& answer, std::size_t limit,
                     loop::time_point deadline);

} // namespace mailtight::io::http_exchange
