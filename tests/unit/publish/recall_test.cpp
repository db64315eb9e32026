// SPDX-License-Identifier: Apache-2.0
// What is remembered of a domain: put together from logs and looks, and on the careful side where they are
// silent.
#include "publish/carrier.h"
#include "publish/history.h"
#include "publish/seen_marks.h"
#include "support/domain_store_fake.h"
#include "support/proves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::publish {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

const base::utc_seconds start = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1};
const std::string domain = "a.example";

std::string body(std::string_view mode, int max_age = 86'400) {
    return "version: STSv1\r\nmode: " + std::string(mode) +
           "\r\nmx: mx.a.example\r\nmax_age: " + std::to_string(max_age) + "\r\n";
}

class memory : public testing::Test {
protected:
    tests::domain_store_fake kept;
    store::lease held;
    void SetUp() override {
        ASSERT_TRUE(kept.save({.domain = domain, .policy_host = "192.0.2.1"}, "anna", "", start));
        held = **kept.take_lease("plan/" + domain, "this", 1h);
    }
    void publish(std::string_view text, std::string_view id, base::utc_seconds at) {
        ASSERT_TRUE(
            *kept.publish({.domain = domain, .body = std::string(text), .id = std::string(id), .since = at},
                          held, "this", 0s));
    }
    void look(base::utc_seconds at, std::vector<std::string> mx, std::string id = "1", bool full = false) {
        ASSERT_TRUE(kept.watched({.domain = domain,
                                  .first = at,
                                  .last = at,
                                  .record_id = std::move(id),
                                  .policy_sha256 = "aa",
                                  .mx = std::move(mx),
                                  .full = full}));
    }
    plan::remembered recalled() { return *recall(kept, **kept.find(domain)); }
};

TEST_F(memory, of_a_new_domain_is_empty) {
    const auto past = recalled();
    EXPECT_THAT(past.served, IsEmpty());
    EXPECT_FALSE(past.past_known) << "somebody may have published before us";
    EXPECT_FALSE(past.publication);
    EXPECT_FALSE(past.record_since || past.record_gone_since || past.testing_since || past.enforce_since);
    EXPECT_THAT(past.ids_used, IsEmpty());
    EXPECT_THAT(past.mx_before, IsEmpty());
    EXPECT_FALSE(past.certificate_here);
    EXPECT_EQ(past.policy_host, "192.0.2.1");
}

TEST_F(memory, knows_every_id_that_was_ever_used) {
    PROVES("8461-3.1-e");
    ASSERT_TRUE(kept.seen_served(domain, body("none"), "theirs", false, start));
    publish(body("testing"), "ours1", start + 1h);
    publish(body("enforce"), "ours2", start + 2h);
    look(start + 3h, {}, "seen");
    ASSERT_TRUE(kept.set_mark(domain, record_mark, {.at = start, .text = "marked 300 300"}));
    EXPECT_THAT(recalled().ids_used, UnorderedElementsAre("theirs", "ours1", "ours2", "seen", "marked"));
}

