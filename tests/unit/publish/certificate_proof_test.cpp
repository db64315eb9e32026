// SPDX-License-Identifier: Apache-2.0
// A new certificate is proven, or refused, by what senders see; and who cannot be renewed is told of.
#include "publish/certificate_proof.h"
#include "publish/watcher.h"
#include "support/domain_store_fake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::publish {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using what = certificate_proof::what;

const base::utc_seconds start{1'800'000'000s};

store::kept_certificate fresh() {
    return {.name = "mta-sts.a.example", .not_before = start, .not_after = start + 90 * 24h};
}

model::fetch_fact shows(base::utc_seconds from, bool valid = true) {
    model::fetch_fact fetch;
    fetch.address = *base::ip_address::parse("192.0.2.1");
    fetch.tls.outcome = model::handshake_outcome::completed;
    fetch.tls.chain.push_back({.not_before = from, .not_after = from + 90 * 24h});
    if (!valid) {
        fetch.tls.faults = {model::cert_fault::untrusted};
        fetch.tls.detail = "unable to get local issuer certificate";
    }
    return fetch;
}

TEST(certificate_proof, is_what_senders_see) {
    struct row {
        std::string why;
        std::vector<model::fetch_fact> seen;
        what state;
    };
    const std::vector<row> rows = {
        {"nobody could be reached", {}, what::not_seen},
        {"a handshake without a certificate", {model::fetch_fact{}}, what::not_seen},
        {"the old one is still presented", {shows(start - 60 * 24h)}, what::not_seen},
        {"an old one that is refused says nothing of the new one",
         {shows(start - 60 * 24h, false)},
         what::not_seen},
        {"the new one", {shows(start)}, what::good},
        {"one machine has it already", {shows(start - 60 * 24h), shows(start)}, what::good},
        {"refused at one address of two", {shows(start), shows(start, false)}, what::bad},
    };
    for (const auto& each : rows)
        EXPECT_EQ(judge_proof(each.seen, fresh()).state, each.state) << each.why;
    EXPECT_EQ(judge_proof(std::vector{shows(start, false)}, fresh()).words,
              "192.0.2.1: unable to get local issuer certificate");
}

TEST(certificate_proof, a_certificate_that_cannot_be_renewed_is_told) {
    tests::domain_store_fake kept;
    ASSERT_TRUE(kept.save({.domain = "a.example"}, "anna", "", start));
    ASSERT_TRUE(kept.plan_work("certificate", "a.example", start));
    auto work = kept.take_work("certificate", start, "this", 1h, 9)->front();
    work.tries = 3;
    work.last_error = "senders would refuse it";
    ASSERT_TRUE(*kept.done_work(work, start));
    EXPECT_THAT(*standing_alarms(kept, start), IsEmpty()) << "of the first one the plan tells";
    ASSERT_TRUE(kept.save_certificate(fresh(), work.fence));
    const auto told = *standing_alarms(kept, start);
    ASSERT_THAT(told, SizeIs(1));
    EXPECT_EQ(told[0].key, "certificate/a.example");
    EXPECT_THAT(told[0].text, HasSubstr("senders would refuse it"));
    work = kept.take_work("certificate", start, "this", 1h, 9)->front();
    work.tries = 2;
    ASSERT_TRUE(*kept.done_work(work, start));
    EXPECT_THAT(*standing_alarms(kept, start), IsEmpty()) << "that may pass";
}

} // namespace
} // namespace mailtight::publish
