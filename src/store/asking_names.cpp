// SPDX-License-Identifier: Apache-2.0
// Which names reports are about, beside the domains that are ours. The index of `about` is walked from name
// to name, so that a domain with a million reports costs as much as one with a single report.
#include "base/text.h"
#include "store/sql_store.h"

#include <algorithm>
#include <map>

namespace mailtight::store {
namespace {

constexpr std::size_t names_a_page = 1'000;
constexpr std::size_t names_in_all = 1'000'000; ///< that are walked; reports come from anybody
constexpr std::size_t names_given = 100'000;

/// The domain of ours that the name is below: the longest.
const std::string* above(const std::map<std::string, std::size_t, std::less<>>& ours, std::string_view name) {
    while (true) {
        const auto dot = name.find('.');
        if (dot == std::string_view::npos)
            return nullptr;
        name.remove_prefix(dot + 1);
        if (const auto found = ours.find(name); found != ours.end())
            return &found->first;
    }
}

} // namespace

result<std::vector<std::string>> sql_store::names_below(std::span<const std::string> domains, day since,
                                                        std::size_t each) {
    return reading([&] {
        std::map<std::string, std::size_t, std::less<>> ours; // and how many were found below each
        for (const auto& domain : domains)
            ours.emplace(base::lower(domain), 0);
        std::vector<std::string> out;
        std::string last;
        std::size_t walked = 0, page = names_a_page;
        while (!ours.empty() && page == names_a_page && walked < names_in_all && out.size() < names_given) {
            std::vector<std::string> names;
            on_->query("with recursive step(name) as (select min(domain) from about where domain > $1 "
                       "union all select (select min(a.domain) from about a where a.domain > step.name) "
                       "from step where step.name is not null) "
                       "select name from step where name is not null limit " +
                           std::to_string(names_a_page),
                       {last}, [&](const sql::row& r) { names.push_back(r.string(0)); });
            page = names.size();
            walked += page;
            if (!names.empty())
                last = names.back();
            for (auto& name : names) {
                const auto* domain = ours.contains(name) ? nullptr : above(ours, name);
                if (!domain || ours[*domain] >= each)
                    continue;
                // A test report (state 3) says only that the way works.
                if (on_->number("select 1 from about a join report r on r.id = a.report where a.domain = $1 "
                                "and a.day >= $2 and r.trust >= $3 and r.state <> 3 limit 1",
                                {name, static_cast<std::int64_t>(since.time_since_epoch().count()),
                                 static_cast<std::int64_t>(model::trust::authorised)})) {
                    ++ours[*domain];
                    out.push_back(std::move(name));
                }
            }
        }
        std::ranges::sort(out);
        return out;
    });
}

result<touched> store::touched_after(report_number) {
    return touched{};
}

result<touched> sql_store::touched_after(report_number after) {
    return reading([&] {
        touched out;
        out.newest = on_->number("select max(id) from report").value_or(0);
        out.rules = on_->number("select value from setting where name = 'generation'").value_or(0);
        if (out.newest > after)
            on_->query("select distinct o.name from policy_result p join own_domain o on o.word = p.owner "
                       "where p.report > $1",
                       {after}, [&](const sql::row& r) { out.domains.push_back(r.string(0)); });
        return out;
    });
}

} // namespace mailtight::store
