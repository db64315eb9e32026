// SPDX-License-Identifier: Apache-2.0
// The gate: tokens, sessions, pages of other sites, proxies. Each refusal with its reason.
#include "door_world.h"

namespace mailtight::api {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr const char* session_path = "/api/v1/session";

using gate_of_tokens = door_world;
using gate_of_sessions = door_world;
using gate_of_proxies = door_world;

TEST_F(gate_of_tokens, strangers_learn_nothing) {
    for (const char* path : {session_path, "/api/v1/tokens", "/api/v1/openapi.json", "/api/v1/nonsense",
                             "/api/v1/policies", "/api/v1/audit"})
        for (const char* method : {"GET", "DELETE", "PATCH"}) {
            const auto reply = ask(method, path);
            EXPECT_EQ(reply.status, 401) << method << " " << path;
            EXPECT_EQ(reply.media_type, "application/problem+json");
            EXPECT_THAT(field(reply, "WWW-Authenticate"), StartsWith("Bearer"));
        }
}

TEST_F(gate_of_tokens, a_token_says_who_asks) {
    const auto reply = ask("GET", session_path, bearer(add_token("backup", "operator", "shop")));
    ASSERT_EQ(reply.status, 200) << reply.body;
    const auto said = document(reply);
    EXPECT_EQ(said.at("name").as_string(), "token backup");
    EXPECT_EQ(said.at("role").as_string(), "operator");
    EXPECT_EQ(said.at("tenant").as_string(), "shop");
    EXPECT_EQ(said.at("csrf").as_string(), "");
    EXPECT_EQ(said.at("parts").at("domains").as_bool(), true);
    EXPECT_EQ(said.at("parts").at("sending").as_bool(), false);
    EXPECT_EQ(said.at("parts").at("policy_host").as_bool(), false);
    EXPECT_EQ(field(reply, "Cache-Control"), "no-store");
    EXPECT_EQ(field(reply, "X-Content-Type-Options"), "nosniff");
}

TEST_F(gate_of_tokens, each_role_may_what_the_table_says) {
    const auto viewer = add_token("v", "viewer"), operates = add_token("o", "operator"),
               administrator = add_token("a", "administrator"),
               tenant = add_token("t", "administrator", "shop");
    EXPECT_EQ(ask("GET", "/api/v1/tokens", bearer(administrator)).status, 200);
    for (const auto& token : {viewer, operates, tenant})
        for (const char* path : {"/api/v1/tokens", "/api/v1/users", "/api/v1/audit"}) {
            const auto reply = ask("GET", path, bearer(token));
            EXPECT_EQ(reply.status, 403) << path;
        }
    const auto why = document(ask("GET", "/api/v1/tokens", bearer(viewer)));
    EXPECT_THAT(std::string(why.at("detail").as_string()), HasSubstr("administrator"));
    EXPECT_EQ(ask("GET", "/api/v1/openapi.json", bearer(tenant)).status, 403)
        << "an administrator of one owner's domains is none of the installation";
}

TEST_F(gate_of_tokens, what_is_wrong_is_refused) {
    const auto token = add_token("a", "viewer");
    const auto ended = add_token("b", "viewer", {}, clock_.now());
    struct row {
        const char* why;
        fields shown;
    };
    const row bad[] = {
        {"never made", bearer("mt_" + std::string(43, 'x'))},
        {"its time is over", bearer(ended)},
        {"no token of ours", bearer("x")},
        {"a password instead", {{"authorization", "Basic YW5uOnB3"}}},
        {"right, and beside it a wrong one",
         {{"authorization", "Bearer " + token}, {"authorization", "Bearer mt_x"}}},
        {"its digest, out of a copy of the database",
         bearer("mt_" + base::digest_of_secret(token).substr(0, 43))},
        {"in a cookie, where only sessions are", {{"cookie", "mailtight-session=" + token}}},
        {"in the wrong field", {{"x-api-key", token}}},
    };
    for (const auto& each : bad)
        EXPECT_EQ(ask("GET", session_path, each.shown).status, 401) << each.why;
    EXPECT_EQ(ask("GET", std::string(session_path) + "?token=" + token).status, 401) << "not in an address";
}

TEST_F(gate_of_tokens, one_that_was_taken_away_elsewhere_is_refused_within_two_seconds) {
    const auto token = add_token("a", "viewer");
    EXPECT_EQ(ask("GET", session_path, bearer(token)).status, 200);
    ASSERT_TRUE(*beside().remove_token("a"));
    EXPECT_EQ(ask("GET", session_path, bearer(token)).status, 200) << "out of memory";
    wait(std::chrono::milliseconds(2'050));
    EXPECT_EQ(ask("GET", session_path, bearer(token)).status, 401);
}

TEST_F(gate_of_tokens, one_that_ends_is_refused_at_that_second_although_it_is_remembered) {
    const auto token = add_token("a", "viewer", {}, clock_.now() + std::chrono::seconds(1));
    EXPECT_EQ(ask("GET", session_path, bearer(token)).status, 200);
    clock_.at += std::chrono::seconds(1);
    EXPECT_EQ(ask("GET", session_path, bearer(token)).status, 401);
}

TEST_F(gate_of_tokens, one_that_is_taken_away_here_is_refused_at_once) {
    const auto administrator = add_token("a", "administrator"), token = add_token("b", "viewer");
    EXPECT_EQ(ask("GET", session_path, bearer(token)).status, 200);
    EXPECT_EQ(ask("DELETE", "/api/v1/tokens/b", bearer(administrator)).status, 200);
    EXPECT_EQ(ask("GET", session_path, bearer(token)).status, 401);
}

TEST_F(gate_of_tokens, guessing_ends_and_shuts_nobody_out_who_is_known) {
    const auto token = add_token("a", "viewer");
    EXPECT_EQ(ask("GET", session_path, bearer(token)).status, 200);
    int unknown = 0, refused = 0;
    for (int i = 0; i < 100; ++i) {
        const auto reply = ask("GET", session_path, bearer("mt_" + base::random_secret()));
        unknown += reply.status == 401 ? 1 : 0;
        refused += reply.status == 429 ? 1 : 0;
        if (reply.status == 429)
            EXPECT_NE(field(reply, "Retry-After"), "");
    }
    EXPECT_EQ(unknown + refused, 100);
    EXPECT_LE(unknown, 40);
    EXPECT_EQ(ask("GET", session_path, bearer(token)).status, 200) << "from the same address";
    auto elsewhere = request("GET", session_path, bearer(add_token("b", "viewer")));
    elsewhere.client = "198.51.100.7";
    EXPECT_EQ(ask(elsewhere).status, 200);
}

TEST_F(gate_of_tokens, a_name_that_is_not_ours_is_misdirected_whatever_it_shows) {
    const auto token = add_token("a", "viewer");
    auto asked = request("GET", session_path, bearer(token));
    asked.request.host = "attacker.example";
    EXPECT_EQ(ask(asked).status, 421);
    asked.request.host = "panel.example.com";
    EXPECT_EQ(ask(asked).status, 421);
    doorkeeper_options options;
    options.hosts = {"panel.example.com"};
    restart(options);
    EXPECT_EQ(ask(asked).status, 200);
    asked.request.host = "attacker.example";
    EXPECT_EQ(ask(asked).status, 421);
}

TEST_F(gate_of_tokens, no_secret_is_taken_that_crossed_a_network_in_the_clear) {
    auto asked = request("GET", session_path, bearer(add_token("a", "viewer")));
    asked.peer.address = io::endpoint{*base::ip_address::parse("192.0.2.9"), 5'000};
    EXPECT_EQ(ask(asked).status, 403);
    asked.tls = true;
    EXPECT_EQ(ask(asked).status, 200);
    auto login = request("POST", session_path, {}, login_body("ann"));
    login.peer = asked.peer;
    EXPECT_EQ(ask(login).status, 403) << "before the password is read";
    doorkeeper_options options;
    options.trusted_proxies = {*base::ip_network::parse("192.0.2.0/24")};
    restart(options);
    asked.tls = false;
    EXPECT_EQ(ask(asked).status, 200) << "the proxy spoke TLS";
}

TEST_F(gate_of_tokens, while_the_database_is_away_who_is_known_goes_on_and_nobody_else_gets_in) {
    const auto token = add_token("a", "viewer"), other = add_token("b", "viewer");
    EXPECT_EQ(ask("GET", session_path, bearer(token)).status, 200);
    const auto store = std::move(door_);
    restart({});
    away_ = true;
    const auto reply = ask("GET", session_path, bearer(other));
    EXPECT_EQ(reply.status, 503);
    EXPECT_NE(field(reply, "Retry-After"), "");
    EXPECT_EQ(ask("POST", session_path, {}, login_body("ann")).status, 503);
    away_ = false;
    EXPECT_EQ(ask("GET", session_path, bearer(other)).status, 200);
    away_ = true;
    EXPECT_EQ(ask("GET", session_path, bearer(other)).status, 200) << "for two seconds";
}

TEST_F(gate_of_tokens, what_was_made_is_written_down_by_its_name) {
    const auto admin = add_token("boss", "administrator");
    told_.clear();
    EXPECT_EQ(ask("POST", "/api/v1/tokens", bearer(admin), R"({"name":"backup","role":"viewer"})").status,
              200);
    ASSERT_FALSE(told_.empty());
    EXPECT_EQ(told_.back().what, "POST /tokens");
    EXPECT_EQ(told_.back().subject, "backup");
    EXPECT_EQ(ask("DELETE", "/api/v1/tokens/backup", bearer(admin)).status, 200);
    EXPECT_EQ(told_.back().subject, "backup");
}

TEST_F(gate_of_tokens, when_it_was_used_is_written_down) {
    const auto token = add_token("a", "viewer");
    EXPECT_EQ(ask("GET", session_path, bearer(token)).status, 200);
    loop_.block_on(door_->flush());
    EXPECT_EQ(beside().tokens()->front().used_at, clock_.now());
}

TEST_F(gate_of_tokens, a_body_is_not_read_from_who_may_not_send_it) {
    auto asked = request("POST", session_path, {{"content-length", "100000000"}});
    ASSERT_TRUE(site_.admit(asked));
    EXPECT_EQ(site_.admit(asked)->status, 413);
    asked = request("POST", session_path, {{"transfer-encoding", "chunked"}});
    ASSERT_TRUE(site_.admit(asked));
    EXPECT_EQ(site_.admit(asked)->status, 411);
    asked = request("POST", "/api/v1/policies", {{"content-length", "1000"}});
    ASSERT_TRUE(site_.admit(asked)) << "an import by nobody";
    EXPECT_EQ(site_.admit(asked)->status, 401);
}

TEST_F(gate_of_sessions, a_person_logs_in_and_out) {
    add_user("ann", "operator");
    const auto reply = ask("POST", session_path, {}, login_body("ann"));
    ASSERT_EQ(reply.status, 200) << reply.body;
    const auto cookie = field(reply, "Set-Cookie");
    EXPECT_THAT(cookie, StartsWith("mailtight-session="));
    EXPECT_THAT(cookie, HasSubstr("; HttpOnly; SameSite=Strict"));
    EXPECT_EQ(document(reply).at("name").as_string(), "ann");
    const browser ann{.cookie = cookie.substr(0, cookie.find(';')),
                      .csrf = std::string(document(reply).at("csrf").as_string())};
    const auto shown = ask("GET", session_path, ann.reads());
    EXPECT_EQ(shown.status, 200);
    EXPECT_EQ(document(shown).at("csrf").as_string(), ann.csrf)
        << "so that a page that is loaded anew has it";
    EXPECT_EQ(document(shown).at("expires_at").as_string(),
              base::format_utc(clock_.now() + std::chrono::hours(12)));
    const auto left = ask("DELETE", session_path, ann.writes());
    EXPECT_EQ(left.status, 200) << left.body;
    EXPECT_THAT(field(left, "Set-Cookie"), HasSubstr("Max-Age=0"));
    EXPECT_EQ(ask("GET", session_path, ann.reads()).status, 401);
    EXPECT_THAT(told(), testing::ElementsAre("login 200", "DELETE /session 200"));
}

TEST_F(gate_of_sessions, a_token_and_a_link_log_a_browser_in_too) {
    const auto token = add_token("a", "viewer", "shop", clock_.now() + std::chrono::hours(1));
    const auto by_token = log_in(boost::json::serialize(boost::json::object{{"token", token}}));
    const auto said = document(ask("GET", session_path, by_token.reads()));
    EXPECT_EQ(said.at("name").as_string(), "token a");
    EXPECT_EQ(said.at("tenant").as_string(), "shop");
    EXPECT_EQ(said.at("expires_at").as_string(), base::format_utc(clock_.now() + std::chrono::hours(1)))
        << "no longer than the token";
    const auto secret = base::random_secret();
    ASSERT_TRUE(beside().add_link(base::digest_of_secret(secret),
                                  {.name = "root", .role = "administrator", .tenant = {}},
                                  clock_.now() + std::chrono::minutes(15)));
    const auto body = boost::json::serialize(boost::json::object{{"link", secret}});
    const auto by_link = log_in(body);
    EXPECT_EQ(ask("GET", "/api/v1/tokens", by_link.reads()).status, 200);
    EXPECT_EQ(ask("POST", session_path, {}, body).status, 401) << "once";
    ASSERT_TRUE(*beside().remove_token("a"));
    wait(std::chrono::milliseconds(2'050));
    EXPECT_EQ(ask("GET", session_path, by_token.reads()).status, 401) << "its session ended with it";
}

TEST_F(gate_of_sessions, an_administrator_makes_a_link_that_logs_in_as_somebody) {
    add_user("ann", "operator");
    const auto boss = add_token("boss", "administrator"), operates = add_token("o", "operator");
    const std::string path = "/api/v1/users/ann/link";
    EXPECT_EQ(ask("POST", path, bearer(operates)).status, 403);
    EXPECT_EQ(ask("POST", "/api/v1/users/nobody/link", bearer(boss)).status, 404);
    const auto made = ask("POST", path, bearer(boss));
    ASSERT_EQ(made.status, 200) << made.body;
    EXPECT_EQ(field(made, "Cache-Control"), "no-store");
    const auto said = document(made);
    EXPECT_EQ(said.at("expires_at").as_string(), base::format_utc(clock_.now() + std::chrono::hours(1)));
    const std::string address(said.at("path").as_string());
    ASSERT_THAT(address, StartsWith("/login#"));
    const auto body = boost::json::serialize(boost::json::object{{"link", address.substr(7)}});
    const auto ann = log_in(body);
    const auto who = document(ask("GET", session_path, ann.reads()));
    EXPECT_EQ(who.at("name").as_string(), "ann") << "as the person, not as a link";
    EXPECT_EQ(who.at("role").as_string(), "operator");
    EXPECT_EQ(ask("POST", session_path, {}, body).status, 401) << "once";
    loop_.block_on(door_->flush());
    bool written = false;
    for (const auto& each : *beside().audit(0, 20)) {
        written = written || (each.who == "token boss" && each.what == "POST /users/{name}/link" &&
                              each.subject == "ann" && each.status == 200);
        EXPECT_THAT(each.subject, testing::Not(HasSubstr(address.substr(7)))) << "the secret is nowhere";
    }
    EXPECT_TRUE(written);
    ASSERT_TRUE(*beside().remove_user("ann"));
    wait(std::chrono::milliseconds(2'050));
    EXPECT_EQ(ask("GET", session_path, ann.reads()).status, 401) << "its session is the person's";
}

TEST_F(gate_of_tokens, operators_of_all_domains_say_which_names_a_tenant_may_add) {
    const auto operates = add_token("o", "operator"), viewer = add_token("v", "viewer"),
               tenant = add_token("t", "operator", "shop");
    const std::string path = "/api/v1/allowed-names";
    const std::string body = R"({"owner":"shop","names":["Shop.example.","*.Hosting.example"]})";
    for (const auto& token : {viewer, tenant}) {
        EXPECT_EQ(ask("GET", path, bearer(token)).status, 403);
        EXPECT_EQ(ask("POST", path, bearer(token), body).status, 403);
        EXPECT_EQ(ask("DELETE", path + "/shop.example?owner=shop", bearer(token)).status, 403);
    }
    const auto made = document(ask("POST", path, bearer(operates), body));
    EXPECT_EQ(boost::json::serialize(made),
              R"({"owner":"shop","names":["shop.example","*.hosting.example"],"added":2})");
    const auto first = document(ask("GET", path + "?limit=1", bearer(operates)));
    EXPECT_EQ(first.at("names").at(0).at("name").as_string(), "*.hosting.example");
    EXPECT_EQ(boost::json::serialize(first.at("next")),
              R"({"after_owner":"shop","after_name":"*.hosting.example"})");
    const auto second = document(
        ask("GET", path + "?limit=1&after_owner=shop&after_name=*.hosting.example", bearer(operates)));
    EXPECT_EQ(second.at("names").at(0).at("name").as_string(), "shop.example");
    EXPECT_TRUE(second.at("next").is_null());
    struct bad {
        const char* body;
        int status;
    };
    for (const auto& each :
         {bad{"", 422}, bad{"[]", 422}, bad{R"({"owner":"shop"})", 422},
          bad{R"({"owner":"","names":["a.example"]})", 422}, bad{R"({"owner":"shop","names":[]})", 422},
          bad{R"({"owner":"shop","names":["*"]})", 422},
          bad{R"({"owner":"shop","names":["*.example"]})", 422},
          bad{R"({"owner":"shop","names":["a.*.example"]})", 422},
          bad{R"({"owner":"shop","names":["https://a.example/"]})", 422},
          bad{R"({"owner":"shop","names":["a@b.example"]})", 422},
          bad{R"({"owner":"shop","names":[1]})", 422},
          bad{R"({"owner":"shop","names":["a.example"],"more":1})", 422}})
        EXPECT_EQ(ask("POST", path, bearer(operates), each.body).status, each.status) << each.body;
    EXPECT_EQ(ask("DELETE", path + "/shop.example", bearer(operates)).status, 422) << "whose?";
    EXPECT_EQ(ask("DELETE", path + "/shop.example?owner=bee", bearer(operates)).status, 404);
    EXPECT_EQ(ask("DELETE", path + "/*.hosting.example?owner=shop", bearer(operates)).status, 200);
    EXPECT_EQ(*beside().right_to("shop", "a.hosting.example"), store::name_right::none);
    loop_.block_on(door_->flush());
    std::vector<std::string> subjects;
    for (const auto& each : *beside().audit(0, 50))
        if (each.status == 200)
            subjects.push_back(each.subject);
    EXPECT_THAT(subjects,
                testing::ElementsAre("shop: *.hosting.example", "shop: Shop.example. *.Hosting.example"));
}

TEST_F(gate_of_sessions, a_page_of_another_site_gets_nothing_done) {
    add_user("ann", "administrator");
    const auto ann = log_in(login_body("ann"));
    const auto cookie = std::pair<std::string, std::string>{"cookie", ann.cookie};
    const auto csrf = std::pair<std::string, std::string>{"x-csrf-token", ann.csrf};
    const std::string body = R"({"name":"evil","role":"administrator"})";
    struct row {
        const char* why;
        fields all;
    };
    const row bad[] = {
        {"the cookie alone", {cookie}},
        {"of our origin, without the token", {cookie, {"sec-fetch-site", "same-origin"}}},
        {"with an empty token", {cookie, {"sec-fetch-site", "same-origin"}, {"x-csrf-token", ""}}},
        {"with another token",
         {cookie, {"sec-fetch-site", "same-origin"}, {"x-csrf-token", std::string(43, 'x')}}},
        {"with the token, of another site", {cookie, csrf, {"sec-fetch-site", "cross-site"}}},
        {"of another port of this host", {cookie, csrf, {"sec-fetch-site", "same-site"}}},
        {"typed", {cookie, csrf, {"sec-fetch-site", "none"}}},
        {"an older browser on another site", {cookie, csrf, {"origin", "http://attacker.example"}}},
        {"a sandboxed frame", {cookie, csrf, {"origin", "null"}}},
        {"the token twice", {cookie, csrf, csrf, {"sec-fetch-site", "same-origin"}}},
    };
    for (const auto& each : bad)
        EXPECT_EQ(ask("POST", "/api/v1/tokens", each.all, body).status, 403) << each.why;
    EXPECT_THAT(*beside().tokens(), IsEmpty());
    EXPECT_EQ(ask("GET", "/api/v1/tokens", {cookie, {"sec-fetch-site", "cross-site"}}).status, 403)
        << "nor does it read anything";
    EXPECT_EQ(ask("POST", session_path, {{"sec-fetch-site", "cross-site"}}, login_body("ann")).status, 403)
        << "nor is anybody logged in by it";
    const fields good[] = {ann.writes(), {cookie, csrf, {"origin", "http://127.0.0.1:8460"}}, {cookie, csrf}};
    int made = 0;
    for (const auto& each : good)
        EXPECT_EQ(ask("POST", "/api/v1/tokens", each,
                      R"({"role":"viewer","name":"t)" + std::to_string(++made) + "\"}")
                      .status,
                  200);
}

TEST_F(gate_of_sessions, the_cookie_is_bound_to_tls_where_there_is_tls) {
    add_user("ann", "viewer");
    auto login = request("POST", session_path, {}, login_body("ann"));
    login.tls = true;
    const auto reply = ask(login);
    ASSERT_EQ(reply.status, 200);
    const auto cookie = field(reply, "Set-Cookie");
    EXPECT_THAT(cookie, StartsWith("__Host-mailtight="));
    EXPECT_THAT(cookie, HasSubstr("; Secure"));
    const auto secret = cookie.substr(17, 43);
    auto plain = request("GET", session_path, {{"cookie", "mailtight-session=" + secret}});
    plain.tls = true;
    EXPECT_EQ(ask(plain).status, 401) << "a cookie that any neighbour could have set";
    auto right = request("GET", session_path, {{"cookie", "__Host-mailtight=" + secret}});
    right.tls = true;
    EXPECT_EQ(ask(right).status, 200);
}

TEST_F(gate_of_sessions, what_was_given_in_a_login_is_looked_at) {
    struct row {
        int status;
        const char *body, *why;
    };
    const row bad[] = {
        {422, "", "nothing"},
        {422, "{", "no JSON"},
        {422, "[]", "a list"},
        {422, "[[[[[[[[[[[[]]]]]]]]]]]]", "deeper than anything we know"},
        {422, "{}", "an empty object"},
        {422, R"({"user":"ann"})", "no password"},
        {422, R"({"password":"correct horse battery"})", "no name"},
        {422, R"({"user":"ann","password":1})", "a number"},
        {422, R"({"user":"ann","password":null})", "nothing"},
        {422, R"({"user":"ann","password":""})", "an empty one"},
        {422, R"({"user":["ann"],"password":"x"})", "a list of names"},
        {422, R"({"user":"ann","password":"x","token":"y"})", "two ways at once"},
        {422, R"({"token":"x","link":"y"})", "two ways at once"},
        {422, R"({"user":"ann","password":"x","remember":"yes"})", "a field that is not known"},
        {401, R"({"token":"x"})", "no token of ours"},
        {401, R"({"link":"x"})", "no link of ours"},
        {401, R"({"link":"../../etc/passwd"})", "no link of ours"},
        {401, R"({"user":"ann","password":"wrong horse battery"})", "another password"},
        {401, R"({"user":"Ann","password":"correct horse battery"})", "another name"},
        {401, R"({"user":"nobody","password":"correct horse battery"})", "nobody"},
        {401, R"({"user":"ann' or '1'='1","password":"correct horse battery"})", "no name"},
    };
    add_user("ann", "viewer");
    for (const auto& each : bad) {
        restart({}); // attempts anew
        const auto reply = ask("POST", session_path, {}, each.body);
        EXPECT_EQ(reply.status, each.status) << each.body << ": " << each.why;
        EXPECT_EQ(field(reply, "Set-Cookie"), "") << each.why;
    }
}

TEST_F(gate_of_sessions, a_wrong_name_is_answered_as_a_wrong_password_is) {
    add_user("ann", "viewer");
    const auto wrong_password = ask("POST", session_path, {}, login_body("ann", "wrong horse battery"));
    const auto wrong_name = ask("POST", session_path, {}, login_body("bob", "wrong horse battery"));
    EXPECT_EQ(wrong_password.status, wrong_name.status);
    EXPECT_EQ(wrong_password.body, wrong_name.body);
    EXPECT_EQ(wrong_password.fields, wrong_name.fields);
}

TEST_F(gate_of_sessions, ten_wrong_passwords_and_then_a_pause) {
    add_user("ann", "viewer");
    add_user("bob", "viewer");
    const auto from = [&](const char* client, const std::string& body) {
        auto asked = request("POST", session_path, {}, body);
        asked.client = client;
        return ask(asked);
    };
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(from("192.0.2.1", login_body("ann", "wrong horse battery")).status, 401) << i;
    const auto paused = from("192.0.2.1", login_body("ann"));
    EXPECT_EQ(paused.status, 429) << "even with the right one";
    EXPECT_NE(field(paused, "Retry-After"), "");
    EXPECT_EQ(from("192.0.2.1", login_body("bob")).status, 429) << "the client";
    EXPECT_EQ(from("192.0.2.2", login_body("ann")).status, 429) << "the name, from wherever";
    EXPECT_EQ(from("192.0.2.2", login_body("bob")).status, 200);
    EXPECT_THAT(told(), Contains("login refused 429"));
}

TEST_F(gate_of_sessions, others_cannot_shut_somebody_out_of_where_they_are_at_home) {
    add_user("ann", "viewer");
    const auto from = [&](const std::string& client, const std::string& body) {
        auto asked = request("POST", session_path, {}, body);
        asked.client = client;
        return ask(asked).status;
    };
    EXPECT_EQ(from("192.0.2.1", login_body("ann")), 200);
    for (int i = 0; i < 20; ++i)
        from("198.51.100." + std::to_string(i), login_body("ann", "wrong horse battery"));
    EXPECT_EQ(from("198.51.100.99", login_body("ann")), 429);
    EXPECT_EQ(from("192.0.2.1", login_body("ann")), 200);
}

TEST_F(gate_of_sessions, many_at_once_have_no_more_attempts_than_one_after_the_other) {
    add_user("ann", "viewer");
    int wrong = 0, refused = 0, others = 0, open = 0;
    const auto attempt = [&](io::http_exchange asked) -> io::task<> {
        const auto reply = co_await site_.handle(std::move(asked));
        ++(reply.status == 401 ? wrong : reply.status == 429 ? refused : others);
        --open;
    };
    for (int i = 0; i < 40; ++i) {
        ++open;
        loop_.spawn(attempt(request("POST", session_path, {}, login_body("ann", "wrong horse battery"))));
    }
    loop_.run();
    EXPECT_EQ(open, 0);
    EXPECT_EQ(wrong, 10);
    EXPECT_EQ(refused + others, 30);
}

TEST_F(gate_of_sessions, a_new_password_ends_every_session) {
    add_user("ann", "viewer");
    const auto administrator = add_token("a", "administrator");
    const auto ann = log_in(login_body("ann"));
    const auto reply = ask("PUT", "/api/v1/users/ann", bearer(administrator),
                           R"({"role":"viewer","password":"another horse battery"})");
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(ask("GET", session_path, ann.reads()).status, 401);
    EXPECT_EQ(ask("POST", session_path, {}, login_body("ann")).status, 401);
    log_in(login_body("ann", "another horse battery"));
}

TEST_F(gate_of_sessions, it_ends_when_it_said) {
    add_user("ann", "viewer");
    const auto ann = log_in(login_body("ann"));
    clock_.at += std::chrono::hours(12) - std::chrono::seconds(1);
    EXPECT_EQ(ask("GET", session_path, ann.reads()).status, 200);
    clock_.at += std::chrono::seconds(1);
    EXPECT_EQ(ask("GET", session_path, ann.reads()).status, 401);
}

doorkeeper_options behind_proxy(std::optional<role> others = role::viewer) {
    doorkeeper_options options;
    options.proxy_user_header = "x-remote-user";
    options.trusted_proxies = {*base::ip_network::parse("192.0.2.0/24")};
    options.proxy_role = others;
    return options;
}

TEST_F(gate_of_proxies, a_trusted_one_says_who_asks) {
    restart(behind_proxy());
    add_user("boss", "administrator");
    const auto from_proxy = [&](fields more, const std::string& method = "GET",
                                const std::string& path = session_path, const std::string& body = {}) {
        more.emplace_back("x-forwarded-proto", "https");
        auto asked = request(method, path, std::move(more), body);
        asked.peer.address = io::endpoint{*base::ip_address::parse("192.0.2.9"), 5'000};
        asked.client = "198.51.100.1";
        return ask(asked);
    };
    const auto ann = from_proxy({{"x-remote-user", "ann"}});
    ASSERT_EQ(ann.status, 200) << ann.body;
    EXPECT_EQ(document(ann).at("name").as_string(), "proxy ann");
    EXPECT_EQ(document(ann).at("role").as_string(), "viewer") << "of those we do not know";
    const auto boss = from_proxy({{"x-remote-user", "boss"}});
    EXPECT_EQ(document(boss).at("role").as_string(), "administrator") << "of those we do";
    EXPECT_EQ(from_proxy({}).status, 401) << "the proxy knows nobody";
    EXPECT_EQ(from_proxy({{"x-remote-user", ""}}).status, 403);
    EXPECT_EQ(from_proxy({{"x-remote-user", "boss"}, {"x-remote-user", "ann"}}).status, 403)
        << "one of them came through from the client";
    // The proxy's login is as ambient as a cookie: a page of another site must not use it.
    const std::string body = R"({"name":"x","role":"viewer"})";
    const auto csrf = std::string(document(boss).at("csrf").as_string());
    EXPECT_EQ(from_proxy({{"x-remote-user", "boss"}}, "POST", "/api/v1/tokens", body).status, 403);
    EXPECT_EQ(
        from_proxy({{"x-remote-user", "boss"}, {"x-csrf-token", csrf}, {"sec-fetch-site", "cross-site"}},
                   "POST", "/api/v1/tokens", body)
            .status,
        403);
    const auto other = std::string(document(ann).at("csrf").as_string());
    EXPECT_EQ(from_proxy({{"x-remote-user", "boss"}, {"x-csrf-token", other}}, "POST", "/api/v1/tokens", body)
                  .status,
              403)
        << "somebody else's";
    EXPECT_EQ(from_proxy({{"x-remote-user", "boss"}, {"x-csrf-token", csrf}}, "POST", "/api/v1/tokens", body)
                  .status,
              200);
}

TEST_F(gate_of_proxies, the_field_of_anybody_else_is_not_believed) {
    add_user("boss", "administrator");
    restart(behind_proxy());
    EXPECT_EQ(ask("GET", session_path, {{"x-remote-user", "boss"}}).status, 401) << "from this machine";
    auto asked = request("GET", session_path, {{"x-remote-user", "boss"}});
    asked.peer.address = io::endpoint{*base::ip_address::parse("198.51.100.1"), 5'000};
    asked.client = "192.0.2.9";
    asked.tls = true;
    EXPECT_EQ(ask(asked).status, 401) << "who says to come from the proxy's address";
    doorkeeper_options off = behind_proxy();
    off.proxy_user_header = "";
    restart(off);
    asked.peer.address = io::endpoint{*base::ip_address::parse("192.0.2.9"), 5'000};
    EXPECT_EQ(ask(asked).status, 401) << "not switched on";
}

TEST_F(gate_of_proxies, strangers_may_be_kept_out) {
    restart(behind_proxy(std::nullopt));
    add_user("ann", "viewer");
    auto asked = request("GET", session_path, {{"x-remote-user", "ann"}});
    asked.peer.address = io::endpoint{*base::ip_address::parse("192.0.2.9"), 5'000};
    EXPECT_EQ(ask(asked).status, 200);
    asked.request.fields.back().second = "eve";
    const auto reply = ask(asked);
    EXPECT_EQ(reply.status, 403);
    EXPECT_THAT(reply.body, HasSubstr("mailtight access user add"));
}

} // namespace
} // namespace mailtight::api
