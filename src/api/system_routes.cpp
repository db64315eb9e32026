// SPDX-License-Identifier: Apache-2.0
// The daemon itself: status, doctor, certificates.
#include "api/route.h"

namespace mailtight::api {

std::vector<route> system_routes() {
    return {};
}

} // namespace mailtight::api
