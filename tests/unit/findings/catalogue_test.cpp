// SPDX-License-Identifier: Apache-2.0
// The catalogue keeps its promises: every code of the contract is there once, with words for a person.
#include "findings/finding.h"
#include "support/proves.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mailtight::findings {
namespace {

// The codes of the command line's contract; each code belongs to exactly one part.
const std::set<std::string, std::less<>> contract{"sts-record.absent",
                                                  "sts-record.multiple",
                                                  "sts-record.syntax",
                                                  "sts-record.id-missing",
                                                  "sts-record.id-invalid",
                                                  "sts-record.unrelated-txt",
                                                  "sts-record.wildcard",
                                                  "sts-record.doubled-name",
                                                  "sts-record.cname-dangling",
                                                  "sts-record.cname-loop",
                                                  "sts-record.servers-disagree",
                                                  "sts-record.lookup-failed",
                                                  "sts-record.obsolete-name",
                                                  "policy-host.no-address",
                                                  "policy-host.unreachable",
                                                  "policy-host.ipv6-unreachable",
                                                  "policy-host.tls-too-old",
                                                  "policy-host.cert-expired",
                                                  "policy-host.cert-not-yet-valid",
                                                  "policy-host.cert-name-mismatch",
                                                  "policy-host.cert-untrusted",
                                                  "policy-host.cert-chain-incomplete",
                                                  "policy-host.cert-self-signed",
                                                  "policy-host.cert-expires-soon",
                                                  "policy-host.redirect",
                                                  "policy-host.http-status",
                                                  "policy-host.content-type",
                                                  "policy-host.too-large",
                                                  "policy-host.slow",
                                                  "policy-host.addresses-disagree",
                                                  "policy-host.agent-dependent",
                                                  "policy-host.blocked-address",
                                                  "policy.absent-without-record",
                                                  "policy.not-a-policy",
                                                  "policy.encoding",
                                                  "policy.bom",
                                                  "policy.line-ending",
                                                  "policy.syntax",
                                                  "policy.version-missing",
                                                  "policy.version-not-first",
                                                  "policy.mode-missing",
                                                  "policy.mode-invalid",
                                                  "policy.max-age-missing",
                                                  "policy.max-age-invalid",
                                                  "policy.max-age-too-large",
                                                  "policy.max-age-short",
                                                  "policy.max-age-testing",
                                                  "policy.shared",
                                                  "policy.mx-missing",
                                                  "policy.mx-syntax",
                                                  "policy.mx-null",
                                                  "policy.mx-unicode",
                                                  "policy.duplicate-field",
                                                  "policy.unknown-field",
                                                  "policy.wildcard-never-matches",
                                                  "policy.wildcard-too-broad",
                                                  "policy.mode-none",
                                                  "policy.mode-testing-long",
                                                  "policy.changed-without-id",
                                                  "policy.id-changed-without-policy",
                                                  "mx.none",
                                                  "mx.null",
                                                  "mx.lookup-failed",
                                                  "mx.no-address",
                                                  "mx.is-cname",
                                                  "mx.is-address",
                                                  "mx.not-in-policy",
                                                  "mx.none-in-policy",
                                                  "mx.policy-entry-unused",
                                                  "mx.unreachable",
                                                  "mx.no-starttls",
                                                  "mx.starttls-refused",
                                                  "mx.tls-too-old",
                                                  "mx.cert-expired",
                                                  "mx.cert-not-yet-valid",
                                                  "mx.cert-name-mismatch",
                                                  "mx.cert-untrusted",
                                                  "mx.cert-chain-incomplete",
                                                  "mx.cert-self-signed",
                                                  "mx.cert-expires-soon",
                                                  "mx.cert-cn-only",
                                                  "mx.requires-sni",
                                                  "mx.addresses-disagree",
                                                  "mx.untestable",
                                                  "dane.present",
                                                  "dane.invalid",
                                                  "dane.mismatch",
                                                  "dane.insecure",
                                                  "dane.partial",
                                                  "dane.discouraged",
                                                  "dane.disagrees-with-sts",
                                                  "tlsrpt.absent",
                                                  "tlsrpt.multiple",
                                                  "tlsrpt.syntax",
                                                  "tlsrpt.rua-missing",
                                                  "tlsrpt.rua-scheme",
                                                  "tlsrpt.rua-unescaped",
                                                  "tlsrpt.rua-many",
                                                  "tlsrpt.rua-mail-undeliverable",
                                                  "tlsrpt.rua-https-failed",
                                                  "tlsrpt.doubled-name",
                                                  "domain.absent",
                                                  "subdomain.unprotected",
                                                  "delegation.half",
                                                  "caa.forbids-issuer",
                                                  "reports.none-arriving",
                                                  "reports.failures"};

TEST(catalogue, has_every_code_of_the_contract_once) {
    std::multiset<std::string, std::less<>> seen;
    for (const code_entry& entry : catalogue())
        seen.emplace(entry.code);
    EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()),
              std::set<std::string>(contract.begin(), contract.end()));
    EXPECT_EQ(seen.size(), contract.size()) << "a code stands twice";
}

