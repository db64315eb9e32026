// SPDX-License-Identifier: Apache-2.0
// Domains looked after as JSON, and what is asked of them back. schemas_domains.cpp describes each. Pure;
// what a body says wrongly is told with its place.
#pragma once

#include "api/domain_desk.h"

#include <boost/json/object.hpp>

#include <expected>
#include <string>
#include <string_view>

namespace mailtight::api {

boost::json::object wish_document(const model::looked_after& of);
boost::json::object domain_document(const domain_file& of);
boost::json::object plan_document(const plan::plan& of);
boost::json::object step_document(const step_outcome& of);
boost::json::object dns_document(advise::dns_format format, const dns_answer& of);
boost::json::object past_document(const domain_past& of, base::utc_seconds now);
boost::json::object readiness_document(std::string_view domain, const model::enforce_evidence& of);

/// A body with the domain, and what is wanted of it.
std::expected<domain_addition, std::string> read_addition(std::string_view body);
/// A body with what is wanted otherwise, and the revision that it changes.
struct read_wish {
    std::int64_t revision = 0;
    wish_change wish;
};
std::expected<read_wish, std::string> read_change(std::string_view body);
std::expected<step_request, std::string> read_step(std::string_view body);

} // namespace mailtight::api