TEST_F(memory, knows_how_long_the_mode_is_what_it_is) {
    publish(body("testing", 604'800), "1", start);
    publish(body("testing", 1'209'600), "2", start + 24h);
    EXPECT_EQ(recalled().testing_since, start);
    EXPECT_FALSE(recalled().enforce_since);
    publish(body("enforce"), "3", start + 48h);
    publish(body("enforce", 604'800), "4", start + 72h);
    EXPECT_FALSE(recalled().testing_since);
    EXPECT_EQ(recalled().enforce_since, start + 48h);
    publish("", "", start + 96h);
    EXPECT_FALSE(recalled().enforce_since) << "withdrawn";
}

TEST_F(memory, keeps_mx_hosts_that_went_until_the_planner_forgets_them) {
    look(start, {"mx1.a.example", "mx2.a.example"});
    look(start + 1h, {"mx1.a.example", "mx2.a.example"});
    look(start + 2h, {"mx1.a.example"});
    look(start + 9h, {"mx1.a.example"});
    auto past = recalled();
    ASSERT_THAT(past.mx_before, SizeIs(1));
    EXPECT_EQ(past.mx_before[0].host, "mx2.a.example");
    EXPECT_EQ(past.mx_before[0].last_seen, start + 1h);
    EXPECT_EQ(past.mx_before[0].first_missed, start + 2h) << "it may have gone a moment before that look";
    EXPECT_EQ(past.mx_before[0].ttl, 86'400u) << "nobody timed it";
    ASSERT_TRUE(kept.set_mark(domain, mx_mark, {.at = start, .text = "600"}));
    EXPECT_EQ(recalled().mx_before[0].ttl, 600u);
    look(start + 10h, {"mx1.a.example", "mx2.a.example"});
    EXPECT_THAT(recalled().mx_before, IsEmpty()) << "it is back";
}

TEST_F(memory, knows_since_when_somebody_looks) {
    EXPECT_FALSE(recalled().looked_since) << "that it was added is no look";
    look(start + 2h, {"mx1.a.example"});
    look(start + 3h, {"mx2.a.example"});
    EXPECT_EQ(recalled().looked_since, start + 2h);
    publish(body("testing"), "1", start + 1h);
    EXPECT_EQ(recalled().looked_since, start + 1h) << "whoever publishes has looked";
}

TEST_F(memory, knows_the_record_by_its_mark) {
    ASSERT_TRUE(kept.set_mark(domain, record_mark, {.at = start + 5h, .text = "7 300 3600"}));
    auto past = recalled();
    EXPECT_EQ(past.record_since, start + 5h);
    EXPECT_EQ(past.record_ttl_before, 3'600u);
    EXPECT_FALSE(past.record_gone_since);
    ASSERT_TRUE(kept.set_mark(domain, record_mark, {.at = start + 6h, .text = "- 60 300"}));
    past = recalled();
    EXPECT_FALSE(past.record_since);
    EXPECT_EQ(past.record_gone_since, start + 6h);
    EXPECT_EQ(past.record_ttl_before, 300u);
    ASSERT_TRUE(kept.set_mark(domain, record_mark, {.at = start + 6h, .text = "? 60 300"}));
    EXPECT_FALSE(recalled().record_since || recalled().record_gone_since) << "something is there";
    ASSERT_TRUE(kept.set_mark(domain, record_mark, {.at = start, .text = "spoilt"}));
    EXPECT_FALSE(recalled().record_since);
}

plan::record_seen record(plan::record_seen::what state, std::string id, std::uint32_t ttl) {
    plan::record_seen out;
    out.state = state;
    out.id = std::move(id);
    out.ttl = ttl;
    return out;
}

TEST(the_history_of_a_record, keeps_the_largest_lifetime_that_caches_may_hold) {
    using enum plan::record_seen::what;
    auto now = after_look(std::nullopt, record(absent, "", 900), start);
    EXPECT_EQ(now, (record_history{.id = "-", .since = start, .ttl = 900}));
    now = after_look(now, record(one, "1", 300), start + 1h);
    EXPECT_EQ(now, (record_history{.id = "1", .since = start + 1h, .ttl = 300, .ttl_before = 900}));
    now = after_look(now, record(one, "1", 86'400), start + 2h);
    EXPECT_EQ(now->ttl, 86'400u) << "it was raised, or before only the rest of a cached answer";
    EXPECT_EQ(now->since, start + 1h);
    now = after_look(now, record(one, "2", 60), start + 3h);
    EXPECT_EQ(now->ttl_before, 86'400u);
    now = after_look(now, record(one, "3", 60), start + 4h);
    EXPECT_EQ(now->ttl_before, 86'400u) << "the id before the last may still be cached";
    now = after_look(now, record(one, "4", 60), start + 100h);
    EXPECT_EQ(now->ttl_before, 60u);
    EXPECT_EQ(after_look(now, record(unknown, "", 0), start + 101h), now);
    EXPECT_EQ(after_look(now, record(invalid, "", 60), start + 101h)->id, "?");
    EXPECT_EQ(parse_record({.at = now->since, .text = to_text(*now)}), now);
}

TEST(the_lifetime_of_mx_records, is_lowered_when_caches_have_forgotten_the_larger_one) {
    auto now = after_look(std::nullopt, 3'600, start);
    now = after_look(now, 86'400, start + 1h);
    EXPECT_EQ(now.ttl, 86'400u);
    now = after_look(now, 300, start + 2h);
    EXPECT_EQ(now.ttl, 86'400u) << "or the rest of a cached answer";
    now = after_look(now, 300, start + 60h);
    EXPECT_EQ(now, (lifetime{.ttl = 300, .at = start + 60h}));
}

TEST_F(memory, fills_the_history_of_an_observation) {
    model::observation seen;
    seen.domain = domain;
    seen.checked_at = start + 100h;
    seen.sts_txt.texts = {"v=STSv1; id=1;"};
    ASSERT_TRUE(add_history(seen, kept));
    EXPECT_FALSE(seen.last_id || seen.last_policy_sha256 || seen.testing_since);
    const auto watched = [&](double hour, std::string id, std::string sha) {
        const auto at = start + std::chrono::seconds(static_cast<int>(hour * 3'600));
        ASSERT_TRUE(kept.watched({.domain = domain,
                                  .first = at,
                                  .last = at,
                                  .record_id = std::move(id),
                                  .policy_sha256 = std::move(sha)}));
    };
    watched(1, "0", "zz");
    watched(2, "1", "aa");
    watched(3, "1", "bb"); // changed without a new id: that stays a problem
    watched(4, "1", "");
    publish(body("testing"), "1", start);
    ASSERT_TRUE(add_history(seen, kept));
    EXPECT_EQ(seen.last_id, "1");
    EXPECT_EQ(seen.last_policy_sha256, "aa");
    EXPECT_EQ(seen.testing_since, start);
    seen.sts_txt.texts = {"v=STSv1; id=2;"};
    ASSERT_TRUE(add_history(seen, kept));
    EXPECT_EQ(seen.last_id, "1");
    EXPECT_EQ(seen.last_policy_sha256, "bb") << "the newest look before the new id";
    // Our own change: the id follows.
    model::observation ours;
    ours.domain = domain;
    ours.checked_at = start + 101h;
    ours.sts_txt.texts = {"v=STSv1; id=1;"};
    publish(body("enforce"), "3", start + 100h);
    ASSERT_TRUE(add_history(ours, kept));
    EXPECT_FALSE(ours.last_id);
}

} // namespace
} // namespace mailtight::publish
