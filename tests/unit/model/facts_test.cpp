// SPDX-License-Identifier: Apache-2.0
#include "model/dns_facts.h"
#include "model/probe_facts.h"
#include "model/tls_facts.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

using namespace mailtight::model;

namespace {

/// Every value up to the last has a name of its own, in lower case: they stand in JSON.
template<class Enum>
void expect_names(Enum last) {
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(last); ++i) {
        const auto name = to_string(static_cast<Enum>(i));
        EXPECT_TRUE(names.insert(name).second) << name << " stands twice";
        EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), name.npos) << name;
    }
    EXPECT_EQ(names.size(), static_cast<std::size_t>(last) + 1);
}

TEST(Facts, EveryOutcomeHasItsOwnName) {
    expect_names(dns_status::cname_loop);
    expect_names(dnssec::bogus);
    expect_names(cert_fault::weak);
    expect_names(handshake_outcome::failed);
    expect_names(connect_outcome::failed);
    expect_names(fetch_outcome::http_invalid);
    expect_names(smtp_outcome::closed);
}

TEST(Facts, ADnsErrorSaysNothingOfWhatExists) {
    using enum dns_status;
    for (const auto status : {servfail, refused, bogus, timeout, malformed})
        EXPECT_TRUE(is_dns_error(status)) << to_string(status);
    for (const auto status : {ok, no_data, nx_domain, not_asked, cname_loop})
        EXPECT_FALSE(is_dns_error(status)) << to_string(status);
}

TEST(Facts, ACertificatePassesOnlyAfterAHandshake) {
    tls_fact fact;
    EXPECT_FALSE(fact.certificate_ok()) << "nothing was tried";
    fact.outcome = handshake_outcome::completed;
    EXPECT_TRUE(fact.certificate_ok());
    fact.faults = {cert_fault::expired};
    EXPECT_FALSE(fact.certificate_ok());
    EXPECT_TRUE(fact.has(cert_fault::expired));
    EXPECT_FALSE(fact.has(cert_fault::weak));
}

} // namespace
