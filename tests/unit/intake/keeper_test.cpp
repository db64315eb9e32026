// SPDX-License-Identifier: Apache-2.0
// From bytes to the commit: nothing is said to be kept that is not, and nothing waits for more than it must.
#include "intake_world.h"

#include <gmock/gmock.h>

namespace mailtight::intake {
namespace {

using namespace std::chrono_literals;
using namespace tests;
using enum kept::fate;
using mood = memory_database::mood;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

TEST(keeper, keeps_a_mail_and_says_what_became_of_it) {
    intake_world world;
    const auto first = world.keep(signed_mail("one"));
    EXPECT_EQ(first.what, stored);
    ASSERT_THAT(first.outcomes, SizeIs(1));
    EXPECT_EQ(first.outcomes[0].what, store::add_outcome::fate::added);
    EXPECT_EQ(world.keep(signed_mail("one")).outcomes.at(0).what, store::add_outcome::fate::duplicate);
    EXPECT_THAT(world.database->ids(), ElementsAre("one"));
    EXPECT_EQ(world.database->reports.at(0).trust, model::trust::verified);
    const auto& counters = world.keeper->counters();
    EXPECT_EQ(counters.inputs, 2U);
    EXPECT_EQ(counters.added, 1U);
    EXPECT_EQ(counters.duplicates, 1U);
    EXPECT_EQ(counters.commits, 2U);
    EXPECT_EQ(counters.queued, 0U);
}

TEST(keeper, asks_for_a_key_once) {
    intake_world world;
    for (const char* id : {"one", "two", "three"})
        world.keep(signed_mail(id));
    EXPECT_EQ(world.dns.asked, 1U);
    // what is not there is remembered too
    const auto forged = signed_by(report_mail(make_report()), "reporter.example", "nokey");
    world.keep(forged);
    world.keep(forged);
    EXPECT_EQ(world.dns.asked, 2U);
}

TEST(keeper, a_key_that_cannot_be_had_leaves_the_report_unverified) {
    intake_world world;
    world.dns.down = true;
    EXPECT_EQ(world.keep(signed_mail("one")).what, stored);
    EXPECT_EQ(world.database->reports.at(0).trust, model::trust::unverified);
}

std::string returned_mail(const std::string& type, const std::string& inside) {
    return "From: MAILER-DAEMON@mx.example\r\nTo: tls-report@reports.example\r\nSubject: Undelivered\r\n"
           "MIME-Version: 1.0\r\nContent-Type: " +
           type + "\r\n\r\n--cut\r\nContent-Type: text/plain\r\n\r\nIt came back.\r\n" +
           "--cut\r\nContent-Type: message/rfc822\r\n\r\n" + inside + "\r\n--cut--\r\n";
}

TEST(keeper, a_report_that_came_back_is_none_that_came_in) {
    intake_world world;
    std::vector<std::string> others;
    world.keeper->on_other_mail = [&](std::string mail) { others.push_back(std::move(mail)); };
    const auto ours = signed_mail("ours");
    const auto bounce =
        returned_mail("Multipart/Report;\r\n\tReport-Type=\"delivery-status\"; boundary=cut", ours);
    EXPECT_EQ(world.keep(bounce).what, none);
    EXPECT_THAT(others, ElementsAre(bounce));
    EXPECT_THAT(world.database->ids(), IsEmpty());
    // The same without a word of a delivery is somebody who forwards a report.
    EXPECT_EQ(world.keep(returned_mail("multipart/mixed; boundary=cut", ours)).what, stored);
    // A letter is handed over too: some mail servers bounce in plain text.
    const std::string letter = "From: a@b.example\r\nSubject: hello\r\n\r\nIt could not be delivered.\r\n";
    EXPECT_EQ(world.keep(letter).what, none);
    EXPECT_THAT(others, ElementsAre(bounce, letter));
    // What is posted is no mail.
    EXPECT_EQ(world.keep(letter, model::way_in::https).what, none);
    EXPECT_THAT(others, SizeIs(2));
    EXPECT_EQ(world.keep(ours).what, stored);
}

TEST(keeper, says_where_there_is_no_report) {
    intake_world world;
    std::vector<std::string> told;
    world.keeper->on_refused = [&](const circumstances&, const kept& what) { told.push_back(what.why); };
    mail_wish letter;
    letter.type = "multipart/mixed; boundary=cut";
    letter.parts = {text_part("Hello")};
    const auto result = world.keep(make_mail(letter));
    EXPECT_EQ(result.what, none);
    EXPECT_FALSE(result.why.empty());
    EXPECT_THAT(told, ElementsAre(result.why));
    EXPECT_EQ(world.database->transactions, 0U);
    EXPECT_EQ(world.keeper->counters().refused, 1U);
}

TEST(keeper, what_comes_during_a_commit_shares_the_next) {
    intake_world world;
    world.database->hold(true);
    std::vector<io::started<kept>> waiting;
    for (int i = 0; i < 300; ++i) {
        circumstances how;
        how.way = model::way_in::https;
        how.domain_of_token = "example.com";
        waiting.push_back(io::start(
            world.loop, world.keeper->keep(json_of(make_report("example.com", std::to_string(i))), how)));
    }
    EXPECT_TRUE(eventually(world.loop, [&] { return world.keeper->counters().queued == 300; }));
    EXPECT_EQ(world.database->count(), 0U); // and nobody was answered: get() below would be done
    for (const auto& each : waiting)
        EXPECT_FALSE(each.box_->done.is_set());
    world.database->hold(false);
    for (auto& each : waiting)
        EXPECT_EQ(world.loop.block_on(each.get()).what, stored);
    EXPECT_EQ(world.database->count(), 300U);
    EXPECT_LE(world.database->transactions, 3U);
}

TEST(keeper, answers_only_after_the_commit_and_tells_who_wants_to_know) {
    intake_world world;
    std::vector<std::string> told;
    world.keeper->on_stored = [&](const model::received_report& report, const store::add_outcome&) {
        EXPECT_GT(world.database->count(), 0U);
        EXPECT_TRUE(report.json.empty());
        told.push_back(report.report.report_id);
    };
    world.database->hold(true);
    circumstances how;
    how.way = model::way_in::lmtp;
    auto waiting = io::start(world.loop, world.keeper->keep(signed_mail("one"), how));
    world.loop.block_on(world.loop.sleep_for(20ms));
    EXPECT_FALSE(waiting.box_->done.is_set());
    EXPECT_THAT(told, IsEmpty());
    world.database->hold(false);
    EXPECT_EQ(world.loop.block_on(waiting.get()).what, stored);
    EXPECT_THAT(told, ElementsAre("one"));
}

TEST(keeper, a_full_disk_is_later_and_recovers_by_itself) {
    intake_world world;
    world.database->behaves = mood::full;
    const auto refused = world.keep(signed_mail("one"));
    EXPECT_EQ(refused.what, later);
    EXPECT_EQ(world.keeper->counters().last_error, "no space left on device");
    EXPECT_EQ(world.keeper->counters().later, 1U);
    EXPECT_EQ(world.database->count(), 0U);
    world.database->behaves = mood::fine;
    EXPECT_EQ(world.keep(signed_mail("one")).what, stored);
    EXPECT_THAT(world.database->ids(), ElementsAre("one"));
}

TEST(keeper, a_database_that_went_away_is_opened_anew) {
    intake_world world;
    EXPECT_EQ(world.keep(signed_mail("one")).what, stored);
    EXPECT_EQ(world.database->opened, 1U);
    world.database->behaves = mood::unreachable;
    EXPECT_EQ(world.keep(signed_mail("two")).what, later);
    EXPECT_EQ(world.keep(signed_mail("two")).what, later);
    world.database->behaves = mood::fine;
    EXPECT_TRUE(eventually(world.loop, [] { return true; }));
    EXPECT_TRUE(
        eventually(world.loop, [&, tries = 0]() mutable { return ++tries > 3; })); // past reopen_every
    EXPECT_EQ(world.keep(signed_mail("two")).what, stored);
    EXPECT_GE(world.database->opened, 2U);
    EXPECT_THAT(world.database->ids(), ElementsAre("one", "two"));
}

TEST(keeper, starts_without_a_database) {
    io::loop loop;
    report_clock clock;
    key_resolver dns;
    auto database = std::make_shared<memory_database>();
    database->behaves = mood::unreachable;
    keeper_options options;
    options.reopen_every = 1ms;
    options.reopen = [database]() -> store::result<std::unique_ptr<store::store>> {
        if (database->behaves != mood::fine)
            return std::unexpected(store::store_error{store::store_error::kind::unreachable, "no route"});
        return std::make_unique<memory_store>(database);
    };
    keeper keeps(loop, nullptr, dns, clock, options);
    circumstances how;
    how.way = model::way_in::lmtp;
    EXPECT_EQ(loop.block_on(keeps.keep(signed_mail("one"), how)).what, later);
    EXPECT_EQ(keeps.counters().last_error, "no route");
    database->behaves = mood::fine;
    loop.block_on(loop.sleep_for(5ms));
    EXPECT_EQ(loop.block_on(keeps.keep(signed_mail("one"), how)).what, stored);
}

TEST(keeper, one_input_that_the_engine_refuses_holds_back_no_other) {
    intake_world world;
    world.database->behaves = mood::refuses_poison;
    world.database->hold(true);
    circumstances how;
    how.way = model::way_in::https;
    how.domain_of_token = "example.com";
    std::vector<io::started<kept>> waiting;
    for (const char* id : {"first", "one", "poison", "two"})
        waiting.push_back(
            io::start(world.loop, world.keeper->keep(json_of(make_report("example.com", id)), how)));
    EXPECT_TRUE(eventually(world.loop, [&] { return world.keeper->counters().queued == 4; }));
    world.database->hold(false);
    std::vector<kept::fate> fates;
    for (auto& each : waiting)
        fates.push_back(world.loop.block_on(each.get()).what);
    EXPECT_THAT(fates, ElementsAre(stored, stored, later, stored));
    EXPECT_THAT(world.database->ids(), UnorderedElementsAre("first", "one", "two"));
}

TEST(keeper, takes_no_more_than_it_may_hold) {
    keeper_options options;
    options.queued_bytes = 20'000;
    intake_world world(options);
    world.database->hold(true);
    circumstances how;
    how.way = model::way_in::lmtp;
    std::vector<io::started<kept>> waiting;
    for (int i = 0; i < 50; ++i)
        waiting.push_back(io::start(world.loop, world.keeper->keep(signed_mail(std::to_string(i)), how)));
    EXPECT_TRUE(eventually(world.loop, [&] { return world.keeper->counters().inputs == 50; }));
    EXPECT_LE(world.keeper->counters().queued * signed_mail("0").size(), 20'000U);
    EXPECT_LE(world.keeper->counters().queued_bytes, 20'000U);
    EXPECT_GT(world.keeper->counters().queued_bytes, 10'000U) << "bytes, as the metric says";
    world.database->hold(false);
    std::size_t kept_ones = 0;
    for (auto& each : waiting)
        kept_ones += world.loop.block_on(each.get()).what == stored ? 1U : 0U;
    EXPECT_GT(kept_ones, 0U);
    EXPECT_EQ(kept_ones, world.database->count());
    EXPECT_LT(kept_ones, 50U);
    EXPECT_EQ(world.keeper->counters().queued_bytes, 0U);
}

TEST(keeper, a_batch_is_cut_where_its_bodies_grow_large) {
    keeper_options options;
    options.batch = 4;
    intake_world world(options);
    world.database->hold(true);
    circumstances how;
    how.way = model::way_in::https;
    how.domain_of_token = "example.com";
    std::vector<io::started<kept>> waiting;
    for (int i = 0; i < 20; ++i)
        waiting.push_back(io::start(
            world.loop, world.keeper->keep(json_of(make_report("example.com", std::to_string(i))), how)));
    EXPECT_TRUE(eventually(world.loop, [&] { return world.keeper->counters().queued == 20; }));
    world.database->hold(false);
    for (auto& each : waiting)
        EXPECT_EQ(world.loop.block_on(each.get()).what, stored);
    EXPECT_GE(world.database->transactions, 5U);
    EXPECT_EQ(world.database->count(), 20U);
}

TEST(keeper, other_writes_keep_their_place_in_the_row) {
    intake_world world;
    EXPECT_TRUE(
        world.loop.block_on(world.keeper->write([](store::store& in) { return in.set_fact("a", "1"); })));
    EXPECT_EQ(world.database->facts.at("a"), "1");
    world.database->behaves = mood::full;
    const auto failed =
        world.loop.block_on(world.keeper->write([](store::store& in) { return in.set_fact("a", "2"); }));
    ASSERT_FALSE(failed);
    EXPECT_TRUE(failed.error().again());
    EXPECT_EQ(world.database->facts.at("a"), "1");
}

TEST(keeper, going_away_writes_what_it_has_begun_and_refuses_the_rest) {
    io::loop loop;
    report_clock clock;
    key_resolver dns;
    dns.texts[key_name("reporter.example")] = ed25519_record();
    auto database = std::make_shared<memory_database>();
    keeper_options options;
    options.batch = 1;
    auto keeps =
        std::make_unique<keeper>(loop, std::make_unique<memory_store>(database), dns, clock, options);
    circumstances how;
    how.way = model::way_in::lmtp;
    std::vector<io::started<kept>> waiting;
    database->hold(true);
    for (const char* id : {"one", "two", "three"})
        waiting.push_back(io::start(loop, keeps->keep(signed_mail(id), how)));
    EXPECT_TRUE(eventually(loop, [&] { return keeps->counters().queued == 3; }));
    loop.block_on(loop.sleep_for(20ms));
    database->hold(false);
    keeps.reset();
    std::size_t kept_ones = 0;
    for (auto& each : waiting)
        kept_ones += loop.block_on(each.get()).what == stored ? 1U : 0U;
    EXPECT_EQ(kept_ones, database->count());
}

TEST(keeper, drains) {
    intake_world world;
    circumstances how;
    how.way = model::way_in::lmtp;
    auto waiting = io::start(world.loop, world.keeper->keep(signed_mail("one"), how));
    world.loop.block_on(world.loop.sleep_for(0ms));
    world.loop.block_on(world.keeper->drain());
    EXPECT_TRUE(waiting.box_->done.is_set());
    EXPECT_EQ(world.database->count(), 1U);
}

} // namespace
} // namespace mailtight::intake
