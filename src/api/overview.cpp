// SPDX-License-Identifier: Apache-2.0
#include "api/overview.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>

namespace mailtight::api {

namespace {

/// So many failed sessions in a hundred are worth a look, and never fewer than this many.
constexpr std::uint64_t failed_percent = 1, failed_least = 10;
constexpr std::size_t limit_most = 1'000;

day_sessions sum_of(const day_series& series) {
    day_sessions all;
    for (const auto& each : series) {
        all.success += each.success;
        all.failure += each.failure;
    }
    return all;
}

bool fails_often(const day_sessions& of) {
    const double all = static_cast<double>(of.success) + static_cast<double>(of.failure);
    return of.failure >= failed_least &&
           static_cast<double>(of.failure) * 100 >= all * static_cast<double>(failed_percent);
}

/// Worst first, as a person goes through them.
int rank_of(std::string_view verdict) {
    constexpr auto order = std::to_array<std::string_view>(
        {"broken", "absent", "unreachable", "unverified", "unseen", "retiring", "testing", "protected"});
    return static_cast<int>(std::ranges::find(order, verdict) - order.begin());
}

/// What a person is to do now comes first, nothing to do last.
int rank_of(const std::optional<model::next_step>& next) {
    if (!next)
        return 3;
    if (next->state == "now")
        return next->by == "person" ? 0 : 1;
    return 2;
}

bool is_state(const overview_row& row, overview_state state) {
    switch (state) {
    case overview_state::all:
        return true;
    case overview_state::attention:
        return wants_attention(row);
    case overview_state::protected_:
        return row.verdict == "protected";
    case overview_state::testing:
        return row.verdict == "testing";
    case overview_state::broken:
        return row.verdict == "broken";
    case overview_state::absent:
        return row.verdict == "absent";
    case overview_state::unseen:
        return row.verdict == "unseen";
    }
    return false;
}

/// Less by what is asked for, alike decided by the name, which always goes up.
template<class Key>
void order_by(overview_rows& rows, const overview_question& which, Key key) {
    const auto less = [&](const auto& a, const auto& b) {
        const auto x = key(*a), y = key(*b);
        if (x != y)
            return which.down ? y < x : x < y;
        return a->domain < b->domain;
    };
    const auto wanted = std::min(rows.size(), which.offset + which.limit);
    std::ranges::partial_sort(rows, rows.begin() + static_cast<std::ptrdiff_t>(wanted), less);
}

void sort_rows(overview_rows& rows, const overview_question& which) {
    switch (which.sort) {
    case overview_sort::domain:
        if (which.down)
            std::ranges::reverse(rows);
        return;
    case overview_sort::verdict:
        return order_by(rows, which, [](const overview_row& row) { return rank_of(row.verdict); });
    case overview_sort::failures:
        return order_by(rows, which, [](const overview_row& row) { return row.sessions.failure; });
    case overview_sort::sessions:
        return order_by(rows, which,
                        [](const overview_row& row) { return row.sessions.success + row.sessions.failure; });
    case overview_sort::seen:
        return order_by(rows, which,
                        [](const overview_row& row) { return row.seen_at.value_or(base::utc_seconds{}); });
    case overview_sort::next:
        return order_by(rows, which, [](const overview_row& row) {
            return std::pair(rank_of(row.next),
                             row.next && row.next->not_before ? *row.next->not_before : base::utc_seconds{});
        });
    }
}

std::optional<overview_state> parse_state(std::string_view word) {
    using enum overview_state;
    for (const auto each : {all, attention, protected_, testing, broken, absent, unseen})
        if (to_string(each) == word)
            return each;
    return {};
}

std::optional<overview_sort> parse_sort(std::string_view word) {
    using enum overview_sort;
    constexpr auto words = std::to_array<std::pair<std::string_view, overview_sort>>({{"domain", domain},
                                                                                      {"verdict", verdict},
                                                                                      {"failures", failures},
                                                                                      {"sessions", sessions},
                                                                                      {"seen", seen},
                                                                                      {"next", next}});
    const auto* const found =
        std::ranges::find(words, word, &std::pair<std::string_view, overview_sort>::first);
    return found == words.end() ? std::nullopt : std::optional(found->second);
}

std::size_t number_of(std::string_view digits) { // read_query() has seen to it that they are few, and digits
    std::size_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

} // namespace

std::string_view to_string(light l) {
    switch (l) {
    case light::good:
        return "good";
    case light::attention:
        return "attention";
    case light::bad:
        return "bad";
    case light::unknown:
        break;
    }
    return "unknown";
}

std::string_view to_string(overview_state s) {
    switch (s) {
    case overview_state::all:
        return "all";
    case overview_state::attention:
        return "attention";
    case overview_state::protected_:
        return "protected";
    case overview_state::testing:
        return "testing";
    case overview_state::broken:
        return "broken";
    case overview_state::absent:
        return "absent";
    case overview_state::unseen:
        break;
    }
    return "unseen";
}

bool wants_attention(const overview_row& row) {
    if (row.verdict == "broken")
        return true;
    if (row.verdict == "unseen" || row.verdict == "unreachable")
        return false;
    if (row.aim == model::aim::off) // what is not there is not wanted
        return false;
    if (row.verdict == "absent")
        return true;
    const auto& p = row.parts;
    return std::ranges::any_of(
        std::array{&p.sts_record, &p.policy_file, &p.tlsrpt_record, &p.mail_servers},
        [](const std::string* part) { return *part == "invalid" || *part == "missing"; });
}

light light_of(const overview_row& row) {
    if (row.verdict == "unseen" || row.verdict == "unreachable")
        return light::unknown;
    if (row.verdict == "broken")
        return light::bad;
    if (row.aim == model::aim::off && (row.verdict == "absent" || row.verdict == "retiring"))
        return light::good;
    if (row.verdict != "protected" || row.errors > 0 || wants_attention(row) || fails_often(row.sessions))
        return light::attention;
    return light::good;
}

overview_row make_row(const model::looked_after& wish, const model::shown* seen, day_series series) {
    overview_row row;
    row.verdict = "unseen";
    row.parts = {"not-tested", "not-tested", "not-tested", "not-tested"};
    row = with_wish(std::move(row), wish);
    if (seen)
        row = with_seen(std::move(row), *seen);
    return with_days(std::move(row), std::move(series));
}

overview_row with_wish(overview_row row, const model::looked_after& wish) {
    row.domain = wish.domain;
    row.owner = wish.owner;
    row.labels = wish.labels;
    row.aim = wish.aim;
    row.light = light_of(row);
    return row;
}

overview_row with_seen(overview_row row, const model::shown& seen) {
    row.next = seen.next;
    if (seen.looked_at != base::utc_seconds{}) {
        row.verdict = seen.verdict;
        row.mode = seen.mode;
        row.parts = seen.parts;
        row.errors = seen.errors;
        row.warnings = seen.warnings;
        row.seen_at = seen.looked_at;
        row.changed = seen.changed;
        row.changed_at = seen.changed_at;
    }
    row.light = light_of(row);
    return row;
}

overview_row with_days(overview_row row, day_series series) {
    row.sessions = sum_of(series);
    row.series = std::move(series);
    row.light = light_of(row);
    return row;
}

std::expected<overview_question, std::string> read_question(const std::map<std::string, std::string>& query) {
    overview_question out;
    const auto get = [&query](const char* name) -> std::string_view {
        const auto found = query.find(name);
        return found == query.end() ? std::string_view() : std::string_view(found->second);
    };
    out.contains = base::lower(get("contains"));
    out.label = get("label");
    if (const auto word = get("state"); !word.empty()) {
        const auto state = parse_state(word);
        if (!state)
            return std::unexpected(fmt::format("state '{}': it takes all, attention, protected, testing, "
                                               "broken, absent or unseen",
                                               base::printable(word, 60)));
        out.state = *state;
    }
    if (const auto word = get("sort"); !word.empty()) {
        const auto sort = parse_sort(word);
        if (!sort)
            return std::unexpected(
                fmt::format("sort '{}': it takes domain, verdict, failures, sessions, seen or next",
                            base::printable(word, 60)));
        out.sort = *sort;
    }
    if (const auto word = get("order"); !word.empty()) {
        if (word != "up" && word != "down")
            return std::unexpected(fmt::format("order '{}': it takes up or down", base::printable(word, 60)));
        out.down = word == "down";
    }
    out.offset = number_of(get("offset"));
    if (const auto word = get("limit"); !word.empty())
        out.limit = number_of(word);
    if (out.limit == 0 || out.limit > limit_most)
        return std::unexpected(fmt::format("limit: it takes 1 to {}", limit_most));
    return out;
}

overview_page pick(std::span<const std::shared_ptr<const overview_row>> rows,
                   const overview_question& which) {
    overview_page out;
    overview_rows fit;
    fit.reserve(rows.size());
    for (const auto& row : rows) {
        if (which.owner && row->owner != *which.owner)
            continue;
        if (!which.contains.empty() && row->domain.find(which.contains) == std::string::npos)
            continue;
        if (!which.label.empty() && std::ranges::find(row->labels, which.label) == row->labels.end())
            continue;
        for (std::size_t i = 0; i < out.counts.size(); ++i)
            out.counts[i] += is_state(*row, static_cast<overview_state>(i)) ? 1 : 0;
        if (is_state(*row, which.state))
            fit.push_back(row);
    }
    out.total = fit.size();
    sort_rows(fit, which);
    const auto from = std::min(fit.size(), which.offset), to = std::min(fit.size(), from + which.limit);
    out.rows.assign(std::make_move_iterator(fit.begin() + static_cast<std::ptrdiff_t>(from)),
                    std::make_move_iterator(fit.begin() + static_cast<std::ptrdiff_t>(to)));
    return out;
}

std::map<std::string, std::size_t> labels_of(std::span<const std::shared_ptr<const overview_row>> rows,
                                             const std::optional<std::string>& owner) {
    std::map<std::string, std::size_t> out;
    for (const auto& row : rows)
        if (!owner || row->owner == *owner)
            for (const auto& label : row->labels)
                ++out[label];
    return out;
}

} // namespace mailtight::api
