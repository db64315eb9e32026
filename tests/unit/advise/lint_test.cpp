// SPDX-License-Identifier: Apache-2.0
// `record lint` and `policy lint`: valid is the grammar's word, findings are ours.
#include "support/proves.h"
#include "unit/advise/codes.h"

namespace mailtight::tests {
namespace {

/// Nothing is suggested below a text without a domain.
void expect_no_word_of_a_suggestion(const advise::lint_result& result) {
    for (const auto& f : result.findings)
        EXPECT_EQ(f.fix.find("suggested"), std::string::npos) << f.code << ": " << f.fix;
}

struct row {
    const char* why;
    std::vector<std::string> texts;
    bool valid;
    codes expected;
    int status;
};

void expect_records(const std::vector<row>& rows, advise::lint_result::kind kind) {
    for (const row& r : rows) {
        SCOPED_TRACE(r.why);
        const auto result = advise::lint_records(r.texts);
        EXPECT_EQ(result.what, kind);
        EXPECT_EQ(result.valid, r.valid);
        EXPECT_EQ(codes_of(result.findings), r.expected);
        EXPECT_EQ(result.exit_status(), r.status);
        expect_no_word_of_a_suggestion(result);
    }
}

TEST(lint, sts_records) {
    PROVES("8461-3.1-n", "8461-3.1-o", "G2-24", "G3-44");
    expect_records(
        {
            {"the guides' example", {"v=STSv1; id=20190425085700"}, true, {}, 0},
            {"a space before the semicolon is valid and told",
             {"v=STSv1 ; id=1"},
             true,
             {"sts-record.syntax"},
             0},
            {"two ids: the first counts", {"v=STSv1; id=1; id=2"}, true, {"sts-record.syntax"}, 0},
            {"no id", {"v=STSv1; foo=bar"}, false, {"sts-record.id-missing"}, 1},
            {"a hyphen", {"v=STSv1; id=2020-01-01"}, false, {"sts-record.id-invalid"}, 1},
            {"no record", {"V=STSv1; id=1"}, false, {"sts-record.syntax"}, 1},
            {"nothing", {}, false, {"sts-record.syntax"}, 1},
            {"the set has two", {"v=STSv1; id=1", "v=STSv1; id=2"}, false, {"sts-record.multiple"}, 1},
            {"SPF beside it is thrown away",
             {"v=spf1 -all", "v=STSv1; id=1"},
             true,
             {"sts-record.unrelated-txt"},
             0},
        },
        advise::lint_result::kind::sts);
}

TEST(lint, tlsrpt_records) {
    PROVES("8460-3-u", "8460-3-v", "G0-9", "G1-7", "G2-20", "G3-9", "G3-41", "G3-42");
    expect_records(
        {
            {"the guides' example", {"v=TLSRPTv1; rua=mailto:tlsrpt@yourdomain.com"}, true, {}, 0},
            {"the guides' example of two",
             {"v=TLSRPTv1; rua=mailto:tlsrpt@yourdomain.com,mailto:mta-sts@yourdomain.com"},
             true,
             {"tlsrpt.rua-many"},
             0},
            {"a bare address", {"v=TLSRPTv1; rua=a@example.com"}, false, {"tlsrpt.rua-scheme"}, 1},
            {"wrong case", {"v=tlsrptv1; rua=mailto:a@example.com"}, false, {"tlsrpt.syntax"}, 1},
            {"copied from another record",
             {"v=TLSRPTv1; id=1; rua=mailto:a@example.com"},
             true,
             {"tlsrpt.syntax"},
             0},
        },
        advise::lint_result::kind::tlsrpt);
    const auto two = advise::lint_records({"v=TLSRPTv1; rua=mailto:a@e.com,mailto:b@e.com"});
    EXPECT_EQ(two.findings.front().severity, findings::severity::info) << "neither error nor warning";
}

TEST(lint, policies) {
    PROVES("G1-18", "G3-29", "G3-56", "8461-3.2-d", "8461-3.2-n");
    struct policy_row {
        const char* why;
        std::string body;
        bool valid;
        codes expected;
        int status;
    };
    const policy_row rows[] = {
        {"the guides' first example",
         "version: STSv1\nmode: testing\nmx: mail.solarmora.com\nmx: clone-mail.cybersafe.vn\n"
         "mx: stupid-mail.cybersafe.vn\nmax_age: 604800\n",
         true,
         {},
         0},
        {"the guides' second example",
         "version: STSv1\nmode: testing\nmx: mail.solarmora.com\nmx: *.solarmora.net\nmx: "
         "backupmx.solarmora.com\n"
         "max_age: 604800\n",
         true,
         {},
         0},
        {"the guides' none policy",
         "version: STSv1\nmode: none\nmax_age: 86400\n",
         true,
         {"policy.mode-none"},
         0},
        {"grammatical and unwise",
         "version: STSv1\nmode: enforce\nmx: *.com\nmax_age: 2419200\n",
         true,
         {"policy.wildcard-too-broad"},
         1},
        {"a short max_age is valid",
         "version: STSv1\nmode: enforce\nmx: a.example.com\nmax_age: 60\n",
         true,
         {"policy.max-age-short"},
         0},
        {"the version last",
         "mode: testing\nmx: a.example.com\nmax_age: 604800\nversion: STSv1\n",
         true,
         {"policy.version-not-first"},
         0},
        {"a blank line at the end",
         "version: STSv1\nmode: none\nmax_age: 86400\n\n",
         false,
         {"policy.syntax", "policy.mode-none"},
         1},
        {"no mx", "version: STSv1\nmode: testing\nmax_age: 604800\n", false, {"policy.mx-missing"}, 1},
        {"nothing", "", false, {"policy.not-a-policy"}, 1},
        {"an address is valid as a name, and nobody's",
         "version: STSv1\nmode: enforce\nmx: 192.0.2.1\nmx: a.example.com\nmax_age: 2419200\n",
         true,
         {"policy.mx-syntax"},
         1},
        {"in none nobody compares an address either",
         "version: STSv1\nmode: none\nmx: 192.0.2.1\nmax_age: 86400\n",
         true,
         {"policy.mx-syntax", "policy.mode-none"},
         0},
        {"no name at all is outside the grammar, in none too",
         "version: STSv1\nmode: none\nmx: [192.0.2.1]\nmax_age: 86400\n",
         false,
         {"policy.mx-syntax"},
         1},
    };
    for (const policy_row& r : rows) {
        SCOPED_TRACE(r.why);
        const auto result = advise::lint_policy(r.body);
        EXPECT_EQ(result.what, advise::lint_result::kind::policy);
        EXPECT_EQ(result.valid, r.valid);
        EXPECT_EQ(codes_of(result.findings), r.expected);
        EXPECT_EQ(result.exit_status(), r.status);
        expect_no_word_of_a_suggestion(result);
    }
}

TEST(lint, what_senders_do_with_an_address_in_place_of_a_name) {
    const auto told = [](const std::string& mx) {
        const auto result = advise::lint_policy("version: STSv1\nmode: enforce\n" + mx +
                                                "mx: a.example.com\nmax_age: 2419200\n");
        EXPECT_EQ(codes_of(result.findings), codes{"policy.mx-syntax"}) << mx;
        return result.findings.at(0);
    };
    const auto address = told("mx: 192.0.2.1\n");
    EXPECT_EQ(address.consequence.find("cannot use the policy"), std::string::npos) << address.consequence;
    EXPECT_NE(address.consequence.find("admits no mail server"), std::string::npos) << address.consequence;
    EXPECT_NE(address.consequence.find("In enforce, mail"), std::string::npos) << address.consequence;
    for (const auto& [mode, weight] :
         {std::pair("enforce", findings::severity::error), std::pair("testing", findings::severity::error),
          std::pair("none", findings::severity::info)}) {
        const auto result = advise::lint_policy(std::string("version: STSv1\nmode: ") + mode +
                                                "\nmx: 192.0.2.1\nmax_age: 1209600\n");
        ASSERT_FALSE(result.findings.empty());
        EXPECT_EQ(result.findings.front().code, "policy.mx-syntax");
        EXPECT_EQ(result.findings.front().severity, weight) << mode;
        EXPECT_EQ(result.findings.front().consequence.starts_with("Nothing as long as the mode is none"),
                  weight == findings::severity::info)
            << mode;
    }
    // Beside a line that makes the whole policy unusable, that is what follows, in either order.
    for (const auto* both : {"mx: 192.0.2.1\nmx: [192.0.2.1]\n", "mx: [192.0.2.1]\nmx: 192.0.2.1\n"}) {
        const auto graver = told(both);
        EXPECT_NE(graver.consequence.find("cannot use the policy"), std::string::npos) << graver.consequence;
        EXPECT_NE(graver.message.find("neither a host name"), std::string::npos) << graver.message;
        EXPECT_NE(graver.evidence.find("\"192.0.2.1\""), std::string::npos) << graver.evidence;
    }
}

TEST(lint, guides_examples_have_neither_error_nor_warning) {
    PROVES("G1-18", "G3-29", "G3-56");
    for (const char* body : {"version: STSv1\nmode: testing\nmx: mail.solarmora.com\nmx: *.solarmora.net\n"
                             "mx: backupmx.solarmora.com\nmax_age: 604800\n",
                             "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n"})
        for (const auto& f : advise::lint_policy(body).findings)
            EXPECT_LT(f.severity, findings::severity::warning) << f.code;
}

TEST(lint, size_of_a_policy) {
    PROVES("G1-13", "G3-19", "8461-3.3-m");
    const auto of_size = [](std::size_t bytes) {
        std::string body = "version: STSv1\r\nmode: enforce\r\nmax_age: 2419200\r\n";
        const std::string line = "mx: a.example.com\r\n";
        while (body.size() + 2 * line.size() <= bytes)
            body += line;
        const std::size_t rest = bytes - body.size() - std::string("mx: .example.com\r\n").size();
        body += "mx: " + std::string(rest, 'a') + ".example.com\r\n";
        return body;
    };
    ASSERT_EQ(of_size(65'536).size(), 65'536U);
    EXPECT_TRUE(advise::lint_policy(of_size(65'536)).valid);
    EXPECT_FALSE(advise::lint_policy(of_size(65'537)).valid);
    EXPECT_EQ(codes_of(advise::lint_policy(of_size(65'537)).findings), codes{"policy-host.too-large"});
    EXPECT_EQ(codes_of(advise::lint_policy(of_size(65'536)).findings), codes{"policy-host.too-large"})
        << "allowed, but one sender stops at 10 KB";
    EXPECT_EQ(codes_of(advise::lint_policy(of_size(10'240)).findings), codes{});
}

} // namespace
} // namespace mailtight::tests
