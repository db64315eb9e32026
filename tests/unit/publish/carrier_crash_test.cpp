// SPDX-License-Identifier: Apache-2.0
// A process that dies at any moment, over the real database: whoever goes on ends where it would have ended,
// nothing half done is visible, and no id is used for two policies. And two machines over one database: the
// one that froze wakes up and changes nothing.
#include "carrier_world.h"
#include "little_plan.h"
#include "support/postgres.h"
#include "support/proves.h"
#include "support/scratch.h"

#include <set>
#include <thread>

namespace mailtight::publish {
namespace {

using namespace tests;
using testing::HasSubstr;

const std::string domain = "a.example";

/// A database of its own, gone at the end.
class domain_database {
public:
    explicit domain_database(bool postgres = false) {
        if (postgres)
            name_ = private_postgres::create_database();
    }
    ~domain_database() {
        if (!name_.empty())
            private_postgres::drop_database(name_);
    }
    domain_database(const domain_database&) = delete;
    domain_database& operator=(const domain_database&) = delete;
    std::shared_ptr<store::domain_store> open() const {
        store::open_options options;
        options.where = name_.empty() ? folder_ / "store.db" : private_postgres::where(name_);
        options.relaxed = name_.empty(); // what these tests kill is a process, not a machine
        auto opened = store::open_domains(options);
        if (!opened)
            throw std::runtime_error(opened.error().message);
        return std::move(*opened);
    }

private:
    scratch_folder folder_;
    std::string name_;
};

struct tale {
    const char* name;
    model::aim aim = model::aim::testing;
    bool published_before = false;
    bool little = true; ///< the planner of a few lines; else the real one
};
void PrintTo(const tale& of, std::ostream* to) {
    *to << of.name;
}

class a_process_that_dies : public testing::TestWithParam<tale> {};

model::looked_after wanted(model::aim aim) {
    model::looked_after out{
        .domain = domain, .aim = aim, .dns = model::dns_way::update, .leave = model::leave::all};
    out.marks["report-way"] = {.at = first_day, .by = "anna"};
    return out;
}

/// The time of a change, as it stands in the log.
std::string id_in(const std::string& words) {
    const auto digits = words.find("2026");
    return digits == std::string::npos ? words : words.substr(digits, 14);
}

/// At any time: the record announces what was served under its id, and no id is given twice.
void nothing_half_done(carrier_world& of) {
    std::set<std::string> given;
    for (const auto& each : *of.database->changes(domain, 0, 1'000))
        if (each.what == "served policy")
            EXPECT_TRUE(given.insert(id_in(each.to)).second) << each.to << ": the id of another policy";
    if (const auto id = of.id_of(domain); !id.empty())
        EXPECT_TRUE(given.contains(id)) << "announces a policy that was never served";
}

/// One life that ends at the step, and others until all is done. False: it needs fewer steps.
bool dies_at(int step, const tale& of_it) {
    const domain_database database;
    carrier_world of(database.open(), std::make_shared<outside_world>(), database.open());
    if (of_it.little)
        of.think = little_plan;
    of.world->mx[domain] = {{.host = "mx.a.example"}};
    of.begin();
    of.add(wanted(of_it.published_before ? model::aim::testing : of_it.aim));
    if (of_it.published_before) {
        of.settle();
        EXPECT_NE(of.id_of(domain), "");
        of.end();
        of.set(domain, [&](auto& wish) { wish.aim = of_it.aim; });
        of.life.steps = 0;
        of.life.die_at = step;
        of.begin();
    } else {
        of.end();
        of.wake(domain);
        of.life.steps = 0;
        of.life.die_at = step;
        of.begin();
    }
    of.settle();
    const bool died = of.life.dead;
    nothing_half_done(of);
    of.live_again();
    of.settle();
    nothing_half_done(of);
    of.pass(of.options.lease + 1s); // what the first life took and nobody gave back
    for (int i = 0; i < 4; ++i)
        of.pass(10min);
    EXPECT_TRUE(of.told.empty() || of.told.back().second.plan.finished || !of_it.little)
        << "after step " << step;
    if (of_it.aim == model::aim::off) {
        EXPECT_EQ(of.id_of(domain), "") << "after step " << step;
        EXPECT_EQ(of.body_of(domain), "") << "after step " << step;
    } else {
        const auto published = *of.database->published(domain);
        EXPECT_TRUE(published && of.id_of(domain) == published->id) << "after step " << step;
        EXPECT_THAT(of.log_of(domain), testing::Contains("published record")) << "after step " << step;
        EXPECT_THAT(of.body_of(domain),
                    HasSubstr(sts::to_string(of_it.aim == model::aim::enforce ? sts::mode::enforce
                                                                              : sts::mode::testing)));
    }
    std::size_t orders = 0;
    for (const auto& each : of.world->effects)
        orders += each.starts_with("certificate") ? 1 : 0;
    EXPECT_LE(orders, died ? 2U : 1U) << "after step " << step;
    return died;
}

TEST_P(a_process_that_dies, ends_where_it_would_have_ended) {
    PROVES("8461-8.1-c");
    int step = 1;
    while (dies_at(step, GetParam()) && !HasFailure() && step < 500)
        ++step;
    EXPECT_GT(step, 15) << "the steps were counted";
    EXPECT_LT(step, 500);
}

INSTANTIATE_TEST_SUITE_P(
    carrier, a_process_that_dies,
    testing::Values(tale{"publishing"},
                    tale{"publishing_by_the_real_plan", model::aim::testing, false, false},
                    tale{"enforcing", model::aim::enforce, true}, tale{"leaving", model::aim::off, true}),
    [](const auto& of) { return std::string(of.param.name); });

class two_machines : public testing::TestWithParam<bool> {};

/// The first freezes in the middle of a look for longer than its lease; the second goes on and ends. Then the
/// first wakes up, with the plan of long ago in its hands.
TEST_P(two_machines, the_frozen_one_wakes_up_and_changes_nothing) {
    const domain_database database(GetParam());
    const auto world = std::make_shared<outside_world>();
    world->mx[domain] = {{.host = "mx.a.example"}};
    carrier_world one(database.open(), world, database.open()), two(database.open(), world, database.open());
    one.options.machine = "one";
    two.options.machine = "two";
    for (auto* each : {&one, &two}) {
        each->think = little_plan;
        each->options.lease = 1s;
    }
    io::event thawed(one.loop);
    bool frozen = false;
    one.begin();
    one.add(wanted(model::aim::testing));
    one.settle();
    const auto before = one.id_of(domain);
    ASSERT_NE(before, "");
    one.end();
    one.hold_look = &thawed;
    one.during_look = [&](const auto&) { frozen = true; };
    one.set_time(one.clock.at + 1h);
    one.set(domain, [](auto& wish) { wish.aim = model::aim::enforce; });
    one.begin();
    ASSERT_TRUE(one.eventually([&] { return frozen; }));
    one.carrier->stop(); // its beat renews no lease any more: it hangs

    two.set_time(one.clock.at + 10s);
    std::this_thread::sleep_for(GetParam() ? 1100ms : 0ms); // the lease ends by the database's clock
    two.begin();
    two.settle();
    const auto after = two.id_of(domain);
    EXPECT_NE(after, before);
    two.set(domain, [](auto& wish) { wish.aim = model::aim::off; });
    two.settle();
    EXPECT_EQ(two.body_of(domain), "");
    const auto effects = world->effects;
    const auto changes = two.log_of(domain);

    thawed.set();
    EXPECT_TRUE(one.eventually([&] { return one.carrier->idle(); }));
    EXPECT_EQ(world->effects, effects);
    EXPECT_EQ(two.log_of(domain), changes);
    EXPECT_EQ(two.body_of(domain), "");
    EXPECT_EQ(one.carrier->counted().steps, 0u);
}

TEST_P(two_machines, share_the_domains_and_do_each_step_once) {
    const domain_database database(GetParam());
    const auto world = std::make_shared<outside_world>();
    carrier_world one(database.open(), world, database.open());
    one.options.machine = "one";
    one.think = little_plan;
    constexpr int domains = 20;
    for (int i = 0; i < domains; ++i) {
        const auto name = "d" + std::to_string(i) + ".example";
        world->mx[name] = {{.host = "mx." + name}};
        auto wish = wanted(model::aim::testing);
        wish.domain = name;
        one.add(wish);
    }
    // Both on one loop, at the same time.
    const auto kept = database.open();
    io::worker thread(one.loop, "other store");
    auto options = one.options;
    options.machine = "two";
    carrier other(one.loop, thread, *kept, one.hands(), one.clock, options, {});
    one.begin();
    other.start();
    EXPECT_TRUE(one.eventually([&] { return one.carrier->idle() && other.idle() && one.nothing_due(); }));
    other.stop();
    one.loop.block_on(one.loop.sleep_for(150ms));
    EXPECT_EQ(world->effects.size(), std::size_t{4 * domains});
    auto effects = world->effects;
    std::ranges::sort(effects);
    EXPECT_EQ(std::ranges::adjacent_find(effects), effects.end()) << "twice";
    EXPECT_GT(other.counted().steps, 0u);
    EXPECT_GT(one.carrier->counted().steps, 0u);
}

INSTANTIATE_TEST_SUITE_P(carrier, two_machines, testing::Bool(),
                         [](const auto& of) { return of.param ? "PostgreSQL" : "SQLite"; });

} // namespace
} // namespace mailtight::publish
