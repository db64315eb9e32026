// SPDX-License-Identifier: Apache-2.0
#include "app/handed_in.h"

#include "store/domains.h"
#include "store/judge.h"

#include <map>
#include <memory>

namespace mailtight::app {

namespace {

constexpr std::size_t reports_asked = 1'000, domains_asked = 1'000; ///< in one batch

/// What is known of a report after it was judged again.
struct verdict {
    std::string state, why;
};
using verdicts = std::map<store::report_number, verdict>;

/// Those of the domains named in these reports that are looked after.
store::result<std::vector<std::string>> looked_after_in(store::store& from, const std::string& place,
                                                        const verdicts& reports) {
    std::vector<std::string> found;
    auto domains = store::open_domains({.where = place, .read_only = true, .create = false});
    if (!domains && domains.error().what == store::store_error::kind::nothing)
        return found; // nobody ever added one
    if (!domains)
        return std::unexpected(domains.error());
    std::map<std::string, bool, std::less<>> asked;
    for (const auto& [number, of] : reports) {
        const auto one = from.show(number);
        if (!one)
            return std::unexpected(one.error());
        if (!*one)
            continue;
        for (auto& name : store::domains_named((*one)->report)) {
            if (asked.size() >= domains_asked || asked.contains(name))
                continue;
            const auto there = (*domains)->find(name);
            if (!there)
                return std::unexpected(there.error());
            if (there->has_value())
                found.push_back(name);
            asked.emplace(std::move(name), true);
        }
    }
    return found;
}

store::result<void> count_again(store::store& in, const std::string& place, verdicts& reports,
                                base::utc_seconds now) {
    const auto ours = looked_after_in(in, place, reports);
    if (!ours)
        return std::unexpected(ours.error());
    if (ours->empty())
        return {};
    if (auto added = in.add_domains(*ours, now); !added)
        return added;
    for (auto& [number, of] : reports) {
        const auto one = in.show(number);
        if (!one)
            return std::unexpected(one.error());
        if (*one)
            of = {(*one)->row.state, (*one)->row.why};
    }
    return {};
}

} // namespace

io::task<bool> count_handed_in(intake::keeper& into, std::string place, std::vector<imported>& kept,
                               base::utc_seconds now) {
    using fate = store::add_outcome::fate;
    const auto reports = std::make_shared<verdicts>();
    for (const auto& one : kept)
        for (const auto& outcome : one.kept.outcomes)
            if (outcome.what == fate::quarantined && outcome.why == store::why::not_ours &&
                reports->size() < reports_asked)
                reports->emplace(outcome.number, verdict{});
    if (reports->empty())
        co_return false;
    const auto done = co_await into.write([reports, place = std::move(place), now](store::store& in) {
        return count_again(in, place, *reports, now);
    });
    bool any = false;
    if (!done)
        co_return any;
    for (auto& one : kept)
        for (auto& outcome : one.kept.outcomes) {
            const auto found = reports->find(outcome.number);
            if (found == reports->end() || found->second.state.empty())
                continue;
            any = true;
            if (found->second.state == store::to_string(store::state::counted))
                outcome.what = fate::added;
            outcome.why = found->second.why;
        }
    co_return any;
}

} // namespace mailtight::app
