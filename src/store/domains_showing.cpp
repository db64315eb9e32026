// SPDX-License-Identifier: Apache-2.0
// What the table of all domains shows. Looks and plans write the same row, each its half; whoever keeps the
// table in memory follows the change numbers.
#include "store/domain_rows.h"
#include "store/result_rows.h"
#include "store/sql_domains.h"

#include "base/compress.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mailtight::store {
namespace {

constexpr std::size_t document_max = 4u << 20, word_max = 64, text_max = 1'000;

constexpr std::string_view shown_columns =
    "domain, change, looked_at, verdict, mode, parts, errors, warnings, changed, changed_at, next_kind, "
    "next_title, next_state, next_by, next_at";

model::shown read_shown(const sql::row& r) {
    model::shown out;
    out.domain = r.string(0);
    out.change = r.integer(1);
    out.looked_at = r.at(2);
    out.verdict = r.string(3);
    out.mode = r.string(4);
    const auto parts = base::split(r.text(5), ' ');
    const std::array into = {&out.parts.sts_record, &out.parts.policy_file, &out.parts.tlsrpt_record,
                             &out.parts.mail_servers};
    for (std::size_t i = 0; i < std::min(parts.size(), into.size()); ++i)
        *into[i] = parts[i];
    out.errors = r.count(6);
    out.warnings = r.count(7);
    out.changed = r.string(8);
    out.changed_at = r.at(9);
    if (!r.text(10).empty())
        out.next = model::next_step{.kind = r.string(10),
                                    .title = r.string(11),
                                    .state = r.string(12),
                                    .by = r.string(13),
                                    .not_before = r.maybe_at(14)};
    return out;
}

/// One word: several stand in one column.
std::string word(std::string_view text) {
    std::string out = storable_text(std::string(text.substr(0, word_max)));
    std::ranges::replace(out, ' ', '-');
    return out;
}

std::string text(std::string_view of) {
    return storable_text(base::printable(of, text_max));
}

store_error too_large() {
    return {.what = store_error::kind::wrong, .message = "the document of a look is too large"};
}

} // namespace

std::optional<model::shown> sql_domains::shown_row(std::string_view domain) {
    std::optional<model::shown> out;
    on_->query(fmt::format("select {} from domain_shown where domain = $1", shown_columns), {domain},
               [&](const sql::row& r) { out = read_shown(r); });
    return out;
}

// To the end of the transaction: it is not removed meanwhile, and its row not written by another.
bool sql_domains::hold_domain(std::string_view domain) {
    return on_->number(on_->dialect("select 1 from looked_after where domain = $1 {for_update}"), {domain})
        .has_value();
}

void sql_domains::write_shown(model::shown value) {
    const auto& p = value.parts;
    const auto parts = fmt::format("{} {} {} {}", word(p.sts_record), word(p.policy_file),
                                   word(p.tlsrpt_record), word(p.mail_servers));
    const auto next_one = value.next.value_or(model::next_step{});
    const auto verdict = word(value.verdict), mode = word(value.mode), changed = text(value.changed),
               kind = word(next_one.kind), title = text(next_one.title), state = word(next_one.state),
               by = word(next_one.by);
    const auto change = next("shown");
    on_->run("insert into domain_shown (domain, change, looked_at, verdict, mode, parts, errors, warnings, "
             "changed, changed_at, next_kind, next_title, next_state, next_by, next_at) values ($1, $2, $3, "
             "$4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) on conflict (domain) do update set "
             "change = excluded.change, looked_at = excluded.looked_at, verdict = excluded.verdict, "
             "mode = excluded.mode, parts = excluded.parts, errors = excluded.errors, "
             "warnings = excluded.warnings, changed = excluded.changed, changed_at = excluded.changed_at, "
             "next_kind = excluded.next_kind, next_title = excluded.next_title, "
             "next_state = excluded.next_state, next_by = excluded.next_by, next_at = excluded.next_at",
             {value.domain, change, value.looked_at, verdict, mode, parts, value.errors, value.warnings,
              changed, value.changed_at, kind, title, state, by, next_one.not_before});
}

result<void> sql_domains::keep_look(const model::shown& seen, std::string_view document) {
    if (auto problem = refused_domain(seen.domain))
        return std::unexpected(*problem);
    if (document.size() > document_max)
        return std::unexpected(too_large());
    const auto packed = base::gzip(document);
    return writing_lightly([&] {
        if (!hold_domain(seen.domain))
            return;
        auto fresh = seen;
        fresh.next.reset();
        if (auto before = shown_row(seen.domain)) {
            if (before->looked_at > seen.looked_at) // another machine has looked since
                return;
            fresh.next = std::move(before->next);
            if (fresh.changed.empty()) {
                fresh.changed = std::move(before->changed);
                fresh.changed_at = before->changed_at;
            }
        }
        write_shown(std::move(fresh));
        on_->run("insert into domain_look (domain, at, document) values ($1, $2, $3) on conflict (domain) do "
                 "update set at = excluded.at, document = excluded.document",
                 {seen.domain, seen.looked_at, sql::bytes{packed}});
    });
}

result<void> sql_domains::keep_next(std::string_view domain, const std::optional<model::next_step>& next) {
    if (auto problem = refused_domain(domain))
        return std::unexpected(*problem);
    return writing_lightly([&] {
        if (!hold_domain(domain))
            return;
        auto row = shown_row(domain);
        if (row ? row->next == next : !next)
            return;
        if (!row) {
            row.emplace();
            row->domain = domain;
        }
        row->next = next;
        write_shown(std::move(*row));
    });
}

result<std::vector<model::shown>> sql_domains::shown_after(std::int64_t change, std::size_t limit) {
    return reading([&] {
        std::vector<model::shown> out;
        on_->query(fmt::format("select {} from domain_shown where change > $1 order by change limit $2",
                               shown_columns),
                   {from_here("shown", change), std::uint64_t{limit}},
                   [&](const sql::row& r) { out.push_back(read_shown(r)); });
        return out;
    });
}

result<std::optional<model::kept_look>> sql_domains::last_look(std::string_view domain) {
    return reading([&] {
        std::optional<model::kept_look> out;
        on_->query("select at, document from domain_look where domain = $1", {domain},
                   [&](const sql::row& r) {
                       auto open = base::gunzip(r.text(1), {.bytes = document_max, .ratio = 2'000});
                       if (open)
                           out = model::kept_look{.at = r.at(0), .document = std::move(open->bytes)};
                   });
        return out;
    });
}

} // namespace mailtight::store
