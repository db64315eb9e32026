// SPDX-License-Identifier: Apache-2.0
// The classifier against real handshakes: what a server shows, and what we make of it.
#include "io/stream.h"
#include "support/proves.h"
#include "support/tls_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace mailtight;
using namespace std::chrono_literals;
using model::cert_fault;
using model::handshake_outcome;
using testing::HasSubstr;
using testing::UnorderedElementsAreArray;
using tests::identity;
using tests::issue;
using tests::peer;
using tests::server_tls;
using tests::test_server;

namespace {

const auto here = *base::ip_address::parse("127.0.0.1");
const base::address_guard lenient({*base::ip_network::parse("127.0.0.0/8")});
const std::string host = "mx1.example.com";
constexpr base::utc_seconds now = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1};
constexpr base::utc_seconds past = std::chrono::sys_days{std::chrono::year{2026} / 5 / 1};
constexpr base::utc_seconds future = std::chrono::sys_days{std::chrono::year{2026} / 7 / 1};

/// One authority for all tests: keys are slow to make.
struct authority {
    identity root = tests::make_root("Our Root");
    identity middle = tests::make_intermediate(root, "Our Intermediate");
    identity middle_with_url = tests::make_intermediate(root, "Fetchable", "http://ca.example/root.cer");
    identity middle_expired =
        issue({.common_name = "Old Intermediate", .not_after = past, .is_ca = true}, &root);
    identity foreign_root = tests::make_root("Foreign Root");
    identity foreign_middle = tests::make_intermediate(foreign_root, "Foreign Intermediate");
    tests::root_file trusted{{&root}};
    io::tls_client client{trusted.path()};
};
authority& ca() {
    static authority all;
    return all;
}

io::tls_result shake(io::loop& on, std::uint16_t port, io::tls_options options = {.host = host},
                     std::chrono::milliseconds patience = 3s) {
    auto connected = on.block_on(io::connect_tcp(on, {here, port}, lenient, on.now() + 2s));
    if (!connected.connection)
        throw std::runtime_error("no connection: " + connected.detail);
    return on.block_on(io::start_tls(on, std::move(connected.connection), ca().client, std::move(options),
                                     now, on.now() + patience));
}

model::tls_fact shown(server_tls& tls, io::tls_options options = {.host = host}) {
    test_server server([&](peer& client) {
        if (client.start_tls(tls))
            client.rest();
    });
    io::loop on;
    return shake(on, server.port(), std::move(options)).fact;
}

struct row {
    const char* why;
    identity leaf;
    std::vector<const identity*> chain;
    std::vector<cert_fault> faults;
    bool trusted;
    std::string reason;
    std::string says; ///< a part of the detail
};

identity leaf(std::vector<std::string> names, const identity& issuer) {
    return tests::make_leaf(issuer, names);
}

