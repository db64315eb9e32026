// SPDX-License-Identifier: Apache-2.0
// Domains looked after whose reports arrive here: they need an address of ours, so the store of reports knows
// them. Errors are for a person.
#pragma once

#include "app/settings.h"
#include "model/looked_after.h"
#include "store/store.h"

#include <expected>
#include <span>
#include <string>
#include <vector>

namespace mailtight::app {

/// Whether reports about this domain come to the addresses of [reports]: neither the domain nor the
/// configuration says otherwise.
bool reports_come_here(const settings& from, const model::looked_after& domain);

/// The report addresses of a domain of ours, from its token; empty where [reports] names no place.
std::vector<std::string> report_addresses(const settings& from, const store::own_domain& domain);

/// Makes the store of reports know those of these domains whose reports come here; the daemon where one runs.
std::expected<void, std::string> tell_reports_of(const settings& from,
                                                 std::span<const model::looked_after> domains);

} // namespace mailtight::app
