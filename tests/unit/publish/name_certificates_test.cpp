// SPDX-License-Identifier: Apache-2.0
// Certificates of names that are no policy hosts: got once however many machines want them, swapped when a
// new one is there, renewed in their time and when a person says so, and nothing served in place of one that
// is not there. The authority is played by the test; the real one is in the tests of the whole daemon.
#include "publish/name_certificates.h"

#include "support/certificates.h"
#include "support/domain_store_fake.h"
#include "support/scratch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::publish {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class NameCertificates : public testing::Test {
protected:
    /// One machine. Its authority gives a certificate after a moment, in which it asks for the answer.
    struct machine {
        machine(NameCertificates& in, std::string name, std::vector<std::string> names)
            : world(in)
            , thread(in.on, "store")
            , keeper(in.on, thread, in.clock, in.seal, std::move(names), hands(),
                     {std::move(name), 10ms, 50ms}) {}
        name_certificates_hands hands() {
            name_certificates_hands made;
            made.open = [this]() -> store::result<std::shared_ptr<store::domain_store>> {
                if (world.away)
                    return std::unexpected(store::store_error{.what = store::store_error::kind::unreachable,
                                                              .message = "the database is away"});
                return world.kept;
            };
            made.issue = [this](store::due_work& work, std::string host) {
                return issue(work, std::move(host));
            };
            made.renewal = [this](store::kept_certificate) -> io::task<issuer::renewal> {
                ++asked;
                co_return issuer::renewal{.at = world.renew_at, .ask_again = 60s};
            };
            made.told = [this](const std::string&, const issued& done) { told.push_back(done.words); };
            made.trouble = [this](std::string_view words) { troubles.emplace_back(words); };
            made.swapped = [this] { ++swaps; };
            return made;
        }
        io::task<issued> issue(store::due_work& work, std::string host) {
            ++orders;
            if (!world.refuses.empty()) {
                ++work.tries;
                work.last_error = world.refuses;
                co_return issued{.words = world.refuses, .again = 1h};
            }
            world.kept
                ->put_challenge({.kind = "tls-alpn-01",
                                 .key = host,
                                 .answer = "token.thumb",
                                 .until = world.clock.now() + 1h})
                .value();
            world.kept
                ->put_challenge(
                    {.kind = "http-01", .key = "tok", .answer = "tok.thumb", .until = world.clock.now() + 1h})
                .value();
            co_await world.on.sleep_for(100ms);
            answered_alpn = keeper.choose(host, true) != nullptr;
            answered_http = std::string(keeper.token("tok"));
            world.kept->drop_challenge("tls-alpn-01", host).value();
            world.kept->drop_challenge("http-01", "tok").value();
            const auto leaf = tests::make_leaf(world.root, {host});
            const store::kept_certificate fresh{
                .name = host,
                .chain = leaf.pem(),
                .sealed_key = world.seal.seal(certificate_seal_name(host), leaf.key_pem()),
                .not_before = world.clock.now() - 1h,
                .not_after = world.clock.now() + 90 * 24h + std::chrono::seconds(orders),
                .issuer = "https://acme.test/dir"};
            const auto saved = world.kept->save_certificate(fresh, work.fence);
            work.last_error.clear();
            work.tries = 0;
            co_return issued{.ok = saved && *saved, .words = host + " has one"};
        }
        NameCertificates& world;
        io::worker thread;
        name_certificates keeper;
        int orders = 0, swaps = 0, asked = 0;
        bool answered_alpn = false;
        std::string answered_http;
        std::vector<std::string> told, troubles;
    };

    /// Until it is so, at most ten seconds.
    bool until(std::function<bool()> so) {
        return on.block_on([](NameCertificates& in, std::function<bool()> is) -> io::task<bool> {
            for (int i = 0; i < 1'000 && !is(); ++i)
                co_await in.on.sleep_for(10ms);
            co_return is();
        }(*this, std::move(so)));
    }
    void pass(std::chrono::milliseconds length) {
        on.block_on([](io::loop& on, std::chrono::milliseconds length) -> io::task<> {
            co_await on.sleep_for(length);
        }(on, length));
    }
    static bool has(const machine& at, const std::string& name) {
        return at.keeper.choose(name, false) && at.keeper.choose(name, false)->names().front() == name;
    }

    io::loop on;
    base::system_clock clock;
    tests::scratch_folder scratch;
    base::sealing_key seal = base::sealing_key::make(scratch / "key").value();
    tests::identity root = tests::make_root();
    std::shared_ptr<tests::domain_store_fake> kept = std::make_shared<tests::domain_store_fake>();
    std::string refuses;
    base::utc_seconds renew_at = clock.now() + 30 * 24h;
    bool away = false;
};

