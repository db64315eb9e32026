// SPDX-License-Identifier: Apache-2.0
// The forwarding resolver against a server that answers as each test says.
#include "io/resolver.h"

#include "fake_dns.h"
#include "support/proves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace mailtight;
using namespace std::chrono_literals;
using model::dns_status;
using model::dnssec;
using testing::ElementsAre;
using testing::HasSubstr;
using tests::answer_bytes;
using tests::fake_dns;

namespace {

constexpr unsigned type_a = 1, type_cname = 5, type_ptr = 12, type_mx = 15, type_txt = 16, type_aaaa = 28,
                   type_tlsa = 52, type_caa = 257;
constexpr unsigned ok_flags = 0x8180, ad_flags = 0x81a0, servfail_flags = 0x8182, nxdomain_flags = 0x8183;
using out = std::vector<std::string>;

struct world {
    explicit world(fake_dns::handler answers, std::chrono::milliseconds timeout = 2000ms)
        : server(std::move(answers)) {
        resolver = io::make_resolver(
            on,
            {.how = io::resolver_options::mode::forwarding, .servers = {server.at()}, .timeout = timeout});
    }
    model::txt_fact txt(const std::string& name) { return on.block_on(resolver->txt(name)); }
    model::mx_set_fact mx(const std::string& name) { return on.block_on(resolver->mx(name)); }
    fake_dns server;
    io::loop on;
    std::unique_ptr<io::resolver> resolver;
};

std::string target(const std::string& name) {
    return answer_bytes::name(name);
}
std::string text(const std::string& value) {
    return answer_bytes::text(value);
}

TEST(Forwarding, JoinsTheStringsOfEachTextRecord) {
    PROVES("8461-3.1-r");
    world w([](const auto& q) {
        return out{answer_bytes(q.bytes)
                       .answer("_mta-sts.example.com", type_txt, text("v=STSv1; ") + text("id=1;"), 600)
                       .answer("_MTA-STS.example.com", type_txt, text("other"), 300)};
    });
    const auto fact = w.txt("_mta-sts.Example.COM.");
    EXPECT_EQ(fact.status, dns_status::ok);
    EXPECT_EQ(fact.name, "_mta-sts.example.com");
    EXPECT_EQ(fact.type, "TXT");
    EXPECT_THAT(fact.texts, ElementsAre("v=STSv1; id=1;", "other"));
    EXPECT_EQ(fact.ttl, 300U) << "the smallest";
    EXPECT_EQ(fact.security, dnssec::insecure);
}

TEST(Forwarding, BelievesTheAuthenticDataBit) {
    world w([](const auto& q) {
        EXPECT_TRUE(q.message.authentic_data);
        EXPECT_TRUE(q.message.edns);
        return out{answer_bytes(q.bytes, ad_flags).answer("a.example", type_txt, text("x"))};
    });
    EXPECT_EQ(w.txt("a.example").security, dnssec::secure);
}

TEST(Forwarding, FollowsAliasesWithinOneAnswer) {
    PROVES("8461-3.1-t");
    world w([](const auto& q) {
        return out{answer_bytes(q.bytes)
                       .answer("a.example", type_cname, target("b.example"), 60)
                       .answer("b.example", type_cname, target("c.example"), 30)
                       .answer("c.example", type_txt, text("here"), 600)};
    });
    const auto fact = w.txt("a.example");
    EXPECT_THAT(fact.chain, ElementsAre("b.example", "c.example"));
    EXPECT_THAT(fact.texts, ElementsAre("here"));
    EXPECT_EQ(fact.owner(), "c.example");
    EXPECT_EQ(fact.ttl, 30U);
    EXPECT_EQ(w.server.asked(), 1U);
}

TEST(Forwarding, AsksOnWhereTheAnswerEndsInAnAlias) {
    PROVES("7672-2.1.3-a");
    world w([](const auto& q) {
        if (q.message.question->name == "a.example")
            return out{answer_bytes(q.bytes, ad_flags).answer("a.example", type_cname, target("b.example"))};
        return out{answer_bytes(q.bytes, ok_flags).answer("b.example", type_txt, text("here"))};
    });
    const auto fact = w.txt("a.example");
    EXPECT_THAT(fact.chain, ElementsAre("b.example"));
    EXPECT_THAT(fact.texts, ElementsAre("here"));
    EXPECT_EQ(fact.security, dnssec::insecure) << "one insecure hop makes the whole insecure";
}

TEST(Forwarding, AnErrorAnywhereInTheChainIsAnErrorAndAnAbsentTargetIsAbsent) {
    PROVES("7672-2.1.3-a", "8461-3.1-t");
    world w([](const auto& q) {
        const auto name = q.message.question->name;
        if (name.starts_with("a-"))
            return out{
                answer_bytes(q.bytes, ad_flags).answer(name, type_cname, target("b" + name.substr(1)))};
        if (name == "b-broken.example")
            return out{answer_bytes(q.bytes, servfail_flags)};
        return out{answer_bytes(q.bytes, ad_flags).soa("example", 60)};
    });
    const auto broken = w.txt("a-broken.example");
    EXPECT_EQ(broken.status, dns_status::servfail);
    EXPECT_EQ(broken.security, dnssec::unknown);
    EXPECT_THAT(broken.chain, ElementsAre("b-broken.example")) << "how far it came";
    const auto absent = w.txt("a-empty.example");
    EXPECT_EQ(absent.status, dns_status::no_data);
    EXPECT_EQ(absent.security, dnssec::secure);
}

TEST(Forwarding, ALoopOfAliasesEnds) {
    PROVES("8461-3.1-t");
    world within([](const auto& q) {
        return out{answer_bytes(q.bytes)
                       .answer("a.example", type_cname, target("b.example"))
                       .answer("b.example", type_cname, target("a.example"))};
    });
    EXPECT_EQ(within.txt("a.example").status, dns_status::cname_loop);
    world across([](const auto& q) {
        const auto name = q.message.question->name;
        return out{answer_bytes(q.bytes).answer(name, type_cname,
                                                target(name == "a.example" ? "b.example" : "a.example"))};
    });
    EXPECT_EQ(across.txt("a.example").status, dns_status::cname_loop);
    EXPECT_EQ(across.server.asked(), 2U);
    world endless([](const auto& q) {
        const auto name = q.message.question->name;
        return out{answer_bytes(q.bytes).answer(name, type_cname, target("x" + name))};
    });
    EXPECT_EQ(endless.txt("a.example").status, dns_status::cname_loop);
    EXPECT_LE(endless.server.asked(), 18U);
}

TEST(Forwarding, TellsAbsentFromEmpty) {
    world w([](const auto& q) {
        const bool absent = q.message.question->name == "no.example";
        return out{answer_bytes(q.bytes, absent ? nxdomain_flags : ok_flags).soa("example", 120, 3600)};
    });
    const auto absent = w.txt("no.example");
    EXPECT_EQ(absent.status, dns_status::nx_domain);
    EXPECT_EQ(absent.ttl, 120U) << "RFC 2308 §5: the smaller of the SOA's TTL and MINIMUM";
    EXPECT_EQ(w.txt("empty.example").status, dns_status::no_data);
}

struct failure_row {
    const char* what;
    unsigned flags;
    int extended; ///< code, or -1 for none
    bool answers_unchecked;
    dns_status expected;
    const char* detail;
};

TEST(Forwarding, TellsTheFailuresApart) {
    const failure_row rows[] = {
        {"plain SERVFAIL", 0x8182, -1, false, dns_status::servfail, "SERVFAIL"},
        {"an expired signature", 0x8182, 7, false, dns_status::bogus, "Signature Expired"},
        {"missing NSEC, the last code", 0x8182, 12, false, dns_status::bogus, "NSEC Missing"},
        {"unreachable servers", 0x8182, 22, true, dns_status::servfail, "No Reachable Authority"},
        {"an answer only unchecked", 0x8182, -1, true, dns_status::bogus, "not to validate"},
        {"REFUSED", 0x8185, -1, false, dns_status::refused, "REFUSED"},
        {"NOTIMP", 0x8184, -1, false, dns_status::refused, "NOTIMP"},
        {"an unknown code", 0x818b, -1, false, dns_status::refused, "RCODE11"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.what);
        world w([&](const auto& q) {
            if (q.message.checking_disabled && row.answers_unchecked)
                return out{answer_bytes(q.bytes).answer("a.example", type_txt, text("x"))};
            answer_bytes answer(q.bytes, row.flags);
            if (row.extended >= 0)
                answer.extended_error(static_cast<unsigned>(row.extended), "because\x1b[2J");
            return out{answer};
        });
        const auto fact = w.txt("a.example");
        EXPECT_EQ(fact.status, row.expected);
        EXPECT_THAT(fact.detail, HasSubstr(row.detail));
        EXPECT_EQ(fact.detail.find('\x1b'), std::string::npos) << "nothing remote reaches a terminal raw";
        EXPECT_TRUE(model::is_dns_error(fact.status));
    }
}

TEST(Forwarding, SilenceIsATimeoutAfterFourTries) {
    world w([](const auto&) { return out{}; }, 200ms);
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(w.txt("a.example").status, dns_status::timeout);
    const auto took = std::chrono::steady_clock::now() - began;
    EXPECT_GE(took, 190ms);
    EXPECT_LT(took, 10s);
    EXPECT_EQ(w.server.asked(), 4U);
    EXPECT_EQ(w.resolver->counters().timeouts, 1U);
}

TEST(Forwarding, ALostDatagramIsAskedAgain) {
    world w(
        [](const auto& q) {
            return q.number < 4 ? out{} : out{answer_bytes(q.bytes).answer("a.example", type_txt, text("x"))};
        },
        500ms);
    EXPECT_EQ(w.txt("a.example").status, dns_status::ok);
}

TEST(Forwarding, NobodyThereIsKnownAtOnce) {
    io::endpoint gone;
    {
        gone = fake_dns([](const auto&) { return out{}; }).at();
    }
    io::loop on;
    const auto resolver = io::make_resolver(
        on, {.how = io::resolver_options::mode::forwarding, .servers = {gone}, .timeout = 30'000ms});
    const auto began = std::chrono::steady_clock::now();
    const auto fact = on.block_on(resolver->txt("a.example"));
    EXPECT_EQ(fact.status, dns_status::timeout);
    EXPECT_THAT(fact.detail, HasSubstr("refused"));
    EXPECT_LT(std::chrono::steady_clock::now() - began, 15s);
}

TEST(Forwarding, AnotherServerHelpsWhereOneFails) {
    fake_dns broken([](const auto& q) { return out{answer_bytes(q.bytes, servfail_flags)}; });
    fake_dns good(
        [](const auto& q) { return out{answer_bytes(q.bytes).answer("a.example", type_txt, text("x"))}; });
    io::loop on;
    const auto resolver = io::make_resolver(
        on, {.how = io::resolver_options::mode::forwarding, .servers = {broken.at(), good.at()}});
    EXPECT_EQ(on.block_on(resolver->txt("a.example")).status, dns_status::ok);
}

TEST(Forwarding, ForgedAnswersAreNotTaken) {
    world w(
        [](const auto& q) {
            auto wrong_id = std::string(answer_bytes(q.bytes).answer("a.example", type_txt, text("forged")));
            wrong_id[0] = static_cast<char>(wrong_id[0] ^ 0x55);
            auto wrong_question = answer_bytes(q.bytes).answer("a.example", type_txt, text("forged"));
            auto other = std::string(wrong_question);
            other[13] = 'b';
            auto no_response = std::string(wrong_question);
            no_response[2] = static_cast<char>(no_response[2] & 0x7f);
            return out{wrong_id, other, no_response,
                       answer_bytes(q.bytes).answer("a.example", type_txt, text("true"))};
        },
        500ms);
    EXPECT_THAT(w.txt("a.example").texts, ElementsAre("true"));
}

TEST(Forwarding, OnlyForgedAnswersAreAnError) {
    world w(
        [](const auto& q) {
            auto other = std::string(answer_bytes(q.bytes).answer("a.example", type_txt, text("forged")));
            other[13] = 'b';
            return out{other};
        },
        150ms);
    const auto fact = w.txt("a.example");
    EXPECT_EQ(fact.status, dns_status::malformed);
    EXPECT_THAT(fact.detail, HasSubstr("another question"));
    EXPECT_TRUE(fact.texts.empty());
}

TEST(Forwarding, RecordsOfOtherNamesAreNotBelieved) {
    world w([](const auto& q) {
        return out{answer_bytes(q.bytes).answer("evil.example", type_txt, text("forged")).soa("example", 60)};
    });
    EXPECT_EQ(w.txt("a.example").status, dns_status::no_data);
}

TEST(Forwarding, ATruncatedAnswerIsFetchedOverTcp) {
    const std::string large(250, 'x');
    world w([&](const auto& q) {
        if (!q.tcp)
            return out{answer_bytes(q.bytes, ok_flags | 0x0200)};
        answer_bytes answer(q.bytes);
        for (int i = 0; i < 200; ++i)
            answer.answer("a.example", type_txt, text(large));
        return out{answer};
    });
    const auto fact = w.txt("a.example");
    EXPECT_EQ(fact.status, dns_status::ok);
    EXPECT_EQ(fact.texts.size(), 200U);
    EXPECT_EQ(w.server.asked_by_tcp(), 1U);
}

TEST(Forwarding, TruncatedOverTcpTooIsAnError) {
    world w([](const auto& q) { return out{answer_bytes(q.bytes, ok_flags | 0x0200)}; }, 300ms);
    EXPECT_EQ(w.txt("a.example").status, dns_status::malformed);
}

TEST(Forwarding, GarbageUnderTheRightIdIsMalformed) {
    const char* whats[] = {"RDATA beyond the message", "a name that points at itself", "counts that lie"};
    for (int which = 0; which < 3; ++which) {
        SCOPED_TRACE(whats[which]);
        world w(
            [&](const auto& q) {
                answer_bytes answer(q.bytes);
                if (which == 0)
                    answer.raw(std::string("\0\0\x10\0\1\0\0\0\1\xff\xff", 11)).set16(6, 1);
                if (which == 1)
                    answer.raw(std::string("\xc0\xff", 2)).set16(6, 1);
                if (which == 2)
                    answer.set16(6, 10'000);
                return out{answer};
            },
            300ms);
        EXPECT_EQ(w.txt("a.example").status, dns_status::malformed);
    }
}

TEST(Forwarding, IdenticalQuestionsAreAskedOnceAndThenCached) {
    world w(
        [](const auto& q) { return out{answer_bytes(q.bytes).answer("a.example", type_txt, text("x"))}; });
    const auto many = [&]() -> io::task<std::size_t> {
        std::vector<io::task<model::txt_fact>> work;
        for (int i = 0; i < 50; ++i)
            work.push_back(w.resolver->txt("a.example"));
        std::size_t good = 0;
        for (const auto& fact : co_await io::when_all(w.on, std::move(work)))
            good += fact.ok() ? 1 : 0;
        co_return good;
    };
    EXPECT_EQ(w.on.block_on(many()), 50U);
    EXPECT_EQ(w.txt("A.example").status, dns_status::ok);
    EXPECT_EQ(w.server.asked(), 1U);
    EXPECT_EQ(w.resolver->counters().asked, 1U);
    EXPECT_EQ(w.resolver->counters().cached, 50U);
}

TEST(Forwarding, AnswersWithoutLifetimeAreNotKept) {
    world w(
        [](const auto& q) { return out{answer_bytes(q.bytes).answer("a.example", type_txt, text("x"), 0)}; });
    w.txt("a.example");
    w.txt("a.example");
    EXPECT_EQ(w.server.asked(), 2U);
}

TEST(Forwarding, ManyQuestionsShareTheSockets) {
    world w([](const auto& q) {
        const auto name = q.message.question->name;
        return out{answer_bytes(q.bytes).answer(name, type_txt, text(name))};
    });
    const auto many = [&]() -> io::task<std::size_t> {
        std::vector<io::task<model::txt_fact>> work;
        for (int i = 0; i < 3000; ++i)
            work.push_back(w.resolver->txt("n" + std::to_string(i) + ".example"));
        std::size_t good = 0;
        for (const auto& fact : co_await io::when_all(w.on, std::move(work)))
            good += fact.ok() && fact.texts.front() == fact.name ? 1 : 0;
        co_return good;
    };
    EXPECT_EQ(w.on.block_on(many()), 3000U);
}

TEST(Forwarding, ReadsEveryTypeThatFactsNeed) {
    world w([](const auto& q) {
        answer_bytes answer(q.bytes);
        const auto name = q.message.question->name;
        switch (static_cast<unsigned>(q.message.question->type)) {
        case type_a:
            answer.answer(name, type_a, std::string("\xc0\x00\x02\x01", 4));
            break;
        case type_aaaa:
            answer.answer(name, type_aaaa, std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16));
            break;
        case type_mx:
            answer.answer(name, type_mx, answer_bytes::be16(20) + target("MX2.example"))
                .answer(name, type_mx, answer_bytes::be16(10) + target("mx1.example"))
                .answer(name, type_mx, answer_bytes::be16(0) + target(""));
            break;
        case type_tlsa:
            answer.answer(name, type_tlsa, std::string("\3\1\1\xab\xcd", 5));
            break;
        case type_caa:
            answer.answer(name, type_caa, std::string("\x80\5issueca.example", 17));
            break;
        case type_ptr:
            answer.answer(name, type_ptr, target("Out.example"));
            break;
        default:
            answer.soa("example", 60);
        }
        return out{answer};
    });
    const auto mx = w.mx("example");
    EXPECT_THAT(mx.records, ElementsAre(model::mx_record{0, ""}, model::mx_record{10, "mx1.example"},
                                        model::mx_record{20, "mx2.example"}));
    const auto addresses = w.on.block_on(w.resolver->addresses("h.example"));
    ASSERT_EQ(addresses.addresses.size(), 2U);
    EXPECT_EQ(addresses.addresses[0].to_string(), "192.0.2.1");
    EXPECT_EQ(addresses.addresses[1].to_string(), "2001:db8::1");
    EXPECT_EQ(w.server.asked(), 3U) << "each type once";
    const auto tlsa = w.on.block_on(w.resolver->tlsa("_25._tcp.h.example"));
    ASSERT_EQ(tlsa.records.size(), 1U);
    EXPECT_EQ(tlsa.records[0].usage, 3);
    EXPECT_EQ(tlsa.records[0].data, "\xab\xcd");
    const auto caa = w.on.block_on(w.resolver->caa("example"));
    ASSERT_EQ(caa.records.size(), 1U);
    EXPECT_EQ(caa.records[0].flags, 0x80);
    EXPECT_EQ(caa.records[0].tag, "issue");
    EXPECT_EQ(caa.records[0].value, "ca.example");
    EXPECT_EQ(caa.found_at, "example");
    const auto ptr = w.on.block_on(w.resolver->ptr(*base::ip_address::parse("192.0.2.1")));
    EXPECT_EQ(ptr.name, "1.2.0.192.in-addr.arpa");
    EXPECT_THAT(ptr.hosts, ElementsAre("out.example"));
}

TEST(Forwarding, FindsTheZoneThatHoldsAName) {
    world w([](const auto& q) {
        const auto name = q.message.question->name;
        if (name == "_mta-sts.sub.example") // an alias: what follows is of the provider's zone
            return out{
                answer_bytes(q.bytes).answer(name, type_cname, target("x.provider")).soa("provider", 60)};
        return out{answer_bytes(q.bytes).soa("example", 60)};
    });
    EXPECT_EQ(w.on.block_on(w.resolver->soa("_mta-sts.sub.example")).name, "example");
    const auto below = w.on.block_on(w.resolver->soa("deep.example"));
    EXPECT_EQ(below.name, "example");
    EXPECT_TRUE(below.ok());
}

TEST(Forwarding, AsksForAnAliasItself) {
    world w([](const auto& q) {
        EXPECT_EQ(q.message.question->type, wire::dns_type::cname);
        return out{answer_bytes(q.bytes, ad_flags).answer("a.example", type_cname, target("b.example"))};
    });
    const auto fact = w.on.block_on(w.resolver->cname("a.example"));
    EXPECT_TRUE(fact.ok());
    EXPECT_THAT(fact.chain, ElementsAre("b.example"));
    EXPECT_EQ(fact.security, dnssec::secure);
}

TEST(Forwarding, ANameThatCannotBeAskedIsAnErrorNotAQuestion) {
    world w([](const auto&) { return out{}; });
    for (const auto& name :
         {std::string("a..example"), std::string(64, 'a') + ".example", std::string(300, 'a')})
        EXPECT_EQ(w.txt(name).status, dns_status::malformed) << name;
    EXPECT_EQ(w.server.asked(), 0U);
}

TEST(Forwarding, SaysWhomItTrusts) {
    world w([](const auto&) { return out{}; });
    EXPECT_EQ(w.resolver->description(), w.server.at().to_string() + ", trusting its validation");
}

TEST(Endpoint, IsWrittenWithItsPort) {
    EXPECT_EQ((io::endpoint{*base::ip_address::parse("192.0.2.1"), 53}.to_string()), "192.0.2.1:53");
    EXPECT_EQ((io::endpoint{*base::ip_address::parse("2001:db8::1"), 5353}.to_string()),
              "[2001:db8::1]:5353");
}

TEST(AskServer, AsksWithoutRecursion) {
    fake_dns server([](const auto& q) {
        EXPECT_FALSE(q.message.recursion_desired);
        return out{answer_bytes(q.bytes, 0x8400)
                       .answer("a.example", type_txt, text("b"), 60)
                       .answer("a.example", type_txt, text("a"), 60)};
    });
    io::loop on;
    const auto answer = on.block_on(io::ask_server(on, server.at(), "a.example", "TXT", 1000ms));
    EXPECT_EQ(answer.status, dns_status::ok);
    EXPECT_THAT(answer.texts, ElementsAre("a", "b"));
    EXPECT_EQ(answer.ttl, 60U);
    EXPECT_EQ(answer.address, server.at().address);
    EXPECT_EQ(answer.detail, "");
}

TEST(AskServer, AReferralIsNoAnswer) {
    fake_dns server([](const auto& q) {
        return out{answer_bytes(q.bytes, 0x8000).authority("example", 2, target("ns.example"))};
    });
    io::loop on;
    const auto answer = on.block_on(io::ask_server(on, server.at(), "a.example", "TXT", 1000ms));
    EXPECT_EQ(answer.status, dns_status::refused);
    EXPECT_THAT(answer.detail, HasSubstr("refers"));
}

TEST(AskServer, AServerFromBeforeEdnsIsAskedPlainly) {
    fake_dns server([](const auto& q) {
        if (q.message.edns)
            return out{answer_bytes(q.bytes, 0x8001)};
        return out{answer_bytes(q.bytes, 0x8400).answer("a.example", type_txt, text("a"))};
    });
    io::loop on;
    EXPECT_THAT(on.block_on(io::ask_server(on, server.at(), "a.example", "TXT", 1000ms)).texts,
                ElementsAre("a"));
}

TEST(AskServer, AnAliasElsewhereIsSaidNotFollowed) {
    fake_dns server([](const auto& q) {
        return out{answer_bytes(q.bytes, 0x8400).answer("a.example", type_cname, target("b.provider"))};
    });
    io::loop on;
    const auto answer = on.block_on(io::ask_server(on, server.at(), "a.example", "TXT", 1000ms));
    EXPECT_EQ(answer.status, dns_status::no_data);
    EXPECT_THAT(answer.detail, HasSubstr("b.provider"));
    EXPECT_EQ(server.asked(), 1U);
}

TEST(AskServer, SilenceIsATimeout) {
    fake_dns server([](const auto&) { return out{}; });
    io::loop on;
    EXPECT_EQ(on.block_on(io::ask_server(on, server.at(), "a.example", "TXT", 150ms)).status,
              dns_status::timeout);
}

} // namespace