TEST(catalogue, speaks_to_a_person_in_every_row) {
    const std::set<std::string_view> parts{"sts_record", "policy_file", "mail_servers", "tlsrpt_record",
                                           "across"};
    for (const code_entry& entry : catalogue()) {
        EXPECT_TRUE(parts.contains(entry.part)) << entry.code << " has the part " << entry.part;
        EXPECT_FALSE(entry.title.ends_with('.')) << entry.code << ": a title is no sentence of a paragraph";
        EXPECT_GT(entry.title.size(), 10U) << entry.code;
        for (const std::string_view text : {entry.consequence, entry.fix}) {
            EXPECT_TRUE(text.ends_with('.')) << entry.code << ": " << text;
            EXPECT_GT(text.size(), 25U) << entry.code;
        }
    }
}

TEST(catalogue, names_the_place_to_read_on) {
    PROVES("G0-4", "G1-1", "G4-21");
    for (const code_entry& entry : catalogue())
        EXPECT_TRUE(entry.reference.find("RFC ") != std::string_view::npos ||
                    entry.reference.find("guide") != std::string_view::npos)
            << entry.code;
}

TEST(catalogue, has_only_placeholders_that_are_filled) {
    for (const code_entry& entry : catalogue())
        for (const std::string_view text : {entry.consequence, entry.fix})
            for (auto at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1))
                EXPECT_TRUE(text.substr(at).starts_with("{subject}") ||
                            text.substr(at).starts_with("{domain}"))
                    << entry.code << ": " << text;
}

TEST(catalogue, marks_what_one_look_cannot_find) {
    const std::set<std::string_view> expected{"policy.mode-testing-long", "policy.changed-without-id",
                                              "policy.id-changed-without-policy", "reports.none-arriving",
                                              "reports.failures"};
    std::set<std::string_view> marked;
    for (const code_entry& entry : catalogue())
        if (entry.needs_history)
            marked.insert(entry.code);
    EXPECT_EQ(marked, expected);
}

TEST(catalogue, finds_a_code_and_no_other) {
    for (const code_entry& entry : catalogue())
        EXPECT_EQ(find_code(entry.code), &entry);
    for (const std::string_view unknown : {"", "mx", "mx.", "mx.nonee", "zzz"})
        EXPECT_EQ(find_code(unknown), nullptr) << unknown;
}

TEST(catalogue, weighs_by_mode) {
    struct row {
        std::string_view code;
        severity enforce, testing, none, absent;
    };
    using enum severity;
    const row rows[] = {
        // an MX outside the policy is an error in enforce and in testing, nothing in none
        {"mx.not-in-policy", error, error, ok, ok},
        {"mx.none-in-policy", error, error, ok, ok},
        // a faulty server without a policy to obey is a warning
        {"mx.cert-expired", error, error, warning, warning},
        {"mx.no-starttls", error, error, warning, warning},
        // what breaks the administrator guides alone
        {"policy.version-not-first", warning, warning, warning, ok},
        // what is told and weighs nothing
        {"dane.present", ok, ok, ok, ok},
        // without a record nobody looks at the policy host
        {"policy-host.cert-expired", error, error, error, ok},
    };
    for (const row& r : rows) {
        const code_entry* entry = find_code(r.code);
        ASSERT_NE(entry, nullptr) << r.code;
        EXPECT_EQ(entry->weigh(situation::enforce), r.enforce) << r.code;
        EXPECT_EQ(entry->weigh(situation::testing), r.testing) << r.code;
        EXPECT_EQ(entry->weigh(situation::none), r.none) << r.code;
        EXPECT_EQ(entry->weigh(situation::absent), r.absent) << r.code;
    }
}

} // namespace
} // namespace mailtight::findings
