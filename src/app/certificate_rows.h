// SPDX-License-Identifier: Apache-2.0
// The certificates that are kept here as they are listed, of policy hosts and of the pages: of each name the
// one that is served, and those that could not be had, with what went wrong last. Blocks on the store and on
// the disk; errors are the store's.
#pragma once

#include "store/domains.h"

#include <boost/json/array.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::app {

struct certificate_row {
    std::string name;                                       ///< "mta-sts.example.com", or one of web.hosts
    std::string domain;                                     ///< "" : the name is no policy host's
    std::optional<base::utc_seconds> not_before, not_after; ///< nothing: there is none yet
    std::optional<base::utc_seconds> renew_at;
    bool in_use = false; ///< seen over the public path; of the pages and of a folder: the one that is served
    std::string issuer;  ///< URL of the directory
    std::string file;    ///< in certificates.folder; then there is no issuer
    std::string trouble;
};
/// A certificate of certificates.folder, under one of its names.
struct folder_certificate {
    std::string name, file;
    base::utc_seconds not_before{}, not_after{};
};
/// What lies in the folder, for policy hosts: of several for one name that which was issued last. `trouble`
/// takes what cannot be read.
std::vector<folder_certificate> read_certificate_folder(const std::string& folder,
                                                        std::vector<std::string>& trouble);
/// The policy host that a name of a certificate is for, a wildcard of its domain among them; "" : none.
std::string policy_host_of(std::string_view name);
/// In order of their names. One of the folder stands in place of that of the store where it was issued later,
/// as the policy host serves it. A name that the pages had, and whose certificate ended a week ago, is none.
store::result<std::vector<certificate_row>> certificate_rows(store::domain_store& kept,
                                                             std::span<const folder_certificate> folder,
                                                             base::utc_seconds now);
/// `certificate list --json`, a row each.
boost::json::array certificates_json(std::span<const certificate_row> rows);

} // namespace mailtight::app
