// SPDX-License-Identifier: Apache-2.0
// The parts below the resolver: the cache with times of its own, the channel's check of the letters' case,
// the automatic choice, and libunbound against a server that answers as each test says.
#include "io/dns_automatic.h"
#include "io/dns_cache.h"
#include "io/dns_channel.h"
#include "io/dns_window.h"

#include "fake_dns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

using namespace mailtight;
using namespace std::chrono_literals;
using model::dns_status;
using model::dnssec;
using testing::ElementsAre;
using testing::HasSubstr;
using tests::answer_bytes;
using tests::fake_dns;

namespace {

using out = std::vector<std::string>;
constexpr unsigned type_cname = 5, type_txt = 16, type_rrsig = 46, type_dnskey = 48;

wire::dns_question txt_of(const std::string& name) {
    return {name, wire::dns_type::txt};
}
std::shared_ptr<const io::dns_lookup> outcome(dns_status status, std::uint32_t ttl, std::size_t bytes = 0) {
    io::dns_lookup lookup;
    lookup.status = status;
    lookup.ttl = ttl;
    if (bytes > 0)
        lookup.records.push_back(wire::dns_text{std::string(bytes, 'x')});
    return std::make_shared<const io::dns_lookup>(std::move(lookup));
}

struct lifetime_row {
    dns_status status;
    std::uint32_t ttl;
    std::chrono::seconds lives;
};

TEST(DnsCache, KeepsEachOutcomeForItsTime) {
    const lifetime_row rows[] = {
        {dns_status::ok, 60, 60s},      {dns_status::ok, 999'999, 24h},
        {dns_status::no_data, 60, 60s}, {dns_status::nx_domain, 99'999, 1h},
        {dns_status::servfail, 0, 5s},  {dns_status::bogus, 600, 5s},
        {dns_status::timeout, 0, 5s},   {dns_status::cname_loop, 3600, 5s},
    };
    const io::loop::time_point now{1000h};
    for (const auto& row : rows) {
        SCOPED_TRACE(std::string(model::to_string(row.status)) + " " + std::to_string(row.ttl));
        io::dns_cache cache(10);
        cache.store(txt_of("a"), outcome(row.status, row.ttl), now);
        EXPECT_TRUE(cache.find(txt_of("a"), now + row.lives - 1ms).lookup);
        EXPECT_FALSE(cache.find(txt_of("a"), now + row.lives).lookup);
        EXPECT_EQ(cache.size(), 0U) << "what has expired is let go";
    }
}

TEST(DnsCache, TellsTypesApartAndTheAge) {
    const io::loop::time_point now{1000h};
    io::dns_cache cache(10);
    cache.store(txt_of("a"), outcome(dns_status::ok, 60), now);
    EXPECT_FALSE(cache.find({"a", wire::dns_type::mx}, now).lookup);
    EXPECT_EQ(cache.find(txt_of("a"), now + 7900ms).age, 7U);
}

TEST(DnsCache, LetsTheLeastRecentlyUsedGo) {
    const io::loop::time_point now{1000h};
    io::dns_cache cache(3);
    for (const char* name : {"a", "b", "c"})
        cache.store(txt_of(name), outcome(dns_status::ok, 60), now);
    EXPECT_TRUE(cache.find(txt_of("a"), now).lookup);
    cache.store(txt_of("d"), outcome(dns_status::ok, 60), now);
    EXPECT_TRUE(cache.find(txt_of("a"), now).lookup) << "was just used";
    EXPECT_FALSE(cache.find(txt_of("b"), now).lookup);
    EXPECT_EQ(cache.size(), 3U);
}

TEST(DnsCache, ALargeAnswerCountsAsMany) {
    const io::loop::time_point now{1000h};
    io::dns_cache cache(100);
    for (int i = 0; i < 50; ++i)
        cache.store(txt_of(std::to_string(i)), outcome(dns_status::ok, 60, 5000), now);
    EXPECT_LE(cache.weight(), 100U);
    EXPECT_LE(cache.size(), 10U);
    cache.store(txt_of("huge"), outcome(dns_status::ok, 60, 65'000), now);
    EXPECT_FALSE(cache.find(txt_of("huge"), now).lookup) << "never at the cost of all others";
    EXPECT_GT(cache.size(), 0U);
    cache.store(txt_of("49"), outcome(dns_status::ok, 60), now);
    cache.store(txt_of("49"), outcome(dns_status::ok, 60), now);
    EXPECT_LE(cache.size(), 10U) << "stored again it replaces";
}

TEST(DnsWindow, OpensWithTheAnswersAndServesInOrder) {
    io::loop on;
    io::dns_window window(on, 2, 4);
    std::vector<int> order;
    std::size_t inside = 0, most = 0;
    const auto visit = [&](int number) -> io::task<int> {
        co_await window.enter();
        order.push_back(number);
        most = std::max(most, ++inside);
        co_await on.sleep_for(1ms);
        --inside;
        window.leave(number >= 2); // the first two bring nothing
        co_return number;
    };
    const auto all = [&]() -> io::task<> {
        std::vector<io::task<int>> work;
        for (int i = 0; i < 20; ++i)
            work.push_back(visit(i));
        co_await io::when_all(on, std::move(work));
    };
    on.block_on(all());
    EXPECT_TRUE(std::ranges::is_sorted(order));
    EXPECT_EQ(order.size(), 20U);
    EXPECT_EQ(most, 4U);
    EXPECT_EQ(window.size(), 4U);
}

TEST(DnsWindow, ShrinksOnceForWhatIsLostTogetherAndGrowsSlowlyAfterwards) {
    io::loop on;
    io::dns_window window(on, 1000, 2000);
    window.lost();
    window.lost();
    EXPECT_EQ(window.size(), 750U);
    const auto visits = [&](int count) -> io::task<> {
        for (int i = 0; i < count; ++i) {
            co_await window.enter();
            window.leave(true);
        }
    };
    on.block_on(visits(749));
    EXPECT_EQ(window.size(), 750U);
    on.block_on(visits(1));
    EXPECT_EQ(window.size(), 751U);
    io::dns_window small(on, 150, 2000);
    small.lost();
    EXPECT_EQ(small.size(), 150U) << "never below what one socket holds";
}

io::task<io::dns_event> one_event(io::loop& on, const io::endpoint& at, std::uint64_t case_bits) {
    const auto channel = io::dns_channel::open(on, at);
    io::dns_waiter waiter(on);
    const auto sent = channel->send(txt_of("abc.example"), {.case_bits = case_bits}, waiter, 0);
    auto event = co_await waiter.until(on.now() + 1s);
    co_return event.value_or(io::dns_event{});
}

TEST(DnsChannel, TheLettersCaseMustComeBack) {
    fake_dns honest([](const auto& q) { return out{answer_bytes(q.bytes)}; });
    fake_dns folding([](const auto& q) {
        auto answer = std::string(answer_bytes(q.bytes));
        for (std::size_t i = 13; i < 16; ++i)
            answer[i] = static_cast<char>(answer[i] | 0x20);
        return out{answer};
    });
    io::loop on;
    EXPECT_EQ(on.block_on(one_event(on, honest.at(), 0b101)).what, io::dns_event::kind::answered);
    EXPECT_EQ(on.block_on(one_event(on, folding.at(), 0b101)).what, io::dns_event::kind::case_folded);
    EXPECT_EQ(on.block_on(one_event(on, folding.at(), 0)).what, io::dns_event::kind::answered);
}

TEST(DnsChannel, IdsAndPortsDiffer) {
    std::vector<std::uint16_t> ids;
    fake_dns server([&](const auto& q) {
        ids.push_back(q.message.id);
        return out{answer_bytes(q.bytes)};
    });
    io::loop on;
    for (int i = 0; i < 8; ++i)
        on.block_on(one_event(on, server.at(), 0));
    std::ranges::sort(ids);
    EXPECT_GE(std::unique(ids.begin(), ids.end()) - ids.begin(), 7) << "eight alike are no accident";
    int in_a_row = 0;
    for (std::size_t i = 1; i < ids.size(); ++i)
        in_a_row += ids[i] == ids[i - 1] + 1 ? 1 : 0;
    EXPECT_LT(in_a_row, 4) << "not counted up";
}

/// Stands for libunbound: says that it was asked.
class marked_backend final : public io::dns_backend {
public:
    io::task<io::dns_lookup> ask(wire::dns_question) override {
        io::dns_lookup lookup;
        lookup.status = dns_status::ok;
        lookup.security = dnssec::secure;
        co_return lookup;
    }
    std::string description() const override { return "validating"; }
};

TEST(DnsAutomatic, ServersThatStripSignaturesAreFoundOut) {
    for (const bool strips : {true, false}) {
        unsigned tests = 0;
        fake_dns server([&](const auto& q) {
            answer_bytes answer(q.bytes, 0x81a0);
            if (!q.message.question->name.empty())
                return out{answer.answer(q.message.question->name, type_txt, answer_bytes::text("x"))};
            ++tests;
            EXPECT_EQ(q.message.question->type, wire::dns_type::dnskey);
            answer.answer("", type_dnskey, "key");
            if (!strips)
                answer.answer("", type_rrsig, answer_bytes::be16(type_dnskey) + std::string(16, '\0'));
            return out{answer};
        });
        io::loop on;
        io::dns_automatic automatic(on, {server.at()}, 1s, std::make_unique<marked_backend>());
        for (int i = 0; i < 3; ++i) {
            const auto lookup = on.block_on(automatic.ask(txt_of("a.example")));
            EXPECT_EQ(lookup.status, dns_status::ok);
            EXPECT_EQ(lookup.security, strips ? dnssec::unknown : dnssec::secure);
        }
        EXPECT_EQ(tests, 1U);
        if (strips)
            EXPECT_THAT(automatic.description(), HasSubstr("strips the signatures"));
        else
            EXPECT_EQ(automatic.description(), "validating");
    }
}

TEST(DnsAutomatic, SilenceProvesNothing) {
    fake_dns server([](const auto&) { return out{}; });
    io::loop on;
    io::dns_automatic automatic(on, {server.at()}, 100ms, std::make_unique<marked_backend>());
    EXPECT_EQ(on.block_on(automatic.ask(txt_of("a.example"))).security, dnssec::secure);
}

/// A file with an anchor for `signed.example` alone: the rest is insecure.
std::string anchor_for(std::uint16_t port) {
    const auto file = ::testing::TempDir() + "mailtight_anchor_" + std::to_string(port);
    std::ofstream(file) << "signed.example. IN DS 1 13 2 " << std::string(64, 'a') << "\n";
    return file;
}

/// libunbound, forwarding to a fake server.
struct validating_world {
    explicit validating_world(fake_dns::handler answers, std::chrono::milliseconds timeout = 5000ms)
        : server(std::move(answers)) {
        const auto file = anchor_for(server.at().port);
        resolver = io::make_resolver(on, {.how = io::resolver_options::mode::validating,
                                          .servers = {server.at()},
                                          .trust_anchor_file = file,
                                          .timeout = timeout});
        std::remove(file.c_str());
    }
    fake_dns server;
    io::loop on;
    std::unique_ptr<io::resolver> resolver;
};

TEST(Validating, ReadsAnswersChainsAndAbsence) {
    validating_world w([](const auto& q) {
        const auto name = q.message.question->name;
        if (name == "a.example")
            return out{answer_bytes(q.bytes)
                           .answer(name, type_cname, answer_bytes::name("b.example"), 60)
                           .answer("b.example", type_txt, answer_bytes::text("here"), 600)};
        if (name == "b.example") // libunbound asks for the target itself, whatever came with the alias
            return out{answer_bytes(q.bytes).answer(name, type_txt, answer_bytes::text("here"), 600)};
        if (name == "no.example")
            return out{answer_bytes(q.bytes, 0x8183).soa("example", 120)};
        return out{answer_bytes(q.bytes).soa("example", 120)};
    });
    const auto fact = w.on.block_on(w.resolver->txt("a.example"));
    EXPECT_EQ(fact.status, dns_status::ok);
    EXPECT_THAT(fact.texts, ElementsAre("here"));
    EXPECT_THAT(fact.chain, ElementsAre("b.example"));
    EXPECT_EQ(fact.security, dnssec::insecure);
    EXPECT_LE(fact.ttl, 60U);
    const auto absent = w.on.block_on(w.resolver->txt("no.example"));
    EXPECT_EQ(absent.status, dns_status::nx_domain);
    EXPECT_EQ(absent.ttl, 120U);
    EXPECT_EQ(w.on.block_on(w.resolver->mx("empty.example")).status, dns_status::no_data);
    EXPECT_THAT(w.resolver->description(), HasSubstr("validating here"));
}

TEST(Validating, UnsignedWhereAnAnchorStandsIsBogus) {
    validating_world w([](const auto& q) {
        const auto name = q.message.question->name;
        return out{answer_bytes(q.bytes).answer(name, type_txt, answer_bytes::text("forged"))};
    });
    const auto fact = w.on.block_on(w.resolver->txt("signed.example"));
    EXPECT_EQ(fact.status, dns_status::bogus);
    EXPECT_EQ(fact.security, dnssec::bogus);
    EXPECT_TRUE(fact.texts.empty()) << "what is bogus is not shown as if it were true";
    EXPECT_THAT(fact.detail, HasSubstr("signed.example"));
}

TEST(Validating, FailureAndSilenceDiffer) {
    validating_world failing([](const auto& q) { return out{answer_bytes(q.bytes, 0x8182)}; });
    EXPECT_EQ(failing.on.block_on(failing.resolver->txt("a.example")).status, dns_status::servfail);
    validating_world silent([](const auto&) { return out{}; }, 200ms);
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(silent.on.block_on(silent.resolver->txt("a.example")).status, dns_status::timeout);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
    EXPECT_EQ(silent.resolver->counters().timeouts, 1U);
}

TEST(Validating, WithoutAGoodAnchorItDoesNotStart) {
    io::loop on;
    const auto broken = ::testing::TempDir() + "mailtight_broken_anchor";
    std::ofstream(broken) << "signed.example. IN DS this is none\n";
    EXPECT_THROW(io::make_resolver(on, {.how = io::resolver_options::mode::validating,
                                        .servers = {{base::ip_address::v4({127, 0, 0, 1}), 53}},
                                        .trust_anchor_file = broken}),
                 std::runtime_error);
    std::remove(broken.c_str());
    EXPECT_THROW(io::make_resolver(on, {.how = io::resolver_options::mode::validating,
                                        .servers = {{base::ip_address::v4({127, 0, 0, 1}), 53}},
                                        .trust_anchor_file = "/nowhere/root.key"}),
                 std::runtime_error);
}

TEST(Validating, AQuestionNobodyWaitsForEndsByItself) {
    for (const auto how : {io::resolver_options::mode::validating, io::resolver_options::mode::forwarding}) {
        io::loop on;
        fake_dns server([](const auto&) { return out{}; });
        const auto anchor = anchor_for(server.at().port);
        const auto resolver = io::make_resolver(
            on, {.how = how, .servers = {server.at()}, .trust_anchor_file = anchor, .timeout = 100ms});
        const auto hurry = [&]() -> io::task<> {
            auto one = io::start(on, resolver->txt("a.example"));
            co_await on.sleep_for(10ms);
        };
        on.block_on(hurry());
        EXPECT_EQ(resolver->counters().timeouts, 0U);
        on.block_on(on.sleep_for(300ms));
        EXPECT_EQ(resolver->counters().timeouts, 1U);
        std::remove(anchor.c_str());
    }
}

} // namespace
