// SPDX-License-Identifier: Apache-2.0
// What people type as a report address, what is written, and the grammar read slowly.
#include "tlsrpt/record.h"

#include "support/near.h"
#include "support/proves.h"

#include <rapidcheck/gtest.h>

#include <gmock/gmock.h>

namespace mailtight::tlsrpt {
namespace {

TEST(understand_rua, takes_what_people_type) {
    PROVES("8460-3-s", "8460-3-f");
    struct {
        std::string typed;
        std::string uri;
        std::string host;
    } const rows[] = {
        {"tls-report@example.com", "mailto:tls-report@example.com", "example.com"},
        {"  tls-report@example.com\n", "mailto:tls-report@example.com", "example.com"},
        {"mailto:tls-report@example.com", "mailto:tls-report@example.com", "example.com"},
        {"a!b@example.com", "mailto:a%21b@example.com", "example.com"},
        {"a+b@example.com", "mailto:a+b@example.com", "example.com"},
        {"a/b=c&d@example.com", "mailto:a%2Fb%3Dc%26d@example.com", "example.com"},
        {"50%@example.com", "mailto:50%25@example.com", "example.com"},
        {"\"a,b\"@example.com", "mailto:%22a%2Cb%22@example.com", "example.com"},
        {"j\xc3\xb6rg@example.com", "mailto:j%C3%B6rg@example.com", "example.com"},
        {"mailto:a!b@example.com", "mailto:a%21b@example.com", "example.com"},
        {"mailto:a%21b@example.com", "mailto:a%21b@example.com", "example.com"},
        {"https://h.example/x;y,z!", "https://h.example/x%3By%2Cz%21", "h.example"},
        {"HTTPS://H.example/x", "HTTPS://H.example/x", "h.example"},
    };
    for (const auto& row : rows) {
        const auto uri = understand_rua(row.typed);
        ASSERT_TRUE(uri) << row.typed << ": " << uri.error();
        EXPECT_EQ(uri->text, row.uri);
        EXPECT_EQ(uri->host, row.host);
        const auto judged = judge_record(format_record({{*uri}}));
        EXPECT_TRUE(judged.valid && judged.issues.empty()) << row.typed;
    }
}

TEST(understand_rua, says_what_is_wrong) {
    struct {
        std::string typed;
        std::string_view says;
    } const rows[] = {
        {"", "empty"},
        {"  ", "empty"},
        {"example.com", "a report address is a mail address"},
        {"ftp://h.example/x", "a report address is a mail address"},
        {"http://h.example/x", "write https"},
        {"a@example.com,b@example.com", "one report address at a time"},
        {"mailto:a@example.com,mailto:b@example.com", "one report address at a time"},
        {"https://h.example/x,https://h.example/y", "one report address at a time"},
        {"https://", "https://HOST/PATH"},
        {"https:h.example", "https://HOST/PATH"},
        {"a b@example.com", "NAME@DOMAIN"},
        {"@example.com", "NAME@DOMAIN"},
        {"a@", "NAME@DOMAIN"},
        {"a@exa mple.com", "NAME@DOMAIN"},
        {"a\r\nBcc: x@example.com", "NAME@DOMAIN"},
        {"a@b\xc3\xbc"
         "cher.example",
         "xn--"},
    };
    for (const auto& row : rows) {
        const auto uri = understand_rua(row.typed);
        ASSERT_FALSE(uri) << row.typed << " -> " << uri->text;
        EXPECT_THAT(uri.error(), testing::HasSubstr(row.says)) << row.typed;
    }
}

TEST(tlsrpt_record, writes_one_and_several_places) {
    PROVES("8460-3-c", "A2");
    const std::vector both{*understand_rua("tlsrpt@yourdomain.com"),
                           *understand_rua("mta-sts@yourdomain.com")};
    EXPECT_EQ(format_record(std::span(both).first(1)), "v=TLSRPTv1; rua=mailto:tlsrpt@yourdomain.com");
    EXPECT_EQ(format_record(both),
              "v=TLSRPTv1; rua=mailto:tlsrpt@yourdomain.com,mailto:mta-sts@yourdomain.com");
}

RC_GTEST_PROP(tlsrpt_record_property, what_is_written_is_read_back, ()) {
    const auto address = rc::gen::map(
        rc::gen::pair(rc::gen::nonEmpty(
                          rc::gen::container<std::string>(rc::gen::elementOf(std::string("aZ0!%+/=?{~.&'")))),
                      rc::gen::element<std::string>("example.com", "a.b", "xn--bcher-kva.example")),
        [](const auto& parts) { return parts.first + "@" + parts.second; });
    const auto addresses = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(address));
    std::vector<report_uri> rua;
    for (const auto& typed : addresses) {
        auto uri = understand_rua(typed);
        RC_ASSERT(uri.has_value());
        RC_ASSERT(uri->address == typed);
        rua.push_back(std::move(*uri));
    }
    const auto judged = judge_record(format_record(rua));
    RC_ASSERT(judged.valid);
    RC_ASSERT(judged.value->rua == rua);
    RC_ASSERT(read_record_view(format_record(rua))->usable == rua.size());
}

// --- the grammar of RFC 8460 §3, cut by hand at semicolons and commas; a URI is one of those that the pieces
// can form
// ---
std::string trimmed(std::string text, bool front, bool back) {
    while (front && !text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.erase(0, 1);
    while (back && !text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.pop_back();
    return text;
}
std::vector<std::string> cut(const std::string& text, char at) {
    std::vector<std::string> out(1);
    for (char c : text)
        if (c == at)
            out.emplace_back();
        else
            out.back() += c;
    return out;
}
bool extension(const std::string& text) {
    static const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const auto equals = text.find('=');
    return equals != std::string::npos && equals > 0 && equals <= 32 &&
           text.find_first_not_of(letters + "_.-") >= equals && letters.find(text[0]) != std::string::npos &&
           equals + 1 < text.size() && text.find_first_of("= \t;", equals + 1) == std::string::npos;
}
// Nothing where a byte was lost inside a URI: what is left may be another URI, and is not for here to say.
std::optional<bool> oracle(const std::string& text) {
    auto parts = cut(text, ';');
    if (parts.size() < 2 || trimmed(parts[0], false, true) != "v=TLSRPTv1")
        return false;
    const bool closed = parts.size() > 2 && trimmed(parts.back(), true, true).empty();
    if (closed)
        parts.pop_back();
    bool usable = false;
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const bool last = i + 1 == parts.size() && !closed;
        const std::string part = trimmed(parts[i], true, !last);
        if (!part.starts_with("rua=")) {
            if (!extension(part))
                return false;
            continue;
        }
        const auto items = cut(part.substr(4), ',');
        for (std::size_t k = 0; k < items.size(); ++k) {
            const auto uri = trimmed(items[k], k > 0, k + 1 < items.size());
            if (uri == "mailto:a@b.c" || uri == "https://h/x?a=1" || uri == "MAILTO:a%21b@c")
                usable = true;
            else if (uri.empty() || uri.find_first_of(" \t") != std::string::npos)
                return false;
            else if (uri != "http://h/x")
                return std::nullopt;
        }
    }
    return usable;
}

RC_GTEST_PROP(tlsrpt_record_property, agrees_with_the_grammar_read_slowly, ()) {
    int valid = 0;
    for (int i = 0; i < 20; ++i) {
        const std::string text = *tests::near_text("v=TLSRPTv1", {";", "; ", " ; ", "\t;"},
                                                   {"rua=mailto:a@b.c", "rua=https://h/x?a=1 ,mailto:a@b.c",
                                                    "rua=http://h/x", "rua=MAILTO:a%21b@c", "x=1", "RUA=x"},
                                                   "; ,");
        const auto expected = oracle(text);
        if (!expected)
            continue;
        valid += *expected ? 1 : 0;
        RC_ASSERT(judge_record(text).valid == *expected);
        RC_ASSERT(read_record_view(text).has_value() == *expected);
    }
    RC_CLASSIFY(valid >= 5, "a quarter valid");
}

RC_GTEST_PROP(tlsrpt_record_property, judges_any_bytes, (const std::vector<std::uint8_t>& bytes)) {
    const std::string tail(bytes.begin(), bytes.end());
    for (const auto& text : {tail, "v=TLSRPTv1;" + tail, "v=TLSRPTv1;rua=mailto:" + tail}) {
        const auto judged = judge_record(text);
        RC_ASSERT(judged.valid == read_record_view(text).has_value());
        RC_ASSERT(!judged.valid || judged.value.has_value());
        (void)understand_rua(text);
    }
}

} // namespace
} // namespace mailtight::tlsrpt
