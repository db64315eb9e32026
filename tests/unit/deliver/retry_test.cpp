// SPDX-License-Identifier: Apache-2.0
// Every answer of the other side and what follows from it, and a whole day of trying on a made-up clock.
#include "deliver/retry.h"

#include "support/proves.h"
#include "wire/http_date.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

namespace mailtight::deliver {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using kind = try_outcome::kind;
using model::address_family;
using model::delivery_state;

const auto now = *base::parse_utc("2026-01-03T00:00:00Z");

std::string name(kind what) {
    switch (what) {
    case kind::accepted:
        return "accepted";
    case kind::later:
        return "later";
    case kind::refused:
        return "refused";
    case kind::blocked:
        return "blocked";
    }
    return "";
}

// ---- HTTP ----

struct http_row {
    int status;
    kind what;
    const char* why;
};
TEST(retry, judges_every_http_status) {
    PROVES("8460-5.4-c", "8460-5.4-d", "A41");
    const std::vector<http_row> rows{
        {200, kind::accepted, "the usual one"},
        {201, kind::accepted, "the other usual one"},
        {202, kind::accepted, "stored, read later (8460-5.4-e)"},
        {204, kind::accepted, "nothing to say"},
        {299, kind::accepted, "any 2xx"},
        {301, kind::refused, "no redirect is followed"},
        {302, kind::refused, "nor a passing one"},
        {304, kind::refused, "makes no sense for a POST"},
        {307, kind::refused, "nor one that keeps the method"},
        {308, kind::refused, "nor a lasting one that does"},
        {400, kind::refused, "it will not like it better tomorrow"},
        {401, kind::refused, "there is no way to log in"},
        {403, kind::refused, ""},
        {404, kind::refused, ""},
        {405, kind::refused, "takes no POST"},
        {408, kind::later, "too slow this time"},
        {410, kind::refused, ""},
        {413, kind::refused, "too large now and later"},
        {415, kind::refused, ""},
        {425, kind::later, "too early, in its own words"},
        {429, kind::later, "too many"},
        {451, kind::refused, ""},
        {499, kind::refused, ""},
        {500, kind::later, ""},
        {502, kind::later, ""},
        {503, kind::later, ""},
        {504, kind::later, ""},
        {599, kind::later, "any 5xx"},
        {0, kind::later, "no answer: the network"},
        {100, kind::later, "an answer that never came to its end"},
        {999, kind::later, "no status at all"},
    };
    for (const auto& [status, what, why] : rows)
        EXPECT_EQ(name(of_http(status, "", "", now).what), name(what)) << status << " " << why;
}

struct wait_row {
    const char* text;
    std::optional<std::chrono::seconds> wait;
};
TEST(retry, reads_retry_after_in_all_its_forms) {
    PROVES("A41");
    const std::vector<wait_row> rows{
        {"120", 120s},
        {" 7 ", 7s},
        {"0", 0s},
        {"Sat, 03 Jan 2026 00:05:00 GMT", 300s},
        {"Saturday, 03-Jan-26 00:05:00 GMT", 300s},
        {"Sat Jan  3 00:05:00 2026", 300s},
        {"Fri, 02 Jan 2026 00:05:00 GMT", 0s}, // over already
        {"Thu, 01 Jan 2099 00:00:00 GMT", 31 * 24h},
        {"99999999999999999999", 31 * 24h},
        {"", std::nullopt},
        {"soon", std::nullopt},
        {"-5", std::nullopt},
        {"1.5", std::nullopt},
        {"Sat, 03 Jan 2026 00:05:00", std::nullopt},
        {"Sat, 03 Jan 2026 00:05:00 CET", std::nullopt},
        {"Sat, 33 Jan 2026 00:05:00 GMT", std::nullopt},
        {"Sat, 03 Foo 2026 00:05:00 GMT", std::nullopt},
        {"Sat, 03 Jan 2026 24:05:00 GMT", std::nullopt},
        {"Sat, 03 Jan 2026 00:05 GMT", std::nullopt},
        {"Saturday, 03-Jan-2026 00:05:00 GMT", std::nullopt},
    };
    for (const auto& [text, wait] : rows)
        EXPECT_EQ(wire::read_retry_after(text, now), wait) << text;
    EXPECT_EQ(of_http(503, "120", "", now).retry_after, 120s);
    EXPECT_EQ(of_http(429, "Sat, 03 Jan 2026 00:05:00 GMT", "", now).retry_after, 300s);
    EXPECT_EQ(of_http(200, "120", "", now).retry_after, std::nullopt);
}

RC_GTEST_PROP(retry, takes_any_retry_after, (const std::string& text)) {
    if (const auto wait = wire::read_retry_after(text, now))
        RC_ASSERT(*wait >= 0s && *wait <= 31 * 24h);
}

// ---- SMTP ----

struct smtp_row {
    int code;
    const char* stage;
    bool for_good;
    kind what;
    const char* why;
};
TEST(retry, judges_every_smtp_reply) {
    PROVES("A41");
    const std::vector<smtp_row> rows{
        {250, "message", false, kind::accepted, ""},
        {421, "greeting", false, kind::later, "closing"},
        {450, "RCPT", false, kind::later, "greylisting"},
        {451, "message", false, kind::later, ""},
        {452, "RCPT", false, kind::later, "full"},
        {550, "RCPT", false, kind::refused, "no such mailbox"},
        {552, "message", false, kind::refused, "too large"},
        {553, "MAIL", false, kind::refused, "our sender is not liked"},
        {554, "message", false, kind::refused, "content"},
        {556, "RCPT", false, kind::refused, "null MX (RFC 7504)"},
        {554, "greeting", false, kind::later, "our address is blocked, which a person can put right"},
        {521, "greeting", false, kind::later, "this host takes no mail; another may"},
        {550, "EHLO", false, kind::later, "our name is not liked"},
        {535, "AUTH", false, kind::later, "a password of ours is wrong"},
        {0, "connect", false, kind::later, "nobody there"},
        {0, "message", false, kind::later, "broken off"},
        {0, "MAIL", true, kind::refused, "larger than the server takes"},
        {0, "command", true, kind::refused, "sendmail refused"},
        {0, "AUTH", true, kind::later, "no TLS for the password"},
    };
    for (const auto& [code, stage, for_good, what, why] : rows)
        EXPECT_EQ(name(of_smtp(code, "", "", stage, for_good).what), name(what))
            << code << " " << stage << " " << why;
}

TEST(retry, keeps_the_words_short_and_printable) {
    EXPECT_EQ(of_smtp(550, "5.1.1", "no such user", "RCPT").words, "550 5.1.1 at RCPT: no such user");
    EXPECT_EQ(of_smtp(550, "5.1.1", "5.1.1 no such user", "RCPT").words, "550 5.1.1 at RCPT: no such user");
    EXPECT_EQ(of_smtp(0, "", "timed out", "greeting").words, "no answer at greeting: timed out");
    EXPECT_EQ(of_http(404, "", "not here", now).words, "status 404: not here");
    EXPECT_EQ(of_http(0, "", "connection refused", now).words, "no answer: connection refused");
    const auto odd = of_http(500, "", "\x1b[31m\r\nX: y" + std::string(100'000, 'a') + "\xff", now).words;
    EXPECT_LT(odd.size(), 1000u);
    for (const char c : odd)
        EXPECT_TRUE(c >= ' ' || c < 0) << static_cast<int>(c);
}

// ---- what follows ----

model::outgoing_delivery waiting() {
    model::outgoing_delivery out;
    out.number = 7;
    out.uri = "mailto:tls@example.com";
    out.next_at = now;
    return out;
}
try_outcome later(std::string words = "451 at RCPT: not now") {
    return {.what = kind::later, .words = std::move(words), .retry_after = {}};
}

TEST(retry, ends_with_what_the_other_side_decided) {
    struct row {
        kind what;
        delivery_state state;
    };
    for (const auto& [what, state] :
         {row{kind::accepted, delivery_state::sent}, row{kind::refused, delivery_state::refused},
          row{kind::blocked, delivery_state::suppressed}}) {
        const auto done = after(waiting(), {.what = what, .words = "so", .retry_after = {}}, {}, now, 0);
        EXPECT_EQ(done.state, state);
        EXPECT_EQ(done.ended_at, now);
        EXPECT_EQ(done.first_at, now);
        EXPECT_EQ(done.tries, 1u);
        EXPECT_EQ(done.words, "so");
        EXPECT_EQ(done.number, 7);
    }
}

TEST(retry, goes_to_ipv4_where_ipv6_is_refused) {
    try_outcome refused{
        .what = kind::refused, .words = "550 5.7.1 no PTR", .retry_after = {}, .over_v6 = true};
    auto next = after(waiting(), refused, {}, now, 5);
    EXPECT_EQ(next.state, delivery_state::waiting);
    EXPECT_EQ(next.family, address_family::v4);
    EXPECT_EQ(next.next_at, now) << "at once";
    EXPECT_THAT(next.words, HasSubstr("550 5.7.1 no PTR"));
    EXPECT_THAT(next.words, HasSubstr("IPv6"));
    refused.over_v6 = false;
    const auto done = after(next, refused, {}, now + 5s, 5);
    EXPECT_EQ(done.state, delivery_state::refused);
    EXPECT_EQ(done.tries, 2u);
    refused.over_v6 = true; // whatever says so: never in a circle
    EXPECT_EQ(after(next, refused, {}, now + 5s, 5).state, delivery_state::refused);
}

TEST(retry, notes_a_certificate_that_was_passed_over) {
    PROVES("8460-3-e", "8460-7-c");
    const auto done =
        after(waiting(),
              {.what = kind::accepted, .words = "status 201", .retry_after = {}, .certificate_ignored = true},
              {}, now, 0);
    EXPECT_EQ(done.state, delivery_state::sent);
    EXPECT_EQ(done.words, "status 201; its certificate is not valid");
}

TEST(retry, waits_as_long_as_it_is_asked_to_within_the_day) {
    PROVES("A41");
    auto asked = later();
    asked.retry_after = 3600s;
    EXPECT_EQ(after(waiting(), asked, {}, now, 0).next_at, now + 1h);
    asked.retry_after = 10s; // no sooner than we would
    EXPECT_EQ(after(waiting(), asked, {}, now, 0).next_at, now + 300s);
    asked.retry_after = 31 * 24h;
    EXPECT_EQ(after(waiting(), asked, {}, now, 0).next_at, now + 24h) << "once more when the day is over";
}

// A day of an address that never answers, on a clock that only the waits move.
TEST(retry, doubles_its_waits_for_a_day_and_then_gives_up) {
    PROVES("8460-5.5-a", "8460-5.5-b");
    for (const std::uint64_t dice : {0ULL, 1ULL, 77'777ULL, ~0ULL}) {
        const retry_rules rules;
        auto at = now;
        auto it = waiting();
        std::vector<std::chrono::seconds> waits;
        while (it.state == delivery_state::waiting) {
            ASSERT_LT(it.tries, 50u);
            it = after(it, later("451 at RCPT: try " + std::to_string(it.tries + 1)), rules, at,
                       dice * (it.tries + 1));
            if (it.state != delivery_state::waiting)
                break;
            ASSERT_GT(it.next_at, at);
            waits.push_back(it.next_at - at);
            at = it.next_at;
        }
        EXPECT_EQ(it.state, delivery_state::given_up);
        EXPECT_EQ(it.ended_at, now + 24h) << "not before, and not after";
        EXPECT_EQ(it.first_at, now);
        EXPECT_EQ(it.words, "451 at RCPT: try " + std::to_string(it.tries)) << "the last words are kept";
        ASSERT_GE(waits.size(), 8u);
        std::chrono::seconds doubled = rules.first;
        for (std::size_t i = 0; i + 1 < waits.size(); ++i) {
            EXPECT_GE(waits[i], doubled);
            EXPECT_LE(waits[i], doubled + doubled / 4);
            if (doubled < rules.longest)
                EXPECT_GT(i + 2 < waits.size() ? waits[i + 1] : 24h, waits[i]) << "they grow";
            doubled = std::min(doubled * 2, rules.longest);
        }
    }
}

TEST(retry, gives_up_what_slept_through_its_day) {
    auto it = waiting(); // the machine was off
    it.first_at = now - 30h;
    it.tries = 3;
    const auto done = after(it, later(), {}, now, 0);
    EXPECT_EQ(done.state, delivery_state::given_up);
    it.state = delivery_state::waiting;
    EXPECT_EQ(after(it, {.what = kind::accepted, .words = "", .retry_after = {}}, {}, now, 0).state,
              delivery_state::sent);
}

RC_GTEST_PROP(retry, spreads_what_failed_together, ()) {
    const auto a = *rc::gen::arbitrary<std::uint64_t>();
    const auto tries = *rc::gen::inRange<std::uint32_t>(0, 100);
    auto it = waiting();
    it.tries = tries;
    it.first_at = now - 1h;
    const auto next = after(it, later(), {}, now, a);
    RC_ASSERT(next.state == delivery_state::waiting);
    RC_ASSERT(next.next_at >= now + 300s);
    RC_ASSERT(next.next_at <= now + 23h);
    RC_ASSERT(next.next_at - now <= 14'400s + 3'600s);
}

} // namespace
} // namespace mailtight::deliver
