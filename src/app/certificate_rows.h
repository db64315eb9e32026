// SPDX-License-Identifier: Apache-2.0
// The certificates of our policy hosts as they are listed: of each name the one that is served, and those
// that could not be had, with what went wrong last. Blocks on the store; errors are its.
#pragma once

#include "store/domains.h"

#include <boost/json/array.hpp>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mailtight::app {

struct certificate_row {
    std::string name;                                       ///< "mta-sts.example.com"
    std::string domain;                                     ///< "" : the name is no policy host's
    std::optional<base::utc_seconds> not_before, not_after; ///< nothing: there is none yet
    std::optional<base::utc_seconds> renew_at;
    bool in_use = false; ///< seen over the public path
    std::string issuer, trouble;
};
/// In order of their names.
store::result<std::vector<certificate_row>> certificate_rows(store::domain_store& kept);
/// `certificate list --json`, a row each.
boost::json::array certificates_json(std::span<const certificate_row> rows);

} // namespace mailtight::app
