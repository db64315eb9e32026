// SPDX-License-Identifier: Apache-2.0
// The rows of the table of keys, by what they are for; settings.cpp puts them together. A section stands in
// one of them alone.
#pragma once

#include "app/settings.h"

#include <vector>

namespace mailtight::app {

std::vector<setting_key> network_keys(); ///< [dns] [network] [check] [scan] [doctor]
std::vector<setting_key> report_keys();  ///< [store] [reports] and the ways in
std::vector<setting_key> resolve_keys(); ///< [resolve]
std::vector<setting_key> result_keys();  ///< [collect] [deliver]
std::vector<setting_key> publish_keys(); ///< [publish] [certificates] [dns-update] [watch]
std::vector<setting_key> web_keys();     ///< [web]
std::vector<setting_key> daemon_keys();  ///< [serve] [mail] [alarms] [metrics] [log]

} // namespace mailtight::app
