// SPDX-License-Identifier: Apache-2.0
// The tables of the policy host: which certificate for which name, what is refused, what stays parsed, and
// both over a real TLS connection, alone and beside another site.
#include "publish/policy_host.h"

#include "base/crypto/issuing.h"
#include "base/encode.h"
#include "publish/policy_session.h"
#include "publish/policy_site.h"
#include "support/certificates.h"
#include "support/proves.h"
#include "support/scratch.h"
#include "support/tls_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace mailtight::publish {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr base::utc_seconds now = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1};
constexpr std::string_view policy = "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n";

struct fixed_clock final : base::clock {
    base::utc_seconds now() const override { return publish::now; }
};

struct workshop {
    tests::identity root = tests::make_root();
    tests::identity middle = tests::make_intermediate(root);
    tests::identity leaf(const std::string& name, const char* key = "P-256") const {
        return tests::issue({.dns_names = {name}, .key = key}, &middle);
    }
    std::string chain(const tests::identity& of) const { return of.pem() + middle.pem(); }
};
const workshop& ours() {
    static const workshop all;
    return all;
}
void put(policy_host& host, const std::string& name, const tests::identity& leaf) {
    const auto done = host.put_certificate(name, ours().chain(leaf), leaf.key_pem());
    ASSERT_TRUE(done) << done.error();
}

TEST(PolicyHost, ACertificateIsTheNamesOwnOrNone) {
    PROVES("8461-7.1-d", "8461-7.1-e", "8461-3.3-f", "8461-8.2-c");
    policy_host host({});
    put(host, "mta-sts.example.com", ours().leaf("mta-sts.example.com"));
    put(host, "*.example.org", ours().leaf("*.example.org"));
    const auto shown = [&](std::string_view name) {
        const auto found = host.choose(name, false);
        return found ? found->names().front() : std::string();
    };
    EXPECT_EQ(shown("mta-sts.example.com"), "mta-sts.example.com");
    EXPECT_EQ(shown("mta-sts.example.org"), "*.example.org") << "a wildcard for the whole first label";
    EXPECT_EQ(shown("a.mta-sts.example.org"), "") << "of one label";
    EXPECT_EQ(shown("example.org"), "");
    EXPECT_EQ(shown("mta-sts.other.example"), "") << "never that of another";
    EXPECT_EQ(shown(""), "") << "a client without a name has none";
    EXPECT_FALSE(host.choose("mta-sts.example.com", true)) << "no challenge is under way";
    host.drop_certificate("mta-sts.example.com");
    EXPECT_EQ(shown("mta-sts.example.com"), "");
}

TEST(PolicyHost, WhatIsNoPairIsRefusedAndTheOldOneStays) {
    PROVES("8461-3.3-a");
    policy_host host({});
    const auto good = ours().leaf("mta-sts.example.com"), other = ours().leaf("mta-sts.example.com");
    const auto provider = ours().leaf("provider.example");
    const auto rsa = ours().leaf("mta-sts.example.com", "RSA");
    put(host, "mta-sts.example.com", good);
    const auto before = host.choose("mta-sts.example.com", false)->leaf_sha256();
    EXPECT_EQ(before, base::hex(base::sha256(good.der())));
    struct row {
        std::string chain, key;
        const char* says;
    };
    for (const auto& [chain, key, says] : {
             row{ours().chain(good), other.key_pem(), "not the key of the certificate"},
             row{ours().chain(rsa), good.key_pem(), "not the key of the certificate"},
             row{ours().chain(provider), provider.key_pem(),
                 "does not name mta-sts.example.com but provider.example"},
             row{"", good.key_pem(), "no certificate in PEM form"},
             row{good.key_pem(), good.key_pem(), "no certificate in PEM form"},
             row{good.pem(), good.pem(), "no private key in PEM form"},
             row{good.pem() + ours().middle.pem().substr(0, 200), good.key_pem(),
                 "of the chain cannot be read"},
             row{good.pem().substr(0, 200), good.key_pem(), "certificate"},
         }) {
        const auto done = host.put_certificate("mta-sts.example.com", chain, key);
        ASSERT_FALSE(done) << says;
        EXPECT_THAT(done.error(), HasSubstr(says));
        EXPECT_FALSE(done.error().contains("PRIVATE")) << "the key is never told";
        EXPECT_EQ(host.choose("mta-sts.example.com", false)->leaf_sha256(), before);
    }
    put(host, "mta-sts.example.com", other);
    EXPECT_EQ(host.choose("mta-sts.example.com", false)->leaf_sha256(), base::hex(base::sha256(other.der())));
}

