// SPDX-License-Identifier: Apache-2.0
// Many machines at once, in both engines: work is held by one, a bucket gives no more than it has, who
// follows the changes misses none. And a process that publishes is killed with SIGKILL again and again: what
// it was told to be written is there, and what is served is always in the log. Five kills for each engine, or
// as many as MAILTIGHT_KILLS says.
#include "unit/store/domain_fixture.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <set>

namespace mailtight::store {
namespace {
using namespace domain_tests;

class domain_writers : public domain_fixture {
protected:
    static void together(int how_many, const std::function<void(int)>& job) {
        std::vector<std::thread> all;
        for (int n = 0; n < how_many; ++n)
            all.emplace_back(job, n);
        for (auto& each : all)
            each.join();
    }
};
INSTANTIATE_TEST_SUITE_P(engines, domain_writers, testing::Values(engine::sqlite, engine::postgres),
                         [](const auto& info) {
                             return info.param == engine::sqlite ? "sqlite" : "postgres";
                         });

std::string name_of(int n) {
    return "d" + std::to_string(n) + ".example";
}

TEST_P(domain_writers, work_is_held_by_one_and_fences_grow) {
    constexpr int machines = 4, domains = 12, rounds = 30;
    {
        const auto s = open();
        for (int d = 0; d < domains; ++d)
            ASSERT_TRUE(s->plan_work("plan", name_of(d), at(0)));
    }
    std::mutex lock;
    std::map<std::string, std::int64_t> fences;
    std::set<std::string> held;
    std::atomic<int> acted{0};
    together(machines, [&](int machine) {
        std::mt19937 dice(static_cast<unsigned>(machine));
        const auto s = open();
        for (int round = 0; round < rounds; ++round) {
            std::vector<due_work> mine;
            if (dice() % 3 == 0) { // by its name, as a person's command does
                const auto name = name_of(static_cast<int>(dice() % domains));
                const auto got = s->take_lease("plan/" + name, std::to_string(machine), hour);
                ASSERT_TRUE(got) << got.error().message;
                if (*got)
                    mine.push_back({.kind = "plan", .domain = name, .fence = (*got)->fence});
            } else {
                const auto got = s->take_work("plan", at(5), std::to_string(machine), hour, 1 + dice() % 4);
                ASSERT_TRUE(got) << got.error().message;
                mine = *got;
            }
            {
                const std::scoped_lock hold(lock);
                for (const auto& each : mine) {
                    EXPECT_TRUE(held.insert(each.domain).second) << each.domain << " is held by two";
                    EXPECT_GT(each.fence, std::exchange(fences[each.domain], each.fence));
                    ++acted;
                }
            }
            if (dice() % 4 == 0)
                ASSERT_TRUE(s->plan_work("plan", name_of(static_cast<int>(dice() % domains)), at(1)));
            const std::scoped_lock hold(lock); // before it is given back
            for (const auto& each : mine) {
                held.erase(each.domain);
                const auto done = s->done_work(each, at(static_cast<std::int64_t>(dice() % 5)));
                ASSERT_TRUE(done) << done.error().message;
                EXPECT_TRUE(*done);
            }
        }
    });
    EXPECT_GT(acted, rounds);
    EXPECT_EQ(*open()->waiting_work("plan", at(5)), static_cast<std::uint64_t>(domains));
}

TEST_P(domain_writers, a_lease_that_all_want_is_of_one_at_a_time) {
    static_cast<void>(open());
    std::atomic<int> inside{0}, had{0};
    std::atomic<std::int64_t> last{0};
    together(4, [&](int machine) {
        const auto s = open();
        for (int round = 0; round < 40; ++round) {
            const auto got = s->take_lease("alarms", std::to_string(machine), hour);
            ASSERT_TRUE(got) << got.error().message;
            if (!*got)
                continue;
            EXPECT_EQ(++inside, 1);
            EXPECT_GT((*got)->fence, last.exchange((*got)->fence));
            ++had;
            --inside;
            ASSERT_TRUE(s->release_lease(**got));
        }
    });
    EXPECT_GT(had, 0);
}

// Publications and certificates of four machines; one that asks all the time and never goes back.
TEST_P(domain_writers, who_follows_the_changes_misses_none) {
    static_cast<void>(open());
    constexpr int writers = 4, rounds = 25;
    std::atomic<int> left{writers};
    std::thread follower([&] {
        const auto s = open();
        std::map<std::string, model::publication> served;
        std::map<std::string, std::int64_t> certificates;
        std::int64_t policy_mark = 0, certificate_mark = 0;
        for (bool last = false;;) {
            last = left == 0;
            const auto some = *s->published_after(policy_mark, 3);
            for (const auto& each : some) {
                EXPECT_GT(each.change, std::exchange(policy_mark, each.change));
                served[each.domain] = each;
            }
            const auto more = *s->certificates_after(certificate_mark, 3);
            for (const auto& each : more) {
                EXPECT_GT(each.change, std::exchange(certificate_mark, each.change));
                certificates[each.name] = each.gone ? 0 : each.change;
            }
            if (last && some.empty() && more.empty())
                break;
        }
        const auto truth = *s->published_after(0, 1'000);
        EXPECT_EQ(truth.size(), served.size());
        for (const auto& each : truth)
            EXPECT_EQ(served[each.domain], each);
        for (const auto& [name, change] : certificates) {
            const auto now = *s->certificate(name);
            EXPECT_EQ(now ? now->change : 0, change) << name;
        }
        EXPECT_EQ(certificates.size(), 6u);
    });
    together(writers, [&](int machine) {
        std::mt19937 dice(static_cast<unsigned>(machine));
        const auto s = open();
        for (int round = 0; round < rounds; ++round) {
            const auto name = name_of(static_cast<int>(dice() % 6));
            const auto held = s->take_lease("certificate/" + name, std::to_string(machine), hour);
            ASSERT_TRUE(held) << held.error().message;
            if (!*held)
                continue;
            const auto done = s->publish({.domain = name,
                                          .body = dice() % 5 == 0 ? "" : body_of("testing", dice() % 100),
                                          .id = std::to_string(machine * 1'000 + round),
                                          .since = at(round)},
                                         **held, "m", lag);
            ASSERT_TRUE(done) << done.error().message;
            if (dice() % 6 == 0)
                ASSERT_TRUE(s->remove_certificate("mta-sts." + name));
            else
                ASSERT_TRUE(s->save_certificate({.name = "mta-sts." + name,
                                                 .chain = "c",
                                                 .sealed_key = "s",
                                                 .not_after = at(1 + static_cast<std::int64_t>(dice() % 50))},
                                                (*held)->fence));
            if (dice() % 2 == 0)
                ASSERT_TRUE(s->prove_certificate(
                    "mta-sts." + name,
                    (*s->certificate("mta-sts." + name)).value_or(kept_certificate{}).not_after));
            ASSERT_TRUE(s->release_lease(**held));
        }
        const auto held = s->take_lease("certificate/" + name_of(machine), "end", hour); // each has one
        if (held && *held) {
            ASSERT_TRUE(s->save_certificate({.name = "mta-sts." + name_of(machine), .not_after = at(99)},
                                            (*held)->fence));
            ASSERT_TRUE(s->release_lease(**held));
        }
        for (int extra = 4; machine == 0 && extra < 6; ++extra) {
            const auto more = **s->take_lease("folder", "end", hour);
            ASSERT_TRUE(
                s->save_certificate({.name = "mta-sts." + name_of(extra), .not_after = at(98)}, more.fence));
            ASSERT_TRUE(s->release_lease(more));
        }
        --left;
    });
    follower.join();
}

TEST_P(domain_writers, a_bucket_of_all_gives_no_more_than_it_has) {
    static_cast<void>(open());
    std::atomic<int> got{0};
    together(4, [&](int) {
        const auto s = open();
        for (int i = 0; i < 40; ++i) {
            const auto wait = s->take_tokens("ca", 1, 3'600, 100, at(0));
            ASSERT_TRUE(wait) << wait.error().message;
            got += *wait == std::chrono::seconds(0) ? 1 : 0;
        }
    });
    EXPECT_EQ(got, 100);
}

TEST_P(domain_writers, the_same_domains_from_all_sides_are_added_once) {
    static_cast<void>(open());
    std::atomic<std::size_t> added{0};
    together(4, [&](int machine) {
        const auto s = open();
        std::vector<model::looked_after> all;
        for (int i = 0; i < 2'500; ++i) // more than one transaction, in other orders
            all.push_back(wish(name_of(machine % 2 == 0 ? i : 2'499 - i)));
        const auto done = s->add_all(all, std::to_string(machine), at(0));
        ASSERT_TRUE(done) << done.error().message;
        added += *done;
    });
    EXPECT_EQ(added, 2'500u);
    EXPECT_EQ(*open()->count(std::nullopt), 2'500u);
    EXPECT_EQ(rows_of("domain_change"), 2'500);
}

TEST_P(domain_writers, one_of_two_who_change_the_same_revision_wins) {
    {
        const auto s = open();
        EXPECT_EQ(save(*s, wish("a.example")), domain_store::saved::yes);
    }
    std::atomic<int> won{0};
    together(4, [&](int machine) {
        const auto s = open();
        for (int round = 0; round < 10; ++round) {
            auto value = **s->find("a.example");
            value.labels = {std::to_string(machine * 100 + round)};
            const auto done = s->save(value, "m", "", at(round));
            ASSERT_TRUE(done) << done.error().message;
            won += *done == domain_store::saved::yes ? 1 : 0;
        }
    });
    EXPECT_EQ((*open()->find("a.example"))->revision, 1 + won);
    EXPECT_EQ(rows_of("domain_change"), 1 + won);
    EXPECT_EQ(rows_of("domain_label"), 1);
}

TEST_P(domain_writers, two_who_see_the_same_enter_it_once) {
    static_cast<void>(open());
    together(4, [&](int) {
        const auto s = open();
        for (int i = 0; i < 20; ++i) {
            ASSERT_TRUE(s->seen_served("a.example", body_of("testing", 60), "1", false, at(i)));
            ASSERT_TRUE(s->watched(state("a.example", i)));
        }
    });
    const auto s = open();
    EXPECT_EQ(s->served("a.example")->size(), 1u);
    EXPECT_EQ(s->history("a.example", 9)->size(), 1u);
    EXPECT_EQ(s->history("a.example", 9)->at(0).last, at(19));
}

/// The child: publishes one policy after the other under fresh leases and says which is written. Never comes
/// back.
[[noreturn]] void publish_for_ever(const std::string& where, int to) {
    ::alarm(120); // should the parent die
    const auto s = open_domains({.where = where});
    if (!s || !(*s)->take_back("child"))
        ::_exit(2);
    const auto before = (*s)->published("a.example");
    if (!before)
        ::_exit(2);
    for (std::int64_t number = *before ? std::stoll((*before)->id) + 1 : 1;; ++number) {
        const auto held = (*s)->take_lease("plan/a.example", "child", hour);
        if (!held || !*held)
            ::_exit(3);
        const model::publication value{.domain = "a.example",
                                       .body = body_of("testing", static_cast<std::uint64_t>(number)),
                                       .id = std::to_string(number),
                                       .since = at(number)};
        if (!(*s)->publish(value, **held, "child", lag).value_or(false) || !(*s)->release_lease(**held))
            ::_exit(4);
        if (::write(to, &number, sizeof number) != sizeof number)
            ::_exit(5);
    }
}

TEST_P(domain_writers, a_kill_leaves_nothing_half_published) {
    const char* wanted = std::getenv("MAILTIGHT_KILLS");
    const int rounds = wanted ? std::max(1, std::atoi(wanted)) : 5;
    const auto seed = std::random_device()();
    std::mt19937 dice(seed);
    RecordProperty("seed", std::to_string(seed));
    static_cast<void>(open()); // the tables
    std::int64_t said = 0;
    for (int round = 0; round < rounds; ++round) {
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const auto child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            ::close(ends[0]);
            publish_for_ever(db.where(), ends[1]);
        }
        ::close(ends[1]);
        const auto enough = said + std::uniform_int_distribution<std::int64_t>(1, 40)(dice);
        std::int64_t got = 0;
        bool alive = true;
        while (::read(ends[0], &got, sizeof got) == sizeof got) { // up to what was in the pipe at its death
            EXPECT_EQ(got, said + 1) << "seed " << seed;
            said = got;
            if (said >= enough && std::exchange(alive, false)) {
                std::this_thread::sleep_for(
                    std::chrono::microseconds(std::uniform_int_distribution<int>(0, 3'000)(dice)));
                ::kill(child, SIGKILL);
            }
        }
        ::close(ends[0]);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "status " << status;
        const auto s = open();
        ASSERT_TRUE(s->take_back("child")); // waits until the server has ended the dead one's transaction
        const auto now = **s->published("a.example");
        const auto latest = std::stoll(now.id);
        ASSERT_GE(latest, said) << "seed " << seed;
        ASSERT_LE(latest, said + 1) << "seed " << seed;
        const auto log = *s->served("a.example");
        ASSERT_EQ(log.size(), static_cast<std::size_t>(latest)) << "each that was served is in the log";
        ASSERT_EQ(log.back().body, now.body);
        for (std::size_t i = 0; i < log.size(); ++i)
            ASSERT_EQ(log[i].last_served.has_value(), i + 1 < log.size()) << "one is open";
        ASSERT_EQ(s->changes("a.example", 0, 100'000)->size(), log.size());
        said = latest;
    }
}

} // namespace
} // namespace mailtight::store
