// SPDX-License-Identifier: Apache-2.0
#include "support/proves.h"
#include "unit/advise/codes.h"

namespace mailtight::tests {
namespace {

using model::cert_fault;
using model::fetch_outcome;
using model::handshake_outcome;
using model::observation;

/// The same change to the fetch from every address.
auto every(std::function<void(model::fetch_fact&)> change) {
    return [change](observation& o) {
        for (auto& fetch : o.fetches)
            change(fetch);
    };
}
auto every_certificate(std::vector<cert_fault> faults) {
    return every([faults](model::fetch_fact& f) {
        f.outcome = fetch_outcome::tls_failed;
        f.tls.faults = faults;
        f.body.clear();
    });
}
void dead(model::fetch_fact& f) {
    f.outcome = fetch_outcome::connect_failed;
    f.connect = model::connect_outcome::refused;
    f.tls = {};
    f.body.clear();
}

TEST(policy_host_rules, one_fault_one_code) {
    PROVES("8461-3.3-a", "8461-3.3-b", "8461-3.3-c", "8461-3.3-h", "8461-3.3-i", "8461-3.2-b", "8461-8.2-c",
           "G1-11", "G1-13", "G3-19", "G3-30");
    using enum cert_fault;
    expect_exactly({
        {"no address",
         {"policy-host.no-address"},
         [](observation& o) {
             o.policy_host = addresses("mta-sts.example.com", {});
             o.fetches.clear();
         }},
        {"every address refuses", {"policy-host.unreachable"}, every(dead)},
        {"TLS 1.0 only", {"policy-host.tls-too-old"}, every([](model::fetch_fact& f) {
             f.outcome = fetch_outcome::tls_failed;
             f.tls = {};
             f.tls.outcome = handshake_outcome::protocol_too_old;
             f.tls.version = "TLSv1";
             f.body.clear();
         })},
        {"a handshake that fails otherwise", {"policy-host.unreachable"}, every([](model::fetch_fact& f) {
             f.outcome = fetch_outcome::tls_failed;
             f.tls = {};
             f.tls.outcome = handshake_outcome::alert;
             f.body.clear();
         })},
        {"expired: the policy is not called missing",
         {"policy-host.cert-expired"},
         every_certificate({expired})},
        {"not yet valid", {"policy-host.cert-not-yet-valid"}, every_certificate({not_yet_valid})},
        {"another name", {"policy-host.cert-name-mismatch"}, every_certificate({name_mismatch})},
        {"the common name alone is no name",
         {"policy-host.cert-name-mismatch"},
         every_certificate({name_mismatch, cn_only})},
        {"a private root", {"policy-host.cert-untrusted"}, every_certificate({untrusted})},
        {"no intermediate",
         {"policy-host.cert-chain-incomplete"},
         every_certificate({chain_incomplete, untrusted})},
        {"self-signed is not also untrusted",
         {"policy-host.cert-self-signed"},
         every_certificate({self_signed, untrusted})},
        {"two causes, two codes",
         {"policy-host.cert-expired", "policy-host.cert-name-mismatch"},
         every_certificate({expired, name_mismatch})},
        {"redirect", {"policy-host.redirect"}, every([](model::fetch_fact& f) {
             f.outcome = fetch_outcome::redirect;
             f.status = 301;
             f.location = "https://www.example.com/";
             f.body.clear();
         })},
        {"404", {"policy-host.http-status"}, every([](model::fetch_fact& f) {
             f.outcome = fetch_outcome::http_status;
             f.status = 404;
             f.body.clear();
         })},
        {"no HTTP", {"policy-host.http-status"}, every([](model::fetch_fact& f) {
             f.outcome = fetch_outcome::http_invalid;
             f.body.clear();
         })},
        {"an HTML type", {"policy-host.content-type"}, every([](model::fetch_fact& f) {
             f.content_type = "text/html";
         })},
        {"no type", {"policy-host.content-type"}, every([](model::fetch_fact& f) { f.content_type = ""; })},
        {"more than 64 KB", {"policy-host.too-large"}, every([](model::fetch_fact& f) {
             f.outcome = fetch_outcome::too_large;
             f.body.clear();
         })},
        {"never complete", {"policy-host.slow"}, every([](model::fetch_fact& f) {
             f.outcome = fetch_outcome::timeout;
             f.took = std::chrono::seconds(60);
             f.body.clear();
         })},
        {"only private addresses", {"policy-host.blocked-address"}, every([](model::fetch_fact& f) {
             f.outcome = fetch_outcome::blocked;
             f.tls = {};
             f.body.clear();
         })},
        {"two addresses, two texts",
         {"policy-host.addresses-disagree"},
         [](observation& o) { o.fetches.at(1).body = "version: STSv1\nmode: none\nmax_age: 86400\n"; }},
        {"one address with an expired certificate",
         {"policy-host.addresses-disagree"},
         [](observation& o) {
             o.fetches.at(1).outcome = fetch_outcome::tls_failed;
             o.fetches.at(1).tls.faults = {expired};
         }},
        {"a client without User-Agent is turned away",
         {"policy-host.agent-dependent"},
         [](observation& o) {
             o.fetches.at(2).outcome = fetch_outcome::http_status;
             o.fetches.at(2).status = 403;
         }},
    });
}

TEST(policy_host_rules, warnings_leave_the_domain_protected) {
    PROVES("8461-3.2-c", "8461-3.3-n", "G4-5");
    expect_exactly({
        {"IPv6 is dead",
         {"policy-host.ipv6-unreachable"},
         [](observation& o) { dead(o.fetches.at(1)); },
         "protected"},
        {"IPv4 is dead, IPv6 works",
         {"policy-host.unreachable"},
         [](observation& o) { dead(o.fetches.at(0)); },
         "protected"},
        {"slow",
         {"policy-host.slow"},
         [](observation& o) { o.fetches.at(0).took = std::chrono::milliseconds(2500); },
         "protected"},
        {"two seconds are not slow",
         {},
         [](observation& o) { o.fetches.at(0).took = std::chrono::milliseconds(2000); },
         "protected"},
        {"29 of 90 days left",
         {"policy-host.cert-expires-soon"},
         every([](model::fetch_fact& f) {
             f.tls.chain.front().not_before = look_time() - std::chrono::days(61);
             f.tls.chain.front().not_after = look_time() + std::chrono::days(29);
         }),
         "protected"},
        {"six of seven days left: a short-lived certificate in its youth",
         {},
         every([](model::fetch_fact& f) {
             f.tls.chain.front().not_before = look_time() - std::chrono::days(1);
             f.tls.chain.front().not_after = look_time() + std::chrono::days(6);
         }),
         "protected"},
        {"60 of 365 days left",
         {},
         every([](model::fetch_fact& f) {
             f.tls.chain.front().not_before = look_time() - std::chrono::days(305);
         }),
         "protected"},
        {"a type in capitals with parameters",
         {},
         every([](model::fetch_fact& f) { f.content_type = "TEXT/PLAIN; charset=iso-8859-1; x=y"; }),
         "protected"},
        {"another agent met a dead network", {}, [](observation& o) { dead(o.fetches.at(2)); }, "protected"},
    });
}

TEST(policy_host_rules, the_fault_of_one_address_is_named) {
    observation seen = healthy();
    seen.fetches.at(1).outcome = fetch_outcome::redirect;
    seen.fetches.at(1).status = 302;
    seen.fetches.at(1).location = "https://login.example.com/";
    const auto judged = advise::judge(seen);
    const auto* found = find(judged, "policy-host.addresses-disagree");
    ASSERT_NE(found, nullptr);
    EXPECT_NE(found->evidence.find("2001:db8::80"), std::string::npos);
    EXPECT_NE(found->evidence.find("policy-host.redirect"), std::string::npos);
}

TEST(policy_host_rules, delegation_and_renewal) {
    PROVES("8461-8.2-a", "8461-8.2-b");
    const auto caa = [](std::vector<model::caa_fact::entry> records) {
        return [records](observation& o) {
            o.caa = answer<model::caa_fact>("mta-sts.example.com", "CAA");
            o.caa.records = records;
            o.caa.found_at = "example.com";
        };
    };
    expect_exactly({
        {"the record is the provider's, the host does not exist",
         {"delegation.half"},
         [](observation& o) {
             o.sts_txt = txt("_mta-sts.example.com", {healthy_record}, {"_mta-sts.provider.example"});
             o.policy_host = addresses("mta-sts.example.com", {});
             o.fetches.clear();
         }},
        {"both are delegated",
         {},
         [](observation& o) {
             o.sts_txt = txt("_mta-sts.example.com", {healthy_record}, {"_mta-sts.provider.example"});
             o.policy_host = addresses("mta-sts.example.com", {"192.0.2.80"}, {"mta-sts.provider.example"});
         },
         "protected"},
        {"the host alone is another domain's",
         {"policy.shared"},
         [](observation& o) {
             o.policy_host = addresses("mta-sts.example.com", {"192.0.2.80"}, {"mta-sts.example.org"});
         },
         "protected"},
        {"no authority may issue", {"caa.forbids-issuer"}, caa({{0, "issue", ";"}}), "protected"},
        {"another authority alone", {"caa.forbids-issuer"}, caa({{0, "issue", "digicert.com"}}), "protected"},
        {"the present one, with parameters",
         {},
         caa({{0, "issue", "digicert.com"}, {0, "issue", "LetsEncrypt.org; validationmethods=dns-01"}}),
         "protected"},
        {"no issue property", {}, caa({{0, "iodef", "mailto:ca@example.com"}}), "protected"},
        {"wildcards forbidden, the certificate is none",
         {},
         caa({{0, "issue", "letsencrypt.org"}, {0, "issuewild", ";"}}),
         "protected"},
    });
    observation unknown = healthy();
    for (auto& f : unknown.fetches)
        f.tls.chain.front().issuer_organization = "An Authority Nobody Knows";
    caa({{0, "issue", "digicert.com"}})(unknown);
    EXPECT_EQ(codes_of(unknown), codes{}) << "of an unknown authority nothing is said";
}

} // namespace
} // namespace mailtight::tests
