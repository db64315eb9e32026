// SPDX-License-Identifier: Apache-2.0
// Names below a domain looked after: where they come from, which of them are told, and what happens when a
// source is away or says no.
#include "app/names_below.h"
#include "support/dns_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace mailtight::tests {
namespace {

using app::names_below;
using publish::zone_names;
using testing::ElementsAre;
using testing::IsEmpty;

struct below_world {
    io::loop loop;
    dns_world dns;
    base::system_clock clock;
    app::publish_settings say;
    std::map<std::string, model::looked_after> kept;
    std::optional<std::vector<std::string>> reported = std::vector<std::string>{};
    std::vector<std::string> known;
    zone_names zone{.what = zone_names::fate::whole, .names = {}, .words = {}};
    std::vector<std::string> transfers; ///< that were asked for
    unsigned reports_asked = 0;

    explicit below_world(const std::string& domain = "example.com") { look_after(domain); }
    model::looked_after& look_after(const std::string& domain) {
        auto& wish = kept[domain];
        wish.domain = domain;
        return wish;
    }
    void transfer_from(const std::string& name, const std::string& zone_of = "") {
        publish::update_server server;
        server.name = name;
        server.zone = zone_of;
        say.servers.push_back(server);
        say.transfer_from.push_back(name);
    }
    names_below make() {
        return names_below(
            {.loop = loop,
             .dns = dns,
             .clock = clock,
             .say = say,
             .find = [this](std::string name) -> io::task<std::optional<model::looked_after>> {
                 const auto found = kept.find(name);
                 co_return found == kept.end() ? std::nullopt : std::optional(found->second);
             },
             .reported = [this]() -> io::task<std::optional<std::vector<std::string>>> {
                 ++reports_asked;
                 co_return reported;
             },
             .known = [this] { return known; },
             .transfer = [this](publish::update_server from, std::string of) -> io::task<zone_names> {
                 transfers.push_back(from.name + " " + of);
                 co_return zone;
             }});
    }
    std::vector<std::string> of(names_below& names, const std::string& domain = "example.com") {
        return loop.block_on(names.of(domain));
    }
};

TEST(names_below, every_source_each_name_once) {
    below_world world;
    world.say.sub_domains = {"a.example.com", "other.example.net"};
    world.known = {"example.com", "b.example.com"};
    world.reported = {{"a.example.com", "c.deep.example.com", "c.example.net"}};
    world.transfer_from("knot", "example.com");
    world.zone.names = {"c.deep.example.com", "d.example.com"};
    auto names = world.make();
    EXPECT_THAT(world.of(names),
                ElementsAre("a.example.com", "b.example.com", "c.deep.example.com", "d.example.com"));
    EXPECT_THAT(world.of(names, "example.net"), IsEmpty()) << "it is not looked after";
}

TEST(names_below, what_is_looked_after_itself_is_not_told) {
    below_world world;
    world.look_after("shop.example.com");
    world.reported = {{"shop.example.com", "in.shop.example.com", "lists.example.com"}};
    auto names = world.make();
    EXPECT_THAT(world.of(names), ElementsAre("lists.example.com"));
    EXPECT_THAT(world.of(names, "shop.example.com"), ElementsAre("in.shop.example.com"));
    EXPECT_EQ(world.reports_asked, 1U) << "for all domains together";
}

TEST(names_below, reports_that_cannot_be_had_are_as_before) {
    below_world world;
    world.reported.reset();
    auto names = world.make();
    EXPECT_THAT(world.of(names), IsEmpty());
    EXPECT_THAT(world.of(names), IsEmpty());
    EXPECT_EQ(world.reports_asked, 1U) << "a database that is away is left alone for a while";
}

TEST(names_below, a_zone_is_transferred_once_for_all_its_domains) {
    below_world world;
    world.look_after("sub.example.com");
    world.transfer_from("knot", "example.com");
    world.zone.names = {"x.sub.example.com", "y.example.com"};
    auto names = world.make();
    EXPECT_THAT(world.of(names), ElementsAre("y.example.com"));
    EXPECT_THAT(world.of(names, "sub.example.com"), ElementsAre("x.sub.example.com"));
    EXPECT_THAT(world.transfers, ElementsAre("knot example.com"));
}

TEST(names_below, a_server_is_asked_for_its_own_zones_alone) {
    below_world world;
    world.look_after("example.net");
    world.transfer_from("named", "example.com");
    world.transfer_from("unnamed");
    auto names = world.make();
    world.of(names, "example.net");
    EXPECT_THAT(world.transfers, IsEmpty()) << "a person writes its records";
    auto& written = world.look_after("example.org");
    written.dns = model::dns_way::update;
    written.dns_server = "unnamed";
    world.of(names, "example.org");
    EXPECT_THAT(world.transfers, ElementsAre("unnamed example.org"));
}

TEST(names_below, a_refusal_is_said_and_not_asked_again_at_once) {
    below_world world;
    world.transfer_from("knot", "example.com");
    world.zone = {.what = zone_names::fate::refused, .names = {}, .words = "it answers REFUSED"};
    auto names = world.make();
    EXPECT_THAT(world.of(names), IsEmpty());
    EXPECT_THAT(world.of(names), IsEmpty());
    EXPECT_THAT(world.transfers, ElementsAre("knot example.com"));
    EXPECT_THAT(names.refused(), ElementsAre(testing::Pair("knot", "it answers REFUSED")));
}

TEST(names_below, a_server_that_is_away_rests) {
    below_world world;
    world.look_after("in.example.com");
    world.transfer_from("knot");
    for (auto& [name, wish] : world.kept)
        wish.dns = model::dns_way::update;
    world.zone = {.what = zone_names::fate::failed, .names = {}, .words = "it did not answer in time"};
    auto names = world.make();
    world.of(names);
    world.of(names, "in.example.com");
    EXPECT_EQ(world.transfers.size(), 1U) << "one that is away would hold up every domain";
}

TEST(names_below, which_of_them_take_mail_without_a_policy) {
    below_world world;
    world.say.sub_domains = {"bare.example.com",    "safe.example.com",   "null.example.com",
                             "nothing.example.com", "broken.example.com", "unknown.example.com"};
    for (const auto* name : {"bare", "safe", "broken", "unknown"})
        world.dns.mx(name + std::string(".example.com"), {{10, "mx.example.com"}});
    world.dns.mx("null.example.com", {{0, ""}});
    world.dns.txt("_mta-sts.safe.example.com", {"v=STSv1; id=1;"});
    world.dns.txt("_mta-sts.broken.example.com", {"v=STSv1; id=1;", "v=STSv1; id=2;"});
    world.dns.txt("_mta-sts.unknown.example.com", {}, fails("away"));
    auto names = world.make();
    EXPECT_THAT(world.loop.block_on(names.unprotected_below("example.com")),
                ElementsAre("bare.example.com", "broken.example.com"));
    EXPECT_EQ(world.loop.block_on(names.unprotected("unknown.example.com")), std::nullopt);
}

} // namespace
} // namespace mailtight::tests
