// SPDX-License-Identifier: Apache-2.0
// What a person wants of a domain, read once for the command line and for tables in CSV. Pure; errors are for
// a person and name the option.
#pragma once

#include "app/publish_commands.h"
#include "app/publish_settings.h"
#include "model/looked_after.h"

#include <boost/json/object.hpp>

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::app {

/// What cannot be wanted so: of which option, and why.
struct wish_fault {
    std::string option;       ///< "max-age"; "" : of several together
    std::string words;        ///< "'x': it takes …"
    std::string text() const; ///< "--max-age 'x': it takes …"
};

/// Puts what was said on top of what is wanted already.
std::expected<void, wish_fault> take(const domain_wishes& said, model::looked_after& to,
                                     const publish_settings& with);
/// The same, with an error for the command line.
std::expected<void, std::string> apply(const domain_wishes& said, model::looked_after& to,
                                       const publish_settings& with);

/// A domain that is new, as configured.
model::looked_after fresh_domain(std::string domain, const domain_wishes& said, const publish_settings& with,
                                 base::utc_seconds now);
/// What an alias or a renamed domain takes over: all but its own name, marks and history.
model::looked_after domain_like(const model::looked_after& old, std::string domain, base::utc_seconds now);

/// A domain that is new, as configured; with what was said on top.
std::expected<model::looked_after, std::string> new_domain(std::string domain, const domain_wishes& said,
                                                           const publish_settings& with,
                                                           base::utc_seconds now);

/// What `plan` says beside the wish, tried on it; `force` is not for here.
std::expected<void, wish_fault> try_on(const plan_request& said, model::looked_after& to);

/// An MX host as it stands in DNS, from what was typed.
std::optional<std::string> mail_host(const std::string& typed);

/// One row of a table in CSV.
struct csv_domain {
    std::size_t line = 0;
    std::string name, like;
    domain_wishes wishes;
};
/// RFC 4180 with a head line: `domain` and any of mode, max_age, mx, rua, hosting, dns, labels, owner, leave,
/// policy_host, sts_target, like; several values of one cell are separated by spaces.
std::expected<std::vector<csv_domain>, std::string> read_domain_csv(std::string_view bytes);

/// The rows of a CSV text; quotes as RFC 4180, LF or CRLF.
std::expected<std::vector<std::vector<std::string>>, std::string> csv_rows(std::string_view bytes);

boost::json::object to_json(const model::looked_after& domain);
/// "testing, MX as in DNS, hosted here, DNS by hand".
std::string summary_of(const model::looked_after& domain);

} // namespace mailtight::app
