// SPDX-License-Identifier: Apache-2.0
// The two questions whose rows carry more than sums: kinds of failures with an example of each, and the
// policies that reporters saw.
#include "store/narrowing.h"
#include "store/spans.h"
#include "store/sql_store.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace mailtight::store {
namespace {

constexpr std::size_t addresses_shown = 8;
constexpr std::int64_t details_looked_at = 64; // of the last report, beginning with the example

// `mode: enforce` of a policy text; "" where there is none.
std::string mode_of(const std::vector<std::string>& strings) {
    for (const auto& line : strings) {
        const auto colon = line.find(':');
        if (colon != std::string::npos &&
            base::iequals(base::trim(std::string_view(line).substr(0, colon)), "mode"))
            return base::lower(base::trim(std::string_view(line).substr(colon + 1)));
    }
    return {};
}

void add_some(std::vector<std::string>& to, std::string_view address) {
    if (!address.empty() && to.size() < addresses_shown && std::ranges::find(to, address) == to.end())
        to.emplace_back(address);
}

using failure_kind = std::array<std::int64_t, 6>; // domain, reporter, type, result, reason, mx
using policy_kind = std::array<std::int64_t, 4>;  // domain, type, text, reporter
struct kind_hash {
    template<std::size_t parts>
    std::size_t operator()(const std::array<std::int64_t, parts>& kind) const {
        std::uint64_t mixed = 0;
        for (const auto part : kind)
            mixed = (mixed ^ static_cast<std::uint64_t>(part)) * 0x9e3779b97f4a7c15;
        return mixed ^ mixed >> 32;
    }
};
failure_kind kind_of(const sql::row& r) {
    failure_kind kind{};
    for (int i = 0; i < 6; ++i)
        kind[static_cast<std::size_t>(i)] = r.integer(i);
    return kind;
}
/// Small: there may be hundreds of thousands, of which a hundred are shown.
struct failure_sums {
    std::uint64_t count = 0;
    day first{}, last{};
    std::int64_t example_report = 0, example_policy = 0, example_detail = 0, text = 0;
};
using failure_kinds = std::unordered_map<failure_kind, failure_sums, kind_hash>;

using kind_counts = std::unordered_map<failure_kind, std::uint64_t, kind_hash>;
failure_kind over_reporters(failure_kind kind) {
    kind[1] = 0;
    return kind;
}

/// Every kind of the period with its sessions, over all reporters.
kind_counts count_kinds(sql::connection& on, dictionary& words, const rules& by, const filter& of) {
    kind_counts counts;
    if (!of.domains.empty() || !of.reporters.empty()) {
        auto q = totals_question(on, words, "select t.domain, 0, t.type, t.result, t.reason, t.mx, t.count",
                                 "failure_day", of);
        narrow_failures(q, on, words, of);
        q.ask(on, [&](const sql::row& r) { counts[kind_of(r)] += r.count(6); });
        return counts;
    }
    const auto narrow = [&](question& q) { narrow_failures(q, on, words, of); };
    span_question(on, "t.domain, t.type, t.result, t.reason, t.mx", {"count"}, "failure_span",
                  spans_of(of.from, of.to), narrow)
        .ask(on, [&](const sql::row& r) {
            counts[{r.integer(0), 0, r.integer(1), r.integer(2), r.integer(3), r.integer(4)}] += r.count(5);
        });
    std::unordered_set<std::int64_t> own;
    for (const auto& [name, word] : by.own)
        own.insert(word);
    std::erase_if(counts, [&](const auto& each) { return !own.contains(each.first[0]); });
    return counts;
}

/// The kinds that most sessions met, over all reporters: at most so many.
std::unordered_set<failure_kind, kind_hash> worst_of(const kind_counts& counts, std::size_t most) {
    std::vector<std::pair<std::uint64_t, failure_kind>> order;
    order.reserve(counts.size());
    for (const auto& [kind, count] : counts)
        order.emplace_back(count, kind);
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(most, order.size()));
    std::ranges::nth_element(order, end, std::greater());
    std::unordered_set<failure_kind, kind_hash> kept;
    for (auto at = order.begin(); at != end; ++at)
        kept.insert(at->second);
    return kept;
}

} // namespace

result<std::vector<failure_row>> sql_store::failures(const filter& of) {
    auto all = worst_failures(of, std::numeric_limits<std::size_t>::max());
    if (!all)
        return std::unexpected(all.error());
    return std::move(all->rows);
}

