// SPDX-License-Identifier: Apache-2.0
#include "tally/read_event.h"

#include "support/proves.h"

#include <rapidcheck/gtest.h>

#include <fstream>
#include <sstream>

namespace mailtight::tally {
namespace {
using model::session_seen;
using model::tls_reached;
using tlsrpt::result_type;
using kind = read_error::kind;

std::expected<told, read_error> read(std::string_view line) {
    static event_reader reader;
    return reader.read(line);
}
session_seen session(std::string_view line) {
    const auto out = read(line);
    EXPECT_TRUE(out.has_value()) << line << ": " << (out ? "" : out.error().where + " " + out.error().words);
    if (out && std::holds_alternative<session_seen>(*out))
        return std::get<session_seen>(*out);
    ADD_FAILURE() << line << " is no session";
    return {};
}

TEST(read_event, facts_of_a_session) {
    const auto s =
        session(R"({"domain":"A.Example.","mx":"MX1.a.example.","ip":"192.0.2.1","sending-ip":"2001:db8::1",)"
                R"("helo":"250-mx1.a.example hello","tls":"verified"})");
    session_seen expected{.domain = "a.example",
                          .mx_host = "mx1.a.example",
                          .address = base::ip_address::parse("192.0.2.1"),
                          .sending_address = base::ip_address::parse("2001:db8::1"),
                          .helo = "mx1.a.example hello",
                          .tls = tls_reached::verified};
    EXPECT_EQ(s, expected);
}

TEST(read_event, how_far_tls_came_and_what_follows_from_it) {
    PROVES("8460-4.3.1-a", "8460-4.3.3-a");
    struct {
        std::string_view word;
        tls_reached tls;
        std::optional<result_type> failure;
    } const rows[] = {
        {"not-offered", tls_reached::not_offered, result_type::starttls_not_supported},
        {"refused", tls_reached::refused, result_type::starttls_not_supported},
        {"failed", tls_reached::failed, result_type::validation_failure},
        {"encrypted", tls_reached::encrypted, std::nullopt},
        {"trusted", tls_reached::trusted, std::nullopt},
        {"Verified", tls_reached::verified, std::nullopt},
        {"not-tried", tls_reached::not_tried, std::nullopt},
    };
    for (const auto& row : rows) {
        const auto s = session(R"({"domain":"a.example","tls":")" + std::string(row.word) + "\"}");
        EXPECT_EQ(s.tls, row.tls) << row.word;
        EXPECT_EQ(s.failure, row.failure) << row.word;
    }
}

TEST(read_event, a_result_says_how_far_tls_came) {
    const std::pair<result_type, tls_reached> rows[] = {
        {result_type::starttls_not_supported, tls_reached::not_offered},
        {result_type::certificate_host_mismatch, tls_reached::failed},
        {result_type::certificate_not_trusted, tls_reached::failed},
        {result_type::certificate_expired, tls_reached::failed},
        {result_type::validation_failure, tls_reached::failed},
        {result_type::sts_policy_fetch_error, tls_reached::not_tried},
        {result_type::sts_policy_invalid, tls_reached::not_tried},
        {result_type::sts_webpki_invalid, tls_reached::not_tried},
        {result_type::tlsa_invalid, tls_reached::not_tried},
        {result_type::dnssec_invalid, tls_reached::not_tried},
        {result_type::dane_required, tls_reached::not_tried},
    };
    for (const auto& [type, tls] : rows)
        for (const auto& value :
             {'"' + std::string(tlsrpt::to_string(type)) + '"', std::to_string(tlsrpt::wire_code(type))}) {
            const auto s = session(R"({"domain":"a.example","result":)" + value + "}");
            EXPECT_EQ(s.failure, type);
            EXPECT_EQ(s.tls, tls) << value;
        }
}

TEST(read_event, both_may_be_said) {
    const auto s = session(
        R"({"domain":"a.example","tls":"refused","result":"starttls-not-supported","reason":"starttls-reply-code-454"})");
    EXPECT_EQ(s.tls, tls_reached::refused);
    EXPECT_EQ(s.reason, "starttls-reply-code-454");
}

TEST(read_event, an_unknown_result_is_a_validation_failure_that_says_which) {
    EXPECT_EQ(session(R"({"domain":"a.example","result":"certificate-revoked"})").failure,
              result_type::validation_failure);
    EXPECT_EQ(session(R"({"domain":"a.example","result":"certificate-revoked","reason":"x"})").reason,
              "certificate-revoked: x");
    EXPECT_EQ(session(R"({"domain":"a.example","result":299})").reason, "libtlsrpt-code-299");
}

TEST(read_event, what_has_no_value_is_not_there) {
    const auto s = session(
        R"({"domain":"a.example","mx":"","ip":null,"sending-ip":"","tls":"encrypted","result":"","reason":""})");
    EXPECT_EQ(s, (session_seen{.domain = "a.example"}));
    EXPECT_EQ(session(R"({"domain":"","domain":"a.example","tls":"encrypted"})").domain, "a.example");
}

TEST(read_event, other_members_are_passed_over_and_the_first_of_two_counts) {
    EXPECT_EQ(session(R"({"queue-id":7,"at":[],"domain":"a.example","domain":"b.example","tls":"encrypted"})")
                  .domain,
              "a.example");
}

TEST(read_event, the_names_of_rfc8460_do_too) {
    const auto s = session(
        R"({"d":"a.example","receiving-mx-hostname":"mx","receiving-ip":"192.0.2.1","sending-mta-ip":"192.0.2.2",)"
        R"("receiving-mx-helo":"h","result-type":204,"failure-reason-code":"x"})");
    EXPECT_EQ(s.mx_host, "mx");
    EXPECT_EQ(s.address, base::ip_address::parse("192.0.2.1"));
    EXPECT_EQ(s.sending_address, base::ip_address::parse("192.0.2.2"));
    EXPECT_EQ(s.helo, "h");
    EXPECT_EQ(s.reason, "x");
    EXPECT_EQ(s.failure, result_type::certificate_expired);
}

TEST(read_event, a_line_with_policies_is_a_whole_result) {
    const auto out = read(
        R"({"domain":"a.example","record":"v=TLSRPTv1; rua=mailto:x@a.example","policies":[{"policy-type":"sts",)"
        R"("policy-string":["version: STSv1"],"mx-host":["MX.a.example"],"failed":true,"failure-details":[)"
        R"({"result-type":"certificate-expired","receiving-mx-hostname":"mx.a.example","failure-reason-code":"r"}]}]})");
    ASSERT_TRUE(out);
    const auto& r = std::get<model::delivery_result>(*out);
    EXPECT_EQ(r.domain, "a.example");
    EXPECT_EQ(r.record_seen, "v=TLSRPTv1; rua=mailto:x@a.example");
    ASSERT_EQ(r.outcomes.size(), 1);
    EXPECT_EQ(r.outcomes[0].policy.type, tlsrpt::policy_type::sts);
    EXPECT_EQ(r.outcomes[0].policy.domain, "a.example");
    EXPECT_EQ(r.outcomes[0].policy.mx_patterns, std::vector<std::string>{"mx.a.example"});
    EXPECT_TRUE(r.outcomes[0].failed);
    ASSERT_EQ(r.outcomes[0].faults.size(), 1);
    EXPECT_EQ(r.outcomes[0].faults[0].type, result_type::certificate_expired);
    EXPECT_EQ(r.outcomes[0].faults[0].reason_code, "r");
}

TEST(read_event, what_is_refused_and_where) {
    struct {
        std::string_view line;
        kind code;
        std::string_view where;
    } const rows[] = {
        {"", kind::not_json, ""},
        {"GET / HTTP/1.1", kind::not_json, ""},
        {R"(["domain"])", kind::not_an_object, ""},
        {R"({"tls":"verified"})", kind::no_domain, "domain"},
        {R"({"domain":"a b","tls":"verified"})", kind::no_domain, "domain"},
        {R"({"domain":"192.0.2.1","tls":"verified"})", kind::no_domain, "domain"},
        {R"({"domain":5,"tls":"verified"})", kind::field, "domain"},
        {R"({"domain":"a.example"})", kind::field, "tls"},
        {R"({"domain":"a.example","tls":"","result":null})", kind::field, "tls"},
        {R"({"domain":"a.example","tls":"good"})", kind::field, "tls"},
        {R"({"domain":"a.example","tls":true})", kind::field, "tls"},
        {R"({"domain":"a.example","tls":"verified","ip":"mx.a.example"})", kind::field, "ip"},
        {R"({"domain":"a.example","tls":"verified","mx":[]})", kind::field, "mx"},
        {R"({"domain":"a.example","result":{}})", kind::field, "result"},
        {R"({"domain":"a.example","policies":[]})", kind::no_policies, "policies"},
        {R"({"domain":"a.example","policies":[{"policy-type":"dane","failed":false}]})", kind::field,
         "policies[0].policy-type"},
    };
    for (const auto& row : rows) {
        const auto out = read(row.line);
        ASSERT_FALSE(out) << row.line;
        EXPECT_EQ(out.error().code, row.code) << row.line << ": " << to_string(out.error().code);
        EXPECT_EQ(out.error().where, row.where) << row.line;
        EXPECT_FALSE(out.error().words.empty());
    }
}

/// The fenced blocks of docs/collect.md.
std::vector<std::string> lines_of_the_page(std::string_view language) {
    std::ifstream file(MAILTIGHT_SOURCE_DIR "/docs/collect.md");
    std::vector<std::string> out;
    bool inside = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("```"))
            inside = !inside && line == "```" + std::string(language);
        else if (inside)
            out.push_back(line);
    }
    return out;
}

