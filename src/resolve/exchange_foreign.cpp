// SPDX-License-Identifier: Apache-2.0
// Rows of postfix-mta-sts-resolver: pol_body is `{"version":"STSv1","mode":…,"max_age":…,"mx":[…]}`.
#include "base/limits.h"
#include "base/text.h"
#include "mail/domain_name.h"
#include "resolve/exchange.h"

#include <boost/json.hpp>

#include <algorithm>

namespace mailtight::resolve {
namespace {
namespace json = boost::json;

std::optional<sts::policy> policy_of(std::string_view body) {
    if (!base::trim(body).starts_with('{')) {
        auto parsed = sts::parse_policy(body);
        return parsed ? std::optional(std::move(*parsed)) : std::nullopt;
    }
    boost::system::error_code problem;
    const auto parsed = json::parse({body.data(), body.size()}, problem, {}, {.max_depth = 4});
    if (problem || !parsed.is_object())
        return std::nullopt;
    const auto& object = parsed.get_object();
    const auto *mode = object.if_contains("mode"), *max_age = object.if_contains("max_age"),
               *mx = object.if_contains("mx");
    if (!mode || !mode->is_string() || !max_age || !max_age->is_int64() || max_age->get_int64() < 0)
        return std::nullopt;
    const auto known = sts::parse_mode(std::string_view(mode->get_string()));
    if (!known)
        return std::nullopt;
    sts::policy out{.mode = *known,
                    .max_age = std::min<std::uint64_t>(static_cast<std::uint64_t>(max_age->get_int64()),
                                                       base::limits::max_age_max)};
    if (mx && !mx->is_array())
        return std::nullopt;
    if (mx)
        for (const auto& pattern : mx->get_array()) {
            if (!pattern.is_string())
                return std::nullopt;
            out.mx.emplace_back(pattern.get_string());
        }
    return out;
}

} // namespace

std::expected<model::kept_policy, exchange_error> read_foreign(const store::foreign_policy& row,
                                                               base::utc_seconds now) {
    const auto refused = [&](exchange_fault fault) {
        return std::unexpected(exchange_error{.fault = fault, .detail = row.domain.substr(0, 300)});
    };
    const auto domain = mail::understand_domain(row.domain);
    if (!domain)
        return refused(exchange_fault::domain);
    if (row.fetched_at <= base::utc_seconds{} || row.fetched_at > now)
        return refused(exchange_fault::time);
    auto value = policy_of(row.body_or_json);
    auto body = value ? sts::format_policy(*value) : std::unexpected(sts::write_error::mx_missing);
    if (!body)
        return refused(exchange_fault::policy);
    auto canonical = sts::parse_policy(*body); // what its bytes say: the case of a pattern is gone
    if (!canonical)
        return refused(exchange_fault::policy);
    const bool plain_id =
        row.id.size() <= base::limits::id_length_max && std::ranges::all_of(row.id, base::is_alnum);
    model::kept_policy out{.domain = domain->name, .used_at = now};
    out.state.held = sts::held_policy{.value = std::move(*canonical),
                                      .id = plain_id ? row.id : "", // another one: fetched at the next look
                                      .body = std::move(*body),
                                      .fetched_at = row.fetched_at};
    out.state.refresh_at = now;
    if (out.state.held->fetched_at + std::chrono::seconds(out.state.held->value.effective_max_age()) <= now)
        return refused(exchange_fault::expired);
    return out;
}

void take_foreign(std::span<const store::foreign_policy> rows, base::utc_seconds now,
                  const exchange_taker& into) {
    std::size_t line = 0;
    for (const auto& row : rows) {
        ++line;
        auto got = read_foreign(row, now);
        if (got) {
            into.policy(std::move(*got));
            continue;
        }
        got.error().line = line;
        const bool named = got.error().fault != exchange_fault::domain;
        into.refused(std::move(got.error()));
        if (named)
            into.look_up(mail::understand_domain(row.domain)->name);
    }
}

} // namespace mailtight::resolve
