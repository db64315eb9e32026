// SPDX-License-Identifier: Apache-2.0
// Names below a domain of ours that may take mail of their own: a policy does not cover them (RFC 8461 §3.1).
// They come from reports, from a zone transfer where one is allowed, and from the configuration. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::publish {

/// The names worth asking for MX records: host names below the domain, each once, in lower case and order,
/// at most so many; not those of the machinery (underscores, `mta-sts`), which take no mail.
std::vector<std::string> sub_domains(std::string_view domain, std::span<const std::string> names,
                                     std::size_t most = 200);

} // namespace mailtight::publish
