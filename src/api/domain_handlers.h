// SPDX-License-Identifier: Apache-2.0
// What the files of routes about domains looked after share: refusals as problems, names out of paths, and
// their tables, which domain_routes() puts together.
#pragma once

#include "api/domain_desk.h"
#include "api/route.h"

#include <optional>
#include <string>
#include <vector>

namespace mailtight::api {

std::vector<route> overview_routes();       ///< overview_routes.cpp
std::vector<route> domain_keeping_routes(); ///< domain_keeping_routes.cpp: add, show, change, remove
std::vector<route> plan_routes();           ///< plan_routes.cpp: plan, steps, records, history, readiness

wire::http_reply refused(const refusal& why);

/// The domain that a path names, in the form of the store; nothing where it is no name.
std::optional<std::string> domain_of(const call& asked);
/// There is none, or it is nobody's business: the same words for both.
wire::http_reply no_such_domain();

/// Who asks, with the name that stays with what they change.
caller caller_of(const call& asked);

} // namespace mailtight::api
