// SPDX-License-Identifier: Apache-2.0
// What is counted, in rows: what the mail server said, what was known, what comes of it.
#include "tally/join.h"

#include "support/proves.h"

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace mailtight::tally {
namespace {

using namespace std::chrono_literals;
using model::applied_policy;
using model::delivery_result;
using model::policy_facts;
using model::policy_outcome;
using model::session_fault;
using model::session_seen;
using model::testing_verdict;
using model::tls_reached;
using tlsrpt::policy_type;
using tlsrpt::result_type;
using enum tls_reached;

constexpr base::utc_seconds noon{std::chrono::seconds(1'767'355'200)};
const auto here = base::ip_address::parse("192.0.2.1").value();
const auto there = base::ip_address::parse("198.51.100.25").value();
const auto elsewhere = base::ip_address::parse("2001:db8::25").value();

// ---- what is known ----

policy_facts nothing_known() {
    policy_facts known;
    known.domain = "example.com";
    known.mx_hosts = {"mx1.example.com", "mx2.example.com"};
    return known;
}
policy_facts with_policy(std::string mode) {
    auto known = nothing_known();
    known.sts = applied_policy{.type = policy_type::sts,
                               .domain = "example.com",
                               .strings = {"version: STSv1", "mode: " + mode, "mx: mx1.example.com",
                                           "mx: mx2.example.com", "max_age: 604800"},
                               .mx_patterns = {"mx1.example.com", "mx2.example.com"}};
    known.mode = std::move(mode);
    known.policy_id = "7";
    return known;
}
const policy_facts no_policy = nothing_known();
const policy_facts enforce = with_policy("enforce");
const policy_facts testing = with_policy("testing");
policy_facts failing(policy_facts known, result_type fault = result_type::sts_policy_fetch_error,
                     std::string reason = "http-status-404") {
    known.fault = fault;
    known.fault_reason = std::move(reason);
    return known;
}
const policy_facts fetch_failed = failing(no_policy);
const policy_facts fallback = failing(enforce);
policy_facts with_dane(policy_facts known, bool usable = true) {
    known.dane = {{.host = "mx1.example.com",
                   .base = "mx1.example.com",
                   .records = {usable ? "3 1 1 AB01" : "0 0 0 AB01"},
                   .usable = usable}};
    return known;
}
const policy_facts dane = with_dane(no_policy);
const policy_facts dane_and_enforce = with_dane(enforce);
const policy_facts dane_unusable = with_dane(no_policy, false);

testing_verdict verdict(std::string host, base::ip_address address, std::string result,
                        std::string reason = "made up") {
    return {.domain = "example.com",
            .policy_id = "7",
            .mx_host = std::move(host),
            .address = address,
            .at = noon - 10min,
            .result = std::move(result),
            .reason = std::move(reason)};
}
policy_facts probed(std::vector<testing_verdict> verdicts, policy_facts known = testing) {
    known.verdicts = std::move(verdicts);
    return known;
}

// ---- what the mail server says ----

session_seen session(tls_reached tls, std::optional<result_type> failure = {}, std::string reason = {}) {
    session_seen seen;
    seen.domain = "example.com";
    seen.mx_host = "mx1.example.com";
    seen.address = there;
    seen.sending_address = here;
    seen.helo = "mx1.example.com";
    seen.tls = tls;
    seen.failure = failure;
    seen.reason = std::move(reason);
    return seen;
}
session_seen to(std::string host, session_seen seen) {
    seen.mx_host = std::move(host);
    return seen;
}
session_seen without_address(session_seen seen) {
    seen.address.reset();
    return seen;
}

// ---- in words, so that a row can be read ----

std::string words(const session_fault& fault) {
    std::string out(to_string(fault.type));
    if (!fault.reason_code.empty())
        out += " (" + fault.reason_code + ")";
    if (!fault.receiving_mx.empty())
        out += " at " + fault.receiving_mx;
    if (!fault.receiving_ip.empty())
        out += "[" + fault.receiving_ip + "]";
    return out;
}
std::string words(const policy_outcome& outcome) {
    std::string out = fmt::format("{} {}", to_string(outcome.policy.type), outcome.policy.domain);
    if (!outcome.policy.strings.empty())
        out += fmt::format(" <{}>", outcome.policy.strings.size());
    out += outcome.failed ? ": failed" : ": success";
    for (const auto& fault : outcome.faults)
        out += ", " + words(fault);
    return out;
}
std::string words(const delivery_result& result) {
    std::string out;
    for (const auto& outcome : result.outcomes)
        out += (out.empty() ? "" : "; ") + words(outcome);
    return out;
}

struct row {
    const char* why;
    session_seen seen;
    policy_facts known;
    std::string counted;
};
void expect(const std::vector<row>& rows) {
    for (const auto& row : rows) {
        SCOPED_TRACE(row.why);
        const auto joined = join(row.seen, row.known, noon);
        EXPECT_EQ(joined.domain, "example.com");
        EXPECT_EQ(words(joined), row.counted);
    }
}

TEST(join, a_session_without_a_policy) {
    PROVES("A23", "A31", "8460-4.2-a", "8460-4.2-b", "8460-4.3.1-a", "8460-4.3.1-e", "8460-4.3.3-a");
    const std::string name = "no-policy-found example.com: ";
    expect({
        {"TLS of any kind is a success", session(encrypted), no_policy, name + "success"},
        {"a trusted chain too", session(trusted), no_policy, name + "success"},
        {"verified too", session(verified), no_policy, name + "success"},
        {"nobody asks for a certificate that passes",
         session(encrypted, result_type::certificate_not_trusted, "self-signed"), no_policy,
         name + "success"},
        {"no STARTTLS", session(not_offered), no_policy,
         name + "failed, starttls-not-supported at mx1.example.com[198.51.100.25]"},
        {"STARTTLS refused", session(refused, {}, "454"), no_policy,
         name + "failed, starttls-not-supported (454) at mx1.example.com[198.51.100.25]"},
        {"the handshake broke", session(failed, {}, "protocol-version"), no_policy,
         name + "failed, validation-failure (protocol-version) at mx1.example.com[198.51.100.25]"},
        {"the handshake broke, nobody knows why", session(failed), no_policy,
         name + "failed, validation-failure (tls-handshake-failure) at mx1.example.com[198.51.100.25]"},
    });
}

TEST(join, a_session_under_an_enforced_policy) {
    PROVES("8461-6-c", "8460-4.2-a", "8460-4.2-b", "8460-4.3.1-a", "8460-4.3.1-b", "8460-4.3.1-c",
           "8460-4.3.1-d", "8460-4.3.1-e");
    const std::string name = "sts example.com <5>: ", at = " at mx1.example.com[198.51.100.25]";
    expect({
        {"verified", session(verified), enforce, name + "success"},
        {"the mail server did not judge: not said to have failed", session(trusted), enforce,
         name + "success"},
        {"no STARTTLS", session(not_offered), enforce, name + "failed, starttls-not-supported" + at},
        {"refused", session(refused, {}, "502"), enforce, name + "failed, starttls-not-supported (502)" + at},
        {"another name", session(failed, result_type::certificate_host_mismatch), enforce,
         name + "failed, certificate-host-mismatch" + at},
        {"expired", session(failed, result_type::certificate_expired, "X509_V_ERR_CERT_HAS_EXPIRED"), enforce,
         name + "failed, certificate-expired (X509_V_ERR_CERT_HAS_EXPIRED)" + at},
        {"not trusted needs a reason", session(failed, result_type::certificate_not_trusted), enforce,
         name + "failed, certificate-not-trusted (chain-not-trusted)" + at},
        {"not trusted", session(failed, result_type::certificate_not_trusted, "X509_V_ERR_X"), enforce,
         name + "failed, certificate-not-trusted (X509_V_ERR_X)" + at},
        {"the handshake broke", session(failed), enforce,
         name + "failed, validation-failure (tls-handshake-failure)" + at},
    });
}

TEST(join, an_mx_host_outside_the_policy) {
    PROVES("A32", "8461-6-c");
    const std::string counted =
        "sts example.com <5>: failed, validation-failure (sts-mx-not-in-policy) at mx9.example.com";
    expect({
        {"whatever the certificate says", to("mx9.example.com", session(verified)), enforce, counted},
        {"in testing too", to("MX9.example.com.", session(verified)), testing, counted},
        {"and where there is no TLS", to("mx9.example.com", session(not_offered)), enforce, counted},
        {"an attempt that the answer stopped",
         to("mx9.example.com", session(not_tried, result_type::validation_failure)), enforce, counted},
    });
    const auto fault = join(to("mx9.example.com", session(failed)), enforce, noon).outcomes[0].faults[0];
    EXPECT_EQ(fault.receiving_ip + fault.sending_mta_ip + fault.receiving_mx_helo, "") << "no addresses";

    auto moved = enforce;
    moved.mx_hosts = {"mx8.example.com", "mx9.example.com"};
    expect({{"which host is not told, and none is admitted", to("", session(verified)), moved,
             "sts example.com <5>: failed, validation-failure (sts-mx-not-in-policy)"}});
    moved.mx_hosts.emplace_back("mx1.example.com");
    expect({{"it may have been the one that is", to("", session(verified)), moved,
             "sts example.com <5>: success"}});
}

TEST(join, a_session_under_a_policy_in_testing) {
    PROVES("8461-5-b", "A21", "8460-4.2-b");
    const std::string name = "sts example.com <5>: ", at = " at mx1.example.com[198.51.100.25]";
    const auto expired = probed({verdict("mx1.example.com", there, "certificate-expired", "it has expired")});
    const std::string by_probe = name + "failed, certificate-expired (probe: it has expired)" + at;
    auto old = expired, other_policy = expired;
    old.verdicts[0].at = noon - 61min;
    other_policy.verdicts[0].policy_id = "6";
    auto mended = expired;
    mended.verdicts.push_back(verdict("mx1.example.com", there, ""));
    mended.verdicts.back().at = noon - 1min;
    expect({
        {"TLS", session(encrypted), testing, name + "success"},
        {"no TLS: enforce would have refused", session(not_offered), testing,
         name + "failed, starttls-not-supported" + at},
        {"delivered, with a certificate that the mail server told to be bad",
         session(encrypted, result_type::certificate_host_mismatch), testing,
         name + "failed, certificate-host-mismatch" + at},
        {"a probe of the same address", session(encrypted), expired, by_probe},
        {"a trusted chain says nothing of the name", session(trusted), expired, by_probe},
        {"the session itself was verified", session(verified), expired, name + "success"},
        {"another address", session(encrypted),
         probed({verdict("mx1.example.com", elsewhere, "certificate-expired")}), name + "success"},
        {"another host at the address", to("mx2.example.com", session(encrypted)), expired, name + "success"},
        {"an old verdict", session(encrypted), old, name + "success"},
        {"a verdict on another policy", session(encrypted), other_policy, name + "success"},
        {"the latest counts", session(encrypted), mended, name + "success"},
        {"a real failure is not renamed", session(not_offered), expired,
         name + "failed, starttls-not-supported" + at},
        {"enforce: the mail server judges", session(encrypted), probed(expired.verdicts, enforce),
         name + "success"},
    });
}

TEST(join, a_session_whose_address_is_not_told) {
    PROVES("8461-5-b");
    const std::string name = "sts example.com <5>: ";
    const auto first = verdict("mx1.example.com", there, "certificate-expired", "old");
    const auto second = verdict("mx2.example.com", elsewhere, "certificate-expired", "old");
    const auto seen = without_address(session(encrypted));
    expect({
        {"every host fails alike", seen, probed({first, second}),
         name + "failed, certificate-expired (probe: old)"},
        {"one host was not probed", seen, probed({first}), name + "success"},
        {"one host passes", seen, probed({first, verdict("mx2.example.com", elsewhere, "")}),
         name + "success"},
        {"one address of a host passes", seen, probed({first, second, verdict("mx2.example.com", there, "")}),
         name + "success"},
        {"they fail each in its way", seen,
         probed({first, verdict("mx2.example.com", elsewhere, "starttls-not-supported")}), name + "success"},
    });
}

TEST(join, a_session_under_dane) {
    PROVES("A20", "A22", "A25", "8460-1.1-a", "8460-4.3.2-a", "8460-4-d");
    const std::string name = "tlsa mx1.example.com <1>: ", at = " at mx1.example.com[198.51.100.25]";
    const std::string unusable = "tlsa-invalid (all-TLSA-records-unusable)" + at;
    expect({
        {"matched", session(verified), dane, name + "success"},
        {"what is known of a policy is not reported beside it", session(verified), failing(dane_and_enforce),
         name + "success"},
        {"no TLS", session(not_offered), dane, name + "failed, starttls-not-supported" + at},
        {"no match", session(failed, result_type::validation_failure, "dane-no-match"), dane,
         name + "failed, validation-failure (dane-no-match)" + at},
        {"another name, usage 2", session(failed, result_type::certificate_host_mismatch), dane,
         name + "failed, certificate-host-mismatch" + at},
        {"the web's authorities have no say", session(encrypted, result_type::certificate_not_trusted), dane,
         name + "success"},
        {"nobody can use the records: TLS alone is asked for, and told of", session(encrypted), dane_unusable,
         name + "success, " + unusable},
        {"and not even that", session(not_offered), dane_unusable,
         name + "failed, starttls-not-supported" + at + ", " + unusable},
        {"told by the mail server itself", session(encrypted, result_type::tlsa_invalid, "unusable"),
         dane_unusable, name + "success, tlsa-invalid (unusable)" + at},
        {"the other host has no DANE", to("mx2.example.com", session(verified)), dane_and_enforce,
         "sts example.com <5>: success"},
        {"nor a policy", to("mx2.example.com", session(verified)), dane,
         "no-policy-found example.com: success"},
    });
    auto alias = dane;
    alias.dane[0].base = "real.example.net";
    expect({{"the base is reported", session(verified), alias, "tlsa real.example.net <1>: success"}});
}

TEST(join, an_attempt_that_never_came_to_a_connection) {
    PROVES("8460-4.3.2-b", "8460-4.3.2-c", "8460-4.3.2-a");
    const auto stopped = [](result_type type, std::string reason) {
        return without_address(session(not_tried, type, std::move(reason)));
    };
    const auto bogus = stopped(result_type::dnssec_invalid, "dnssec-bogus");
    expect({
        {"DNSSEC of a host", bogus, no_policy,
         "tlsa mx1.example.com: failed, dnssec-invalid (dnssec-bogus) at mx1.example.com"},
        {"DNSSEC of the MX records", to("", bogus), no_policy,
         "tlsa example.com: failed, dnssec-invalid (dnssec-bogus)"},
        {"a policy that is held has no part in it", bogus, failing(enforce),
         "tlsa mx1.example.com: failed, dnssec-invalid (dnssec-bogus) at mx1.example.com"},
        {"DANE is demanded here", stopped(result_type::dane_required, "local"), testing,
         "tlsa mx1.example.com: failed, dane-required (local) at mx1.example.com"},
        {"and its records cannot be used", stopped(result_type::tlsa_invalid, "unusable"), dane_unusable,
         "tlsa mx1.example.com <1>: failed, tlsa-invalid (unusable) at mx1.example.com"},
    });
}

TEST(join, a_policy_that_could_not_be_fetched) {
    PROVES("8461-6-a", "8461-6-b", "A33", "A34", "A29", "8460-4.3.2-d", "8460-4.3.2-e", "8460-4.3.2-f",
           "8460-4-d");
    const std::string without = "sts example.com: failed, ", held = "sts example.com <5>: ";
    const std::string at = " at mx1.example.com[198.51.100.25]";
    expect({
        {"in place of no-policy-found", session(verified), fetch_failed,
         without + "sts-policy-fetch-error (http-status-404)"},
        {"invalid", session(encrypted), failing(no_policy, result_type::sts_policy_invalid, "policy-syntax"),
         without + "sts-policy-invalid (policy-syntax)"},
        {"the certificate of the policy host", session(encrypted),
         failing(no_policy, result_type::sts_webpki_invalid, "X509_V_ERR_CERT_HAS_EXPIRED"),
         without + "sts-webpki-invalid (X509_V_ERR_CERT_HAS_EXPIRED)"},
        {"and no TLS either", session(not_offered), fetch_failed,
         without + "sts-policy-fetch-error (http-status-404), starttls-not-supported" + at},
        {"an older one is held: nothing failed, and it is told", session(verified), fallback,
         held + "success, sts-policy-fetch-error (http-status-404+fallback-to-cached-policy)"},
        {"an older one is held, and TLS fails", session(not_offered), fallback,
         held + "failed, starttls-not-supported" + at +
             ", sts-policy-fetch-error (http-status-404+fallback-to-cached-policy)"},
        {"told by the mail server", session(not_tried, result_type::sts_policy_invalid, "x"), enforce,
         held + "failed, sts-policy-invalid (x)" + at},
    });
}

TEST(join, names_are_written_as_reports_have_them) {
    PROVES("8460-1.1-a", "A23");
    auto seen = session(not_offered);
    seen.domain = "B\xC3\xBC"
                  "cher.Example";
    seen.mx_host = "MX1.Example.COM.";
    seen.helo = "mx1.example.com Hello\r\n250-PIPELINING";
    const auto joined = join(seen, {}, noon);
    EXPECT_EQ(joined.domain, "xn--bcher-kva.example");
    EXPECT_EQ(joined.outcomes.at(0).policy.domain, "xn--bcher-kva.example");
    const auto& fault = joined.outcomes.at(0).faults.at(0);
    EXPECT_EQ(fault.receiving_mx, "mx1.example.com");
    EXPECT_EQ(fault.receiving_mx_helo, "mx1.example.com Hello");
    EXPECT_EQ(fault.sending_mta_ip, "192.0.2.1");
}

// ---- whole results ----

delivery_result datagram(policy_type type, bool failed = false, std::vector<session_fault> faults = {}) {
    delivery_result told;
    told.domain = "example.com";
    told.record_seen = "v=TLSRPTv1; rua=mailto:a@example.com";
    policy_outcome outcome;
    outcome.policy.type = type;
    if (type == policy_type::sts)
        outcome.policy = *enforce.sts;
    if (type == policy_type::tlsa)
        outcome.policy = {
            .type = type, .domain = "mx1.example.com", .strings = {"3 1 1 AB"}, .mx_patterns = {}};
    outcome.failed = failed;
    outcome.faults = std::move(faults);
    told.outcomes = {outcome};
    return told;
}
session_fault told_fault(result_type type, std::string host = "mx1.example.com",
                         std::string ip = "198.51.100.25") {
    session_fault fault;
    fault.type = type;
    fault.receiving_mx = std::move(host);
    fault.receiving_ip = std::move(ip);
    return fault;
}

struct whole_row {
    const char* why;
    delivery_result told;
    policy_facts known;
    std::string counted;
};

TEST(join, a_whole_result) {
    PROVES("A23", "A31", "A33", "8461-6-b", "8461-5-b", "A32");
    using enum policy_type;
    const auto untold = datagram(no_policy_found), own = datagram(sts);
    const auto refused_there =
        datagram(no_policy_found, true, {told_fault(result_type::starttls_not_supported)});
    const std::string held = "sts example.com <5>: ", at = " at mx1.example.com[198.51.100.25]";
    const std::string not_fetched = "sts-policy-fetch-error (http-status-404)";
    const auto expired = probed({verdict("mx1.example.com", there, "certificate-expired", "old"),
                                 verdict("mx2.example.com", elsewhere, "certificate-expired", "old")});
    auto outsiders = testing;
    outsiders.mx_hosts = {"mx9.example.com"};
    const std::vector<whole_row> rows = {
        {"no policy, known by the recipient's domain", untold, no_policy,
         "no-policy-found example.com: success"},
        {"a policy in testing is put in its place", untold, testing, held + "success"},
        {"an enforced one too, of which the mail server was told in another way", untold, enforce,
         held + "success"},
        {"failed", refused_there, testing, held + "failed, starttls-not-supported" + at},
        {"the policy could not be fetched", untold, fetch_failed, "sts example.com: failed, " + not_fetched},
        {"and the session failed", refused_there, fetch_failed,
         "sts example.com: failed, starttls-not-supported" + at + ", " + not_fetched},
        {"an older policy is held", untold, failing(testing),
         held + "success, sts-policy-fetch-error (http-status-404+fallback-to-cached-policy)"},
        {"every probe failed", untold, expired, held + "failed, certificate-expired (probe: old)"},
        {"no host is in the policy", untold, outsiders,
         held + "failed, validation-failure (sts-mx-not-in-policy)"},
        {"a host outside the policy",
         datagram(no_policy_found, true,
                  {told_fault(result_type::starttls_not_supported, "mx9.example.com")}),
         testing,
         held + "failed, starttls-not-supported at mx9.example.com[198.51.100.25], validation-failure "
                "(sts-mx-not-in-policy) at mx9.example.com"},
        {"its own policy stays", own, testing, held + "success"},
        {"and stays where nothing is known", own, no_policy, held + "success"},
        {"beside its own policy: the one that could not be fetched", own, fallback,
         held + "success, sts-policy-fetch-error (http-status-404+fallback-to-cached-policy)"},
        {"which it has told itself", datagram(sts, true, {told_fault(result_type::sts_policy_fetch_error)}),
         fallback, held + "failed, sts-policy-fetch-error" + at},
        {"DANE stays, whatever is known", datagram(tlsa), fallback, "tlsa mx1.example.com <1>: success"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.why);
        const auto joined = join(row.told, row.known, noon);
        EXPECT_EQ(joined.record_seen, row.told.record_seen);
        EXPECT_EQ(words(joined), row.counted);
    }
}

TEST(join, one_session_is_one_session_of_a_policy) {
    PROVES("A31", "8460-4-e");
    auto told = datagram(policy_type::sts, true, {told_fault(result_type::certificate_expired)});
    told.outcomes.push_back(datagram(policy_type::no_policy_found).outcomes[0]);
    told.outcomes.push_back(datagram(policy_type::tlsa).outcomes[0]);
    EXPECT_EQ(words(join(told, enforce, noon)),
              "sts example.com <5>: failed, certificate-expired at mx1.example.com[198.51.100.25]; tlsa "
              "mx1.example.com <1>: success");
}

TEST(join, records_in_another_order_are_the_same_policy) {
    auto one = with_dane(nothing_known()), other = one;
    one.dane[0].records = {"3 1 1 AB01", "2 0 1 CD02"};
    other.dane[0].records = {"2 0 1 CD02", "3 1 1 AB01"};
    const auto seen = session(tls_reached::verified);
    ASSERT_EQ(join(seen, one, noon).outcomes.size(), 1);
    EXPECT_EQ(join(seen, one, noon), join(seen, other, noon));
}

} // namespace
} // namespace mailtight::tally
