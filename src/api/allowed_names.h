// SPDX-License-Identifier: Apache-2.0
// Names that tenants may add, as operators write them. Pure.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace mailtight::api {

/// "example.com", or "*.example.com" for every name below it, in the form of the store; the error is for a
/// person.
std::expected<std::string, std::string> read_allowed_name(std::string_view typed);

} // namespace mailtight::api
