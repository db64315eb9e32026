// SPDX-License-Identifier: Apache-2.0
// Whole zones from real name servers, Knot and BIND: the names that take mail, signed and not, of zones of
// one message and of many; and what is said where there is none.
#include "publish/zone_transfer.h"
#include "world.h"

namespace mailtight::publish {
namespace {

using namespace mailtight::tests;
using fate = zone_names::fate;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* more_names = "shop IN MX 10 mx\n"
                                   "lists IN MX 10 mx\n"
                                   "lists IN MX 20 mx.example.net.\n"
                                   "deep.down IN MX 10 mx\n"
                                   "nomail IN MX 0 .\n"
                                   "*.any IN MX 10 mx\n";

class Transfer : public testing::TestWithParam<software> {
protected:
    static zone_names ask(push_world& world, const char* key, const std::string& zone = "example.com",
                          transfer_bounds within = {}) {
        return world.loop.block_on(names_with_mail(world.loop, world.server(key), zone, world.clock, within));
    }
};
INSTANTIATE_TEST_SUITE_P(Real, Transfer, testing::Values(software::knot, software::bind),
                         [](const auto& which) { return std::string(to_string(which.param)); });

TEST_P(Transfer, TheNamesThatTakeMail) {
    push_world world(GetParam(), more_names);
    for (const auto* key : {"", name_server::key_256, name_server::key_512}) {
        const auto got = ask(world, key);
        EXPECT_EQ(got.what, fate::whole) << key << got.words << world.primary.log();
        EXPECT_THAT(got.names, ElementsAre("deep.down.example.com", "lists.example.com", "shop.example.com"));
    }
}

TEST_P(Transfer, AZoneOfManyMessages) {
    std::string many = more_names;
    for (int i = 0; i < 20'000; ++i)
        many += fmt::format("host-with-a-long-name-{} IN TXT \"{:0>100}\"\n", i, i);
    for (int i = 0; i < 500; ++i)
        many += fmt::format("mail{} IN MX 10 mx\n", i);
    push_world world(GetParam(), many);
    const auto got = ask(world, name_server::key_256);
    EXPECT_EQ(got.what, fate::whole) << got.words;
    EXPECT_EQ(got.names.size(), 503U);

    const auto large = ask(world, name_server::key_256, "example.com", {.size = {.records = 10'000}});
    EXPECT_EQ(large.what, fate::failed);
    EXPECT_THAT(large.words, HasSubstr("larger"));
    EXPECT_THAT(large.names, IsEmpty());
    const auto late = ask(world, "", "example.com", {.in_all = 0ms});
    EXPECT_EQ(late.what, fate::failed);
    EXPECT_THAT(late.words, HasSubstr("too long"));
}

TEST_P(Transfer, ARefusalIsToldAsOne) {
    push_world world(GetParam());
    const auto other_zone = ask(world, name_server::key_256, "example.net");
    EXPECT_EQ(other_zone.what, fate::refused) << other_zone.words;
    EXPECT_THAT(other_zone.words, AllOf(HasSubstr("primary"), HasSubstr("example.net")));
    const auto unknown_key = ask(world, "other.example.com:hmac-sha256:AAECAwQFBgcICQoLDA0ODw==");
    EXPECT_EQ(unknown_key.what, fate::refused) << unknown_key.words;
    const auto wrong_secret = ask(world, "push.example.com:hmac-sha256:AAECAwQFBgcICQoLDA0ODw==");
    EXPECT_EQ(wrong_secret.what, fate::refused) << wrong_secret.words;
}

TEST_P(Transfer, AServerThatIsAwayOrSilent) {
    push_world world(GetParam());
    world.primary.pause();
    const auto silent = ask(world, "", "example.com", {.silence = 300ms});
    EXPECT_EQ(silent.what, fate::failed);
    EXPECT_THAT(silent.words, HasSubstr("in time"));
    world.primary.kill();
    const auto away = ask(world, "");
    EXPECT_EQ(away.what, fate::failed);
    EXPECT_FALSE(away.words.empty());
}

} // namespace
} // namespace mailtight::publish
