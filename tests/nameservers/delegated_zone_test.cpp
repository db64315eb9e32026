// SPDX-License-Identifier: Apache-2.0
// The zone for delegated names, read by the checkers of Knot and BIND and served by both.
#include "publish/delegated_zone.h"
#include "support/proves.h"
#include "world.h"

#include <fstream>

namespace mailtight::publish {
namespace {

using namespace mailtight::tests;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* zone = "sts.example.net";

std::string zone_file() {
    const std::vector<delegated_names> names{
        {"one.example", delegated_target("one.example", zone), "20260102030405", {"mailto:tls@one.example"}},
        {"two.example", delegated_target("two.example", zone), "2", {}},
        {"three.example",
         delegated_target("three.example", zone),
         "3",
         {"mailto:a,b@example.org", "https://example.org/" + std::string(300, 'x')}},
    };
    return zone_of_delegated(zone, names, "ns1.sts.example.net", "dns.master@example.net", 2'026'112'200,
                             {"ns1.example.org", "ns2.example.org."});
}

TEST(DelegatedZone, TheCheckersOfKnotAndBindTakeIt) {
    scratch_folder folder;
    std::ofstream(folder / "zone") << zone_file();
    std::string said;
    EXPECT_EQ(run_program("/usr/bin/kzonecheck", {"-o", zone, folder / "zone"}, said), 0) << said;
    EXPECT_EQ(run_program("/usr/bin/named-checkzone", {zone, folder / "zone"}, said), 0) << said;
    EXPECT_THAT(said, HasSubstr("serial 2026112200"));
    EXPECT_THAT(zone_file(), HasSubstr(" dns\\.master.example.net. "));
    std::ofstream(folder / "zone") << "junk\n";
    EXPECT_NE(run_program("/usr/bin/kzonecheck", {"-o", zone, folder / "zone"}, said), 0)
        << "the judge judges";
}

TEST(DelegatedZone, BothServeWhatWasMeant) {
    for (const auto kind : {software::knot, software::bind}) {
        name_server server(
            {.kind = kind, .port = free_port({"127.0.0.1"}), .zone = zone, .content = zone_file()});
        server.start();
        io::loop loop;
        const auto texts = [&](const std::string& name) {
            return loop.block_on(io::ask_server(loop, server.at(), name, "TXT", 2s)).texts;
        };
        EXPECT_THAT(texts(delegated_target("one.example", zone)), ElementsAre("v=STSv1; id=20260102030405;"));
        EXPECT_THAT(texts(tlsrpt_target(delegated_target("one.example", zone))),
                    ElementsAre("v=TLSRPTv1; rua=mailto:tls@one.example;"));
        EXPECT_THAT(texts(delegated_target("two.example", zone)), ElementsAre("v=STSv1; id=2;"));
        EXPECT_THAT(texts(tlsrpt_target(delegated_target("three.example", zone))),
                    ElementsAre("v=TLSRPTv1; rua=mailto:a%2Cb@example.org,https://example.org/" +
                                std::string(300, 'x') + ";"));
    }
}

// RFC 8461 §8.2: who follows an alias sees the id of its own domain.
TEST(DelegatedZone, EachDomainHasATargetOfItsOwn) {
    PROVES("8461-8.2-a", "8461-3.1-s");
    const auto one = delegated_target("one.example", zone);
    EXPECT_EQ(one, delegated_target("ONE.example.", zone));
    EXPECT_NE(one, delegated_target("two.example", zone));
    EXPECT_THAT(one, Not(HasSubstr("one"))) << "the zone does not tell whose domains it holds";
    EXPECT_TRUE(one.ends_with(std::string(".") + zone));
}

TEST(DelegatedZone, NothingOfADomainBecomesALine) {
    const auto good = delegated_target("one.example", zone);
    const auto text =
        zone_of_delegated(zone,
                          {{"one.example", good, "1", {"mailto:a@b.example\n@ IN A 192.0.2.1"}},
                           {"two.example", "elsewhere.example.org", "1", {}},
                           {"three.example", "a b\n\"c\"." + std::string(zone), "1", {}},
                           {"four.example", delegated_target("four.example", zone), "1\"; \n", {}}},
                          "ns1.example.org", "a@b.example", 1, {"ns1.example.org"});
    EXPECT_THAT(text, HasSubstr(good + ". IN TXT \"v=STSv1; id=1;\""));
    for (const auto* never : {"192.0.2.1", "elsewhere", "TLSRPT", "\"c\""})
        EXPECT_THAT(text, Not(HasSubstr(never)));
    for (const auto line : base::split(text, '\n'))
        EXPECT_TRUE(line.empty() || line.starts_with('$') || line.find(" IN ") != std::string_view::npos)
            << line;
}

TEST(DelegatedZone, ReportsAreAskedForBeforeAPolicyIsAnnounced) {
    const auto target = delegated_target("one.example", zone);
    const auto text = zone_of_delegated(zone, {{"one.example", target, "", {"mailto:tls@one.example"}}},
                                        "ns1.example.org", "a@b.example", 1, {"ns1.example.org"});
    EXPECT_THAT(text, HasSubstr(tlsrpt_target(target) + ". IN TXT \"v=TLSRPTv1; "));
    EXPECT_THAT(text, Not(HasSubstr("STSv1")));
}

// RFC 1982 §3.2.
TEST(DelegatedZone, ASerialIsAlwaysLaterThanTheLast) {
    const auto at = [](std::int64_t seconds) { return base::utc_seconds(std::chrono::seconds(seconds)); };
    EXPECT_EQ(next_serial(1, at(1'800'000'000)), 1'800'000'000U);
    EXPECT_EQ(next_serial(1'800'000'000, at(1'800'000'000)), 1'800'000'001U) << "twice in a second";
    EXPECT_EQ(next_serial(1'800'000'009, at(1'800'000'000)), 1'800'000'010U) << "a clock that went back";
    EXPECT_EQ(next_serial(2'026'112'299, at(1'800'000'000)), 2'026'112'300U) << "a serial made of a date";
    EXPECT_EQ(next_serial(4'294'967'295, at(4'294'967'296 + 5)), 5U) << "beyond 32 bits";
    EXPECT_EQ(next_serial(4'294'967'295, at(4'294'967'290)), 0U);
}

} // namespace
} // namespace mailtight::publish
