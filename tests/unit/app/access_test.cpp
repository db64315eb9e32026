// SPDX-License-Identifier: Apache-2.0
// The commands about who may use the pages: what they say, what they leave in the store, and what they
// refuse.
#include "app/access_commands.h"
#include "app/access_keeping.h"
#include "app/domain_access.h"
#include "base/crypto/password.h"
#include "typed_command.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <thread>

#include <sys/stat.h>

namespace mailtight::app {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::StartsWith;

class access_commands : public typed_command {
protected:
    said add_token(access_options options) {
        return run([&] { return cmd_access_token_add(common_, options); });
    }
    said add_user(access_options options) {
        return run([&] { return cmd_access_user_add(common_, options); });
    }
    std::unique_ptr<store::access_store> kept() {
        auto opened = open_access_to_change(common_.set);
        EXPECT_TRUE(opened);
        return std::move(*opened);
    }
};

TEST_F(access_commands, a_token_is_shown_once_and_known_by_its_digest) {
    const auto made = add_token({.name = "backup", .role = "operator", .owner = "shop", .days = 30});
    ASSERT_EQ(made.status, fine) << made.err;
    EXPECT_THAT(made.out, MatchesRegex("mt_[A-Za-z0-9_-]+\n")) << "alone on stdout, for a script";
    const auto secret = made.out.substr(0, made.out.size() - 1);
    const auto found = *kept()->token(base::digest_of_secret(secret));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->to, (store::granted{.name = "backup", .role = "operator", .tenant = "shop"}));
    ASSERT_TRUE(found->expires_at);
    EXPECT_EQ(*found->expires_at - found->made_at, std::chrono::hours(24 * 30));
    EXPECT_EQ(add_token({.name = "backup"}).status, problems_found) << "the name is taken";
    const auto list = run([&] { return cmd_access_token_list(common_); });
    EXPECT_THAT(list.out, HasSubstr("backup"));
    EXPECT_EQ(list.out.find(secret), std::string::npos);
    EXPECT_EQ(run([&] { return cmd_access_token_remove(common_, {.name = "backup"}); }).status, fine);
    EXPECT_EQ(run([&] { return cmd_access_token_remove(common_, {.name = "backup"}); }).status,
              problems_found);
    EXPECT_FALSE(*kept()->token(base::digest_of_secret(secret)));
}

TEST_F(access_commands, who_gets_no_role_looks_only) {
    ASSERT_EQ(add_token({.name = "a"}).status, fine);
    EXPECT_EQ(kept()->tokens()->front().to.role, "viewer");
    EXPECT_FALSE(kept()->tokens()->front().expires_at);
}

