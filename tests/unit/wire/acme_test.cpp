// SPDX-License-Identifier: Apache-2.0
#include "wire/acme.h"

#include "base/base64url.h"
#include "base/encode.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::wire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

namespace json = boost::json;

base::ec_key a_key() {
    auto key = base::ec_key::make();
    if (!key)
        throw std::runtime_error(key.error());
    return std::move(*key);
}

base::utc_seconds at(const char* text) {
    return base::parse_utc(text).value();
}

json::object unpack(const json::value& jws, std::string_view part) {
    const auto text = base::unbase64url(std::string(jws.at(part).as_string()));
    return text && !text->empty() ? json::parse(*text).as_object() : json::object{};
}

// ---- what is sent ----

TEST(AcmeRequest, NamesTheAccountOrTheKeyAndNeverBoth) {
    const auto key = a_key();
    const auto by_account =
        json::parse(acme_request(key, "https://ca.example/acct/1", "n0", "https://ca.example/o", "{}"));
    const auto head = unpack(by_account, "protected");
    EXPECT_EQ(head.at("alg"), "ES256");
    EXPECT_EQ(head.at("kid"), "https://ca.example/acct/1");
    EXPECT_EQ(head.at("nonce"), "n0");
    EXPECT_EQ(head.at("url"), "https://ca.example/o");
    EXPECT_FALSE(head.contains("jwk"));

    const auto by_key =
        unpack(json::parse(acme_request(key, "", "n1", "https://ca.example/new", "{}")), "protected");
    EXPECT_FALSE(by_key.contains("kid"));
    const auto [x, y] = key.point();
    EXPECT_EQ(by_key.at("jwk").at("x"), json::value(base::base64url(x)));
    EXPECT_EQ(by_key.at("jwk").at("y"), json::value(base::base64url(y)));
}

TEST(AcmeRequest, PostAsGetHasAnEmptyPayload) {
    const auto read =
        json::parse(acme_request(a_key(), "https://ca.example/acct/1", "n", "https://ca.example/o", ""));
    EXPECT_EQ(read.at("payload"), "") << "RFC 8555 §6.3";
    const auto tell =
        json::parse(acme_request(a_key(), "https://ca.example/acct/1", "n", "https://ca.example/o", "{}"));
    EXPECT_EQ(tell.at("payload"), "e30") << "a challenge is answered by {} (erratum 5729)";
}

TEST(AcmeRequest, TheSignatureCoversHeadAndPayload) {
    const auto key = a_key();
    const auto jws = json::parse(acme_request(key, "", "n", "https://ca.example/o", "{}"));
    const auto signature = base::unbase64url(std::string(jws.at("signature").as_string()));
    ASSERT_TRUE(signature);
    EXPECT_THAT(*signature, SizeIs(64));
}

TEST(Jwk, MembersStandInTheOrderOfTheThumbprint) {
    const auto key = a_key();
    const auto text = jwk(key);
    EXPECT_THAT(text, testing::MatchesRegex(
                          R"(\{"crv":"P-256","kty":"EC","x":"[A-Za-z0-9_-]{43}","y":"[A-Za-z0-9_-]{43}"\})"));
    EXPECT_EQ(jwk_thumbprint(key), base::base64url(base::sha256(text)));
    EXPECT_EQ(key_authorization("tok", key), "tok." + jwk_thumbprint(key));
}

TEST(NewAccount, AgreesNamesContactsAndBindsTheCustomer) {
    const auto key = a_key();
    const auto payload = json::parse(new_account_payload(
        key, "https://ca.example/new-acct", {"admin@example.com", "mailto:two@example.com"},
        external_account{.id = "kid-1", .hmac_key = "secret"}));
    EXPECT_EQ(payload.at("termsOfServiceAgreed"), true);
    EXPECT_EQ(payload.at("contact"), (json::array{"mailto:admin@example.com", "mailto:two@example.com"}));
    const auto& binding = payload.at("externalAccountBinding");
    const auto head = unpack(binding, "protected");
    EXPECT_EQ(head.at("alg"), "HS256");
    EXPECT_EQ(head.at("kid"), "kid-1");
    EXPECT_EQ(head.at("url"), "https://ca.example/new-acct");
    EXPECT_FALSE(head.contains("nonce")) << "RFC 8555 §7.3.4";
    const auto signed_part = std::string(binding.at("protected").as_string()) + "." +
                             std::string(binding.at("payload").as_string());
    EXPECT_EQ(binding.at("signature"),
              json::value(base::base64url(base::hmac_sha256("secret", signed_part))));
    EXPECT_EQ(json::serialize(unpack(binding, "payload")), jwk(key));
    EXPECT_FALSE(json::parse(new_account_payload(key, "u", {}, {})).as_object().contains("contact"));
}

TEST(NewOrder, LeavesOutWhatIsNotWished) {
    EXPECT_EQ(new_order_payload("mta-sts.example.com", "", ""),
              R"({"identifiers":[{"type":"dns","value":"mta-sts.example.com"}]})");
    const auto all = json::parse(new_order_payload("mta-sts.example.com", "tlsserver", "a.b"));
    EXPECT_EQ(all.at("profile"), "tlsserver");
    EXPECT_EQ(all.at("replaces"), "a.b");
}

