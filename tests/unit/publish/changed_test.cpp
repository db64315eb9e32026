// SPDX-License-Identifier: Apache-2.0
// Two looks, one after the other: what is told of their difference.
#include "publish/changed.h"

#include <gtest/gtest.h>

#include <functional>

namespace mailtight::publish {
namespace {

model::watched_state state() {
    return {.domain = "a.example",
            .first = {},
            .last = {},
            .verdict = "testing",
            .record_id = "1",
            .policy_sha256 = "x",
            .policy = "version: STSv1\r\nmode: testing\r\nmx: mx1.example\r\nmax_age: 86400\r\n",
            .mx = {"mx1.example", "mx2.example"},
            .findings = {"mx.no-tls mx2.example"},
            .full = true};
}

std::string policy(const char* mode, const char* mx, const char* max_age) {
    return std::string("version: STSv1\r\nmode: ") + mode + "\r\nmx: " + mx + "\r\nmax_age: " + max_age +
           "\r\n";
}

TEST(what_changed, is_told_in_words) {
    struct row {
        std::function<void(model::watched_state&)> change;
        const char* says;
    };
    using state_type = model::watched_state;
    for (const row& each : std::vector<row>{
             {[](state_type&) {}, ""},
             {[](state_type& now) { now.verdict = "protected"; },
              "the verdict changed from testing to protected"},
             {[](state_type& now) { now.policy = policy("enforce", "mx1.example", "86400"); },
              "the policy's mode went from testing to enforce"},
             {[](state_type& now) { now.policy = policy("testing", "mx1.example", "604800"); },
              "the policy's max_age went from 86400 to 604800"},
             {[](state_type& now) { now.policy = policy("testing", "mx9.example", "86400"); },
              "the policy names other MX hosts"},
             {[](state_type& now) { now.policy.clear(); }, "the policy can no longer be fetched"},
             {[](state_type& now) { now.policy = "no policy"; }, "the policy's text is another"},
             {[](state_type& now) { now.mx = {"mx2.example", "mx1.example"}; }, ""},
             {[](state_type& now) { now.mx = {"mx1.example"}; }, "mx2.example is no longer an MX host"},
             {[](state_type& now) { now.mx.push_back("mx3.example"); }, "mx3.example is a new MX host"},
             {[](state_type& now) { now.record_id = "2"; }, "the id went from 1 to 2"},
             {[](state_type& now) { now.record_id.clear(); }, "the record was removed"},
             {[](state_type& now) { now.findings.clear(); }, "over: mx.no-tls mx2.example"},
             {[](state_type& now) { now.findings.push_back("sts.many x"); }, "new: sts.many x"},
             {[](state_type& now) {
                  now.verdict = "broken";
                  now.record_id = "\x01\xff";
              },
              "the verdict changed from testing to broken; the id went from 1 to \\x01\\xff"},
             {[](state_type& now) {
                  now.verdict = "broken";
                  now.mx = {"x.example"};
                  now.record_id = "2";
              },
              "the verdict changed from testing to broken; mx1.example is no longer an MX host; mx2.example "
              "is no longer an MX "
              "host; and 2 more"}}) {
        auto now = state();
        each.change(now);
        EXPECT_EQ(what_changed(state(), now), each.says);
    }
    auto before = state();
    before.policy.clear();
    before.record_id.clear();
    EXPECT_EQ(what_changed(before, state()), "a policy can be fetched; the record was published, with id 1");
    before = state();
    before.verdict.clear(); // nothing was seen before
    EXPECT_EQ(what_changed(before, state()), "the verdict is testing");
}

} // namespace
} // namespace mailtight::publish
