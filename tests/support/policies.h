// SPDX-License-Identifier: Apache-2.0
// Kept policies for tests.
#pragma once

#include "model/sending.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mailtight::tests {

inline base::utc_seconds at(std::int64_t seconds) {
    return base::utc_seconds(std::chrono::seconds(1'790'000'000 + seconds));
}

/// A domain that publishes an enforce policy, fetched then.
inline model::kept_policy held_policy(const std::string& domain, std::int64_t fetched,
                                      const std::string& id = "1",
                                      const std::vector<std::string>& mx = {"mx.example.net"}) {
    model::kept_policy out;
    out.domain = domain;
    sts::policy value{.mode = sts::mode::enforce, .max_age = 604'800, .mx = mx};
    const auto body = sts::format_policy(value).value();
    out.state.held = sts::held_policy{.value = value, .id = id, .body = body, .fetched_at = at(fetched)};
    out.state.record = {.what = sts::record_sighting::kind::valid, .id = id, .ttl = 300};
    out.state.record_at = at(fetched);
    out.state.refresh_at = at(fetched + 86'400);
    out.used_at = at(fetched);
    return out;
}

/// A domain without a record, looked at then.
inline model::kept_policy no_policy(const std::string& domain, std::int64_t looked) {
    model::kept_policy out;
    out.domain = domain;
    out.state.record = {.what = sts::record_sighting::kind::none, .ttl = 600};
    out.state.record_at = at(looked);
    out.used_at = at(looked);
    return out;
}

/// Every field has a value of its own.
inline model::kept_policy full_policy(const std::string& domain) {
    auto out = held_policy(domain, 100, "20260102T", {"mx1.example.com", "*.example.net"});
    out.state.held->value.extensions = {{"note", "hello"}};
    out.state.held->body = "version: STSv1\nmode: enforce\nmx: mx1.example.com\nmx: *.example.net\n"
                           "max_age: 604800\nnote: hello\n";
    out.state.failed = sts::failed_fetch{.id = "20260103T",
                                         .at = at(200),
                                         .fault = sts::policy_fault::webpki_invalid,
                                         .detail = "certificate expired"};
    out.state.record = {.what = sts::record_sighting::kind::multiple, .id = "", .ttl = 77, .detail = "two"};
    out.state.record_at = at(300);
    out.state.refresh_at = at(400);
    out.state.failing_since = at(150);
    out.state.failures = 3;
    out.used_at = at(250);
    return out;
}

inline void expect_same(const model::kept_policy& is, const model::kept_policy& should) {
    EXPECT_EQ(is.domain, should.domain);
    EXPECT_EQ(is.used_at, should.used_at);
    const auto &a = is.state, &b = should.state;
    ASSERT_EQ(a.held.has_value(), b.held.has_value());
    if (a.held) {
        EXPECT_EQ(a.held->value, b.held->value);
        EXPECT_EQ(a.held->id, b.held->id);
        EXPECT_EQ(a.held->body, b.held->body);
        EXPECT_EQ(a.held->fetched_at, b.held->fetched_at);
    }
    ASSERT_EQ(a.failed.has_value(), b.failed.has_value());
    if (a.failed) {
        EXPECT_EQ(a.failed->id, b.failed->id);
        EXPECT_EQ(a.failed->at, b.failed->at);
        EXPECT_EQ(a.failed->fault, b.failed->fault);
        EXPECT_EQ(a.failed->detail, b.failed->detail);
    }
    EXPECT_EQ(a.record.what, b.record.what);
    EXPECT_EQ(a.record.id, b.record.id);
    EXPECT_EQ(a.record.ttl, b.record.ttl);
    EXPECT_EQ(a.record.detail, b.record.detail);
    EXPECT_EQ(a.record_at, b.record_at);
    EXPECT_EQ(a.refresh_at, b.refresh_at);
    EXPECT_EQ(a.failing_since, b.failing_since);
    EXPECT_EQ(a.failures, b.failures);
}

} // namespace mailtight::tests
