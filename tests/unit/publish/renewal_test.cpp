// SPDX-License-Identifier: Apache-2.0
// When to renew: the arithmetic, and the questions to an authority that has renewal information (RFC 9773),
// which pebble has not.
#include "publish/renewal.h"

#include "publish/issuer.h"
#include "support/certificates.h"
#include "support/domain_store_fake.h"
#include "support/fixed_resolver.h"
#include "support/scratch.h"
#include "support/tls_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::publish {
namespace {

using namespace std::chrono_literals;

base::utc_seconds at(const char* text) {
    return base::parse_utc(text).value();
}

TEST(Renewal, IsAtTwoThirdsOfTheLifetime) {
    EXPECT_EQ(by_lifetime(at("2026-01-01T00:00:00Z"), at("2026-03-02T00:00:00Z")),
              at("2026-02-10T00:00:00Z"));
    EXPECT_EQ(by_lifetime(at("2026-01-01T00:00:00Z"), at("2026-01-07T00:00:00Z")),
              at("2026-01-05T00:00:00Z"));
}

TEST(Renewal, FallsEvenlyIntoTheWindowAndStaysWhereItFell) {
    const wire::acme_window window{.from = at("2026-01-01T00:00:00Z"), .to = at("2026-01-03T00:00:00Z")};
    int first_half = 0;
    for (int i = 0; i < 1'000; ++i) {
        const auto id = "aki." + std::to_string(i);
        const auto when = in_window(window, id);
        ASSERT_GE(when, window.from);
        ASSERT_LT(when, window.to);
        EXPECT_EQ(in_window(window, id), when) << "every machine comes to the same";
        first_half += when < at("2026-01-02T00:00:00Z") ? 1 : 0;
    }
    EXPECT_GT(first_half, 400);
    EXPECT_LT(first_half, 600);
}

/// An authority that says of each certificate what the test wants.
class Ari : public testing::Test {
protected:
    issuer::renewal ask(const std::string& issued_by = "") {
        tests::scratch_folder folder;
        std::ofstream(folder / "ca") << root_.pem();
        const auto seal = base::sealing_key::make(folder / "key").value();
        io::loop on;
        tests::fixed_resolver dns;
        tests::domain_store_fake kept;
        const io::tls_client tls(folder / "ca");
        const base::address_guard guard;
        const base::system_clock clock;
        io::worker thread(on, "store");
        issuer one(on, dns, tls, guard, clock, thread, kept, seal,
                   {.directory = url("/dir"), .machine = "one", .exempt = true}, {});
        store::kept_certificate certificate{.name = "mta-sts.example.com",
                                            .chain = leaf_.pem() + root_.pem(),
                                            .not_before = at("2026-01-01T00:00:00Z"),
                                            .not_after = at("2026-03-02T00:00:00Z"),
                                            .issuer = issued_by.empty() ? url("/dir") : issued_by};
        return on.block_on(one.renewal_of(certificate));
    }
    std::string url(const std::string& path) const {
        return fmt::format("https://localhost:{}{}", server_.port(), path);
    }
    void serve(tests::peer& client) {
        if (!client.start_tls(tls_))
            return;
        for (auto head = client.head(); !head.empty(); head = client.head()) {
            const auto path = head.substr(4, head.find(' ', 4) - 4);
            asked_.push_back(path);
            const bool is_directory = path == "/dir";
            const auto body = is_directory ? directory() : body_;
            client.send(fmt::format("HTTP/1.1 {} X\r\n{}Content-Length: {}\r\n\r\n{}",
                                    is_directory ? 200 : status_, is_directory ? "" : fields_, body.size(),
                                    body));
        }
    }
    std::string directory() const {
        return fmt::format(R"({{"newNonce":"{0}","newAccount":"{0}","newOrder":"{0}"{1}}})", url("/x"),
                           offers_ ? fmt::format(R"(,"renewalInfo":"{}")", url("/ari")) : "");
    }

    tests::identity root_ = tests::make_root();
    tests::identity leaf_ = tests::make_leaf(root_, {"mta-sts.example.com"});
    tests::identity host_ = tests::make_leaf(root_, {"localhost"});
    tests::server_tls tls_{host_};
    int status_ = 200;
    bool offers_ = true;
    std::string fields_, body_;
    std::vector<std::string> asked_;
    tests::test_server server_{[this](tests::peer& client) { serve(client); }};
    const base::utc_seconds two_thirds_ = at("2026-02-10T00:00:00Z");
};

constexpr const char* in_january =
    R"({"suggestedWindow":{"start":"2026-01-02T00:00:00Z","end":"2026-01-03T00:00:00Z"},"explanationURL":"https://ca.example/why"})";

TEST_F(Ari, TheAuthoritysWindowCounts) {
    body_ = in_january;
    fields_ = "Retry-After: 21600\r\n";
    const auto when = ask();
    EXPECT_TRUE(when.by_authority);
    EXPECT_GE(when.at, at("2026-01-02T00:00:00Z"));
    EXPECT_LT(when.at, at("2026-01-03T00:00:00Z"));
    EXPECT_EQ(when.ask_again, 6h);
    EXPECT_EQ(when.explanation, "https://ca.example/why");
    EXPECT_THAT(asked_, testing::ElementsAre("/dir", "/ari/" + base::renewal_id(leaf_.pem()).value()));
}

TEST_F(Ari, AWindowBehindTheLastDaysIsNotWaitedFor) {
    for (const char* year : {"2026-03", "2999-01"}) {
        body_ = fmt::format(
            R"({{"suggestedWindow":{{"start":"{0}-02T00:00:00Z","end":"{0}-03T00:00:00Z"}}}})", year);
        const auto when = ask();
        EXPECT_FALSE(when.by_authority) << year;
        EXPECT_EQ(when.at, at("2026-02-24T00:00:00Z")) << year << ": nine tenths of its life";
    }
}

TEST_F(Ari, RetryAfterIsKeptWithinSense) {
    struct row {
        const char* field;
        std::chrono::seconds wait;
    };
    body_ = in_january;
    for (const auto& [field, wait] :
         {row{"Retry-After: 1\r\n", 60s}, row{"Retry-After: 99999999\r\n", 24h}, row{"", 6h}}) {
        fields_ = field;
        EXPECT_EQ(ask().ask_again, wait) << field;
    }
}

TEST_F(Ari, WithoutAnAnswerTheLifetimeCounts) {
    struct row {
        int status;
        const char* body;
        const char* why;
    };
    for (const auto& [status, body, why] : {
             row{404, "", "not known there"},
             row{500, "{}", "in trouble"},
             row{200, "<html>", "no JSON"},
             row{200, R"({"suggestedWindow":{"start":"2026-01-03T00:00:00Z","end":"2026-01-02T00:00:00Z"}})",
                 "no window"},
         }) {
        status_ = status;
        body_ = body;
        const auto when = ask();
        EXPECT_FALSE(when.by_authority) << why;
        EXPECT_EQ(when.at, two_thirds_) << why;
    }
}

TEST_F(Ari, AnotherAuthoritysCertificateIsNotAskedAbout) {
    body_ = in_january;
    EXPECT_EQ(ask("https://other.example/dir").at, two_thirds_);
    EXPECT_THAT(asked_, testing::IsEmpty());
    offers_ = false;
    EXPECT_EQ(ask().at, two_thirds_);
    EXPECT_THAT(asked_, testing::ElementsAre("/dir"));
}

} // namespace
} // namespace mailtight::publish
