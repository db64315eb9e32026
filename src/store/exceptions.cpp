// SPDX-License-Identifier: Apache-2.0
// The exceptions that the operator makes, and what probes of policies in testing found.
#include "store/policy_rows.h"
#include "store/sql_policies.h"
#include "store/words.h"

namespace mailtight::store {

void sql_policies::changed_exceptions() {
    on_->run("update sending_counter set value = value + 1 where name = 'exceptions'");
}

result<void> sql_policies::set_override(const model::policy_override& value) {
    return writing([&] {
        const auto mx = write_list(value.mx), why = shown(value.why), by = shown(value.by);
        on_->run("insert into sending_exception (domain, what, mx, why, by_whom, since, until) "
                 "values ($1, $2, $3, $4, $5, $6, $7) on conflict (domain) do update set "
                 "what = excluded.what, mx = excluded.mx, why = excluded.why, by_whom = excluded.by_whom, "
                 "since = excluded.since, until = excluded.until",
                 {value.domain, model::to_string(value.what), mx, why, by, value.since, value.until});
        changed_exceptions();
    });
}

result<bool> sql_policies::remove_override(std::string_view domain) {
    return writing([&] {
        const bool was =
            on_->number("delete from sending_exception where domain = $1 returning 1", {domain}).has_value();
        if (was)
            changed_exceptions();
        return was;
    });
}

result<std::vector<model::policy_override>> sql_policies::overrides() {
    return reading([&] {
        std::vector<model::policy_override> out;
        on_->query(
            "select domain, what, mx, why, by_whom, since, until from sending_exception order by domain", {},
            [&](const sql::row& r) {
                const auto what = model::parse_override(r.text(1));
                if (!what)
                    throw sql::failure{
                        .error = {.what = store_error::kind::damaged,
                                  .message = "an exception of an unknown kind for " + r.string(0)}};
                out.push_back({.domain = r.string(0),
                               .what = *what,
                               .mx = read_list(r.text(2)),
                               .why = r.string(3),
                               .by = r.string(4),
                               .since = r.at(5),
                               .until = r.maybe_at(6)});
            });
        return out;
    });
}

result<void> sql_policies::put_verdicts(std::span<const model::testing_verdict> found,
                                        base::utc_seconds keep) {
    return writing([&] {
        for (const auto& v : found) {
            const auto address = v.address.to_string(), id = shown(v.policy_id), host = shown(v.mx_host),
                       result = shown(v.result), reason = shown(v.reason);
            on_->run(
                "insert into sending_verdict as s (domain, mx_host, address, policy_id, found_at, result, "
                "reason) values ($1, $2, $3, $4, $5, $6, $7) on conflict (domain, mx_host, address) do "
                "update set policy_id = excluded.policy_id, found_at = excluded.found_at, "
                "result = excluded.result, reason = excluded.reason "
                "where excluded.found_at >= s.found_at",
                {v.domain, host, address, id, v.at, result, reason});
        }
        on_->run("delete from sending_verdict where found_at < $1", {keep});
    });
}

result<std::vector<model::testing_verdict>> sql_policies::verdicts(std::string_view domain) {
    return reading([&] {
        std::vector<model::testing_verdict> out;
        on_->query(
            "select domain, policy_id, mx_host, address, found_at, result, reason from sending_verdict "
            "where $1 = '' or domain = $1 order by domain, mx_host, address",
            {domain}, [&](const sql::row& r) {
                out.push_back({.domain = r.string(0),
                               .policy_id = r.string(1),
                               .mx_host = r.string(2),
                               .address = base::ip_address::parse(r.text(3)).value_or(base::ip_address()),
                               .at = r.at(4),
                               .result = r.string(5),
                               .reason = r.string(6)});
            });
        return out;
    });
}

} // namespace mailtight::store
