// SPDX-License-Identifier: Apache-2.0
// Zone transfer (RFC 5936): the messages of others give the names that take mail, signed (RFC 8945 §5.3.1) or
// not; nothing is believed of one that is cut, mixed up, changed, or longer than its bounds.
#include "wire/dns_transfer.h"

#include "base/crypto/issuing.h"
#include "base/encode.h"
#include "dns_transfer_vectors.h"
#include "wire/dns_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace mailtight::wire {
namespace {

using kind = transfer_fault::kind;
using testing::ElementsAre;
using testing::IsEmpty;
using messages = std::vector<std::string>;

const base::utc_seconds signed_at = base::parse_utc("2026-01-02T03:04:05Z").value();

std::string bytes_of(std::string_view hex) {
    return base::unhex(hex).value();
}

messages all_of(const std::array<std::string_view, 3>& hex) {
    messages all;
    for (const auto each : hex)
        all.push_back(bytes_of(each));
    return all;
}

std::string keyed(std::string_view algorithm, std::string_view key, std::string_view bytes) {
    return algorithm == "hmac-sha512" ? base::hmac_sha512(key, bytes) : base::hmac_sha256(key, bytes);
}

tsig_key key_of_vectors() {
    std::string secret;
    for (char c = 0; c < 32; ++c)
        secret += c;
    return {"push.example.com", "hmac-sha256", secret};
}

tsig_stream verifier(std::string mac = bytes_of(tests::transfer_query_mac)) {
    return {key_of_vectors(), std::move(mac), keyed};
}

struct outcome {
    std::optional<transfer_fault> fault;
    bool whole = false;
    std::set<std::string> names;
};
outcome read(const messages& all, std::optional<tsig_stream> by = {}, transfer_limits within = {},
             base::utc_seconds now = signed_at) {
    transfer_reader reader("Example.COM.", 0x1234, std::move(by), within);
    outcome out;
    for (const auto& each : all) {
        const auto step = reader.take(each, now);
        if (!step)
            out.fault = step.error();
        if (!step || *step) {
            out.whole = step && *step;
            break;
        }
    }
    out.names = reader.names();
    return out;
}

/// A whole zone in one message, with these records between its SOAs.
struct raw {
    std::string owner;
    std::uint16_t type = 15, record_class = dns_class_in;
    std::string data = std::string("\0\x0a\2mx\7example\3com\0", 18);
};
std::string soa_data() {
    return std::string("\0\0", 2) + std::string(20, '\1');
}
raw apex_soa() {
    return {.owner = "example.com", .type = 6, .data = soa_data()};
}
std::string message_of(const std::vector<raw>& records, std::uint16_t id = 0x1234,
                       std::uint16_t flags = 0x8400) {
    std::string out;
    for (const unsigned each : {unsigned{id}, unsigned{flags}, 0U, unsigned(records.size()), 0U, 0U})
        put16(out, each);
    for (const auto& each : records) {
        out += dns_name_bytes(each.owner).value();
        put16(out, each.type);
        put16(out, each.record_class);
        put32(out, 300);
        put16(out, unsigned(each.data.size()));
        out += each.data;
    }
    return out;
}
std::string zone_of(std::vector<raw> between) {
    between.insert(between.begin(), apex_soa());
    between.push_back(apex_soa());
    return message_of(between);
}

TEST(Transfer, AsksAsDnspythonDoes) {
    EXPECT_EQ(build_transfer_query("Example.com.", 0x1234), bytes_of(tests::transfer_query));
    EXPECT_FALSE(build_transfer_query("exam..ple", 1));
    const auto with_key =
        sign_dns_message(bytes_of(tests::transfer_query), key_of_vectors(), signed_at, keyed);
    EXPECT_EQ(base::hex(with_key.mac), tests::transfer_query_mac);
}

TEST(Transfer, NamesThatTakeMailAndNoOthers) {
    const auto got = read(all_of(tests::transfer_plain));
    EXPECT_TRUE(got.whole);
    EXPECT_THAT(got.names,
                ElementsAre("*.wild.example.com", "a.example.com", "b.example.com", "deep.er.example.com"))
        << "not the apex, not the null MX, not a host";
}

TEST(Transfer, SignedMessagesOfDnspythonAreVerified) {
    for (const auto& all : {all_of(tests::transfer_signed), all_of(tests::transfer_gap)}) {
        const auto got = read(all, verifier());
        EXPECT_TRUE(got.whole) << (got.fault ? explain(*got.fault) : "");
        EXPECT_EQ(got.names.size(), 4U);
    }
}

TEST(Transfer, NothingIsBelievedThatIsNotAsItWasSigned) {
    const auto good = all_of(tests::transfer_signed), gap = all_of(tests::transfer_gap),
               plain = all_of(tests::transfer_plain);
    const struct {
        const char* why;
        messages all;
        tsig_fault says;
    } bad[] = {
        {"the first message has to be signed", {plain[0], good[1], good[2]}, tsig_fault::missing},
        {"the last message has to be signed", {good[0], good[1], plain[2]}, tsig_fault::missing},
        {"a message was taken out", {good[0], good[2]}, tsig_fault::bad_mac},
        {"an unsigned message was taken out", {gap[0], gap[2]}, tsig_fault::bad_mac},
        {"a message was put in", {gap[0], gap[1], gap[1], gap[2]}, tsig_fault::bad_mac},
        {"two were exchanged", {good[1], good[0], good[2]}, tsig_fault::bad_mac},
    };
    for (const auto& row : bad) {
        const auto got = read(row.all, verifier());
        ASSERT_TRUE(got.fault) << row.why;
        EXPECT_EQ(got.fault->what, kind::signature) << row.why;
        EXPECT_EQ(got.fault->signature, row.says) << row.why;
        EXPECT_THAT(got.names, IsEmpty()) << row.why;
    }
    EXPECT_EQ(read(good, verifier("another question's")).fault->signature, tsig_fault::bad_mac);
    EXPECT_EQ(read(good, verifier(), {}, signed_at + std::chrono::seconds(301)).fault->signature,
              tsig_fault::bad_time);
    auto other = key_of_vectors();
    other.name = "other.example.com";
    EXPECT_EQ(read(good, tsig_stream(other, bytes_of(tests::transfer_query_mac), keyed)).fault->signature,
              tsig_fault::other_key);
}

TEST(Transfer, NinetyNineMessagesMayGoUnsignedAndNoMore) {
    const auto first = all_of(tests::transfer_signed)[0], plain = all_of(tests::transfer_plain)[1];
    messages all{first};
    for (int i = 0; i < 99; ++i)
        all.push_back(plain);
    EXPECT_FALSE(read(all, verifier()).fault);
    all.push_back(plain);
    const auto got = read(all, verifier());
    ASSERT_TRUE(got.fault);
    EXPECT_EQ(got.fault->signature, tsig_fault::missing);
}

TEST(Transfer, ARefusalIsTakenWithoutSignature) {
    for (const bool with_key : {false, true}) {
        const auto got =
            read({bytes_of(tests::transfer_refused)}, with_key ? std::optional(verifier()) : std::nullopt);
        ASSERT_TRUE(got.fault);
        EXPECT_EQ(got.fault->what, kind::refused);
        EXPECT_EQ(explain(*got.fault), "it answers REFUSED");
    }
}

TEST(Transfer, WhatIsNoWholeZone) {
    const raw mx{.owner = "a.example.com"};
    const struct {
        const char* why;
        std::string message;
        kind says;
    } bad[] = {
        {"no message", "abc", kind::malformed},
        {"a question", message_of({apex_soa()}, 0x1234, 0x0400), kind::foreign},
        {"another id", message_of({apex_soa()}, 0x4321), kind::foreign},
        {"another operation", message_of({apex_soa()}, 0x1234, 0xac00), kind::foreign},
        {"nothing in it", message_of({}), kind::not_whole},
        {"begins with something else", message_of({mx, apex_soa()}), kind::not_whole},
        {"another zone's", message_of({{.owner = "example.net", .type = 6, .data = soa_data()}}),
         kind::not_whole},
        {"something behind the end", message_of({apex_soa(), apex_soa(), mx}), kind::not_ended},
        {"an MX record without a host", zone_of({{.owner = "a.example.com", .data = "\1\2"}}),
         kind::malformed},
        {"an MX record whose name runs on", zone_of({{.owner = "a.example.com", .data = "\1\2\5ab"}}),
         kind::malformed},
        {"bytes behind an MX record's name",
         zone_of({{.owner = "a.example.com", .data = std::string("\0\1\1a\0b", 6)}}), kind::malformed},
    };
    for (const auto& row : bad) {
        const auto got = read({row.message});
        ASSERT_TRUE(got.fault) << row.why;
        EXPECT_EQ(got.fault->what, row.says) << row.why;
        EXPECT_FALSE(explain(*got.fault).empty());
    }
}

TEST(Transfer, NothingOutsideTheZoneAndNothingOfAnotherClass) {
    const auto got = read({zone_of({{.owner = "a.example.com"},
                                    {.owner = "a.example.com"},
                                    {.owner = "a.example.net"},
                                    {.owner = "notexample.com"},
                                    {.owner = "c.example.com", .record_class = 3},
                                    {.owner = "d.example.com", .data = std::string("\0\0\0", 3)}})});
    EXPECT_TRUE(got.whole);
    EXPECT_THAT(got.names, ElementsAre("a.example.com"));
}

TEST(Transfer, EverythingHasABound) {
    const auto zone = zone_of({{.owner = "a.example.com"}, {.owner = "b.example.com"}});
    const auto three = all_of(tests::transfer_plain);
    const auto much = [](const outcome& of) { return of.fault && of.fault->what == kind::too_much; };
    EXPECT_FALSE(much(read({zone}, {}, {.names = 2})));
    EXPECT_TRUE(much(read({zone}, {}, {.names = 1})));
    EXPECT_FALSE(much(read({zone}, {}, {.records = 4})));
    EXPECT_TRUE(much(read({zone}, {}, {.records = 3})));
    EXPECT_FALSE(much(read({zone}, {}, {.bytes = zone.size()})));
    EXPECT_TRUE(much(read({zone}, {}, {.bytes = zone.size() - 1})));
    EXPECT_FALSE(much(read(three, {}, {.messages = 3})));
    EXPECT_TRUE(much(read(three, {}, {.messages = 2})));
}

TEST(Transfer, AMessageMayBeFull) { // more records than an answer to a resolver ever has
    std::vector<raw> many;
    for (int i = 0; i < 3'000; ++i)
        many.push_back({.owner = "", .type = 16, .data = std::string("\0", 1)});
    many.push_back({.owner = "a.example.com"});
    EXPECT_THAT(read({zone_of(many)}).names, ElementsAre("a.example.com"));
}

TEST(Transfer, NothingIsTakenAfterTheEndOrAFault) {
    const auto zone = zone_of({{.owner = "a.example.com"}});
    transfer_reader good("example.com", 0x1234, {});
    EXPECT_TRUE(good.take(zone, signed_at).value_or(false));
    EXPECT_FALSE(good.take(zone, signed_at));
    EXPECT_EQ(good.names().size(), 1U);
    transfer_reader bad("example.com", 0x1234, {});
    EXPECT_FALSE(bad.take("", signed_at));
    EXPECT_FALSE(bad.take(zone, signed_at));
    EXPECT_THAT(bad.names(), IsEmpty());
}

RC_GTEST_PROP(Transfer, TheSameNamesHoweverTheZoneIsCut, ()) {
    const auto labels = *rc::gen::container<std::set<std::string>>(
        rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange('a', 'e'))));
    std::vector<raw> records{apex_soa()};
    std::set<std::string> expected;
    for (const auto& label : labels) {
        if (label.size() > 60)
            continue;
        const bool takes_mail = *rc::gen::arbitrary<bool>();
        records.push_back({.owner = label + ".example.com", .type = std::uint16_t(takes_mail ? 15 : 16)});
        if (takes_mail)
            expected.insert(label + ".example.com");
    }
    records.push_back(apex_soa());
    messages all;
    for (std::size_t at = 0; at < records.size();) {
        const auto some = *rc::gen::inRange<std::size_t>(1, records.size() - at + 1);
        all.push_back(
            message_of({records.begin() + std::ptrdiff_t(at), records.begin() + std::ptrdiff_t(at + some)}));
        at += some;
    }
    const auto got = read(all);
    RC_ASSERT(got.whole);
    RC_ASSERT(got.names == expected);
    all.pop_back(); // cut short, no name comes out
    RC_ASSERT(read(all).names.empty());
}

RC_GTEST_PROP(Transfer, OneChangedOctetIsNoticed, ()) {
    auto all = all_of(*rc::gen::arbitrary<bool>() ? tests::transfer_signed : tests::transfer_gap);
    auto& one = all[*rc::gen::inRange<std::size_t>(0, all.size())];
    auto& octet = one[*rc::gen::inRange<std::size_t>(2, one.size())]; // the id may change on the way
    const auto before = octet;
    octet = static_cast<char>(octet ^ *rc::gen::inRange(1, 256));
    if (std::tolower(static_cast<unsigned char>(octet)) == std::tolower(static_cast<unsigned char>(before)))
        return; // the letters of the key's name mean the same
    const auto got = read(all, verifier());
    RC_ASSERT(got.fault);
    RC_ASSERT(got.names.empty());
}

} // namespace
} // namespace mailtight::wire
