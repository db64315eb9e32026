// SPDX-License-Identifier: Apache-2.0
// What a request says of who sends it, row by row: what is read, and what is not fallen for.
#include "api/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::api {
namespace {

using fields = std::vector<std::pair<std::string, std::string>>;

const std::string secret(43, 's');
const std::string token = "mt_" + secret;

wire::http_request with(fields all, std::string method = "GET") {
    wire::http_request out;
    out.method = std::move(method);
    out.fields = std::move(all);
    return out;
}

TEST(credentials, a_token_stands_in_one_field_in_one_form) {
    EXPECT_EQ(bearer_of(with({})), "");
    for (const auto& good : {"Bearer " + token, "bearer " + token, "BEARER   " + token + " "})
        EXPECT_EQ(bearer_of(with({{"authorization", good}})), token) << good;
    struct row {
        const char* why;
        fields all;
    };
    const row bad[] = {
        {"another scheme", {{"authorization", "Basic YW5uOnB3"}}},
        {"no scheme", {{"authorization", token}}},
        {"no token", {{"authorization", "Bearer"}}},
        {"an empty token", {{"authorization", "Bearer "}}},
        {"an empty field", {{"authorization", ""}}},
        {"without its prefix", {{"authorization", "Bearer " + secret}}},
        {"one character short", {{"authorization", "Bearer mt_" + secret.substr(1)}}},
        {"one character long", {{"authorization", "Bearer " + token + "s"}}},
        {"a character that is none of ours", {{"authorization", "Bearer mt_" + secret.substr(1) + "+"}}},
        {"two tokens", {{"authorization", "Bearer " + token + ", Bearer " + token}}},
        {"two fields", {{"authorization", "Bearer " + token}, {"authorization", "Bearer " + token}}},
        {"a NUL within", {{"authorization", "Bearer mt_" + secret.substr(1) + std::string(1, '\0')}}},
    };
    for (const auto& each : bad)
        EXPECT_FALSE(bearer_of(with(each.all))) << each.why;
}

TEST(credentials, a_cookie_is_found_once_or_not_at_all) {
    EXPECT_EQ(cookie_of(with({{"cookie", "a=1; __Host-mailtight=x; b=2"}}), "__Host-mailtight"), "x");
    EXPECT_EQ(cookie_of(with({{"cookie", "a=1"}, {"cookie", "s=x"}}), "s"), "x");
    EXPECT_EQ(cookie_of(with({{"cookie", "s=x=y"}}), "s"), "x=y");
    struct row {
        const char* why;
        fields all;
    };
    const row bad[] = {
        {"no cookie", {}},
        {"another one", {{"cookie", "ss=x; S=x"}}},
        {"twice: one was put in front", {{"cookie", "s=evil; s=x"}}},
        {"twice over two fields", {{"cookie", "s=evil"}, {"cookie", "s=x"}}},
        {"a name without a value", {{"cookie", "s"}}},
        {"the name within a value", {{"cookie", "a=s=x"}}},
        {"commas do not separate", {{"cookie", "a=1,s=x"}}},
    };
    for (const auto& each : bad)
        EXPECT_FALSE(cookie_of(with(each.all), "s")) << each.why;
}

TEST(credentials, a_cookie_of_ours_is_out_of_reach_of_scripts_and_of_other_sites) {
    EXPECT_EQ(session_cookie(true, "x", std::chrono::hours(12)),
              "__Host-mailtight=x; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure");
    EXPECT_EQ(session_cookie(false, "x", std::chrono::hours(12)),
              "mailtight-session=x; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict");
    EXPECT_EQ(session_cookie(true, "", std::chrono::hours(12)),
              "__Host-mailtight=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure");
}

TEST(credentials, names_that_others_point_at_us_are_not_ours) {
    const std::vector<std::string> ours = {"panel.example.com", "*.pages.example.com"};
    for (const char* good :
         {"localhost", "localhost.", "127.0.0.1", "127.8.8.8", "::1", "[::1]", "192.0.2.1", "[2001:db8::1]",
          "panel.example.com", "PANEL.example.com", "panel.example.com.", "a.pages.example.com"})
        EXPECT_TRUE(is_our_host(good, ours)) << good;
    struct row {
        const char *host, *why;
    };
    const row bad[] = {
        {"", "no host"},
        {"attacker.example", "resolves to 127.0.0.1 by now"},
        {"127.0.0.1.attacker.example", "begins like an address"},
        {"localhost.attacker.example", "begins like us"},
        {"x.localhost", "nobody of that name"},
        {"panel.example.com.attacker.example", "begins like our name"},
        {"evilpanel.example.com", "ends like our name"},
        {"example.com", "above our name"},
        {"a.panel.example.com", "below our name"},
        {"a.b.pages.example.com", "two labels for one"},
        {".pages.example.com", "no label for one"},
        {"pages.example.com", "the name itself"},
        {"2130706433", "an address in one number, as old clients read it"},
        {"0x7f.1", "the same in another form"},
        {"127.1", "and shortened"},
    };
    for (const auto& each : bad)
        EXPECT_FALSE(is_our_host(each.host, ours)) << each.host << ": " << each.why;
}

TEST(credentials, a_page_of_ours_is_told_from_all_others) {
    const auto from = [](fields all, bool secure = false) { return origin_of(with(std::move(all)), secure); };
    const std::pair<std::string, std::string> host{"host", "127.0.0.1:8460"};
    struct row {
        origin is;
        fields all;
        const char* why;
    };
    const row rows[] = {
        {origin::ours, {host, {"sec-fetch-site", "same-origin"}}, "the browser says so"},
        {origin::ours, {host, {"origin", "http://127.0.0.1:8460"}}, "an older browser"},
        {origin::ours,
         {host, {"sec-fetch-site", "same-origin"}, {"origin", "https://panel.example.com"}},
         "behind a proxy that changes Host"},
        {origin::person, {host, {"sec-fetch-site", "none"}}, "typed"},
        {origin::unsaid, {host}, "curl"},
        {origin::foreign, {host, {"sec-fetch-site", "cross-site"}}, "another site"},
        {origin::foreign, {host, {"sec-fetch-site", "same-site"}}, "another port or name of the same site"},
        {origin::foreign, {host, {"sec-fetch-site", "Same-Origin"}}, "no browser writes it so"},
        {origin::foreign,
         {host, {"sec-fetch-site", "same-origin"}, {"sec-fetch-site", "cross-site"}},
         "twice"},
        {origin::foreign,
         {host, {"sec-fetch-site", "none"}, {"origin", "http://attacker.example"}},
         "typed, and yet from a page"},
        {origin::foreign, {host, {"origin", "http://attacker.example"}}, "another host"},
        {origin::foreign, {host, {"origin", "https://127.0.0.1:8460"}}, "another scheme"},
        {origin::foreign, {host, {"origin", "http://127.0.0.1"}}, "another port: a neighbour's program"},
        {origin::foreign, {host, {"origin", "null"}}, "a sandboxed frame, a file, a redirect"},
        {origin::foreign, {{"origin", "http://"}}, "no host to compare with"},
    };
    for (const auto& each : rows)
        EXPECT_EQ(from(each.all), each.is) << each.why;
    EXPECT_EQ(from({host, {"origin", "https://127.0.0.1:8460"}}, true), origin::ours);
    EXPECT_EQ(from({host, {"origin", "http://127.0.0.1:8460"}}, true), origin::foreign)
        << "not the secure one";
}

TEST(credentials, a_proxy_names_one_who_can_be_named) {
    const auto name = [](fields all) { return proxied_name(with(std::move(all)), "x-remote-user"); };
    EXPECT_FALSE(name({}));
    EXPECT_FALSE(proxied_name(with({{"", "ann"}}), "")) << "not switched on";
    EXPECT_EQ(name({{"x-remote-user", "ann"}}), "ann");
    EXPECT_EQ(name({{"x-remote-user", " ann@example.com "}}), "ann@example.com");
    struct row {
        const char* why;
        fields all;
    };
    const row bad[] = {
        {"the proxy knows nobody", {{"x-remote-user", ""}}},
        {"one came through from the client", {{"x-remote-user", "root"}, {"x-remote-user", "ann"}}},
        {"two in one field", {{"x-remote-user", "root, ann"}}},
        {"a space", {{"x-remote-user", "ann smith"}}},
        {"no ASCII", {{"x-remote-user", "änn"}}},
        {"a control character", {{"x-remote-user", "ann\x01"}}},
        {"too long", {{"x-remote-user", std::string(65, 'a')}}},
    };
    for (const auto& each : bad)
        EXPECT_EQ(name(each.all), "") << each.why;
}

TEST(credentials, a_network_of_one_person_counts_as_one) {
    EXPECT_EQ(counted_client("192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(counted_client("::ffff:192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(counted_client("2001:db8:1:2:3:4:5:6"), counted_client("2001:db8:1:2::1"));
    EXPECT_NE(counted_client("2001:db8:1:2::1"), counted_client("2001:db8:1:3::1"));
    EXPECT_EQ(counted_client("uid 0 (pid 12)"), "uid 0 (pid 12)");
    EXPECT_LE(counted_client(std::string(5'000, 'x')).size(), 64u);
}

} // namespace
} // namespace mailtight::api
