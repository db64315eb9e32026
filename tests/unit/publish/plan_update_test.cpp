// SPDX-License-Identifier: Apache-2.0
// One message from what stands and what is wanted, without a server: tables of what is refused and why, and
// a model of a server that says what any plan leads to.
#include "publish/dns_push.h"
#include "publish/plan_update.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

namespace mailtight::publish {
namespace {

using plan::record_change;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using wire::dns_type;
using wire::update_record;
using records = std::vector<update_record>;

constexpr const char* sts = "_mta-sts.example.com";
const update_record id1{sts, dns_type::txt, 300, "v=STSv1; id=1;", "\x0ev=STSv1; id=1;"};
const update_record note{sts, dns_type::txt, 777, "abcd",
                         std::string("\x02"
                                     "ab\x02"
                                     "cd")};

record_change text(std::vector<std::string> add, std::vector<std::string> remove = {},
                   const char* name = sts) {
    return {name, "TXT", std::move(add), std::move(remove), 300};
}

TEST(PlanUpdate, AFirstRecordAsksThatNoneAndNoAliasIsThere) {
    const auto made = plan_update(text({"v=STSv1; id=1;"}), "Example.COM.", {});
    ASSERT_TRUE(made) << made.error();
    EXPECT_EQ(made->zone, "example.com");
    EXPECT_THAT(made->as_it_is, IsEmpty());
    EXPECT_THAT(made->none_of, UnorderedElementsAre(Pair(sts, dns_type::txt), Pair(sts, dns_type::cname)));
    EXPECT_THAT(made->remove, IsEmpty());
    EXPECT_THAT(made->add, ElementsAre(update_record{sts, dns_type::txt, 300, "v=STSv1; id=1;"}));
}

TEST(PlanUpdate, AReplacementNamesTheWholeSetAndTakesOnlyOurs) {
    const auto made = plan_update(text({"v=STSv1; id=2;"}, {id1.value}), "example.com", {id1, note});
    ASSERT_TRUE(made) << made.error();
    EXPECT_THAT(made->as_it_is, UnorderedElementsAre(id1, note)) << "those of others with their own bytes";
    EXPECT_THAT(made->remove, ElementsAre(id1));
    ASSERT_THAT(made->add, SizeIs(1));
    EXPECT_EQ(made->add[0].ttl, 777U) << "the TTL of the set is that of others";
}

TEST(PlanUpdate, WhatIsAsWantedNeedsNothing) {
    for (const auto& change :
         {text({id1.value}), text({id1.value}, {"v=STSv1; id=0;"}),
          text({}, {"v=STSv1; id=1"}, "other.example.com"), text({id1.value}, {id1.value})}) {
        const auto made = plan_update(change, "example.com", {id1, note});
        ASSERT_TRUE(made) << made.error();
        EXPECT_THAT(made->add, IsEmpty());
        EXPECT_THAT(made->remove, IsEmpty());
        EXPECT_THAT(made->as_it_is, IsEmpty()) << "an empty update asks nothing";
        EXPECT_TRUE(as_wanted({change}, {id1, note}));
    }
}

struct refused_row {
    const char* why;
    std::vector<record_change> wanted;
    records standing;
    const char* words;
};

TEST(PlanUpdate, WhatIsRefusedAndWhy) {
    const update_record theirs{sts, dns_type::txt, 300, "v=STSv1; id=x;"};
    const update_record no_space{sts, dns_type::txt, 300, "v=STSv1;id=x"};
    const update_record alias{sts, dns_type::cname, 300, "a.example.net"};
    const update_record address{sts, dns_type::a, 300, "192.0.2.1"};
    const update_record mx{sts, dns_type::mx, 300, ""};
    const record_change to_alias{sts, "CNAME", {"b.example.net"}, {}, 300};
    const std::string tls = "_smtp._tls.example.com";
    const refused_row rows[] = {
        {"a policy record of others beside a first of ours", {text({id1.value})}, {theirs}, "not ours"},
        {"whatever its form", {text({id1.value})}, {no_space}, "not ours"},
        {"beside a replacement", {text({"v=STSv1; id=2;"}, {id1.value})}, {id1, theirs}, "id=x"},
        {"and where ours would go and theirs would count",
         {text({}, {id1.value})},
         {id1, theirs},
         "not ours"},
        {"a TLSRPT record of others",
         {text({"v=TLSRPTv1; rua=mailto:a@b.c"}, {}, tls.c_str())},
         {{tls, dns_type::txt, 300, "v=TLSRPTv1; rua=mailto:x@y.z"}},
         "not ours"},
        {"a text beside an alias", {text({id1.value})}, {alias}, "alias"},
        {"an alias beside a text", {to_alias}, {note}, "alias"},
        {"an alias beside an address", {to_alias}, {address}, "alias"},
        {"an alias beside what is not written here", {to_alias}, {mx}, "MX"},
        {"a second alias", {to_alias}, {alias}, "only one"},
        {"a text and an alias at once", {text({id1.value}), to_alias}, {}, "alias"},
        {"two aliases", {{sts, "CNAME", {"a.b", "c.d"}, {}, 300}}, {}, "one other name"},
        {"a name outside of the zone", {text({"x"}, {}, "_mta-sts.example.org")}, {}, "outside"},
        {"a name that only ends so", {text({"x"}, {}, "badexample.com")}, {}, "outside"},
        {"a type that is not written", {{sts, "MX", {"10 mx"}, {}, 300}}, {}, "type MX"},
        {"no name", {text({"x"}, {}, "a..b")}, {}, "no name"},
        {"no address", {{sts, "A", {"192.0.2.256"}, {}, 300}}, {}, "cannot be the value"},
        {"an address of the other family",
         {{sts, "AAAA", {"192.0.2.1"}, {}, 300}},
         {},
         "cannot be the value"},
        {"a text longer than DNS has", {text({std::string(70'000, 'x')})}, {}, "cannot be the value"},
        {"a TTL longer than DNS has", {{sts, "TXT", {"x"}, {}, 0x80000000}}, {}, "TTL"},
    };
    for (const auto& row : rows) {
        const auto made = plan_updates(row.wanted, "example.com", row.standing);
        ASSERT_FALSE(made) << row.why;
        EXPECT_THAT(made.error(), HasSubstr(row.words)) << row.why;
    }
}

TEST(PlanUpdate, OtherTextsAreNoPolicyRecords) {
    for (const auto* value : {"V=STSv1; id=1", "google-site-verification=v=STSv1", " v=STSv1;", ""}) {
        const auto made =
            plan_update(text({id1.value}), "example.com", {{sts, dns_type::txt, 300, value, "x"}});
        EXPECT_TRUE(made) << value;
    }
    const auto challenge =
        plan_update(text({"token"}, {}, "_acme-challenge.mta-sts.example.com"), "example.com",
                    {{"_acme-challenge.mta-sts.example.com", dns_type::txt, 1, "other", "x"}});
    EXPECT_TRUE(challenge) << "a challenge stands beside others";
}

TEST(PlanUpdate, TheOldGoesBeforeTheAliasComes) {
    const record_change alias{sts, "CNAME", {"B.Example.Net."}, {}, 60};
    const auto made = plan_updates({text({}, {id1.value}), alias}, "example.com", {id1});
    ASSERT_TRUE(made) << made.error();
    EXPECT_THAT(made->remove, ElementsAre(id1));
    EXPECT_THAT(made->add, ElementsAre(update_record{sts, dns_type::cname, 60, "b.example.net"}));
    EXPECT_THAT(made->as_it_is, ElementsAre(id1));
    EXPECT_THAT(made->none_of, UnorderedElementsAre(Pair(sts, dns_type::cname), Pair(sts, dns_type::a),
                                                    Pair(sts, dns_type::aaaa)));
    const auto first = plan_updates({alias}, "example.com", {});
    ASSERT_TRUE(first);
    EXPECT_THAT(first->unused, ElementsAre(sts)) << "of whatever type";
    EXPECT_THAT(first->none_of, IsEmpty());
}

/// RFC 2136 §3.2 and §3.4, as far as these messages go. Nothing where a prerequisite fails.
std::optional<records> served(const wire::dns_update& update, records zone) {
    const auto set_of = [&zone](const std::string& name, dns_type type) {
        std::multiset<std::string> values;
        for (const auto& record : zone)
            if (record.name == name && record.type == type)
                values.insert(record.value);
        return values;
    };
    for (const auto& record : update.as_it_is) {
        std::multiset<std::string> told;
        for (const auto& other : update.as_it_is)
            if (other.name == record.name && other.type == record.type)
                told.insert(other.value);
        if (told != set_of(record.name, record.type))
            return {};
    }
    for (const auto& [name, type] : update.none_of)
        if (!set_of(name, type).empty())
            return {};
    for (const auto& name : update.unused)
        if (std::ranges::any_of(zone, [&](const auto& record) { return record.name == name; }))
            return {};
    for (const auto& gone : update.remove)
        std::erase_if(zone, [&](const auto& record) {
            return record.name == gone.name && record.type == gone.type && record.value == gone.value;
        });
    for (const auto& come : update.add) {
        const bool alias = come.type == dns_type::cname;
        const bool mixes = std::ranges::any_of(zone, [&](const auto& record) {
            return record.name == come.name && (record.type == dns_type::cname) != alias;
        });
        if (!mixes) // silently
            zone.push_back(come);
    }
    return zone;
}

struct case_of_plan {
    std::vector<record_change> wanted;
    records standing;
};

rc::Gen<case_of_plan> any_case() {
    return rc::gen::exec([] {
        const std::vector<std::string> names{sts, "mta-sts.example.com"};
        const auto value = [](const std::string& type) -> std::string {
            if (type == "TXT")
                return *rc::gen::element<std::string>("v=STSv1; id=1;", "v=STSv1; id=2;", "note", "other");
            if (type == "CNAME")
                return *rc::gen::element<std::string>("a.example.net", "b.example.net");
            return *rc::gen::element<std::string>("192.0.2.1", "192.0.2.2");
        };
        case_of_plan made;
        std::set<std::tuple<std::string, dns_type, std::string>> known;
        const auto stand = *rc::gen::inRange(0, 5), want = *rc::gen::inRange(1, 4);
        for (int i = 0; i < stand; ++i) {
            const auto name = *rc::gen::elementOf(names);
            const auto type = *rc::gen::element<std::string>("TXT", "CNAME", "A");
            const auto kind = change_type(type).value();
            const auto text = value(type);
            const bool mixes = std::ranges::any_of(made.standing, [&](const auto& record) {
                return record.name == name && (record.type == dns_type::cname || kind == dns_type::cname);
            });
            if (!mixes && known.emplace(name, kind, text).second)
                made.standing.push_back({name, kind, 300, text});
        }
        for (int i = 0; i < want; ++i) {
            record_change change;
            change.name = *rc::gen::elementOf(names);
            change.type = *rc::gen::element<std::string>("TXT", "CNAME", "A");
            for (int n = *rc::gen::inRange(0, 2); n > 0; --n)
                change.add.push_back(value(change.type));
            for (int n = *rc::gen::inRange(0, 3); n > 0; --n)
                change.remove.push_back(value(change.type));
            made.wanted.push_back(std::move(change));
        }
        return made;
    });
}

RC_GTEST_PROP(PlanUpdate, EveryPlanLeadsToWhatIsWantedAndTouchesNothingElse, ()) {
    const auto it = *any_case();
    const auto made = plan_updates(it.wanted, "example.com", it.standing);
    RC_PRE(made.has_value());
    const auto after = served(*made, it.standing);
    RC_ASSERT(after.has_value());
    RC_ASSERT(as_wanted(it.wanted, *after));
    // What nobody asked to remove still stands.
    for (const auto& record : it.standing) {
        const bool asked = std::ranges::any_of(it.wanted, [&](const auto& change) {
            return change.name == record.name && change_type(change.type) == record.type &&
                   std::ranges::find(change.remove, record.value) != change.remove.end();
        });
        if (!asked)
            RC_ASSERT(std::ranges::find(*after, record) != after->end());
    }
    // Once more is nothing.
    const auto again = plan_updates(it.wanted, "example.com", *after);
    RC_ASSERT(again.has_value());
    RC_ASSERT(again->add.empty() && again->remove.empty());
}

// Whatever else came or went at the name: nothing is written.
RC_GTEST_PROP(PlanUpdate, APlanMadeOfAnOlderLookDoesNothing, ()) {
    auto zone = (*any_case()).standing;
    std::erase_if(zone, [](const auto& record) { return record.type == dns_type::cname; });
    const auto remove = *rc::gen::element<std::string>("note", "other", "absent");
    const auto made = plan_updates({text({"fresh"}, {remove})}, "example.com", zone);
    RC_ASSERT(made.has_value());
    RC_ASSERT(made->add.size() == 1U);
    const auto is_text = [](const auto& record) {
        return record.name == sts && record.type == dns_type::txt;
    };
    auto later = zone;
    const auto what = *rc::gen::inRange(0, 3);
    if (what == 0 && std::ranges::any_of(zone, is_text))
        std::erase_if(later, is_text);
    else if (what == 1)
        later.push_back({sts, dns_type::cname, 300, "came.meanwhile"});
    else
        later.push_back({sts, dns_type::txt, 300, "came meanwhile"});
    RC_ASSERT(served(*made, zone).has_value());
    RC_ASSERT(!served(*made, later).has_value());
}

} // namespace
} // namespace mailtight::publish