TEST(KeyChange, IsSignedByTheNewKeyAndNamesTheOld) {
    const auto old_key = a_key(), new_key = a_key();
    const auto inner = json::parse(
        key_change_payload(old_key, new_key, "https://ca.example/acct/1", "https://ca.example/key-change"));
    const auto head = unpack(inner, "protected");
    EXPECT_EQ(json::serialize(head.at("jwk")), jwk(new_key));
    EXPECT_EQ(head.at("url"), "https://ca.example/key-change");
    EXPECT_FALSE(head.contains("nonce")) << "RFC 8555 §7.3.5";
    const auto payload = unpack(inner, "payload");
    EXPECT_EQ(payload.at("account"), "https://ca.example/acct/1");
    EXPECT_EQ(json::serialize(payload.at("oldKey")), jwk(old_key));
}

TEST(Requests, QuoteWhatTheAuthorityNamed) {
    // Nothing that came from outside can end a string of ours early.
    const auto jws =
        json::parse(acme_request(a_key(), "https://ca.example/\"x", "n\"", "https://ca.example/\\", ""));
    EXPECT_EQ(unpack(jws, "protected").at("kid"), "https://ca.example/\"x");
}

// ---- what is read ----

TEST(Directory, IsReadWithItsMeta) {
    const auto all = read_acme_directory(R"({
        "newNonce": "https://ca.example/nonce", "newAccount": "https://ca.example/acct",
        "newOrder": "https://ca.example/order", "revokeCert": "https://ca.example/revoke",
        "keyChange": "https://ca.example/key", "renewalInfo": "https://ca.example/ari",
        "meta": {"termsOfService": "https://ca.example/tos", "externalAccountRequired": true,
                 "caaIdentities": ["CA.example"], "profiles": {"classic": "as ever", "short": "six days"}}})");
    ASSERT_TRUE(all) << all.error();
    EXPECT_EQ(all->new_order, "https://ca.example/order");
    EXPECT_EQ(all->renewal_info, "https://ca.example/ari");
    EXPECT_EQ(all->terms, "https://ca.example/tos");
    EXPECT_TRUE(all->account_binding_required);
    EXPECT_THAT(all->profiles, ElementsAre(Pair("classic", "as ever"), Pair("short", "six days")));
    EXPECT_THAT(all->caa_identities, ElementsAre("ca.example"));
}

TEST(Directory, Bad) {
    struct row {
        std::string body;
        const char* why;
    };
    for (
        const auto& [body, why] : {
            row{"", "nothing"},
            row{"<html>", "a page"},
            row{"[]", "no object"},
            row{"{}", "no URLs"},
            row{R"({"newNonce":"https://a/n","newAccount":"https://a/a"})", "newOrder is missing"},
            row{R"({"newNonce":"https://a/n","newAccount":"https://a/a","newOrder":"javascript:x"})",
                "no http URL"},
            row{R"({"newNonce":"https://a/n","newAccount":"https://a/a","newOrder":"https://a/\u000d\u000aX: y"})",
                "a line end in a URL"},
            row{R"({"newNonce":1,"newAccount":[],"newOrder":{}})", "other types"},
            row{std::string(100, '[') + std::string(100, ']'), "too deep"},
            row{R"({"a":")" + std::string(70'000, 'x') + "\"}", "too long"},
        })
        EXPECT_FALSE(read_acme_directory(body)) << why;
}

TEST(Order, IsReadWithItsErrorAndExpiry) {
    const auto order = read_acme_order(R"({"status":"invalid","expires":"2026-11-23T10:00:00.123+02:00",
        "identifiers":[{"type":"dns","value":"MTA-STS.example.com"}],
        "authorizations":["https://ca.example/authz/1", 7, "ftp://no"],
        "finalize":"https://ca.example/fin/1","certificate":"https://ca.example/cert/1",
        "error":{"type":"urn:ietf:params:acme:error:caa","detail":"forbidden","status":403}})");
    ASSERT_TRUE(order) << order.error();
    EXPECT_EQ(order->status, "invalid");
    EXPECT_EQ(order->expires, at("2026-11-23T08:00:00Z"));
    EXPECT_THAT(order->names, ElementsAre("mta-sts.example.com"));
    EXPECT_THAT(order->authorizations, ElementsAre("https://ca.example/authz/1"));
    ASSERT_TRUE(order->error);
    EXPECT_EQ(order->error->type, "caa");
    EXPECT_EQ(order->error->detail, "forbidden");
    EXPECT_FALSE(read_acme_order(R"({"finalize":"https://a/f"})")) << "no status";
    EXPECT_FALSE(read_acme_order(R"({"status":"ready"})")) << "nowhere to finalize";
}

TEST(Authorization, KeepsChallengesWithTheirErrors) {
    const auto seen = read_acme_authorization(R"({"status":"pending","wildcard":false,
        "identifier":{"type":"dns","value":"mta-sts.example.com"},"expires":"2026-11-23T10:00:00Z",
        "challenges":[
          {"type":"http-01","url":"https://ca.example/c/1","token":"abc_-9","status":"processing",
           "error":{"type":"urn:ietf:params:acme:error:connection","detail":"refused"}},
          {"type":"dns-01","url":"https://ca.example/c/2","token":"../../etc","status":"pending"},
          {"type":"odd"}, 5]})");
    ASSERT_TRUE(seen) << seen.error();
    EXPECT_EQ(seen->name, "mta-sts.example.com");
    EXPECT_FALSE(seen->wildcard) << "written out, and false (erratum 6364)";
    ASSERT_THAT(seen->challenges, SizeIs(2));
    EXPECT_EQ(seen->challenges[0].status, "processing");
    EXPECT_EQ(seen->challenges[0].error->type, "connection") << "erratum 5732";
    EXPECT_EQ(seen->challenges[1].token, "") << "a token is base64url: it becomes part of a path";
}

