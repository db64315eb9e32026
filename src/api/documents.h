// SPDX-License-Identifier: Apache-2.0
// Values of the API as JSON, and back. schemas.cpp describes each. Pure.
#pragma once

#include "model/sending.h"

#include <boost/json/object.hpp>

#include <expected>
#include <string>
#include <string_view>

namespace mailtight::api {

/// What is remembered of a destination (schema "policy"). `text`: with the policy as it was fetched.
boost::json::object policy_document(const model::kept_policy& of, base::utc_seconds now, bool text);

/// An exception (schema "override").
boost::json::object override_document(const model::policy_override& of, base::utc_seconds now);

/// An exception for a domain, as it was asked for. The error is for whoever asked.
std::expected<model::policy_override, std::string> make_override(std::string_view domain, std::string_view as,
                                                                 std::vector<std::string> mx,
                                                                 std::string_view why, std::string_view until,
                                                                 std::string_view by, base::utc_seconds now);
/// The same from a body (schema "override-request").
std::expected<model::policy_override, std::string>
read_override(std::string_view domain, std::string_view body, std::string_view by, base::utc_seconds now);

} // namespace mailtight::api