TEST_F(NameCertificates, AreGotForEachNameAndNoneIsServedBefore) {
    machine one(*this, "one", {"pages.example", "alt.example"});
    on.block_on(one.keeper.load());
    EXPECT_EQ(one.keeper.choose("pages.example", false), nullptr)
        << "nothing of another name, nothing of our own making";
    EXPECT_EQ(one.keeper.choose("", false), nullptr);
    EXPECT_EQ(one.keeper.choose("pages.example", true), nullptr) << "no order, no answer";
    one.keeper.start();
    ASSERT_TRUE(until([&] { return has(one, "pages.example") && has(one, "alt.example"); }));
    EXPECT_EQ(one.orders, 2);
    EXPECT_GE(one.swaps, 1) << "both may come with one look";
    EXPECT_TRUE(one.answered_alpn) << "while the order was under way";
    EXPECT_EQ(one.answered_http, "tok.thumb");
    EXPECT_EQ(one.keeper.choose("pages.example", true), nullptr) << "the order is over";
    for (const char* name : {"", "strange.example", "192.0.2.1"})
        EXPECT_THAT(one.keeper.choose(name, false)->names(), ElementsAre("pages.example")) << name;
    ASSERT_TRUE(until([&] { return kept->certificate("pages.example").value()->proven; }))
        << "what is served is in use";
    one.keeper.stop();
    EXPECT_TRUE(until([&] { return one.keeper.idle(); }));
}

TEST_F(NameCertificates, AreOrderedByOneMachineAndServedByAll) {
    machine one(*this, "one", {"pages.example"}), two(*this, "two", {"pages.example"});
    one.keeper.start();
    two.keeper.start();
    ASSERT_TRUE(until([&] { return has(one, "pages.example") && has(two, "pages.example"); }));
    pass(300ms);
    EXPECT_EQ(one.orders + two.orders, 1);
    EXPECT_EQ(one.keeper.choose("pages.example", false)->leaf_sha256(),
              two.keeper.choose("pages.example", false)->leaf_sha256());
    EXPECT_TRUE(one.answered_alpn || two.answered_alpn);
    one.keeper.stop();
    two.keeper.stop();
    EXPECT_TRUE(until([&] { return one.keeper.idle() && two.keeper.idle(); }));
}

TEST_F(NameCertificates, AreThereAfterARestartWithoutAnOrder) {
    {
        machine first(*this, "one", {"pages.example"});
        first.keeper.start();
        ASSERT_TRUE(until([&] { return has(first, "pages.example") && first.keeper.idle(); }));
        first.keeper.stop();
        pass(50ms);
    }
    machine second(*this, "one", {"pages.example"});
    on.block_on(second.keeper.load());
    EXPECT_TRUE(has(second, "pages.example")) << "before a listener is bound";
    second.keeper.start();
    pass(200ms);
    EXPECT_EQ(second.orders, 0);
    second.keeper.stop();
    pass(50ms);
}

TEST_F(NameCertificates, AreRenewedWhenAPersonSaysSoAndWhenTheirTimeHasCome) {
    machine one(*this, "one", {"pages.example"});
    one.keeper.start();
    ASSERT_TRUE(until([&] { return has(one, "pages.example") && one.keeper.idle(); }));
    const auto first = one.keeper.choose("pages.example", false)->leaf_sha256();
    // A person does not wait for the date.
    kept->plan_work(name_work, "pages.example", store::person_asks).value();
    ASSERT_TRUE(until([&] { return one.keeper.choose("pages.example", false)->leaf_sha256() != first; }));
    ASSERT_TRUE(until([&] { return one.keeper.idle(); }));
    EXPECT_EQ(one.orders, 2);
    EXPECT_EQ(one.asked, 0);
    const auto second = one.keeper.choose("pages.example", false)->leaf_sha256();
    // It is not time yet: the authority is asked, its date is kept, and nothing is ordered.
    kept->plan_work(name_work, "pages.example", clock.now()).value();
    ASSERT_TRUE(until(
        [&] { return one.asked == 1 && one.keeper.idle() && one.keeper.rows()[0].renew_at == renew_at; }));
    EXPECT_EQ(one.orders, 2);
    EXPECT_EQ(one.keeper.choose("pages.example", false)->leaf_sha256(), second);
    // Now it is: the old one is served until the new one is there.
    renew_at = clock.now() - 1s;
    kept->plan_work(name_work, "pages.example", clock.now()).value();
    bool served = true;
    ASSERT_TRUE(until([&] {
        served = served && has(one, "pages.example");
        return one.keeper.choose("pages.example", false)->leaf_sha256() != second;
    }));
    EXPECT_TRUE(served);
    EXPECT_EQ(one.orders, 3);
    one.keeper.stop();
    EXPECT_TRUE(until([&] { return one.keeper.idle(); }));
}

