// SPDX-License-Identifier: Apache-2.0
// Whatever is published, withdrawn, seen and missed in whatever order, the log of served policies says what a
// naive account of it says, until when senders may hold a policy never comes out earlier than the naive
// answer, and the past never gets shorter. In both engines.
#include "support/proves.h"
#include "unit/store/domain_fixture.h"

#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace mailtight::store {
namespace {
using namespace domain_tests;

const std::vector<std::string> bodies{body_of("testing", 604'800), body_of("enforce", 1'209'600),
                                      body_of("enforce", 31'557'600), body_of("none", 86'400)};
const std::map<std::string, std::int64_t> ages{
    {bodies[0], 604'800}, {bodies[1], 1'209'600}, {bodies[2], 31'557'600}, {bodies[3], 86'400}};

/// What senders could fetch, by body, knowing nothing of entries.
struct account {
    std::string published;                     ///< by our hosts
    std::set<std::string> elsewhere;           ///< seen at a look, and not missed since
    std::map<std::string, std::int64_t> until; ///< the latest time that it was there, of those no longer

    bool open(const std::string& body) const { return body == published || elsewhere.contains(body); }
    void reach(const std::string& body, std::int64_t when) {
        auto& last = until.try_emplace(body, when).first->second;
        last = std::max(last, when);
    }
    void publish(const std::string& body, std::int64_t when) {
        if (published == body)
            return;
        if (!published.empty()) {
            reach(published, when + lag.count());
            elsewhere.erase(published);
        }
        published = body;
        if (!body.empty())
            reach(body, when);
    }
    void miss(std::int64_t when, const std::string& but = "") {
        for (const auto& body : std::set(elsewhere))
            if (body != but && body != published) {
                reach(body, when);
                elsewhere.erase(body);
            }
    }
    void see(const std::string& body, bool ours, std::int64_t when) {
        miss(when, body);
        if (open(body))
            return;
        const bool known = until.contains(body);
        if (ours && known && until.at(body) >= when)
            return; // our hosts, within the lag
        reach(body, when);
        if (!known || !ours || published.empty()) // else a stale copy of ours, somewhere
            elsewhere.insert(body);
    }
    std::int64_t held_until(std::int64_t now) const {
        std::int64_t out = 0;
        for (const auto& [body, last] : until)
            out = std::max(out, (open(body) ? now : last) + ages.at(body));
        return out;
    }
};

std::int64_t held_until(const std::vector<model::served_policy>& log, std::int64_t now) {
    std::int64_t out = 0;
    for (const auto& each : log) {
        const bool open = std::ranges::any_of(
            log, [&](const auto& other) { return other.body == each.body && !other.last_served; });
        const auto last = open ? now : (*each.last_served - at(0)).count();
        out = std::max(out, last + static_cast<std::int64_t>(each.max_age));
    }
    return out;
}

// An entry is never taken away, and nothing of it shrinks.
void past_is_kept(const std::vector<model::served_policy>& before,
                  const std::vector<model::served_policy>& now, std::vector<base::utc_seconds>& reached) {
    RC_ASSERT(now.size() >= before.size());
    reached.resize(now.size());
    for (std::size_t i = 0; i < now.size(); ++i) {
        if (now[i].last_served) {
            RC_ASSERT(*now[i].last_served >= reached[i]);
            RC_ASSERT(*now[i].last_served >= now[i].first_served);
            reached[i] = *now[i].last_served;
        }
        if (i >= before.size())
            continue;
        RC_ASSERT(now[i].body == before[i].body);
        RC_ASSERT(now[i].first_served == before[i].first_served);
        RC_ASSERT(now[i].ours || !before[i].ours);
        RC_ASSERT(now[i].ids.size() >= before[i].ids.size());
        RC_ASSERT(std::equal(before[i].ids.begin(), before[i].ids.end(), now[i].ids.begin()));
    }
}

domain_store& store_of(engine of) {
    struct opened {
        database db;
        std::unique_ptr<domain_store> kept;
        explicit opened(engine e)
            : db(e)
            , kept(std::move(*open_domains({.where = db.where(), .relaxed = true}))) {}
    };
    static opened sqlite(engine::sqlite), postgres(engine::postgres);
    return of == engine::sqlite ? *sqlite.kept : *postgres.kept;
}

// `skew`: how far back the clock of one machine is behind another's.
void any_sequence_gives_the_naive_account(engine of, std::int64_t skew) {
    auto& kept = store_of(of);
    static int runs = 0; // each with a domain of its own, which nothing was said of before
    const auto domain = "d" + std::to_string(++runs) + ".example";
    const auto held = **kept.take_lease("plan/" + domain, "m", hour);
    account naive;
    std::vector<model::served_policy> before;
    std::vector<base::utc_seconds> reached;
    std::int64_t now = 0;
    for (int step = *rc::gen::inRange(1, 30); step > 0; --step) {
        now += *rc::gen::element<std::int64_t>(0, 1, 4, 6, 100, 100'000);
        const auto when =
            skew > 0 ? std::max<std::int64_t>(0, now - *rc::gen::inRange<std::int64_t>(0, skew)) : now;
        const auto& body = *rc::gen::elementOf(bodies);
        const auto id = *rc::gen::element<std::string>("", "1", "2", "3");
        switch (*rc::gen::inRange(0, 8)) {
        case 0:
        case 1:
        case 2:
            RC_ASSERT(
                kept.publish({.domain = domain, .body = body, .id = id, .since = at(when)}, held, "m", lag)
                    .value_or(false));
            naive.publish(body, when);
            break;
        case 3:
            RC_ASSERT(
                kept.publish({.domain = domain, .body = "", .id = "", .since = at(when)}, held, "m", lag)
                    .value_or(false));
            naive.publish("", when);
            break;
        case 4:
            RC_ASSERT(kept.seen_gone(domain, at(when)).has_value());
            naive.miss(when);
            break;
        default: {
            const bool ours = *rc::gen::arbitrary<bool>();
            RC_ASSERT(kept.seen_served(domain, body, id, ours, at(when)).has_value());
            naive.see(body, ours, when);
        }
        }
        const auto log = *kept.served(domain);
        past_is_kept(before, log, reached);
        before = log;
        if (skew > 0)
            continue; // then the account depends on whose clock is right
        RC_ASSERT(held_until(log, now) == naive.held_until(now));
        std::map<std::string, std::int64_t> until;
        std::map<std::string, int> open;
        for (const auto& each : log)
            if (each.last_served)
                until[each.body] = std::max(until[each.body], (*each.last_served - at(0)).count());
            else
                ++open[each.body];
        for (const auto& [each, last] : naive.until) {
            RC_ASSERT(open[each] == (naive.open(each) ? 1 : 0));
            if (!naive.open(each))
                RC_ASSERT(until[each] == last);
        }
    }
}

RC_GTEST_PROP(served_property, sqlite_log_is_the_naive_account, ()) {
    PROVES("8461-8.3-a");
    any_sequence_gives_the_naive_account(engine::sqlite, 0);
}
RC_GTEST_PROP(served_property, postgres_log_is_the_naive_account, ()) {
    any_sequence_gives_the_naive_account(engine::postgres, 0);
}
RC_GTEST_PROP(served_property, clocks_that_differ_make_no_past_shorter, ()) {
    any_sequence_gives_the_naive_account(engine::sqlite, 200);
}

} // namespace
} // namespace mailtight::store
