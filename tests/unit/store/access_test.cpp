// SPDX-License-Identifier: Apache-2.0
// Who may ask, in both engines: only digests are kept, what is taken away ends what came from it, and no
// login outruns the one who takes it away.
#include "base/encode.h"
#include "store/access.h"
#include "unit/store/engines.h"

#include <gmock/gmock.h>

#include <thread>

namespace mailtight::store {
namespace {
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

base::utc_seconds at(std::int64_t seconds) {
    return base::utc_seconds(std::chrono::sys_days(std::chrono::year(2026) / 5 / 3) +
                             std::chrono::seconds(seconds));
}
std::string digest(std::string_view of) {
    return base::hex(base::sha256(of));
}
access_token token(std::string name, std::string role = "viewer", std::optional<std::string> tenant = {}) {
    return {.to = {.name = name, .role = std::move(role), .tenant = std::move(tenant)},
            .digest = digest("token " + name),
            .made_at = at(1),
            .used_at = {},
            .expires_at = {}};
}
access_user user(std::string name, std::string password = "$argon2id$one") {
    return {.to = {.name = std::move(name), .role = "operator", .tenant = {}},
            .password = std::move(password),
            .made_at = at(1),
            .last_login = {}};
}
access_session session(std::string secret, std::string from, const granted& to, std::string proof) {
    return {.digest = digest(secret),
            .from = std::move(from),
            .csrf = "csrf of " + secret,
            .to = to,
            .made_at = at(10),
            .used_at = at(10),
            .expires_at = at(1'000),
            .proof = std::move(proof)};
}

class access : public testing::TestWithParam<engine> {
protected:
    database db{GetParam()};
    std::unique_ptr<access_store> open(bool read_only = false) const {
        auto opened = open_access({.where = db.where(),
                                   .read_only = read_only,
                                   .wait_for_lock = std::chrono::milliseconds(60'000)});
        if (!opened)
            throw std::runtime_error(opened.error().message);
        return std::move(*opened);
    }
};
INSTANTIATE_TEST_SUITE_P(engines, access, testing::Values(engine::sqlite, engine::postgres),
                         [](const auto& info) {
                             return info.param == engine::sqlite ? "sqlite" : "postgres";
                         });

TEST_P(access, every_field_of_a_token_comes_back) {
    const auto s = open();
    auto full = token("backup", "administrator", "shop");
    full.expires_at = at(500);
    full.used_at = at(5);
    for (const auto& each : {full, token("zero")}) {
        ASSERT_TRUE(*s->add_token(each));
        const auto got = *open()->token(each.digest);
        ASSERT_TRUE(got);
        EXPECT_EQ(got->to, each.to);
        EXPECT_EQ(got->digest, each.digest);
        EXPECT_EQ(got->made_at, each.made_at);
        EXPECT_EQ(got->used_at, each.used_at);
        EXPECT_EQ(got->expires_at, each.expires_at);
    }
    EXPECT_FALSE(*s->token(digest("another")));
    EXPECT_EQ(s->tokens()->size(), 2u);
    EXPECT_EQ(s->tokens()->front().to.name, "backup");
}

TEST_P(access, a_name_and_a_digest_are_given_once) {
    const auto s = open();
    EXPECT_TRUE(*s->add_token(token("a")));
    EXPECT_FALSE(*s->add_token(token("a", "administrator"))) << "nobody's role changes this way";
    EXPECT_EQ((*s->token(token("a").digest))->to.role, "viewer");
    auto same_secret = token("b");
    same_secret.digest = token("a").digest;
    EXPECT_FALSE(*s->add_token(same_secret));
}

TEST_P(access, what_is_no_digest_and_no_grant_is_not_kept) {
    const auto s = open();
    struct row {
        const char* why;
        access_token value;
    };
    auto with = [](auto change) {
        auto out = token("fine");
        change(out);
        return out;
    };
    const row bad[] = {
        {"the secret itself", with([](auto& t) { t.digest = "mt_abcdefghijklmnopqrstuvwxyz"; })},
        {"an upper-case digest", with([](auto& t) { t.digest = std::string(64, 'A'); })},
        {"no name", with([](auto& t) { t.to.name = ""; })},
        {"a name with a space", with([](auto& t) { t.to.name = "a b"; })},
        {"a name with a slash", with([](auto& t) { t.to.name = "a/b"; })},
        {"a name that looks like an option", with([](auto& t) { t.to.name = "-rf"; })},
        {"a name of 65 characters", with([](auto& t) { t.to.name = std::string(65, 'x'); })},
        {"a role nobody has", with([](auto& t) { t.to.role = "root"; })},
        {"an empty tenant, which would see what has no owner", with([](auto& t) { t.to.tenant = ""; })},
        {"a tenant with a NUL", with([](auto& t) { t.to.tenant = std::string("a\0b", 3); })},
    };
    for (const auto& each : bad)
        EXPECT_FALSE(s->add_token(each.value)) << each.why;
    EXPECT_THAT(*s->tokens(), IsEmpty());
    EXPECT_FALSE(s->put_user(user("ann", "in the clear"))) << "a password as it is";
    EXPECT_FALSE(s->add_session(session("x", "link", {.name = "l", .role = "boss", .tenant = {}}, "")));
    auto raw = session("x", "link", {.name = "l", .role = "viewer", .tenant = {}}, "");
    raw.digest = "x";
    EXPECT_FALSE(s->add_session(raw)) << "a session's secret as it is";
}

TEST_P(access, every_field_of_a_person_comes_back) {
    const auto s = open();
    auto ann = user("ann@example.com");
    ann.to.tenant = "shop";
    ASSERT_TRUE(s->put_user(ann));
    const auto got = *s->user("ann@example.com");
    ASSERT_TRUE(got);
    EXPECT_EQ(got->to, ann.to);
    EXPECT_EQ(got->password, ann.password);
    EXPECT_FALSE(got->last_login);
    ASSERT_TRUE(s->used("user", "ann@example.com", at(77)));
    EXPECT_EQ((*s->user("ann@example.com"))->last_login, at(77));
    ann.to.role = "viewer";
    ann.made_at = at(99);
    ASSERT_TRUE(s->put_user(ann));
    EXPECT_EQ((*s->user("ann@example.com"))->to.role, "viewer");
    EXPECT_EQ((*s->user("ann@example.com"))->made_at, at(1)) << "changed, not made anew";
    EXPECT_EQ((*s->user("ann@example.com"))->last_login, at(77));
    EXPECT_TRUE(*s->remove_user("ann@example.com"));
    EXPECT_FALSE(*s->remove_user("ann@example.com"));
    EXPECT_FALSE(*s->user(std::string("\xff\0' or 1=1", 11)));
}

TEST_P(access, a_session_ends_with_what_it_came_from) {
    const auto s = open();
    const auto t = token("backup");
    ASSERT_TRUE(*s->add_token(t));
    ASSERT_TRUE(s->put_user(user("ann")));
    const auto of_token = session("one", "token backup", t.to, t.digest);
    const auto of_ann = session("two", "user ann", user("ann").to, "$argon2id$one");
    const auto of_link =
        session("three", "link", {.name = "link", .role = "administrator", .tenant = {}}, "");
    for (const auto& each : {of_token, of_ann, of_link}) {
        ASSERT_TRUE(*s->add_session(each)) << each.from;
        const auto got = *open()->session(each.digest);
        ASSERT_TRUE(got);
        EXPECT_EQ(got->from, each.from);
        EXPECT_EQ(got->csrf, each.csrf);
        EXPECT_EQ(got->to, each.to);
        EXPECT_EQ(got->expires_at, each.expires_at);
    }
    EXPECT_EQ(*s->sessions(at(20)), 3u);
    EXPECT_EQ(*s->sessions(at(1'000)), 0u);
    ASSERT_TRUE(*s->remove_token("backup"));
    EXPECT_FALSE(*s->session(of_token.digest));
    EXPECT_TRUE(*s->session(of_ann.digest));
    ASSERT_TRUE(s->put_user(user("ann", "$argon2id$two")));
    EXPECT_FALSE(*s->session(of_ann.digest)) << "a new password ends every session";
    ASSERT_TRUE(s->end_session(of_link.digest));
    EXPECT_FALSE(*s->session(of_link.digest));
}

TEST_P(access, a_login_that_is_late_gives_no_session) {
    const auto s = open();
    const auto t = token("backup");
    ASSERT_TRUE(*s->add_token(t));
    ASSERT_TRUE(s->put_user(user("ann")));
    const auto ann = user("ann").to;
    // What was true when the password was looked at, and is no longer.
    ASSERT_TRUE(s->put_user(user("ann", "$argon2id$two")));
    EXPECT_FALSE(*s->add_session(session("a", "user ann", ann, "$argon2id$one"))) << "another password";
    auto demoted = user("ann", "$argon2id$two");
    demoted.to.role = "viewer";
    ASSERT_TRUE(s->put_user(demoted));
    EXPECT_FALSE(*s->add_session(session("b", "user ann", ann, "$argon2id$two"))) << "another role";
    demoted.to.tenant = "shop";
    ASSERT_TRUE(s->put_user(demoted));
    EXPECT_FALSE(*s->add_session(
        session("c", "user ann", {.name = "ann", .role = "viewer", .tenant = {}}, "$argon2id$two")))
        << "another tenant";
    ASSERT_TRUE(*s->remove_token("backup"));
    EXPECT_FALSE(*s->add_session(session("d", "token backup", t.to, t.digest))) << "taken away";
    auto again = token("backup");
    again.digest = digest("another secret");
    ASSERT_TRUE(*s->add_token(again));
    EXPECT_FALSE(*s->add_session(session("e", "token backup", t.to, t.digest))) << "made anew";
    EXPECT_EQ(*s->sessions(at(20)), 0u);
}

TEST_P(access, sessions_are_ended_by_where_they_came_from) {
    const auto s = open();
    const granted to{.name = "link", .role = "viewer", .tenant = {}};
    ASSERT_TRUE(s->put_user(user("ann")));
    ASSERT_TRUE(*s->add_session(session("1", "link", to, "")));
    ASSERT_TRUE(*s->add_session(session("2", "link", to, "")));
    ASSERT_TRUE(*s->add_session(session("3", "user ann", user("ann").to, "$argon2id$one")));
    EXPECT_EQ(*s->end_sessions("link"), 2u);
    EXPECT_EQ(*s->sessions(at(20)), 1u);
    EXPECT_EQ(*s->end_sessions(""), 1u);
    EXPECT_EQ(*s->end_sessions(""), 0u);
}

TEST_P(access, a_link_logs_in_once) {
    const auto s = open();
    const granted to{.name = "link", .role = "administrator", .tenant = {}};
    ASSERT_TRUE(s->add_link(digest("a"), to, at(100)));
    ASSERT_TRUE(s->add_link(digest("b"), to, at(100)));
    const auto used = *s->use_link(digest("a"), at(99));
    ASSERT_TRUE(used);
    EXPECT_EQ(used->to, to);
    EXPECT_FALSE(used->person) << "it stands for itself";
    EXPECT_FALSE(*s->use_link(digest("a"), at(99))) << "once";
    EXPECT_FALSE(*s->use_link(digest("b"), at(100))) << "it ended";
    EXPECT_FALSE(*s->use_link(digest("b"), at(99))) << "and a look at it later does not bring it back";
    EXPECT_FALSE(*s->use_link(digest("c"), at(1)));
}

TEST_P(access, a_link_of_a_person_is_theirs_as_they_are_when_it_is_used) {
    const auto s = open();
    EXPECT_FALSE(*s->add_link_of(digest("none"), "ann", at(100))) << "there is nobody of this name";
    EXPECT_FALSE(*s->use_link(digest("none"), at(1)));
    auto ann = user("ann");
    ASSERT_TRUE(s->put_user(ann));
    ASSERT_TRUE(*s->add_link_of(digest("good"), "ann", at(100)));
    const auto used = *s->use_link(digest("good"), at(99));
    ASSERT_TRUE(used && used->person);
    EXPECT_EQ(used->to, ann.to);
    EXPECT_EQ(used->person->password, ann.password) << "the proof that a session is written with";
    EXPECT_FALSE(*s->use_link(digest("good"), at(99))) << "once";

    ASSERT_TRUE(*s->add_link_of(digest("before"), "ann", at(100)));
    ann.to.role = "viewer";
    ASSERT_TRUE(s->put_user(ann));
    EXPECT_FALSE(*s->use_link(digest("before"), at(1))) << "it goes with what was changed";
    ASSERT_TRUE(*s->add_link_of(digest("gone"), "ann", at(100)));
    ASSERT_TRUE(*s->remove_user("ann"));
    EXPECT_FALSE(*s->use_link(digest("gone"), at(1))) << "it goes with the person";
    ASSERT_TRUE(*s->add_token(token("ann")));
    EXPECT_FALSE(*s->add_link_of(digest("token"), "ann", at(100))) << "a token is no person";
}

TEST_P(access, names_that_an_owner_may_add) {
    const auto s = open();
    const std::vector<std::string> some{"shop.example", "*.hosting.example"};
    EXPECT_EQ(*s->allow_names("shop", some, at(1)), 2u);
    EXPECT_EQ(*s->allow_names("shop", some, at(2)), 0u) << "they are allowed already";
    EXPECT_EQ(*s->allow_names("bee", std::vector<std::string>{"bee.example"}, at(3)), 1u);
    struct row {
        const char *owner, *domain;
        name_right right;
        const char* why;
    };
    using enum name_right;
    for (const auto& each : {
             row{"shop", "shop.example", itself, "named"},
             row{"shop", "www.shop.example", none, "a name stands for itself alone"},
             row{"shop", "a.hosting.example", below, "below"},
             row{"shop", "b.a.hosting.example", below, "far below"},
             row{"shop", "hosting.example", none, "*. is not the name itself"},
             row{"shop", "nothosting.example", none, "a label is whole"},
             row{"shop", "bee.example", none, "another owner's"},
             row{"bee", "a.hosting.example", none, "another owner's"},
             row{"", "shop.example", none, "nobody is no owner"},
         })
        EXPECT_EQ(*s->right_to(each.owner, each.domain), each.right) << each.domain << ": " << each.why;

    const auto all = *s->allowed_names({}, {}, 10);
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[0], (allowed_name{.owner = "bee", .name = "bee.example", .at = at(3)}));
    EXPECT_EQ(all[1], (allowed_name{.owner = "shop", .name = "*.hosting.example", .at = at(1)}));
    EXPECT_THAT(*s->allowed_names({}, all[1], 10), ElementsAre(all[2])) << "the next page";
    EXPECT_THAT(*s->allowed_names({}, {}, 1), ElementsAre(all[0]));
    EXPECT_THAT(*s->allowed_names("shop", {}, 10), ElementsAre(all[1], all[2]));

    EXPECT_EQ(*s->disallow_names("bee", std::vector<std::string>{"shop.example"}), 0u) << "it is not theirs";
    EXPECT_EQ(*s->disallow_names("shop", std::vector<std::string>{"*.hosting.example", "x.example"}), 1u);
    EXPECT_EQ(*s->right_to("shop", "a.hosting.example"), none);

    for (const char* bad :
         {"", "*", "*.", "*.*.example", "a.*.example", "Shop.example", "shop.example.", "a b"})
        EXPECT_FALSE(s->allow_names("shop", std::vector<std::string>{"good.example", bad}, at(4))) << bad;
    EXPECT_EQ(*s->right_to("shop", "good.example"), none) << "all or nothing";
    EXPECT_FALSE(s->allow_names("", some, at(4)));
    EXPECT_FALSE(s->allow_names(std::string(256, 'x'), some, at(4)));
}

TEST_P(access, of_many_that_use_a_link_at_once_one_gets_in) {
    constexpr int rounds = 10, machines = 4;
    const auto s = open();
    const granted to{.name = "link", .role = "administrator", .tenant = {}};
    std::vector<std::unique_ptr<access_store>> each;
    for (int i = 0; i < machines; ++i)
        each.push_back(open());
    for (int round = 0; round < rounds; ++round) {
        const auto of = digest("race " + std::to_string(round));
        ASSERT_TRUE(s->add_link(of, to, at(100)));
        std::atomic<int> in = 0;
        std::vector<std::thread> all;
        for (auto& one : each)
            all.emplace_back([&] {
                if (const auto used = one->use_link(of, at(1)); used && *used)
                    ++in;
            });
        for (auto& one : all)
            one.join();
        EXPECT_EQ(in, 1);
    }
}

TEST_P(access, no_session_survives_a_password_that_changes_beside_the_login) {
    constexpr int rounds = 20;
    const auto login = open(), change = open();
    for (int round = 0; round < rounds; ++round) {
        const auto before = "$argon2id$" + std::to_string(round);
        ASSERT_TRUE(change->put_user(user("ann", before)));
        std::thread other([&] {
            const auto done = change->put_user(user("ann", before + "new"));
            EXPECT_TRUE(done);
        });
        const auto added =
            login->add_session(session("s" + std::to_string(round), "user ann", user("ann").to, before));
        other.join();
        EXPECT_TRUE(added);
        EXPECT_EQ(*login->sessions(at(20)), 0u) << "the new password ended it, or kept it out";
    }
}

TEST_P(access, without_a_password_a_person_keeps_theirs) {
    const auto s = open();
    auto role = user("ann", "");
    role.to.role = "viewer";
    const auto nobody = s->put_user(role);
    ASSERT_TRUE(nobody);
    EXPECT_FALSE(*nobody) << "there is nobody whose password could stay";
    EXPECT_FALSE(*s->user("ann"));
    ASSERT_TRUE(s->put_user(user("ann")));
    role.made_at = at(500);
    const auto now = s->put_user(role);
    ASSERT_TRUE(now && *now);
    EXPECT_EQ((*now)->to, role.to);
    EXPECT_EQ((*now)->password, "$argon2id$one");
    EXPECT_EQ((*now)->made_at, at(1)) << "when they were let in stays";
    EXPECT_EQ((*s->user("ann"))->password, "$argon2id$one");
}

TEST_P(access, a_change_of_role_never_undoes_a_password_that_changes_beside_it) {
    constexpr int rounds = 20;
    const auto one = open(), two = open();
    for (int round = 0; round < rounds; ++round) {
        const auto after = "$argon2id$" + std::to_string(round) + "new";
        ASSERT_TRUE(one->put_user(user("ann", "$argon2id$" + std::to_string(round))));
        std::thread other([&] {
            const auto done = two->put_user(user("ann", after));
            EXPECT_TRUE(done && *done);
        });
        auto role = user("ann", "");
        role.to.role = "viewer";
        const auto done = one->put_user(role);
        other.join();
        EXPECT_TRUE(done && *done);
        EXPECT_EQ((*one->user("ann"))->password, after);
    }
}

TEST_P(access, a_new_password_leaves_the_rest_and_ends_the_sessions) {
    const auto s = open();
    EXPECT_FALSE(*s->set_password("ann", "$argon2id$two")) << "there is nobody";
    EXPECT_FALSE(*s->set_password("no name\n", "$argon2id$two"));
    EXPECT_THAT(*s->users(), IsEmpty());
    ASSERT_TRUE(s->put_user(user("ann")));
    ASSERT_TRUE(s->put_user(user("bob")));
    EXPECT_FALSE(s->set_password("ann", "in the clear"));
    EXPECT_FALSE(s->set_password("ann", ""));
    ASSERT_TRUE(*s->add_session(session("ann's", "user ann", user("ann").to, "$argon2id$one")));
    ASSERT_TRUE(*s->add_session(session("bob's", "user bob", user("bob").to, "$argon2id$one")));
    auto demoted = user("ann", "");
    demoted.to.role = "viewer";
    demoted.to.tenant = "acme";
    ASSERT_TRUE(s->put_user(demoted));
    const auto now = s->set_password("ann", "$argon2id$two");
    ASSERT_TRUE(now && *now);
    EXPECT_EQ((*now)->to, demoted.to) << "as they are, not as somebody saw them once";
    EXPECT_EQ((*now)->made_at, at(1));
    EXPECT_EQ((*s->user("ann"))->password, "$argon2id$two");
    EXPECT_EQ((*s->user("bob"))->password, "$argon2id$one");
    EXPECT_FALSE(*s->session(digest("ann's")));
    EXPECT_TRUE(*s->session(digest("bob's")));
}

TEST_P(access, a_new_password_never_undoes_a_role_that_changes_beside_it) {
    constexpr int rounds = 20;
    const auto one = open(), two = open();
    for (int round = 0; round < rounds; ++round) {
        ASSERT_TRUE(one->put_user(user("ann")));
        auto role = user("ann", "");
        role.to.role = round % 2 == 0 ? "viewer" : "administrator";
        std::thread other([&] {
            const auto done = two->put_user(role);
            EXPECT_TRUE(done && *done);
        });
        const auto password = "$argon2id$" + std::to_string(round);
        const auto done = one->set_password("ann", password);
        other.join();
        EXPECT_TRUE(done && *done);
        EXPECT_EQ((*one->user("ann"))->to, role.to);
        EXPECT_EQ((*one->user("ann"))->password, password);
    }
}

TEST_P(access, who_is_added_replaces_nobody) {
    const auto s = open();
    EXPECT_FALSE(s->add_user(user("ann", "in the clear")));
    EXPECT_FALSE(s->add_user(user("ann", ""))) << "nobody is let in without";
    EXPECT_TRUE(*s->add_user(user("ann")));
    auto other = user("ann", "$argon2id$two");
    other.to.role = "administrator";
    EXPECT_FALSE(*s->add_user(other));
    EXPECT_EQ((*s->user("ann"))->to, user("ann").to);
    EXPECT_EQ((*s->user("ann"))->password, "$argon2id$one");
}

TEST_P(access, times_of_use_go_forward_only) {
    const auto s = open();
    const auto t = token("backup");
    ASSERT_TRUE(*s->add_token(t));
    ASSERT_TRUE(*s->add_session(session("one", "token backup", t.to, t.digest)));
    ASSERT_TRUE(s->used("token", t.digest, at(50)));
    ASSERT_TRUE(s->used("token", t.digest, at(40)));
    EXPECT_EQ((*s->token(t.digest))->used_at, at(50));
    ASSERT_TRUE(s->used("session", digest("one"), at(60)));
    EXPECT_EQ((*s->session(digest("one")))->used_at, at(60));
    EXPECT_FALSE(s->used("spoon", "x", at(1)));
}

TEST_P(access, the_audit_log_is_read_in_pages_from_the_newest) {
    const auto s = open();
    std::vector<audit_entry> some;
    for (int i = 1; i <= 5; ++i)
        some.push_back({.number = 0,
                        .at = at(i),
                        .who = "user ann",
                        .from = "192.0.2.1",
                        .what = "POST /domains",
                        .subject = "d" + std::to_string(i) + ".example",
                        .status = 200});
    ASSERT_TRUE(s->log_audit_all(some));
    const auto first = *s->audit(0, 2);
    ASSERT_EQ(first.size(), 2u);
    EXPECT_EQ(first[0].subject, "d5.example");
    EXPECT_EQ(first[0].at, at(5));
    EXPECT_EQ(first[0].who, "user ann");
    EXPECT_EQ(first[0].from, "192.0.2.1");
    EXPECT_EQ(first[0].what, "POST /domains");
    EXPECT_EQ(first[0].status, 200);
    const auto rest = *s->audit(first[1].number, 100);
    ASSERT_EQ(rest.size(), 3u);
    EXPECT_EQ(rest[0].subject, "d3.example");
    auto hostile = some[0];
    hostile.who = std::string("a\0b\xff\x1b[31m", 9) + std::string(5'000, 'x');
    ASSERT_TRUE(s->log_audit(hostile));
    const auto shown = s->audit(0, 1)->front().who;
    EXPECT_THAT(shown, StartsWith("a\\x00b"));
    EXPECT_EQ(shown.find('\x1b'), std::string::npos);
    EXPECT_LT(shown.size(), 1'000u);
}

TEST_P(access, what_ended_is_dropped_and_the_rest_stays) {
    const auto s = open();
    const granted to{.name = "link", .role = "viewer", .tenant = {}};
    ASSERT_TRUE(*s->add_session(session("ends at 1000", "link", to, "")));
    auto longer = session("stays", "link", to, "");
    longer.expires_at = at(2'000);
    ASSERT_TRUE(*s->add_session(longer));
    ASSERT_TRUE(s->add_link(digest("over"), to, at(1'000)));
    ASSERT_TRUE(s->add_link(digest("holds"), to, at(1'001)));
    std::vector<audit_entry> some(5'001, {.at = at(1), .what = "login"});
    some.push_back({.at = at(900), .what = "login"});
    ASSERT_TRUE(s->log_audit_all(some));
    EXPECT_TRUE(*s->expire_access(at(1'000), at(900))) << "more is left";
    EXPECT_FALSE(*s->expire_access(at(1'000), at(900)));
    EXPECT_FALSE(*s->session(digest("ends at 1000")));
    EXPECT_TRUE(*s->session(digest("stays")));
    EXPECT_TRUE(*s->use_link(digest("holds"), at(1'000)));
    EXPECT_EQ(s->audit(0, 100)->size(), 1u);
}

TEST_P(access, machines_share_one_key) {
    EXPECT_EQ(*open()->shared_key("csrf", "first"), "first");
    EXPECT_EQ(*open()->shared_key("csrf", "second"), "first");
    EXPECT_EQ(*open()->shared_key("other", "second"), "second");
}

TEST_P(access, who_reads_alone_needs_the_tables) {
    EXPECT_FALSE(open_access({.where = db.where(), .read_only = true, .create = false}));
    open();
    EXPECT_THAT(*open(true)->tokens(), IsEmpty());
}

} // namespace
} // namespace mailtight::store