TEST_F(NameCertificates, WhatWentWrongIsToldAndTheOldOneGoesOn) {
    refuses = "the CAA records of pages.example do not admit acme.test";
    machine one(*this, "one", {"pages.example"});
    one.keeper.start();
    ASSERT_TRUE(until([&] { return one.keeper.rows()[0].tries == 1 && one.keeper.idle(); }));
    pass(100ms);
    EXPECT_EQ(one.orders, 1) << "the next try is in an hour";
    EXPECT_EQ(one.keeper.rows()[0].trouble, refuses);
    EXPECT_FALSE(one.keeper.rows()[0].not_after);
    EXPECT_EQ(one.keeper.choose("pages.example", false), nullptr);
    refuses.clear();
    kept->plan_work(name_work, "pages.example", store::person_asks).value();
    ASSERT_TRUE(until([&] { return has(one, "pages.example") && one.keeper.rows()[0].trouble.empty(); }));
    refuses = "it is down";
    kept->plan_work(name_work, "pages.example", store::person_asks).value();
    ASSERT_TRUE(until([&] { return one.keeper.rows()[0].trouble == refuses; }));
    EXPECT_TRUE(has(one, "pages.example"));
    one.keeper.stop();
    EXPECT_TRUE(until([&] { return one.keeper.idle(); }));
}

TEST_F(NameCertificates, AStoreThatIsAwayIsWaitedForAndAKeyOfAnotherSealIsTold) {
    away = true;
    machine one(*this, "one", {"pages.example"});
    on.block_on(one.keeper.load());
    EXPECT_THAT(one.troubles, ElementsAre("the database is away"));
    away = false;
    const auto leaf = tests::make_leaf(root, {"pages.example"});
    const auto other = base::sealing_key::make(scratch / "other").value();
    const auto lease = kept->take_lease("name-certificate/pages.example", "x", 60s).value().value();
    ASSERT_TRUE(kept->save_certificate(
                        {.name = "pages.example",
                         .chain = leaf.pem(),
                         .sealed_key = other.seal(certificate_seal_name("pages.example"), leaf.key_pem()),
                         .not_before = clock.now() - 1h,
                         .not_after = clock.now() + 24h},
                        lease.fence)
                    .value());
    on.block_on(one.keeper.load());
    EXPECT_EQ(one.keeper.choose("pages.example", false), nullptr);
    EXPECT_THAT(one.keeper.rows()[0].trouble, HasSubstr("the key of pages.example"));
    EXPECT_FALSE(kept->certificate("pages.example").value()->proven) << "what cannot be served is not in use";
}

TEST_F(NameCertificates, NamesChangeWhileItRuns) {
    machine one(*this, "one", {"pages.example"});
    one.keeper.start();
    ASSERT_TRUE(until([&] { return has(one, "pages.example") && one.keeper.idle(); }));
    one.keeper.set_names({"new.example", "pages.example"});
    EXPECT_THAT(one.keeper.choose("", false)->names(), ElementsAre("pages.example"))
        << "the first that has one";
    EXPECT_EQ(one.keeper.choose("new.example", false), nullptr);
    ASSERT_TRUE(until([&] { return has(one, "new.example") && one.keeper.idle(); }));
    one.keeper.set_names({"new.example"});
    EXPECT_THAT(one.keeper.choose("pages.example", false)->names(), ElementsAre("new.example"))
        << "it is no name of ours any more";
    EXPECT_EQ(one.keeper.rows().size(), 1u);
    one.keeper.stop();
    EXPECT_TRUE(until([&] { return one.keeper.idle(); }));
}

} // namespace
} // namespace mailtight::publish
