// SPDX-License-Identifier: Apache-2.0
// Domains looked after: the table of all, each with its plan, its records and its history.
#include "api/route.h"

namespace mailtight::api {

std::vector<route> domain_routes() {
    return {};
}

} // namespace mailtight::api
