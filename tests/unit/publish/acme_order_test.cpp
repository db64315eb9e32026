// SPDX-License-Identifier: Apache-2.0
// Every branch of an order, without an authority.
#include "publish/acme_order.h"

#include "order_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::publish {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using tests::all_pending;
using tests::answer;
using tests::authorization_json;
using tests::challenge_json;
using tests::error_json;
using tests::order_json;
using tests::order_script;
using tests::order_time;
using tests::problem;
using kind = order_step::kind;

const order_memory fresh{.directory = "https://ca.example/dir"};

/// What a new process would find.
order_memory written(const acme_order& order) {
    return read_order_memory(to_json(order.memory()));
}

TEST(AcmeOrder, GoesFromTheOrderToTheCertificate) {
    order_script s;
    EXPECT_EQ(s.next().what, kind::create);
    EXPECT_EQ(s.next().payload, R"({"identifiers":[{"type":"dns","value":"mta-sts.example.com"}]})");
    s.created();
    EXPECT_EQ(s.next().what, kind::read);
    EXPECT_EQ(s.next().url, "https://ca.example/authz/1");
    s.offered();
    EXPECT_EQ(s.next().what, kind::put);
    EXPECT_EQ(s.next().challenge, challenge_kind::tls_alpn_01) << "our order of preference, not theirs";
    EXPECT_EQ(s.next().token, "token-tls-alpn-01");
    s.put();
    EXPECT_EQ(s.next().what, kind::tell);
    EXPECT_EQ(s.next().url, "https://ca.example/chall/tls-alpn-01");
    EXPECT_EQ(s.next().payload, "{}");
    s.told();
    EXPECT_EQ(s.next().what, kind::read);
    s.reply(answer(200, authorization_json("valid", {challenge_json("tls-alpn-01", "valid")})));
    EXPECT_EQ(s.next().url, "https://ca.example/order/1");
    s.reply(answer(200, order_json("ready")));
    EXPECT_EQ(s.next().what, kind::take) << "nobody asks for the answer any more";
    s.taken();
    EXPECT_EQ(s.next().what, kind::finalize);
    EXPECT_EQ(s.next().url, "https://ca.example/fin/1");
    s.order.keep_key("sealed");
    s.reply(answer(200, order_json("valid", R"(,"certificate":"https://ca.example/cert/1")")));
    EXPECT_EQ(s.next().what, kind::read);
    EXPECT_EQ(s.next().url, "https://ca.example/cert/1");
    s.reply(answer(200, "the chain"));
    EXPECT_EQ(s.next().what, kind::done);
    EXPECT_EQ(s.next().chain, "the chain");
}

TEST(AcmeOrder, FinalizesOnlyWhatIsReady) {
    order_script s;
    s.asked().reply(answer(200, authorization_json("valid", {})));
    s.reply(answer(200, order_json("pending")));
    EXPECT_EQ(s.next().what, kind::read) << "the authorization is valid, the order not ready yet";
    s.reply(answer(200, order_json("pending")));
    EXPECT_EQ(s.next().what, kind::read);
    s.reply(answer(200, order_json("ready"))).taken();
    EXPECT_EQ(s.next().what, kind::finalize);
    s.reply(problem(403, "orderNotReady"));
    EXPECT_EQ(s.next().what, kind::read) << "looks again";
    EXPECT_EQ(s.next().url, "https://ca.example/order/1");
}

TEST(AcmeOrder, OrderNotReadyWithoutEndIsGivenUp) {
    order_script s;
    s.asked().reply(answer(200, authorization_json("valid", {})));
    for (int i = 0; i < 10 && s.next().what != kind::failed; ++i) {
        s.reply(answer(200, order_json("ready")));
        if (s.next().what == kind::take)
            s.taken();
        if (s.next().what == kind::finalize)
            s.reply(problem(403, "orderNotReady"));
    }
    EXPECT_EQ(s.next().what, kind::failed);
}

TEST(AcmeOrder, AReusedAuthorizationNeedsNoChallenge) {
    order_script s;
    s.reply(answer(201, order_json("ready"), "https://ca.example/order/1"));
    EXPECT_EQ(s.next().what, kind::finalize);
}

TEST(AcmeOrder, ProcessingIsWaitedFor) {
    order_script s;
    s.asked()
        .reply(answer(200, authorization_json("valid", {})))
        .reply(answer(200, order_json("ready")))
        .taken();
    s.order.keep_key("sealed");
    s.waits.clear();
    for (int i = 0; i < 5; ++i)
        s.reply(answer(200, order_json("processing")));
    s.next();
    ASSERT_EQ(s.waits.size(), 5u);
    for (std::size_t i = 1; i < s.waits.size(); ++i)
        EXPECT_GT(s.waits[i], s.waits[i - 1]) << "longer each time";
    s.reply(answer(200, order_json("processing"), "", "7"));
    s.next();
    EXPECT_EQ(s.waits.back(), 7s) << "as long as the authority asks for";
}

TEST(AcmeOrder, AnAuthorityThatAsksForALongWaitIsLeftInPeace) {
    order_script s;
    s.asked().reply(answer(200, authorization_json("pending", {challenge_json("tls-alpn-01", "processing")}),
                           "", "3600"));
    EXPECT_EQ(s.next().what, kind::failed);
    EXPECT_EQ(s.next().again, 1h);
    EXPECT_TRUE(s.next().ours) << "no failed try of the name";
    EXPECT_EQ(written(s.order).order, "https://ca.example/order/1") << "and goes on there";
}

TEST(AcmeOrder, AnErrorBesideProcessingIsNoEnd) {
    order_script s; // erratum 5732 of RFC 8555
    s.asked();
    for (const char* status : {"processing", "pending"})
        s.reply(answer(200, authorization_json("pending", {challenge_json("tls-alpn-01", status,
                                                                          error_json("connection"))})));
    EXPECT_EQ(s.next().what, kind::read) << "the authority tries again by itself";
    s.reply(answer(200, authorization_json("valid", {})));
    s.reply(answer(200, order_json("ready"))).taken();
    EXPECT_EQ(s.next().what, kind::finalize);
}

TEST(AcmeOrder, AnInvalidChallengeLeadsToTheNextKindInANewOrder) {
    order_script s;
    s.asked().reply(
        answer(200, authorization_json("invalid", {challenge_json("tls-alpn-01", "invalid",
                                                                  error_json("connection", "refused"))})));
    EXPECT_EQ(s.next().what, kind::take);
    s.taken();
    EXPECT_EQ(s.next().what, kind::create) << "the failed challenge ended its order";
    s.created().offered();
    EXPECT_EQ(s.next().challenge, challenge_kind::http_01);
    s.put().told().reply(
        answer(200, authorization_json(
                        "invalid", {challenge_json("http-01", "invalid", error_json("unauthorized", "404")),
                                    challenge_json("tls-alpn-01", "pending")})));
    s.taken();
    EXPECT_EQ(s.next().what, kind::failed);
    EXPECT_THAT(s.next().words, testing::AllOf(HasSubstr("tls-alpn-01: refused"), HasSubstr("http-01: 404")));
    EXPECT_FALSE(s.next().ours);
    EXPECT_TRUE(s.order.memory().empty()) << "the next try begins at the beginning";
}

TEST(AcmeOrder, WhatNoOtherChallengeCanMendEndsAtOnce) {
    struct row {
        const char* type;
        const char* fix;
    };
    for (const auto& [type, fix] :
         {row{"caa", "CAA records forbid"}, row{"rejectedIdentifier", "choose another one"},
          row{"dns", "could not look up"}}) {
        order_script s;
        s.asked().reply(answer(
            200, authorization_json("invalid", {challenge_json("tls-alpn-01", "invalid", error_json(type)),
                                                challenge_json("http-01", "pending")})));
        s.taken();
        EXPECT_EQ(s.next().what, kind::failed) << type;
        EXPECT_THAT(s.next().words, HasSubstr(fix));
        EXPECT_THAT(s.next().words, HasSubstr("mta-sts.example.com")) << "the fix names the host";
    }
}

TEST(AcmeOrder, AfterAFailedLookUpDns01IsStillTried) {
    order_script s(fresh, {challenge_kind::tls_alpn_01, challenge_kind::http_01, challenge_kind::dns_01});
    s.asked().reply(answer(
        200, authorization_json("invalid", {challenge_json("tls-alpn-01", "invalid", error_json("dns")),
                                            challenge_json("dns-01", "pending")})));
    s.taken().created();
    EXPECT_EQ(s.next().what, kind::read);
    s.offered();
    EXPECT_EQ(s.next().challenge, challenge_kind::dns_01) << "http-01 would need the same look-up";
}

TEST(AcmeOrder, WhatCannotBeAnsweredHereIsPassedOver) {
    order_script s;
    s.created().offered().put("port 443 is not ours");
    EXPECT_EQ(s.next().what, kind::read) << "the same authorization: nobody was told to look";
    s.offered();
    EXPECT_EQ(s.next().challenge, challenge_kind::http_01);
    s.put("nor is port 80").offered();
    s.taken();
    EXPECT_EQ(s.next().what, kind::failed);
    EXPECT_THAT(s.next().words, HasSubstr("port 443 is not ours"));
}

TEST(AcmeOrder, KindsThatAreNotOfferedAreNamed) {
    order_script s;
    s.created().reply(
        answer(200, authorization_json("pending", {challenge_json("dns-01", "pending"),
                                                   challenge_json("dns-account-01", "pending")})));
    EXPECT_EQ(s.next().what, kind::failed);
    EXPECT_TRUE(s.next().ours);
    EXPECT_THAT(s.next().words, HasSubstr("dns-01, dns-account-01"));
}

TEST(AcmeOrder, ALimitIsWaitedForAndIsNoFailure) {
    order_script s;
    s.reply(problem(429, "rateLimited", "too many orders", "120"));
    EXPECT_EQ(s.next().what, kind::failed);
    EXPECT_EQ(s.next().again, 120s);
    EXPECT_TRUE(s.next().ours);
    EXPECT_FALSE(written(s.order).asked) << "it was refused: there is no order to be looked for";
    order_script without;
    without.reply(problem(429, "rateLimited"));
    EXPECT_EQ(without.next().again, 1h);
}

TEST(AcmeOrder, AnAuthorityInTroubleKeepsTheOrder) {
    for (const int status : {500, 502, 503}) {
        order_script s;
        s.asked().reply(problem(status, "serverInternal", "oops", "30"));
        EXPECT_EQ(s.next().what, kind::failed);
        EXPECT_EQ(s.next().again, 30s);
        EXPECT_EQ(written(s.order).order, "https://ca.example/order/1");
    }
    order_script s;
    s.asked().reply({.status = 0, .error = "no route"});
    EXPECT_EQ(s.next().what, kind::failed);
    EXPECT_EQ(s.next().words, "no route");
    EXPECT_EQ(written(s.order).order, "https://ca.example/order/1");
}

TEST(AcmeOrder, AnExpiredOrderIsFollowedByANewOne) {
    order_script s;
    s.created();
    order_script later(written(s.order));
    EXPECT_EQ(later.next().what, kind::read);
    later.reply(
        answer(200, order_json("invalid", "").replace(order_json("invalid").find("2099"), 4, "2020")));
    EXPECT_EQ(later.next().what, kind::create);
}

TEST(AcmeOrder, AnOrderThatIsGoneIsFollowedByANewOneOnce) {
    order_memory memory = fresh;
    memory.order = "https://ca.example/order/9";
    order_script s(memory);
    s.reply(problem(404, "malformed", "no such order"));
    EXPECT_EQ(s.next().what, kind::create);
}

TEST(AcmeOrder, AnOrderThatDiedUnseenSaysWhy) {
    order_script s;
    s.asked();
    order_script later(written(s.order));
    later.reply(answer(200, order_json("invalid")));
    EXPECT_EQ(later.next().url, "https://ca.example/authz/1") << "the authorization knows the reason";
    later.reply(answer(200, authorization_json("invalid", {challenge_json("tls-alpn-01", "invalid",
                                                                          error_json("caa", "forbidden"))})));
    later.taken();
    EXPECT_EQ(later.next().what, kind::failed);
    EXPECT_THAT(later.next().words, HasSubstr("forbidden"));
}

TEST(AcmeOrder, ARenewalIsNotRefusedForWhatItReplaces) {
    order_script s(fresh, {challenge_kind::http_01}, "aki.serial");
    EXPECT_THAT(s.next().payload, HasSubstr(R"("replaces":"aki.serial")"));
    s.reply(problem(409, "alreadyReplaced"));
    EXPECT_EQ(s.next().what, kind::create);
    EXPECT_THAT(s.next().payload, testing::Not(HasSubstr("replaces")));
}

TEST(AcmeOrder, ARefusalOfOursSaysSo) {
    for (const char* type : {"badCSR", "userActionRequired", "externalAccountRequired", "invalidProfile"}) {
        order_script s;
        s.reply(problem(403, type, "not like this"));
        EXPECT_EQ(s.next().what, kind::failed) << type;
        EXPECT_TRUE(s.next().ours) << type;
        EXPECT_THAT(s.next().words, HasSubstr("not like this"));
    }
}

TEST(AcmeOrder, AnAnswerThatCannotBeReadFailsWithoutLosingTheOrder) {
    order_script s;
    s.asked().reply(answer(200, "<html>maintenance"));
    EXPECT_EQ(s.next().what, kind::failed);
    EXPECT_THAT(s.next().words, HasSubstr("cannot be read"));
    EXPECT_FALSE(written(s.order).order.empty());
}

TEST(AcmeOrder, ProofOfAnotherNameIsNotGiven) {
    order_script s;
    s.created().reply(answer(
        200, R"({"status":"pending","identifier":{"type":"dns","value":"evil.example"},"challenges":[]})"));
    EXPECT_EQ(s.next().what, kind::failed);
    EXPECT_THAT(s.next().words, HasSubstr("evil.example"));
}

TEST(AcmeOrder, AHostileAuthorityComesToAnEnd) {
    // Whatever it says, without end: the machine stops by itself.
    for (const auto& body :
         {order_json("pending"), order_json("ready"), order_json("processing"), order_json("valid"),
          order_json("invalid"), authorization_json("valid", {}), authorization_json("expired", {}),
          authorization_json("pending", all_pending())}) {
        order_script s;
        int steps = 0;
        for (; steps < 5'000 && s.next().what != kind::failed && s.next().what != kind::done; ++steps) {
            switch (s.next().what) {
            case kind::put:
                s.put();
                break;
            case kind::take:
                s.taken();
                break;
            default:
                s.reply(
                    answer(s.next().what == kind::create ? 201 : 200, body, "https://ca.example/order/1"));
            }
        }
        EXPECT_LT(steps, 5'000) << body;
    }
}

// ---- what survives ----

TEST(AcmeOrder, GoesOnWhereItStoodAfterACrashAtEachStep) {
    // The state is what was written before the step was carried out. Each restart must neither make a second
    // order where the URL of the first is known, nor lose the key of what was finalized.
    struct row {
        const char* where;
        std::function<void(order_script&)> up_to;
    };
    const std::vector<row> rows{
        {"created", [](order_script& s) { s.created(); }},
        {"challenge chosen", [](order_script& s) { s.created().offered(); }},
        {"answer put", [](order_script& s) { s.created().offered().put(); }},
        {"told", [](order_script& s) { s.asked(); }},
        {"valid", [](order_script& s) { s.asked().reply(answer(200, authorization_json("valid", {}))); }},
        {"ready",
         [](order_script& s) {
             s.asked()
                 .reply(answer(200, authorization_json("valid", {})))
                 .reply(answer(200, order_json("ready")));
         }},
        {"answer taken",
         [](order_script& s) {
             s.asked()
                 .reply(answer(200, authorization_json("valid", {})))
                 .reply(answer(200, order_json("ready")))
                 .taken();
         }},
    };
    for (const auto& [where, up_to] : rows) {
        order_script before;
        up_to(before);
        order_script after(written(before.order));
        EXPECT_EQ(after.next().what, kind::read) << where;
        EXPECT_EQ(after.next().url, "https://ca.example/order/1") << where;
        EXPECT_EQ(after.order.memory(), before.order.memory()) << where;
    }
    order_script s;
    s.asked()
        .reply(answer(200, authorization_json("valid", {})))
        .reply(answer(200, order_json("ready")))
        .taken();
    s.order.keep_key("sealed");
    order_script finalized(written(s.order));
    finalized.reply(answer(200, order_json("valid", R"(,"certificate":"https://ca.example/cert/1")")));
    EXPECT_EQ(finalized.next().url, "https://ca.example/cert/1");
    EXPECT_EQ(finalized.order.memory().sealed_key, "sealed");
}

TEST(AcmeOrder, ACertificateWithoutItsKeyIsOfNoUse) {
    order_memory memory = fresh;
    memory.order = "https://ca.example/order/1";
    order_script s(memory);
    s.reply(answer(200, order_json("valid", R"(,"certificate":"https://ca.example/cert/1")")));
    EXPECT_EQ(s.next().what, kind::create);
}

TEST(AcmeOrder, AfterACrashWhileItWasAskedForTheOrderIsSearched) {
    order_script s;
    EXPECT_EQ(s.next().what, kind::create);
    order_script later(written(s.order)); // whether it was sent is not known
    EXPECT_EQ(later.next().what, kind::account);
    later.reply(answer(200, R"({"status":"valid","orders":"https://ca.example/orders/1"})"));
    EXPECT_EQ(later.next().url, "https://ca.example/orders/1");
    later.reply(answer(
        200,
        R"({"orders":["https://ca.example/order/1","https://ca.example/order/2","https://ca.example/order/3"]})"));
    EXPECT_EQ(later.next().url, "https://ca.example/order/3") << "the newest first";
    later.reply(answer(
        200,
        R"({"status":"pending","finalize":"https://ca.example/f","identifiers":[{"type":"dns","value":"mta-sts.other.example"}]})"));
    EXPECT_EQ(later.next().url, "https://ca.example/order/2");
    later.reply(answer(200, order_json("pending")));
    EXPECT_EQ(later.order.memory().order, "https://ca.example/order/2");
    EXPECT_FALSE(later.order.memory().asked);
    EXPECT_EQ(later.next().url, "https://ca.example/order/2");
}

TEST(AcmeOrder, TheListOfOrdersIsReadToItsLastPage) {
    order_memory asked = fresh;
    asked.asked = true;
    order_script s(asked);
    s.reply(answer(200, R"({"orders":"https://ca.example/orders/1"})"));
    auto page = answer(200, R"({"orders":["https://ca.example/order/1"]})");
    page.next = "https://ca.example/orders/1?page=2";
    s.reply(page);
    EXPECT_EQ(s.next().url, page.next);
    s.reply(answer(200, R"({"orders":["https://ca.example/order/2"]})"));
    EXPECT_EQ(s.next().url, "https://ca.example/order/2");
    s.reply(problem(404, "malformed"));
    EXPECT_EQ(s.next().url, "https://ca.example/order/1");

    order_script endless(asked);
    endless.reply(answer(200, R"({"orders":"https://ca.example/orders/1"})"));
    int pages = 0;
    while (pages < 1'000 && endless.next().url.starts_with("https://ca.example/orders/")) {
        page.next = "https://ca.example/orders/1?page=" + std::to_string(++pages);
        endless.reply(page);
    }
    EXPECT_LT(pages, 1'000);
}

TEST(AcmeOrder, WhereNoneIsFoundANewOneIsMade) {
    order_memory asked = fresh;
    asked.asked = true;
    const std::vector<std::function<void(order_script&)>> ways{
        [](order_script& s) { s.reply(problem(403, "unauthorized")); },
        [](order_script& s) { s.reply(answer(200, R"({"status":"valid"})")); },
        [](order_script& s) {
            s.reply(answer(200, R"({"orders":"https://ca.example/orders/1"})"))
                .reply(answer(200, R"({"orders":[]})"));
        },
        [](order_script& s) {
            s.reply(answer(200, R"({"orders":"https://ca.example/orders/1"})"))
                .reply(answer(200, R"({"orders":["https://ca.example/order/1"]})"))
                .reply(answer(200, order_json("invalid")));
        },
        [](order_script& s) {
            s.reply(answer(200, R"({"orders":"https://ca.example/orders/1"})"))
                .reply(answer(200, R"({"orders":["https://ca.example/order/1"]})"))
                .reply(problem(404, "malformed"));
        },
    };
    for (std::size_t i = 0; i < ways.size(); ++i) {
        order_script s(asked);
        ways[i](s);
        EXPECT_EQ(s.next().what, kind::create) << i;
    }
}

TEST(AcmeOrder, AnAnswerThatStandsIsTakenAwayEvenAfterACrash) {
    order_script s;
    s.created().offered().put();
    auto memory = written(s.order);
    EXPECT_EQ(memory.answer_kind, "tls-alpn-01");
    order_script later(memory);
    later.reply(answer(200, order_json("ready")));
    EXPECT_EQ(later.next().what, kind::take);
    EXPECT_EQ(later.next().token, "token-tls-alpn-01");
    // And where the directory was changed meanwhile, before anything else.
    memory.order.clear();
    order_script elsewhere(memory);
    EXPECT_EQ(elsewhere.next().what, kind::take);
}

TEST(OrderMemory, ReadsWhatItWroteAndNothingElse) {
    const order_memory all{.directory = "https://ca.example/dir",
                           .asked = true,
                           .order = "https://ca.example/order/1",
                           .replaces = "a.b",
                           .sealed_key = "sealed",
                           .answer_kind = "http-01",
                           .answer_token = "tok",
                           .failed = {{challenge_kind::tls_alpn_01, "refused \"x\""}}};
    EXPECT_EQ(read_order_memory(to_json(all)), all);
    EXPECT_EQ(to_json(fresh), "") << "nothing to be written down";
    for (const char* odd : {"", "null", "[]", "{", "{\"order\":7,\"failed\":[1],\"asked\":\"x\"}", "\xff"})
        EXPECT_TRUE(read_order_memory(odd).empty()) << odd;
}

// ---- the certificate that came ----

TEST(Chain, MustBeForTheHostAndTheKey) {
    // Made by the key itself: who signed it is the public path's judgement, not this one's.
    const auto key = base::ec_key::make(), other = base::ec_key::make();
    ASSERT_TRUE(key && other);
    const std::string digest(32, 'd');
    const auto good = base::alpn_certificate(*key, "mta-sts.example.com", digest, order_time).value();
    EXPECT_EQ(fault_of_chain(good, *key, "mta-sts.example.com", order_time), "");
    EXPECT_THAT(fault_of_chain(good, *other, "mta-sts.example.com", order_time),
                HasSubstr("not for the key"));
    EXPECT_THAT(fault_of_chain(good, *key, "mta-sts.example.org", order_time),
                HasSubstr("not for mta-sts.example.org"));
    EXPECT_THAT(fault_of_chain(good, *key, "mta-sts.example.com", order_time + std::chrono::days(30)),
                HasSubstr("clock"));
    EXPECT_THAT(fault_of_chain("no certificate", *key, "mta-sts.example.com", order_time),
                HasSubstr("no certificate"));
}

} // namespace
} // namespace mailtight::publish