TEST(Authorization, ListsAreBounded) {
    std::string many = R"({"status":"pending","challenges":[)";
    for (int i = 0; i < 500; ++i)
        many += R"({"type":"x","url":"https://a/c","token":"t"},)";
    many.back() = ']';
    const auto seen = read_acme_authorization(many + "}");
    ASSERT_TRUE(seen) << seen.error();
    EXPECT_THAT(seen->challenges, SizeIs(32));
}

TEST(Window, NeedsALength) {
    const auto window = read_acme_window(R"({"suggestedWindow":{"start":"2026-01-02T04:00:00Z",
        "end":"2026-01-03T04:00:00Z"},"explanationURL":"https://ca.example/why"})");
    ASSERT_TRUE(window) << window.error();
    EXPECT_EQ(window->from, at("2026-01-02T04:00:00Z"));
    EXPECT_EQ(window->to, at("2026-01-03T04:00:00Z"));
    EXPECT_EQ(window->explanation_url, "https://ca.example/why");
    struct row {
        const char* body;
        const char* why;
    };
    for (const auto& [body, why] : {
             row{R"({})", "no window"},
             row{R"({"suggestedWindow":{"start":"2026-01-03T04:00:00Z","end":"2026-01-02T04:00:00Z"}})",
                 "ends before it begins"},
             row{R"({"suggestedWindow":{"start":"2026-01-03T04:00:00Z","end":"2026-01-03T04:00:00Z"}})",
                 "no length"},
             row{R"({"suggestedWindow":{"start":"tomorrow","end":"2026-01-03T04:00:00Z"}})", "no date"},
             row{R"({"suggestedWindow":{"start":"2026-13-03T04:00:00Z","end":"2027-01-03T04:00:00Z"}})",
                 "no month"},
             row{R"({"suggestedWindow":{"start":"2026-01-03T04:00:00","end":"2027-01-03T04:00:00Z"}})",
                 "no zone"},
         })
        EXPECT_FALSE(read_acme_window(body)) << why;
}

TEST(Problem, SaysSomethingOfEveryBody) {
    const auto known = read_acme_problem(403, R"({"type":"urn:ietf:params:acme:error:unauthorized",
        "detail":"bad\u001b[31m words","status":999,
        "subproblems":[{"type":"urn:ietf:params:acme:error:caa","detail":"no","identifier":{"value":"a.example"}}]})");
    EXPECT_EQ(known.type, "unauthorized");
    EXPECT_EQ(known.detail, "bad\\x1b[31m words") << "shown to people, so without control characters";
    EXPECT_EQ(known.status, 403) << "the status line's, not the document's";
    EXPECT_THAT(known.by_name, ElementsAre(Pair("a.example", "no")));

    EXPECT_EQ(read_acme_problem(400, R"({"type":"about:blank","detail":"x"})").type, "about:blank");
    EXPECT_THAT(read_acme_problem(502, "<html>Bad Gateway").detail, HasSubstr("<html>Bad Gateway"));
    EXPECT_THAT(read_acme_problem(500, "").detail, HasSubstr("500"));
}

TEST(RetryAfter, IsSecondsOrADateAndAtMostADay) {
    const auto now = at("2026-11-22T10:00:00Z");
    struct row {
        const char* field;
        std::optional<int> seconds;
    };
    for (const auto& [field, seconds] : {
             row{"5", 5},
             row{" 0 ", 0},
             row{"Sun, 22 Nov 2026 10:01:00 GMT", 60},
             row{"Sun, 22 Nov 2026 09:00:00 GMT", 0},
             row{"999999999999999999999", 86'400},
             row{"Sun, 22 Nov 2027 10:01:00 GMT", 86'400},
             row{"-5", std::nullopt},
             row{"soon", std::nullopt},
             row{"", std::nullopt},
         }) {
        const auto wait = retry_after(field, now);
        ASSERT_EQ(wait.has_value(), seconds.has_value()) << field;
        if (seconds)
            EXPECT_EQ(wait->count(), *seconds) << field;
    }
}

} // namespace
} // namespace mailtight::wire
