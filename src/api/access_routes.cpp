// SPDX-License-Identifier: Apache-2.0
// Sessions, tokens, people and the audit log.
#include "api/route.h"

namespace mailtight::api {

std::vector<route> access_routes() {
    return {};
}

} // namespace mailtight::api
