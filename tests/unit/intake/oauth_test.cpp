// SPDX-License-Identifier: Apache-2.0
#include "intake/oauth.h"

#include "base/crypto/keys.h"
#include "base/encode.h"
#include "base/text.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <algorithm>

namespace mailtight::intake {
namespace {

const base::utc_seconds now{std::chrono::seconds(1'800'000'000)};

// An RSA key made for these tests alone.
constexpr const char* key_pem = R"(-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCy1H6PCGiRcxOr
eEPgrqgvq433IzQG/Jh3x5KiuCiGh7m1P1ZuyJ08VODuTqfDzMX0X3oCun1/rEkN
a22NPtrXv+yvPtADzVadUiWhYU6fy42/d+hHipZsiRnc1OP0KpvqziFVJUjBv10q
Hefqnge+8r79V7V9A92I3OlHjr2G4v7eXEqwYhcsemFgMUU6sfIGo0cyvxFRb+yC
x07i/mN+mC4IymUC5iFDRPN3ObJUS4mfqRmAftcoHJbecXjFLBlJsZR9Opa181kF
tZZtN8OJamT+Qa8YK+MZrKOhVRq9V9kM/zOXoSX+ZWu33gPXbn1z/FCsGjukIBD3
8MSHPWpZAgMBAAECggEADIC60HlABltLVsOzyzOq4ppV9J9rdcmXR1iWsfW6L52x
qDBjdJ9mDt/IUiEBrbjVZj5+o04ylAiRmvSV1jg8yLTMcXwswvdKRPmHU/8fpiBv
KqHRhZ704WW8fyoLPfj0qbf7sJ5ItfMRKm6o1khyNjF2lPPa5oCsrnLzhGNAcPuz
4tvw6dvSaZA1Znk4yZl68k08w50Y1Uk9Obht2FdHQOB1GvR3feZ3TgGQ9/VkRUIK
jDzDguat8q3EyKp3LlQMSsOMTrOnipQqu9UnCZFC18iC03Oaltz6EL7fAGDP0wsr
1xVBfBOvJNmh6vJSJjRb9n3PA/ltlS1CAq+N881s4QKBgQDl+cYdQrVi05X54DgP
wlDE/bzPcwy1QIMQ19+XKkimIy8/qFxVwNQwscRcQWdGs+cHbO1CUqvC3qfeSnKw
lTPItfGW8XyDGUTqzOTM81hAMJy3bKqWgoixu7ThX0RCfqEqSZf5o5E7BERA6Ri/
S0kmS9rVAMtkWQDWXlM5t0eM7QKBgQDHERHGv8N8EFZTrvtfjQltojMQHecTotsQ
BVLKVt+Nvxl739bZJ5b05mCT/wxmyQyULEqMcU5IZPXQBQIH8o4gJc4fKoeIexA+
LE6PN+3LBtI5sdwJzvwy8muJiQg6soi1Hky2P0+K2XUnbFAZ8c1j9aLoS0wSe5Il
CX44DDlRnQKBgQCwhKITDYPqIhuomviM6ApU2amV1Wn4qVawk/Gztqnik3kNtG2D
CKoV4iyk3zKlKyr2IR6PXKMnxP02exBDB5KiyTxxLlPy0G98hd5Mja+8PVPc2lSp
h/Hh8gCpSBU9sLKFoc07uNedY+37oK71DZVNBsYl3iE/ma0x3V6mG06ZFQKBgAHv
U4noAUFqczxa/gx+tXHAWti0QbO6KIDuXFClKYUaL2g507/Gl7wHpTarCvbQy3OB
PrRAwa8IdC8ybUOggusjEu7QngKgl5bTHWxc8c3AYji3Vtktjtv76TmsAE15wMRp
5/r5gI9r76yTa+/knsdy8sNpP/MKCnCbuANZcxEtAoGAOkn+GWT+riPN9fdlCFFl
p64Ko5SgPc5V8EP2+qhwV3wQ8hEC+iW7OEAwlhIguF65hg8kJ3O2WpF+wa+yCRYC
9hBw3R2q7GgSRlMdvMDr8fBa9U1hEIQtySqSbnQlbFQXSFEZQrk90wH9K+xpvWZk
US/JgRTQDF9ffKWxlC8Efw0=
-----END PRIVATE KEY-----
)";

std::string unbase64url(std::string text) {
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    while (text.size() % 4 != 0)
        text += '=';
    return base::unbase64(text).value_or("");
}

TEST(oauth, a_refresh_token_is_asked_with_as_RFC_6749_section_6_says) {
    oauth_grant grant;
    grant.how = oauth_grant::kind::refresh_token;
    grant.client_id = "id of ours";
    grant.client_secret = "s&cret=";
    grant.refresh_token = "1//0g";
    EXPECT_EQ(token_request(grant, now).value(), "grant_type=refresh_token&client_id=id%20of%20ours&client_"
                                                 "secret=s%26cret%3D&refresh_token=1%2F%2F0g");
}

TEST(oauth, client_credentials_name_their_scope) {
    oauth_grant grant;
    grant.how = oauth_grant::kind::client_credentials;
    grant.client_id = "id";
    grant.client_secret = "secret";
    grant.scope = "https://outlook.office365.com/.default";
    EXPECT_EQ(token_request(grant, now).value(),
              "grant_type=client_credentials&client_id=id&client_secret=secret&"
              "scope=https%3A%2F%2Foutlook.office365.com%2F.default");
}

TEST(oauth, a_service_account_signs_who_asks_for_whom) {
    const boost::json::object file = {{"client_email", "robot@project.example"},
                                      {"private_key", key_pem},
                                      {"token_uri", "https://token.example/token"}};
    auto grant =
        read_service_account(boost::json::serialize(file), "user@example.com", "https://mail.google.com/");
    ASSERT_TRUE(grant) << grant.error();
    const auto body = token_request(*grant, now);
    ASSERT_TRUE(body) << body.error();
    constexpr std::string_view front =
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    ASSERT_TRUE(body->starts_with(front)) << *body;
    const std::string jwt = body->substr(front.size());
    const auto parts = base::split(jwt, '.');
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(unbase64url(std::string(parts[0])), R"({"alg":"RS256","typ":"JWT"})");
    const auto claims = boost::json::parse(unbase64url(std::string(parts[1]))).as_object();
    EXPECT_EQ(claims.at("iss").as_string(), "robot@project.example");
    EXPECT_EQ(claims.at("sub").as_string(), "user@example.com");
    EXPECT_EQ(claims.at("aud").as_string(), "https://token.example/token");
    EXPECT_EQ(claims.at("exp").as_int64() - claims.at("iat").as_int64(), 3600);
    auto key = base::private_key::from_pem(key_pem);
    ASSERT_TRUE(key);
    auto public_key = base::public_key::rsa(key->public_part());
    ASSERT_TRUE(public_key);
    EXPECT_TRUE(public_key->verifies(base::sha256(std::string(parts[0]) + "." + std::string(parts[1])),
                                     unbase64url(std::string(parts[2]))));
}

TEST(oauth, a_key_file_that_is_none_is_told_without_its_content) {
    struct row {
        const char* text;
        const char* words;
    };
    for (const row& bad : {row{"", "no JSON object"}, row{"[]", "no JSON object"},
                           row{R"({"client_email":"a","token_uri":"b"})", "private_key"},
                           row{R"({"client_email":"a","private_key":"SECRET"})", "token_uri"}}) {
        const auto read = read_service_account(bad.text, "u", "s");
        ASSERT_FALSE(read) << bad.text;
        EXPECT_NE(read.error().find(bad.words), std::string::npos) << read.error();
        EXPECT_EQ(read.error().find("SECRET"), std::string::npos);
    }
    oauth_grant grant;
    grant.how = oauth_grant::kind::service_account;
    grant.private_key_pem = "SECRET that is no key";
    const auto body = token_request(grant, now);
    ASSERT_FALSE(body);
    EXPECT_EQ(body.error().find("SECRET"), std::string::npos);
}

TEST(oauth, an_answer_is_a_token_or_says_whether_asking_again_can_help) {
    const auto good =
        read_token(200, R"({"access_token":"ya29","expires_in":3599,"token_type":"Bearer"})", now);
    ASSERT_TRUE(good);
    EXPECT_EQ(good->access_token, "ya29");
    EXPECT_EQ(good->expires_at, now + std::chrono::seconds(3599));
    EXPECT_EQ(good->refresh_token, "");
    EXPECT_EQ(read_token(200, R"({"access_token":"a","refresh_token":"r2"})", now)->refresh_token, "r2");
    // A lifetime that a server makes up must not make the token eternal.
    EXPECT_LE(read_token(200, R"({"access_token":"a","expires_in":18446744073709551615})", now)->expires_at,
              now + std::chrono::days(1));
    EXPECT_GE(read_token(200, R"({"access_token":"a","expires_in":-5})", now)->expires_at, now);

    struct row {
        int status;
        const char* body;
        bool revoked;
        const char* why;
    };
    for (const row& bad :
         {row{400, R"({"error":"invalid_grant","error_description":"Token has been expired"})", true,
              "RFC 6749 5.2: a person has to grant it anew"},
          row{401, R"({"error":"invalid_client"})", true, "the secret is wrong"},
          row{429, "", false, "too many requests pass"}, row{500, "oops", false, "their fault"},
          row{0, "", false, "no answer"}, row{200, "<html>", false, "no JSON"},
          row{200, R"({"access_token":7})", false, "no text"}}) {
        const auto read = read_token(bad.status, bad.body, now);
        ASSERT_FALSE(read) << bad.why;
        EXPECT_EQ(read.error().revoked, bad.revoked) << bad.why;
        EXPECT_FALSE(read.error().message.empty());
    }
}

} // namespace
} // namespace mailtight::intake