TEST_F(access_commands, what_was_typed_wrongly_makes_nothing) {
    struct row {
        const char* why;
        access_options typed;
    };
    const row bad[] = {
        {"no name", {}},
        {"a name with a space", {.name = "a b"}},
        {"a role that there is not", {.name = "a", .role = "root"}},
        {"an owner that is nobody: a script's empty variable", {.name = "a", .owner = ""}},
        {"the word for nobody", {.name = "a", .owner = "none"}},
        {"an owner that no domain can have", {.name = "a", .owner = std::string(254, 'x')}},
        {"an owner of two lines", {.name = "a", .owner = "a\nb"}},
        {"more days than anybody lives", {.name = "a", .days = 10'000'000'000}},
    };
    for (const auto& each : bad)
        EXPECT_EQ(add_token(each.typed).status, wrong_usage) << each.why;
    EXPECT_THAT(*kept()->tokens(), IsEmpty());
}

TEST_F(access_commands, who_let_somebody_in_stands_in_the_log) {
    ASSERT_EQ(add_token({.name = "shop", .role = "operator", .owner = "ann"}).status, fine);
    ASSERT_EQ(add_token({.name = "shop"}).status, problems_found) << "what was not done is not written";
    ASSERT_EQ(run([&] { return cmd_login_link(common_, {.role = "viewer"}); }).status, fine);
    ASSERT_EQ(run([&] { return cmd_access_token_remove(common_, {.name = "shop"}); }).status, fine);
    std::vector<std::string> lines;
    for (const auto& each : *kept()->audit(0, 100)) {
        EXPECT_EQ(each.who, person());
        EXPECT_EQ(each.from, "command");
        lines.push_back(each.what + ": " + each.subject);
    }
    EXPECT_THAT(lines, testing::ElementsAre("access token remove: shop", "login-link: viewer",
                                            "access token add: shop, operator of ann"));
}

TEST_F(access_commands, a_password_comes_from_the_first_line_of_a_file) {
    const auto good = file("good", "correct horse battery\r\nanother line\n");
    ASSERT_EQ(add_user({.name = "ann", .role = "operator", .password_file = good}).status, fine);
    const auto ann = *kept()->user("ann");
    ASSERT_TRUE(ann);
    EXPECT_EQ(ann->to.role, "operator");
    EXPECT_TRUE(base::verify_password(ann->password, "correct horse battery"));
    EXPECT_EQ(base::cost_of(ann->password), base::password_cost{}) << "at full cost";
    EXPECT_EQ(add_user({.name = "ann", .password_file = good}).status, problems_found);
    EXPECT_EQ(run([&] {
                  return cmd_access_user_password(
                      common_, {.name = "ann", .password_file = file("new", "another horse battery")});
              }).status,
              fine);
    const auto changed = *kept()->user("ann");
    EXPECT_TRUE(base::verify_password(changed->password, "another horse battery"));
    EXPECT_EQ(changed->to.role, "operator") << "the role stays";
    EXPECT_THAT(run([&] { return cmd_access_user_list(common_); }).out, HasSubstr("ann"));
    EXPECT_EQ(run([&] { return cmd_access_user_remove(common_, {.name = "ann"}); }).status, fine);
    EXPECT_FALSE(*kept()->user("ann"));
}

TEST_F(access_commands, what_changes_while_a_password_is_typed_is_not_undone) {
    const auto typed = folder_ / "typed";
    ASSERT_EQ(::mkfifo(typed.c_str(), 0600), 0);
    // Opening the pipe waits for the command to ask: what it saw before is older than what is done meanwhile.
    const auto meanwhile = [&](std::function<void(store::access_store&)> change) {
        return std::thread([this, typed, change = std::move(change)] {
            std::ofstream pipe(typed);
            change(*kept());
            pipe << "correct horse battery\n";
        });
    };
    const store::access_user ann{.to = {.name = "ann", .role = "administrator", .tenant = {}},
                                 .password = "$argon2id$one"};
    const auto password = [&] {
        return run(
            [&] { return cmd_access_user_password(common_, {.name = "ann", .password_file = typed}); });
    };
    ASSERT_TRUE(kept()->put_user(ann));
    auto person = meanwhile([&](store::access_store& in) {
        auto demoted = ann;
        demoted.to.role = "viewer";
        demoted.password.clear();
        EXPECT_TRUE(in.put_user(demoted));
    });
    const auto changed = password();
    person.join();
    EXPECT_EQ(changed.status, fine);
    EXPECT_THAT(changed.err, HasSubstr("ann can log in as viewer"));
    EXPECT_EQ((*kept()->user("ann"))->to.role, "viewer");
    EXPECT_TRUE(base::verify_password((*kept()->user("ann"))->password, "correct horse battery"));

    person = meanwhile([](store::access_store& in) { EXPECT_TRUE(*in.remove_user("ann")); });
    const auto gone = password();
    person.join();
    EXPECT_EQ(gone.status, problems_found);
    EXPECT_THAT(gone.err, HasSubstr("there is nobody of the name ann"));
    EXPECT_FALSE(*kept()->user("ann")) << "who was removed does not come back";

    person = meanwhile([&](store::access_store& in) { EXPECT_TRUE(in.put_user(ann)); });
    const auto second = add_user({.name = "ann", .role = "viewer", .password_file = typed});
    person.join();
    EXPECT_EQ(second.status, problems_found);
    EXPECT_THAT(second.err, HasSubstr("ann is there already"));
    EXPECT_EQ((*kept()->user("ann"))->password, "$argon2id$one");
}

TEST_F(access_commands, a_password_that_is_none_lets_nobody_in) {
    EXPECT_EQ(add_user({.name = "ann", .password_file = file("a", "short\n")}).status, wrong_usage);
    EXPECT_EQ(add_user({.name = "ann", .password_file = file("b", "")}).status, wrong_usage);
    EXPECT_EQ(add_user({.name = "ann", .password_file = file("c", std::string(5'000, 'x'))}).status,
              not_done);
    EXPECT_EQ(add_user({.name = "ann", .password_file = folder_ / "none"}).status, not_done);
    EXPECT_EQ(run([&] {
                  return cmd_access_user_password(
                      common_, {.name = "bob", .password_file = file("d", "correct horse battery")});
              }).status,
              problems_found)
        << "nobody of that name";
    EXPECT_THAT(*kept()->users(), IsEmpty());
}

TEST_F(access_commands, a_link_stands_alone_on_stdout_and_opens_once) {
    const auto made = run([&] { return cmd_login_link(common_, {}); });
    ASSERT_EQ(made.status, fine) << made.err;
    EXPECT_THAT(made.out, StartsWith("http://127.0.0.1:8460/login#"));
    EXPECT_THAT(made.err, HasSubstr("no daemon"));
    const auto secret = made.out.substr(made.out.find('#') + 1, 43);
    const auto now = base::system_clock().now();
    const auto store = kept();
    EXPECT_EQ((*store->use_link(base::digest_of_secret(secret), now))->to.role, "administrator");
    EXPECT_FALSE(*store->use_link(base::digest_of_secret(secret), now));
    const auto viewer = run([&] { return cmd_login_link(common_, {.role = "viewer", .owner = "shop"}); });
    const auto other =
        *store->use_link(base::digest_of_secret(viewer.out.substr(viewer.out.find('#') + 1, 43)),
                         now + std::chrono::minutes(14));
    ASSERT_TRUE(other);
    EXPECT_EQ(other->to.role, "viewer");
    EXPECT_EQ(other->to.tenant, "shop");
    EXPECT_EQ(run([&] { return cmd_login_link(common_, {.role = "boss"}); }).status, wrong_usage);
    EXPECT_EQ(run([&] { return cmd_login_link(common_, {.minutes = 1'000'000}); }).status, wrong_usage);
}

TEST_F(access_commands, before_anybody_was_let_in_questions_say_how_to_begin) {
    const auto none = run([&] { return cmd_access_token_list(common_); });
    EXPECT_EQ(none.status, not_done);
    EXPECT_THAT(none.err, HasSubstr("mailtight serve"));
    kept();
    EXPECT_THAT(run([&] { return cmd_access_token_list(common_); }).out,
                HasSubstr("mailtight access token add"));
    EXPECT_THAT(run([&] { return cmd_access_log(common_, {}); }).out, HasSubstr("Nobody"));
    EXPECT_THAT(run([&] { return cmd_access_end(common_, {}); }).out, HasSubstr("0 sessions"));
}

TEST(ssh_line, stands_where_the_pages_are_on_loopback) {
    EXPECT_THAT(ssh_line("http://127.0.0.1:8460"), StartsWith("ssh -L 8460:127.0.0.1:8460 "));
    EXPECT_THAT(ssh_line("http://[::1]:8460"), StartsWith("ssh -L 8460:[::1]:8460 "));
    EXPECT_THAT(ssh_line("http://localhost:80/x"), StartsWith("ssh -L 80:localhost:80 "));
    for (const char* none :
         {"https://panel.example.com", "https://192.0.2.1:443", "http://[::1]", "127.0.0.1:8460", ""})
        EXPECT_EQ(ssh_line(none), "") << none;
}

} // namespace
} // namespace mailtight::app
