// SPDX-License-Identifier: Apache-2.0
// What the routes of reports received understand, and their answers as JSON: the documents of the commands
// where there are such. schemas_received.cpp describes each. Pure.
#pragma once

#include "api/received_desk.h"

#include <boost/json/object.hpp>

#include <expected>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mailtight::api {

/// The parameters domain, reporter, result, mx, from, to, what and failures. `days`: the period where none is
/// said, 0 for all time. The error is for whoever asked.
std::expected<store::filter, std::string> read_filter(const std::map<std::string, std::string>& query,
                                                      store::day today, int days);

/// Schema "report-list"; of one row more than `limit` there is a next page.
boost::json::object report_list_document(std::span<const store::report_row> rows, std::size_t offset,
                                         std::size_t limit);
boost::json::object period_document(const report_period& of); ///< "report-summary"
boost::json::object failing_document(const failing_list& of, std::span<const insight::mute> mutes,
                                     base::utc_seconds now);     ///< "failure-list"
boost::json::object read_document(read_file of);                 ///< "read-answer"
boost::json::object imported_document(const imported_file& of);  ///< "reports-imported"
boost::json::object report_test_document(const report_test& of); ///< "report-test"
boost::json::object mute_document(const insight::mute& of);      ///< "mute"

/// The domain that a mute is about; "" : none, it is of the installation.
std::string domain_of(const insight::mute& of);
/// By which the API names a mute: a key may hold anything.
std::string mute_name(std::string_view key);
/// A mute as it was asked for (schema "mute-request"). The error is for whoever asked.
std::expected<insight::mute, std::string> read_mute(std::string_view body, std::string_view by,
                                                    base::utc_seconds now);

} // namespace mailtight::api
