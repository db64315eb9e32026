// SPDX-License-Identifier: Apache-2.0
// Updates as bytes: against bytes written out by hand from RFC 2136, against what other programs make of the
// same changes, and back through the readers.
#include "base/encode.h"
#include "dns_update_vectors.h"
#include "wire/dns_name.h"
#include "wire/dns_raw.h"
#include "wire/dns_update.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <tuple>

namespace mailtight::wire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string bytes_of(std::string_view hex) {
    return base::unhex(hex).value();
}

dns_update replacement() {
    dns_update update;
    update.zone = "example.com";
    update.as_it_is = {{"_mta-sts.example.com", dns_type::txt, 300, "v=STSv1; id=1;"}};
    update.none_of = {{"_mta-sts.example.com", dns_type::cname}};
    update.unused = {"new.example.com"};
    update.remove = {{"_mta-sts.example.com", dns_type::txt, 300, "v=STSv1; id=1;"}};
    update.add = {{"_mta-sts.example.com", dns_type::txt, 300, "v=STSv1; id=2;"}};
    return update;
}

// RFC 2136 §2: header, zone, prerequisites and changes, each with the class and TTL that says what it is.
TEST(DnsUpdate, EveryByteIsWhereTheRfcPutsIt) {
    const std::string owner = "085f6d74612d737473076578616d706c6503636f6d00";
    const std::string old_text = "0e763d53545376313b2069643d313b",
                      new_text = "0e763d53545376313b2069643d323b";
    const auto expected = "abcd" // id
                          "2800" // opcode 5, all flags clear (§2.2)
                          "0001" // one zone
                          "0003" // prerequisites
                          "0002" // changes
                          "0000" // additional
                          "076578616d706c6503636f6d00"
                          "0006"
                          "0001" // ZTYPE SOA, ZCLASS IN (§2.3)
                          + owner +
                          "0010"
                          "0001"
                          "00000000"
                          "000f" +
                          old_text // exactly this (§2.4.2)
                          + owner +
                          "0005"
                          "00fe"
                          "00000000"
                          "0000" // no such RRset (§2.4.3)
                          + "036e6577076578616d706c6503636f6d00"
                            "00ff"
                            "00fe"
                            "00000000"
                            "0000" // name not in use (§2.4.5)
                          + owner +
                          "0010"
                          "00fe"
                          "00000000"
                          "000f" +
                          old_text // this one goes (§2.5.4)
                          + owner +
                          "0010"
                          "0001"
                          "0000012c"
                          "000f" +
                          new_text; // this one comes (§2.5.1)
    const auto built = build_dns_update(replacement(), 0xabcd);
    ASSERT_TRUE(built);
    EXPECT_EQ(base::hex(*built), expected);
}

/// A record as it stands, whatever the compression.
using plain = std::tuple<int, std::string, int, int, std::uint32_t, std::string>;
std::vector<plain> plain_records(std::string_view bytes) {
    std::vector<plain> all;
    const auto message = read_raw_message(bytes);
    EXPECT_TRUE(message);
    if (!message)
        return all;
    for (const auto& record : message->records) {
        auto data = std::string(bytes.substr(record.data, record.length));
        if (record.type == 5 && record.length > 0) {
            auto at = record.data;
            data = dns_name_bytes(*read_dns_name(bytes, at)).value();
        }
        all.emplace_back(static_cast<int>(record.section), record.owner, record.type, record.record_class,
                         record.ttl, data);
    }
    return all;
}

TEST(DnsUpdate, OthersMakeTheSameOfTheSameChanges) {
    dns_update update = replacement();
    update.as_it_is.push_back(
        {"_mta-sts.example.com", dns_type::txt, 0, "othertext", std::string("\x05other\x04text", 11)});
    update.add.push_back({"mta-sts.example.com", dns_type::a, 3600, "192.0.2.1"});
    update.add.push_back({"mta-sts.example.com", dns_type::aaaa, 3600, "2001:db8::1"});
    update.add.push_back({"alias.example.com", dns_type::cname, 60, "target.example.net"});
    const auto ours = build_dns_update(update, 0x1234);
    ASSERT_TRUE(ours);
    EXPECT_EQ(plain_records(*ours), plain_records(bytes_of(tests::python_plain)));

    auto nsupdate = plain_records(bytes_of(tests::nsupdate_signed));
    auto knsupdate = plain_records(bytes_of(tests::knsupdate_signed));
    nsupdate.pop_back(); // TSIG
    knsupdate.pop_back();
    const auto built = build_dns_update(replacement(), 1);
    ASSERT_TRUE(built);
    EXPECT_EQ(plain_records(*built), nsupdate);
    EXPECT_EQ(plain_records(*built), knsupdate);
}

