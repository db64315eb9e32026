// SPDX-License-Identifier: Apache-2.0
// Many domains at once, in transactions of a bounded size: who reads or writes meanwhile waits for one of
// them at most. And the questions for many.
#include "base/text.h"
#include "store/domain_filter.h"
#include "store/domain_rows.h"
#include "store/like_pattern.h"
#include "store/result_rows.h"
#include "store/sql_domains.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::store {
namespace {

constexpr std::size_t rows_at_once = 2'000;

std::string insert_statement() {
    std::string columns, values;
    std::size_t n = 2;
    for (const auto& field : wish_fields()) {
        columns += fmt::format(", {}", field.column);
        values += fmt::format(", ${}", ++n);
    }
    return fmt::format(
        "insert into looked_after (domain, added_at, changed_at, revision{}) values ($1, $2, $2, "
        "1 + coalesce((select max(number) from domain_change where domain = $1), 0){}) "
        "on conflict (domain) do nothing returning 1",
        columns, values);
}

// What is not as it is by itself.
std::string summary(const model::looked_after& of) {
    static const model::looked_after plain;
    std::string out;
    for (const auto& field : wish_fields())
        if (auto text = for_people(field, of); text != for_people(field, plain))
            out += fmt::format("{}{} {}", out.empty() ? "" : "; ", field.name, text.empty() ? "none" : text);
    return out;
}

} // namespace

domain_filter::domain_filter(const domain_question& which)
    : where_("d.domain > $2")
    , with_{std::uint64_t{which.limit}, which.after} {
    const auto narrow = [&](std::string_view condition, std::string_view value) {
        with_.emplace_back(value);
        where_ += fmt::format(" and {}", fmt::format(fmt::runtime(condition), with_.size()));
    };
    if (which.owner)
        narrow("d.owner = ${}", *which.owner);
    if (!which.label.empty())
        narrow("exists (select 1 from domain_label l where l.label = ${} and l.domain = d.domain)",
               which.label);
    if (!which.contains.empty()) {
        contains_ = anywhere(which.contains);
        narrow("d.domain like ${} escape '!'", contains_);
    }
}

void sql_domains::insert_marks(const model::looked_after& value) {
    for (const auto& [name, mark] : value.marks) {
        const auto by = storable_text(mark.by), text = storable_text(mark.text);
        on_->run("insert into domain_mark (domain, name, at, by_whom, words) values ($1, $2, $3, $4, $5) "
                 "on conflict (domain, name) do nothing",
                 {value.domain, name, mark.at, by, text});
    }
}

std::size_t sql_domains::add_some(std::span<const model::looked_after* const> values, std::string_view who,
                                  std::string_view why, base::utc_seconds now) {
    static const std::string insert = insert_statement();
    std::vector<std::vector<std::string>> texts;
    std::vector<sql::values> with;
    texts.reserve(values.size());
    with.reserve(values.size());
    for (const auto* each : values) {
        auto& own = texts.emplace_back();
        own.reserve(wish_fields().size()); // what is bound stays where it is
        auto& row = with.emplace_back(sql::values{each->domain, now});
        for (const auto& field : wish_fields())
            row.emplace_back(own.emplace_back(field.read(*each)));
    }
    std::vector<const model::looked_after*> fresh;
    on_->query_each(insert, with, [&](std::size_t n, const sql::row&) { fresh.push_back(values[n]); });
    for (const auto* each : fresh) {
        append({.number = 0,
                .at = now,
                .domain = each->domain,
                .who = std::string(who),
                .what = "added",
                .from = {},
                .to = summary(*each),
                .why = std::string(why)});
        insert_labels(*each);
        insert_marks(*each);
    }
    return fresh.size();
}

result<std::size_t> sql_domains::add_all(std::span<const model::looked_after> values, std::string_view who,
                                         base::utc_seconds now) {
    for (const auto& each : values)
        if (auto problem = refused(each))
            return std::unexpected(*problem);
    // In order, so that two who add the same wait in line and not in a circle.
    std::vector<const model::looked_after*> sorted;
    sorted.reserve(values.size());
    for (const auto& each : values)
        sorted.push_back(&each);
    std::ranges::sort(sorted, {},
                      [](const auto* each) { return std::pair(std::string_view(each->domain), each); });
    std::size_t added = 0;
    for (std::span<const model::looked_after* const> left = sorted; !left.empty();) {
        const auto some = left.first(std::min(rows_at_once, left.size()));
        const auto done = writing([&] { return add_some(some, who, "", now); });
        if (!done)
            return std::unexpected(done.error());
        added += *done;
        left = left.subspan(some.size());
    }
    return added;
}

} // namespace mailtight::store
