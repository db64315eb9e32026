// SPDX-License-Identifier: Apache-2.0
// The small judgements: addresses, rates, what own servers say.
#include "intake/attribute.h"
#include "intake/keeper.h"
#include "intake/own_results.h"
#include "intake/rate_limit.h"
#include "support/proves.h"

#include <gmock/gmock.h>

namespace mailtight::intake {
namespace {

using namespace std::chrono_literals;

address_book a_book() {
    address_book book({"tls-report@reports.example", "rua@Other.Example"});
    book.set_domains({{"example.com", "tokena2345", {}}, {"example.org", "tokenb2345", {}}});
    return book;
}

TEST(address_book, knows_its_addresses_and_no_others) {
    const auto book = a_book();
    const auto domain = [&](std::string_view address) {
        const auto known = book.recipient(address);
        return known ? known->domain.empty() ? "-" : known->domain : "refused";
    };
    const std::pair<std::string, std::string> rows[] = {
        {"tls-report@reports.example", "-"},
        {"TLS-Report@REPORTS.example.", "-"},
        {"rua@other.example", "-"},
        {"tls-report+tokena2345@reports.example", "example.com"},
        {"tls-report+TOKENB2345@reports.example", "example.org"},
        {"tls-report-tokena2345@reports.example", "example.com"},
        {"rua+tokenb2345@other.example", "example.org"},
        {"tls-report+unknown@reports.example", "refused"},
        {"tls-report+@reports.example", "refused"},
        {"tls-reporttokena2345@reports.example", "refused"},
        {"tls-report=tokena2345@reports.example", "refused"},
        {"tls-report@other.example", "refused"},
        {"postmaster@reports.example", "refused"},
        {"tls-report", "refused"},
        {"@reports.example", "refused"},
        {"", "refused"},
        {std::string(400, 'a') + "@reports.example", "refused"},
    };
    for (const auto& [address, expected] : rows)
        EXPECT_EQ(domain(address), expected) << address;
}

TEST(address_book, publishes_what_it_accepts) {
    const auto book = a_book();
    EXPECT_EQ(book.mail_address("example.com"), "tls-report+tokena2345@reports.example");
    EXPECT_EQ(book.url_path("example.com"), "/tlsrpt/tokena2345");
    EXPECT_EQ(book.recipient(book.mail_address("example.org"))->domain, "example.org");
    EXPECT_EQ(book.token("tokena2345")->domain, "example.com");
    EXPECT_FALSE(book.token("tokena234"));
    EXPECT_FALSE(book.token(""));
    EXPECT_EQ(book.url_path("unknown.example"), "");
}

TEST(address_book, forgets_a_domain_that_went) {
    auto book = a_book();
    book.set_domains({{"example.org", "tokenb2345", {}}});
    EXPECT_FALSE(book.token("tokena2345"));
    EXPECT_FALSE(book.recipient("tls-report+tokena2345@reports.example"));
    EXPECT_EQ(book.token("tokenb2345")->domain, "example.org");
}

TEST(rate_limit, gives_a_minutes_worth_and_then_by_the_clock) {
    PROVES("8460-7-a");
    rate_limit limit(60);
    const rate_limit::time_point start{1h};
    for (int i = 0; i < 60; ++i)
        EXPECT_TRUE(limit.take("a", start)) << i;
    EXPECT_FALSE(limit.take("a", start));
    EXPECT_EQ(limit.wait("a", start), 1s);
    EXPECT_TRUE(limit.take("b", start)); // another source is not its fault
    EXPECT_TRUE(limit.take("a", start + 1s));
    EXPECT_FALSE(limit.take("a", start + 1s));
    for (int i = 0; i < 60; ++i) // never more than the depth
        EXPECT_TRUE(limit.take("a", start + 10h)) << i;
    EXPECT_FALSE(limit.take("a", start + 10h));
}

TEST(rate_limit, keeps_a_bounded_number_of_sources) {
    rate_limit limit(10, 100);
    for (int i = 0; i < 10'000; ++i)
        limit.take(std::to_string(i), rate_limit::time_point{1h});
    EXPECT_LE(limit.sources(), 100U);
}

TEST(rate_limit, a_source_is_an_address_or_a_network_of_one_subscriber) {
    const auto source = [](std::string_view text) { return source_of(*base::ip_address::parse(text)); };
    EXPECT_NE(source("192.0.2.1"), source("192.0.2.2"));
    EXPECT_EQ(source("2001:db8::1"), source("2001:db8::ffff:2"));
    EXPECT_NE(source("2001:db8::1"), source("2001:db8:0:1::1"));
    EXPECT_EQ(source("::ffff:192.0.2.1"), source("192.0.2.1"));
}

struct result_row {
    std::string value;
    std::vector<std::string> domains;
};
TEST(own_results, are_read_of_named_servers_alone) {
    const std::vector<std::string> own{"mx.example.com"};
    const result_row rows[] = {
        {"mx.example.com; dkim=pass header.d=a.example", {"a.example"}},
        {"MX.Example.com 1; spf=fail smtp.mailfrom=x; dkim=pass (2048-bit key; ok) header.d=A.example "
         "header.s=s",
         {"a.example"}},
        {"mx.example.com;\tdkim=pass\theader.i=@b.example", {"b.example"}},
        {"mx.example.com; dkim=pass header.i=user@b.example; dkim=pass header.d=c.example",
         {"b.example", "c.example"}},
        {"mx.example.com; dkim=fail header.d=a.example", {}},
        {"mx.example.com; dkim=none", {}},
        {"mx.example.com; none", {}},
        {"mx.example.com", {}},
        {"mx.example.com.evil.example; dkim=pass header.d=a.example", {}},
        {"evil.example; dkim=pass header.d=a.example", {}},
        {"evil.example (; mx.example.com); dkim=pass header.d=a.example", {}},
        {"(mx.example.com;) evil.example; dkim=pass header.d=a.example", {}},
        {"mx.example.com; dkim=fail (dkim=pass header.d=a.example)", {}},
        {"mx.example.com; dkim=fail reason=\"; dkim=pass header.d=a.example\"", {}},
        {"mx.example.com; x-dkim=pass header.d=a.example", {}},
        {"", {}},
    };
    for (const auto& row : rows) {
        std::vector<std::string> domains;
        for (const auto& result : read_own_result(row.value, own))
            domains.push_back(result.domain);
        EXPECT_EQ(domains, row.domains) << row.value;
    }
}

TEST(attribute, domains_are_read_however_written) {
    EXPECT_EQ(domain_from(" Example.COM. "), "example.com");
    EXPECT_EQ(domain_from("<example.com>"), "example.com");
    EXPECT_EQ(domain_from("b\xc3\xbc"
                          "cher.example"),
              "xn--bcher-kva.example");
    for (const char* bad : {"", ".", "a b.example", "\xff\xfe.example", "a..b"})
        EXPECT_EQ(domain_from(bad), "") << bad;
    EXPECT_EQ(domain_of_address("tls@Reporter.Example"), "reporter.example");
    EXPECT_EQ(domain_of_address("TLS <tls@reporter.example>"), "reporter.example");
    EXPECT_EQ(domain_of_address("reporter.example"), "");
}

} // namespace
} // namespace mailtight::intake