TEST(PolicyHost, TheLastAskedForStayParsed) {
    policy_host host({.parsed_certificates = 3});
    for (int i = 0; i < 6; ++i)
        put(host, "h" + std::to_string(i) + ".example", ours().leaf("h" + std::to_string(i) + ".example"));
    EXPECT_EQ(host.size().certificates, 6U);
    EXPECT_EQ(host.size().parsed, 0U) << "nothing was asked for";
    const auto held = host.choose("h0.example", false);
    for (int i = 1; i < 6; ++i)
        EXPECT_EQ(host.choose("h" + std::to_string(i) + ".example", false)->names().front(),
                  "h" + std::to_string(i) + ".example");
    EXPECT_EQ(host.size().parsed, 3U);
    EXPECT_EQ(held->names().front(), "h0.example") << "who holds one keeps it";
    const auto again = host.choose("h0.example", false);
    EXPECT_NE(again, held) << "it was parsed anew";
    EXPECT_EQ(host.choose("h0.example", false), again) << "and is kept now";
    host.drop_certificate("h0.example");
    EXPECT_EQ(host.size().parsed, 2U);
}

TEST(PolicyHost, PoliciesComeAndGo) {
    policy_host host({});
    EXPECT_FALSE(host.knows("example.com"));
    host.put_policy({.domain = "example.com", .body = std::string(policy), .id = "1"});
    EXPECT_TRUE(host.knows("example.com"));
    EXPECT_EQ(host.policy("example.com")->id, "1");
    host.put_policy({.domain = "example.com", .body = ""});
    EXPECT_FALSE(host.knows("example.com"));
    EXPECT_EQ(host.size().policies, 0U);
}

const std::string request =
    "GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.example.com\r\nConnection: close\r\n\r\n";

