// SPDX-License-Identifier: Apache-2.0
// The API as a site of an HTTP server. The same routes stand on every listener. Where a gate is given, it
// says who asks, and a route answers whoever has its role. Without one there is nobody to tell apart: who may
// change something (the peers of the control socket) is an administrator; others see what stands in memory
// for mail servers, and none of the domains, reports and settings.
#pragma once

#include "api/route.h"
#include "io/http_server.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mailtight::api {

struct site_options {
    std::vector<std::string> hosts; ///< empty: every host
    /// Asked before every route; what it says replaces the three below. It outlives the site.
    gate* keeper = nullptr;
    std::size_t body_bytes = 64u << 20; ///< of an import
    /// Whether this peer may change something. Empty: nobody.
    std::function<bool(const io::peer&)> may_change;
    /// Whether this peer may tell results of deliveries. Empty: nobody.
    std::function<bool(const io::peer&)> may_tell;
    /// Who asks, in words that stay with what they change. May be empty.
    std::function<std::string(const io::peer&)> name_of;
    /// Told of every change that was asked for, and whether it was refused. May be empty.
    std::function<void(std::string_view what, const io::peer&, bool refused)> noted;
};
/// The context lives as long as the site.
io::http_site make_site(std::shared_ptr<context> with, site_options options);

} // namespace mailtight::api
