// SPDX-License-Identifier: Apache-2.0
// Reports as they are composed: whatever was counted, any reader takes them without a remark, and the sums
// are those that were counted.
#include "deliver/compose.h"

#include "base/compress.h"
#include "base/text.h"
#include "support/proves.h"
#include "tlsrpt/read_report.h"
#include "tlsrpt/write_report.h"
#include "unit/deliver/some_results.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <regex>
#include <set>

namespace mailtight::deliver {
namespace {

using namespace testing;
using tlsrpt::policy_type;
using tlsrpt::result_type;
using results = std::vector<model::counted_result>;

std::string remarks(const tlsrpt::report& of) {
    std::string out;
    for (const auto& w : of.warnings)
        out += std::string(to_string(w.code)) + " at " + w.where + ": " + base::printable(w.detail) + "\n";
    return out;
}

tlsrpt::report read_back(const tlsrpt::report& written) {
    tlsrpt::report_reader reader;
    auto read = reader.read_json(tlsrpt::write_report(written));
    if (!read)
        throw std::runtime_error(read.error().message);
    return *read;
}

// ---- any results ----

TEST(make_report, is_read_without_a_remark_whatever_was_counted) {
    PROVES("8460-4-a", "8460-4-b", "8460-4-d", "8460-4-f");
    const auto holds = rc::check([] {
        const auto who = [] {
            auto out = some_reporter();
            out.organization = *hostile_text();
            out.sending_address = *rc::gen::arbitrary<bool>();
            return out;
        }();
        results counted;
        const int size = *rc::gen::inRange(1, 5);
        for (int i = 0; i < size; ++i)
            counted.push_back(any_result());
        compose_limits limits;
        limits.details = *rc::gen::element<std::size_t>(0, 1, 2, 10'000);
        const auto made = make_report(who, due_for("example.com"), 0, counted, limits);
        const auto read = read_back(made);
        if (const auto odd = remarks(read); !odd.empty())
            RC_FAIL(odd + tlsrpt::write_report(made));
        auto same = read;
        same.warnings.clear();
        RC_ASSERT(same == made); // nothing was mended, so nothing is lost
        RC_ASSERT(!made.organization_name.empty());
        for (const auto& p : made.policies)
            for (const auto& d : p.details)
                RC_ASSERT(d.count >= 1U);
    });
    EXPECT_TRUE(holds);
}

RC_GTEST_PROP(make_report, keeps_every_session, ()) {
    results counted;
    const int size = *rc::gen::inRange(1, 6);
    std::uint64_t success = 0, failure = 0;
    for (int i = 0; i < size; ++i) {
        counted.push_back(any_result());
        auto& one = counted.back();
        one.success %= 1'000'000;
        one.failure %= 1'000'000;
        success += one.success;
        failure += one.failure;
    }
    const auto made = make_report(some_reporter(), due_for("example.com"), 0, counted);
    std::uint64_t success_made = 0, failure_made = 0;
    for (const auto& p : made.policies) {
        success_made += p.success;
        failure_made += p.failure;
        std::uint64_t told = 0;
        for (const auto& d : p.details)
            told += d.count;
        RC_ASSERT(told >= p.failure); // every failed session has a reason in the report
    }
    RC_ASSERT(success_made == success);
    RC_ASSERT(failure_made == failure);
}

RC_GTEST_PROP(make_report, does_not_depend_on_the_order_of_the_results, ()) {
    results counted;
    const int size = *rc::gen::inRange(1, 6);
    for (int i = 0; i < size; ++i)
        counted.push_back(any_result());
    const auto made = make_report(some_reporter(), due_for("example.com"), 0, counted);
    std::ranges::reverse(counted);
    for (auto& one : counted)
        std::ranges::reverse(one.faults);
    RC_ASSERT(make_report(some_reporter(), due_for("example.com"), 0, counted) == made);
}

// ---- metadata ----

TEST(make_report, says_who_when_and_under_which_id) {
    PROVES("8460-4-b", "8460-4.1-a", "A27", "A28");
    const auto counted = results{some_result()};
    const auto made = make_report(some_reporter(), due_for("example.com"), 0, counted);
    EXPECT_EQ(made.organization_name, "Example Net");
    EXPECT_EQ(made.contact_info, "tls-reports@example.net");
    EXPECT_EQ(made.start, *base::parse_utc("2026-01-02T00:00:00Z"));
    EXPECT_EQ(made.end, *base::parse_utc("2026-01-02T23:59:59Z"));
    EXPECT_TRUE(
        std::regex_match(made.report_id, std::regex(R"(20260102\.[a-z2-7]{16}\.example\.com@example\.net)")))
        << made.report_id;
    auto nameless = some_reporter();
    nameless.organization = "\n";
    EXPECT_EQ(make_report(nameless, due_for("example.com"), 0, counted).organization_name, "example.net");
}

TEST(make_report, has_the_same_id_again_and_another_for_another_report) {
    PROVES("A28");
    const auto counted = results{some_result()};
    const auto id = [&](auto change, std::uint32_t part = 0) {
        auto who = some_reporter();
        auto what = due_for("example.com");
        change(who, what);
        return make_report(who, what, part, counted).report_id;
    };
    const auto same = [](reporter&, model::due_report&) {};
    EXPECT_EQ(id(same), id(same));
    EXPECT_EQ(id(same), id([](reporter& who, model::due_report& what) { // what a second try may have changed
                  who.organization = "Another";
                  what.tries = 3;
                  what.fence = 9;
              }));
    const std::set<std::string> distinct{
        id(same),
        id(same, 1),
        id([](reporter& who, auto&) { who.contact = "other@example.net"; }),
        id([](reporter& who, auto&) { who.contact = "tls-reports@example.org"; }),
        id([](reporter& who, auto&) { who.unique = "b"; }),
        id([](auto&, model::due_report& what) { what.day += std::chrono::days(1); }),
        id([](auto&, model::due_report& what) { what.domain = "example.org"; }),
        id([](auto&, model::due_report& what) { what.audience = model::report_audience::tlsa_base; }),
    };
    EXPECT_EQ(distinct.size(), 8u);
}

TEST(make_report, keeps_the_id_within_what_a_field_holds) {
    const auto label = std::string(60, 'a') + ".";
    auto what = due_for(label + label + label + label + "example");
    const auto made = make_report(some_reporter(), what, 0, results{some_result()});
    EXPECT_LT(made.report_id.size(), 250u);
    EXPECT_EQ(made.report_id.find(".@"), std::string::npos);
}

TEST(reporter, is_named_by_the_domain_of_its_contact) {
    PROVES("8460-5.1-b", "8460-5.1-c");
    reporter who;
    who.contact = "TLS@B\xc3\xbc"
                  "cher.Example";
    EXPECT_EQ(who.submitter(), "xn--bcher-kva.example");
    EXPECT_EQ(who.address(), "TLS@xn--bcher-kva.example");
    who.contact = "nobody";
    EXPECT_EQ(who.submitter(), "");
}

// ---- policies ----

TEST(make_report, names_each_policy_in_its_form) {
    PROVES("A22", "A23", "A24", "A25", "8460-4-c", "8460-4-e");
    auto sts = some_result(), dane = some_result(), none = some_result();
    sts.policy.mx_patterns = {};
    dane.policy = {.type = policy_type::tlsa,
                   .domain = "MX1.example.com.",
                   .strings = {"3  1 1 0a b0", "2 0 1 CC; 3 1 1 dd"},
                   .mx_patterns = {"*.example.com"}};
    none.policy = {
        .type = policy_type::no_policy_found, .domain = "", .strings = {"x"}, .mx_patterns = {"y"}};
    const auto made = make_report(some_reporter(), due_for("example.com"), 0, results{none, sts, dane});
    ASSERT_EQ(made.policies.size(), 3u);
    const auto& [a, b, c] = std::tie(made.policies[0], made.policies[1], made.policies[2]);
    EXPECT_EQ(a.type, "tlsa");
    EXPECT_EQ(a.domain, "mx1.example.com");
    EXPECT_THAT(a.strings, ElementsAre("3 1 1 0AB0", "2 0 1 CC", "3 1 1 DD"));
    EXPECT_THAT(a.mx_patterns, IsEmpty());
    EXPECT_EQ(b.type, "sts");
    EXPECT_THAT(b.mx_patterns, ElementsAre("*.example.com")); // from the lines of the policy
    EXPECT_EQ(c.type, "no-policy-found");
    EXPECT_EQ(c.domain, "example.com");
    EXPECT_THAT(c.strings, IsEmpty());
    EXPECT_THAT(c.mx_patterns, IsEmpty());
}

TEST(make_report, joins_equal_policies_and_keeps_others_apart) {
    auto one = some_result(), crlf = some_result(), other = some_result();
    crlf.policy.strings[0] += "\r"; // the same lines, as another server split them
    other.policy.strings[3] = "max_age: 86400";
    one.faults = {{some_fault(result_type::certificate_expired), 2}};
    one.failure = 2;
    crlf.faults = one.faults;
    crlf.failure = 3;
    crlf.faults[0].count = 3;
    const auto made = make_report(some_reporter(), due_for("example.com"), 0, results{one, other, crlf});
    ASSERT_EQ(made.policies.size(), 2u);
    EXPECT_EQ(made.policies[0].success, 20u);
    EXPECT_EQ(made.policies[0].failure, 5u);
    ASSERT_EQ(made.policies[0].details.size(), 1u);
    EXPECT_EQ(made.policies[0].details[0].count, 5u);
}

TEST(make_report, tells_the_operator_of_an_mx_host_about_that_host_alone) {
    PROVES("A22", "8460-1.1-a");
    auto dane = some_result(), of_another = some_result(), sts = some_result();
    dane.policy = {
        .type = policy_type::tlsa, .domain = "mx1.example.net", .strings = {"3 1 1 AB"}, .mx_patterns = {}};
    of_another = dane;
    of_another.domain = "example.org"; // another recipient's domain, the same host: one entry
    auto elsewhere = dane;
    elsewhere.policy.domain = "mx2.example.net";
    auto what = due_for("mx1.example.net");
    what.audience = model::report_audience::tlsa_base;
    const auto made = make_report(some_reporter(), what, 0, results{sts, dane, of_another, elsewhere});
    ASSERT_EQ(made.policies.size(), 1u);
    EXPECT_EQ(made.policies[0].domain, "mx1.example.net");
    EXPECT_EQ(made.policies[0].success, 20u);
}

// ---- details ----

TEST(make_report, tells_details_with_the_most_frequent_first) {
    PROVES("8460-4-g", "8460-4.3.1-b", "8460-4.3.1-c");
    auto one = some_result();
    one.faults = {{some_fault(result_type::certificate_host_mismatch), 2},
                  {some_fault(result_type::starttls_not_supported), 7},
                  {some_fault(result_type::certificate_expired), 0}};
    one.failure = 9;
    const auto made = make_report(some_reporter(), due_for("example.com"), 0, results{one});
    const auto& details = made.policies.at(0).details;
    ASSERT_EQ(details.size(), 2u) << "what nobody met is no detail";
    EXPECT_EQ(details[0].result_type, "starttls-not-supported");
    EXPECT_EQ(details[0].count, 7u);
    EXPECT_EQ(details[1].result_type, "certificate-host-mismatch");
    EXPECT_EQ(details[1].sending_mta_ip, "192.0.2.1");
    EXPECT_EQ(details[1].receiving_mx, "mx1.example.com");
    EXPECT_EQ(details[1].receiving_ip, "198.51.100.1");
    EXPECT_EQ(details[1].reason_code, "tls-handshake-failure");
}

TEST(make_report, gives_a_reason_where_one_should_be) {
    PROVES("8460-4.3.1-d", "8460-4.3.1-e", "8460-4.3.3-a");
    for (const auto type : {result_type::certificate_not_trusted, result_type::validation_failure}) {
        auto one = some_result();
        auto fault = some_fault(type);
        fault.reason_code = "";
        one.faults = {{fault, 1}};
        one.failure = 1;
        const auto made = make_report(some_reporter(), due_for("example.com"), 0, results{one});
        EXPECT_EQ(made.policies.at(0).details.at(0).reason_code, "reason-not-told");
    }
    auto silent = some_result(); // a mail server that says only that it failed
    silent.failure = 3;
    const auto made = make_report(some_reporter(), due_for("example.com"), 0, results{silent});
    ASSERT_EQ(made.policies.at(0).details.size(), 1u);
    EXPECT_EQ(made.policies[0].details[0].result_type, "validation-failure");
    EXPECT_EQ(made.policies[0].details[0].count, 3u);
}

TEST(make_report, writes_a_fetch_failure_without_hosts_and_addresses) {
    PROVES("A29", "A33", "8460-4.3.2-d");
    auto one = some_result();
    one.policy.strings.clear();
    one.policy.mx_patterns.clear();
    one.success = 0;
    one.failure = 4;
    model::session_fault fault;
    fault.type = result_type::sts_policy_fetch_error;
    fault.reason_code = "http-status-404";
    one.faults = {{fault, 4}};
    const auto text =
        tlsrpt::write_report(make_report(some_reporter(), due_for("example.com"), 0, results{one}));
    EXPECT_THAT(text, Not(HasSubstr("policy-string")));
    EXPECT_THAT(text, Not(HasSubstr("mx-host")));
    EXPECT_THAT(text, Not(HasSubstr("-ip\"")));
    EXPECT_THAT(text, Not(HasSubstr("receiving-")));
    EXPECT_THAT(text, HasSubstr("\"failure-reason-code\": \"http-status-404\""));
}

TEST(make_report, writes_a_host_outside_of_the_policy_by_its_name) {
    PROVES("A32");
    auto one = some_result();
    model::session_fault fault;
    fault.type = result_type::validation_failure;
    fault.receiving_mx = "mx.example.org";
    fault.reason_code = "sts-mx-not-in-policy";
    one.faults = {{fault, 1}};
    one.failure = 1;
    const auto made = make_report(some_reporter(), due_for("example.com"), 0, results{one});
    const auto& d = made.policies.at(0).details.at(0);
    EXPECT_EQ(d.result_type, "validation-failure");
    EXPECT_EQ(d.receiving_mx, "mx.example.org");
    EXPECT_EQ(d.receiving_ip + d.sending_mta_ip, "");
}

TEST(make_report, cleans_what_servers_said) {
    PROVES("A26");
    auto one = some_result();
    auto fault = some_fault(result_type::certificate_expired);
    fault.sending_mta_ip = "2001:DB8:0:0::1";
    fault.receiving_ip = "unknown";
    fault.receiving_mx = "MX1.Example.COM.";
    fault.receiving_mx_helo = "250-mx1.example.com at your service\r\n250-STARTTLS\r\n250 SIZE 1";
    fault.additional_information = "see\nthe log";
    one.faults = {{fault, 1}};
    one.failure = 1;
    const auto made = make_report(some_reporter(), due_for("example.com"), 0, results{one});
    const auto& d = made.policies.at(0).details.at(0);
    EXPECT_EQ(d.sending_mta_ip, "2001:db8::1");
    EXPECT_EQ(d.receiving_ip, "");
    EXPECT_EQ(d.receiving_mx, "mx1.example.com");
    EXPECT_EQ(d.receiving_mx_helo, "mx1.example.com");
    EXPECT_EQ(d.additional_information, "") << "the member holds a URI";
    EXPECT_EQ(d.reason_code, "tls-handshake-failure; see the log");
}

TEST(make_report, keeps_the_sending_address_to_itself_on_request) {
    PROVES("8460-8-a");
    auto one = some_result();
    auto here = some_fault(result_type::certificate_expired), there = here;
    there.sending_mta_ip = "192.0.2.2";
    one.faults = {{here, 2}, {there, 3}};
    one.failure = 5;
    auto who = some_reporter();
    who.sending_address = false;
    const auto made = make_report(who, due_for("example.com"), 0, results{one});
    ASSERT_EQ(made.policies.at(0).details.size(), 1u) << "what differed in it alone is one";
    EXPECT_EQ(made.policies[0].details[0].count, 5u);
    EXPECT_THAT(tlsrpt::write_report(made), Not(HasSubstr("sending-mta-ip")));
}

// ---- limits ----

model::counted_result many_details(int n) {
    auto one = some_result();
    for (int i = 0; i < n; ++i) {
        auto fault =
            some_fault(i % 3 == 0 ? result_type::certificate_expired : result_type::validation_failure);
        fault.receiving_ip = "198.51." + std::to_string(i / 250 % 250) + "." + std::to_string(i % 250);
        fault.reason_code = "r" + std::to_string(i * 7919 % 100'003);
        const auto count = static_cast<std::uint64_t>(i % 17 + 1);
        one.faults.push_back({fault, count});
        one.failure += count;
    }
    return one;
}

TEST(make_report, folds_the_rarest_details_with_exact_sums) {
    PROVES("A40");
    const auto one = many_details(1000);
    const auto made = make_report(some_reporter(), due_for("example.com"), 0, results{one}, {.details = 100});
    const auto& details = made.policies.at(0).details;
    ASSERT_EQ(details.size(), 102u);
    std::uint64_t told = 0;
    std::map<std::string, std::uint64_t> by_type, counted;
    for (const auto& d : details) {
        told += d.count;
        by_type[d.result_type] += d.count;
        if (d.reason_code == "several-reasons")
            EXPECT_EQ(d.receiving_ip + d.sending_mta_ip + d.receiving_mx, "");
        else
            EXPECT_GE(d.count, 16u) << "only the most frequent stay";
    }
    for (const auto& f : one.faults)
        counted[std::string(to_string(f.what.type))] += f.count;
    EXPECT_EQ(told, one.failure);
    EXPECT_EQ(by_type, counted);
    EXPECT_EQ(remarks(read_back(made)), "");
}

TEST(file_report, is_within_the_limit_of_bytes) {
    PROVES("8460-5.2-a", "A40");
    const auto one = many_details(5'000);
    const auto whole = file_report(some_reporter(), due_for("example.com"), 0, results{one}, {},
                                   {.bytes = 9U << 20U, .details = 20'000});
    const auto limit = whole.body.size() / 20;
    const auto filed = file_report(some_reporter(), due_for("example.com"), 0, results{one}, {},
                                   {.bytes = limit, .details = 20'000});
    EXPECT_LE(filed.body.size(), limit);
    EXPECT_GT(filed.body.size(), limit / 3) << "no more is folded than has to be";
    EXPECT_EQ(filed.failure, whole.failure);
    const auto json = base::gunzip(filed.body, {.bytes = 64U << 20U});
    ASSERT_TRUE(json);
    tlsrpt::report_reader reader;
    const auto read = reader.read_json(json->bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(remarks(*read), "");
    std::uint64_t told = 0;
    for (const auto& d : read->policies.at(0).details)
        told += d.count;
    EXPECT_EQ(told, one.failure);
}

TEST(file_report, gives_up_the_texts_of_policies_last) {
    results counted;
    std::uint32_t seed = 1;
    for (int i = 0; i < 40; ++i) {
        auto one = some_result();
        std::string noise = "x: ";
        for (int k = 0; k < 3000; ++k) {
            seed = seed * 1'664'525 + 1'013'904'223;
            noise += static_cast<char>('a' + (seed >> 16U) % 26);
        }
        one.policy.strings.push_back(noise);
        counted.push_back(one);
    }
    const auto filed =
        file_report(some_reporter(), due_for("example.com"), 0, counted, {}, {.bytes = 2000, .details = 100});
    EXPECT_LE(filed.body.size(), 2000u);
    EXPECT_EQ(filed.success, 400u);
}

TEST(file_report, is_named_and_counted) {
    PROVES("8460-5.1-a", "8460-5.1-b", "8460-5.1-d", "8460-5.1-e", "8460-5.1-f", "8460-5.2-a");
    auto one = some_result();
    one.failure = 2;
    const base::utc_seconds now = some_day + std::chrono::hours(30);
    auto who = some_reporter();
    auto what = due_for("example.com");
    auto filed = file_report(who, what, 0, results{one}, now);
    EXPECT_EQ(filed.file_name, "example.net!example.com!1767312000!1767398399.json.gz");
    EXPECT_EQ(filed.day, some_day);
    EXPECT_EQ(filed.domain, "example.com");
    EXPECT_EQ(filed.success, 10u);
    EXPECT_EQ(filed.failure, 2u);
    EXPECT_EQ(filed.made_at, now);
    EXPECT_THAT(filed.deliveries, IsEmpty());
    EXPECT_TRUE(base::looks_like_gzip(filed.body));
    who.unique = "node-1";
    what.audience = model::report_audience::tlsa_base;
    filed = file_report(who, what, 2, results{one}, now);
    EXPECT_EQ(filed.file_name, "example.net!example.com!1767312000!1767398399!node1tlsapart2.json.gz");
}

TEST(file_report, of_successes_alone_is_a_heartbeat) {
    PROVES("A36", "8460-4.2-a");
    const auto filed = file_report(some_reporter(), due_for("example.com"), 0, results{some_result()}, {});
    const auto json = base::gunzip(filed.body, {.bytes = 1U << 20U});
    ASSERT_TRUE(json);
    EXPECT_THAT(json->bytes, HasSubstr("\"total-successful-session-count\": 10"));
    EXPECT_THAT(json->bytes, HasSubstr("\"total-failure-session-count\": 0"));
    EXPECT_THAT(json->bytes, Not(HasSubstr("failure-details")));
}

} // namespace
} // namespace mailtight::deliver
