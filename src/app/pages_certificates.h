// SPDX-License-Identifier: Apache-2.0
// Certificates of the pages' names by ACME (web.acme): publish/name_certificates.h with the daemon's issuer,
// settings, log and alarms. Lives on the loop. For part_web.cpp alone.
#pragma once

#include "app/daemon_core.h"
#include "app/publish_hands.h"
#include "app/publish_settings.h"
#include "insight/alarms.h"
#include "publish/name_certificates.h"

#include <boost/json/array.hpp>

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::app {

/// The names of web.hosts for which certificates are asked, lower case; addresses and localhost are none. The
/// error is for a person and says what is missing in the configuration.
std::expected<std::vector<std::string>, std::string> names_for_acme(const settings& from);

class pages_certificates {
public:
    /// `swapped`: from now on another certificate is served. core.seal is there.
    pages_certificates(daemon_core& core, publish_settings say, std::vector<std::string> names,
                       std::function<void()> swapped);
    ~pages_certificates();

    /// Before a listener is bound.
    void load() { core_.loop().block_on(keeper_->load()); }
    void start() { keeper_->start(); }
    void stop() { keeper_->stop(); }
    bool idle() const { return keeper_->idle(); }
    void set_names(std::vector<std::string> names) { keeper_->set_names(std::move(names)); }
    std::shared_ptr<const io::certified_key> choose(std::string_view server_name, bool acme) const {
        return keeper_->choose(server_name, acme);
    }
    std::string_view token(std::string_view token) const { return keeper_->token(token); }

    /// {"name", "not_after", "renew_at", "state", "trouble"} each, for `status`.
    boost::json::array status_json() const;
    /// What of them ends when, by name.
    std::vector<publish::name_certificates::row> rows() const { return keeper_->rows(); }
    std::vector<insight::alarm> alarms() const;
    publish::issuer::counters counted() const;
    io::task<std::expected<void, std::string>> change_account_key();

private:
    void opened(store::domain_store& kept);
    io::task<publish::preflight_verdict> preflight(std::string host);
    io::task<std::string> dns_record(std::string name, std::string value, bool put);
    /// By which way the records of this name are written; by hand: by none.
    io::task<model::looked_after> way_of(std::string host);
    void told(const std::string& name, const publish::issued& done);

    daemon_core& core_;
    publish_settings say_;
    std::unique_ptr<io::worker> worker_;
    std::unique_ptr<io::tls_client> own_roots_; ///< certificates.ca-file
    store::domain_store* kept_ = nullptr;       ///< the keeper's, once it is open; on the worker's thread
    std::unique_ptr<publish_hands> hands_;
    std::unique_ptr<publish::issuer> issuer_;
    std::unique_ptr<publish::name_certificates> keeper_;
};

} // namespace mailtight::app