TEST(read_event, every_line_that_the_page_shows_is_read) {
    const auto lines = lines_of_the_page("json");
    ASSERT_GE(lines.size(), 4);
    std::size_t sessions = 0, results = 0;
    for (const auto& line : lines) {
        const auto out = read(line);
        ASSERT_TRUE(out) << line << ": " << out.error().where << ' ' << out.error().words;
        (std::holds_alternative<session_seen>(*out) ? sessions : results) += 1;
    }
    EXPECT_GE(sessions, 2);
    EXPECT_GE(results, 1);
}

TEST(read_event, the_page_names_every_word_and_member) {
    std::ifstream file(MAILTIGHT_SOURCE_DIR "/docs/collect.md");
    std::stringstream all;
    all << file.rdbuf();
    const std::string page = all.str();
    for (const auto* word :
         {"not-offered", "refused", "failed", "encrypted", "trusted", "verified", "not-tried", "domain", "mx",
          "ip", "sending-ip", "helo", "tls", "result", "reason", "policies", "record"})
        EXPECT_NE(page.find('`' + std::string(word) + '`'), std::string::npos) << word;
}

RC_GTEST_PROP(read_event_property, any_bytes_are_read_or_refused_with_words, (const std::string& bytes)) {
    const auto out = read(bytes);
    RC_ASSERT(out.has_value() || !out.error().words.empty());
}

} // namespace
} // namespace mailtight::tally
