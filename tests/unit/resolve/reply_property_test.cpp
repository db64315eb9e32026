// SPDX-License-Identifier: Apache-2.0
// Any decision, whatever it holds, gives replies that keep every rule (support/reply_rules.h).
#include "base/text.h"
#include "support/reply_cases.h"
#include "support/reply_rules.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace mailtight::resolve {

namespace {

/// Names, near misses and plain hostility.
rc::Gen<std::string> a_name() {
    return rc::gen::oneOf(
        rc::gen::element<std::string>("mx1.shop.example", "*.shop.example", "a.mail.shop.example", "hostname",
                                      "nexthop", "dot-nexthop", ".example", "*", "*.com", "192.0.2.1",
                                      "x_1.shop.example", "MX2.Shop.Example.", "a.example:b.example", "a b",
                                      "a{b", "a}b", "xn--bcher-kva.example", "-x.example", ""),
        rc::gen::container<std::string>(rc::gen::element('a', 'B', '0', '-', '.', '*', '_', ' ', ':', ',',
                                                         '{', '}', '=', '\t', '\n', '\0', '\xff', '\xc3')),
        rc::gen::arbitrary<std::string>());
}

tls_decision any_decision() {
    tls_decision made = decided(*rc::gen::element(decision::enforce, decision::testing, decision::none,
                                                  decision::dane, decision::no_policy, decision::unknown));
    if (*rc::gen::inRange(0, 8) != 0) {
        made.policy = held(*rc::gen::element(sts::mode::enforce, sts::mode::testing, sts::mode::none),
                           *rc::gen::container<std::vector<std::string>>(a_name()), " ");
        made.policy->body = *rc::gen::arbitrary<std::string>();
        for (const auto& line : *rc::gen::container<std::vector<std::string>>(a_name()))
            made.policy->body += "\nmx: " + line;
        made.policy->value.max_age = *rc::gen::arbitrary<std::uint64_t>();
        made.policy->id = *rc::gen::arbitrary<std::string>();
    }
    made.mx_known = *rc::gen::arbitrary<bool>();
    for (auto& host : *rc::gen::container<std::vector<std::string>>(a_name()))
        made.mx.push_back({std::move(host), *a_name(),
                           *rc::gen::element(host_class::usable, host_class::none, host_class::error)});
    made.dane_only = *rc::gen::arbitrary<bool>();
    if (*rc::gen::inRange(0, 3) == 0)
        made.hop.domain = *a_name();
    made.reason = *rc::gen::arbitrary<std::string>();
    made.notes = *rc::gen::container<std::vector<std::string>>(rc::gen::arbitrary<std::string>());
    return made;
}

RC_GTEST_PROP(reply_property, every_reply_keeps_the_rules, ()) {
    const tls_decision decision = any_decision();
    const reply_options options{.mta_has_dane = *rc::gen::arbitrary<bool>()};
    for (const dialect d : {dialect::tlspol, dialect::tlspol_tlsrpt, dialect::postfix,
                            dialect::postfix_legacy, dialect::postfix_3_10, dialect::sendmail})
        RC_ASSERT(tests::broken_rule(d, decision, render(d, decision, options)) == "");
    const auto one_line = [](std::string_view text) {
        return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
    };
    RC_ASSERT(one_line(to_exim_policy(decision, options)));
    RC_ASSERT(one_line(to_exim_mx(decision, *a_name(), options)));
    // Neither throws nor writes what is no JSON or no text.
    for (const std::string& text : {to_json(decision, options, noon), to_tlspol_json(decision, noon),
                                    explain(decision, options, noon)}) {
        RC_ASSERT(!text.empty());
        RC_ASSERT(base::is_utf8(text));
    }
}

} // namespace

} // namespace mailtight::resolve
