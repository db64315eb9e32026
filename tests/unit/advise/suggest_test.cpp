// SPDX-License-Identifier: Apache-2.0
// What is suggested, for providers, modes and states.
#include "advise/dns_forms.h"
#include "advise/providers.h"
#include "advise/render.h"
#include "support/proves.h"
#include "unit/advise/codes.h"

#include <gmock/gmock.h>

namespace mailtight::tests {
namespace {

using advise::suggest;
using model::observation;

observation with_hosts(std::vector<std::string> hosts) {
    observation seen = without_sts();
    std::vector<model::mx_host_fact> all;
    std::uint16_t preference = 10;
    for (const auto& host : hosts)
        all.push_back(mx_host(host, preference++, "192.0.2.25"));
    set_mx(seen, std::move(all));
    return seen;
}
using list = std::vector<std::string>;

TEST(providers, table_of_hosts_and_patterns) {
    PROVES("G1-20", "G1-30", "G3-26");
    struct row {
        list hosts;
        std::string provider;
        list patterns;
    };
    const list google{"smtp.google.com", "aspmx.l.google.com", "*.aspmx.l.google.com"};
    const row rows[] = {
        {{"smtp.google.com"}, "Google Workspace", google},
        {{"aspmx.l.google.com", "alt1.aspmx.l.google.com"}, "Google Workspace", google},
        {{"aspmx.l.google.com", "aspmx2.googlemail.com"},
         "Google Workspace",
         {"smtp.google.com", "aspmx.l.google.com", "*.aspmx.l.google.com", "*.googlemail.com"}},
        {{"example-com.mail.protection.outlook.com"}, "Microsoft 365", {"*.mail.protection.outlook.com"}},
        {{"example-com.h-v1.mx.microsoft"},
         "Microsoft 365 (mx.microsoft)",
         {"example-com.h-v1.mx.microsoft"}},
        {{"route1.mx.cloudflare.net", "route2.mx.cloudflare.net"},
         "Cloudflare Email Routing",
         {"*.mx.cloudflare.net"}},
        {{"mail.protonmail.ch"}, "Proton Mail", {"mail.protonmail.ch", "mailsec.protonmail.ch"}},
        {{"mail.tutanota.de"}, "Tuta", {"mail.tutanota.de"}},
        {{"in1-smtp.messagingengine.com", "in2-smtp.messagingengine.com"},
         "Fastmail",
         {"in1-smtp.messagingengine.com", "in2-smtp.messagingengine.com"}},
        {{"mx1.example.com", "mx2.example.com"}, "", {"mx1.example.com", "mx2.example.com"}},
        {{"smtp.google.com", "mx1.example.com"},
         "",
         {"smtp.google.com", "aspmx.l.google.com", "*.aspmx.l.google.com", "mx1.example.com"}},
        {{"mail.protection.outlook.com.example.org"}, "", {"mail.protection.outlook.com.example.org"}},
    };
    for (const row& r : rows) {
        SCOPED_TRACE(r.hosts.front());
        const auto made = suggest(with_hosts(r.hosts), {});
        EXPECT_EQ(made.provider, r.provider);
        EXPECT_EQ(made.policy_value.mx, r.patterns);
        EXPECT_EQ(std::ranges::count(made.policy_value.mx, "*.mx.microsoft"), 0);
    }
}

TEST(suggest, an_update_takes_away_our_records_alone) {
    observation seen = healthy();
    seen.sts_txt.texts = {"v=spf1 -all", healthy_record};
    advise::suggestion_options options;
    options.id = "2";
    options.policy_host = "web.example.net";
    const auto made = suggest(seen, options);
    const std::string script = advise::dns_document(made, {.domain = "example.com", .zone = "example.com"},
                                                    advise::dns_format::nsupdate);
    EXPECT_NE(script.find("update delete _mta-sts.example.com. TXT \"" + healthy_record + "\"\n"),
              std::string::npos)
        << script;
    EXPECT_EQ(script.find("spf1"), std::string::npos) << "a foreign record stays";
    EXPECT_NE(script.find("update add _mta-sts.example.com. 300 TXT \"v=STSv1; id=2\"\n"), std::string::npos);
    EXPECT_NE(script.find("update delete mta-sts.example.com. A "), std::string::npos)
        << "an alias cannot stand beside an address";
}

TEST(suggest, whoever_enters_records_by_hand_hears_what_is_there_already) {
    observation seen = healthy();
    seen.sts_txt.texts = {"v=spf1 -all", healthy_record};
    advise::suggestion_options options;
    options.id = "2";
    options.policy_host = "web.example.net";
    const auto told = [](const advise::suggestion& made, int step) {
        const auto found = std::ranges::find(made.records, step, &advise::suggested_record::step);
        return advise::instead_words(*found);
    };
    const auto made = suggest(seen, options);
    EXPECT_EQ(told(made, 1), "") << "it is right already";
    EXPECT_THAT(told(made, 2),
                testing::StartsWith("It takes the place of what is there, which has to go: A "));
    EXPECT_EQ(told(made, 4), "Change the record that is there, and do not add a second one, since senders "
                             "count two as none: TXT " +
                                 healthy_record);

    seen.sts_txt.texts = {healthy_record, "v=STSv1; id=old"};
    EXPECT_EQ(told(suggest(seen, options), 4),
              "Leave only this one, since senders count several as none; there are now: TXT " +
                  healthy_record + " and TXT v=STSv1; id=old");
    seen.sts_txt.chain = {"_mta-sts.hoster.example"};
    EXPECT_EQ(told(suggest(seen, options), 4),
              "It takes the place of what is there, which has to go: CNAME _mta-sts.hoster.example");
    seen.sts_txt = txt(seen.sts_txt.name, {});
    EXPECT_EQ(told(suggest(seen, options), 4), "") << "nothing is there";

    // The words stand in the table for people and in the JSON.
    const advise::dns_place place{.domain = "example.com", .zone = "example.com"};
    const auto table = advise::dns_document(made, place, advise::dns_format::table, 400);
    EXPECT_THAT(table, testing::HasSubstr("     " + told(made, 2) + "\n"));
    EXPECT_THAT(table, testing::HasSubstr("     " + told(made, 4) + "\n"));
    const auto records = advise::suggestion_json(made).at("records").as_array();
    EXPECT_TRUE(records.at(0).at("replaces").as_array().empty());
    EXPECT_EQ(records.at(2).at("replaces").at(0).at("type").as_string(), "TXT");
    EXPECT_EQ(records.at(2).at("replaces").at(0).at("value").as_string(), healthy_record);
}

TEST(suggest, enforce_is_not_weakened_by_a_look_that_could_not_test) {
    observation seen = healthy();
    seen.smtp_tried = false;
    for (auto& host : seen.mx)
        host.probes.clear();
    const auto untested = suggest(seen, {});
    EXPECT_EQ(untested.policy_value.mode, sts::mode::enforce);
    EXPECT_TRUE(untested.policy_already_right);

    observation outside = seen; // a host that the policy does not admit: now the policy has to change
    outside.mx.push_back(mx_host("mx9.example.com", 30, "192.0.2.29"));
    outside.mx.back().probes.clear();
    set_mx(outside, outside.mx);
    EXPECT_EQ(suggest(outside, {}).policy_value.mode, sts::mode::testing)
        << "enforce is never suggested anew without a test";

    observation failing = healthy();
    failing.mx.front().probes.front().outcome = model::smtp_outcome::no_starttls;
    failing.mx.front().probes.front().tls = {};
    EXPECT_EQ(suggest(failing, {}).policy_value.mode, sts::mode::testing);
}

TEST(providers, what_is_suggested_has_no_finding_of_its_own) {
    for (const auto& provider : advise::mail_providers()) {
        SCOPED_TRACE(provider.name);
        std::string host(provider.hosts.front());
        if (host.starts_with('.'))
            host = "example-com" + host;
        observation seen = with_hosts({host});
        const auto made = suggest(seen, {});
        ASSERT_FALSE(made.policy.empty());
        observation published = healthy();
        set_mx(published, seen.mx);
        set_policy(published, made.policy);
        EXPECT_EQ(codes_of(published), codes{});
        EXPECT_EQ(advise::judge(published).verdict, advise::verdict::testing);
        EXPECT_TRUE(advise::judge(published).suggestion.policy_already_right);
    }
}

TEST(suggestion, first_steps_of_a_domain_without_anything) {
    PROVES("8461-10.2-a", "G0-14", "G0-16", "G1-10", "G2-9", "G2-16", "G2-29", "G3-12", "G3-39", "G3-40",
           "G3-43", "G3-47");
    observation seen = without_sts();
    seen.tlsrpt_txt = txt("_smtp._tls.example.com", {});
    const auto made = suggest(seen, {});
    EXPECT_EQ(made.policy, "version: STSv1\r\nmode: testing\r\nmx: mx1.example.com\r\nmx: mx2.example.com\r\n"
                           "max_age: 604800\r\n");
    EXPECT_EQ(made.needs, list{"YOUR-POLICY-HOST"});
    ASSERT_EQ(made.records.size(), 3U);
    struct row {
        int step;
        std::string name, type, value;
        std::uint32_t ttl;
    };
    const row rows[] = {
        {1, "_smtp._tls.example.com", "TXT", "v=TLSRPTv1; rua=mailto:tls-report@example.com", 3600},
        {2, "mta-sts.example.com", "CNAME", "YOUR-POLICY-HOST", 300},
        {4, "_mta-sts.example.com", "TXT", "v=STSv1; id=20260102030405", 300},
    };
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(made.records[i].step, rows[i].step);
        EXPECT_EQ(made.records[i].name, rows[i].name);
        EXPECT_EQ(made.records[i].type, rows[i].type);
        EXPECT_EQ(made.records[i].value, rows[i].value);
        EXPECT_EQ(made.records[i].ttl, rows[i].ttl);
        EXPECT_FALSE(made.records[i].already_right);
    }
    EXPECT_NE(made.records[0].why.find("create the mailbox tls-report@example.com first"), std::string::npos);
}

TEST(suggestion, what_is_right_stays_and_keeps_its_id) {
    const auto made = suggest(healthy(), {});
    EXPECT_TRUE(made.policy_already_right);
    EXPECT_EQ(made.policy, healthy_policy);
    EXPECT_TRUE(made.needs.empty());
    for (const auto& record : made.records)
        EXPECT_TRUE(record.already_right) << record.name;
    EXPECT_EQ(made.records.back().value, healthy_record);
}

TEST(suggestion, a_changed_policy_has_a_new_id) {
    PROVES("8461-3.1-e", "G2-27", "G3-46");
    observation seen = healthy();
    set_mx(seen, {mx_host("mx3.example.com", 10, "192.0.2.25")});
    const auto made = suggest(seen, {});
    EXPECT_FALSE(made.policy_already_right);
    EXPECT_EQ(made.policy_value.mx, list{"mx3.example.com"});
    EXPECT_EQ(made.records.back().value, "v=STSv1; id=20260102030405");
    seen.sts_txt.texts = {"v=STSv1; id=20260102030405"};
    EXPECT_NE(suggest(seen, {}).records.back().value, "v=STSv1; id=20260102030405") << "an id is used once";
}

TEST(suggestion, enforce_only_where_every_criterion_is_a_pass) {
    const auto mode = [](std::function<void(observation&)> change,
                         std::optional<sts::mode> wanted = sts::mode::enforce) {
        observation seen = healthy();
        change(seen);
        return suggest(seen, {.mode = wanted}).policy_value.mode;
    };
    using enum model::cert_fault;
    EXPECT_EQ(mode([](observation&) {}), sts::mode::enforce);
    EXPECT_EQ(mode([](observation&) {}, std::nullopt), sts::mode::enforce) << "what is enforced stays so";
    for (const auto fault : {expired, not_yet_valid, name_mismatch, self_signed, chain_incomplete, untrusted})
        EXPECT_EQ(mode([&](observation& o) { o.mx.at(1).probes.front().tls.faults = {fault}; }),
                  sts::mode::testing)
            << model::to_string(fault);
    EXPECT_EQ(mode([](observation& o) { o.mx.at(1).probes.clear(); }), sts::mode::testing)
        << "not tested is no pass";
    EXPECT_EQ(mode([](observation& o) { o.mx_not_looked_at = 1; }), sts::mode::testing);
    EXPECT_EQ(
        mode([](observation& o) { o.mx.at(0).probes.front().outcome = model::smtp_outcome::no_starttls; },
             std::nullopt),
        sts::mode::testing);
}

TEST(suggestion, max_age_grows) {
    PROVES("G1-36", "G3-28");
    const auto age = [](const std::string& mode, std::uint64_t now, std::optional<sts::mode> wanted) {
        observation seen = healthy();
        set_policy(seen, "version: STSv1\r\nmode: " + mode +
                             "\r\nmx: mx1.example.com\r\nmx: mx2.example.com\r\nmax_age: " +
                             std::to_string(now) + "\r\n");
        return suggest(seen, {.mode = wanted}).policy_value.max_age;
    };
    EXPECT_EQ(age("testing", 86'400, {}), 604'800U);
    EXPECT_EQ(age("testing", 1'000'000, {}), 1'000'000U);
    EXPECT_EQ(age("testing", 31'557'600, {}), 604'800U);
    EXPECT_EQ(age("testing", 604'800, sts::mode::enforce), 604'800U) << "enforce begins with a week";
    EXPECT_EQ(age("enforce", 86'400, {}), 604'800U);
    EXPECT_EQ(age("enforce", 604'800, {}), 1'209'600U);
    EXPECT_EQ(age("enforce", 31'557'600, {}), 31'557'600U);
}

TEST(suggestion, switching_off) {
    PROVES("G1-26", "G3-53", "G3-54", "G3-55", "G3-56");
    const auto none = suggest(healthy(), {.mode = sts::mode::none});
    EXPECT_EQ(none.policy, "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n");
    const auto kept = suggest(healthy(), {.mode = sts::mode::none, .keep_mx = true});
    EXPECT_EQ(
        kept.policy,
        "version: STSv1\r\nmode: none\r\nmx: mx1.example.com\r\nmx: mx2.example.com\r\nmax_age: 86400\r\n");
    EXPECT_EQ(none.records.back().value, "v=STSv1; id=20260102030405") << "the id changes with the mode";
    observation retired = healthy();
    set_policy(retired, none.policy);
    EXPECT_TRUE(suggest(retired, {}).policy_already_right)
        << "a domain that is being retired is left in peace";
}

TEST(suggestion, follows_its_options) {
    PROVES("G2-8", "G3-31", "G3-41", "G3-42");
    const auto rua = tlsrpt::understand_rua("a@example.com");
    const auto second = tlsrpt::understand_rua("https://reports.example.net/v1");
    ASSERT_TRUE(rua && second);
    const auto made = suggest(without_sts(), {.max_age = 1'209'600,
                                              .mx = {"MX.Example.NET", "*.example.net"},
                                              .rua = {*rua, *second},
                                              .policy_host = "192.0.2.7",
                                              .id = "abc"});
    EXPECT_EQ(made.policy, "version: STSv1\r\nmode: testing\r\nmx: mx.example.net\r\nmx: *.example.net\r\n"
                           "max_age: 1209600\r\n");
    EXPECT_EQ(made.records.at(0).value,
              "v=TLSRPTv1; rua=mailto:a@example.com,https://reports.example.net/v1");
    EXPECT_EQ(made.records.at(1).type, "A");
    EXPECT_EQ(made.records.at(1).value, "192.0.2.7");
    EXPECT_EQ(made.records.at(2).value, "v=STSv1; id=abc");
    EXPECT_TRUE(made.needs.empty());
    EXPECT_EQ(suggest(without_sts(), {.policy_host = "2001:db8::7"}).records.at(1).type, "AAAA");
    EXPECT_EQ(suggest(without_sts(), {.policy_host = "Web.Example.NET"}).records.at(1).value,
              "web.example.net");
}

TEST(suggestion, several_providers_and_special_ones) {
    const auto mixed = suggest(with_hosts({"smtp.google.com", "mx.zoho.com"}), {});
    EXPECT_EQ(mixed.provider, "");
    EXPECT_NE(mixed.remarks.back().find("Google Workspace and Zoho Mail"), std::string::npos);
    const auto tuta = suggest(with_hosts({"mail.tutanota.de"}), {});
    EXPECT_EQ(tuta.records.at(1).value, "mta-sts.tutanota.com");
    EXPECT_EQ(tuta.records.at(2).type, "CNAME");
    EXPECT_TRUE(tuta.needs.empty());
    EXPECT_EQ(suggest(with_hosts({"route1.mx.cloudflare.net"}), {}).policy_value.max_age, 86'400U);
}

TEST(suggestion, without_mail_servers) {
    observation null = without_sts();
    set_mx(null, {});
    null.null_mx = true;
    EXPECT_TRUE(suggest(null, {}).records.empty());
    observation unknown = without_sts();
    set_mx(unknown, {});
    unknown.mx_set.status = model::dns_status::servfail;
    const auto made = suggest(unknown, {});
    EXPECT_NE(made.policy.find("mx: YOUR-MX-HOST\r\n"), std::string::npos);
    EXPECT_EQ(std::ranges::count(made.needs, "YOUR-MX-HOST"), 1);
}

TEST(suggestion, what_dns_did_not_say_is_not_replaced) {
    model::observation silent = without_sts();
    silent.sts_txt.status = silent.tlsrpt_txt.status = silent.mx_set.status = model::dns_status::timeout;
    silent.tlsrpt_txt.texts.clear();
    set_mx(silent, {});
    silent.mx_set.status = model::dns_status::timeout;
    EXPECT_TRUE(suggest(silent, {}).records.empty());
    EXPECT_EQ(suggest(silent, {.mx = {"mx.example.net"}}).policy_value.mx, list{"mx.example.net"});
    model::observation half = without_sts();
    half.tlsrpt_txt = answer<model::txt_fact>("_smtp._tls.example.com", "TXT", model::dns_status::servfail);
    EXPECT_EQ(suggest(half, {}).records.front().step, 2);
}

TEST(suggestion, a_wildcard_address_is_no_policy_host) {
    observation seen = without_sts();
    seen.policy_host = addresses("mta-sts.example.com", {"192.0.2.80"});
    seen.policy_host_sibling = addresses("x7f3k.example.com", {"192.0.2.80"});
    EXPECT_EQ(suggest(seen, {}).records.at(1).value, "YOUR-POLICY-HOST");
    seen.policy_host = addresses("mta-sts.example.com", {"192.0.2.80", "192.0.2.81"});
    seen.policy_host_sibling = addresses("x7f3k.example.com", {"192.0.2.81", "192.0.2.80"});
    EXPECT_EQ(suggest(seen, {}).records.at(1).value, "YOUR-POLICY-HOST") << "servers give them in any order";
    seen.policy_host_sibling = addresses("x7f3k.example.com", {});
    EXPECT_TRUE(suggest(seen, {}).records.at(1).already_right);
}

} // namespace
} // namespace mailtight::tests
