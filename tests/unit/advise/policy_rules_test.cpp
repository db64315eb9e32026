// SPDX-License-Identifier: Apache-2.0
#include "base/encode.h"
#include "support/proves.h"
#include "unit/advise/codes.h"

namespace mailtight::tests {
namespace {

using model::observation;

const std::string head = "version: STSv1\r\nmode: enforce\r\n";
const std::string hosts = "mx: mx1.example.com\r\nmx: mx2.example.com\r\n";
const std::string age = "max_age: 2419200\r\n";

auto policy(std::string body) {
    return [body](observation& o) { set_policy(o, body); };
}
std::string replaced(std::string text, std::string_view what, std::string_view with) {
    return text.replace(text.find(what), what.size(), with);
}

TEST(policy_rules, one_fault_of_the_text_one_code) {
    PROVES("8461-3.2-e", "8461-3.2-f", "8461-3.2-g", "8461-3.2-k", "8461-3.2-l", "8461-3.2-m", "8461-3.2-n",
           "8461-3.2-q", "G1-12", "G1-19", "G1-21", "G1-28", "G1-29", "G3-23", "G3-24");
    const std::string all = head + hosts + age;
    expect_exactly({
        {"a web page", {"policy.not-a-policy"}, policy("<!DOCTYPE html>\n<html><body>x</body></html>\n")},
        {"an empty file", {"policy.not-a-policy"}, policy("")},
        {"no UTF-8", {"policy.encoding"}, policy(all + "x-note: \xff\xfe\r\n")},
        {"a byte order mark", {"policy.bom"}, policy("\xef\xbb\xbf" + all)},
        {"bare CR",
         {"policy.line-ending"},
         policy("version: STSv1\rmode: enforce\rmx: mx1.example.com\rmax_age: 2419200\r")},
        {"a comment", {"policy.syntax"}, policy(head + "# ours\r\n" + hosts + age)},
        {"a blank line at the end (A7)", {"policy.syntax"}, policy(all + "\r\n")},
        {"no version", {"policy.version-missing"}, policy("mode: enforce\r\n" + hosts + age)},
        {"another version", {"policy.version-missing"}, policy(replaced(all, "STSv1", "STSv2"))},
        {"no mode", {"policy.mode-missing"}, policy("version: STSv1\r\n" + hosts + age)},
        {"Mode in the wrong case is one mistake",
         {"policy.mode-missing"},
         policy(replaced(all, "mode", "Mode"))},
        {"a mode of an old draft", {"policy.mode-invalid"}, policy(replaced(all, "enforce", "report"))},
        {"no max_age", {"policy.max-age-missing"}, policy(head + hosts)},
        {"a unit", {"policy.max-age-invalid"}, policy(head + hosts + "max_age: 28d\r\n")},
        {"more than a year (A4)",
         {"policy.max-age-too-large"},
         policy(head + hosts + "max_age: 31557601\r\n")},
        {"never kept (A5)", {"policy.max-age-short"}, policy(head + hosts + "max_age: 0\r\n")},
        {"no mx", {"policy.mx-missing"}, policy(head + age)},
        {"a list in one line",
         {"policy.mx-syntax"},
         policy(head + "mx: mx1.example.com, mx2.example.com\r\n" + age)},
        {"a final dot",
         {"policy.mx-syntax"},
         policy(head + "mx: mx1.example.com.\r\nmx: mx2.example.com\r\n" + age)},
        {"a null MX", {"policy.mx-null"}, policy(head + hosts + "mx: .\r\n" + age)},
        {"a U-label", {"policy.mx-unicode"}, policy(head + hosts + "mx: mx.b\u00fccher.example\r\n" + age)},
        {"a wildcard over a top-level domain",
         {"policy.wildcard-too-broad"},
         [](observation& o) {
             set_policy(o, head + "mx: *.com\r\n" + hosts + age);
             o.mx.at(0).host = "example.com"; // what `*.com` admits
             o.mx.at(0).probes.front().host = "example.com";
             set_policy(o, head + "mx: *.com\r\nmx: mx2.example.com\r\n" + age);
         }},
    });
}

TEST(policy_rules, unwise_but_grammatical) {
    PROVES("8461-3.2-d", "8461-3.2-i", "8461-3.2-t", "8461-3.2-v", "8461-3.2-w", "8461-10.2-a", "8461-10.4-a",
           "G1-16", "G1-17", "G1-35", "G3-21", "G3-27");
    expect_exactly({
        {"LF alone is right",
         {},
         policy(
             "version: STSv1\nmode: enforce\nmx: mx1.example.com\nmx: mx2.example.com\nmax_age: 2419200\n"),
         "protected"},
        {"mixed line ends",
         {"policy.line-ending"},
         policy("version: STSv1\nmode: enforce\n" + hosts + age),
         "protected"},
        {"version last: the guides want it first",
         {"policy.version-not-first"},
         policy("mode: enforce\r\n" + hosts + age + "version: STSv1\r\n"),
         "protected"},
        {"under a day", {"policy.max-age-short"}, policy(head + hosts + "max_age: 86399\r\n"), "protected"},
        {"under a week in enforce",
         {"policy.max-age-short"},
         policy(head + hosts + "max_age: 604799\r\n"),
         "protected"},
        {"under two weeks in enforce",
         {"policy.max-age-short"},
         policy(head + hosts + "max_age: 604800\r\n"),
         "protected"},
        {"two weeks", {}, policy(head + hosts + "max_age: 1209600\r\n"), "protected"},
        {"the most that is allowed", {}, policy(head + hosts + "max_age: 31557600\r\n"), "protected"},
        {"two modes: the first counts",
         {"policy.duplicate-field"},
         policy(head + "mode: none\r\n" + hosts + age),
         "protected"},
        {"an extension",
         {"policy.unknown-field"},
         policy(head + hosts + age + "x-contact: us\r\n"),
         "protected"},
        {"a wildcard over one's own domain",
         {"policy.wildcard-too-broad"},
         policy(head + "mx: *.example.com\r\n" + age),
         "protected"},
        {"switched off as the guides show it",
         {"policy.mode-none"},
         policy("version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n"),
         "retiring"},
        {"switched off, and an address in place of a name",
         {"policy.mx-syntax", "policy.mode-none"},
         policy("version: STSv1\r\nmode: none\r\nmx: 192.0.2.1\r\nmax_age: 86400\r\n"),
         "retiring"},
    });
}

TEST(policy_rules, weights_differ) {
    const auto weight = [](const std::string& body, std::string_view code) {
        observation seen = healthy();
        set_policy(seen, body);
        const auto judged = advise::judge(seen);
        const auto* found = find(judged, code);
        return found ? std::string(findings::to_string(found->severity)) : "nothing";
    };
    EXPECT_EQ(weight(head + hosts + "max_age: 3600\r\n", "policy.max-age-short"), "warning");
    EXPECT_EQ(weight(head + hosts + "max_age: 86400\r\n", "policy.max-age-short"), "warning");
    EXPECT_EQ(weight(head + hosts + "max_age: 604800\r\n", "policy.max-age-short"), "info");
    EXPECT_EQ(weight(head + hosts + "max_age: 0\r\n", "policy.max-age-short"), "error");
    EXPECT_EQ(weight(head + "mx: *.example.com\r\n" + age, "policy.wildcard-too-broad"), "info");
    EXPECT_EQ(weight("version: STSv1\nmode: enforce\n" + hosts + age, "policy.line-ending"), "info");
    for (const auto& [mode, expected] :
         {std::pair("enforce", "error"), std::pair("testing", "error"), std::pair("none", "info")})
        EXPECT_EQ(weight(std::string("version: STSv1\r\nmode: ") + mode + "\r\n" + hosts +
                             "mx: 192.0.2.1\r\n" + age,
                         "policy.mx-syntax"),
                  expected)
            << mode;
}

TEST(policy_rules, testing_has_its_own_max_age) {
    PROVES("G1-36", "G3-28");
    const std::string testing = "version: STSv1\r\nmode: testing\r\n" + hosts;
    expect_exactly({
        {"one week", {}, policy(testing + "max_age: 604800\r\n"), "testing"},
        {"two weeks", {}, policy(testing + "max_age: 1209600\r\n"), "testing"},
        {"a day", {"policy.max-age-testing"}, policy(testing + "max_age: 86400\r\n"), "testing"},
        {"a month", {"policy.max-age-testing"}, policy(testing + "max_age: 2592000\r\n"), "testing"},
        {"under a day is short, and told once",
         {"policy.max-age-short"},
         policy(testing + "max_age: 60\r\n"),
         "testing"},
    });
}

TEST(policy_rules, what_a_provider_prescribes_is_no_fault) {
    observation seen = healthy();
    set_mx(seen, {mx_host("route1.mx.cloudflare.net", 10, "192.0.2.25")});
    set_policy(seen, head + "mx: *.mx.cloudflare.net\r\nmax_age: 86400\r\n");
    EXPECT_EQ(codes_of(seen), codes{});
}

TEST(policy_rules, coverage) {
    PROVES("8461-4.1-a", "8461-4.1-b", "8461-8.4-b", "G1-15", "G1-27", "G1-31", "G3-20", "G3-25");
    expect_exactly({
        {"one host is forgotten", {"mx.not-in-policy"}, policy(head + "mx: mx1.example.com\r\n" + age)},
        {"none is named", {"mx.none-in-policy"}, policy(head + "mx: mx.old.example\r\n" + age)},
        {"a host of the past",
         {"mx.policy-entry-unused"},
         policy(head + hosts + "mx: old.example.net\r\n" + age),
         "protected"},
        {"a wildcard of the right depth",
         {},
         [](observation& o) {
             set_mx(o, {mx_host("a.mx.example.net", 10, "192.0.2.25"),
                        mx_host("b.mx.example.net", 20, "192.0.2.26")});
             set_policy(o, head + "mx: *.mx.example.net\r\n" + age);
         },
         "protected"},
        {"a wildcard one label short explains its host",
         {"policy.wildcard-never-matches"},
         [](observation& o) {
             set_mx(o, {mx_host("example-com.h-v1.mx.microsoft", 10, "192.0.2.25")});
             set_policy(o, head + "mx: *.mx.microsoft\r\n" + age);
         }},
        {"the wildcard's own name",
         {"policy.wildcard-never-matches"},
         [](observation& o) {
             set_mx(o, {mx_host("smtp.google.com", 1, "192.0.2.25")});
             set_policy(o, head + "mx: *.smtp.google.com\r\n" + age);
         }},
        {"idle, since the host stands there too",
         {"policy.wildcard-never-matches"},
         [](observation& o) {
             set_mx(o, {mx_host("smtp.google.com", 1, "192.0.2.25")});
             set_policy(o, head + "mx: smtp.google.com\r\nmx: *.smtp.google.com\r\n" + age);
         },
         "protected"},
        {"the provider's whole preset is not called unused",
         {},
         [](observation& o) {
             set_mx(o, {mx_host("smtp.google.com", 1, "192.0.2.25")});
             set_policy(
                 o, head + "mx: smtp.google.com\r\nmx: aspmx.l.google.com\r\nmx: *.aspmx.l.google.com\r\n" +
                        age);
         },
         "protected"},
        {"in mode none nobody compares",
         {"policy.mode-none"},
         policy("version: STSv1\r\nmode: none\r\nmx: other.example\r\nmax_age: 86400\r\n"),
         "retiring"},
    });
}

TEST(policy_rules, history) {
    PROVES("8461-3.1-e", "G2-27", "G3-46");
    const std::string sha = base::hex(base::sha256(healthy_policy));
    const std::string testing = "version: STSv1\r\nmode: testing\r\n" + hosts + "max_age: 604800\r\n";
    expect_exactly({
        {"nothing changed",
         {},
         [&](observation& o) {
             o.last_policy_sha256 = sha;
             o.last_id = "20260101000000";
         },
         "protected"},
        {"the text alone",
         {"policy.changed-without-id"},
         [&](observation& o) {
             o.last_policy_sha256 = std::string(64, '0');
             o.last_id = "20260101000000";
         }},
        {"the id alone",
         {"policy.id-changed-without-policy"},
         [&](observation& o) {
             o.last_policy_sha256 = sha;
             o.last_id = "1";
         },
         "protected"},
        {"both, as it should be",
         {},
         [&](observation& o) {
             o.last_policy_sha256 = std::string(64, '0');
             o.last_id = "1";
         },
         "protected"},
        {"31 days in testing",
         {"policy.mode-testing-long"},
         [&](observation& o) {
             set_policy(o, testing);
             o.testing_since = look_time() - std::chrono::days(31);
         },
         "testing"},
        {"30 days in testing",
         {},
         [&](observation& o) {
             set_policy(o, testing);
             o.testing_since = look_time() - std::chrono::days(30);
         },
         "testing"},
    });
}

} // namespace
} // namespace mailtight::tests
