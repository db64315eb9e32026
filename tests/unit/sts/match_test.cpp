// SPDX-License-Identifier: Apache-2.0
#include "sts/match.h"

#include "support/near.h"
#include "support/proves.h"

#include <rapidcheck/gtest.h>

#include <cctype>

namespace mailtight::sts {
namespace {
struct row {
    std::string_view pattern;
    std::string_view host;
    bool admitted;
};

TEST(sts_match, every_vector) {
    PROVES("8461-4.1-b", "8461-3.2-j", "A48");
    const row rows[] = {
        {"mail.example.com", "mail.example.com", true},
        {"mail.example.com", "MAIL.Example.COM", true},
        {"MAIL.example.com", "mail.example.com", true},
        {"mail.example.com", "mail.example.com.", true},
        {"mail.example.com", "mail.example.com..", false},
        {"mail.example.com", "mail2.example.com", false},
        {"*.example.com", "mail.example.com", true},
        {"*.example.com", "mail.example.com.", true},
        {"*.EXAMPLE.com", "mail.example.COM", true},
        {"*.example.com", "mx_1.example.com", true},
        {"*.example.com", "example.com", false},
        {"*.example.com", "a.b.example.com", false},
        {"*.example.com", "mailexample.com", false},
        {"*.example.com", ".example.com", false},
        {"*.xn--bcher-kva.example", "mx.xn--bcher-kva.example", true},
        {"*.com", "example.com", true},
        {"example", "example", true},
        {"192.0.2.1", "192.0.2.1", true}, // grammatical; no MX is named so
        // What is no pattern admits nothing, not even itself.
        {"mail.example.com.", "mail.example.com", false},
        {"mail.example.com.", "mail.example.com..", false},
        {"*", "example", false},
        {"*", "*", false},
        {"*.", "a.", false},
        {"a.*.example", "a.b.example", false},
        {"mx*.example", "mx1.example", false},
        {".example", ".example", false},
        {"mx_1.example", "mx_1.example", false},
        {"", "", false},
        {"", ".", false},
    };
    for (const auto& r : rows)
        EXPECT_EQ(pattern_admits(r.pattern, r.host), r.admitted) << r.pattern << " " << r.host;
}

TEST(sts_match, the_first_of_several_patterns) {
    const std::vector<std::string> patterns{"mx1.example.com", "*.example.com", "mx2.example.com"};
    EXPECT_EQ(admitted_by(patterns, "mx1.example.com"), 0u);
    EXPECT_EQ(admitted_by(patterns, "mx2.example.com"), 1u);
    EXPECT_EQ(admitted_by(patterns, "mx.example.org"), std::nullopt);
    EXPECT_EQ(admitted_by({}, "mx.example.org"), std::nullopt);
}

// --- the rule once more, label by label and slowly ---
std::vector<std::string> labels_of(const std::string& name) {
    std::vector<std::string> out(1);
    for (char c : name)
        if (c == '.')
            out.emplace_back();
        else
            out.back() += (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
    return out;
}
bool naive(const std::string& pattern, std::string host) {
    if (!host.empty() && host.back() == '.')
        host.pop_back();
    const auto want = labels_of(pattern);
    const auto have = labels_of(host);
    if (want.size() != have.size() || (want.size() == 1 && want[0] == "*"))
        return false;
    for (std::size_t i = 0; i < want.size(); ++i) {
        if (i == 0 && want[0] == "*") {
            if (have[0].empty())
                return false;
            continue;
        }
        if (want[i] != have[i] || want[i].empty() || want[i].front() == '-' || want[i].back() == '-')
            return false;
        for (char c : want[i])
            if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
                return false;
    }
    return true;
}

// A pattern, and a host made from it with a change or none: a good part of all pairs matches.
RC_GTEST_PROP(sts_match_property, agrees_with_the_label_wise_rule, ()) {
    int matched = 0;
    for (int i = 0; i < 20; ++i) {
        const std::string pattern =
            *tests::near_text(*rc::gen::element<std::string>("*", "mx", "MX1", "a"), {"."},
                              {"a", "B", "b-c", "xn--bcher-kva", "1", "example"}, ".*-_aA1");
        std::string host = pattern;
        if (host.starts_with("*") && *rc::gen::inRange(0, 4) > 0)
            host.replace(0, 1, *rc::gen::element<std::string>("mx", "m_x", "", "a.b"));
        for (char& c : host)
            if (*rc::gen::inRange(0, 4) == 0)
                c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        if (*rc::gen::arbitrary<bool>())
            host += '.';
        if (!host.empty() && *rc::gen::inRange(0, 4) == 0)
            host[*rc::gen::inRange<std::size_t>(0, host.size())] = *rc::gen::element('.', 'q', '-');
        const bool expected = naive(pattern, host);
        matched += expected ? 1 : 0;
        RC_ASSERT(pattern_admits(pattern, host) == expected);
    }
    RC_CLASSIFY(matched >= 5, "a quarter matches");
}

RC_GTEST_PROP(sts_match_property, takes_any_bytes, (const std::string& pattern, const std::string& host)) {
    RC_ASSERT(pattern_admits(pattern, host) == naive(pattern, host));
}

} // namespace
} // namespace mailtight::sts
