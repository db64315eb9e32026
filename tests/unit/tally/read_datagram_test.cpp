// SPDX-License-Identifier: Apache-2.0
#include "tally/read_datagram.h"

#include "support/proves.h"

#include <rapidcheck/gtest.h>

namespace mailtight::tally {
namespace {
using model::policy_outcome;
using tlsrpt::policy_type;
using tlsrpt::result_type;
using kind = read_error::kind;

std::expected<model::delivery_result, read_error> read(std::string_view bytes) {
    static datagram_reader reader;
    return reader.read(bytes);
}
model::delivery_result good(std::string_view bytes) {
    const auto out = read(bytes);
    EXPECT_TRUE(out.has_value()) << bytes << ": " << (out ? "" : out.error().where + " " + out.error().words);
    return out.value_or(model::delivery_result{});
}
/// One policy with these members.
std::string with(std::string_view members) {
    return std::string(R"({"dpv":"1","d":"rcpt.example","policies":[{)").append(members).append("}]}");
}
policy_outcome outcome(std::string_view members) {
    auto all = good(with(members)).outcomes;
    EXPECT_EQ(all.size(), 1);
    return all.empty() ? policy_outcome{} : all[0];
}
model::session_fault fault(std::string_view detail) {
    auto all =
        outcome(R"("policy-type":9,"f":1,"t":1,"failure-details":[{)" + std::string(detail) + "}]").faults;
    EXPECT_EQ(all.size(), 1);
    return all.empty() ? model::session_fault{} : all[0];
}

// ---- what Postfix sends --------------------------------------------------------------------------------

TEST(read_datagram, a_session_that_failed_under_a_policy) {
    PROVES("8460-4.3.1-b");
    const auto r = good(
        R"({"dpv":"1","d":"rcpt.example","pr":"v=TLSRPTv1; rua=mailto:tls@rcpt.example","policies":[{"policy-type":2,)"
        R"("policy-domain":"rcpt.example","policy-string":["version: STSv1","mode: enforce","mx: *.in.rcpt.example",)"
        R"("max_age: 604800"],"mx-host":["*.in.rcpt.example"],"failure-details":[{"c":202,"s":"192.0.2.9",)"
        R"("n":"a.in.rcpt.example","h":"250-a.in.rcpt.example\r\n250 STARTTLS","r":"198.51.100.4",)"
        R"("a":"https://help.example/1","f":"no_name_fits"}],"t":1,"f":1}]})");
    EXPECT_EQ(r.domain, "rcpt.example");
    EXPECT_EQ(r.record_seen, "v=TLSRPTv1; rua=mailto:tls@rcpt.example");
    ASSERT_EQ(r.outcomes.size(), 1);
    const model::applied_policy policy{
        policy_type::sts,
        "rcpt.example",
        {"version: STSv1", "mode: enforce", "mx: *.in.rcpt.example", "max_age: 604800"},
        {"*.in.rcpt.example"}};
    EXPECT_EQ(r.outcomes[0].policy, policy);
    EXPECT_TRUE(r.outcomes[0].failed);
    const model::session_fault told{result_type::certificate_host_mismatch,
                                    "192.0.2.9",
                                    "a.in.rcpt.example",
                                    "a.in.rcpt.example",
                                    "198.51.100.4",
                                    "https://help.example/1",
                                    "no_name_fits"};
    EXPECT_EQ(r.outcomes[0].faults, std::vector{told});
}

TEST(read_datagram, every_code_of_libtlsrpt_is_its_result_type) {
    PROVES("8460-4.3.1-a", "8460-4.3.1-c", "8460-4.3.1-d", "8460-4.3.1-e", "8460-4.3.2-a", "8460-4.3.2-b",
           "8460-4.3.2-c", "8460-4.3.2-d", "8460-4.3.2-e", "8460-4.3.2-f");
    const std::pair<int, result_type> rows[] = {{201, result_type::starttls_not_supported},
                                                {202, result_type::certificate_host_mismatch},
                                                {203, result_type::certificate_not_trusted},
                                                {204, result_type::certificate_expired},
                                                {205, result_type::validation_failure},
                                                {301, result_type::sts_policy_fetch_error},
                                                {302, result_type::sts_policy_invalid},
                                                {303, result_type::sts_webpki_invalid},
                                                {304, result_type::tlsa_invalid},
                                                {305, result_type::dnssec_invalid},
                                                {306, result_type::dane_required}};
    for (const auto& [code, type] : rows) {
        EXPECT_EQ(fault("\"c\":" + std::to_string(code)).type, type);
        EXPECT_EQ(fault("\"c\":\"" + std::to_string(code) + "\"").type, type) << "as a text";
        EXPECT_EQ(fault("\"c\":" + std::to_string(code)).reason_code, "");
    }
}

TEST(read_datagram, an_unknown_code_is_a_validation_failure_that_says_which) {
    EXPECT_EQ(fault(R"("c":299)").type, result_type::validation_failure);
    EXPECT_EQ(fault(R"("c":299)").reason_code, "libtlsrpt-code-299");
    EXPECT_EQ(fault(R"("f":"odd","c":"307")").reason_code, "libtlsrpt-code-307: odd");
    EXPECT_EQ(fault(R"("c":"certificate-revoked")").reason_code, "certificate-revoked");
    EXPECT_EQ(fault(R"("c":"Certificate-Expired")").type, result_type::certificate_expired);
}

TEST(read_datagram, the_three_types_of_policies) {
    EXPECT_EQ(outcome(R"("policy-type":9,"f":0)").policy.type, policy_type::no_policy_found);
    EXPECT_EQ(outcome(R"("policy-type":"2","f":"0")").policy.type, policy_type::sts);
    EXPECT_EQ(outcome(R"("policy-type":1,"policy-domain":"MX.example.","f":0)").policy.domain, "mx.example");
    EXPECT_EQ(outcome(R"("policy-type":"no-policy-found","failed":false)").policy.type,
              policy_type::no_policy_found);
}

TEST(read_datagram, a_policy_without_a_domain_has_the_recipients) {
    for (const auto* type : {"2", "9"})
        for (const auto* domain :
             {"", R"("policy-domain":null,)", R"("policy-domain":"",)", R"("policy-domain":"[a]",)"})
            EXPECT_EQ(outcome(std::string(domain) + "\"f\":0,\"policy-type\":" + type).policy.domain,
                      "rcpt.example");
}

TEST(read_datagram, whether_it_failed_is_said_and_not_counted_from_the_details) {
    PROVES("8460-4-d");
    const auto spoken = outcome(R"("policy-type":9,"f":0,"t":7,"failure-details":[{"c":205},{"c":203}])");
    EXPECT_FALSE(spoken.failed);
    EXPECT_EQ(spoken.faults.size(), 2);
    EXPECT_TRUE(outcome(R"("policy-type":9,"f":1,"t":0)").failed);
    EXPECT_TRUE(outcome(R"("policy-type":9,"f":true,"failure-details":null)").failed);
    EXPECT_TRUE(outcome(R"("policy-type":9,"f":"1","failure-details":[])").failed);
}

TEST(read_datagram, several_policies_stand_in_one) {
    PROVES("8460-4-e");
    const auto r =
        good(R"({"d":"a.example","policies":[{"policy-type":2,"f":0},)"
             R"({"policy-type":1,"policy-domain":"mx.a.example","policy-string":["3 1 1 AB"],"f":1}]})");
    ASSERT_EQ(r.outcomes.size(), 2);
    EXPECT_FALSE(r.outcomes[0].failed);
    EXPECT_TRUE(r.outcomes[1].failed);
    EXPECT_EQ(r.outcomes[1].policy.domain, "mx.a.example");
}

TEST(read_datagram, the_records_of_a_host_are_a_set) {
    const auto a = outcome(
        R"("policy-type":1,"policy-domain":"m.example","f":0,"policy-string":["3 1 1 ab","2 0 1 CD"])");
    const auto b = outcome(
        R"("policy-type":1,"policy-domain":"m.example","f":0,"policy-string":["2 0 1 cd","3 1 1 AB","2 0 1 CD"])");
    EXPECT_EQ(a.policy, b.policy);
    EXPECT_EQ(a.policy.strings, (std::vector<std::string>{"2 0 1 CD", "3 1 1 AB"}));
}

TEST(read_datagram, old_senders_name_no_version) {
    EXPECT_EQ(good(R"({"d":"a.example","policies":[{"policy-type":9,"f":0}]})").domain, "a.example");
    EXPECT_EQ(good(R"({"dpv":1,"d":"a.example","policies":[{"policy-type":9,"f":0}]})").domain, "a.example");
    EXPECT_EQ(good(R"({"dpv":null,"d":"a.example","policies":{"policy-type":9,"f":0}})").domain, "a.example");
}

TEST(read_datagram, the_domain_is_an_a_label_in_lower_case) {
    const std::pair<std::string, std::string> rows[] = {{"Rcpt.Example.", "rcpt.example"},
                                                        {"B\u00fccher.Example", "xn--bcher-kva.example"},
                                                        {"_x.example", "_x.example"}};
    for (const auto& [written, name] : rows)
        EXPECT_EQ(good(R"({"d":")" + written + R"(","policies":[{"policy-type":9,"f":0}]})").domain, name);
}

TEST(read_datagram, of_an_ehlo_reply_the_first_line_without_its_code) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {R"(250-mx1.b.example\r\n250 STARTTLS)", "mx1.b.example"},
        {R"(250 mx1.b.example)", "mx1.b.example"},
        {R"(250-mx1.b.example hello\n250-PIPELINING\n250 DSN)", "mx1.b.example hello"},
        {"mx1.b.example", "mx1.b.example"},
        {"2500.example", "2500.example"},
        {"250", ""},
        {"", ""}};
    for (const auto& [told, first] : rows)
        EXPECT_EQ(fault(R"("c":205,"h":")" + std::string(told) + '"').receiving_mx_helo, first) << told;
}

TEST(read_datagram, addresses_and_hosts_have_one_form) {
    const auto f = fault(R"("c":205,"s":"2001:DB8:0:0::9","r":"the cellar","n":"MX.B.Example.")");
    EXPECT_EQ(f.sending_mta_ip, "2001:db8::9");
    EXPECT_EQ(f.receiving_ip, "");
    EXPECT_EQ(f.receiving_mx, "mx.b.example");
}

// ---- bytes ---------------------------------------------------------------------------------------------

TEST(read_datagram, bytes_that_are_no_utf8_are_read_as_U_FFFD) {
    EXPECT_EQ(fault("\"c\":205,\"f\":\"caf\xe9\"").reason_code, "caf\ufffd");
    EXPECT_EQ(fault("\"c\":205,\"f\":\"\xc3\xa9\xff\xfe\"").reason_code, "\u00e9\ufffd\ufffd");
    EXPECT_EQ(fault("\"c\":205,\"h\":\"250-\xf0\x9f\x98 mx\"").receiving_mx_helo, "\ufffd\ufffd\ufffd mx");
}

TEST(read_datagram, controls_become_blanks_and_noncharacters_are_replaced) {
    PROVES("8460-4-a");
    EXPECT_EQ(fault(R"("c":205,"f":"a\u0000b\u0007c\u007fd\u0085e")").reason_code, "a b c d e");
    EXPECT_EQ(fault(R"("c":205,"f":"x\uffffy\ufdd0z")").reason_code, "x\ufffdy\ufffdz");
    EXPECT_EQ(fault(R"("c":205,"f":"two\r\nlines \n")").reason_code, "two  lines");
}

TEST(read_datagram, the_first_of_two_members_of_one_name_counts) {
    PROVES("8460-4-a");
    EXPECT_EQ(fault(R"("c":203,"c":204,"f":"first","f":"second")").reason_code, "first");
    EXPECT_EQ(good(R"({"d":"a.example","d":"b.example","policies":[{"policy-type":9,"f":0}]})").domain,
              "a.example");
}

TEST(read_datagram, what_is_not_known_is_passed_over) {
    EXPECT_EQ(
        good(
            R"({"new":{"deep":[1,2,{"x":null}]},"d":"a.example","policies":[{"more":[],"policy-type":9,"f":0}]})")
            .outcomes.size(),
        1);
}

TEST(read_datagram, a_text_is_cut_at_the_limit_between_characters) {
    datagram_reader reader({.text = 10});
    const auto r = reader.read(
        with(R"("policy-type":9,"f":1,"failure-details":[{"c":205,"f":"123456789\u00e9\u00e9"}])"));
    ASSERT_TRUE(r);
    EXPECT_EQ(r->outcomes[0].faults[0].reason_code, "123456789");
}

// ---- what is no datagram -------------------------------------------------------------------------------

TEST(read_datagram, what_is_refused_and_where) {
    const std::string deep(40, '[');
    struct {
        std::string bytes;
        kind code;
        std::string_view where;
    } const rows[] = {
        // The five inputs that end another collector, and two that it survives.
        {"this is no JSON", kind::not_json, ""},
        {"\xff\xfe\x00\x01", kind::not_json, ""},
        {"42", kind::not_an_object, ""},
        {R"({"d":null,"policies":[{"policy-type":9,"f":0}]})", kind::no_domain, "d"},
        {R"({"d":"a.example","policies":["x"]})", kind::field, "policies[0]"},
        {R"([{"d":"a.example"}])", kind::not_an_object, ""},
        {with(R"("policy-type":9)"), kind::field, "policies[0].f"},
        // Broken JSON.
        {"", kind::not_json, ""},
        {R"({"d":"a.example")", kind::not_json, ""},
        {with(R"("policy-type":9,"f":0)") + "x", kind::not_json, ""},
        {R"({"x":)" + deep + std::string(40, ']') + "}", kind::not_json, ""},
        {"\"text\"", kind::not_an_object, ""},
        {"null", kind::not_an_object, ""},
        // The version.
        {R"({"dpv":"2","d":"a.example","policies":[{"policy-type":9,"f":0}]})", kind::version, "dpv"},
        {R"({"dpv":"one","d":"a.example","policies":[{"policy-type":9,"f":0}]})", kind::version, "dpv"},
        {R"({"dpv":{},"d":"a.example","policies":[{"policy-type":9,"f":0}]})", kind::version, "dpv"},
        // The domain.
        {R"({"policies":[{"policy-type":9,"f":0}]})", kind::no_domain, "d"},
        {R"({"d":"","policies":[{"policy-type":9,"f":0}]})", kind::no_domain, "d"},
        {R"({"d":7,"policies":[{"policy-type":9,"f":0}]})", kind::no_domain, "d"},
        {R"({"d":"a b","policies":[{"policy-type":9,"f":0}]})", kind::no_domain, "d"},
        {R"({"d":"192.0.2.1","policies":[{"policy-type":9,"f":0}]})", kind::no_domain, "d"},
        {R"({"d":"[192.0.2.1]","policies":[{"policy-type":9,"f":0}]})", kind::no_domain, "d"},
        // The policies.
        {R"({"d":"a.example"})", kind::no_policies, "policies"},
        {R"({"d":"a.example","policies":[]})", kind::no_policies, "policies"},
        {R"({"d":"a.example","policies":null})", kind::no_policies, "policies"},
        {R"({"d":"a.example","policies":7})", kind::field, "policies"},
        {with(R"("f":0)"), kind::field, "policies[0].policy-type"},
        {with(R"("policy-type":3,"f":0)"), kind::field, "policies[0].policy-type"},
        {with(R"("policy-type":true,"f":0)"), kind::field, "policies[0].policy-type"},
        {with(R"("policy-type":9.5,"f":0)"), kind::field, "policies[0].policy-type"},
        {with(R"("policy-type":1e300,"f":0)"), kind::field, "policies[0].policy-type"},
        {with(R"("policy-type":1,"f":0)"), kind::field, "policies[0].policy-domain"},
        {with(R"("policy-type":9,"f":2)"), kind::field, "policies[0].f"},
        {with(R"("policy-type":9,"f":"yes")"), kind::field, "policies[0].f"},
        {with(R"("policy-type":2,"f":0,"policy-string":[1])"), kind::field, "policies[0].policy-string[0]"},
        {with(R"("policy-type":2,"f":0,"mx-host":{})"), kind::field, "policies[0].mx-host"},
        // The details.
        {with(R"("policy-type":9,"f":1,"failure-details":"x")"), kind::field, "policies[0].failure-details"},
        {with(R"("policy-type":9,"f":1,"failure-details":[{"c":205},5])"), kind::field,
         "policies[0].failure-details[1]"},
        {with(R"("policy-type":9,"f":1,"failure-details":[{}])"), kind::field,
         "policies[0].failure-details[0].c"},
        {with(R"("policy-type":9,"f":1,"failure-details":[{"c":205},{"c":[]}])"), kind::field,
         "policies[0].failure-details[1].c"},
        {with(R"("policy-type":9,"f":1,"failure-details":[{"c":-5}])"), kind::field,
         "policies[0].failure-details[0].c"},
        {with(R"("policy-type":9,"f":1,"failure-details":[{"c":205,"r":[]}])"), kind::field,
         "policies[0].failure-details[0].r"},
    };
    for (const auto& row : rows) {
        const auto out = read(row.bytes);
        ASSERT_FALSE(out) << row.bytes;
        EXPECT_EQ(out.error().code, row.code) << row.bytes << ": " << to_string(out.error().code);
        EXPECT_EQ(out.error().where, row.where) << row.bytes;
        EXPECT_FALSE(out.error().words.empty());
    }
}

TEST(read_datagram, limits_are_kept) {
    const datagram_limits limits{.bytes = 4'000, .policies = 2, .details = 2, .strings = 2, .patterns = 2};
    datagram_reader reader(limits);
    const std::string policy = R"({"policy-type":9,"f":0})";
    struct {
        std::string bytes;
        std::string_view where;
    } const rows[] = {
        {std::string(4'001, ' '), ""},
        {R"({"d":"a.example","policies":[)" + policy + ',' + policy + ',' + policy + "]}", "policies"},
        {with(R"("policy-type":9,"f":1,"failure-details":[{"c":205},{"c":205},{"c":205}])"),
         "policies[0].failure-details"},
        {with(R"("policy-type":2,"f":0,"policy-string":["a","b","c"])"), "policies[0].policy-string"},
        {with(R"("policy-type":2,"f":0,"mx-host":["a","b","c"])"), "policies[0].mx-host"},
    };
    for (const auto& row : rows) {
        const auto out = reader.read(row.bytes);
        ASSERT_FALSE(out) << row.bytes;
        EXPECT_EQ(out.error().code, kind::too_large);
        EXPECT_EQ(out.error().where, row.where);
    }
    EXPECT_TRUE(reader.read(with(R"("policy-type":2,"f":0,"mx-host":["a","b"])")));
}

TEST(read_datagram, a_large_one_is_read_and_the_next_small_one_too) {
    datagram_reader reader;
    std::string details = R"({"c":205,"f":")" + std::string(900, 'x') + "\"}";
    std::string all = details;
    for (int i = 1; i < 200; ++i)
        all += ',' + details;
    for (int i = 0; i < 3; ++i) {
        const auto large = reader.read(with(R"("policy-type":9,"f":1,"failure-details":[)" + all + "]"));
        ASSERT_TRUE(large);
        EXPECT_EQ(large->outcomes[0].faults.size(), 200);
        EXPECT_TRUE(reader.read(with(R"("policy-type":9,"f":0)")));
    }
}

RC_GTEST_PROP(read_datagram_property, any_bytes_are_read_or_refused_with_words, (const std::string& bytes)) {
    const auto out = read(bytes);
    RC_ASSERT(out.has_value() || !out.error().words.empty());
}
RC_GTEST_PROP(read_datagram_property, any_text_of_a_reason_becomes_one_line, (std::string reason)) {
    for (char& c : reason) // of what JSON lets pass as it is
        if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\')
            c = '.';
    const auto out = fault("\"c\":205,\"f\":\"" + reason + '"').reason_code;
    for (const char c : out)
        RC_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

} // namespace
} // namespace mailtight::tally