result<worst_failures> sql_store::worst_failures(const filter& of, std::size_t most) {
    return reading([&] {
        auto about = of;
        mailtight::store::worst_failures made;
        std::unordered_set<failure_kind, kind_hash> kept;
        const bool all = most == std::numeric_limits<std::size_t>::max();
        if (!all) { // of many, few are looked at a second time
            learn_rules();
            const auto counts = count_kinds(*on_, words_, rules_, of);
            kept = worst_of(counts, most);
            made.left_out = counts.size() - kept.size();
            if (kept.empty())
                return made;
            std::set<std::string> domains;
            for (const auto& kind : kept)
                domains.insert(words_.text(*on_, kind[0]));
            about.domains.assign(domains.begin(), domains.end());
        }
        auto q =
            totals_question(*on_, words_,
                            "select t.domain, t.reporter, t.type, t.result, t.reason, t.mx, t.day, t.count, "
                            "t.example_report, t.example_policy, t.example_detail, t.text",
                            "failure_day", about);
        narrow_failures(q, *on_, words_, about);
        failure_kinds kinds;
        q.ask(*on_, [&](const sql::row& r) {
            const auto kind = kind_of(r);
            if (!all && !kept.contains(over_reporters(kind)))
                return;
            const auto [found, fresh] = kinds.try_emplace(kind);
            auto& sums = found->second;
            const auto on_day = r.on(6);
            if (fresh || on_day >= sums.last) {
                sums.last = on_day;
                sums.text = r.integer(11);
                sums.example_report = r.integer(8);
                sums.example_policy = r.integer(9);
                sums.example_detail = r.integer(10);
            }
            sums.first = fresh ? on_day : std::min(sums.first, on_day);
            sums.count += r.count(7);
        });

        auto& out = made.rows;
        std::vector<sql::values> examples, reporters;
        for (const auto& [kind, sums] : kinds) {
            auto& row = out.emplace_back();
            row.policy_text = sums.text;
            row.count = sums.count;
            row.first = sums.first;
            row.last = sums.last;
            row.domain = words_.text(*on_, kind[0]);
            row.reporter = words_.text(*on_, kind[1]);
            row.policy_type = words_.text(*on_, kind[2]);
            row.result_type = words_.text(*on_, kind[3]);
            row.reason_code = words_.text(*on_, kind[4]);
            row.mx = words_.text(*on_, kind[5]);
            row.policy_mode = mode_of(read_list(texts_.text(*on_, row.policy_text)));
            examples.push_back({sums.example_report, sums.example_policy, sums.example_detail,
                                sums.example_detail + details_looked_at});
            reporters.push_back({kind[0], kind[1]});
        }
        on_->query_each("select organization from reporter_seen where domain = $1 and reporter = $2",
                        reporters,
                        [&](std::size_t i, const sql::row& r) { out[i].organization = r.string(0); });
        on_->query_each("select report, result_type, reason, mx, sending_ip, receiving_ip from detail "
                        "where report = $1 and policy = $2 and n >= $3 and n < $4 order by n",
                        examples, [&](std::size_t i, const sql::row& r) {
                            auto& row = out[i];
                            if (r.text(1) != row.result_type || r.text(2) != row.reason_code ||
                                r.text(3) != row.mx)
                                return;
                            row.last_report = r.integer(0); // 0 where it has expired
                            add_some(row.sending_ips, r.text(4));
                            add_some(row.receiving_ips, r.text(5));
                        });
        std::ranges::sort(out, [](const failure_row& a, const failure_row& b) {
            return std::tie(b.count, a.domain, a.reporter, a.result_type, a.reason_code, a.mx,
                            a.policy_type) <
                   std::tie(a.count, b.domain, b.reporter, b.result_type, b.reason_code, b.mx, b.policy_type);
        });
        return made;
    });
}

result<std::vector<policy_row>> sql_store::policies(const filter& of) {
    return reading([&] {
        const bool summed = on_->adds_up();
        auto q = totals_question(
            *on_, words_,
            summed ? "select t.domain, t.type, t.text, t.reporter, cast(sum(t.success) as bigint), "
                     "cast(sum(t.failure) as bigint), min(t.day), max(t.day)"
                   : "select t.domain, t.type, t.text, t.reporter, t.success, t.failure, t.day, t.day",
            "policy_day", of);
        if (summed)
            q.text(" group by t.domain, t.type, t.text, t.reporter");
        struct sums {
            std::uint64_t success = 0, failure = 0;
            day first = day::max(), last = day::min();
        };
        std::unordered_map<policy_kind, sums, kind_hash> parts;
        q.ask(*on_, [&](const sql::row& r) {
            auto& part = parts[{r.integer(0), r.integer(1), r.integer(2), r.integer(3)}];
            part.success += r.count(4);
            part.failure += r.count(5);
            part.first = std::min(part.first, r.on(6));
            part.last = std::max(part.last, r.on(7));
        });
        std::map<std::array<std::int64_t, 3>, std::pair<policy_row, std::set<std::int64_t>>> seen;
        for (const auto& [kind, part] : parts) {
            const auto [found, fresh] = seen.try_emplace({kind[0], kind[1], kind[2]});
            auto& [row, reporters] = found->second;
            row.success += part.success;
            row.failure += part.failure;
            row.first = fresh ? part.first : std::min(row.first, part.first);
            row.last = fresh ? part.last : std::max(row.last, part.last);
            reporters.insert(kind[3]);
        }
        std::vector<policy_row> out;
        for (auto& [key, value] : seen) {
            auto& [row, reporters] = value;
            row.domain = words_.text(*on_, key[0]);
            row.type = words_.text(*on_, key[1]);
            row.strings = read_list(texts_.text(*on_, key[2]));
            row.text = key[2];
            for (const auto reporter : reporters)
                row.reporters.push_back(words_.text(*on_, reporter));
            std::ranges::sort(row.reporters);
            out.push_back(std::move(row));
        }
        std::ranges::sort(out, [](const policy_row& a, const policy_row& b) { // the one seen last comes first
            return std::tie(a.domain, b.last, a.type, a.strings) <
                   std::tie(b.domain, a.last, b.type, b.strings);
        });
        return out;
    });
}

} // namespace mailtight::store
