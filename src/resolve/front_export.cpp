// SPDX-License-Identifier: Apache-2.0
// DUMP and EXPORT as postfix-tlspol has them, of what is enforced by MTA-STS now, the operator's exceptions
// included. DANE is in neither: it is looked up anew with each destination, and a list would be old at once.
//
// A million policies are seconds of work, and mail servers ask meanwhile: the list is made in slices, a turn
// of the loop each. First the names, slice by slice, each slice in order; then those are merged, and what is
// said of a name is looked up as it goes out.
#include "resolve/front_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <queue>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mailtight::resolve {

namespace {

using namespace std::chrono_literals;
using base::utc_seconds;
using exceptions = std::map<std::string, model::policy_override, std::less<>>;

constexpr std::size_t slice = 500; ///< policies a turn: a millisecond or two

struct listed {
    std::uint64_t given = 0;
    std::string domain;
    friend bool operator<(const listed& a, const listed& b) {
        return a.given != b.given ? a.given > b.given : a.domain < b.domain;
    }
};

bool enforced(const model::kept_policy& one, utc_seconds now) {
    const auto& held = one.state.held;
    return held && held->value.mode == sts::mode::enforce && now <= held->expires_at();
}

/// Those that stand in place of the domain's own policy.
exceptions standing(const front::state& shared, utc_seconds now) {
    exceptions out;
    for (auto& each : shared.source->overrides())
        if (each.holds(now) && each.what != model::policy_override::kind::require)
            out.emplace(each.domain, std::move(each));
    return out;
}

/// How often an answer for the domain was given again from what is ready.
io::task<std::unordered_map<std::string, std::uint64_t>> times_given(std::shared_ptr<front::state> shared) {
    std::unordered_map<std::string, std::uint64_t> given;
    for (std::optional<std::size_t> from = 0; from; co_await shared->loop.sleep_for(0ms))
        from = shared->repeats.some(*from, slice, [&given](const repeat_table::entry& one) {
            given[one.decision->hop.domain] += one.given + 1U;
        });
    co_return given;
}

/// Nothing where no mail server could be told.
std::string said_of(const std::string& domain, const front::state& shared, const exceptions& instead,
                    utc_seconds now) {
    tls_decision made;
    made.what = decision::enforce;
    made.hop = {mail::next_hop::kind::domain, domain, 25};
    if (const auto pin = instead.find(domain); pin != instead.end()) {
        made.policy.emplace();
        made.policy->value.mode = sts::mode::enforce;
        made.policy->value.mx = pin->second.mx;
    } else {
        auto kept = shared.source->kept(domain);
        if (!kept || !enforced(*kept, now))
            return {};
        made.policy = std::move(kept->state.held);
    }
    const reply said = render(dialect::tlspol, made, {});
    return said.what == reply::status::ok ? said.text : std::string();
}

} // namespace

io::task<> list_policies(std::shared_ptr<front::state> shared, std::shared_ptr<answer_queue> queue,
                         std::uint64_t place, listing what) {
    const auto now = shared->clock.now();
    const auto instead = standing(*shared, now);
    std::unordered_map<std::string, std::uint64_t> given;
    if (what == listing::dump)
        given = co_await times_given(shared);
    const auto list = [&given](std::vector<listed>& in, const std::string& domain) {
        const auto at = given.find(domain);
        in.push_back({at == given.end() ? 0 : at->second, domain});
    };

    std::vector<std::vector<listed>> runs(1);
    for (const auto& [domain, exception] : instead)
        if (exception.what == model::policy_override::kind::pin)
            list(runs.back(), domain);
    std::ranges::sort(runs.back(), std::less<>());
    for (std::optional<std::size_t> from = 0; from && queue->open(); co_await shared->loop.sleep_for(0ms)) {
        auto& run = runs.emplace_back();
        from = shared->source->some(*from, slice, [&](const model::kept_policy& one) {
            if (enforced(one, now) && !instead.contains(one.domain))
                list(run, one.domain);
        });
        std::ranges::sort(run, std::less<>());
    }

    using next_of = std::pair<std::size_t, std::size_t>; // the run, and where in it
    const auto later = [&runs](const next_of& a, const next_of& b) {
        return runs[b.first][b.second] < runs[a.first][a.second];
    };
    std::priority_queue<next_of, std::vector<next_of>, decltype(later)> open(later);
    for (std::size_t run = 0; run < runs.size(); ++run)
        if (!runs[run].empty())
            open.emplace(run, 0);
    std::string text;
    for (std::size_t done = 1; !open.empty() && queue->open(); ++done) {
        const auto [run, at] = open.top();
        open.pop();
        const auto& [times, domain] = runs[run][at];
        if (const auto said = said_of(domain, *shared, instead, now); !said.empty())
            text += what == listing::dump ? fmt::format("{:<28}  {:>6}  {}\n", domain, times, said)
                                          : fmt::format("{:<28} {}\n", domain, said);
        if (at + 1 < runs[run].size())
            open.emplace(run, at + 1);
        if (done % slice == 0) {
            queue->part(place, std::exchange(text, {}));
            co_await shared->loop.sleep_for(0ms);
        }
    }
    queue->arrived(place, std::move(text), true);
}

} // namespace mailtight::resolve
