// SPDX-License-Identifier: Apache-2.0
// What a decision says of a destination for the reports, and which attempts it stops.
#include "resolve/facts.h"

#include "decision_facts.h"
#include "service_world.h"
#include "support/proves.h"

#include <gtest/gtest.h>

namespace mailtight::resolve {
namespace {

using namespace mailtight::tests;
using model::tls_reached;
using sts::mode;
using tlsrpt::policy_type;
using tlsrpt::result_type;
using override_kind = model::policy_override::kind;

struct knowledge {
    std::optional<sts::resolution_state> policy;
    std::optional<destination> where;
    std::optional<model::policy_override> exception;
    decision_options options;
};
tls_decision decided(const knowledge& of) {
    decision_input from;
    from.hop.what = mail::next_hop::kind::domain;
    from.hop.domain = "example.com";
    from.state = of.policy ? &*of.policy : nullptr;
    from.where = of.where ? &*of.where : nullptr;
    from.exception = of.exception ? &*of.exception : nullptr;
    return decide(from, of.options, noon);
}
model::policy_override exception(override_kind what) {
    model::policy_override made;
    made.domain = "example.com";
    made.what = what;
    if (what == override_kind::pin)
        made.mx = {"mx1.example.com"};
    return made;
}
mx_standing secured(std::string name, host_class as, std::string base = {}) {
    auto made = host(name, as);
    made.base = base.empty() ? std::move(name) : std::move(base);
    made.records = {{3, 1, 1, std::string(32, '\xab')}, {2, 0, 1, std::string(32, '\x01')}};
    return made;
}
mx_standing lying(std::string name) {
    auto made = host(std::move(name), host_class::error, "SERVFAIL");
    made.bogus = true;
    return made;
}
sts::resolution_state holding_text(const std::string& body) {
    sts::resolution_state state;
    sts::record_seen(state, record(sts::record_sighting::kind::valid, "20260102"), sts::occasion::use,
                     noon - 60s);
    sts::policy_seen(state, fetched(body), noon - 60s, 1);
    return state;
}
const destination plain =
    hosts({host("mx1.example.com", host_class::none), host("mx2.example.com", host_class::none)});

TEST(facts, a_policy_is_told_line_by_line_as_it_was_fetched) {
    PROVES("8460-1.1-a", "A24", "8461-5-c");
    const auto known = facts_of(
        decided({.policy = holding_text("version: STSv1\r\nmode:enforce \r\nmx: *.Example.COM\r\n"
                                        "mx: mx1.example.com\r\nmx: MX1.example.com\r\nx_y: {odd}\r\n"
                                        "max_age: 604800\r\n\r\n"),
                 .where = plain}));
    EXPECT_EQ(known.domain, "example.com");
    EXPECT_EQ(known.mode, "enforce");
    EXPECT_EQ(known.policy_id, "20260102");
    ASSERT_TRUE(known.sts);
    EXPECT_EQ(known.sts->type, policy_type::sts);
    EXPECT_EQ(known.sts->domain, "example.com");
    EXPECT_EQ(known.sts->strings,
              (std::vector<std::string>{"version: STSv1", "mode:enforce ", "mx: *.Example.COM",
                                        "mx: mx1.example.com", "mx: MX1.example.com", "x_y: {odd}",
                                        "max_age: 604800"}));
    EXPECT_EQ(known.sts->mx_patterns, (std::vector<std::string>{"*.example.com", "mx1.example.com"}));
    EXPECT_EQ(known.mx_hosts, (std::vector<std::string>{"mx1.example.com", "mx2.example.com"}));
    EXPECT_FALSE(known.fault);
    EXPECT_TRUE(known.dane.empty());

    EXPECT_FALSE(facts_of(decided({.policy = holding(mode::none), .where = plain})).sts);
    EXPECT_EQ(facts_of(decided({.policy = holding(mode::none), .where = plain})).mode, "");
    EXPECT_EQ(facts_of(decided({.policy = holding(mode::testing), .where = plain})).mode, "testing");
    EXPECT_FALSE(
        facts_of(decided({.policy = without_policy(sts::record_sighting::kind::none), .where = plain})).sts);
}

TEST(facts, exceptions_count_as_what_they_make_of_a_policy) {
    const auto enforced = holding(mode::enforce);
    const auto with = [&](override_kind what) {
        return facts_of(decided({.policy = enforced, .where = plain, .exception = exception(what)}));
    };
    EXPECT_EQ(with(override_kind::testing).mode, "testing");
    EXPECT_FALSE(with(override_kind::exempt).sts);
    EXPECT_EQ(with(override_kind::require).mode, "enforce");
    const auto pinned = with(override_kind::pin);
    EXPECT_EQ(pinned.policy_id, "");
    EXPECT_EQ(pinned.sts.value().mx_patterns, (std::vector<std::string>{"mx1.example.com"}));
    EXPECT_EQ(pinned.sts.value().strings.front(), "version: STSv1");
}

TEST(facts, dane_hosts_are_those_with_records) {
    PROVES("A22", "A25");
    auto odd = secured("mx3.example.com", host_class::no_address);
    const auto known = facts_of(
        decided({.policy = {},
                 .where = hosts({secured("mx1.example.com", host_class::usable, "real.example.net"),
                                 secured("mx2.example.com", host_class::unusable_only), odd,
                                 lying("mx4.example.com"), host("mx5.example.com", host_class::none)})}));
    ASSERT_EQ(known.dane.size(), 2U);
    EXPECT_EQ(known.dane[0].host, "mx1.example.com");
    EXPECT_EQ(known.dane[0].base, "real.example.net");
    EXPECT_TRUE(known.dane[0].usable);
    ASSERT_EQ(known.dane[0].records.size(), 2U);
    std::string hex;
    for (int i = 0; i < 32; ++i)
        hex += "AB";
    EXPECT_EQ(known.dane[0].records[0], "3 1 1 " + hex);
    EXPECT_FALSE(known.dane[1].usable);
    EXPECT_TRUE(facts_of(decided({.policy = {},
                                  .where = hosts({secured("mx1.example.com", host_class::usable)}),
                                  .exception = {},
                                  .options = {.dane = false}}))
                    .dane.empty());
}

TEST(facts, a_fetch_that_failed_is_told_with_its_reason) {
    PROVES("8461-6-a", "8461-6-b", "A33", "A34");
    struct row {
        sts::policy_fault fault;
        result_type type;
        const char* reason;
        const char* told;
    };
    for (const auto& [fault, type, reason, told] : {
             row{sts::policy_fault::fetch_error, result_type::sts_policy_fetch_error, "http-status-404",
                 "http-status-404"},
             row{sts::policy_fault::webpki_invalid, result_type::sts_webpki_invalid,
                 "X509_V_ERR_CERT_HAS_EXPIRED", "X509_V_ERR_CERT_HAS_EXPIRED"},
             row{sts::policy_fault::invalid, result_type::sts_policy_invalid, "policy-syntax",
                 "policy-syntax"},
             row{sts::policy_fault::fetch_error, result_type::sts_policy_fetch_error, "", "fetch-failed"},
         }) {
        SCOPED_TRACE(told);
        auto failing = not_fetched(fault, "words");
        failing.reason = reason;
        sts::resolution_state nothing_held;
        sts::record_seen(nothing_held, record(sts::record_sighting::kind::valid, "1"), sts::occasion::use,
                         noon - 10s);
        sts::policy_seen(nothing_held, failing, noon - 10s, 1);
        auto held = holding(mode::enforce);
        sts::record_seen(held, record(sts::record_sighting::kind::valid, "2"), sts::occasion::use,
                         noon - 10s);
        sts::policy_seen(held, failing, noon - 10s, 1);
        for (const auto& state : {nothing_held, held}) {
            const auto known = facts_of(decided({.policy = state, .where = plain}));
            EXPECT_EQ(known.sts.has_value(), state.held.has_value());
            ASSERT_TRUE(known.fault);
            EXPECT_EQ(*known.fault, type);
            EXPECT_EQ(known.fault_reason, told);
        }
    }
    auto gone = holding(mode::testing);
    sts::record_seen(gone, record(sts::record_sighting::kind::none), sts::occasion::use, noon - 10s);
    EXPECT_EQ(facts_of(decided({.policy = gone, .where = plain})).fault_reason, "dns-no-record");
    auto unwanted = holding(mode::none);
    sts::record_seen(unwanted, record(sts::record_sighting::kind::none), sts::occasion::use, noon - 10s);
    EXPECT_FALSE(facts_of(decided({.policy = unwanted, .where = plain})).fault) << "mode none: 8461-6-b";
}

TEST(facts, a_record_that_is_not_valid_is_no_policy_and_no_fault) {
    PROVES("A35");
    using kind = sts::record_sighting::kind;
    for (const auto what : {kind::none, kind::multiple, kind::invalid}) {
        sts::resolution_state state;
        sts::record_seen(state, record(what), sts::occasion::use, noon - 10s);
        const auto known = facts_of(decided({.policy = state, .where = plain}));
        EXPECT_FALSE(known.sts);
        EXPECT_FALSE(known.fault) << "nothing was fetched, so no fetch failed: it counts as no-policy-found";
    }
}

struct stop_row {
    const char* why;
    knowledge of;
    std::vector<std::string> stopped; ///< "host type reason"
};

TEST(stopped, only_what_is_the_domains_fault_or_demanded_here) {
    PROVES("8460-4.3.2-b", "8460-4.3.2-c", "8460-4.3.2-a", "8460-4.3.4-a", "A32");
    auto mx_bogus = no_hosts(destination::kind::mx_failed, "bogus");
    mx_bogus.mx_bogus = true;
    const auto outsiders =
        hosts({host("mx8.example.com", host_class::none), host("mx9.example.com", host_class::none)});
    const std::string required = " dane-required local-policy-requires-dane-or-enforce";
    const std::vector<stop_row> rows = {
        {"a policy that admits a host", {.policy = holding(mode::enforce), .where = plain}, {}},
        {"a policy that admits none",
         {.policy = holding(mode::enforce), .where = outsiders},
         {"mx8.example.com validation-failure sts-mx-not-in-policy",
          "mx9.example.com validation-failure sts-mx-not-in-policy"}},
        {"in testing nothing is stopped", {.policy = holding(mode::testing), .where = outsiders}, {}},
        {"a pin that admits none is the operator's",
         {.policy = {}, .where = outsiders, .exception = exception(override_kind::pin)},
         {}},
        {"no mail goes there",
         {.policy = holding(mode::enforce), .where = no_hosts(destination::kind::null_mx)},
         {}},
        {"DNSSEC of every host",
         {.policy = {}, .where = hosts({lying("mx1.example.com"), lying("mx2.example.com")})},
         {"mx1.example.com dnssec-invalid dnssec-bogus", "mx2.example.com dnssec-invalid dnssec-bogus"}},
        {"beside a policy",
         {.policy = holding(mode::enforce), .where = hosts({lying("mx1.example.com")})},
         {"mx1.example.com dnssec-invalid dnssec-bogus"}},
        {"of the MX records", {.policy = {}, .where = mx_bogus}, {" dnssec-invalid dnssec-bogus"}},
        {"only of one host: the mail goes to the other",
         {.policy = {},
          .where = hosts({lying("mx1.example.com"), secured("mx2.example.com", host_class::usable)})},
         {}},
        {"a server that does not answer is no evidence",
         {.policy = {}, .where = hosts({host("mx1.example.com", host_class::error, "timeout")})},
         {}},
        {"nor is an MX look-up that failed",
         {.policy = {}, .where = no_hosts(destination::kind::mx_failed, "timeout")},
         {}},
        {"a demand that is not met",
         {.policy = holding(mode::testing), .where = plain, .exception = exception(override_kind::require)},
         {"mx1.example.com" + required, "mx2.example.com" + required}},
        {"or only on some hosts",
         {.policy = {},
          .where = hosts({secured("mx1.example.com", host_class::usable),
                          secured("mx2.example.com", host_class::unusable_only),
                          host("mx3.example.com", host_class::none)}),
          .exception = exception(override_kind::require)},
         {"mx2.example.com tlsa-invalid all-TLSA-records-unusable", "mx3.example.com" + required}},
        {"a demand that is met",
         {.policy = holding(mode::enforce), .where = plain, .exception = exception(override_kind::require)},
         {}},
        {"a demand, and DNS fails",
         {.policy = {},
          .where = hosts({host("mx1.example.com", host_class::error, "timeout")}),
          .exception = exception(override_kind::require)},
         {}},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.why);
        const auto decision = decided(row.of);
        std::vector<std::string> said;
        for (const auto& each : stopped_by(decision)) {
            EXPECT_EQ(each.domain, "example.com");
            EXPECT_EQ(each.tls, tls_reached::not_tried);
            said.push_back(each.mx_host + " " + std::string(to_string(each.failure.value())) + " " +
                           each.reason);
        }
        EXPECT_EQ(said, row.stopped);
        EXPECT_EQ(stops(decision), !row.stopped.empty());
    }
}

} // namespace
} // namespace mailtight::resolve
