// SPDX-License-Identifier: Apache-2.0
// What a sender does, in rows: what DANE says, how the policy stands, what the operator decided.
#include "resolve/decision.h"

#include "decision_facts.h"
#include "support/proves.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace mailtight::resolve {
namespace {

using namespace mailtight::tests;
using sts::mode;
using record_kind = sts::record_sighting::kind;
using override_kind = model::policy_override::kind;
using enum host_class;

struct facts {
    std::optional<destination> where;
    std::optional<sts::resolution_state> policy;
    std::optional<model::policy_override> exception;
    decision_options options;
    bool from_cache = true;
};

tls_decision decided(const facts& of, std::string_view key = "example.com") {
    decision_input from;
    from.hop.what = mail::next_hop::kind::domain;
    from.hop.domain = key;
    from.state = of.policy ? &*of.policy : nullptr;
    from.where = of.where ? &*of.where : nullptr;
    from.exception = of.exception ? &*of.exception : nullptr;
    from.from_cache = of.from_cache;
    return decide(from, of.options, noon);
}

model::policy_override exception(override_kind what) {
    model::policy_override made;
    made.domain = "example.com";
    made.what = what;
    if (what == override_kind::pin)
        made.mx = {"mx1.example.com"};
    made.why = "ticket 42";
    made.by = "alice";
    made.since = noon - 24h;
    made.until = noon + 24h;
    return made;
}

const destination plain = hosts({host("mx1.example.com", none), host("mx2.example.com", none)});
const destination all_dane = hosts({host("mx1.example.com", usable), host("mx2.example.com", usable)});
const destination partly = hosts({host("mx1.example.com", usable), host("mx2.example.com", none)});
const destination unusable = hosts({host("mx1.example.com", unusable_only), host("mx2.example.com", none)});
const destination half_broken =
    hosts({host("mx1.example.com", error, "TLSA: SERVFAIL"), host("mx2.example.com", none)});
const destination half_dane =
    hosts({host("mx1.example.com", error, "TLSA: SERVFAIL"), host("mx2.example.com", usable)});
const destination broken =
    hosts({host("mx1.example.com", error, "TLSA: SERVFAIL"), host("mx2.example.com", error, "A: timeout")});
const destination mx_failed = no_hosts(destination::kind::mx_failed, "MX: SERVFAIL");
const destination null_mx = no_hosts(destination::kind::null_mx);
const destination no_host = no_hosts(destination::kind::no_host);

const std::optional<sts::resolution_state> enforced = holding(mode::enforce);
const std::optional<sts::resolution_state> tested = holding(mode::testing);
const std::optional<sts::resolution_state> off = holding(mode::none);
const std::optional<sts::resolution_state> absent = without_policy(record_kind::none);
const std::optional<sts::resolution_state> doubled = without_policy(record_kind::multiple);
const std::optional<sts::resolution_state> dns_down = without_policy(record_kind::error);

/// As resolve.half-dane has it: the MX records may be anybody's.
destination behind_unsigned_mx(destination where) {
    where.mx_secure = false;
    return where;
}

struct row {
    const char* why;
    std::optional<destination> where;
    std::optional<sts::resolution_state> policy;
    decision what;
    const char* in_reason = "";
    decision_source source = decision_source::cache;
};

TEST(decision, of_DANE_and_the_policy) {
    PROVES("8461-2-a", "8461-5-c", "7672-2.1.2-a", "7672-2.1.2-b", "7672-2.2-a", "7672-2.2-b", "7672-2.2-c");
    using d = decision;
    using s = decision_source;
    const row rows[] = {
        {"no DANE: the policy decides", plain, enforced, d::enforce},
        {"in testing nothing is blocked", plain, tested, d::testing},
        {"mode none is as if there were no policy", plain, off, d::none},
        {"no record", plain, absent, d::no_policy},
        {"two records are none", plain, doubled, d::no_policy},
        {"the record cannot be looked up, and nothing is held", plain, dns_down, d::no_policy},
        {"nothing was looked for in time", plain, std::nullopt, d::no_policy},

        {"DANE on every host comes first", all_dane, enforced, d::dane, "", s::dane},
        {"also before testing", all_dane, tested, d::dane, "", s::dane},
        {"also without a policy", all_dane, absent, d::dane, "", s::dane},
        {"also where the record is not known", all_dane, std::nullopt, d::dane, "", s::dane},

        {"some hosts have DANE: the policy must not excuse them", partly, enforced, d::dane,
         "mx2.example.com", s::dane},
        {"some hosts have DANE, no policy", partly, absent, d::dane, "", s::dane},
        {"unusable records still make TLS mandatory", unusable, absent, d::dane, "", s::dane},
        {"and are worth a word beside a policy", unusable, enforced, d::dane,
         "mx1.example.com, mx2.example.com", s::dane},

        {"one broken host takes no policy away", half_broken, enforced, d::enforce},
        {"without a policy, the mail server must not meet it as if it had no DANE", half_broken, absent,
         d::dane, "", s::dane},
        {"every host that can be reached has DANE", half_dane, enforced, d::dane, "", s::dane},

        {"a forger of the MX brings DANE of his own: the policy stays", behind_unsigned_mx(all_dane),
         enforced, d::enforce},
        {"also where only some have it", behind_unsigned_mx(partly), enforced, d::enforce},
        {"where no policy is enforced, it is better than nothing", behind_unsigned_mx(all_dane), tested,
         d::dane, "", s::dane},
        {"also without a policy", behind_unsigned_mx(all_dane), absent, d::dane, "", s::dane},

        {"no host's DANE is known", broken, enforced, d::unknown, "SERVFAIL"},
        {"without a policy", broken, absent, d::unknown, "SERVFAIL"},
        {"in testing", broken, tested, d::unknown, "timeout"},
        {"the MX hosts are not known: the policy's patterns stand for them", mx_failed, enforced, d::enforce},
        {"a policy in testing cannot stand for them", mx_failed, tested, d::unknown, "MX: SERVFAIL"},
        {"mode none", mx_failed, off, d::unknown, "MX: SERVFAIL"},
        {"no policy", mx_failed, absent, d::unknown, "MX: SERVFAIL"},
        {"nothing of the policy is known", mx_failed, std::nullopt, d::unknown, "MX: SERVFAIL"},
        {"no answer in time", std::nullopt, absent, d::unknown, "in time"},
        {"no answer in time: DANE may fail where the policy would not", std::nullopt, enforced, d::unknown,
         "in time"},

        {"null MX", null_mx, absent, d::no_policy},
        {"null MX: the policy is not lost by it", null_mx, enforced, d::enforce},
        {"no host", no_host, absent, d::no_policy},
        {"no host: the policy is not lost by it", no_host, enforced, d::enforce},
    };
    for (const auto& [why, where, policy, what, in_reason, source] : rows) {
        SCOPED_TRACE(why);
        const auto out = decided({.where = where, .policy = policy, .exception = {}, .options = {}});
        EXPECT_EQ(to_string(out.what), to_string(what));
        EXPECT_EQ(to_string(out.source), to_string(source));
        EXPECT_NE(out.reason.find(in_reason), std::string::npos) << out.reason;
        EXPECT_EQ(out.reason.empty(), *in_reason == '\0') << out.reason;
    }
}

TEST(decision, exceptions_of_the_operator) {
    struct bent {
        const char* why;
        override_kind exception;
        std::optional<destination> where;
        std::optional<sts::resolution_state> policy;
        decision what;
        decision_source source;
    };
    using d = decision;
    using o = override_kind;
    using s = decision_source;
    const bent rows[] = {
        {"exempt: no policy", o::exempt, plain, enforced, d::no_policy, s::override_},
        {"exempt: no DANE either", o::exempt, all_dane, enforced, d::no_policy, s::override_},
        {"exempt: whatever DNS fails to say", o::exempt, mx_failed, absent, d::no_policy, s::override_},
        {"exempt: before anything was looked up", o::exempt, std::nullopt, std::nullopt, d::no_policy,
         s::override_},
        {"pin: whatever the domain publishes", o::pin, plain, off, d::enforce, s::override_},
        {"pin: without a policy", o::pin, plain, absent, d::enforce, s::override_},
        {"pin: before the record is known", o::pin, plain, std::nullopt, d::enforce, s::override_},
        {"pin: DANE is not weakened by it", o::pin, all_dane, absent, d::dane, s::dane},
        {"pin: the patterns stand for unknown MX hosts", o::pin, mx_failed, absent, d::enforce, s::override_},
        {"testing: enforce does not block", o::testing, plain, enforced, d::testing, s::override_},
        {"testing: nothing to bend", o::testing, plain, absent, d::no_policy, s::cache},
        {"testing: mode none stays", o::testing, plain, off, d::none, s::cache},
        {"testing: DANE stays", o::testing, all_dane, enforced, d::dane, s::dane},
        {"testing: an unknown DANE state stays", o::testing, mx_failed, enforced, d::unknown, s::cache},
        {"require: enforce will do", o::require, plain, enforced, d::enforce, s::cache},
        {"require: DANE will do", o::require, all_dane, absent, d::dane, s::dane},
        {"require: no policy waits", o::require, plain, absent, d::unknown, s::override_},
        {"require: testing waits", o::require, plain, tested, d::unknown, s::override_},
        {"require: none waits", o::require, plain, off, d::unknown, s::override_},
        {"require: DANE on some hosts leaves the others open", o::require, partly, absent, d::unknown,
         s::override_},
        {"require: unknown stays unknown", o::require, mx_failed, absent, d::unknown, s::cache},
    };
    for (const auto& [why, what, where, policy, expected, source] : rows) {
        SCOPED_TRACE(why);
        const auto out =
            decided({.where = where, .policy = policy, .exception = exception(what), .options = {}});
        EXPECT_EQ(to_string(out.what), to_string(expected));
        EXPECT_EQ(to_string(out.source), to_string(source));
        ASSERT_TRUE(out.exception);
        ASSERT_FALSE(out.notes.empty());
        const auto& note = out.notes.front();
        for (const char* part : {"ticket 42", "alice", "2026-01-03T12:00:00Z"})
            EXPECT_NE(note.find(part), std::string::npos) << note;
        EXPECT_LE(out.good_until, noon + 24h);
    }
}

TEST(decision, an_exception_ends) {
    auto over = exception(override_kind::exempt);
    over.until = noon;
    const auto out = decided({.where = plain, .policy = enforced, .exception = over, .options = {}});
    EXPECT_EQ(out.what, decision::enforce);
    EXPECT_FALSE(out.exception);
    over.until.reset();
    EXPECT_EQ(decided({.where = plain, .policy = enforced, .exception = over, .options = {}}).what,
              decision::no_policy);
}

TEST(decision, waits_for_the_record_only_where_the_operator_wants_it) { // A14
    facts of{.where = plain, .policy = dns_down, .exception = {}, .options = {.defer_on_dns_error = true}};
    auto out = decided(of);
    EXPECT_EQ(out.what, decision::unknown);
    EXPECT_NE(out.reason.find("_mta-sts.example.com"), std::string::npos) << out.reason;
    of.where = all_dane;
    EXPECT_EQ(decided(of).what, decision::dane);
    of.where = plain;
    of.policy = absent;
    EXPECT_EQ(decided(of).what, decision::no_policy);
}

TEST(decision, keys_without_a_policy) {
    PROVES("8461-3.4-b", "8461-3.4-c");
    using kind = mail::next_hop::kind;
    for (const auto what : {kind::empty, kind::parent, kind::address_literal, kind::local_path,
                            kind::single_label, kind::not_a_name}) {
        decision_input from;
        from.hop.what = what;
        const auto out = decide(from, {}, noon);
        EXPECT_EQ(out.what, decision::no_policy);
        EXPECT_EQ(out.source, decision_source::key);
        EXPECT_EQ(out.notes, std::vector<std::string>{std::string(mail::explain(what))});
        EXPECT_GT(out.good_until, noon + 1h);
    }
}

TEST(decision, holds_each_host_against_the_policy) {
    PROVES("8461-4-a", "8461-4.1-a", "8461-4.1-b", "A51");
    const auto policy = holding(mode::enforce, {"mx1.example.com", "*.mail.example.net"});
    const auto where = hosts({host("MX1.example.com", none), host("a.mail.example.net", none),
                              host("a.b.mail.example.net", none), host("mail.example.net", none)});
    const auto out = decided({.where = where, .policy = policy, .exception = {}, .options = {}});
    ASSERT_EQ(out.mx.size(), 4U); // A51: none is left out
    EXPECT_TRUE(out.mx_known);
    EXPECT_EQ(out.mx[0].admitted_by, "mx1.example.com");
    EXPECT_EQ(out.mx[1].admitted_by, "*.mail.example.net");
    EXPECT_EQ(out.mx[2].admitted_by, "");
    EXPECT_EQ(out.mx[3].admitted_by, "");
    EXPECT_EQ(out.reason, "");
    EXPECT_TRUE(std::ranges::any_of(out.notes, [](const auto& note) {
        return note.find("a.b.mail.example.net, mail.example.net") != std::string::npos;
    }));
}

TEST(decision, a_policy_that_admits_nobody_is_worth_a_warning) {
    const auto policy = holding(mode::enforce, {"elsewhere.example.net"});
    const auto out = decided({.where = plain, .policy = policy, .exception = {}, .options = {}});
    EXPECT_EQ(out.what, decision::enforce);
    EXPECT_NE(out.reason.find("admits none"), std::string::npos) << out.reason;
}

TEST(decision, unknown_hosts_are_not_said_to_be_known) {
    const auto out = decided({.where = mx_failed, .policy = enforced, .exception = {}, .options = {}});
    EXPECT_EQ(out.what, decision::enforce);
    EXPECT_FALSE(out.mx_known);
    EXPECT_TRUE(std::ranges::any_of(
        out.notes, [](const auto& note) { return note.find("MX: SERVFAIL") != std::string::npos; }));
}

TEST(decision, DANE_can_be_left_to_others) {
    facts of{.where = all_dane, .policy = enforced, .exception = {}, .options = {.dane = false}};
    EXPECT_EQ(decided(of).what, decision::enforce);
    EXPECT_TRUE(decided(of).dane_hosts.empty());
    of.where.reset();
    EXPECT_EQ(decided(of).what, decision::enforce);
    EXPECT_FALSE(decided(of).mx_known);
    of.policy = absent;
    of.where = mx_failed;
    EXPECT_EQ(decided(of).what, decision::no_policy);
}

TEST(decision, failures_are_told) {
    PROVES("8461-3.3-p");
    auto policy = holding(mode::enforce);
    sts::record_seen(policy, record(record_kind::valid, "2"), sts::occasion::use, noon - 20s);
    sts::policy_seen(policy, not_fetched(sts::policy_fault::webpki_invalid, "certificate has expired"),
                     noon - 20s, 1);
    const auto out = decided({.where = plain, .policy = policy, .exception = {}, .options = {}});
    EXPECT_EQ(out.what, decision::enforce);
    EXPECT_EQ(out.fault, sts::policy_fault::webpki_invalid);
    EXPECT_TRUE(std::ranges::any_of(out.notes, [](const auto& note) {
        return note.find("certificate has expired") != std::string::npos;
    }));
}

TEST(decision, holds_no_longer_than_what_it_was_made_of) {
    auto out = decided({.where = plain, .policy = enforced, .exception = {}, .options = {}});
    EXPECT_EQ(out.good_until, std::min(plain.good_until, out.next_check_at));
    auto where = plain;
    where.good_until = noon + 7s;
    EXPECT_EQ(decided({.where = where, .policy = enforced, .exception = {}, .options = {}}).good_until,
              noon + 7s);
    auto soon = exception(override_kind::testing);
    soon.until = noon + 5s;
    EXPECT_EQ(decided({.where = where, .policy = enforced, .exception = soon, .options = {}}).good_until,
              noon + 5s);
    // What is not known is asked again shortly.
    EXPECT_LE(decided({.where = plain, .policy = {}, .exception = {}, .options = {}}).good_until, noon + 5s);
    EXPECT_LE(decided({.where = {}, .policy = absent, .exception = {}, .options = {}}).good_until, noon + 5s);
}

/// Any mixture of facts; with false, such that nothing is known of DANE.
facts any_facts(bool known_dane = true) {
    static const std::vector<std::optional<destination>> in_the_dark{std::nullopt, broken, mx_failed};
    static const std::vector<std::optional<destination>> places{
        std::nullopt, plain,    all_dane,
        partly,       unusable, half_broken,
        half_dane,    broken,   behind_unsigned_mx(partly),
        mx_failed,    null_mx,  no_host};
    static const std::vector<std::optional<sts::resolution_state>> policies{
        std::nullopt, enforced, tested, off, absent, doubled, dns_down};
    facts of;
    of.where = *rc::gen::elementOf(known_dane ? places : in_the_dark);
    of.policy = *rc::gen::elementOf(policies);
    const auto which = *rc::gen::inRange(0, 6);
    if (which < 4)
        of.exception = exception(static_cast<override_kind>(which));
    of.options.defer_on_dns_error = *rc::gen::arbitrary<bool>();
    of.from_cache = *rc::gen::arbitrary<bool>();
    return of;
}

// Double parentheses below: RC_ASSERT and RC_PRE take a condition apart and evaluate both sides of && and ||.
bool has(const facts& of, override_kind what) {
    return of.exception && of.exception->what == what;
}

RC_GTEST_PROP(decision_laws, an_unknown_DANE_state_is_never_no_policy, ()) {
    const auto of = any_facts(false);
    RC_PRE(!has(of, override_kind::exempt));
    const auto out = decided(of);
    RC_ASSERT(out.what == decision::unknown || out.what == decision::enforce);
}

RC_GTEST_PROP(decision_laws, a_held_enforce_policy_is_never_lost, ()) {
    auto of = any_facts();
    of.policy = enforced;
    RC_PRE(!has(of, override_kind::exempt) && !has(of, override_kind::testing));
    const auto out = decided(of);
    RC_ASSERT(out.what == decision::enforce || out.what == decision::dane || out.what == decision::unknown);
    RC_ASSERT((out.policy && out.policy->value.mode == mode::enforce));
    RC_ASSERT((out.what == decision::enforce || out.what == decision::unknown || dane_seen(*of.where)));
}

RC_GTEST_PROP(decision_laws, a_policy_never_excuses_DANE, ()) {
    const auto of = any_facts();
    RC_PRE((of.where && dane_seen(*of.where) && !has(of, override_kind::exempt)));
    RC_PRE(of.where->mx_secure); // else it is anybody's
    const auto out = decided(of);
    RC_ASSERT(out.what == decision::dane ||
              (has(of, override_kind::require) && out.what == decision::unknown));
    RC_ASSERT(out.dane_only == (judge(*of.where) == dane_answer::all));
}

RC_GTEST_PROP(decision_laws, testing_never_blocks, ()) {
    auto of = any_facts();
    of.policy = tested;
    RC_PRE(!has(of, override_kind::pin) && !has(of, override_kind::require));
    RC_ASSERT(decided(of).what != decision::enforce);
    RC_PRE((of.where && judge(*of.where) == dane_answer::none));
    RC_ASSERT(decided(of).what != decision::unknown);
}

RC_GTEST_PROP(decision_laws, require_lets_nothing_unprotected_out, ()) {
    auto of = any_facts();
    of.exception = exception(override_kind::require);
    const auto out = decided(of);
    RC_ASSERT(out.what == decision::enforce || out.what == decision::unknown ||
              (out.what == decision::dane && out.dane_only));
}

RC_GTEST_PROP(decision_laws, what_is_unknown_has_its_reason_and_ends_soon, ()) {
    const auto out = decided(any_facts());
    RC_ASSERT(out.what != decision::unknown || !out.reason.empty());
    RC_ASSERT(out.what != decision::unknown || out.good_until <= noon + 30s);
    RC_ASSERT(out.good_until >= noon);
}

RC_GTEST_PROP(decision_laws, every_exception_in_force_is_shown, ()) {
    const auto of = any_facts();
    const auto out = decided(of);
    RC_ASSERT(out.exception.has_value() == of.exception.has_value());
    RC_PRE(of.exception.has_value());
    RC_ASSERT(out.notes.front().find("ticket 42") != std::string::npos);
}

} // namespace
} // namespace mailtight::resolve
