// SPDX-License-Identifier: Apache-2.0
// The issuer before Debian's pebble, which refuses three nonces of ten where it is not said otherwise.
#include "support/issuer_world.h"

#include "base/base64url.h"
#include "base/crypto/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::publish {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class Pebble : public testing::Test {
protected:
    static tests::private_pebble& authority() {
        static tests::private_pebble one("--reject 30");
        return one;
    }
    store::kept_certificate kept(const std::string& host) {
        const auto found = world_.store.certificate(host).value();
        if (!found)
            throw std::runtime_error("no certificate for " + host);
        return *found;
    }
    tests::issuer_world world_{authority()};
};

TEST_F(Pebble, EachKindOfProofLeadsToACertificate) {
    for (const auto kind : {challenge_kind::tls_alpn_01, challenge_kind::http_01, challenge_kind::dns_01}) {
        world_.options.order = {kind};
        const auto domain = std::string(to_string(kind)) + ".example";
        const auto done = world_.issue(domain);
        ASSERT_TRUE(done.ok) << to_string(kind) << ": " << done.words;
        const auto made = kept("mta-sts." + domain);
        const auto chain = base::parse_pem_chain(made.chain).value();
        EXPECT_GE(chain.size(), 2u) << "with the intermediate";
        EXPECT_THAT(chain[0].dns_names, ElementsAre("mta-sts." + domain));
        const auto key = world_.seal().open(certificate_seal_name(made.name), made.sealed_key);
        ASSERT_TRUE(key) << key.error();
        EXPECT_TRUE(base::key_fits(made.chain, *key));
        EXPECT_EQ(made.renew_at, made.not_before + (made.not_after - made.not_before) * 2 / 3);
        EXPECT_FALSE(made.proven) << "that is for the public path to show";
        EXPECT_EQ(world_.last.state, "");
    }
    EXPECT_THAT(world_.records, ElementsAre("+_acme-challenge.mta-sts.dns-01.example",
                                            "-_acme-challenge.mta-sts.dns-01.example"));
    EXPECT_EQ(world_.store.dropped.size(), 2u) << "no answer stays behind";
}

TEST_F(Pebble, RefusedNoncesAreTriedAgain) {
    std::uint64_t refused = 0;
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(world_.issue("n" + std::to_string(i) + ".example").ok);
        refused += world_.counted.bad_nonces;
    }
    EXPECT_GT(refused, 5u) << "30 of a hundred requests";
}

TEST_F(Pebble, OneAccountForAllAndNeverAsTheKeyOfACertificate) {
    ASSERT_TRUE(world_.issue("a.example").ok);
    const auto name = "acme/" + world_.options.directory + "/account";
    const auto sealed = world_.store.secret(name).value().value();
    EXPECT_EQ(sealed.find("PRIVATE"), std::string::npos) << "sealed";
    ASSERT_TRUE(world_.issue("b.example").ok);
    EXPECT_EQ(world_.store.secret(name).value(), sealed) << "made once";
    EXPECT_EQ(world_.orders_made(), 2u) << "both by the same account";
    const auto account = boost::json::parse(world_.seal().open(name, sealed).value());
    for (const char* host : {"mta-sts.a.example", "mta-sts.b.example"})
        EXPECT_FALSE(base::key_fits(kept(host).chain, account.at("key").as_string())) << host;
}

TEST_F(Pebble, EveryCertificateHasAKeyOfItsOwn) {
    ASSERT_TRUE(world_.issue("a.example").ok);
    const auto before = kept("mta-sts.a.example");
    ASSERT_TRUE(world_.issue("a.example").ok);
    const auto after = kept("mta-sts.a.example");
    EXPECT_NE(before.chain, after.chain);
    const auto old_key = world_.seal().open(certificate_seal_name(before.name), before.sealed_key).value();
    EXPECT_FALSE(base::key_fits(after.chain, old_key));
}

