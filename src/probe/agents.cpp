// SPDX-License-Identifier: Apache-2.0
// The User-Agents of probe/probes.h.
#include "probe/probes.h"

namespace mailtight::probe {

const char* const own_agent = "mailtight/0.1";
const char* const bare_agent = "";
const char* const library_agent = "Go-http-client/1.1";

} // namespace mailtight::probe
