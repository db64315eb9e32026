// SPDX-License-Identifier: Apache-2.0
#include "store/whole.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::store {
namespace {

constexpr std::string_view days_of_domain =
    "select day, reporter, {0}reports, {0}verified, {0}success, {0}failure, {0}sts_success, {0}sts_failure, "
    "{0}tlsa_success, {0}tlsa_failure, {0}none_success, {0}none_failure from reporter_day where domain = $1";
constexpr std::string_view failures_of_domain =
    "select day, reporter, type, result, mx, cast({0}sum(reports) as bigint), cast({0}sum(count) as bigint) "
    "from failure_day where domain = $1 group by day, reporter, type, result, mx";

std::string days_from(std::string_view source) {
    return insert_or_add("all_reporter_day", "day, reporter",
                         {"reports", "verified", "success", "failure", "sts_success", "sts_failure",
                          "tlsa_success", "tlsa_failure", "none_success", "none_failure"},
                         source);
}
std::string failures_from(std::string_view source) {
    return insert_or_add("all_failure_day", "day, reporter, type, result, mx", {"reports", "count"}, source);
}

} // namespace

void day_sum::add(const day_sum& other) {
    reports += other.reports;
    verified += other.verified;
    for (std::size_t i = 0; i < counts.size(); ++i)
        counts[i] += other.counts[i];
}

std::string insert_or_add(std::string_view table, std::string_view keys,
                          std::initializer_list<std::string_view> sums, std::string_view source) {
    auto columns = std::string(keys), set = std::string();
    for (const auto sum : sums) {
        columns += fmt::format(", {}", sum);
        set += fmt::format("{}{} = {}.{} + excluded.{}", set.empty() ? "" : ", ", sum, table, sum, sum);
    }
    return fmt::format("insert into {} ({}) {} on conflict ({}) do update set {}", table, columns, source,
                       keys, set);
}

void whole_sums::add_day(std::int64_t day, std::int64_t reporter, const day_sum& sum) {
    days_[{day, reporter}].add(sum);
}

void whole_sums::add_failure(const std::array<std::int64_t, 5>& key, std::int64_t reports,
                             std::int64_t count) {
    auto& of = failures_[key];
    of.first += reports;
    of.second += count;
}

void whole_sums::add_name(std::int64_t reporter, reporter_name name) {
    names_[reporter].take(std::move(name));
}

void whole_sums::write(sql::connection& on) {
    static const auto add_days = days_from("values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
    for (const auto& [key, sum] : days_) {
        sql::values row{key.first, key.second, sum.reports, sum.verified};
        row.insert(row.end(), sum.counts.begin(), sum.counts.end());
        on.run(add_days, row);
        if (sum.reports <= 0) // a report may have come and gone in one transaction
            on.run("delete from all_reporter_day where day = $1 and reporter = $2 and reports <= 0",
                   {key.first, key.second});
    }
    static const auto add_failures = failures_from("values ($1, $2, $3, $4, $5, $6, $7)");
    for (const auto& [key, sum] : failures_) {
        sql::values row(key.begin(), key.end());
        row.insert(row.end(), {sum.first, sum.second});
        on.run(add_failures, row);
        if (sum.first <= 0)
            on.run("delete from all_failure_day where day = $1 and reporter = $2 and type = $3 and "
                   "result = $4 and mx = $5 and reports <= 0",
                   {key[0], key[1], key[2], key[3], key[4]});
    }
    if (!again_.empty())
        find_names(on);
    for (const auto& [reporter, name] : names_)
        on.run("insert into reporter_name (reporter, organization, named_by, last_received) "
               "values ($1, $2, $3, $4) on conflict (reporter) do update set "
               "organization = excluded.organization, named_by = excluded.named_by, "
               "last_received = excluded.last_received where (excluded.named_by, excluded.last_received) >= "
               "(reporter_name.named_by, reporter_name.last_received)",
               {reporter, name.text, name.believed, name.at});
    days_.clear();
    failures_.clear();
    names_.clear();
}

// One walk, whatever their number: they are few, and seldom.
void whole_sums::find_names(sql::connection& on) {
    std::map<std::int64_t, reporter_name> best;
    on.query("select s.reporter, s.organization, s.named_by, s.last_received from own_domain o cross join "
             "reporter_seen s where s.domain = o.word",
             {}, [&](const sql::row& r) {
                 if (again_.contains(r.integer(0)))
                     best[r.integer(0)].take(
                         {.believed = r.integer(2), .at = r.integer(3), .text = r.string(1)});
             });
    for (const auto reporter : again_)
        on.run("delete from reporter_name where reporter = $1", {reporter});
    for (auto& [reporter, name] : best)
        names_[reporter] = std::move(name);
    again_.clear();
}

void enter_whole(sql::connection& on, std::int64_t domain) {
    static const auto days = days_from(fmt::format(fmt::runtime(days_of_domain), ""));
    static const auto failures = failures_from(fmt::format(fmt::runtime(failures_of_domain), ""));
    on.run(days, {domain});
    on.run(failures, {domain});
}

void leave_whole(sql::connection& on, std::int64_t domain) {
    static const auto days = days_from(fmt::format(fmt::runtime(days_of_domain), "-"));
    static const auto failures = failures_from(fmt::format(fmt::runtime(failures_of_domain), "-"));
    on.run(days, {domain});
    on.run(failures, {domain});
    on.run("delete from all_reporter_day where reports <= 0");
    on.run("delete from all_failure_day where reports <= 0");
}

} // namespace mailtight::store
