// SPDX-License-Identifier: Apache-2.0
// Any sequence of events against an oracle that remembers the plain facts: which fetch succeeded when, which
// failed when, and what the record said when each began.
#include "sending_world.h"

#include "support/proves.h"

#include <rapidcheck/gtest.h>

#include <map>

namespace mailtight::sts::tests {
namespace {

using base::utc_seconds;

record_sighting any_record() {
    const auto ttl = *rc::gen::element<std::uint32_t>(0, 30, 60, 120, 300, 900, 86'400, 0xffff'ffff);
    switch (*rc::gen::inRange(0, 8)) {
    case 0:
        return no_record(record_sighting::kind::none, ttl);
    case 1:
        return no_record(record_sighting::kind::multiple, ttl);
    case 2:
        return no_record(record_sighting::kind::invalid, ttl);
    case 3:
        return dns_error();
    default:
        return record_with(*rc::gen::element<std::string>("1", "2", "3"), ttl);
    }
}
policy_sighting any_answer() {
    if (*rc::gen::inRange(0, 3) == 0)
        return broken(static_cast<policy_fault>(*rc::gen::inRange(0, 3)));
    const auto max_age =
        *rc::gen::element<std::uint64_t>(0, 3, 60, 1000, 86'400, 604'800, 31'557'600, 9'999'999'999);
    // Every body is another one, so that one policy cannot be taken for another.
    static std::uint64_t serial = 0;
    return served(static_cast<mode>(*rc::gen::inRange(0, 3)), max_age, fmt::format("mx{}.example", ++serial));
}
seconds any_wait() {
    return seconds(*rc::gen::element(0, 1, 5, 29, 30, 31, 59, 60, 61, 299, 300, 301, 900, 3600, 43'200,
                                     86'400, 604'800, 700'000, 31'557'600));
}

/// The world, and what must be true of it.
struct checked_world : sending_world {
    struct good_fetch {
        std::string body, id;
        utc_seconds at, end;
    };
    std::optional<good_fetch> good;
    std::map<std::string, utc_seconds> failed; ///< by the id for which the fetch was begun
    std::optional<std::string> begun_for;
    std::optional<utc_seconds> end_before; ///< of the held policy, as it was said before this event

    checked_world() {
        fetch_begins = [this] {
            const auto& seen = state.record; // the latest look
            const auto id = seen.what == record_sighting::kind::valid ? seen.id : "";
            begun_for = id;
            if (const auto before = failed.find(id); before != failed.end())
                RC_ASSERT(now - before->second >= fetch_pause); // 8461-3.3-l
        };
    }
    /// The fetch under way ends, if there is one: the oracle's view of it.
    void note_end(const policy_sighting& answer) {
        const auto id = *std::exchange(begun_for, std::nullopt);
        if (!answer.value) {
            failed[id] = now;
            return;
        }
        failed.clear();
        if (id.empty() && !state.held)
            return; // nobody asked for it any more: neither record nor policy
        RC_ASSERT(!id.empty() || good);
        const auto life = seconds(static_cast<std::int64_t>(answer.value->effective_max_age()));
        good = good_fetch{answer.body, id.empty() ? good->id : id, now, now + life};
    }
    void check() const {
        const auto stands = this->stands();
        const bool lives = good && now <= good->end;
        if (lives) { // 8461-3.3-p, 8461-3.1-q: never lost
            RC_ASSERT(stands.what == standing::kind::policy);
            RC_ASSERT(stands.held->body == good->body);
            RC_ASSERT(stands.held->id == good->id);
            RC_ASSERT(stands.held->expires_at() == good->end); // 8461-3.2-h, A12
            RC_ASSERT(!on_use(state, now).answer_waits);
            RC_ASSERT(!worthless(state, now));
        } else if (!good || now > std::max(good->end, good->at + look_up_lasts)) {
            RC_ASSERT(stands.what != standing::kind::policy); // and never kept beyond its life
            RC_ASSERT(!deserves_alarm(state, now));
        }
        RC_ASSERT((stands.held != nullptr) == (stands.what == standing::kind::policy));
        if (stands.held && stands.held->value.mode == mode::none)
            RC_ASSERT(!stands.fault && !deserves_alarm(state, now)); // 8461-6-b, 8461-3.3-r
        if (on_use(state, now).what == ask::nothing)
            RC_ASSERT(under_way || stands.what != standing::kind::unknown);
        RC_ASSERT(on_use(state, now).what != ask::policy);
    }
};

/// One event.
void happen(checked_world& world) {
    const auto end_fetch = [&] {
        if (world.under_way)
            world.fetch_ends();
    };
    switch (*rc::gen::inRange(0, 9)) {
    case 0:
    case 1:
        world.record = any_record();
        break;
    case 2:
    case 3:
        world.policy = any_answer();
        break;
    case 4:
        world.wait(any_wait());
        break;
    case 5:
        world.run(any_wait());
        break;
    case 6:
        world.delivery_fails();
        break;
    case 7:
        world.fetches_wait = *rc::gen::inRange(0, 4) == 0;
        if (!world.fetches_wait)
            end_fetch();
        break;
    default:
        world.use();
        world.check();
        if (!world.under_way) { // the same question at the same moment asks nobody again
            const auto looks = world.looks, fetches = world.fetches;
            world.use();
            RC_ASSERT(world.looks == looks && world.fetches == fetches);
        }
    }
}

RC_GTEST_PROP(resolution_model, keeps_its_promises_whatever_happens, ()) {
    PROVES("8461-3.1-q", "8461-3.2-h", "8461-3.3-l", "8461-3.3-p", "8461-3.3-r", "A12", "A13");
    checked_world world;
    world.fetch_over = [&](const policy_sighting& answer) { world.note_end(answer); };
    const int events = *rc::gen::inRange(0, 150);
    for (int i = 0; i < events; ++i) {
        happen(world);
        world.check();
    }
    // However it went: once the domain is in order, a policy that is used is held and stays.
    world.fetches_wait = false;
    world.fetch_ends();
    world.record = record_with("9");
    world.policy = served(mode::enforce, 604'800, "last.example");
    world.wait(hours(1));
    world.use();
    RC_ASSERT((world.stands().held && world.stands().held->id == "9"));
    world.run(days(60));
    RC_ASSERT((world.stands().held && world.now - world.stands().held->fetched_at <= days(1)));
}

RC_GTEST_PROP(resolution_model, a_refresh_is_planned_in_time_and_at_no_fixed_time, ()) {
    PROVES("8461-3.3-q");
    sending_world world;
    world.record = record_with("1");
    world.policy = served(mode::enforce, static_cast<std::uint64_t>(*rc::gen::inRange(0, 40'000'000)));
    world.dice = *rc::gen::arbitrary<std::uint64_t>();
    world.use();
    const auto life = world.state.held->expires_at() - world.now;
    const auto wait = world.state.refresh_at - world.now;
    if (life < seconds(600)) {
        RC_ASSERT(world.state.refresh_at == utc_seconds{});
    } else {
        RC_ASSERT(wait >= fetch_pause);
        RC_ASSERT(wait <= life / 2);
        RC_ASSERT(wait <= days(1));
        RC_ASSERT(life < days(2) || wait >= hours(12));
    }
}

RC_GTEST_PROP(resolution_model, a_clock_that_goes_back_does_no_harm, ()) {
    PROVES("8461-3.2-h", "8461-3.3-p");
    sending_world world;
    for (int i = 0; i < 30; ++i) {
        world.record = any_record();
        world.policy = any_answer();
        world.use();
        const bool held_before = world.stands().held != nullptr;
        world.now -= any_wait();
        RC_ASSERT(!held_before || world.stands().held); // never lost
        world.policy = broken();
        world.record = dns_error();
        world.use();
        world.now += seconds(301); // whatever pause there was: a look is made now
        world.use();
        if (const auto& held = world.state.held) {
            const auto life = seconds(static_cast<std::int64_t>(held->value.effective_max_age()));
            RC_ASSERT(held->expires_at() <= world.now + life); // and never kept longer than its max_age
        }
        world.now += any_wait();
    }
}

} // namespace
} // namespace mailtight::sts::tests
