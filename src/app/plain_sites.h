// SPDX-License-Identifier: Apache-2.0
// What the pages answer on plain HTTP where they are reached over TLS (web.http-listen): challenges of the
// certificate authority, and the way to https for everything else. Lives on the loop.
#pragma once

#include "io/http_server.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::app {

/// `/.well-known/acme-challenge/TOKEN` (RFC 8555 §8.3); `answer` gives "" for a token that is not known.
io::http_site challenge_answers(std::function<std::string_view(std::string_view token)> answer);

/// Leads GET and HEAD of our names to the same place over https at that port; what carries a body is refused,
/// since it has crossed the network already.
io::http_site way_to_https(std::function<const std::vector<std::string>&()> hosts, std::uint16_t port);

} // namespace mailtight::app
