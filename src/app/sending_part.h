// SPDX-License-Identifier: Apache-2.0
// The part of the daemon that tells mail servers how to deliver, as the other parts see it. For daemon*.cpp,
// part_*.cpp and alarm_loop.cpp alone.
#pragma once

#include "api/context.h"
#include "app/daemon_core.h"
#include "insight/alarms.h"
#include "model/delivery.h"

#include <boost/json/object.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::app {

class sending_part : public part {
public:
    bool is_way_in() const override { return false; }
    /// What is known of a destination just now, for the results of deliveries to it. Where it is too little,
    /// it is looked at in the background.
    virtual model::policy_facts known(std::string_view domain) = 0;
    /// A delivery failed, or the policy stood in its way: look again.
    virtual void delivery_failed(const std::string& domain, const std::string& words) = 0;
    virtual boost::json::object status_json() const = 0;
    virtual void refresh_metrics(base::metrics& to) const = 0;
    /// Policies whose refresh fails for so long that somebody should look (8461-3.3-r).
    virtual std::vector<insight::alarm> alarms() const = 0;
    /// Takes over what can change while it runs: listeners, dialects, the prefetch list. All or nothing; the
    /// error is for a person.
    virtual std::expected<void, std::string> prepare_change(const settings& to) = 0;
    virtual void change() = 0; ///< what was prepared
    /// Ends when everything is written, or at the deadline.
    virtual io::task<> drain(io::loop::time_point deadline) = 0;
};
std::expected<std::unique_ptr<sending_part>, std::string> make_resolve_part(daemon_core& core);

} // namespace mailtight::app
