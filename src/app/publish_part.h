// SPDX-License-Identifier: Apache-2.0
// The parts of the daemon that publish policies: the policy host, and carrying out plans with certificates
// and watching, as the other parts see them. For daemon*.cpp, part_*.cpp and alarm_loop.cpp alone.
#pragma once

#include "app/certificate_rows.h"
#include "app/publish_settings.h"
#include "app/reports_part.h"
#include "publish/carrier.h"
#include "publish/policy_host.h"

#include <boost/json/object.hpp>

#include <memory>
#include <string>
#include <vector>

namespace mailtight::app {

class hosting_part : public reports_part {
public:
    virtual const publish::policy_host& host() const = 0;
    /// Two turns of every machine's memory: what is in the store now is served everywhere after that.
    virtual std::chrono::milliseconds spread() const = 0;
    /// What is served from certificates.folder.
    virtual std::vector<folder_certificate> from_folder() const = 0;
};

class carrying_part : public reports_part {
public:
    /// These changed, or a person said something about them.
    virtual void wake(std::vector<std::string> domains) = 0;
    /// Looks, plans, and does the next step, for who asks; the error is for a person.
    virtual io::task<std::expected<publish::carried, std::string>> go(std::string domain,
                                                                      std::string who) = 0;
    /// The same for a command: {"plan", "text", "did", "failed"}; the error is
    /// for a person.
    virtual io::task<std::expected<boost::json::object, std::string>>
    carry(std::string domain, std::string who, std::size_t width, bool colour) = 0;
    /// A new key for the account with the certificate authority.
    virtual io::task<std::expected<void, std::string>> change_account_key() = 0;
    /// The synthetic report of `report test` arrived: the domain's reports have a way.
    virtual void report_way_proven(std::string domain) = 0;
    /// The domains looked after whose reports come to our addresses.
    virtual io::task<std::vector<std::string>> reporting_here() = 0;
    /// Makes the alarms current, before alarms() is asked.
    virtual io::task<> gather_alarms() = 0;
};

/// The key under which secrets are sealed is read, or made, before privileges are dropped.
std::expected<std::unique_ptr<hosting_part>, std::string> make_hosting_part(daemon_core& core);
std::expected<std::unique_ptr<carrying_part>, std::string> make_carrying_part(daemon_core& core);

} // namespace mailtight::app