TEST_F(Pebble, AFailedProofIsToldInWordsAndBacksOff) {
    world_.answers = false;
    const auto done = world_.issue("wrong.example");
    EXPECT_FALSE(done.ok);
    EXPECT_FALSE(done.ours);
    EXPECT_THAT(done.words, testing::AllOf(HasSubstr("tls-alpn-01"), HasSubstr("http-01"),
                                           HasSubstr("mta-sts.wrong.example")));
    EXPECT_EQ(world_.last.tries, 1u);
    EXPECT_EQ(world_.last.last_error, done.words);
    std::vector<std::chrono::seconds> pauses{*done.again};
    for (int i = 0; i < 4; ++i)
        pauses.push_back(*world_.issue("wrong.example").again);
    const std::vector<std::chrono::seconds> least{60s, 600s, 6'000s, 86'400s, 86'400s};
    for (std::size_t i = 0; i < least.size(); ++i) {
        EXPECT_GE(pauses[i], least[i]) << i;
        EXPECT_LE(pauses[i], least[i] * 5 / 4) << i << ": moved by a quarter at most";
    }
    world_.answers = true;
    EXPECT_TRUE(world_.issue("wrong.example").ok) << "once it is mended";
    EXPECT_EQ(world_.last.tries, 0u);
}

TEST_F(Pebble, WhatStandsInTheWayIsNoOrder) {
    ASSERT_TRUE(world_.issue("a.example").ok);
    world_.in_the_way = "mta-sts.other.example leads elsewhere";
    const auto done = world_.issue("other.example");
    EXPECT_FALSE(done.ok);
    EXPECT_TRUE(done.ours);
    EXPECT_EQ(done.words, world_.in_the_way);
    EXPECT_EQ(world_.last.tries, 0u) << "no failed try of the name";
    EXPECT_EQ(world_.orders_made(), 1u);
}

TEST_F(Pebble, KindsThatCannotSucceedAreNotTried) {
    world_.options.order = {challenge_kind::tls_alpn_01, challenge_kind::http_01, challenge_kind::dns_01};
    world_.possible = {challenge_kind::dns_01};
    ASSERT_TRUE(world_.issue("dns.example").ok);
    EXPECT_THAT(world_.records,
                ElementsAre("+_acme-challenge.mta-sts.dns.example", "-_acme-challenge.mta-sts.dns.example"));
    EXPECT_TRUE(world_.store.dropped.empty()) << "no other answer was put up";
    EXPECT_EQ(world_.last.tries, 0u);
}

TEST_F(Pebble, StaysBelowTheLimitOfOrders) {
    world_.options.orders_at_once = 1;
    world_.options.orders_per_hour = 1;
    ASSERT_TRUE(world_.issue("a.example").ok);
    const auto done = world_.issue("b.example");
    EXPECT_FALSE(done.ok);
    EXPECT_TRUE(done.ours);
    EXPECT_GE(*done.again, 1'000s);
    EXPECT_EQ(world_.orders_made(), 1u);
}

TEST_F(Pebble, TermsMustBeAgreedTo) {
    world_.options.agree = false;
    const auto done = world_.issue("a.example");
    EXPECT_FALSE(done.ok);
    EXPECT_THAT(done.words, HasSubstr("Do%20what%20thou%20wilt"));
}

TEST_F(Pebble, AnUnknownProfileIsNamed) {
    world_.options.profile = "sixdays";
    EXPECT_THAT(world_.issue("a.example").words, HasSubstr("no profile \"sixdays\"; it offers none"));
}

TEST_F(Pebble, AForgottenAccountIsMadeAnew) {
    ASSERT_TRUE(world_.issue("a.example").ok);
    // The same store before an authority that has lost everything, as a test authority does at its restart.
    tests::private_pebble other("");
    const auto name = "acme/" + world_.options.directory + "/account";
    auto text =
        boost::json::parse(world_.seal().open(name, world_.store.secret(name).value().value()).value());
    tests::issuer_world again(other);
    const auto new_name = "acme/" + again.options.directory + "/account";
    const auto new_order =
        wire::read_acme_directory(again.get(again.options.directory).body).value().new_order;
    text.as_object()["url"] = new_order.substr(0, new_order.find("/order")) + "/my-account/77";
    again.store.put_secret(new_name, again.seal().seal(new_name, boost::json::serialize(text))).value();
    const auto done = again.issue("a.example");
    EXPECT_TRUE(done.ok) << done.words;
}

TEST_F(Pebble, TheAccountsKeyCanBeChanged) {
    ASSERT_TRUE(world_.issue("a.example").ok);
    const auto name = "acme/" + world_.options.directory + "/account";
    const auto before =
        boost::json::parse(world_.seal().open(name, world_.store.secret(name).value().value()).value());
    {
        io::worker thread(world_.on, "store");
        issuer one(world_.on, world_.dns, world_.tls(), world_.guard(), world_.clock, thread, world_.store,
                   world_.seal(), world_.options, world_.hands());
        const auto done = world_.on.block_on(one.change_account_key());
        ASSERT_TRUE(done) << done.error();
    }
    const auto after =
        boost::json::parse(world_.seal().open(name, world_.store.secret(name).value().value()).value());
    EXPECT_EQ(after.at("url"), before.at("url")) << "the same account";
    EXPECT_NE(after.at("key"), before.at("key"));
    ASSERT_TRUE(world_.issue("b.example").ok);
    EXPECT_EQ(world_.orders_made(), 2u);
}

TEST_F(Pebble, AKeyChangeThatWasCutOffIsSettledByAsking) {
    ASSERT_TRUE(world_.issue("a.example").ok);
    // Written down and never sent: the authority knows the old key alone.
    const auto next = "acme/" + world_.options.directory + "/next-key";
    const auto key = base::ec_key::make().value().pem();
    world_.store.put_secret(next, world_.seal().seal(next, key)).value();
    ASSERT_TRUE(world_.issue("b.example").ok);
    EXPECT_FALSE(world_.store.secret(next).value().has_value());
    EXPECT_EQ(world_.orders_made(), 2u);

    // Killed at each write of a change: one of both keys opens the account afterwards.
    for (int write = 1; write <= 4; ++write) {
        for (const bool before : {true, false}) {
            world_.store.lives = write;
            world_.store.before = before;
            try {
                io::worker thread(world_.on, "store");
                issuer one(world_.on, world_.dns, world_.tls(), world_.guard(), world_.clock, thread,
                           world_.store, world_.seal(), world_.options, world_.hands());
                static_cast<void>(world_.on.block_on(one.change_account_key()));
            } catch (const tests::killed&) {
            }
            world_.store.lives = -1;
            world_.store.take_back("one").value();
            const auto done = world_.issue("c.example");
            ASSERT_TRUE(done.ok) << write << (before ? " before: " : " behind: ") << done.words;
        }
    }
}

TEST_F(Pebble, KilledAtEveryWriteItGoesOnWithTheSameOrder) {
    ASSERT_TRUE(world_.issue("first.example").ok);
    std::size_t orders = world_.orders_made();
    for (const auto kind : {challenge_kind::tls_alpn_01, challenge_kind::dns_01}) {
        world_.options.order = {kind};
        for (const bool before : {true, false}) {
            bool whole = false;
            for (int write = 1; !whole && write < 40; ++write) {
                const auto domain = "k" + std::to_string(write) + (before ? "b" : "a") +
                                    std::string(to_string(kind)) + ".example";
                world_.store.lives = write;
                world_.store.before = before;
                issued done;
                whole = world_.lives_through(domain, done);
                if (!whole)
                    done = world_.issue(domain); // the next process
                world_.store.lives = -1;
                ASSERT_TRUE(done.ok) << domain << ": " << done.words;
                EXPECT_EQ(world_.orders_made(), ++orders) << domain << ": one order, whatever happened";
                const auto made = kept("mta-sts." + domain);
                EXPECT_TRUE(base::key_fits(
                    made.chain,
                    world_.seal().open(certificate_seal_name(made.name), made.sealed_key).value()));
            }
            EXPECT_TRUE(whole);
        }
    }
    std::map<std::string, int> standing;
    for (const auto& record : world_.records)
        standing[record.substr(1)] += record[0] == '+' ? 1 : -1;
    for (const auto& [name, count] : standing)
        EXPECT_LE(count, 1) << name; // put again after the kill, taken away once
    for (const auto& [name, count] : standing)
        EXPECT_TRUE(std::ranges::find(world_.records, "-" + name) != world_.records.end())
            << name << " stays in DNS";
}

/// Several at once share their writes: what one process leaves in the middle, the next one ends.
TEST_F(Pebble, KilledWithManyUnderWayEachHasOneOrder) {
    ASSERT_TRUE(world_.issue("first.example").ok);
    std::size_t orders = world_.orders_made();
    constexpr std::size_t many = 6;
    for (int write = 1; write <= 46; write += 9) {
        std::vector<std::string> domains;
        for (std::size_t i = 0; i < many; ++i)
            domains.push_back("m" + std::to_string(write) + "-" + std::to_string(i) + ".example");
        std::vector<store::due_work> works;
        for (const auto& domain : domains)
            works.push_back(world_.take(domain, "one"));
        world_.store.lives = write;
        world_.store.before = false;
        world_.store.for_good = true;
        bool was_killed = false;
        {
            io::worker thread(world_.on, "store");
            issuer one(world_.on, world_.dns, world_.tls(), world_.guard(), world_.clock, thread,
                       world_.store, world_.seal(), world_.options, world_.hands());
            const auto each = [&](std::size_t n) -> io::task<> {
                try {
                    static_cast<void>(co_await one.issue(works[n], domains[n]));
                } catch (const tests::killed&) {
                    was_killed = true;
                }
            };
            for (std::size_t n = 0; n < many; ++n)
                world_.on.spawn(each(n));
            world_.on.run();
        }
        EXPECT_TRUE(was_killed) << write;
        world_.store.lives = -1;
        for (const auto& domain : domains) {
            world_.store.take_back("one").value();
            const auto done = world_.issue(domain);
            ASSERT_TRUE(done.ok) << domain << ": " << done.words;
        }
        EXPECT_EQ(world_.orders_made(), orders += many) << write << ": one order each";
    }
}

TEST_F(Pebble, WhoLostTheLeaseStops) {
    ASSERT_TRUE(world_.issue("first.example").ok);
    io::worker thread(world_.on, "store");
    issuer one(world_.on, world_.dns, world_.tls(), world_.guard(), world_.clock, thread, world_.store,
               world_.seal(), world_.options, world_.hands());
    auto old = world_.take("x.example", "one");
    world_.store.take_back("one").value();
    world_.take("x.example", "two");
    const auto done = world_.on.block_on(one.issue(old, "x.example"));
    EXPECT_FALSE(done.ok);
    EXPECT_THAT(done.words, HasSubstr("another machine"));
    EXPECT_EQ(world_.orders_made(), 1u) << "nothing was asked for";
}

TEST(PebbleWithCustomers, TheExternalAccountIsBound) {
    const tests::private_pebble authority("--eab --reject 30");
    tests::issuer_world world(authority);
    EXPECT_THAT(world.issue("a.example").words, HasSubstr("external account"));
    world.options.eab = wire::external_account{.id = authority["eab_id"],
                                               .hmac_key = base::unbase64url(authority["eab_key"]).value()};
    const auto done = world.issue("a.example");
    EXPECT_TRUE(done.ok) << done.words;
    tests::issuer_world wrong(authority);
    wrong.options.eab = wire::external_account{.id = authority["eab_id"], .hmac_key = "another key"};
    EXPECT_FALSE(wrong.issue("a.example").ok);
}

} // namespace
} // namespace mailtight::publish
