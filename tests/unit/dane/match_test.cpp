// SPDX-License-Identifier: Apache-2.0
// A DANE sender before the lab's chain: what satisfies it, what does not, and what it says.
#include "base/encode.h"
#include "dane/tlsa.h"
#include "lab_chain.h"
#include "support/proves.h"

#include <gmock/gmock.h>

namespace mailtight::dane {
namespace {
using enum verdict::outcome;
using base::certificate;
using testing::ElementsAre;
using testing::HasSubstr;
namespace lab = tests::lab_chain;
using namespace std::chrono_literals;

constexpr base::utc_seconds in_2026 = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1};
constexpr base::utc_seconds in_2025 = in_2026 - 24h * 365;
constexpr base::utc_seconds in_2028 = in_2026 + 24h * 731; // the intermediate has expired, the leaf has not
constexpr base::utc_seconds in_2030 = in_2026 + 24h * 1461;

tlsa of(int usage, int selector, int matching, const certificate& cert) {
    const std::string& selected = selector == 0 ? cert.der : cert.spki_der;
    return {static_cast<std::uint8_t>(usage), static_cast<std::uint8_t>(selector),
            static_cast<std::uint8_t>(matching),
            matching == 0   ? selected
            : matching == 1 ? base::sha256(selected)
                            : base::sha512(selected)};
}

struct question {
    std::vector<tlsa> rrset;
    std::vector<certificate> chain = {lab::leaf, lab::inter, lab::root};
    std::vector<std::string> names = {"mx1.example.com"};
    base::utc_seconds now = in_2026;
    verdict ask() const { return match(rrset, chain, names, now); }
    verdict::outcome outcome() const { return ask().result; }
};

TEST(dane_ee, the_leaf_alone_counts_not_its_names_nor_dates) {
    PROVES("7672-3.1.1-a");
    for (int selector : {0, 1})
        for (int matching : {0, 1, 2}) {
            const auto record = of(3, selector, matching, lab::leaf);
            EXPECT_EQ((question{.rrset = {record}}).outcome(), matches);
            EXPECT_EQ((question{.rrset = {record}, .chain = {lab::leaf}}).outcome(), matches);
            EXPECT_EQ((question{.rrset = {record}, .names = {"other.example.org"}}).outcome(), matches);
            EXPECT_EQ((question{.rrset = {record}, .now = in_2030}).outcome(), matches);
            EXPECT_EQ((question{.rrset = {record}, .now = in_2025}).outcome(), matches);
            EXPECT_EQ((question{.rrset = {record}, .chain = {lab::wild, lab::leaf}}).outcome(), no_match);
        }
    EXPECT_EQ((question{.rrset = {of(3, 1, 1, lab::self_signed)}, .chain = {lab::self_signed}}).outcome(),
              matches);
    EXPECT_EQ((question{.rrset = {of(3, 1, 1, lab::inter)}}).outcome(), no_match); // not the leaf
}

TEST(dane_ta, an_authority_that_the_server_sent) {
    PROVES("7672-3.1.2-a");
    for (const auto& anchor : {lab::inter, lab::root})
        for (int selector : {0, 1})
            for (int matching : {0, 1, 2})
                EXPECT_EQ((question{.rrset = {of(2, selector, matching, anchor)}}).outcome(), matches);
    const auto root = of(2, 0, 1, lab::root);
    EXPECT_EQ((question{.rrset = {root}, .chain = {lab::leaf, lab::inter}}).outcome(),
              no_match); // even a root is sent
    EXPECT_EQ((question{.rrset = {root}, .chain = {lab::leaf, lab::root}}).outcome(),
              no_match); // a link is missing
    EXPECT_EQ(
        (question{.rrset = {root}, .chain = {lab::leaf, lab::other_root, lab::root, lab::inter}}).outcome(),
        matches); // the order sent does not matter
    // One that signed nothing of it, although it was sent.
    EXPECT_EQ(
        (question{.rrset = {of(2, 0, 1, lab::other_root)}, .chain = {lab::leaf, lab::inter, lab::other_root}})
            .outcome(),
        no_match);
}

TEST(dane_ta, an_authority_of_the_right_name_that_did_not_sign) {
    auto impostor = lab::inter; // another key under the same name
    impostor.spki_der = lab::other_root.spki_der;
    EXPECT_EQ((question{.rrset = {of(2, 1, 1, impostor)}, .chain = {lab::leaf, impostor}}).outcome(),
              no_match);
    auto no_authority = lab::inter;
    no_authority.is_ca = false;
    EXPECT_EQ((question{.rrset = {of(2, 1, 1, no_authority)}, .chain = {lab::leaf, no_authority}}).outcome(),
              no_match);
}

TEST(dane_ta, whole_data_stands_for_an_authority_that_was_not_sent) {
    EXPECT_EQ((question{.rrset = {of(2, 1, 0, lab::inter)}, .chain = {lab::leaf}}).outcome(),
              matches); // a bare key
    EXPECT_EQ((question{.rrset = {of(2, 0, 0, lab::inter)}, .chain = {lab::leaf}}).outcome(), matches);
    EXPECT_EQ((question{.rrset = {of(2, 1, 0, lab::root)}, .chain = {lab::leaf, lab::inter}}).outcome(),
              matches);
    EXPECT_EQ((question{.rrset = {of(2, 1, 0, lab::other_root)}, .chain = {lab::leaf}}).outcome(), no_match);
    EXPECT_EQ((question{.rrset = {of(2, 0, 0, lab::other_root)}, .chain = {lab::leaf}}).outcome(), no_match);
}

TEST(dane_ta, the_certificate_names_the_mail_server) {
    PROVES("7672-3.2.2-a", "7672-3.2.3-a");
    const auto anchor = of(2, 1, 1, lab::inter);
    const auto with = [&](const certificate& leaf, std::vector<std::string> names) {
        return question{.rrset = {anchor}, .chain = {leaf, lab::inter}, .names = std::move(names)}.ask();
    };
    EXPECT_EQ(with(lab::leaf, {"MX1.example.com"}).result, matches);
    EXPECT_EQ(with(lab::leaf, {"mx2.example.com", "mx1.example.com"}).result, matches);
    EXPECT_EQ(with(lab::leaf, {}).result, no_match);
    const auto wrong = with(lab::leaf, {"mx2.example.com", "example.com"});
    EXPECT_EQ(wrong.result, no_match);
    EXPECT_THAT(wrong.reason, HasSubstr("names none of mx2.example.com, example.com"));
    EXPECT_TRUE(wrong.unmatched.empty()); // the record is right, the certificate is not
    EXPECT_EQ(with(lab::wild, {"mx7.example.com"}).result, matches);
    EXPECT_EQ(with(lab::wild, {"a.mx7.example.com"}).result, no_match);
    EXPECT_EQ(with(lab::wild, {"mx.test"}).result, no_match); // its common name does not count beside a SAN
    EXPECT_EQ(with(lab::leaf_cn_only, {"mx1.example.com"}).result, matches);
    EXPECT_EQ(with(lab::leaf_cn_only, {"mx2.example.com"}).result, no_match);
}

TEST(dane_ta, the_chain_is_valid_now) {
    const auto at = [](base::utc_seconds now, const tlsa& anchor) {
        return question{.rrset = {anchor}, .now = now}.ask();
    };
    EXPECT_EQ(at(in_2026, of(2, 1, 1, lab::root)).result, matches);
    const auto later = at(in_2028, of(2, 1, 1, lab::root));
    EXPECT_EQ(later.result, no_match);
    EXPECT_THAT(later.reason, HasSubstr("not valid now"));
    EXPECT_EQ(at(in_2028, of(2, 1, 1, lab::inter)).result, no_match);
    EXPECT_EQ(at(in_2028, of(2, 1, 0, lab::inter)).result, matches); // a bare key has no dates
    EXPECT_THAT(at(in_2030, of(2, 1, 1, lab::root)).reason, HasSubstr("expired on 2029-01-01"));
    EXPECT_THAT(at(in_2025, of(2, 1, 1, lab::root)).reason, HasSubstr("valid only from 2026-01-01"));
}

TEST(dane_ta, the_leaf_is_no_authority_of_itself) {
    const auto answer = question{.rrset = {of(2, 1, 1, lab::self_signed)}, .chain = {lab::self_signed}}.ask();
    EXPECT_EQ(answer.result, no_match);
    EXPECT_THAT(answer.reason, HasSubstr("usage 2 names an authority"));
}

TEST(dane_match, digest_agility_decides_which_record_counts) {
    PROVES("7671-9-a");
    auto weak = of(3, 1, 1, lab::leaf);
    auto strong = of(3, 1, 2, lab::leaf);
    const auto wrong = [](tlsa record) {
        record.data[0] = static_cast<char>(record.data[0] ^ 1);
        return record;
    };
    const auto first = question{.rrset = {wrong(weak), strong}}.ask();
    EXPECT_EQ(first.result, matches);
    EXPECT_EQ(first.matched_record, 1u);
    const auto second = question{.rrset = {weak, wrong(strong)}}.ask();
    EXPECT_EQ(second.result, no_match);
    EXPECT_THAT(second.reason, HasSubstr("stronger digest"));
    strong.data.resize(63); // malformed: it does not push the weaker one out
    EXPECT_EQ((question{.rrset = {weak, strong}}).outcome(), matches);
}

TEST(dane_match, names_the_records_and_combinations_that_match_nothing) {
    PROVES("7671-8-a");
    const question q{.rrset = {of(3, 1, 1, lab::leaf),
                               of(3, 1, 1, lab::wild),
                               of(2, 0, 1, lab::other_root),
                               of(3, 0, 1, lab::wild),
                               of(2, 1, 1, lab::root),
                               {0, 0, 1, std::string(32, 'x')}}};
    const auto answer = q.ask();
    EXPECT_EQ(answer.result, matches);
    EXPECT_EQ(answer.matched_record, 0u);
    EXPECT_THAT(answer.unmatched, ElementsAre(1u, 2u, 3u)); // the one of usage 0 is unusable, not unmatched
    EXPECT_THAT(answer.unmatched_combinations, ElementsAre("2 0 1", "3 0 1"));
}

TEST(dane_match, without_usable_records_there_is_nothing_to_match) {
    PROVES("6698-4.1-a");
    EXPECT_EQ((question{.rrset = {}}).outcome(), empty);
    EXPECT_EQ((question{.rrset = {{0, 1, 1, std::string(32, 'x')}, {3, 1, 1, "short"}}}).outcome(),
              all_unusable);
    const auto answer =
        question{.rrset = {of(3, 1, 1, lab::leaf), of(2, 1, 1, lab::root)}, .chain = {}}.ask();
    EXPECT_EQ(answer.result, no_match);
    EXPECT_EQ(answer.reason, "the server sent no certificate");
    EXPECT_EQ((question{.rrset = {of(1, 1, 1, lab::wild), of(3, 1, 1, lab::leaf)}}).outcome(), matches);
}

TEST(dane_match, hostile_amounts_end) {
    std::vector<certificate> chain{lab::leaf};
    for (int i = 0; i < 100; ++i)
        chain.push_back(lab::root); // a loop: the root names itself
    chain.push_back(lab::inter);    // beyond what is looked at
    std::vector<tlsa> rrset(1000, of(2, 1, 0, lab::other_root));
    EXPECT_EQ((question{.rrset = rrset, .chain = chain}).outcome(), no_match);
    rrset.assign(1000, of(2, 1, 1, lab::root));
    EXPECT_EQ((question{.rrset = rrset, .chain = chain}).outcome(), no_match);
}

} // namespace
} // namespace mailtight::dane
