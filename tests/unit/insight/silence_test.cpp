// SPDX-License-Identifier: Apache-2.0
#include "insight/silence.h"
#include "rows.h"

#include <gtest/gtest.h>

#include <functional>

namespace mailtight::insight {
namespace {

using tests::ago;
using tests::today;
using list = std::vector<std::string>;

/// Everything was tested and is well.
silence_facts well() {
    silence_facts made;
    made.record_present = true;
    made.record_since = ago(100);
    made.rua_deliverable = true;
    made.test_arrived = true;
    made.ipv6_only_fault = false;
    made.last_report = ago(20);
    made.last_30_days_sessions = 1000;
    return made;
}
/// "record-absent", or "record-absent?" where it is only possible.
list codes(const silence_facts& facts) {
    list all;
    for (const auto& one : why_silent(facts, today)) {
        all.push_back(one.code + (one.certain ? "" : "?"));
        EXPECT_FALSE(one.text.empty() || one.fix.empty()) << one.code;
    }
    return all;
}

TEST(WhySilent, in_the_order_to_try) {
    struct {
        std::string why;
        std::function<void(silence_facts&)> change;
        list expected;
    } const table[] = {
        {"all is well here", [](auto&) {}, {"senders-do-not-report?"}},
        {"no record: nothing else matters",
         [](auto& f) {
             f.record_present = false;
             f.rua_deliverable = false;
         },
         {"record-absent"}},
        {"a young record",
         [](auto& f) { f.record_since = ago(2); },
         {"record-young", "senders-do-not-report?"}},
        {"three days are not young", [](auto& f) { f.record_since = ago(3); }, {"senders-do-not-report?"}},
        {"the address is dead",
         [](auto& f) { f.rua_deliverable = false; },
         {"rua-undeliverable", "senders-do-not-report?"}},
        {"the mailbox swallows them",
         [](auto& f) { f.test_arrived = false; },
         {"mailbox-rejects", "senders-do-not-report?"}},
        {"IPv6", [](auto& f) { f.ipv6_only_fault = true; }, {"ipv6-only", "senders-do-not-report?"}},
        {"they come and do not count",
         [](auto& f) { f.quarantined = 3; },
         {"not-counted", "senders-do-not-report?"}},
        {"a quiet domain",
         [](auto& f) { f.last_30_days_sessions = 3; },
         {"little-traffic?", "senders-do-not-report?"}},
        {"nothing was tested",
         [](auto& f) { f = {}; },
         {"record-absent?", "rua-undeliverable?", "mailbox-rejects?", "little-traffic?",
          "senders-do-not-report?"}},
        {"several at once",
         [](auto& f) {
             f.record_since = ago(1);
             f.rua_deliverable = false;
             f.ipv6_only_fault = true;
         },
         {"record-young", "rua-undeliverable", "ipv6-only", "senders-do-not-report?"}},
    };
    for (const auto& one : table) {
        auto facts = well();
        one.change(facts);
        EXPECT_EQ(codes(facts), one.expected) << one.why;
    }
}

} // namespace
} // namespace mailtight::insight
