// SPDX-License-Identifier: Apache-2.0
// The table of all domains: a row a domain, joined from what is wanted of it, what was seen of it and the
// days of its reports; and questions over all rows. Pure: no clock, no store, no loop. Whoever keeps the rows
// replaces single ones; a row that was given away never changes.
#pragma once

#include "model/looked_after.h"
#include "model/shown.h"

#include <boost/json/object.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::api {

/// At a glance.
enum class light { good, attention, bad, unknown };
std::string_view to_string(light l);

/// Sessions of one day, as reports count them.
struct day_sessions {
    std::uint64_t success = 0, failure = 0;
    friend bool operator==(const day_sessions&, const day_sessions&) = default;
};
inline constexpr std::size_t overview_days = 30;
/// The last days, oldest first; empty: no report names the domain.
using day_series = std::vector<day_sessions>;

struct overview_row {
    std::string domain, owner;
    std::vector<std::string> labels;
    api::light light = light::unknown;
    std::string verdict; ///< as in `check --json`, or "unseen"
    std::string mode;    ///< of the policy that is served; "" : none
    model::aim aim = model::aim::testing;
    model::shown_parts parts;
    std::uint64_t errors = 0, warnings = 0;
    std::optional<base::utc_seconds> seen_at;
    day_sessions sessions; ///< of all days
    day_series series;
    std::string changed; ///< "" : nothing has
    base::utc_seconds changed_at{};
    std::optional<model::next_step> next;
};

/// Joined: what is wanted, what was seen (`null`: nobody looked yet), the days of reports.
overview_row make_row(const model::looked_after& wish, const model::shown* seen, day_series series);
/// The same row with one of the three anew.
overview_row with_wish(overview_row row, const model::looked_after& wish);
overview_row with_seen(overview_row row, const model::shown& seen);
overview_row with_days(overview_row row, day_series series);

/// Without or with invalid configuration.
bool wants_attention(const overview_row& row);
/// How the light is set; in the table of the tests.
light light_of(const overview_row& row);

enum class overview_state { all, attention, protected_, testing, broken, absent, unseen };
std::string_view to_string(overview_state s);
enum class overview_sort { domain, verdict, failures, sessions, seen, next };

struct overview_question {
    std::optional<std::string> owner; ///< a tenant: their rows alone, and their counts
    std::string contains, label;
    overview_state state = overview_state::all;
    overview_sort sort = overview_sort::domain;
    bool down = false;
    std::size_t offset = 0, limit = 100;
};
/// From the parameters of a query; the error is for the caller.
std::expected<overview_question, std::string> read_question(const std::map<std::string, std::string>& query);

using overview_rows = std::vector<std::shared_ptr<const overview_row>>;
struct overview_page {
    overview_rows rows;
    std::size_t total = 0; ///< that fit the question
    /// That fit everything but the state, by state.
    std::array<std::size_t, 7> counts{};
};
/// All of `rows` are of the table, in the order of their names.
overview_page pick(std::span<const std::shared_ptr<const overview_row>> rows, const overview_question& which);

/// The labels of these rows and on how many each stands, in order; `owner`: of a tenant's alone.
std::map<std::string, std::size_t> labels_of(std::span<const std::shared_ptr<const overview_row>> rows,
                                             const std::optional<std::string>& owner);

boost::json::object row_document(const overview_row& row);        ///< schema "overview-row"
boost::json::object overview_document(const overview_page& page); ///< schema "overview"
std::string overview_csv(const overview_page& page);              ///< RFC 4180, with a head line

} // namespace mailtight::api
