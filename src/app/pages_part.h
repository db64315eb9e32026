// SPDX-License-Identifier: Apache-2.0
// The part of the daemon that shows its pages and answers the API beside them, as the other parts see it. For
// daemon*.cpp and part_*.cpp alone.
#pragma once

#include "app/daemon_core.h"
#include "insight/alarms.h"

#include <boost/json/object.hpp>

#include <expected>
#include <string>
#include <vector>

namespace mailtight::app {

class pages_certificates;

class pages_part : public part {
public:
    bool is_way_in() const override { return false; }
    /// Where a browser on this machine finds them: "http://127.0.0.1:8460". "": nothing is bound.
    virtual std::string address() const = 0;
    virtual boost::json::object status_json() const = 0;
    virtual void refresh_metrics(base::metrics& to) const = 0;
    /// Those of web.tls-certificates.
    virtual std::vector<io::tls_server::loaded> certificates() const = 0;
    virtual std::vector<insight::alarm> alarms() const = 0;
    /// Who gets certificates for the pages; null: nobody (web.acme).
    virtual pages_certificates* orders() = 0;
    /// Reads what a reload may change, the certificates' files among it where that is asked for; all or
    /// nothing. The error is for a person.
    virtual std::expected<void, std::string> prepare_change(const settings& to, bool certificates) = 0;
    /// Goes by what was prepared, once the core has these settings.
    virtual void change() = 0;
};

} // namespace mailtight::app