std::vector<row> rows() {
    using enum cert_fault;
    auto& a = ca();
    std::vector<row> all;
    auto add = [&](const char* why, identity who, std::vector<const identity*> chain,
                   std::vector<cert_fault> faults, bool trusted, std::string reason, std::string says) {
        all.push_back({why, std::move(who), std::move(chain), std::move(faults), trusted, std::move(reason),
                       std::move(says)});
    };
    add("a good chain", leaf({host}, a.middle), {&a.middle}, {}, true, "", "");
    add("the root is sent too", leaf({host}, a.middle), {&a.middle, &a.root}, {}, true, "", "");
    add("a chain in the wrong order", leaf({host}, a.middle), {&a.root, &a.middle}, {}, true, "", "");
    add("a wildcard as the whole left-most label", leaf({"*.example.com"}, a.middle), {&a.middle}, {}, true,
        "", "");
    add("one name of many", leaf({"a.example", host, "b.example"}, a.middle), {&a.middle}, {}, true, "", "");
    add("another host's name", leaf({"mx2.example.com"}, a.middle), {&a.middle}, {name_mismatch}, true,
        "X509_V_ERR_HOSTNAME_MISMATCH", "mx2.example.com");
    add("only the domain's name", leaf({"example.com"}, a.middle), {&a.middle}, {name_mismatch}, true,
        "X509_V_ERR_HOSTNAME_MISMATCH", "example.com");
    add("a wildcard inside a label", leaf({"mx*.example.com"}, a.middle), {&a.middle}, {name_mismatch}, true,
        "X509_V_ERR_HOSTNAME_MISMATCH", "mx*.example.com");
    add("a wildcard one level too high", leaf({"*.com"}, a.middle), {&a.middle}, {name_mismatch}, true,
        "X509_V_ERR_HOSTNAME_MISMATCH", "*.com");
    add("the name only as CN", issue({.common_name = host}, &a.middle), {&a.middle}, {name_mismatch, cn_only},
        true, "X509_V_ERR_HOSTNAME_MISMATCH", "no dNSName");
    add("the CN does not count beside a SAN",
        issue({.common_name = host, .dns_names = {"other.example"}}, &a.middle), {&a.middle}, {name_mismatch},
        true, "X509_V_ERR_HOSTNAME_MISMATCH", "other.example");
    add("an IP address as the only name", issue({.ip_addresses = {"127.0.0.1"}}, &a.middle), {&a.middle},
        {name_mismatch}, true, "X509_V_ERR_HOSTNAME_MISMATCH", "no dNSName");
    add("expired", issue({.common_name = host, .dns_names = {host}, .not_after = past}, &a.middle),
        {&a.middle}, {expired}, false, "X509_V_ERR_CERT_HAS_EXPIRED", "2026-05-01");
    add("not yet valid", issue({.common_name = host, .dns_names = {host}, .not_before = future}, &a.middle),
        {&a.middle}, {not_yet_valid}, false, "X509_V_ERR_CERT_NOT_YET_VALID", "2026-07-01");
    add("expired, and for another host",
        issue({.common_name = "x", .dns_names = {"x.example"}, .not_after = past}, &a.middle), {&a.middle},
        {expired, name_mismatch}, false, "X509_V_ERR_CERT_HAS_EXPIRED", "2026-05-01");
    add("self-signed", issue({.common_name = host, .dns_names = {host}}), {}, {self_signed}, false,
        "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT", "by itself");
    add("self-signed, expired and for another host",
        issue({.common_name = "x", .dns_names = {"x.example"}, .not_after = past}), {},
        {self_signed, expired, name_mismatch}, false, "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT", "by itself");
    add("the intermediate is missing", leaf({host}, a.middle), {}, {chain_incomplete}, false,
        "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "Our Intermediate");
    add("the intermediate is missing, and the leaf says where it is",
        issue({.common_name = host, .dns_names = {host}, .ca_issuers_url = "http://ca.example/middle.cer"},
              &a.middle),
        {}, {chain_incomplete}, false, "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
        "http://ca.example/middle.cer");
    add("another intermediate is sent instead", leaf({host}, a.middle), {&a.foreign_middle},
        {chain_incomplete}, false, "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "Our Intermediate");
    add("a private root, sent", leaf({host}, a.foreign_middle), {&a.foreign_middle, &a.foreign_root},
        {untrusted}, false, "X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN", "Foreign Root");
    add("a private root, not sent", leaf({host}, a.foreign_middle), {&a.foreign_middle}, {untrusted}, false,
        "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "Foreign Root");
    add("an expired intermediate makes it untrusted, not expired", leaf({host}, a.middle_expired),
        {&a.middle_expired}, {untrusted}, false, "X509_V_ERR_CERT_HAS_EXPIRED", "Old Intermediate");
    add("a leaf that plays authority", leaf({host}, leaf({"evil.example"}, a.middle)), {}, {chain_incomplete},
        false, "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "evil.example");
    add("a key below the security level",
        issue({.common_name = host, .dns_names = {host}, .key = "RSA", .rsa_bits = 1024}, &a.middle),
        {&a.middle}, {weak}, false, "X509_V_ERR_EE_KEY_TOO_SMALL", "");
    return all;
}

TEST(TlsClassifier, EveryFaultOfACertificateHasItsName) {
    PROVES("8461-3.3-a", "8461-3.3-b", "8461-3.3-c", "8461-3.3-e", "8461-3.3-f", "8461-4.2-a", "8461-4.2-b",
           "8461-4.2-c");
    for (const auto& row : rows()) {
        server_tls tls(row.leaf, row.chain);
        const auto fact = shown(tls);
        EXPECT_EQ(fact.outcome, handshake_outcome::completed) << row.why << ": " << fact.detail;
        EXPECT_THAT(fact.faults, UnorderedElementsAreArray(row.faults)) << row.why;
        EXPECT_EQ(fact.trusted, row.trusted) << row.why;
        EXPECT_EQ(fact.reason, row.reason) << row.why;
        EXPECT_THAT(fact.detail, HasSubstr(row.says)) << row.why;
        EXPECT_EQ(fact.chain.size(), row.chain.size() + 1) << row.why;
        EXPECT_EQ(fact.certificate_ok(), row.faults.empty()) << row.why;
    }
}

TEST(TlsClassifier, AnIssuerWithAnAddressIsMissingNotForeign) {
    auto& a = ca();
    // The intermediate below a root that nobody knows, but says where its issuer is.
    const auto middle = tests::make_intermediate(a.foreign_root, "Elsewhere", "http://ca.example/up.cer");
    const auto who = leaf({host}, middle);
    server_tls tls(who, {&middle});
    const auto fact = shown(tls);
    EXPECT_THAT(fact.faults, UnorderedElementsAreArray({cert_fault::chain_incomplete}));
    EXPECT_THAT(fact.detail, HasSubstr("http://ca.example/up.cer"));
}

TEST(TlsHandshake, SendsTheNameWithoutItsDot) {
    PROVES("8461-7.1-a");
    const auto who = leaf({host}, ca().middle);
    server_tls tls(who, {&ca().middle});
    EXPECT_TRUE(shown(tls, {.host = host + "."}).certificate_ok());
    shown(tls, {.host = host, .send_sni = false});
    EXPECT_EQ(tls.names_seen(), (std::vector<std::string>{host, ""}));
}

TEST(TlsHandshake, SpeaksTls12AndTls13AndNothingOlder) {
    PROVES("8461-7.2-a");
    const auto who = leaf({host}, ca().middle);
    server_tls newest(who, {&ca().middle}), older(who, {&ca().middle}), old(who, {&ca().middle});
    newest.only(TLS1_3_VERSION, TLS1_3_VERSION);
    older.only(TLS1_2_VERSION, TLS1_2_VERSION);
    old.only(TLS1_VERSION, TLS1_1_VERSION);
    EXPECT_EQ(shown(newest).version, "TLSv1.3");
    EXPECT_EQ(shown(older).version, "TLSv1.2");
    EXPECT_EQ(shown(old).outcome, handshake_outcome::protocol_too_old);
    const auto named = shown(old, {.host = host, .allow_old = true});
    EXPECT_EQ(named.outcome, handshake_outcome::completed) << named.detail;
    EXPECT_EQ(named.version, "TLSv1.1");
}

TEST(TlsHandshake, TellsAlertsByName) {
    const auto who = leaf({host}, ca().middle);
    server_tls tls(who, {&ca().middle});
    tls.require_name();
    const auto fact = shown(tls, {.host = host, .send_sni = false});
    EXPECT_EQ(fact.outcome, handshake_outcome::alert);
    EXPECT_EQ(fact.reason, "unrecognized_name");
    EXPECT_TRUE(shown(tls).certificate_ok());
}

/// A ServerHello of TLS 1.2 with ECDHE-ECDSA-AES128-GCM-SHA256 and secure renegotiation, as one record.
const std::string hello_of_tls12 = std::string("\x16\x03\x03\x00\x31\x02\x00\x00\x2d\x03\x03", 11) +
                                   std::string(32, 'r') +
                                   std::string("\x00\xc0\x2b\x00\x00\x05\xff\x01\x00\x01\x00", 11);

struct broken {
    const char* why;
    std::function<void(peer&)> serve;
    handshake_outcome outcome;
};

TEST(TlsHandshake, EveryBreakHasItsName) {
    using enum handshake_outcome;
    const std::vector<broken> rows = {
        {"hangs up at once", [](peer& c) { c.cut(); }, closed},
        {"hangs up after the hello", [](peer& c) { c.line(); }, closed},
        {"hangs up inside a record",
         [](peer& c) {
             c.send("\x16\x03\x03");
             c.line();
         },
         closed},
        {"silent", [](peer& c) { c.rest(); }, timeout},
        {"answers in SMTP", [](peer& c) { c.send("250 injected\r\n"), c.rest(); }, not_tls},
        {"answers in HTTP", [](peer& c) { c.send("HTTP/1.1 400 Bad Request\r\n\r\n"), c.rest(); }, not_tls},
        {"zeros", [](peer& c) { c.send(std::string(500, '\0')), c.rest(); }, not_tls},
        {"a record of garbage",
         [](peer& c) { c.send(std::string("\x16\x03\x03\x00\x04", 5) + "zzzz"), c.rest(); }, failed},
        {"a fatal alert", [](peer& c) { c.send(std::string("\x15\x03\x03\x00\x02\x02\x28", 7)), c.rest(); },
         alert},
        {"a certificate of garbage",
         [](peer& c) {
             c.send(hello_of_tls12 +
                    std::string("\x16\x03\x03\x00\x0e\x0b\x00\x00\x0a\x00\x00\x07\x00\x00\x04zzzz", 19)),
                 c.rest();
         },
         failed},
        {"a chain of 16 MB announced",
         [](peer& c) {
             c.send(hello_of_tls12 + std::string("\x16\x03\x03\x00\x04\x0b\xff\xff\xff", 9)), c.rest();
         },
         failed},
        {"a ServerHello of TLS 1.0",
         [](peer& c) {
             c.send(std::string("\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01", 11) + std::string(32, 'r') +
                    std::string("\x00\x00\x2f\x00", 4));
             c.rest();
         },
         protocol_too_old},
        {"the alert of a server too old",
         [](peer& c) { c.send(std::string("\x15\x03\x01\x00\x02\x02\x46", 7)), c.rest(); }, protocol_too_old},
        {"insufficient security",
         [](peer& c) { c.send(std::string("\x15\x03\x03\x00\x02\x02\x47", 7)), c.rest(); }, no_shared_cipher},
    };
    for (const auto& row : rows) {
        test_server server(row.serve);
        io::loop on;
        const auto start = on.now();
        const auto result =
            shake(on, server.port(), {.host = host}, row.outcome == timeout ? 300ms : 30'000ms);
        EXPECT_EQ(result.fact.outcome, row.outcome) << row.why << ": " << result.fact.detail;
        EXPECT_EQ(result.connection, nullptr) << row.why;
        EXPECT_FALSE(result.fact.detail.empty()) << row.why;
        if (row.why == std::string_view("a certificate of garbage"))
            EXPECT_THAT(result.fact.detail, HasSubstr("asn1")) << "it is the certificate that was refused";
        if (row.why == std::string_view("a chain of 16 MB announced"))
            EXPECT_THAT(result.fact.detail, HasSubstr("excessive")) << "nothing is kept for it";
        EXPECT_LT(on.now() - start, 15s) << row.why;
    }
}

TEST(TlsStream, CarriesBytesBothWaysAndTellsAnOrderlyEndFromACut) {
    const auto who = leaf({host}, ca().middle);
    server_tls tls(who, {&ca().middle});
    const std::string much(300'000, 'm');
    for (const bool orderly : {true, false}) {
        test_server server([&](peer& client) {
            if (!client.start_tls(tls))
                return;
            client.send(client.line());
            client.send(much);
            orderly ? client.close() : client.cut();
        });
        io::loop on;
        auto result = shake(on, server.port());
        ASSERT_TRUE(result.connection);
        EXPECT_EQ(on.block_on(result.connection->write_all("hello\n", on.now() + 2s)), io::io_status::ok);
        std::string all;
        io::read_result got;
        do {
            got = on.block_on(result.connection->read_some(10'000, on.now() + 2s));
            all += got.bytes;
        } while (got.status == io::io_status::ok);
        EXPECT_TRUE(all == "hello\n" + much);
        EXPECT_EQ(got.status, orderly ? io::io_status::eof : io::io_status::reset);
    }
}

TEST(TlsStream, ClosesInOrder) {
    const auto who = leaf({host}, ca().middle);
    server_tls tls(who, {&ca().middle});
    std::atomic<int> shutdown_seen = -1;
    test_server server([&](peer& client) {
        if (client.start_tls(tls)) {
            client.rest();
            shutdown_seen = client.told_goodbye() ? 1 : 0;
        }
    });
    io::loop on;
    {
        auto result = shake(on, server.port());
        ASSERT_TRUE(result.connection);
        result.connection->close();
    }
    for (int i = 0; i < 200 && shutdown_seen < 0; ++i)
        std::this_thread::sleep_for(10ms);
    EXPECT_EQ(shutdown_seen, 1) << "a close-notify came";
}

TEST(TlsClient, SaysWhatIsWrongWithItsRoots) {
    EXPECT_THROW(io::tls_client("/nonexistent/roots.pem"), std::runtime_error);
}

} // namespace
