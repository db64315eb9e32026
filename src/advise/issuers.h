// SPDX-License-Identifier: Apache-2.0
// Certificate authorities and the names by which CAA records mean them, as data.
#pragma once

#include <string_view>
#include <vector>

namespace mailtight::advise {

/// The CAA issuer names of the authority with this organisation (or issuer text); empty where it is unknown.
std::vector<std::string_view> caa_names_of(std::string_view issuer_organization);

} // namespace mailtight::advise
