// SPDX-License-Identifier: Apache-2.0
// Policies as files: our own lines, what other services leave behind, lists of domains.
#include "resolve/exchange.h"
#include "support/policies.h"

#include <gmock/gmock.h>

namespace mailtight::resolve {
namespace {
using testing::ElementsAre;
using testing::IsEmpty;
using enum exchange_fault;

const auto now = tests::at(1'000);

struct taken {
    std::vector<model::kept_policy> policies;
    std::vector<std::string> look_up;
    std::vector<exchange_error> refused;
    std::vector<exchange_fault> faults() const {
        std::vector<exchange_fault> out;
        for (const auto& each : refused)
            out.push_back(each.fault);
        return out;
    }
};
exchange_taker into(taken& out) {
    return {.policy = [&out](model::kept_policy p) { out.policies.push_back(std::move(p)); },
            .look_up = [&out](std::string d) { out.look_up.push_back(std::move(d)); },
            .refused = [&out](exchange_error e) { out.refused.push_back(std::move(e)); }};
}
taken read(std::string_view file) {
    taken out;
    read_exchange(file, now, into(out));
    return out;
}

TEST(exchange, everything_that_is_kept_survives_the_way_through_a_file) {
    const std::vector all{tests::full_policy("full.example"), tests::held_policy("held.example", 5),
                          tests::no_policy("none.example", 6), model::kept_policy{.domain = "empty.example"}};
    auto file = exchange_header(now);
    for (const auto& each : all)
        file += exchange_line(each);
    EXPECT_EQ(recognise_exchange(file), exchange_format::own);
    const auto got = read(file);
    EXPECT_THAT(got.refused, IsEmpty());
    ASSERT_EQ(got.policies.size(), all.size());
    for (std::size_t i = 0; i < all.size(); ++i)
        tests::expect_same(got.policies[i], all[i]);
}

TEST(exchange, one_line_is_one_policy_whatever_it_holds) {
    auto value = tests::full_policy("a.example");
    value.state.failed->detail = "two\nlines\x80 and \"quotes\"" + std::string(5'000, 'x');
    const auto line = exchange_line(value);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    const auto got = read_exchange_line(line, now);
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_THAT(got->state.failed->detail, testing::StartsWith("two\\nlines\\x80 and"));
}

TEST(exchange, good_lines) {
    for (
        const std::string_view line : {
            R"({"domain":"a.example"})",
            R"({"domain":"xn--bcher-kva.example","failures":4294967295})",
            R"({"domain":"a.example","policy":{"id":"","fetched_at":"2026-01-02T03:04:05Z","text":"version: STSv1\nmode: none\nmax_age: 86400\n"}})",
            R"({"domain":"a.example","refresh_at":"2026-09-30T00:00:00Z","record":{"what":"none","ttl":0,"at":"2026-01-02T03:04:05Z"}})",
        }) {
        const auto got = read_exchange_line(line, now);
        EXPECT_TRUE(got) << line << " " << explain(got.error().fault) << " " << got.error().detail;
    }
}

TEST(exchange, bad_lines) {
    const std::string policy = R"("text":"version: STSv1\nmode: none\nmax_age: 86400\n")";
    struct row {
        std::string line;
        exchange_fault fault;
        std::string_view why;
    };
    for (
        const auto& [line, fault, why] : std::vector<row>{
            {"", json, "nothing"},
            {"[]", json, "no object"},
            {R"({"domain":"a.example"} x)", json, "something behind it"},
            {std::string(100'000, '['), json, "deep"},
            {std::string(exchange_line_max + 1, ' '), too_long, "longer than any policy can be"},
            {"{}", field, "no domain"},
            {R"({"domain":1})", field, "a domain of another type"},
            {R"({"domain":"A.example"})", domain, "upper case"},
            {R"({"domain":"a.example."})", domain, "a final dot"},
            {R"({"domain":"localhost"})", domain, "one label"},
            {R"({"domain":"a b.example"})", domain, "a space"},
            {R"({"domain":"a.example","more":1})", field, "an unknown field"},
            {R"({"domain":"a.example","failures":-1})", field, "a negative count"},
            {R"({"domain":"a.example","failures":1.5})", field, "a broken count"},
            {R"({"domain":"a.example","policy":"x"})", field, "a policy that is no object"},
            {R"({"domain":"a.example","policy":{"id":"1","fetched_at":"2026-01-02T03:04:05Z","text":"hello"}})",
             exchange_fault::policy, "no policy"},
            {R"({"domain":"a.example","policy":{"id":"1",)" + policy + "}}", time, "never fetched"},
            {R"({"domain":"a.example","policy":{"id":"1","fetched_at":"2036-01-02T03:04:05Z",)" + policy +
                 "}}",
             time, "fetched in the future: it would never run out"},
            {R"({"domain":"a.example","policy":{"id":"a b","fetched_at":"2026-01-02T03:04:05Z",)" + policy +
                 "}}",
             field, "an id that no record can have"},
            {R"({"domain":"a.example","used_at":"2036-01-02T03:04:05Z"})", time, "used in the future"},
            {R"({"domain":"a.example","used_at":"yesterday"})", time, "no time"},
            {R"({"domain":"a.example","refresh_at":"2046-01-02T03:04:05Z"})", time, "never refreshed again"},
            {R"({"domain":"a.example","record":{"what":"maybe"}})", field, "an unknown word"},
            {R"({"domain":"a.example","failed":{"fault":"sts-policy-invalid"}})", time, "failed at no time"},
        }) {
        const auto got = read_exchange_line(line, now);
        ASSERT_FALSE(got) << why;
        EXPECT_EQ(got.error().fault, fault) << why << ": " << explain(got.error().fault);
        EXPECT_LE(got.error().detail.size(), 400u);
        EXPECT_FALSE(explain(fault).empty());
    }
}

TEST(exchange, a_broken_line_costs_only_itself) {
    const auto got =
        read(exchange_header(now) + exchange_line(tests::no_policy("a.example", 1)) + "{broken\n\n" +
             exchange_line(tests::no_policy("b.example", 1)) + "{\"domain\":\"c.exa");
    ASSERT_EQ(got.policies.size(), 2u);
    ASSERT_THAT(got.faults(), ElementsAre(json, json));
    EXPECT_EQ(got.refused[0].line, 3u);
    EXPECT_EQ(got.refused[1].line, 6u);
}

TEST(exchange, a_later_version_is_not_guessed_at) {
    const auto got = read("{\"format\":\"mailtight-policies\",\"version\":2}\n{\"domain\":\"a.example\"}\n");
    EXPECT_THAT(got.policies, IsEmpty());
    EXPECT_THAT(got.faults(), ElementsAre(version));
}

// The lines of `EXPORT`: a name filled up to 28 columns, a space, the policy.
constexpr std::string_view tlspol =
    "example.com                  secure match=mx1.example.com:.mail.example.com "
    "servername=hostname\n"
    "dane.example                 dane-only\n"
    "a-name-that-is-longer-than-the-column.example dane\n";

TEST(exchange, an_export_of_postfix_tlspol_is_a_list_of_domains_to_look_up) {
    EXPECT_EQ(recognise_exchange(tlspol), exchange_format::tlspol_export);
    const auto got = read(tlspol);
    EXPECT_THAT(got.look_up,
                ElementsAre("example.com", "dane.example", "a-name-that-is-longer-than-the-column.example"));
    EXPECT_THAT(got.policies, IsEmpty()) << "it says neither id nor max_age nor when it was fetched";
    EXPECT_THAT(got.refused, IsEmpty());
    EXPECT_THAT(read(std::string(tlspol) + "x.example  reject me\n").faults(), ElementsAre(field));
}

TEST(exchange, a_list_of_domains) {
    const auto got = read("# those that we write to most\n\nexample.com\r\n Bücher.example  # a friend\n"
                          "not a domain\n[192.0.2.1]\nexample.net");
    EXPECT_THAT(got.look_up, ElementsAre("example.com", "xn--bcher-kva.example", "example.net"));
    EXPECT_EQ(got.refused.size(), 2u);
}

TEST(exchange, what_is_none_of_these) {
    for (const std::string_view file : {"", "\n# only a remark\n"}) {
        EXPECT_EQ(recognise_exchange(file), exchange_format::unknown);
        EXPECT_THAT(read(file).refused, IsEmpty());
    }
    for (const std::string_view file : {"{\"format\":\"something\",\"version\":1}\n", "hello world\n",
                                        "\x7f\x45LF\n", "example.com OK\n"}) {
        EXPECT_EQ(recognise_exchange(file), exchange_format::unknown) << file;
        EXPECT_THAT(read(file).faults(), ElementsAre(unknown_format)) << file;
    }
    EXPECT_EQ(recognise_exchange(std::string_view("SQLite format 3\0more", 20)), exchange_format::sqlite);
    EXPECT_EQ(recognise_exchange(exchange_header(now)), exchange_format::own);
}

TEST(exchange, a_policy_of_postfix_mta_sts_resolver) {
    const store::foreign_policy row{
        .domain = "Example.com",
        .id = "20260102",
        .body_or_json =
            R"({"version": "STSv1", "mode": "enforce", "max_age": 604800, "mx": ["MX1.example.com", "*.example.net"]})",
        .fetched_at = now - std::chrono::hours(1)};
    const auto got = read_foreign(row, now);
    ASSERT_TRUE(got) << explain(got.error().fault);
    EXPECT_EQ(got->domain, "example.com");
    const auto& held = got->state.held.value();
    EXPECT_EQ(held.id, "20260102");
    EXPECT_EQ(held.fetched_at, row.fetched_at);
    EXPECT_EQ(held.body, "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmx: *.example.net\r\n"
                         "max_age: 604800\r\n");
    EXPECT_EQ(sts::parse_policy(held.body), held.value);
    EXPECT_EQ(got->state.refresh_at, now) << "its time is not that of a fetch";
}

TEST(exchange, rows_that_are_looked_up_instead) {
    const auto row = [](const char* domain, const char* body, std::chrono::seconds ago) {
        return store::foreign_policy{
            .domain = domain, .id = "1", .body_or_json = body, .fetched_at = now - ago};
    };
    using std::chrono::hours;
    constexpr auto* good = R"({"version":"STSv1","mode":"none","max_age":86400,"mx":[]})";
    const std::vector rows{
        row("good.example", good, hours(1)),
        row("expired.example", good, hours(25)),
        row("future.example", good, -hours(1)),
        row("array.example", "[]", hours(1)),
        row("mode.example", R"({"mode":"maybe","max_age":86400,"mx":["a.example"]})", hours(1)),
        row("mx.example", R"({"mode":"enforce","max_age":86400,"mx":["a b","c:d"]})", hours(1)),
        row("no-mx.example", R"({"mode":"enforce","max_age":86400,"mx":[]})", hours(1)),
        row("not a name", good, hours(1)),
    };
    taken got;
    take_foreign(rows, now, into(got));
    ASSERT_EQ(got.policies.size(), 1u);
    EXPECT_EQ(got.policies[0].domain, "good.example");
    EXPECT_THAT(got.look_up, ElementsAre("expired.example", "future.example", "array.example", "mode.example",
                                         "mx.example", "no-mx.example"));
    EXPECT_THAT(got.faults(), ElementsAre(expired, time, exchange_fault::policy, exchange_fault::policy,
                                          exchange_fault::policy, exchange_fault::policy, domain));
}

} // namespace
} // namespace mailtight::resolve
