// SPDX-License-Identifier: Apache-2.0
// What the settings of [resolve] mean for the service, and what of them is refused.
#include "app/sending.h"

#include "app/local_sending.h"
#include "store/policies.h"
#include "support/policies.h"
#include "support/scratch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <span>

namespace mailtight::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(sending_settings, the_defaults_are_those_of_the_service) {
    const resolve::service_options built_in;
    const auto made = service_options_of({});
    ASSERT_TRUE(made);
    EXPECT_EQ(made->budget, built_in.budget);
    EXPECT_EQ(made->domains, built_in.domains);
    EXPECT_EQ(made->bytes, built_in.bytes);
    EXPECT_EQ(made->fetches, built_in.fetches);
    EXPECT_EQ(made->refreshes_a_second, built_in.refreshes_a_second);
    EXPECT_EQ(made->deciding.defer_on_dns_error, built_in.deciding.defer_on_dns_error);
    EXPECT_EQ(made->looking.half_dane, built_in.looking.half_dane);
}

TEST(sending_settings, every_key_reaches_the_service) {
    settings set;
    set.answer_budget = std::chrono::seconds(3);
    set.on_dns_error = "defer";
    set.half_dane = true;
    set.cache_domains = 7;
    set.cache_memory = 2;
    set.policy_fetches = 3;
    set.policy_refreshes = 4;
    set.prefetch = {"Example.COM."};
    const auto made = service_options_of(set);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->budget, std::chrono::seconds(3));
    EXPECT_TRUE(made->deciding.defer_on_dns_error);
    EXPECT_TRUE(made->looking.half_dane);
    EXPECT_EQ(made->domains, 7u);
    EXPECT_EQ(made->bytes, 2u << 20);
    EXPECT_EQ(made->fetches, 3u);
    EXPECT_EQ(made->refreshes_a_second, 4u);
    EXPECT_THAT(made->prefetch, ElementsAre("example.com"));
}

TEST(sending_settings, the_mail_server_does_dane_where_it_says_so_or_is_said_to) {
    const std::string with = "smtp_dns_support_level = dnssec\n";
    struct row {
        const char* set;
        std::string main_cf;
        bool dane;
    };
    for (const row& r :
         {row{"auto", with, true}, row{"auto", "", false}, row{"auto", "smtp_dns_support_level =\n", false},
          row{"auto", "#" + with, false}, row{"yes", "", true}, row{"no", with, false}}) {
        settings set;
        set.mta_dane = r.set;
        EXPECT_EQ(front_options_of(set, r.main_cf)->replies.mta_has_dane, r.dane)
            << r.set << " " << r.main_cf;
    }
}

TEST(sending_settings, map_names_of_older_services_are_given_a_dialect) {
    settings set;
    set.map_names = {"default=postfix", "zone2 = postfix-3.10"};
    set.tcp_table_dialect = "postfix-legacy";
    const auto made = front_options_of(set, "");
    ASSERT_TRUE(made);
    EXPECT_EQ(made->aliases.at("default"), resolve::dialect::postfix);
    EXPECT_EQ(made->aliases.at("zone2"), resolve::dialect::postfix_3_10);
    EXPECT_EQ(made->tcp_table, resolve::dialect::postfix_legacy);
    for (const char* bad : {"default", "=postfix", "default=latin", ""}) {
        set.map_names = {bad};
        EXPECT_FALSE(front_options_of(set, "")) << bad;
    }
}

TEST(sending_settings, the_prefetch_file_is_read_and_its_bad_line_is_named) {
    const tests::scratch_folder folder;
    const std::string file = folder / "prefetch";
    settings set;
    set.prefetch = {"a.example"};
    set.prefetch_file = file;
    std::ofstream(file) << "# ours\nb.example\n\n  c.example # with a comment\n";
    const auto good = prefetch_list(set);
    ASSERT_TRUE(good);
    EXPECT_THAT(*good, ElementsAre("a.example", "b.example", "c.example"));
    std::ofstream(file) << "b.example\nnot a domain\n";
    const auto bad = prefetch_list(set);
    ASSERT_FALSE(bad);
    EXPECT_THAT(bad.error(), HasSubstr("line 2"));
    set.prefetch_file = folder / "none";
    EXPECT_FALSE(prefetch_list(set));
    set.prefetch_file = file;
    std::ofstream(file) << "b.example\n";
    std::filesystem::resize_file(file, 64 * 1024 * 1024 + 1);
    const auto half = prefetch_list(set);
    ASSERT_FALSE(half) << "the beginning of a list is not the list";
    EXPECT_THAT(half.error(), HasSubstr("longer than 64 MB"));
}

TEST(sending_from_here, a_command_without_a_daemon_knows_what_is_kept) {
    const tests::scratch_folder folder;
    settings set;
    set.store_where = folder / "store.db";
    set.dns_servers = {"127.0.0.1:1"}; // nobody listens there
    set.dns_timeout = std::chrono::milliseconds(100);
    const base::system_clock clock;
    auto kept = tests::held_policy("shop.example", 0);
    kept.state.held->fetched_at = kept.state.record_at = kept.used_at = clock.now() - std::chrono::hours(1);
    kept.state.refresh_at = clock.now() + std::chrono::hours(20);
    auto to = store::open_policies({.where = set.store_where});
    ASSERT_TRUE(to);
    ASSERT_TRUE((*to)->put(std::span(&kept, 1)));
    std::vector<std::string> notes;
    auto here = local_sending::make(set, "shop.example", notes);
    ASSERT_TRUE(here) << here.error();
    EXPECT_THAT(notes, testing::IsEmpty());
    const auto said = (*here)->decide("shop.example", false);
    EXPECT_EQ(said->what, resolve::decision::enforce) << said->reason;
    ASSERT_TRUE((*here)->kept("shop.example"));
    EXPECT_EQ((*here)->kept("shop.example")->state.held->fetched_at, kept.state.held->fetched_at);
}

} // namespace
} // namespace mailtight::app
