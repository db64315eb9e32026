// SPDX-License-Identifier: Apache-2.0
// [collect] and [deliver] from the settings.
#include "app/reporting.h"
#include "support/proves.h"
#include "support/scratch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailtight::app {
namespace {

using testing::HasSubstr;

TEST(reporting, the_contact_says_who_reports) {
    settings set;
    set.reporter_contact = "TLS-Reports@Example.ORG";
    const auto who = reporter_of(set);
    ASSERT_TRUE(who) << who.error();
    EXPECT_EQ(who->contact, "TLS-Reports@example.org") << "the local part is its owner's";
    EXPECT_EQ(who->submitter(), "example.org");
    EXPECT_EQ(who->organization, "example.org") << "where nothing else is said";
    set.reporter_contact = "reports@bücher.example";
    EXPECT_EQ(reporter_of(set)->submitter(), "xn--bcher-kva.example");
    struct bad {
        const char *text, *why;
    };
    for (const bad& b :
         {bad{"", "empty"}, bad{"example.org", "no local part"}, bad{"a@", "no domain"},
          bad{"@example.org", ""}, bad{"a@localhost", "no dot: nobody can reach it"},
          bad{"a b@example.org", "a blank"}, bad{"a\r\nBcc: x@example.org", "a line end"},
          bad{"Ann <a@example.org>", "a name with it"}, bad{".a@example.org", "a dot at the begin"},
          bad{"a..b@example.org", "two dots"}, bad{"a@exa mple.org", "a blank in the domain"}}) {
        set.reporter_contact = b.text;
        const auto refused = reporter_of(set);
        ASSERT_FALSE(refused) << b.text << ": " << b.why;
        EXPECT_THAT(refused.error(), HasSubstr("deliver.contact"));
    }
}

TEST(reporting, permissions_are_octal) {
    EXPECT_EQ(parse_permissions("0622"), 0622u);
    EXPECT_EQ(parse_permissions("666"), 0666u);
    for (const char* bad : {"", "0888", "rw", "01777", "0x1ff", "-1", "06 2", "00622"})
        EXPECT_FALSE(parse_permissions(bad)) << bad;
}

TEST(reporting, without_a_key_no_mail_goes_out_unless_somebody_else_signs) {
    PROVES("8460-3-j");
    const tests::scratch_folder folder;
    settings set;
    set.store_where = folder / "mailtight.db";
    set.reporter_contact = "reports@example.org";
    auto options = sender_options_of(set);
    ASSERT_TRUE(options) << options.error();
    EXPECT_TRUE(options->keys->signers.empty());
    const auto why = why_no_mail(set, *options->keys);
    EXPECT_THAT(why, HasSubstr("report keys make"));

    auto with = world::make(set, {});
    ASSERT_TRUE(with) << with.error();
    auto out = ways_out_of(**with, set, [why] { return why; });
    ASSERT_TRUE(out) << out.error();
    const auto sent = (*with)->loop.block_on(
        out->mail({.sender = "reports@example.org", .recipients = {"a@example.com"}, .message = "x"},
                  model::address_family::any));
    EXPECT_FALSE(sent.outcome.accepted);
    EXPECT_EQ(sent.outcome.text, why) << "nobody was connected to";
    EXPECT_EQ(sent.server, "");

    set.require_dkim = false;
    EXPECT_EQ(why_no_mail(set, *options->keys), "");
    ASSERT_TRUE(deliver::make_keys(dkim_folder_of(set), "example.org", "tlsrpt"));
    set.require_dkim = true;
    options = sender_options_of(set);
    ASSERT_TRUE(options) << options.error();
    EXPECT_EQ(options->keys->signers.size(), 2u);
    EXPECT_EQ(why_no_mail(set, *options->keys), "");
}

TEST(reporting, keys_live_beside_the_database) {
    settings set;
    set.store_where = "/srv/mail/mailtight.db";
    EXPECT_EQ(dkim_folder_of(set), "/srv/mail/dkim");
    set.dkim_folder = "/etc/dkim";
    EXPECT_EQ(dkim_folder_of(set), "/etc/dkim");
    set.dkim_folder.clear();
    set.store_where = "postgresql://mailtight@db/mailtight";
    EXPECT_TRUE(dkim_folder_of(set).ends_with("/dkim"));
    EXPECT_EQ(dkim_folder_of(set).find("postgresql"), std::string::npos);
}

TEST(reporting, the_settings_reach_the_sender_and_the_collector) {
    settings set;
    set.reporter_contact = "reports@example.org";
    set.reporter_organization = "Example Ltd";
    set.require_dkim = set.success_only = set.deliver_https = set.sending_address = false;
    set.deliver_to = "first";
    set.minimum_sessions = 5;
    set.per_address = 3;
    set.own_domains = {"Example.ORG"};
    set.report_to_self = false;
    set.keep_results = 0;
    set.report_spread = std::chrono::hours(1);
    set.faults_per_policy = 7;
    const auto options = sender_options_of(set);
    ASSERT_TRUE(options) << options.error();
    EXPECT_EQ(options->who.organization, "Example Ltd");
    EXPECT_FALSE(options->who.sending_address);
    EXPECT_TRUE(options->first_that_works);
    EXPECT_FALSE(options->rails.success_only);
    EXPECT_FALSE(options->rails.https);
    EXPECT_FALSE(options->rails.to_self);
    EXPECT_EQ(options->rails.minimum_sessions, 5u);
    EXPECT_EQ(options->rails.per_address, 3u);
    EXPECT_THAT(options->rails.own_domains, testing::ElementsAre("example.org"));
    EXPECT_GE(options->keep, std::chrono::days(2)) << "a report is tried for a day";
    const auto counting = collector_options_of(set);
    EXPECT_EQ(counting.due_spread, std::chrono::hours(1));
    EXPECT_EQ(counting.counting.faults_per_policy, 7u);
}

} // namespace
} // namespace mailtight::app
