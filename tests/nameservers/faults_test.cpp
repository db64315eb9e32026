// SPDX-License-Identifier: Apache-2.0
// Answers that are lost, servers that go away in the middle, secondaries that lag: a push looks, then
// decides, and doing it again does no harm.
#include "world.h"

namespace mailtight::publish {
namespace {

using namespace mailtight::tests;
using fate = pushed::fate;
using deed = update_proxy::deed;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* sts = "_mta-sts.example.com";
constexpr const char* id1 = "v=STSv1; id=1;";
constexpr const char* id2 = "v=STSv1; id=2;";
constexpr const char* with_id1 = "_mta-sts IN TXT \"v=STSv1; id=1;\"\n";

class PushFaults : public testing::TestWithParam<software> {};
INSTANTIATE_TEST_SUITE_P(Real, PushFaults, testing::Values(software::knot, software::bind),
                         [](const auto& which) { return std::string(to_string(which.param)); });

TEST_P(PushFaults, AnAnswerThatIsLostAfterTheDeed) {
    push_world world(GetParam(), with_id1);
    update_proxy proxy(world.primary.at(), [](unsigned) { return deed::lose_reply; });
    world.via = proxy.at();
    const auto done = world.push({text_change(sts, {id2}, {id1})});
    EXPECT_EQ(done.what, fate::done) << done.words;
    EXPECT_EQ(proxy.updates(), 1U) << "what was seen to be done is not sent again";
    EXPECT_THAT(world.texts(sts), ElementsAre(id2));
}

TEST_P(PushFaults, AnUpdateThatIsLostIsSentOnceMore) {
    push_world world(GetParam(), with_id1);
    update_proxy proxy(world.primary.at(),
                       [](unsigned number) { return number == 1 ? deed::lose_request : deed::pass; });
    world.via = proxy.at();
    const auto done = world.push({text_change(sts, {id2}, {id1})});
    EXPECT_EQ(done.what, fate::done) << done.words;
    EXPECT_EQ(proxy.updates(), 2U);
}

TEST_P(PushFaults, AndNotForEver) {
    push_world world(GetParam(), with_id1);
    update_proxy proxy(world.primary.at(), [](unsigned) { return deed::lose_request; });
    world.via = proxy.at();
    const auto failed = world.push({text_change(sts, {id2}, {id1})});
    EXPECT_EQ(failed.what, fate::failed);
    EXPECT_THAT(failed.words, HasSubstr("as they were"));
    EXPECT_EQ(proxy.updates(), 2U);
    EXPECT_THAT(world.texts(sts), ElementsAre(id1));
}

TEST_P(PushFaults, AReplyThatWasChangedOnTheWayIsNotBelieved) {
    push_world world(GetParam(), with_id1);
    update_proxy proxy(world.primary.at(), [](unsigned) { return deed::forge_reply; });
    world.via = proxy.at();
    const auto done = world.push({text_change(sts, {id2}, {id1})});
    EXPECT_EQ(done.what, fate::done) << "it says REFUSED, but the server did it: " << done.words;
}

TEST_P(PushFaults, AServerKilledInTheMiddle) {
    push_world world(GetParam(), with_id1);
    update_proxy proxy(world.primary.at(), [&](unsigned) {
        world.primary.kill();
        return deed::pass;
    });
    world.via = proxy.at();
    const auto failed = world.push({text_change(sts, {id2}, {id1})});
    EXPECT_EQ(failed.what, fate::failed);
    EXPECT_THAT(failed.words, HasSubstr("not known"));
    world.via.reset();
    world.primary.start();
    const auto done = world.push({text_change(sts, {id2}, {id1})});
    EXPECT_EQ(done.what, fate::done) << done.words;
    EXPECT_THAT(world.texts(sts), ElementsAre(id2));
}

TEST_P(PushFaults, AServerThatIsNotThereOrSaysNothing) {
    push_world world(GetParam());
    world.patience = 300ms;
    world.primary.pause();
    const auto silent = world.push({text_change(sts, {id1})});
    EXPECT_EQ(silent.what, fate::failed);
    EXPECT_THAT(silent.words, HasSubstr("in time"));
    world.primary.go_on();
    world.primary.stop();
    const auto absent = world.push({text_change(sts, {id1})});
    EXPECT_EQ(absent.what, fate::failed);
    EXPECT_THAT(absent.words, HasSubstr("refused"));
}

TEST_P(PushFaults, SecondariesAreWaitedFor) {
    push_world world(GetParam(), with_id1, true);
    world.wait_for_others = 20s;
    const auto done = world.push({text_change(sts, {id2}, {id1})});
    EXPECT_EQ(done.what, fate::done) << done.words;
    EXPECT_EQ(done.servers.size(), 2U);
    EXPECT_THAT(world.ask(sts, "TXT", "127.0.0.2").texts, ElementsAre(id2));
}

TEST_P(PushFaults, OneThatLagsIsNamed) {
    push_world world(GetParam(), with_id1, true, true);
    world.wait_for_others = 500ms;
    world.second->pause();
    world.patience = 500ms;
    const auto unheard = world.push({text_change(sts, {id2}, {id1})});
    EXPECT_EQ(unheard.what, fate::done) << "every one that could be asked: " << unheard.words;
    EXPECT_THAT(unheard.words, AllOf(HasSubstr("not heard"), HasSubstr("ns2.example.net")));
    world.second->go_on();
    const auto lagging = world.push({text_change(sts, {"v=STSv1; id=3;"}, {id2})});
    EXPECT_EQ(lagging.what, fate::spreading);
    EXPECT_THAT(lagging.words, HasSubstr("ns2.example.net"));
}

// Addresses that DNS names pass the guard; the server that the operator named does not have to.
TEST_P(PushFaults, TheGuardHoldsForServersThatDnsNames) {
    push_world world(GetParam());
    world.guard = base::address_guard{};
    world.wait_for_others = 300ms;
    const auto written = world.push({text_change(sts, {id1})});
    EXPECT_EQ(written.what, fate::spreading);
    EXPECT_THAT(written.words, HasSubstr("loopback"));
    EXPECT_THAT(world.texts(sts), ElementsAre(id1));
}

} // namespace
} // namespace mailtight::publish
