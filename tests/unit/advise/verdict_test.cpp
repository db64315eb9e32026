// SPDX-License-Identifier: Apache-2.0
// Verdict, parts, readiness and exit status, for a domain in each state.
#include "support/proves.h"
#include "unit/advise/codes.h"

#include <gmock/gmock.h>

#include <map>
#include <optional>

namespace mailtight::tests {
namespace {

using advise::part_state;
using advise::verdict;
using model::observation;

const std::string testing_policy =
    "version: STSv1\r\nmode: testing\r\nmx: mx1.example.com\r\nmx: mx2.example.com\r\nmax_age: 604800\r\n";
const std::string none_policy = "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n";

TEST(verdicts, of_a_domain_in_each_state) {
    PROVES("G0-5", "G1-2", "G1-22", "G1-23", "G1-25", "G3-6", "G3-15", "G3-16");
    struct row {
        const char* why;
        std::function<void(observation&)> change;
        verdict expected;
        int status;
        std::optional<bool> ready;
        part_state record, policy, tlsrpt, servers;
    };
    using enum part_state;
    const row rows[] = {
        {"healthy", [](observation&) {}, verdict::protected_, 0, true, valid, valid, valid, valid},
        {"testing", [](observation& o) { set_policy(o, testing_policy); }, verdict::testing, 0, true, valid,
         valid, valid, valid},
        {"none", [](observation& o) { set_policy(o, none_policy); }, verdict::retiring, 0, false, valid,
         valid, valid, valid},
        {"absent", [](observation& o) { o = without_sts(); }, verdict::absent, 1, false, missing, missing,
         valid, valid},
        {"a broken record", [](observation& o) { o.sts_txt.texts = {"v=STSv1;"}; }, verdict::broken, 1, false,
         invalid, valid, valid, valid},
        {"a missing file",
         [](observation& o) {
             for (auto& f : o.fetches) {
                 f.outcome = model::fetch_outcome::http_status;
                 f.status = 404;
                 f.body.clear();
             }
         },
         verdict::broken, 1, false, valid, missing, valid, valid},
        {"an expired policy host",
         [](observation& o) {
             for (auto& f : o.fetches) {
                 f.outcome = model::fetch_outcome::tls_failed;
                 f.tls.faults = {model::cert_fault::expired};
             }
         },
         verdict::broken, 1, false, valid, invalid, valid, valid},
        {"a faulty server in testing",
         [](observation& o) {
             set_policy(o, testing_policy);
             o.mx.at(0).probes.front().tls.faults = {model::cert_fault::name_mismatch};
         },
         verdict::broken, 1, false, valid, valid, valid, invalid},
        {"a faulty server in none weighs less",
         [](observation& o) {
             set_policy(o, none_policy);
             o.mx.at(0).probes.front().tls.faults = {model::cert_fault::name_mismatch};
         },
         verdict::retiring, 0, false, valid, valid, valid, valid},
        {"a server could not be tested",
         [](observation& o) { o.mx.at(0).probes.front().outcome = model::smtp_outcome::banner_timeout; },
         verdict::unverified, 3, std::nullopt, valid, valid, valid, not_tested},
        {"more servers than are looked at", [](observation& o) { o.mx_not_looked_at = 3; },
         verdict::unverified, 3, std::nullopt, valid, valid, valid, not_tested},
        {"untested and an invalid report record: something else is wrong",
         [](observation& o) {
             o.mx.at(0).probes.front().outcome = model::smtp_outcome::banner_timeout;
             o.tlsrpt_txt.texts = {"v=TLSRPTv1;"};
         },
         verdict::unverified, 1, std::nullopt, valid, valid, invalid, not_tested},
    };
    for (const row& r : rows) {
        SCOPED_TRACE(r.why);
        observation seen = healthy();
        r.change(seen);
        const auto judged = advise::judge(seen);
        EXPECT_EQ(judged.verdict, r.expected) << advise::to_string(judged.verdict);
        EXPECT_EQ(judged.exit_status(), r.status);
        EXPECT_EQ(judged.ready_to_enforce, r.ready);
        EXPECT_EQ(judged.sts_record, r.record) << advise::to_string(judged.sts_record);
        EXPECT_EQ(judged.policy_file, r.policy) << advise::to_string(judged.policy_file);
        EXPECT_EQ(judged.tlsrpt_record, r.tlsrpt) << advise::to_string(judged.tlsrpt_record);
        EXPECT_EQ(judged.mail_servers, r.servers) << advise::to_string(judged.mail_servers);
    }
}

TEST(verdicts, findings_come_errors_first) {
    observation seen = healthy();
    seen.tlsrpt_txt = txt("_smtp._tls.example.com", {});
    seen.mx.at(0).probes.front().tls.faults = {model::cert_fault::expired};
    set_policy(seen, healthy_policy + "x-note: a\r\n");
    const auto judged = advise::judge(seen);
    EXPECT_TRUE(
        std::ranges::is_sorted(judged.findings, std::ranges::greater{}, &findings::finding::severity));
    EXPECT_EQ(judged.findings.front().code, "mx.cert-expired");
    EXPECT_EQ(judged.findings.back().code, "policy.unknown-field");
}

TEST(criteria, five_a_host_each_pass_fail_or_not_tested) {
    PROVES("G3-13", "G4-16", "8461-4.2-c");
    observation seen = healthy();
    seen.mx.at(0).probes.front().tls.faults = {model::cert_fault::name_mismatch};
    seen.mx.at(1).probes.front().outcome = model::smtp_outcome::no_starttls;
    const auto judged = advise::judge(seen);
    const auto states = [&](std::size_t host) {
        std::string all;
        for (const auto& c : judged.mx.at(host).criteria)
            all += c.state == advise::criterion_state::pass   ? 'p'
                   : c.state == advise::criterion_state::fail ? 'F'
                                                              : '?';
        return all;
    };
    EXPECT_EQ(states(0), "ppFpp");
    EXPECT_EQ(states(1), "F????");
    EXPECT_FALSE(judged.mx.at(0).all_pass());
    EXPECT_TRUE(judged.mx.at(1).any_not_tested());
    EXPECT_EQ(judged.mx.at(0).admitted_by, "mx1.example.com");
    const std::vector<std::string> names{"accepts mail over TLS", "TLS 1.2 or later",
                                         "the certificate names the MX host", "chain to a public root",
                                         "not expired"};
    for (std::size_t i = 0; i < names.size(); ++i)
        EXPECT_EQ(judged.mx.at(0).criteria.at(i).name, names[i]);
}

TEST(verdicts, why_nobody_vouches_for_a_certificate_is_said_in_words) {
    using enum model::cert_fault;
    for (const auto& [fault, words] : std::map<model::cert_fault, std::string>{
             {self_signed, "signed by itself"},
             {chain_incomplete, "does not send the intermediate certificate"},
             {untrusted, "no public root vouches for it"},
             {weak, "too weak"}}) {
        observation seen = healthy();
        auto& tls = seen.mx.at(0).probes.front().tls;
        tls.faults = {fault};
        tls.reason = "X509_V_ERR_SOMETHING";
        const auto judged = advise::judge(seen);
        const auto& said = judged.mx.at(0).criteria.at(3);
        EXPECT_EQ(said.state, advise::criterion_state::fail);
        EXPECT_THAT(said.why,
                    testing::AllOf(testing::HasSubstr(words), testing::EndsWith("(X509_V_ERR_SOMETHING)")));
    }
}

TEST(verdicts, also_recommended_is_one_line_apart) {
    PROVES("G0-12");
    observation seen = healthy();
    EXPECT_EQ(advise::judge(seen).also_recommended,
              "SPF present, DMARC present, DKIM not visible without a selector");
    seen.apex_txt.texts.clear();
    seen.dmarc_txt = answer<model::txt_fact>("_dmarc.example.com", "TXT", model::dns_status::timeout);
    const auto judged = advise::judge(seen);
    EXPECT_EQ(judged.also_recommended, "SPF absent, DMARC not known, DKIM not visible without a selector");
    EXPECT_EQ(judged.verdict, verdict::protected_);
    EXPECT_EQ(judged.findings.size(), 0U);
}

} // namespace
} // namespace mailtight::tests
