// SPDX-License-Identifier: Apache-2.0
// Reports received: lists, totals, failures with their causes, mutes, files read.
#include "api/route.h"

namespace mailtight::api {

std::vector<route> received_routes() {
    return {};
}

} // namespace mailtight::api
