// SPDX-License-Identifier: Apache-2.0
// The DNS codec: names, messages, and what an answer says. Messages are written out octet by octet, since the
// lies are in the octets.
#include "wire/dns_answer.h"
#include "wire/dns_message.h"
#include "wire/dns_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace mailtight::wire;
using testing::ElementsAre;

namespace {

std::string bytes(std::initializer_list<int> values) {
    std::string out;
    for (const int value : values)
        out += static_cast<char>(static_cast<unsigned char>(value));
    return out;
}
std::string be16(unsigned value) {
    return bytes({static_cast<int>(value >> 8 & 0xff), static_cast<int>(value & 0xff)});
}
std::string name(std::string_view text) {
    return dns_name_bytes(text).value();
}

/// A response to `a.example TXT` with these counts and what follows the question.
std::string response(unsigned answers, const std::string& rest, unsigned flags = 0x8180,
                     unsigned authority = 0, unsigned additional = 0) {
    return be16(0x1234) + be16(flags) + be16(1) + be16(answers) + be16(authority) + be16(additional) +
           name("a.example") + be16(16) + be16(1) + rest;
}
/// One record; `owner` as bytes, so that it may be compressed.
std::string record(const std::string& owner, unsigned type, const std::string& rdata, int length = -1,
                   unsigned record_class = 1) {
    return owner + be16(type) + be16(record_class) + bytes({0, 0, 1, 44}) +
           be16(length < 0 ? static_cast<unsigned>(rdata.size()) : static_cast<unsigned>(length)) + rdata;
}
const std::string same = bytes({0xc0, 12}); // a pointer to the question's name

dns_message good(const std::string& message) {
    auto parsed = parse_dns_message(message);
    EXPECT_TRUE(parsed) << explain(parsed ? dns_parse_error{} : parsed.error());
    return parsed ? std::move(*parsed) : dns_message{};
}

TEST(DnsName, TextAndBytes) {
    const std::pair<std::string, std::string> rows[] = {
        {"", bytes({0})},
        {".", bytes({0})},
        {"a", bytes({1, 'a', 0})},
        {"a.b.", bytes({1, 'a', 1, 'b', 0})},
        {"a\\046b", bytes({3, 'a', '.', 'b', 0})},
        {"a\\.b", bytes({3, 'a', '.', 'b', 0})},
        {"\\000\\255", bytes({2, 0, 255, 0})},
    };
    for (const auto& [text, expected] : rows)
        EXPECT_EQ(dns_name_bytes(text), expected) << text;
}

TEST(DnsName, BadText) {
    const std::pair<std::string, const char*> rows[] = {
        {"a..b", "an empty label"},
        {".a", "an empty label in front"},
        {"a..", "two dots behind"},
        {std::string(64, 'a'), "a label of 64"},
        {"a\\", "nothing behind the backslash"},
        {"a\\25", "two digits"},
        {"a\\256", "above an octet"},
        {std::string(63, 'a') + '.' + std::string(63, 'a') + '.' + std::string(63, 'a') + '.' +
             std::string(62, 'a'),
         "256 octets"},
    };
    for (const auto& [text, why] : rows)
        EXPECT_FALSE(dns_name_bytes(text)) << why;
    EXPECT_TRUE(dns_name_bytes(std::string(63, 'a') + '.' + std::string(63, 'a') + '.' +
                               std::string(63, 'a') + '.' + std::string(61, 'a')))
        << "255 octets are the most";
}

TEST(DnsName, OneTextForOneName) {
    EXPECT_EQ(canonical_dns_name("_MTA-STS.Example.COM."), "_mta-sts.example.com");
    EXPECT_EQ(canonical_dns_name("a\\.b.c"), "a\\046b.c")
        << "a dot inside a label cannot pass for two labels";
    EXPECT_EQ(canonical_dns_name("\\097"), "a");
    EXPECT_EQ(reverse_name(*mailtight::base::ip_address::parse("192.0.2.1")), "1.2.0.192.in-addr.arpa");
    EXPECT_EQ(reverse_name(*mailtight::base::ip_address::parse("2001:db8::12")),
              "2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
    EXPECT_EQ(canonical_dns_name("a b\\\\"), "a\\032b\\092");
}

RC_GTEST_PROP(DnsName, WhatIsWrittenIsReadBack, (std::string label)) {
    RC_PRE(!label.empty() && label.size() < 64);
    std::string wire = bytes({static_cast<int>(label.size())}) + label + bytes({1, 'x', 0});
    std::size_t offset = 0;
    const auto text = read_dns_name(wire, offset);
    RC_ASSERT(text.has_value());
    RC_ASSERT(offset == wire.size());
    const auto again = dns_name_bytes(*text);
    RC_ASSERT(again.has_value());
    std::size_t from = 0;
    RC_ASSERT(read_dns_name(*again, from) == text);
}

TEST(DnsName, CompressionIsBounded) {
    std::size_t offset = 0;
    EXPECT_FALSE(read_dns_name(bytes({0xc0, 0}), offset)) << "points at itself";
    offset = 2;
    EXPECT_FALSE(read_dns_name(bytes({0xc0, 2, 0xc0, 0}), offset)) << "two that point at each other";
    offset = 0;
    EXPECT_FALSE(read_dns_name(bytes({0xc0, 4, 0, 0, 1, 'a', 0}), offset)) << "points forward";
    offset = 0;
    EXPECT_FALSE(read_dns_name(bytes({0xc0}), offset)) << "half a pointer";
    offset = 0;
    EXPECT_FALSE(read_dns_name(bytes({1, 'a'}), offset)) << "no end";
    offset = 0;
    EXPECT_FALSE(read_dns_name(bytes({5, 'a', 0}), offset)) << "a label beyond the end";
    offset = 0;
    EXPECT_FALSE(read_dns_name(bytes({0x41, 'a', 0}), offset)) << "an extended label type";
    offset = 2;
    EXPECT_FALSE(read_dns_name(bytes({1, 'a', 1, 'b', 0xc0, 0}), offset)) << "label, then back into itself";
    offset = 3;
    EXPECT_EQ(read_dns_name(bytes({1, 'a', 0, 1, 'b', 0xc0, 0}), offset), "b.a");
    EXPECT_EQ(offset, 7U);
}

TEST(DnsName, ALongChainOfPointersEndsAtTheNameLimit) {
    std::string message = bytes({1, 'a', 0});
    for (int i = 0; i < 200; ++i) { // each name is a label and a pointer to the one before
        const auto before = i == 0 ? 0U : static_cast<unsigned>(message.size() - 4);
        message += bytes({1, 'a'}) + be16(0xc000 | before);
    }
    std::size_t offset = message.size() - 4;
    EXPECT_FALSE(read_dns_name(message, offset)) << "403 octets in all";
}

TEST(DnsQuery, IsReadAsItWasBuilt) {
    const auto query =
        build_dns_query({"A.Example.", dns_type::txt},
                        {.id = 0xabcd, .dnssec_ok = true, .authentic_data = true, .checking_disabled = true});
    ASSERT_TRUE(query);
    const auto message = good(*query);
    EXPECT_EQ(message.id, 0xabcd);
    EXPECT_FALSE(message.response);
    EXPECT_TRUE(message.recursion_desired && message.authentic_data && message.checking_disabled &&
                message.edns);
    EXPECT_EQ(message.question, (dns_question{"a.example", dns_type::txt}));
    EXPECT_EQ(query->substr(query->size() - 11), bytes({0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 0}))
        << "OPT: 1232 octets, DO";
    const auto plain = build_dns_query({"a", dns_type::a}, {.recursion_desired = false, .edns = false});
    EXPECT_EQ(*plain, bytes({0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1}));
    EXPECT_FALSE(build_dns_query({"a..b", dns_type::a}, {}));
}

TEST(DnsQuery, RaisesTheLettersOfTheBits) {
    const auto query = build_dns_query({"a-bc.de", dns_type::a}, {.case_bits = 0b10110});
    EXPECT_EQ(query->substr(12, 9), bytes({4, 'a', '-', 'B', 'C', 2, 'd', 'E', 0}));
    EXPECT_EQ(good(*query).question->name, "a-bc.de");
}

TEST(DnsMessage, ReadsEveryKnownType) {
    const auto message = good(response(
        9, record(same, 1, bytes({192, 0, 2, 1})) + record(same, 28, std::string(15, '\0') + bytes({1})) +
               record(same, 5, same) + record(same, 15, be16(10) + bytes({2, 'm', 'x'}) + same) +
               record(same, 16, bytes({1, 'a', 0, 2, 'b', 'c'})) +
               record(same, 6, same + same + std::string(15, '\0') + bytes({9, 0, 0, 0, 60})) +
               record(same, 52, bytes({3, 1, 1, 0xff})) + record(same, 257, bytes({0, 2, 'i', 'd', 'v'})) +
               record(same, 65280, "anything")));
    ASSERT_EQ(message.answers.size(), 9U);
    const auto& r = message.answers;
    EXPECT_EQ(r[0].owner, "a.example");
    EXPECT_EQ(r[0].ttl, 300U);
    EXPECT_EQ(std::get<mailtight::base::ip_address>(r[0].data).to_string(), "192.0.2.1");
    EXPECT_EQ(std::get<mailtight::base::ip_address>(r[1].data).to_string(), "::1");
    EXPECT_EQ(std::get<dns_target>(r[2].data).name, "a.example");
    EXPECT_EQ(std::get<dns_mx>(r[3].data), (dns_mx{10, "mx.a.example"}));
    EXPECT_EQ(std::get<dns_text>(r[4].data).joined, "abc");
    EXPECT_EQ(std::get<dns_soa>(r[5].data).minimum, 60U);
    EXPECT_EQ(std::get<dns_soa>(r[5].data).expire, 9U);
    EXPECT_EQ(std::get<dns_tlsa>(r[6].data), (dns_tlsa{3, 1, 1, "\xff"}));
    EXPECT_EQ(std::get<dns_caa>(r[7].data), (dns_caa{0, "id", "v"}));
    EXPECT_EQ(to_string(r[8].type), "TYPE65280");
}

TEST(DnsMessage, ReadsExtendedErrorsAndTheLongRcode) {
    const std::string option = be16(15) + be16(5) + be16(7) + "old";
    const auto opt = bytes({0}) + be16(41) + be16(1232) + bytes({1, 0, 0, 0}) +
                     be16(static_cast<unsigned>(option.size())) + option;
    const auto message = good(response(0, opt, 0x8180, 0, 1));
    EXPECT_EQ(message.rcode, dns_rcode::bad_version);
    ASSERT_EQ(message.extended_errors.size(), 1U);
    EXPECT_EQ(message.extended_errors[0].text, "old");
    EXPECT_EQ(explain_extended_error(7), "Signature Expired");
    EXPECT_TRUE(means_bogus({6, ""}) && means_bogus({12, ""}));
    EXPECT_FALSE(means_bogus({5, ""}) || means_bogus({13, ""}));
}

struct bad_row {
    const char* why;
    std::string message;
    dns_parse_error expected;
};

TEST(DnsMessage, RefusesLies) {
    const auto txt = record(same, 16, bytes({1, 'a'}));
    const bad_row rows[] = {
        {"nothing", "", dns_parse_error::short_header},
        {"eleven octets", std::string(11, '\0'), dns_parse_error::short_header},
        {"two questions", be16(1) + be16(0x8180) + be16(2) + be16(0) + be16(0) + be16(0),
         dns_parse_error::many_questions},
        {"the question's name has no end",
         be16(1) + be16(0x8180) + be16(1) + be16(0) + be16(0) + be16(0) + "\1a", dns_parse_error::bad_name},
        {"no type behind the name",
         be16(1) + be16(0x8180) + be16(1) + be16(0) + be16(0) + be16(0) + name("a"),
         dns_parse_error::cut_short},
        {"a count without records", response(1, ""), dns_parse_error::cut_short},
        {"10,000 counted, one there", response(10'000, txt), dns_parse_error::cut_short},
        {"RDATA beyond the message", response(1, record(same, 16, bytes({1, 'a'}), 3)),
         dns_parse_error::cut_short},
        {"an owner that points at itself", response(1, record(bytes({0xc0, 27}), 16, bytes({1, 'a'}))),
         dns_parse_error::bad_name},
        {"A of three octets", response(1, record(same, 1, bytes({1, 2, 3}))), dns_parse_error::bad_rdata},
        {"A of five octets", response(1, record(same, 1, bytes({1, 2, 3, 4, 5}))),
         dns_parse_error::bad_rdata},
        {"AAAA of four", response(1, record(same, 28, bytes({1, 2, 3, 4}))), dns_parse_error::bad_rdata},
        {"TXT without a string", response(1, record(same, 16, "")), dns_parse_error::bad_rdata},
        {"TXT whose string runs over", response(1, record(same, 16, bytes({9, 'a'}))),
         dns_parse_error::bad_rdata},
        {"MX without a host", response(1, record(same, 15, be16(1))), dns_parse_error::bad_rdata},
        {"MX with something behind the host", response(1, record(same, 15, be16(1) + same + "x")),
         dns_parse_error::bad_rdata},
        {"CNAME that ends in the next record", response(2, record(same, 5, bytes({1, 'a'}), 2) + txt),
         dns_parse_error::bad_rdata},
        {"SOA cut", response(1, record(same, 6, same + same + "1234")), dns_parse_error::bad_rdata},
        {"TLSA of two", response(1, record(same, 52, bytes({3, 1}))), dns_parse_error::bad_rdata},
        {"CAA whose tag runs over", response(1, record(same, 257, bytes({0, 9, 'i'}))),
         dns_parse_error::bad_rdata},
        {"RRSIG of one", response(1, record(same, 46, "1")), dns_parse_error::bad_rdata},
        {"two OPT", response(0, record(bytes({0}), 41, "") + record(bytes({0}), 41, ""), 0x8180, 0, 2),
         dns_parse_error::bad_opt},
        {"OPT of a name", response(0, record(same, 41, ""), 0x8180, 0, 1), dns_parse_error::bad_opt},
        {"an option beyond OPT",
         response(0, record(bytes({0}), 41, be16(15) + be16(9) + be16(1)), 0x8180, 0, 1),
         dns_parse_error::bad_opt},
        {"an extended error without code",
         response(0, record(bytes({0}), 41, be16(15) + be16(1) + "x"), 0x8180, 0, 1),
         dns_parse_error::bad_opt},
    };
    for (const auto& row : rows) {
        const auto parsed = parse_dns_message(row.message);
        ASSERT_FALSE(parsed) << row.why;
        EXPECT_EQ(parsed.error(), row.expected) << row.why << ": " << explain(parsed.error());
    }
}

TEST(DnsMessage, RefusesMoreRecordsThanAnyHonestAnswer) {
    std::string many;
    for (std::size_t i = 0; i <= dns_records_max; ++i)
        many += record(same, 16, bytes({0}));
    const auto parsed = parse_dns_message(response(dns_records_max + 1, many));
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error(), dns_parse_error::many_records);
    EXPECT_TRUE(parse_dns_message(response(dns_records_max, many)));
}

TEST(DnsMessage, OfATruncatedOneOnlyTheQuestionCounts) {
    const auto message = good(response(3, record(same, 16, bytes({1, 'a'}), 200), 0x8380));
    EXPECT_TRUE(message.truncated);
    EXPECT_TRUE(message.answers.empty());
}

TEST(DnsMessage, SkipsOtherClassesAndLetsATtlWithTheTopBitBeZero) {
    auto high = record(same, 16, bytes({1, 'a'}));
    high[6] = '\xff';
    const auto message = good(response(2, record(same, 16, bytes({1, 'c'}), -1, 3) + high));
    ASSERT_EQ(message.answers.size(), 1U);
    EXPECT_EQ(message.answers[0].ttl, 0U);
}

RC_GTEST_PROP(DnsMessage, AnyBytesBehindAHeaderAreReadOrRefused, (std::string tail)) {
    const auto parsed = parse_dns_message(response(4, tail, 0x8180, 2, 2));
    RC_ASSERT((!parsed || parsed->answers.size() <= 4U));
}

dns_record alias(const std::string& owner, const std::string& to, std::uint32_t ttl) {
    return {owner, dns_type::cname, ttl, dns_target{to}};
}
dns_record txt(const std::string& owner, const std::string& text, std::uint32_t ttl) {
    return {owner, dns_type::txt, ttl, dns_text{text}};
}
dns_record soa(const std::string& zone, std::uint32_t ttl, std::uint32_t minimum) {
    dns_soa data;
    data.minimum = minimum;
    return {zone, dns_type::soa, ttl, data};
}
const dns_question asked{"a", dns_type::txt};
using kind = dns_answer::kind;

TEST(DnsAnswer, TheSmallestTtlOfChainAndRecords) {
    dns_message message;
    message.answers = {txt("c", "1", 50), alias("b", "c", 40), alias("a", "b", 90), txt("c", "2", 60)};
    const auto answer = read_dns_answer(message, asked);
    EXPECT_EQ(answer.result, kind::found);
    EXPECT_THAT(answer.chain, ElementsAre("b", "c"));
    EXPECT_EQ(answer.ttl, 40U);
    EXPECT_EQ(answer.records.size(), 2U);
}

TEST(DnsAnswer, AbsentInItsFourForms) {
    dns_message message;
    message.authority = {soa("z", 100, 30)};
    auto answer = read_dns_answer(message, asked);
    EXPECT_EQ(answer.result, kind::no_data);
    EXPECT_EQ(answer.ttl, 30U);
    EXPECT_EQ(answer.zone, "z");
    message.rcode = dns_rcode::nx_domain;
    message.answers = {alias("a", "b", 20)};
    answer = read_dns_answer(message, asked);
    EXPECT_EQ(answer.result, kind::nx_domain);
    EXPECT_EQ(answer.ttl, 20U) << "the alias goes before the absence";
    message.authority.clear();
    EXPECT_EQ(read_dns_answer(message, asked).ttl, 0U) << "without SOA nothing to keep";
    message.rcode = dns_rcode::no_error;
    EXPECT_EQ(read_dns_answer(message, asked).result, kind::goes_on);
    message.answers.clear();
    message.recursion_available = true;
    EXPECT_EQ(read_dns_answer(message, asked).result, kind::no_data);
    message.recursion_available = false;
    message.authority = {{"z", dns_type::ns, 1, dns_target{"n"}}};
    EXPECT_EQ(read_dns_answer(message, asked).result, kind::lame);
}

TEST(DnsAnswer, ChainsThatComeBackOrNeverEnd) {
    dns_message message;
    message.answers = {alias("a", "a", 1)};
    EXPECT_EQ(read_dns_answer(message, asked).result, kind::loop);
    message.answers = {alias("a", "b", 1)};
    EXPECT_EQ(read_dns_answer(message, asked, {"z", "b"}).result, kind::loop) << "seen in an earlier message";
    message.answers = {alias("a", "x1", 1)};
    for (int i = 1; i < 16; ++i)
        message.answers.push_back(alias("x" + std::to_string(i), "x" + std::to_string(i + 1), 1));
    message.answers.push_back(txt("x16", "t", 1));
    EXPECT_EQ(read_dns_answer(message, asked).result, kind::found) << "16 hops";
    message.answers.push_back(alias("x16", "x17", 1));
    EXPECT_EQ(read_dns_answer(message, asked).result, kind::loop) << "17 hops";
}

TEST(DnsAnswer, AQuestionForTheAliasIsNotFollowed) {
    dns_message message;
    message.answers = {alias("a", "b", 1), alias("b", "c", 1)};
    const auto answer = read_dns_answer(message, {"a", dns_type::cname});
    EXPECT_EQ(answer.result, kind::found);
    EXPECT_TRUE(answer.chain.empty());
    EXPECT_EQ(std::get<dns_target>(answer.records.at(0).data).name, "b");
}

TEST(DnsWords, EveryErrorIsExplained) {
    for (int i = 0; i <= static_cast<int>(dns_parse_error::bad_opt); ++i)
        EXPECT_NE(explain(static_cast<dns_parse_error>(i)), "") << i;
    EXPECT_EQ(dns_type_named("TLSA"), dns_type::tlsa);
    EXPECT_FALSE(dns_type_named("tlsa?"));
    EXPECT_EQ(to_string(static_cast<dns_rcode>(17)), "RCODE17");
}

} // namespace
