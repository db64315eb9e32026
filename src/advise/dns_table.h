// SPDX-License-Identifier: Apache-2.0
// The records for a person who types them into a web form: the provider's own words first, then the name in
// every other form.
#pragma once

#include "advise/dns_forms.h"

namespace mailtight::advise {

std::string dns_table(const suggestion& what, const dns_place& where, std::size_t width);

} // namespace mailtight::advise
