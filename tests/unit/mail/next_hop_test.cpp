// SPDX-License-Identifier: Apache-2.0
// What a mail server's look-up key names (8461-3.4-a..c, A18, A19).
#include "mail/next_hop.h"

#include "base/limits.h"
#include "base/text.h"
#include "mail/domain_name.h"
#include "support/proves.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

using namespace std::string_view_literals;

namespace mailtight::mail {
namespace {
using kind = next_hop::kind;

const std::string label63(63, 'a');
/// A name of so many bytes, in labels of at most 50.
std::string name_of(std::size_t length) {
    std::string out;
    while (out.size() + 52 < length)
        out += std::string(50, 'a') + '.';
    return out + std::string(length - out.size(), 'b');
}

// --- names

TEST(next_hop, a_plain_key_is_a_domain_in_its_canonical_form) {
    PROVES("8461-3.1-a", "A19");
    struct row {
        std::string key, domain;
    };
    for (const auto& [key, domain] : {
             row{"example.com", "example.com"},
             row{"EXAMPLE.Com", "example.com"},
             row{"example.com.", "example.com"},
             row{"a.b.c.example.com", "a.b.c.example.com"},
             row{"a_b.example.com", "a_b.example.com"},
             row{"mta-sts.example.com", "mta-sts.example.com"}, // no person typed it: taken literally
             row{"bücher.example", "xn--bcher-kva.example"},
             row{"BÜCHER.Example.", "xn--bcher-kva.example"},
             row{"XN--BCHER-KVA.example", "xn--bcher-kva.example"},
             row{"xn--i-7iq.example", "xn--i-7iq.example"}, // an A-label of no IDNA: DNS takes it
             row{"例え。テスト", "xn--r8jz45g.xn--zckzah"},
             row{"例え.テスト。", "xn--r8jz45g.xn--zckzah"},
             row{"ｅｘａｍｐｌｅ．ｃｏｍ", "example.com"},
             row{"3com.example", "3com.example"},
             row{"1.2.3.4.example", "1.2.3.4.example"},
             row{label63 + ".example", label63 + ".example"},
             row{name_of(244), name_of(244)}, // `_mta-sts.` still fits in front
             row{name_of(244) + ".", name_of(244)},
         }) {
        const auto hop = parse_next_hop(key);
        EXPECT_EQ(hop, (next_hop{kind::domain, domain, 25})) << key;
        EXPECT_TRUE(hop.can_have_policy());
    }
}

// --- smart hosts and ports

TEST(next_hop, a_host_in_brackets_is_the_policy_domain_itself) {
    PROVES("8461-3.4-a", "A18", "A19");
    struct row {
        std::string key, domain;
        std::uint16_t port;
        kind what = kind::smart_host;
    };
    for (const auto& [key, domain, port, what] : {
             row{"[relay.example]", "relay.example", 25},
             row{"[relay.example]:587", "relay.example", 587},
             row{"[Relay.Example.]:587", "relay.example", 587},
             row{"[bücher.example]:25", "xn--bcher-kva.example", 25},
             row{"[relay.example]:submission", "relay.example", 587},
             row{"[relay.example]:SMTPS", "relay.example", 465},
             row{"[relay.example]:smtp", "relay.example", 25},
             row{"[relay.example]:my-service", "relay.example", 0}, // no number: its TLSA cannot be asked for
             row{"[relay.example]:65535", "relay.example", 65535},
             row{"[relay.example]:00025", "relay.example", 25},
             row{"inet:relay.example:24", "relay.example", 24}, // LMTP over TCP: never MX hosts
             row{"inet:[relay.example]:24", "relay.example", 24},
             row{"lmtp:inet:relay.example:24", "relay.example", 24},
             row{"example.com:587", "example.com", 587, kind::domain},
             row{"example.com.:587", "example.com", 587, kind::domain},
             row{"example.com:submissions", "example.com", 465, kind::domain},
         })
        EXPECT_EQ(parse_next_hop(key), (next_hop{what, domain, port})) << key;
}

// --- what has no policy, and why

TEST(next_hop, a_parent_key_is_never_the_domain_behind_the_dot) {
    PROVES("8461-3.4-c");
    for (const auto* key : {".example.com", ".com", ".Bücher.example", "。example.com", ".a:25", ".[x]"})
        EXPECT_EQ(parse_next_hop(key), next_hop{kind::parent}) << key;
}

TEST(next_hop, an_address_has_no_policy_in_any_dress) {
    PROVES("8461-3.4-b");
    for (const auto* key : {
             "192.0.2.1",
             "[192.0.2.1]",
             "[192.0.2.1]:25",
             "192.0.2.1:25",
             "192.0.2.1.",
             "[192.0.2.1.]",
             "2001:db8::1",
             "[2001:db8::1]",
             "[2001:db8::1]:587",
             "::",
             "::1",
             "[::ffff:192.0.2.1]",
             "[IPv6:2001:db8::1]",
             "[ipv6:2001:db8::1]:25",
             "IPv6:2001:db8::1",
             "[fe80::1%eth0]",
             "fe80::1%2",
             "inet:192.0.2.1:24",
             "inet:[2001:db8::1]:24",
             "127.1",
             "192.0.2.256",
             "192.000.002.001",
             "1.2.3.4.5",
             "example.123", // many take them for one
             "１９２.0.2.1",
             "192。0。2。1",
         })
        EXPECT_EQ(parse_next_hop(key), next_hop{kind::address_literal}) << key;
}

TEST(next_hop, everything_else_says_why_it_has_no_policy) {
    PROVES("A19");
    struct row {
        std::string key;
        kind why;
    };
    const row rows[] = {
        {"", kind::empty},
        // one word: no public domain
        {"localhost", kind::single_label},
        {"localhost.", kind::single_label},
        {"[mail]", kind::single_label},
        {"[mail]:587", kind::single_label},
        {"mail:24", kind::single_label},
        {"münchen", kind::single_label},
        {"12345", kind::single_label},
        // sockets of local delivery
        {"/var/run/lmtp", kind::local_path},
        {"/", kind::local_path},
        {"unix:/var/run/dovecot/lmtp", kind::local_path},
        {"unix:private/dovecot-lmtp", kind::local_path},
        {"lmtp:unix:private/dovecot-lmtp", kind::local_path},
        {"LMTP:/run/lmtp.sock", kind::local_path},
        // dots
        {".", kind::not_a_name},
        {"..", kind::not_a_name},
        {"..example.com", kind::not_a_name},
        {"example..com", kind::not_a_name},
        {"example.com..", kind::not_a_name},
        {"[.example.com]", kind::not_a_name},
        // brackets that do not close, or with something around them
        {"[", kind::not_a_name},
        {"[]", kind::not_a_name},
        {"[]:25", kind::not_a_name},
        {"[example.com", kind::not_a_name},
        {"example.com]", kind::not_a_name},
        {"[[example.com]]", kind::not_a_name},
        {"[example.com]x", kind::not_a_name},
        {"x[example.com]", kind::not_a_name},
        {"[example.com]25", kind::not_a_name},
        {"[example.com:25]", kind::not_a_name},
        {"[example.com].", kind::not_a_name},
        {"[IPv6:nonsense]", kind::not_a_name},
        {"[x400:c=de]", kind::not_a_name},
        // ports
        {"example.com:", kind::not_a_name},
        {"example.com:0", kind::not_a_name},
        {"example.com:65536", kind::not_a_name},
        {"example.com:4294967321", kind::not_a_name}, // 25 in 32 bits
        {"example.com:000025", kind::not_a_name},
        {"example.com:-25", kind::not_a_name},
        {"example.com:+25", kind::not_a_name},
        {"example.com:25:25", kind::not_a_name},
        {"[example.com]:", kind::not_a_name},
        {"[example.com]:no such service", kind::not_a_name},
        {"[example.com]:a-service-name-too-long", kind::not_a_name},
        {":25", kind::not_a_name},
        {"smtp:example.com", kind::not_a_name},
        // bytes that no name has
        {" example.com", kind::not_a_name},
        {"example.com ", kind::not_a_name},
        {"exam ple.com", kind::not_a_name},
        {"example.com\n", kind::not_a_name},
        {"example.com\r\nOK secure", kind::not_a_name},
        {"\texample.com", kind::not_a_name},
        {"example.com\x7f", kind::not_a_name},
        {std::string("example.com\0", 12), kind::not_a_name},
        {std::string("\0", 1), kind::not_a_name},
        {std::string("exa\0mple.com", 12), kind::not_a_name},
        {"user@example.com", kind::not_a_name},
        {"https://example.com", kind::not_a_name},
        {"example.com/path", kind::not_a_name},
        {"*.example.com", kind::not_a_name},
        {"example,com", kind::not_a_name},
        {"{example.com}", kind::not_a_name},
        {"\xff.example", kind::not_a_name},     // no UTF-8
        {"b\xc3.example", kind::not_a_name},    // cut short
        {"\xc0\xae.example", kind::not_a_name}, // overlong
        {"a\u2260b.example", kind::not_a_name}, // not allowed in names
        {"a\u202eb.example", kind::not_a_name}, // turns the direction of writing
        {"\u0301a.example", kind::not_a_name},  // begins with a mark
        // too long
        {std::string(64, 'a') + ".example", kind::not_a_name},
        {name_of(245), kind::not_a_name}, // no room for `_mta-sts.`
        {name_of(253), kind::not_a_name},
        {name_of(254), kind::not_a_name},
        {std::string(10'000, 'a'), kind::not_a_name},
        {std::string(10'000, '.'), kind::not_a_name},
        {std::string(10'000, '['), kind::not_a_name},
        {std::string(10'000, '1'), kind::not_a_name},
        {"example.com:" + std::string(9'000, '0') + "25", kind::not_a_name},
    };
    for (const auto& [key, why] : rows) {
        const auto hop = parse_next_hop(key);
        EXPECT_EQ(hop, next_hop{why}) << base::printable(key, 80) << " gave " << static_cast<int>(hop.what);
        EXPECT_FALSE(hop.can_have_policy());
        EXPECT_FALSE(explain(hop.what).empty());
    }
    EXPECT_TRUE(explain(kind::domain).empty() && explain(kind::smart_host).empty());
}

TEST(next_hop, a_path_of_any_length_is_a_path) {
    EXPECT_EQ(parse_next_hop("/" + std::string(9'999, 'a')).what, kind::local_path);
}

// --- whatever comes

rc::Gen<std::string> key_like() {
    const auto piece =
        rc::gen::element<std::string>("[", "]", ":", ".", "25", "0", "example", "com", "IPv6:", "::1",
                                      "192.0.2.1", "unix:", "inet:", "lmtp:", "/", "ü", "。", "xn--", "-",
                                      "_", " ", std::string("\0", 1), "\xff", "A", "smtp");
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece),
                        [](const std::vector<std::string>& pieces) { return base::join(pieces, ""); });
}

void keeps_its_promises(const std::string& key) {
    const auto hop = parse_next_hop(key);
    RC_ASSERT(hop.can_have_policy() == explain(hop.what).empty());
    if (!hop.can_have_policy()) {
        RC_ASSERT(hop == next_hop{hop.what});
        return;
    }
    RC_ASSERT(canonical_name(hop.domain) == hop.domain);
    RC_ASSERT(hop.domain.find('.') != std::string::npos);
    RC_ASSERT(("_mta-sts." + hop.domain).size() <= base::limits::dns_name_text_max);
    RC_ASSERT(parse_next_hop(hop.domain) == (next_hop{kind::domain, hop.domain}));
    RC_ASSERT(parse_next_hop("." + hop.domain).what == kind::parent);
    RC_ASSERT(parse_next_hop("[" + hop.domain + "]") == (next_hop{kind::smart_host, hop.domain}));
}

RC_GTEST_PROP(next_hop_property, keeps_its_promises_for_what_looks_like_keys, ()) {
    keeps_its_promises(*key_like());
}
RC_GTEST_PROP(next_hop_property, keeps_its_promises_for_any_bytes, (const std::string& key)) {
    keeps_its_promises(key);
}

RC_GTEST_PROP(next_hop_property, the_dress_of_a_name_does_not_matter, ()) {
    const auto label =
        rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange('a', static_cast<char>('z' + 1))));
    const auto domain = (*label).substr(0, 60) + "." + (*label).substr(0, 60);
    std::string odd = domain;
    for (char& c : odd)
        c = c != '.' && *rc::gen::arbitrary<bool>() ? static_cast<char>(c - 'a' + 'A') : c;
    const auto port = static_cast<std::uint16_t>(*rc::gen::inRange(1, 65'536));
    odd += *rc::gen::arbitrary<bool>() ? "." : "";
    RC_ASSERT(parse_next_hop(odd) == (next_hop{kind::domain, domain}));
    RC_ASSERT(parse_next_hop(fmt::format("{}:{}", odd, port)) == (next_hop{kind::domain, domain, port}));
    RC_ASSERT(parse_next_hop(fmt::format("[{}]:{}", odd, port)) ==
              (next_hop{kind::smart_host, domain, port}));
}

} // namespace
} // namespace mailtight::mail
