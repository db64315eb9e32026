// SPDX-License-Identifier: Apache-2.0
// What was typed for `dns zone`.
#pragma once

#include "app/options.h"

#include <string>
#include <vector>

namespace mailtight::app {

struct zone_options {
    std::string zone, mailbox, label;
    std::vector<std::string> servers; ///< the first is the primary
    bool aliases = false;             ///< the CNAME records that customers publish
};

int cmd_dns_zone(const common_options& common, const zone_options& options);

} // namespace mailtight::app
