// SPDX-License-Identifier: Apache-2.0
// A plan on paper: the page for a person and the JSON.
#include "domains.h"

#include "base/text.h"

#include <boost/json.hpp>

namespace mailtight::plan::tests {
namespace {

domain moving() {
    domain d;
    d.wish.aim = model::aim::enforce;
    d.wish.dns = model::dns_way::by_hand;
    d.publish(sts::mode::enforce, 1'209'600, start - days(40));
    d.set_mx({"mx1.example.com", "mx2.example.com"});
    return d;
}

TEST(plan_page, is_read_from_top_to_bottom) {
    const auto d = moving();
    EXPECT_EQ(render_text(d.make(), d.now, 80, false),
              R"(Plan for example.com
  from  mode enforce, max_age 1209600 (14 days), since Wed 25 March 2026
  to    enforce

  1. done Set up an address for the reports: mailto:tls-report@example.com
  2. done Publish _smtp._tls.example.com
  3. done Point mta-sts.example.com at policy.example.net
  4. done Have a certificate for mta-sts.example.com

  5. NOW  Serve the policy: mode enforce, max_age 1209600 (14 days)
          The policy changes before the record: who sees the new id must find
          the new policy.
          the policy:
            version: STSv1
            mode: enforce
            mx: mx1.example.com
            mx: mx2.example.com
            max_age: 1209600

  6.      Fetch it back from https://mta-sts.example.com/.well-known/mta-sts.txt
          Only a policy that comes back byte for byte, as senders get it, may be
          announced.

  7.      Publish _mta-sts.example.com with the new id 20260504100000
          The new id tells senders to fetch the policy again. It was never used
          before.

  8.      Every name server says _mta-sts.example.com
          Until then some senders are still told the old.
)");
}

TEST(plan_page, says_what_to_paste_and_when_to_come_back) {
    auto d = moving();
    d.serve(d.make().next()->policy, "20260504100000", d.now);
    const auto paste = render_text(d.make(), d.now, 80, false);
    EXPECT_NE(paste.find("  7. NOW  Publish _mta-sts.example.com with the new id 20260504100000 [you]\n"),
              paste.npos)
        << paste;
    EXPECT_NE(
        paste.find(
            "          delete TXT _mta-sts.example.com\n            v=STSv1; id=1\n"
            "          add TXT _mta-sts.example.com (TTL 300)\n            v=STSv1; id=20260504100000\n"),
        paste.npos)
        << paste;
    domain waits;
    waits.wish.aim = model::aim::enforce;
    waits.publish(sts::mode::enforce, 86'400, start - days(1));
    EXPECT_TRUE(render_text(waits.make(), waits.now, 80, false)
                    .ends_with("\nCome back on Sun 10 May 2026, 10:00 UTC.\n"));
    domain finished;
    finished.publish(sts::mode::testing, 604'800, start - days(1));
    EXPECT_TRUE(render_text(finished.make(), finished.now, 80, false)
                    .ends_with("the domain is where it should be.\n"));
}

TEST(plan_page, says_why_the_last_try_failed) {
    domain d;
    d.report_way();
    d.past.last_try = failed_try{"publish-tlsrpt", d.now - hours(1), "ns1 says\nREFUSED"};
    const auto tried = render_text(d.make(), d.now, 100, false);
    EXPECT_NE(tried.find("Last try Mon 4 May 2026, 09:00 UTC: ns1 says"), tried.npos) << tried;
    EXPECT_NE(
        render_json(d.make()).find(R"("last_try":{"at":"2026-05-04T09:00:00Z","why":"ns1 says\nREFUSED"})"),
        std::string::npos);
    d.set_up(); // done: nobody asks any more why it failed
    EXPECT_EQ(render_text(d.make(), d.now, 100, false).find("Last try"), std::string::npos);
    EXPECT_NE(render_json(d.make()).find(R"("last_try":null)"), std::string::npos);
}

TEST(plan_page, keeps_to_its_width_and_escapes_what_is_foreign) {
    auto d = moving();
    d.evidence.sentence = "Evil \x1b[31m bytes";
    d.seen.mx[0].passes = false;
    d.seen.mx[0].why = "said \x1b]0;owned\x07";
    d.evidence.ready = false;
    for (const std::size_t width : {60, 80, 120}) {
        const auto page = render_text(d.make(), d.now, width, false);
        EXPECT_EQ(page.find('\x1b'), page.npos);
        for (const auto line : base::split(page, '\n')) {
            EXPECT_TRUE(base::display_width(line) <= width || line.find(' ', 10) == line.npos ||
                        line.find("https://") != line.npos)
                << line;
            EXPECT_FALSE(line.ends_with(' ')) << line;
        }
    }
    EXPECT_NE(render_text(d.make(), d.now, 80, true).find("\x1b[1m"), std::string::npos)
        << "colour where wanted";
}

TEST(plan_json, holds_everything) {
    auto d = moving();
    d.wish.mx_removing = {"mx1.example.com"};
    const auto all = boost::json::parse(render_json(d.make())).as_object();
    for (const auto* key : {"domain", "from", "to", "finished", "next", "come_back", "warnings", "steps"})
        EXPECT_TRUE(all.contains(key)) << key;
    EXPECT_EQ(all.at("next").as_int64(), 5);
    EXPECT_TRUE(all.at("come_back").is_null());
    for (const auto& one : all.at("steps").as_array())
        for (const auto* key : {"number", "kind", "state", "by", "title", "why", "how", "not_before", "until",
                                "earliest", "records", "policy", "id", "host", "blocked"})
            EXPECT_TRUE(one.as_object().contains(key)) << key;
    const auto& serve = all.at("steps").as_array()[4].as_object();
    EXPECT_EQ(serve.at("kind").as_string(), "serve-policy");
    EXPECT_EQ(serve.at("state").as_string(), "now");
    EXPECT_EQ(serve.at("by").as_string(), "us");
    EXPECT_EQ(serve.at("id").as_string(), "20260504100000");
    const auto& change = all.at("steps").as_array()[6].as_object().at("records").as_array()[0].as_object();
    EXPECT_EQ(change.at("name").as_string(), "_mta-sts.example.com");
    EXPECT_EQ(change.at("add").as_array()[0].as_string(), "v=STSv1; id=20260504100000");
    EXPECT_EQ(change.at("ttl").as_int64(), 300);
}

TEST(plan_json, dates_are_rfc_3339) {
    domain d;
    d.wish.aim = model::aim::enforce;
    d.publish(sts::mode::enforce, 86'400, start - days(1));
    const auto all = boost::json::parse(render_json(d.make())).as_object();
    EXPECT_EQ(all.at("come_back").as_string(), "2026-05-10T10:00:00Z");
}

} // namespace
} // namespace mailtight::plan::tests