TEST(DnsUpdate, WhatCannotBeWrittenIsNotWritten) {
    const auto with = [](update_record record) {
        dns_update update{.zone = "example.com"};
        update.add = {std::move(record)};
        return build_dns_update(update, 1).has_value();
    };
    EXPECT_TRUE(with({"a.example.com", dns_type::txt, 1, ""})) << "an empty text is a text";
    EXPECT_TRUE(with({"A.EXAMPLE.COM.", dns_type::cname, 1, "B."}));
    EXPECT_TRUE(with({"a.example.com", dns_type::txt, 1, std::string(60'000, 'x')}));
    EXPECT_FALSE(with({"a..example.com", dns_type::txt, 1, "x"})) << "no name";
    EXPECT_FALSE(with({std::string(64, 'a') + ".com", dns_type::txt, 1, "x"})) << "a label too long";
    EXPECT_FALSE(with({"a.example.com", dns_type::cname, 1, ""})) << "an alias of nothing";
    EXPECT_FALSE(with({"a.example.com", dns_type::cname, 1, "b..c"})) << "an alias of no name";
    EXPECT_FALSE(with({"a.example.com", dns_type::a, 1, "2001:db8::1"})) << "IPv6 in an A record";
    EXPECT_FALSE(with({"a.example.com", dns_type::aaaa, 1, "192.0.2.1"})) << "IPv4 in an AAAA record";
    EXPECT_FALSE(with({"a.example.com", dns_type::mx, 1, "10 mx"})) << "a type that is not written here";
    EXPECT_FALSE(with({"a.example.com", dns_type::txt, 1, std::string(65'500, 'x')}))
        << "longer than a message";
    EXPECT_FALSE(build_dns_update({.zone = "a..b"}, 1)) << "a zone that is no name";
    dns_update many{.zone = "example.com"};
    many.add.assign(3'000, {"_mta-sts.example.com", dns_type::txt, 300, "v=STSv1; id=1;"});
    EXPECT_FALSE(build_dns_update(many, 1)) << "more than a message holds";
}

// RFC 1035 §3.3.14: pieces of at most 255 octets.
RC_GTEST_PROP(DnsUpdate, ATextComesBackWhole, ()) {
    const auto size = *rc::gen::inRange(0, 2'000);
    const auto value =
        *rc::gen::container<std::string>(static_cast<std::size_t>(size), rc::gen::arbitrary<char>());
    dns_update update{.zone = "example.com"};
    update.add = {{"_mta-sts.example.com", dns_type::txt, 300, value}};
    auto bytes = build_dns_update(update, 7);
    RC_ASSERT(bytes.has_value());
    // An update is laid out as a message is: where the changes stand, an answer has its authority.
    const auto as_message = parse_dns_message(*bytes);
    RC_ASSERT(as_message.has_value());
    RC_ASSERT(as_message->authority.size() == 1U);
    RC_ASSERT(std::get<dns_text>(as_message->authority[0].data).joined == value);
    // As an answer, its exact bytes come back, and go into the next prerequisite.
    bytes->replace(2, 2, std::string("\x84\x00", 2));
    bytes->replace(6, 4, std::string("\x00\x01\x00\x00", 4));
    const auto reply = read_dns_update_reply(*bytes);
    RC_ASSERT(reply.has_value());
    RC_ASSERT(reply->answers.size() == 1U);
    RC_ASSERT(reply->answers[0].value == value);
    dns_update again{.zone = "example.com"};
    again.as_it_is = reply->answers;
    RC_ASSERT(build_dns_update(again, 8).has_value());
}

/// A reply to a query: header, no question, records.
std::string reply_with(std::string_view answers_hex, unsigned count, std::string_view flags = "8400") {
    std::string head = "0001" + std::string(flags) + "0000";
    for (const unsigned n : {count, 0U, 0U}) {
        head += "00";
        head += base::hex(std::string(1, static_cast<char>(n)));
    }
    return bytes_of(head + std::string(answers_hex));
}

TEST(DnsUpdateReply, SaysWhatStandsThere) {
    // x. TXT "ab" "c"; x. CNAME y. by a pointer; x. A; x. SOA with serial 7
    const auto bytes = reply_with("017800"
                                  "0010"
                                  "0001"
                                  "00000005"
                                  "0005"
                                  "0261620163"
                                  "017800"
                                  "0005"
                                  "0001"
                                  "00000005"
                                  "0002"
                                  "c00c"
                                  "017800"
                                  "0001"
                                  "0001"
                                  "00000005"
                                  "0004"
                                  "c0000201"
                                  "017800"
                                  "0006"
                                  "0001"
                                  "00000005"
                                  "0016"
                                  "0000"
                                  "0000000700000001000000020000000300000004",
                                  4);
    const auto reply = read_dns_update_reply(bytes);
    ASSERT_TRUE(reply);
    EXPECT_TRUE(reply->authoritative);
    EXPECT_EQ(reply->zone, "x");
    EXPECT_EQ(reply->serial, 7U);
    EXPECT_EQ(reply->alias, "x");
    ASSERT_EQ(reply->answers.size(), 4U);
    EXPECT_EQ(reply->answers[0], (update_record{"x", dns_type::txt, 5, "abc", bytes_of("0261620163")}));
    EXPECT_EQ(reply->answers[1], (update_record{"x", dns_type::cname, 5, "x", bytes_of("017800")}))
        << "the name uncompressed";
    EXPECT_EQ(reply->answers[2], (update_record{"x", dns_type::a, 5, "192.0.2.1", bytes_of("c0000201")}));
    EXPECT_EQ(reply->answers[3], (update_record{"x", dns_type::soa, 5, "", ""}))
        << "that it stands there, no more";
}

TEST(DnsUpdateReply, WhatLiesIsRefusedWhole) {
    EXPECT_EQ(read_dns_update_reply("short").error(), dns_parse_error::short_header);
    EXPECT_EQ(read_dns_update_reply(reply_with("", 1)).error(), dns_parse_error::cut_short);
    EXPECT_EQ(read_dns_update_reply(reply_with("017800"
                                               "0010"
                                               "0001"
                                               "00000005"
                                               "0009"
                                               "0261",
                                               1))
                  .error(),
              dns_parse_error::cut_short);
    for (const auto bad : {"017800"
                           "0010"
                           "0001"
                           "00000005"
                           "0003"
                           "056162", // a string beyond its RDATA
                           "017800"
                           "0010"
                           "0001"
                           "00000005"
                           "0000", // no string at all
                           "017800"
                           "0001"
                           "0001"
                           "00000005"
                           "0003"
                           "c00002", // an A of three octets
                           "017800"
                           "001c"
                           "0001"
                           "00000005"
                           "0004"
                           "c0000201",
                           "017800"
                           "0005"
                           "0001"
                           "00000005"
                           "0003"
                           "c00c00"}) // octets behind the name
        EXPECT_EQ(read_dns_update_reply(reply_with(bad, 1)).error(), dns_parse_error::bad_rdata) << bad;
}

TEST(DnsUpdateWords, EveryCodeHasItsNameAndAFix) {
    const std::pair<int, std::string> names[] = {
        {0, "NOERROR"},  {1, "FORMERR"},  {2, "SERVFAIL"},  {3, "NXDOMAIN"}, {4, "NOTIMP"},   {5, "REFUSED"},
        {6, "YXDOMAIN"}, {7, "YXRRSET"},  {8, "NXRRSET"},   {9, "NOTAUTH"},  {10, "NOTZONE"}, {16, "BADSIG"},
        {17, "BADKEY"},  {18, "BADTIME"}, {22, "BADTRUNC"}, {23, "RCODE23"}};
    for (const auto& [code, name] : names) {
        EXPECT_EQ(update_rcode_name(static_cast<std::uint16_t>(code)), name);
        EXPECT_FALSE(explain_update_rcode(static_cast<std::uint16_t>(code)).empty());
    }
    EXPECT_THAT(std::string(explain_update_rcode(5)), HasSubstr("allow"));
    EXPECT_THAT(std::string(explain_update_rcode(9)), HasSubstr("zone"));
    EXPECT_THAT(std::string(explain_update_rcode(18)), HasSubstr("NTP"));
}

} // namespace
} // namespace mailtight::wire
