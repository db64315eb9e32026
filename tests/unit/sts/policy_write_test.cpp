// SPDX-License-Identifier: Apache-2.0
// What is written is read back, and everything agrees with the grammar read slowly.
#include "sts/policy_view.h"

#include "policy_oracle.h"
#include "support/near.h"
#include "support/proves.h"

#include <rapidcheck/gtest.h>

#include <gmock/gmock.h>

namespace mailtight::sts {
namespace {

TEST(sts_policy_write, canonical_bytes) {
    PROVES("8461-3.2-k", "A1", "A7", "A8");
    policy p{mode::enforce, 604800, {"MX1.example.com", "*.example.net"}, {}};
    EXPECT_EQ(format_policy(p).value(), "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\n"
                                        "mx: *.example.net\r\nmax_age: 604800\r\n");
    p = {mode::none, 86400, {}, {}};
    EXPECT_EQ(format_policy(p).value(), "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n");
    p.mx = {"mx1.example.com"}; // kept for senders that reject none without mx
    EXPECT_EQ(format_policy(p).value(),
              "version: STSv1\r\nmode: none\r\nmx: mx1.example.com\r\nmax_age: 86400\r\n");
    p.extensions = {{"x-note", "h\xc3\xa4llo world"}};
    EXPECT_TRUE(format_policy(p).value().ends_with("max_age: 86400\r\nx-note: h\xc3\xa4llo world\r\n"));
}

struct refusal {
    policy value;
    write_error error;
};
TEST(sts_policy_write, refuses_what_the_standard_forbids) {
    PROVES("8461-3.2-g", "8461-3.2-l", "8461-3.2-n", "8461-3.2-q", "A4");
    const auto with_mx = [](std::string mx) { return policy{mode::testing, 1, {std::move(mx)}, {}}; };
    const auto with_extension = [](std::string name, std::string text) {
        return policy{mode::none, 1, {}, {{std::move(name), std::move(text)}}};
    };
    const refusal rows[] = {
        {{mode::enforce, 1, {}, {}}, write_error::mx_missing},
        {{mode::testing, 1, {}, {}}, write_error::mx_missing},
        {with_mx("a.example."), write_error::mx_invalid},
        {with_mx("b\xc3\xbc"
                 "cher.example"),
         write_error::mx_invalid},
        {with_mx("a.example\nmode: none"), write_error::mx_invalid},
        {{mode::none, 31557601, {}, {}}, write_error::max_age_too_large},
        {with_extension("mx", "a.example"), write_error::extension_invalid},
        {with_extension("x", ""), write_error::extension_invalid},
        {with_extension("x", " a"), write_error::extension_invalid},
        {with_extension("x", "a\nmode: none"), write_error::extension_invalid},
        {with_extension("x y", "a"), write_error::extension_invalid},
    };
    for (const auto& row : rows) {
        const auto written = format_policy(row.value);
        ASSERT_FALSE(written);
        EXPECT_EQ(written.error(), row.error);
        EXPECT_TRUE(explain(written.error()).ends_with('.'));
    }
}

TEST(sts_policy_write, never_makes_more_than_65536_bytes) {
    PROVES("A10");
    policy p{mode::enforce, 1, {}, {}};
    std::size_t largest = 0;
    std::size_t refused = 0;
    for (std::size_t hosts : {2846u, 2847u, 2848u, 2849u}) { // 23 bytes a line
        p.mx.assign(hosts, "mx-number.example");
        for (std::size_t length = 1; length < 24; ++length) {
            p.mx.back() = std::string(length, 'a');
            const auto written = format_policy(p);
            if (!written) {
                ASSERT_EQ(written.error(), write_error::too_large);
                ++refused;
                continue;
            }
            ASSERT_LE(written->size(), 65536u);
            largest = std::max(largest, written->size());
            ASSERT_TRUE(judge_policy(*written).valid);
        }
    }
    EXPECT_GT(refused, 0u);
    EXPECT_EQ(largest, 65536u);
    // To the byte: an extension fills the rest.
    p = {mode::none, 1, {}, {{"x", "x"}}};
    const std::size_t bare = format_policy(p)->size() - 1;
    p.extensions[0].second.assign(65536 - bare, 'x');
    EXPECT_EQ(format_policy(p)->size(), 65536u);
    p.extensions[0].second += 'x';
    EXPECT_EQ(format_policy(p).error(), write_error::too_large);
}

rc::Gen<policy> policies() {
    return rc::gen::exec([] {
        policy p;
        p.mode = *rc::gen::element(mode::enforce, mode::testing, mode::none);
        p.max_age = *rc::gen::inRange<std::uint64_t>(0, 31557601);
        const auto name =
            rc::gen::element<std::string>("a.example", "*.a.example", "x-1.b", "xn--bcher-kva.example");
        p.mx = *rc::gen::container<std::vector<std::string>>(name);
        if (p.mode != mode::none)
            p.mx.push_back(*name);
        p.extensions = *rc::gen::container<std::vector<std::pair<std::string, std::string>>>(
            rc::gen::pair(rc::gen::element<std::string>("x", "x-note", "MX", "a.b_c"),
                          rc::gen::element<std::string>("1", "a b", "h\xc3\xa4llo", "a:b", "#")));
        return p;
    });
}

RC_GTEST_PROP(sts_policy_property, what_is_written_is_read_back, ()) {
    const policy p = *policies();
    const auto bytes = format_policy(p);
    RC_ASSERT(bytes.has_value());
    RC_ASSERT(parse_policy(*bytes).value() == p);
    const auto judged = judge_policy(*bytes);
    RC_ASSERT(judged.valid);
    RC_ASSERT(judged.value == p);
    RC_ASSERT(oracle::strict(*bytes).valid);
}

void agrees_with_the_oracle(const std::string& body) {
    const auto strict = oracle::strict(body);
    const auto lenient = oracle::lenient(body);
    const auto judged = judge_policy(body);
    RC_ASSERT(judged.valid == strict.valid);
    RC_ASSERT(judged.value.has_value() == lenient.valid);
    RC_ASSERT(read_policy_view(body).has_value() == lenient.valid);
    const auto parsed = parse_policy(body);
    RC_ASSERT(parsed.has_value() == lenient.valid);
    if (parsed) {
        RC_ASSERT(*parsed == *judged.value);
        RC_ASSERT(to_string(parsed->mode) == lenient.mode);
        RC_ASSERT(parsed->max_age == std::stoull(lenient.max_age));
        RC_ASSERT(parsed->mx == lenient.mx);
    } else {
        RC_ASSERT(std::ranges::count(judged.issues, parsed.error()) > 0);
    }
}

RC_GTEST_PROP(sts_policy_property, agrees_with_the_grammar_read_slowly, ()) {
    int valid = 0;
    for (int i = 0; i < 20; ++i) {
        const std::string body =
            *tests::near_text("version: STSv1\nmode: none", {"\n", "\r\n", "\n", " \n"},
                              {"max_age: 1", "max_age:\t86400", "mx: a.example", "mx: *.b", "x: \xc3\xa4 b",
                               "mode: enforce", "Mode: x", ""},
                              " \t\r\n:.-_*aZ9\xc3\xa4\x01");
        valid += oracle::lenient(body).valid ? 1 : 0;
        agrees_with_the_oracle(body);
    }
    RC_CLASSIFY(valid >= 5, "a quarter valid");
}

RC_GTEST_PROP(sts_policy_property, judges_any_bytes, (const std::vector<std::uint8_t>& bytes)) {
    agrees_with_the_oracle(std::string(bytes.begin(), bytes.end()));
    agrees_with_the_oracle("version: STSv1\nmode: none\nmax_age: 1\nx: " +
                           std::string(bytes.begin(), bytes.end()));
}

} // namespace
} // namespace mailtight::sts
