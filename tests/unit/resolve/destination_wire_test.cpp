// SPDX-License-Identifier: Apache-2.0
// A destination by the real resolver against a server on loopback: what the AD bit, a chain of CNAMEs, an
// extended error and an SOA record of real messages make of it.
#include "support/proves.h"
#include "unit/io/fake_dns.h"
#include "unit/resolve/dane_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace mailtight;
using namespace mailtight::tests;
using namespace std::chrono_literals;
using resolve::dane_answer;
using resolve::host_class;
using testing::HasSubstr;
using wire::dns_type;

namespace {

constexpr unsigned insecure = 0x8180, secure = 0x81a0, servfail = 0x8182;
using out = std::vector<std::string>;

std::string mx_data(unsigned preference, const std::string& host) {
    return answer_bytes::be16(preference) + answer_bytes::name(host);
}
const std::string tlsa_data = std::string("\x03\x01\x01", 3) + std::string(32, 'k');

/// example.com, signed; its MX host is `mx.example.com`.
struct server {
    std::function<out(const fake_dns::question&, const std::string& name, dns_type type)> special =
        [](auto&&...) { return out{}; };

    resolve::destination look() {
        fake_dns dns([this](const fake_dns::question& q) {
            const auto& [name, type] = *q.message.question;
            if (auto given = special(q, name, type); !given.empty())
                return given;
            answer_bytes answer(q.bytes, secure);
            if (name == "example.com" && type == dns_type::mx)
                answer.answer(name, static_cast<unsigned>(type), mx_data(10, "mx.example.com"), 900);
            else if (name == "mx.example.com" && type == dns_type::a)
                answer.answer(name, static_cast<unsigned>(type), std::string("\xc0\x00\x02\x01", 4), 800);
            else if (name == "_25._tcp.mx.example.com" && type == dns_type::tlsa)
                answer.answer(name, static_cast<unsigned>(type), tlsa_data, 700);
            else
                answer.soa("example.com", 60);
            return out{answer};
        });
        io::loop loop;
        const look_clock clock;
        const auto resolver =
            io::make_resolver(loop, {.how = io::resolver_options::mode::forwarding, .servers = {dns.at()}});
        return loop.block_on(resolve::look_at(loop, *resolver, clock, to_domain(), {}));
    }
};

TEST(destination_by_wire, has_dane_where_every_answer_is_authentic) {
    PROVES("7672-2.1.1-a", "7672-2.2-a");
    server at;
    const auto where = at.look();
    EXPECT_TRUE(where.mx_secure);
    EXPECT_EQ(judge(where), dane_answer::all);
    EXPECT_EQ(where.mx.at(0).records.at(0).to_string().substr(0, 8), "3 1 1 6B");
    EXPECT_EQ(where.good_until - where.looked_at, 700s)
        << "an IPv6 address that is not there decides nothing";

    // One answer without the AD bit, wherever it is, and DANE is gone.
    for (const auto unsigned_one : {dns_type::mx, dns_type::a, dns_type::tlsa}) {
        at.special = [&](const auto& q, const auto& name, dns_type type) {
            if (type != unsigned_one)
                return out{};
            answer_bytes answer(q.bytes, insecure);
            answer.answer(name, static_cast<unsigned>(type),
                          type == dns_type::mx  ? mx_data(10, "mx.example.com")
                          : type == dns_type::a ? std::string("\xc0\x00\x02\x01", 4)
                                                : tlsa_data);
            return out{answer};
        };
        EXPECT_EQ(judge(at.look()), dane_answer::none) << wire::to_string(unsigned_one);
    }
}

TEST(destination_by_wire, asks_for_the_first_alias_alone_where_the_chain_ends_insecure) {
    PROVES("7672-2.2.2-c", "7672-2.1.3-a");
    for (const bool first_is_secure : {true, false}) {
        server at;
        at.special = [&](const auto& q, const auto& name, dns_type type) {
            const auto first = first_is_secure ? secure : insecure;
            answer_bytes answer(q.bytes, name == "mx.example.com" ? first : insecure);
            if (name == "mx.example.com" && type != dns_type::tlsa)
                return out{answer.answer(name, 5, answer_bytes::name("mail.provider.example"))};
            if (name == "mail.provider.example" && type == dns_type::a)
                return out{answer.answer(name, 1, std::string("\xc0\x00\x02\x01", 4))};
            if (name == "mail.provider.example" || name == "_25._tcp.mail.provider.example")
                return out{answer.soa("provider.example", 60)};
            return out{};
        };
        const auto where = at.look();
        EXPECT_EQ(where.mx.at(0).dane, first_is_secure ? host_class::usable : host_class::none);
        EXPECT_EQ(where.mx.at(0).base, first_is_secure ? "mx.example.com" : "");
    }
}

TEST(destination_by_wire, tells_the_extended_error) {
    PROVES("7672-2.1.2-c");
    server at;
    at.special = [](const auto& q, const auto&, dns_type type) {
        return type == dns_type::tlsa
                   ? out{answer_bytes(q.bytes, servfail).extended_error(7, "RRSIG expired in May")}
                   : out{};
    };
    const auto where = at.look();
    EXPECT_EQ(judge(where), dane_answer::unknown);
    EXPECT_THAT(why_unknown(where), HasSubstr("mx.example.com: the TLSA look-up of _25._tcp.mx.example.com"));
    EXPECT_THAT(why_unknown(where), HasSubstr("Signature Expired"));
    EXPECT_THAT(why_unknown(where), HasSubstr("RRSIG expired in May"));
    EXPECT_EQ(where.good_until - where.looked_at, 30s);
}

TEST(destination_by_wire, holds_an_absence_for_what_the_zone_says) {
    server at;
    at.special = [](const auto& q, const auto&, dns_type type) {
        return type == dns_type::tlsa ? out{answer_bytes(q.bytes, secure).soa("example.com", 45, 3600)}
                                      : out{};
    };
    const auto where = at.look();
    EXPECT_EQ(judge(where), dane_answer::none);
    EXPECT_EQ(where.good_until - where.looked_at, 45s);
}

} // namespace
