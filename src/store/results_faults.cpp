// SPDX-License-Identifier: Apache-2.0
// Faults: each row of sent_result that has any owns a list of them. Equal ones add up; beyond the bound what
// is new is folded into one entry a result type, so that the sums stay exact. Nobody else is about these
// lists: who counts holds what is owed.
#include "store/sql_results.h"

#include <map>

namespace mailtight::store {
namespace {

/// All of a batch that are equal, of one row.
struct equal_faults {
    std::size_t row = 0;
    std::string key;
    const model::session_fault* what = nullptr;
    std::uint64_t count = 0;
    bool counted = false;
};

std::vector<equal_faults> sorted(std::size_t row, std::span<const model::counted_result* const> from) {
    std::map<std::string, equal_faults> found;
    for (const auto* result : from)
        for (const auto& f : result->faults) {
            auto key = key_of(f.what);
            auto& all = found[key];
            all.row = row;
            all.key = std::move(key);
            all.what = &f.what;
            all.count += f.count;
        }
    std::vector<equal_faults> out;
    for (auto& [key, all] : found)
        out.push_back(std::move(all));
    return out;
}

} // namespace

// How many kinds of faults each list has, in the order of the rows; a row without one gets it.
std::vector<std::uint64_t> sql_results::open_lists(std::span<counting* const> rows) {
    std::vector<std::uint64_t> kinds(rows.size(), 0);
    std::vector<std::size_t> there, fresh;
    std::vector<sql::values> lists, nothing_yet;
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows[i]->list != 0) {
            there.push_back(i);
            lists.push_back({rows[i]->list});
        } else {
            fresh.push_back(i);
            nothing_yet.push_back({0});
        }
    on_->query_each("select kinds from sent_faults where id = $1", lists,
                    [&](std::size_t n, const sql::row& r) { kinds[there[n]] = r.count(0); });
    on_->query_each("insert into sent_faults (kinds) values ($1) returning id", nothing_yet,
                    [&](std::size_t n, const sql::row& r) { rows[fresh[n]]->list = r.integer(0); });
    for (const auto i : fresh)
        on_->run("update sent_result set faults = $4 where day = $1 and domain = $2 and policy = $3 and "
                 "report = 0 and base_report = 0",
                 {rows[i]->day, rows[i]->domain, rows[i]->policy, rows[i]->list});
    return kinds;
}

void sql_results::put_fault(std::int64_t list, std::string_view key, const model::session_fault& what,
                            std::uint64_t count) {
    const auto f = storable(what);
    on_->run("insert into sent_fault as f (list, hash, type, sending_ip, mx, helo, receiving_ip, "
             "information, reason, count) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict "
             "(list, hash) do update set count = f.count + excluded.count",
             {list, sql::bytes{key}, std::int64_t{tlsrpt::wire_code(f.type)}, f.sending_mta_ip,
              f.receiving_mx, f.receiving_mx_helo, f.receiving_ip, f.additional_information, f.reason_code,
              count});
}

void sql_results::count_faults(std::span<counting* const> rows, std::size_t bound) {
    auto kinds = open_lists(rows);
    std::vector<equal_faults> all;
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (auto& each : sorted(i, rows[i]->with_faults))
            all.push_back(std::move(each));
    std::vector<sql::values> with;
    with.reserve(all.size());
    for (const auto& f : all)
        with.push_back({rows[f.row]->list, sql::bytes{f.key}, f.count});
    on_->query_each("update sent_fault set count = count + $3 where list = $1 and hash = $2 returning 1",
                    with, [&](std::size_t n, const sql::row&) { all[n].counted = true; });

    std::vector<bool> grown(rows.size(), false);
    for (const auto& f : all) {
        if (f.counted)
            continue;
        const model::session_fault folded{.type = f.what->type}; // A40: without addresses
        if (kinds[f.row] < bound && *f.what != folded) {
            put_fault(rows[f.row]->list, f.key, *f.what, f.count);
            ++kinds[f.row];
            grown[f.row] = true;
        } else
            put_fault(rows[f.row]->list, key_of(folded), folded, f.count);
    }
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (grown[i])
            on_->run("update sent_faults set kinds = $2 where id = $1", {rows[i]->list, kinds[i]});
}

} // namespace mailtight::store
