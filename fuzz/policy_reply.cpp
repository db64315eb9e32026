// SPDX-License-Identifier: Apache-2.0
// Any policy, as no parser would let it through, and any destination: every reply is accepted by a reader of
// Postfix's grammar for that version, names only what the policy admits, and comes back from its frame.
#include "base/text.h"
#include "support/reply_cases.h"
#include "support/reply_rules.h"

#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

using namespace mailtight;
using namespace mailtight::resolve;

namespace {

void must(bool holds, const std::string& what) {
    if (holds)
        return;
    std::fprintf(stderr, "%s\n", what.c_str());
    std::abort();
}

std::vector<std::string> names(FuzzedDataProvider& from) {
    std::vector<std::string> all;
    for (auto count = from.ConsumeIntegralInRange<std::size_t>(0, 12); count > 0; --count)
        all.push_back(from.ConsumeRandomLengthString(300));
    return all;
}

tls_decision any_decision(FuzzedDataProvider& from) {
    tls_decision made =
        decided(from.PickValueInArray({decision::enforce, decision::testing, decision::none, decision::dane,
                                       decision::no_policy, decision::unknown}));
    if (from.ConsumeBool())
        made.hop.domain = from.ConsumeRandomLengthString(300);
    made.dane_only = from.ConsumeBool();
    made.mx_known = from.ConsumeBool();
    if (from.ConsumeProbability<float>() < 0.9F) {
        made.policy = held(from.PickValueInArray({sts::mode::enforce, sts::mode::testing, sts::mode::none}),
                           names(from), "-");
        made.policy->value.max_age = from.ConsumeIntegral<std::uint64_t>();
        made.policy->id = from.ConsumeRandomLengthString(40);
    }
    for (auto& host : names(from))
        made.mx.push_back({std::move(host), from.ConsumeRandomLengthString(60),
                           from.PickValueInArray({host_class::usable, host_class::none, host_class::error})});
    if (from.ConsumeBool()) {
        made.exception = model::policy_override{};
        made.exception->what = from.PickValueInArray(
            {model::policy_override::kind::exempt, model::policy_override::kind::pin,
             model::policy_override::kind::testing, model::policy_override::kind::require});
        made.exception->why = from.ConsumeRandomLengthString(60);
    }
    made.reason = from.ConsumeRandomLengthString(300);
    if (made.policy)
        made.policy->body = from.ConsumeRemainingBytesAsString();
    return made;
}

bool one_line(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzedDataProvider from(data, size);
    const reply_options options{.mta_has_dane = from.ConsumeBool()};
    const std::string host = from.ConsumeRandomLengthString(100);
    const tls_decision decision = any_decision(from);
    for (const dialect d : {dialect::tlspol, dialect::tlspol_tlsrpt, dialect::postfix,
                            dialect::postfix_legacy, dialect::postfix_3_10, dialect::sendmail}) {
        const auto broken = tests::broken_rule(d, decision, render(d, decision, options));
        must(broken.empty(), std::string(to_string(d)) + ": " + broken);
    }
    must(one_line(to_exim_policy(decision, options)), "to_exim_policy");
    must(one_line(to_exim_mx(decision, host, options)), "to_exim_mx");
    must(base::is_utf8(to_json(decision, options, noon)), "to_json");
    must(base::is_utf8(to_tlspol_json(decision, noon)), "to_tlspol_json");
    const auto text = explain(decision, options, noon);
    must(base::is_utf8(text) && text.find('\x1b') == text.npos, "explain");
    return 0;
}
