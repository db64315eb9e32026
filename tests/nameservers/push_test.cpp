// SPDX-License-Identifier: Apache-2.0
// Pushes to real name servers, Knot and BIND: what is written, what is left alone, and what is never
// written.
#include "world.h"

namespace mailtight::publish {
namespace {

using namespace mailtight::tests;
using fate = pushed::fate;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr const char* sts = "_mta-sts.example.com";
constexpr const char* id1 = "v=STSv1; id=1;";
constexpr const char* id2 = "v=STSv1; id=2;";

class Push : public testing::TestWithParam<software> {};
INSTANTIATE_TEST_SUITE_P(Real, Push, testing::Values(software::knot, software::bind),
                         [](const auto& which) { return std::string(to_string(which.param)); });

TEST_P(Push, AFirstRecordAndThenNothingMoreToDo) {
    push_world world(GetParam());
    const auto first = world.push({text_change(sts, {id1})});
    EXPECT_EQ(first.what, fate::done) << first.words;
    EXPECT_THAT(world.texts(sts), ElementsAre(id1));
    EXPECT_EQ(world.ask(sts).ttl, 300U);
    ASSERT_EQ(first.servers.size(), 1U);
    EXPECT_EQ(first.servers[0].server, "ns1.example.net");

    const auto serial = world.serial();
    const auto again = world.push({text_change(sts, {id1}, {}, 900)});
    EXPECT_EQ(again.what, fate::already) << again.words << " (a TTL alone is no difference)";
    EXPECT_EQ(world.serial(), serial) << "nothing was written";
}

TEST_P(Push, OneRecordForAnotherAndThoseOfOthersStay) {
    push_world world(GetParam(), "_mta-sts 777 IN TXT \"v=STSv1; id=1;\"\n"
                                 "_mta-sts 777 IN TXT \"two \" \"strings\"\n"
                                 "_mta-sts 777 IN TXT \"quoted \\\" and \\200\"\n");
    const auto done = world.push({text_change(sts, {id2}, {id1})}, name_server::key_512);
    EXPECT_EQ(done.what, fate::done) << done.words;
    EXPECT_THAT(world.texts(sts), UnorderedElementsAre(id2, "two strings", "quoted \" and \xc8"));
    EXPECT_EQ(world.ask(sts).ttl, 777U) << "the TTL of others is not ours to change";

    const auto gone = world.push({text_change(sts, {}, {id2})});
    EXPECT_EQ(gone.what, fate::done) << gone.words;
    EXPECT_THAT(world.texts(sts), UnorderedElementsAre("two strings", "quoted \" and \xc8"));
}

TEST_P(Push, APolicyRecordOfOthersStopsIt) {
    push_world world(GetParam(), "_mta-sts IN TXT \"v=STSv1; id=theirs;\"\n"
                                 "_smtp._tls IN TXT \"v=TLSRPTv1; rua=mailto:them@example.net\"\n");
    const auto serial = world.serial();
    const auto stopped = world.push({text_change(sts, {id1})});
    EXPECT_EQ(stopped.what, fate::stopped);
    EXPECT_THAT(stopped.words, AllOf(HasSubstr("not ours"), HasSubstr("id=theirs")));
    const auto reports =
        world.push({text_change("_smtp._tls.example.com", {"v=TLSRPTv1; rua=mailto:us@example.com"})});
    EXPECT_EQ(reports.what, fate::stopped);
    EXPECT_EQ(world.serial(), serial);

    const auto taken_over = world.push({text_change(sts, {id1}, {"v=STSv1; id=theirs;"})});
    EXPECT_EQ(taken_over.what, fate::done) << taken_over.words;
}

TEST_P(Push, WhatChangesMeanwhileIsNotWrittenOver) {
    push_world world(GetParam(), "_mta-sts IN TXT \"v=STSv1; id=1;\"\n");
    update_proxy proxy(world.primary.at(), [&](unsigned) {
        world.others("update delete _mta-sts.example.com. TXT\n"
                     "update add _mta-sts.example.com. 300 TXT \"v=STSv1; id=other;\"");
        return update_proxy::deed::pass;
    });
    world.via = proxy.at();
    const auto stopped = world.push({text_change(sts, {id2}, {id1})});
    EXPECT_EQ(stopped.what, fate::stopped);
    EXPECT_THAT(stopped.words, AllOf(HasSubstr("NXRRSET"), HasSubstr("Nothing was written")));
    EXPECT_THAT(world.texts(sts), ElementsAre("v=STSv1; id=other;"));
}

TEST_P(Push, WhatAppearsMeanwhileStopsAFirstRecord) {
    for (const std::string theirs : {"TXT \"v=STSv1; id=other;\"", "CNAME elsewhere.example.net."}) {
        push_world world(GetParam());
        update_proxy proxy(world.primary.at(), [&](unsigned) {
            world.others("update add _mta-sts.example.com. 300 " + theirs);
            return update_proxy::deed::pass;
        });
        world.via = proxy.at();
        const auto stopped = world.push({text_change(sts, {id1})});
        EXPECT_EQ(stopped.what, fate::stopped);
        EXPECT_THAT(stopped.words, HasSubstr("YXRRSET")) << theirs;
        EXPECT_EQ(proxy.updates(), 1U);
    }
}

TEST_P(Push, AKeyThatIsNotRightIsToldApart) {
    push_world world(GetParam());
    const auto serial = world.serial();
    const std::pair<const char*, const char*> rows[] = {
        {"stranger.example.com:hmac-sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "BADKEY"},
        {"push.example.com:hmac-sha512:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "BADKEY"},
        {"push.example.com:hmac-sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHhA=", "BADSIG"},
    };
    for (const auto& [key, words] : rows) {
        const auto refused = world.push({text_change(sts, {id1})}, key);
        EXPECT_EQ(refused.what, fate::refused);
        EXPECT_THAT(refused.words, AllOf(HasSubstr(words), HasSubstr("Nothing was written")));
        EXPECT_THAT(refused.words, testing::Not(HasSubstr("AAECAw")));
    }
    for (const char* key : {name_server::key_idle, ""}) {
        const auto refused = world.push({text_change(sts, {id1})}, key);
        EXPECT_EQ(refused.what, fate::refused);
        EXPECT_THAT(refused.words, testing::AnyOf(HasSubstr("REFUSED"), HasSubstr("NOTAUTH"),
                                                  HasSubstr("BADKEY"))) // Knot, of a key that it knows
            << refused.words;
    }
    EXPECT_EQ(world.serial(), serial);
}

TEST_P(Push, ClocksThatDisagreeAreTold) {
    for (const auto off : {-2h, 2h}) {
        push_world world(GetParam());
        world.clock.off = off;
        const auto refused = world.push({text_change(sts, {id1})});
        EXPECT_EQ(refused.what, fate::refused);
        EXPECT_THAT(refused.words,
                    AllOf(HasSubstr("BADTIME"), HasSubstr("2 h"), HasSubstr(off > 0h ? "behind" : "before")));
        EXPECT_THAT(world.texts(sts), IsEmpty());
    }
}

TEST_P(Push, FromATextToAnAliasAndBackInOneMessage) {
    push_world world(GetParam(), "_mta-sts IN TXT \"v=STSv1; id=1;\"\n");
    update_proxy proxy(world.primary.at(), [](unsigned) { return update_proxy::deed::pass; });
    world.via = proxy.at();
    const plan::record_change alias{sts, "CNAME", {"Target.example.net"}, {}, 300};
    const auto to_alias = world.push({text_change(sts, {}, {id1}), alias});
    EXPECT_EQ(to_alias.what, fate::done) << to_alias.words;
    EXPECT_THAT(world.ask(sts, "CNAME").texts, ElementsAre("target.example.net"));
    EXPECT_EQ(proxy.updates(), 1U);

    const auto beside = world.push({text_change(sts, {id2})});
    EXPECT_EQ(beside.what, fate::stopped);
    EXPECT_THAT(beside.words, HasSubstr("alias"));

    auto away = alias;
    std::swap(away.add, away.remove);
    const auto back = world.push({away, text_change(sts, {id2})});
    EXPECT_EQ(back.what, fate::done) << back.words;
    EXPECT_THAT(world.texts(sts), ElementsAre(id2));
    EXPECT_EQ(proxy.updates(), 2U);
}

// Erratum 4469: the server would take the text away, add no alias, and say NOERROR.
TEST_P(Push, NothingIsLostWhereAnAliasCannotCome) {
    push_world world(GetParam(), "_mta-sts IN TXT \"v=STSv1; id=1;\"\n_mta-sts IN MX 10 mx\n");
    const plan::record_change alias{sts, "CNAME", {"target.example.net"}, {}, 300};
    const auto stopped = world.push({text_change(sts, {}, {id1}), alias});
    EXPECT_EQ(stopped.what, fate::stopped);
    EXPECT_THAT(stopped.words, HasSubstr("MX"));
    EXPECT_THAT(world.texts(sts), ElementsAre(id1));
}

TEST_P(Push, ManyChangesOfAZoneAreOneMessage) {
    push_world world(GetParam(), "_smtp._tls IN TXT \"v=TLSRPTv1; rua=mailto:old@example.com\"\n");
    update_proxy proxy(world.primary.at(), [](unsigned) { return update_proxy::deed::pass; });
    world.via = proxy.at();
    const auto done =
        world.push({text_change(sts, {id1}),
                    text_change("_smtp._tls.example.com", {"v=TLSRPTv1; rua=mailto:new@example.com"},
                                {"v=TLSRPTv1; rua=mailto:old@example.com"}),
                    {"mta-sts.example.com", "A", {"192.0.2.9"}, {}, 300},
                    {"mta-sts.example.com", "AAAA", {"2001:DB8:0::9"}, {}, 300}});
    EXPECT_EQ(done.what, fate::done) << done.words;
    EXPECT_EQ(proxy.updates(), 1U);
    EXPECT_THAT(world.ask("mta-sts.example.com", "AAAA").texts, ElementsAre("2001:db8::9"));
    EXPECT_THAT(world.texts("_smtp._tls.example.com"), ElementsAre("v=TLSRPTv1; rua=mailto:new@example.com"));

    // All or nothing: one that cannot be done stops the others too.
    world.others("update add _smtp._tls.example.com. 300 TXT \"v=TLSRPTv1; rua=mailto:more@example.com\"");
    const auto none =
        world.push({text_change(sts, {id2}, {id1}),
                    text_change("_smtp._tls.example.com", {"v=TLSRPTv1; rua=mailto:newer@example.com"},
                                {"v=TLSRPTv1; rua=mailto:new@example.com"})});
    EXPECT_EQ(none.what, fate::stopped);
    EXPECT_THAT(world.texts(sts), ElementsAre(id1));
}

// The name has no record of its own; what the wildcard answers there is no obstacle, and stays.
TEST_P(Push, AWildcardIsNoRecordOfTheName) {
    for (const std::string wild : {"anything", "v=STSv1; id=wild;"}) {
        push_world world(GetParam(), "* IN TXT \"" + wild + "\"\n");
        const auto done = world.push({text_change(sts, {id1})});
        EXPECT_EQ(done.what, fate::done) << done.words;
        EXPECT_THAT(world.texts(sts), ElementsAre(id1));
        EXPECT_THAT(world.texts("other.example.com"), ElementsAre(wild));
    }
}

TEST_P(Push, AChallengeStandsBesideOthersAndGoesAlone) {
    push_world world(GetParam());
    const auto name = "_acme-challenge.mta-sts.example.com";
    EXPECT_EQ(world.push({text_change(name, {"one"}, {}, 1)}).what, fate::done);
    EXPECT_EQ(world.push({text_change(name, {"two"}, {}, 1)}).what, fate::done);
    EXPECT_THAT(world.texts(name), UnorderedElementsAre("one", "two"));
    EXPECT_EQ(world.push({text_change(name, {}, {"one"})}).what, fate::done);
    EXPECT_THAT(world.texts(name), ElementsAre("two"));
    EXPECT_EQ(world.push({text_change(name, {}, {"one"})}).what, fate::already);
}

// docs/dns-push.md: a key that may write our names, and nothing else.
TEST_P(Push, TheRulesOfTheManualSuffice) {
    push_world world(GetParam(), "_mta-sts IN TXT \"v=STSv1; id=1;\"\n", false, false, true);
    const auto done =
        world.push({text_change(sts, {id2}, {id1}),
                    text_change("_smtp._tls.example.com", {"v=TLSRPTv1; rua=mailto:a@example.com"}),
                    text_change("_acme-challenge.mta-sts.example.com", {"token"}),
                    {"mta-sts.example.com", "A", {"192.0.2.9"}, {}, 300}});
    EXPECT_EQ(done.what, fate::done) << done.words;
    const auto more = world.push({text_change("www.example.com", {"x"})});
    EXPECT_EQ(more.what, fate::refused) << more.words;
    EXPECT_THAT(world.texts("www.example.com"), IsEmpty());
}

TEST_P(Push, AServerThatHoldsNoSuchZoneSaysSo) {
    push_world world(GetParam());
    const auto found = world.push({text_change("_mta-sts.example.org", {id1})});
    EXPECT_EQ(found.what, fate::refused);
    EXPECT_THAT(found.words, HasSubstr("primary"));
    auto to = world.server();
    to.zone = "www.example.com"; // a name of the zone, no zone
    const auto wrong = world.push_to(to, {text_change("_mta-sts.www.example.com", {id1})});
    EXPECT_EQ(wrong.what, fate::refused);
    EXPECT_THAT(wrong.words, HasSubstr("NOTAUTH"));
    to.zone = "example.net";
    EXPECT_EQ(world.push_to(to, {text_change(sts, {id1})}).what, fate::stopped) << "outside of the zone";
}

} // namespace
} // namespace mailtight::publish
