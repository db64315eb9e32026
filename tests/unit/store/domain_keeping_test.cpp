// SPDX-License-Identifier: Apache-2.0
// Certificates, answers to challenges, secrets and buckets, in both engines: the old certificate stays until
// the new one is proven, every machine hears of each, nothing secret is in an error.
#include "unit/store/domain_fixture.h"

#include <gmock/gmock.h>

namespace mailtight::store {
namespace {
using namespace domain_tests;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class domain_keeping : public domain_fixture {
protected:
    static kept_certificate certificate(std::int64_t end, std::string name = "mta-sts.a.example") {
        return {.name = std::move(name),
                .chain = "-----BEGIN CERTIFICATE-----\nMIIB" + std::to_string(end) + "\n",
                .sealed_key = "s1.01234567.AAAA" + std::to_string(end),
                .not_before = at(0),
                .not_after = at(end),
                .renew_at = at(end - 30),
                .issuer = "https://ca.example/directory"};
    }
    /// Under a fresh lease on the work "certificate" of that domain.
    static bool save(domain_store& to, const kept_certificate& value,
                     const std::string& domain = "a.example") {
        const auto held = **to.take_lease("certificate/" + domain, "m", minute);
        const auto done = to.save_certificate(value, held.fence);
        EXPECT_TRUE(done) << done.error().message;
        EXPECT_TRUE(to.release_lease(held));
        return done && *done;
    }
    static std::vector<std::pair<std::int64_t, bool>> ends(const std::vector<kept_certificate>& of) {
        std::vector<std::pair<std::int64_t, bool>> out;
        for (const auto& each : of)
            out.emplace_back((each.not_after - at(0)).count(), each.proven);
        return out;
    }
};
INSTANTIATE_TEST_SUITE_P(engines, domain_keeping, testing::Values(engine::sqlite, engine::postgres),
                         [](const auto& info) {
                             return info.param == engine::sqlite ? "sqlite" : "postgres";
                         });

TEST_P(domain_keeping, every_field_of_a_certificate_comes_back) {
    const auto s = open();
    auto value = certificate(100);
    EXPECT_TRUE(save(*s, value));
    auto got = **open()->certificate(value.name);
    EXPECT_EQ(got.chain, value.chain);
    EXPECT_EQ(got.sealed_key, value.sealed_key);
    EXPECT_EQ(got.not_before, value.not_before);
    EXPECT_EQ(got.not_after, value.not_after);
    EXPECT_EQ(got.renew_at, value.renew_at);
    EXPECT_EQ(got.issuer, value.issuer);
    EXPECT_FALSE(got.proven);
    EXPECT_FALSE(got.gone);
    value.renew_at = std::nullopt;
    EXPECT_TRUE(save(*s, value)) << "the same again, after a crash";
    EXPECT_FALSE((*s->certificate(value.name))->renew_at);
    EXPECT_EQ(s->certificates_after(0, 9)->size(), 1u);
    EXPECT_FALSE(*s->certificate("mta-sts.b.example"));
}

TEST_P(domain_keeping, the_old_one_stays_until_the_new_one_is_proven) {
    const auto s = open(), other = open();
    EXPECT_TRUE(save(*s, certificate(100)));
    ASSERT_TRUE(s->prove_certificate("mta-sts.a.example", at(100)));
    EXPECT_TRUE(save(*s, certificate(200)));
    EXPECT_TRUE(save(*s, certificate(300))) << "one that was never proven is replaced";
    using ends_so = std::vector<std::pair<std::int64_t, bool>>;
    EXPECT_EQ(ends(*other->certificates_after(0, 9)), (ends_so{{100, true}, {300, false}}));
    EXPECT_EQ((*s->certificate("mta-sts.a.example"))->not_after, at(300));
    const auto mark = other->certificates_after(0, 9)->back().change;
    ASSERT_TRUE(s->prove_certificate("mta-sts.a.example", at(999))) << "none such: nothing happens";
    EXPECT_THAT(*other->certificates_after(mark, 9), IsEmpty());
    ASSERT_TRUE(s->prove_certificate("mta-sts.a.example", at(300)));
    EXPECT_EQ(ends(*other->certificates_after(mark, 9)), (ends_so{{300, true}})) << "and all hear of it";
    EXPECT_EQ(ends(*other->certificates_after(0, 9)), (ends_so{{300, true}}));
    ASSERT_TRUE(s->prove_certificate("mta-sts.a.example", at(300))) << "twice is once";
    auto known = certificate(400);
    known.proven = true; // one that somebody else keeps
    EXPECT_TRUE(save(*s, known));
    EXPECT_EQ(ends(*other->certificates_after(0, 9)), (ends_so{{400, true}}));
}

TEST_P(domain_keeping, a_new_one_that_fails_goes_and_the_old_one_is_back) {
    const auto s = open(), other = open();
    const std::string name = "mta-sts.a.example";
    EXPECT_TRUE(save(*s, certificate(100)));
    EXPECT_FALSE(*s->reject_certificate(name, at(100), at(1))) << "there is none before it";
    ASSERT_TRUE(s->prove_certificate(name, at(100)));
    EXPECT_TRUE(save(*s, certificate(90))) << "a shorter lifetime";
    EXPECT_EQ((*s->certificate(name))->not_after, at(90)) << "the newest, not the longest";
    EXPECT_FALSE(*s->reject_certificate(name, at(90), at(100))) << "the old one has ended";
    EXPECT_FALSE(*s->reject_certificate(name, at(100), at(1))) << "a proven one stays";
    const auto mark = other->certificates_after(0, 9)->back().change;
    EXPECT_TRUE(*s->reject_certificate(name, at(90), at(1)));
    EXPECT_EQ((*s->certificate(name))->not_after, at(100));
    using ends_so = std::vector<std::pair<std::int64_t, bool>>;
    EXPECT_EQ(ends(*other->certificates_after(mark, 9)), (ends_so{{100, true}})) << "and all hear of it";
    EXPECT_FALSE(*s->reject_certificate(name, at(90), at(1))) << "once";
}

TEST_P(domain_keeping, a_name_that_is_removed_is_heard_of) {
    const auto s = open(), other = open();
    ASSERT_TRUE(s->remove_certificate("mta-sts.a.example"));
    EXPECT_THAT(*other->certificates_after(0, 9), IsEmpty()) << "there was none";
    EXPECT_TRUE(save(*s, certificate(100)));
    ASSERT_TRUE(s->prove_certificate("mta-sts.a.example", at(100)));
    EXPECT_TRUE(save(*s, certificate(200)));
    const auto mark = other->certificates_after(0, 9)->back().change;
    ASSERT_TRUE(s->remove_certificate("mta-sts.a.example"));
    ASSERT_TRUE(s->remove_certificate("mta-sts.a.example"));
    const auto heard = *other->certificates_after(mark, 9);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_TRUE(heard[0].gone);
    EXPECT_EQ(heard[0].sealed_key + heard[0].chain, "");
    EXPECT_EQ(other->certificates_after(0, 9)->size(), 1u);
    EXPECT_FALSE(*s->certificate("mta-sts.a.example"));
    EXPECT_TRUE(save(*s, certificate(300))); // and comes back
    EXPECT_EQ(other->certificates_after(heard[0].change, 9)->size(), 1u);
    EXPECT_EQ(other->certificates_after(0, 9)->size(), 1u) << "its trace goes with that";
}

TEST_P(domain_keeping, a_certificate_is_saved_under_a_lease_that_holds) {
    const auto s = open();
    const auto old = **s->take_lease("certificate/a.example", "m", minute);
    const auto wrong = **s->take_lease("certificate/b.example", "m", minute);
    ASSERT_TRUE(s->release_lease(old));
    for (const auto fence : {old.fence, wrong.fence, std::int64_t{0}, std::int64_t{-1}, wrong.fence + 1})
        EXPECT_FALSE(*s->save_certificate(certificate(100), fence)) << fence;
    EXPECT_FALSE(*s->certificate("mta-sts.a.example"));
    EXPECT_TRUE(*s->save_certificate(certificate(100, "mta-sts.b.example"), wrong.fence));
    const auto folder = **s->take_lease("folder", "m", minute);
    EXPECT_TRUE(*s->save_certificate(certificate(100), folder.fence)) << "a folder that is read has any name";
}

TEST_P(domain_keeping, a_refused_certificate_is_not_shown) {
    const auto s = open();
    const auto held = **s->take_lease("certificate/a.example", "m", minute);
    auto binary = certificate(100), endless = certificate(100), large = certificate(100),
         nameless = certificate(100);
    binary.sealed_key = std::string("SECRET\0", 7);
    endless.not_after = {};
    large.sealed_key = "SECRET" + std::string(100'000, 'x');
    nameless.name = "*.a.example";
    for (const auto& each : {binary, endless, large, nameless}) {
        const auto done = s->save_certificate(each, held.fence);
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().what, store_error::kind::wrong);
        EXPECT_THAT(done.error().message, Not(HasSubstr("SECRET")));
    }
}

TEST_P(domain_keeping, answers_to_challenges_come_and_go) {
    const auto s = open(), other = open();
    ASSERT_TRUE(s->put_challenge({.kind = "http-01", .key = "token", .answer = "token.x", .until = at(50)}));
    ASSERT_TRUE(s->put_challenge(
        {.kind = "tls-alpn-01", .key = "mta-sts.a.example", .answer = "y", .until = at(60)}));
    ASSERT_TRUE(s->put_challenge({.kind = "http-01", .key = "token", .answer = "token.z", .until = at(55)}));
    const auto keys = [&](int when) {
        std::vector<std::string> out;
        for (const auto& each : other->challenges(at(when)).value())
            out.push_back(each.kind + " " + each.key);
        return out;
    };
    const auto got = other->challenges(at(0)).value();
    ASSERT_EQ(got.size(), 2u) << "one for each key";
    EXPECT_EQ(got[0].kind, "http-01");
    EXPECT_EQ(got[0].key, "token");
    EXPECT_EQ(got[0].answer, "token.z");
    EXPECT_EQ(got[0].until, at(55));
    EXPECT_THAT(keys(55), ElementsAre("http-01 token", "tls-alpn-01 mta-sts.a.example"));
    EXPECT_THAT(keys(56), ElementsAre("tls-alpn-01 mta-sts.a.example")) << "ended, though not yet dropped";
    ASSERT_TRUE(s->expire(at(58)));
    EXPECT_THAT(keys(0), ElementsAre("tls-alpn-01 mta-sts.a.example"));
    ASSERT_TRUE(s->drop_challenge("tls-alpn-01", "mta-sts.a.example"));
    EXPECT_THAT(keys(0), IsEmpty());
    const auto refused =
        s->put_challenge({.kind = "http-01", .key = "k", .answer = std::string("SECRET\0", 7)});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, Not(HasSubstr("SECRET")));
}

TEST_P(domain_keeping, secrets_are_found_by_name_and_prefix) {
    const auto s = open(), other = open();
    for (const auto& [name, value] : {std::pair("acme/b/account", "s1.b"),
                                      {"acme/a/account", "s1.a"},
                                      {"tsig/one", "s1.t"},
                                      {"acmf", "s1.f"}})
        ASSERT_TRUE(s->put_secret(name, value));
    EXPECT_EQ(**other->secret("tsig/one"), "s1.t");
    EXPECT_FALSE(*other->secret("tsig"));
    using pairs = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(*other->secrets("acme/"), (pairs{{"acme/a/account", "s1.a"}, {"acme/b/account", "s1.b"}}));
    EXPECT_EQ(other->secrets("")->size(), 4u);
    ASSERT_TRUE(s->put_secret("tsig/one", "s1.new"));
    EXPECT_EQ(**other->secret("tsig/one"), "s1.new");
    ASSERT_TRUE(s->put_secret("tsig/one", ""));
    EXPECT_FALSE(*other->secret("tsig/one"));
    for (const auto& [name, value] : {std::pair(std::string(), std::string("SECRET")),
                                      {"n", std::string("SECRET\0", 7)},
                                      {"n", "SECRET" + std::string(2u << 20, 'x')},
                                      {std::string(1'001, 'n'), "SECRET"}}) {
        const auto done = s->put_secret(name, value);
        ASSERT_FALSE(done);
        EXPECT_THAT(done.error().message, Not(HasSubstr("SECRET")));
    }
}

TEST_P(domain_keeping, a_bucket_gives_what_it_has_and_says_how_long_to_wait) {
    const auto one = open(), two = open();
    const auto take = [](domain_store& from, std::uint64_t tokens, std::int64_t when) {
        const auto got = from.take_tokens("ca", tokens, 80, 240, at(when));
        EXPECT_TRUE(got) << got.error().message;
        return got.value_or(seconds(-1));
    };
    EXPECT_EQ(take(*one, 200, 0), seconds(0)) << "it begins full";
    EXPECT_EQ(take(*two, 41, 0), seconds(45)) << "one token takes 45 s";
    EXPECT_EQ(take(*two, 40, 0), seconds(0)) << "what was refused cost nothing";
    EXPECT_EQ(take(*one, 1, 44), seconds(1));
    EXPECT_EQ(take(*one, 1, 45), seconds(0));
    EXPECT_EQ(take(*one, 1, 45), seconds(45));
    EXPECT_EQ(take(*two, 1, 30), seconds(45)) << "a clock that is behind gains nothing";
    EXPECT_EQ(take(*two, 1, 46), seconds(44)) << "nor when it runs on";
    EXPECT_EQ(take(*one, 240, 4'000'000), seconds(0));
    EXPECT_EQ(take(*one, 1, 4'000'000), seconds(45)) << "never more than it holds";
    EXPECT_EQ(take(*one, 1, 100), seconds(45)) << "a clock that was far ahead";
    EXPECT_EQ(*two->take_tokens("other", 1, 80, 240, at(0)), seconds(0));
    EXPECT_FALSE(one->take_tokens("ca", 241, 80, 240, at(0)));
    EXPECT_FALSE(one->take_tokens("ca", 1, 0, 240, at(0)));
    EXPECT_FALSE(one->take_tokens("ca", 1, 1, UINT64_MAX, at(0)));
}

} // namespace
} // namespace mailtight::store