TEST(PolicyHost, OverTlsFromTheHandshakeToTheBody) {
    PROVES("8461-3.2-a", "8461-7.1-e", "8461-3.3-b");
    policy_host host({});
    put(host, "mta-sts.example.com", ours().leaf("mta-sts.example.com"));
    put(host, "mta-sts.other.example", ours().leaf("mta-sts.other.example"));
    host.put_policy({.domain = "example.com", .body = std::string(policy), .id = "1"});
    fetch_counter fetches;
    const fixed_clock clock;
    const policy_sessions sessions(host, &fetches, clock, {});
    io::loop on;
    io::secure_server server(
        on, {}, [&](std::string_view name, bool acme) { return host.choose(name, acme); },
        sessions.over_tls());
    ASSERT_TRUE(server.listen(*io::parse_listen_address("127.0.0.1:0", 0)));
    const auto text = server.address();
    const auto port = static_cast<std::uint16_t>(std::stoul(text.substr(text.rfind(':') + 1)));

    auto heard = tests::speak_tls(on, port, {.server_name = "mta-sts.example.com", .say = request});
    EXPECT_THAT(heard.said, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"));
    EXPECT_THAT(heard.said, EndsWith("\r\n\r\n" + std::string(policy)));
    EXPECT_TRUE(heard.ordered);
    EXPECT_EQ(heard.chain, 2) << "the chain up to the root";
    heard = tests::speak_tls(on, port, {.server_name = "mta-sts.other.example", .say = request});
    EXPECT_THAT(heard.said, StartsWith("HTTP/1.1 421 ")) << "the name in Host must be that of the handshake";
    EXPECT_EQ(tests::speak_tls(on, port, {.server_name = "mta-sts.unknown.example", .say = request}).alert,
              112);
    EXPECT_EQ(tests::speak_tls(on, port, {.server_name = "", .say = request}).alert, 112);

    // An authority asks by tls-alpn-01.
    auto key = base::ec_key::make();
    ASSERT_TRUE(key);
    const auto proof = base::alpn_certificate(*key, "mta-sts.example.com", base::sha256("token.thumb"), now);
    ASSERT_TRUE(proof) << proof.error();
    const auto challenge = io::certified_key::read(*proof, key->pem());
    ASSERT_TRUE(challenge) << challenge.error();
    const tests::tls_wish asking{.server_name = "mta-sts.example.com", .alpn = {"acme-tls/1"}};
    EXPECT_EQ(tests::speak_tls(on, port, asking).alert, 112);
    host.put_challenge("mta-sts.example.com", *challenge);
    heard = tests::speak_tls(on, port, asking);
    EXPECT_EQ(heard.alpn, "acme-tls/1");
    EXPECT_EQ(heard.chain, 1) << "its own certificate";
    EXPECT_THAT(heard.names, ElementsAre("mta-sts.example.com"));
    host.put_challenge("mta-sts.example.com", nullptr);
    EXPECT_EQ(tests::speak_tls(on, port, asking).alert, 112);
    EXPECT_EQ(fetches.take().size(), 1U);
}

TEST(PolicyHost, BesideAnotherSiteOnOnePort) {
    policy_host host({});
    put(host, "mta-sts.example.com", ours().leaf("mta-sts.example.com"));
    host.put_policy({.domain = "example.com", .body = std::string(policy), .id = "1"});
    fetch_counter fetches;
    const fixed_clock clock;
    const tests::scratch_folder folder;
    const auto reports = ours().leaf("reports.example");
    std::ofstream(folder / "c.pem") << ours().chain(reports) << reports.key_pem();
    io::tls_server tls;
    tls.strict = true;
    tls.more = [&](std::string_view name, bool acme) { return host.choose(name, acme); };
    ASSERT_TRUE(tls.load({{folder / "c.pem", ""}}));
    io::loop on;
    io::http_server server(on, {}, clock);
    server.add_site({.name = "reports",
                     .prefix = "/tlsrpt/",
                     .handle = [](io::http_exchange) -> io::task<wire::http_reply> {
                         co_return wire::http_reply{.body = "reports", .media_type = "text/plain"};
                     }});
    server.add_site(policy_site(host, &fetches, clock));
    server.add_site(challenge_site(host));
    ASSERT_TRUE(server.listen(*io::parse_listen_address("127.0.0.1:0", 0), &tls));
    const auto text = server.addresses().front();
    const auto port = static_cast<std::uint16_t>(std::stoul(text.substr(text.rfind(':') + 1)));
    const auto fetch = [&](const std::string& sni, const std::string& name, const std::string& path,
                           const char* method = "GET") {
        return tests::speak_tls(on, port,
                                {.server_name = sni,
                                 .say = std::string(method) + " " + path + " HTTP/1.1\r\nHost: " + name +
                                        "\r\nConnection: close\r\n\r\n"});
    };
    const std::string sts = "mta-sts.example.com", file = "/.well-known/mta-sts.txt";
    auto heard = fetch(sts, sts, file);
    EXPECT_THAT(heard.said, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(heard.said, HasSubstr("\r\nContent-Type: text/plain; charset=utf-8\r\n"));
    EXPECT_THAT(heard.said, HasSubstr("\r\nCache-Control: max-age=60\r\n"));
    EXPECT_THAT(heard.said, EndsWith("\r\n\r\n" + std::string(policy)));
    EXPECT_THAT(heard.names, ElementsAre(sts));
    EXPECT_EQ(fetches.take().size(), 1U);
    heard = fetch("reports.example", "reports.example", "/tlsrpt/v1");
    EXPECT_THAT(heard.said, EndsWith("reports"));
    EXPECT_THAT(heard.names, ElementsAre("reports.example"));
    EXPECT_THAT(fetch("reports.example", "reports.example", file).said, StartsWith("HTTP/1.1 404 "));
    EXPECT_THAT(fetch("reports.example", sts, file).said, StartsWith("HTTP/1.1 421 "));
    EXPECT_THAT(fetch(sts, sts, file + "?x").said, StartsWith("HTTP/1.1 404 "));
    EXPECT_THAT(fetch(sts, sts, file, "DELETE").said, StartsWith("HTTP/1.1 405 "));
    EXPECT_THAT(fetch(sts, sts, "/").said, StartsWith("HTTP/1.1 404 "));
    EXPECT_EQ(fetch("mta-sts.unknown.example", sts, file).alert, 112);

    // A ticket of one name opens no other here either.
    tests::tls_wish wish{.server_name = sts, .say = request};
    const auto first = tests::speak_tls(on, port, wish);
    ASSERT_TRUE(first.session);
    wish.resume = first.session.get();
    EXPECT_TRUE(tests::speak_tls(on, port, wish).reused);
    wish.server_name = "reports.example";
    EXPECT_FALSE(tests::speak_tls(on, port, wish).reused);

    auto key = base::ec_key::make();
    const auto proof = base::alpn_certificate(*key, sts, base::sha256("token.thumb"), now);
    ASSERT_TRUE(proof);
    host.put_challenge(sts, *io::certified_key::read(*proof, key->pem()));
    heard = tests::speak_tls(on, port, {.server_name = sts, .alpn = {"acme-tls/1"}, .say = request});
    EXPECT_EQ(heard.alpn, "acme-tls/1");
    EXPECT_EQ(heard.said, "");
    EXPECT_EQ(heard.chain, 1);
}

} // namespace
} // namespace mailtight::publish
