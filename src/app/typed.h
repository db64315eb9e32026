// SPDX-License-Identifier: Apache-2.0
// What a person typed, understood once for all commands.
#pragma once

#include "mail/domain_name.h"
#include "sts/policy.h"
#include "tlsrpt/record.h"

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::app {

/// Understands a domain; notes go to stderr, an error too (nothing is given then).
std::optional<mail::typed_domain> take_domain(const std::string& typed);
/// Understands report addresses; the first that cannot be used is complained about.
std::optional<std::vector<tlsrpt::report_uri>> take_rua(const std::vector<std::string>& typed);
/// Understands a mode; "" gives an inner nothing.
std::optional<std::optional<sts::mode>> take_mode(const std::string& typed);
/// The bytes of a file, or of standard input for `-`; at most `limit` + 1 bytes are read. The error is for
/// the person.
std::expected<std::string, std::string> read_bytes(const std::string& file, std::size_t limit);

/// What a name in a list means; the error says why it means nothing, behind the name.
using name_reader = std::function<std::expected<std::string, std::string>(std::string_view)>;
/// The names of a key of the configuration and of its file (KEY-file, "" : none): one a line, # begins a
/// comment. The first that means nothing ends it, with its place; so does a file beyond the limit.
std::expected<std::vector<std::string>, std::string> read_names(const std::string& key,
                                                                const std::vector<std::string>& listed,
                                                                const std::string& file,
                                                                const name_reader& understand);

} // namespace mailtight::app
