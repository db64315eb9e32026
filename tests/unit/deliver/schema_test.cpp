// SPDX-License-Identifier: Apache-2.0
// What we write, judged by a schema made from RFC 8460 and a validator that knows nothing of this program.
// That the schema is strict is shown by texts that it must refuse.
#include "base/text.h"
#include "deliver/compose.h"
#include "support/filter.h"
#include "support/proves.h"
#include "tlsrpt/write_report.h"
#include "unit/deliver/some_results.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

namespace mailtight::deliver {
namespace {

// One verdict a text: "ok", or what is wrong.
std::vector<std::string> judge(const std::vector<std::string>& texts) {
    std::string all;
    for (const auto& text : texts)
        all += text + '\0';
    const auto said = tests::filter("python3 " MAILTIGHT_SOURCE_DIR "/tests/schema/judge", all);
    std::vector<std::string> out;
    for (const auto line : base::split(said, '\n'))
        out.emplace_back(line);
    out.pop_back();
    return out;
}

TEST(schema, takes_every_report_that_we_write) {
    PROVES("8460-4-a", "8460-4-b", "8460-4-c", "8460-4-f", "8460-4.1-a", "8460-6.4-a", "8460-6.6-a", "A23",
           "A24", "A25", "A26");
    std::vector<std::string> texts;
    const auto drawn = rc::check([&] {
        auto who = some_reporter();
        who.organization = *hostile_text();
        who.sending_address = *rc::gen::arbitrary<bool>();
        std::vector<model::counted_result> counted;
        const int size = *rc::gen::inRange(1, 4);
        for (int i = 0; i < size; ++i)
            counted.push_back(any_result());
        const compose_limits limits{.details = *rc::gen::element<std::size_t>(0, 1, 10'000)};
        texts.push_back(tlsrpt::write_report(
            make_report(who, due_for("example.com"), *rc::gen::inRange(0, 3), counted, limits)));
    });
    ASSERT_TRUE(drawn);
    texts.push_back(tlsrpt::write_report(tlsrpt::example_report(some_day)));
    const auto verdicts = judge(texts);
    ASSERT_EQ(verdicts.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i)
        EXPECT_EQ(verdicts[i], "ok") << texts[i];
}

std::string good() {
    auto one = some_result();
    one.failure = 3;
    one.faults = {{some_fault(tlsrpt::result_type::validation_failure), 3}};
    auto dane = one;
    dane.policy = {.type = tlsrpt::policy_type::tlsa,
                   .domain = "mx1.example.com",
                   .strings = {"3 1 1 AB"},
                   .mx_patterns = {}};
    return tlsrpt::write_report(
        make_report(some_reporter(), due_for("example.com"), 0, std::vector{one, dane}));
}

struct change {
    const char* from;
    const char* to;
    const char* why;
};

TEST(schema, refuses_what_a_producer_must_not_write) {
    const std::vector<change> bad{
        {"\"organization-name\": \"Example Net\"", "\"organization-name\": \"\"", "no name"},
        {"\"organization-name\"", "\"organisation-name\"", "another spelling"},
        {"T00:00:00Z", "T00:00:01Z", "does not begin at midnight"},
        {"T23:59:59Z", "T23:59:59+00:00", "an offset"},
        {"02T23:59:59Z", "03T23:59:59Z", "two days"},
        {"tls-reports@example.net", "mailto:tls-reports", "no addr-spec"},
        {"\"report-id\": \"", "\"report-id\": \"<", "no dot-atom"},
        {"\"policies\": [", "\"policies\": [], \"x\": [", "no policies"},
        {"\"policy-type\": \"sts\"", "\"policy-type\": \"STS\"", "an unknown type"},
        {"\"policy-domain\": \"example.com\"", "\"policy-domain\": \"Example.com\"", "upper case"},
        {"\"policy-domain\": \"mx1.example.com\"", "\"mx-host\": [\"a.example\"]",
         "no domain; mx-host with tlsa"},
        {"\"*.example.com\"", "\"mx: *.example.com\"", "a prefix"},
        {"\"3 1 1 AB\"", "\"3 1 1 AB;2 1 1 CD\"", "two records in one"},
        {"\"3 1 1 AB\"", "\"3 1 1 ab\"", "lower case"},
        {"\"mode: enforce\"", "\"mode: enforce\\r\"", "the line end kept"},
        {"\"total-successful-session-count\": 10", "\"total-successful-session-count\": \"10\"", "a text"},
        {"\"total-successful-session-count\": 10", "\"total-successful-session-count\": -1", "negative"},
        {"\"total-successful-session-count\": 10", "\"total-successful-session-count\": 9007199254740992",
         "not safe"},
        {"\"total-successful-session-count\": 10", "\"total-successful-session-count\": 10.0", "a fraction"},
        {"\"failure-details\"", "\"failure-detail\"", "a failure without its entry"},
        {"\"validation-failure\"", "\"other\"", "an unregistered result"},
        {"\"failed-session-count\": 3", "\"failed-session-count\": 0", "nobody"},
        {"\"failure-reason-code\": \"tls-handshake-failure\"", "\"receiving-mx-helo\": \"a\"", "no reason"},
        {"\"sending-mta-ip\": \"192.0.2.1\"", "\"sending-mta-ip\": \"192.0.2\"", "no address"},
        {"\"sending-mta-ip\": \"192.0.2.1\"", "\"sending-mta-ip\": \"2001:db8:0012::1\"", "not canonical"},
        {"\"sending-mta-ip\": \"192.0.2.1\"", "\"sending-mta-ip\": null", "null"},
        {"\"receiving-mx-helo\": \"mx1.example.com\"", "\"receiving-mx-helo\": \"250-mx1 a\"", "the reply"},
        {"\"result-type\"", "\"additional-info-uri\": \"https://x.example/\", \"result-type\"",
         "the other name"},
        {"\"result-type\"", "\"additional-information\": \"see the log\", \"result-type\"", "no URI"},
        {"\"contact-info\"", "\"report-id\": \"a@b\", \"contact-info\"", "a member twice"},
        {"Example Net", "Example \\ud800", "half a pair"},
        {"Example Net", "Example \\uffff", "a noncharacter"},
        {"Example Net", "Example\\u0007", "a control character"},
    };
    std::vector<std::string> texts{good()};
    for (const auto& [from, to, why] : bad) {
        auto text = good();
        const auto at = text.find(from);
        ASSERT_NE(at, std::string::npos) << why << ": " << from << "\n" << text;
        texts.push_back(text.replace(at, std::string_view(from).size(), to));
    }
    const auto verdicts = judge(texts);
    ASSERT_EQ(verdicts.size(), texts.size());
    EXPECT_EQ(verdicts[0], "ok") << texts[0];
    for (std::size_t i = 1; i < texts.size(); ++i)
        EXPECT_NE(verdicts[i], "ok") << bad[i - 1].why << "\n" << texts[i];
}

} // namespace
} // namespace mailtight::deliver
