// SPDX-License-Identifier: Apache-2.0
// The parts of the daemon that make reports about other people's domains: collecting results, and delivering
// what is owed, as the other parts see them. For daemon*.cpp, part_*.cpp and alarm_loop.cpp alone.
#pragma once

#include "api/context.h"
#include "app/daemon_core.h"
#include "insight/alarms.h"

#include <boost/json/object.hpp>

#include <memory>
#include <string>
#include <vector>

namespace mailtight::app {

class reports_part : public part {
public:
    bool is_way_in() const override { return false; }
    virtual boost::json::object status_json() const = 0;
    virtual void refresh_metrics(base::metrics& to) const = 0;
    virtual std::vector<insight::alarm> alarms() const = 0;
    /// Ends when everything is written, or at the deadline.
    virtual io::task<> drain(io::loop::time_point deadline) = 0;
};

/// Where results that a part of ours knows go: sessions that never were, since the policy stopped them.
class collecting_part : public reports_part {
public:
    virtual const api::result_sink& sink() const = 0;
    virtual void stopped(const model::session_seen& attempt) = 0;
};
class delivering_part : public reports_part {
public:
    virtual deliver::sender& sender() = 0;
    /// A mail that came back to the contact.
    virtual void bounced(std::string message) = 0;
};

std::expected<std::unique_ptr<collecting_part>, std::string> make_collect_part(daemon_core& core);
std::expected<std::unique_ptr<delivering_part>, std::string> make_deliver_part(daemon_core& core);

} // namespace mailtight::app
