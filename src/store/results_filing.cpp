// SPDX-License-Identifier: Apache-2.0
// What is owed becomes a report, or is dropped: several at once, in one transaction. Who files holds the rows
// of what is owed, so that nothing is counted into their results meanwhile.
#include "store/sql_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace mailtight::store {
namespace {

auto key(const model::due_report& due) {
    return std::tuple(due.day, number_of(due.audience), std::string_view(due.domain));
}
bool of_recipient(const model::due_report& due) {
    return due.audience == model::report_audience::recipient_domain;
}
std::uint64_t sessions_of(std::span<const model::counted_result> results) {
    std::uint64_t out = 0;
    for (const auto& each : results)
        out += each.success + each.failure;
    return out;
}
// What marks results that nobody wanted: another one each time, as the number of a report is.
std::int64_t dropped(const model::due_report& due) {
    return -due.fence;
}

} // namespace

// In the order in which who counts takes them.
std::vector<sql_results::filing> sql_results::hold(std::span<const model::due_report> all) {
    std::vector<filing> asked;
    for (std::size_t i = 0; i < all.size(); ++i)
        asked.push_back({.due = &all[i], .which = i, .results = {}});
    std::ranges::sort(asked, {}, [](const filing& f) { return key(*f.due); });
    std::vector<sql::values> with;
    for (const auto& each : asked)
        with.push_back({number_of(each.due->day), number_of(each.due->audience), each.due->domain});
    std::vector<filing> ours;
    on_->query_each(on_->dialect("select fence from report_due where day = $1 and audience = $2 and "
                                 "domain = $3 {for_update}"),
                    with, [&](std::size_t n, const sql::row& r) {
                        if (r.integer(0) == asked[n].due->fence)
                            ours.push_back(std::move(asked[n]));
                    });
    return ours;
}

void sql_results::settle(std::span<const filing> all) {
    std::int64_t sessions = 0;
    for (const auto& each : all) {
        const auto& due = *each.due;
        on_->run(of_recipient(due)
                     ? "update sent_result set report = $3 where day = $1 and domain = $2 and report = 0"
                     : "update sent_result set base_report = $3 where day = $1 and base = $2 and base <> '' "
                       "and base_report = 0",
                 {number_of(due.day), due.domain, each.number != 0 ? each.number : dropped(due)});
        on_->run("delete from report_due where day = $1 and audience = $2 and domain = $3",
                 {number_of(due.day), number_of(due.audience), due.domain});
        if (of_recipient(due))
            sessions += static_cast<std::int64_t>(sessions_of(each.results));
    }
    if (sessions > 0)
        grow("unreported", -sessions);
}

result<std::vector<std::optional<std::int64_t>>> sql_results::file_all(std::span<const model::due_report> all,
                                                                       const make_each& make) {
    return writing([&] {
        auto ours = hold(all);
        read_unreported(ours);
        std::vector<sql::values> with;
        for (const auto& each : ours)
            with.push_back({each.due->domain, number_of(each.due->day), number_of(each.due->audience)});
        on_->query_each("select max(part) + 1 from outbox_report where domain = $1 and day = $2 and "
                        "audience = $3",
                        with, [&](std::size_t n, const sql::row& r) {
                            if (!r.null(0))
                                ours[n].part = r.integer(0);
                        });
        std::vector<model::outgoing_report> made;
        std::vector<filing*> of;
        for (auto& each : ours) {
            auto report = each.results.empty()
                              ? std::nullopt
                              : make(*each.due, each.results, static_cast<std::uint32_t>(each.part));
            if (!report)
                continue;
            report->day = each.due->day;
            report->domain = each.due->domain;
            report->audience = each.due->audience;
            report->part = static_cast<std::uint32_t>(each.part);
            made.push_back(std::move(*report));
            of.push_back(&each);
        }
        put_into_outbox(made);
        std::vector<std::optional<std::int64_t>> numbers(all.size());
        for (std::size_t i = 0; i < made.size(); ++i)
            numbers[of[i]->which] = of[i]->number = made[i].number;
        settle(ours);
        return numbers;
    });
}

result<std::optional<std::int64_t>> sql_results::file(const model::due_report& due, const make_report& make) {
    auto done = file_all(std::span(&due, 1), [&](const model::due_report&, auto results, std::uint32_t part) {
        return make(results, part);
    });
    if (!done)
        return std::unexpected(done.error());
    return done->front();
}

result<void> sql_results::drop_due(const model::due_report& due) {
    return drop_all(std::span(&due, 1));
}

result<void> sql_results::drop_all(std::span<const model::due_report> all) {
    return writing([&] {
        auto ours = hold(all);
        read_unreported(ours);
        settle(ours);
    });
}

} // namespace mailtight::store
