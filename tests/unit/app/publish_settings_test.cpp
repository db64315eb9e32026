// SPDX-License-Identifier: Apache-2.0
// The sections of the publisher: what is configured is understood at the start, and what is wrong names its
// key and what it takes.
#include "app/publish_settings.h"
#include "store/domains.h"
#include "support/scratch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace mailtight::tests {
namespace {

using testing::HasSubstr;

std::string key_file(const std::filesystem::path& folder, const std::string& text, bool secret = true) {
    const auto file = folder / "tsig.key";
    std::ofstream(file) << text;
    using std::filesystem::perms;
    std::filesystem::permissions(file, secret ? perms::owner_read | perms::owner_write
                                              : perms::owner_read | perms::others_read);
    return file.string();
}

TEST(publish_settings, what_is_configured_is_understood) {
    const scratch_folder folder;
    app::settings from;
    from.policy_host_name = "MTA-STS.Example.net";
    from.policy_host_addresses = {"192.0.2.1", "2001:db8::1"};
    from.publish_rua = {"tls@example.net"};
    from.leave_to_us = "all";
    from.update_servers = {"knot 192.0.2.53 zone=example.com key=" +
                           key_file(folder.path(), "name:hmac-sha256:c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0\n")};
    from.zone_transfer = {"knot"};
    from.acme_contact = {"hostmaster@example.net"};
    from.acme_challenges = {"dns-01", "http-01"};
    const auto made = app::publish_settings_of(from);
    ASSERT_TRUE(made.has_value()) << made.error();
    EXPECT_EQ(made->policy_host, "mta-sts.example.net");
    EXPECT_EQ(made->addresses.size(), 2u);
    EXPECT_THAT(made->rua, testing::ElementsAre("mailto:tls@example.net"));
    EXPECT_EQ(made->leave, model::leave::all);
    ASSERT_EQ(made->servers.size(), 1u);
    EXPECT_EQ(made->servers[0].address.to_string(), "192.0.2.53:53");
    EXPECT_EQ(made->servers[0].zone, "example.com");
    ASSERT_TRUE(made->servers[0].key);
    EXPECT_EQ(made->servers[0].key->secret, "secretsecretsecretsecret");
    EXPECT_EQ(made->server(""), made->server("knot"));
    EXPECT_EQ(made->server("bind"), nullptr);
    EXPECT_THAT(made->transfer_from, testing::ElementsAre("knot"));
    EXPECT_THAT(made->issuing.contacts, testing::ElementsAre("mailto:hostmaster@example.net"));
    EXPECT_EQ(made->issuing.order.front(), publish::challenge_kind::dns_01);
}

TEST(publish_settings, what_is_wrong_names_its_key) {
    const scratch_folder folder;
    const auto open = key_file(folder.path(), "a:hmac-sha256:c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", false);
    struct bad {
        std::function<void(app::settings&)> set;
        const char* says;
    };
    const bad rows[] = {
        {[](app::settings& s) { s.policy_host_name = "localhost"; }, "publish.policy-host"},
        {[](app::settings& s) { s.policy_host_addresses = {"host.example"}; }, "publish.addresses"},
        {[](app::settings& s) { s.publish_rua = {"ftp://example.com"}; }, "publish.rua"},
        {[](app::settings& s) { s.update_servers = {"knot"}; }, "NAME ADDRESS[:PORT]"},
        {[](app::settings& s) { s.update_servers = {"knot host.example"}; }, "dns-update.servers"},
        {[](app::settings& s) { s.update_servers = {"knot 192.0.2.1 tsig=x"}; }, "neither zone=ZONE"},
        {[](app::settings& s) { s.update_servers = {"knot 192.0.2.1 key=n:hmac-sha256:c2VjcmV0"}; },
         "not the key"},
        {[](app::settings& s) { s.update_servers = {"knot n:hmac-sha256:c2VjcmV0"}; }, "no address"},
        {[](app::settings& s) { s.update_servers = {"knot 192.0.2.1 secret=c2VjcmV0"}; }, "word 3"},
        {[](app::settings& s) { s.update_servers = {"a 192.0.2.1", "a 192.0.2.2"}; }, "two have the name"},
        {[&](app::settings& s) { s.update_servers = {"knot 192.0.2.1 key=" + open}; }, "read by everybody"},
        {[](app::settings& s) { s.update_servers = {"knot 192.0.2.1 key=/nowhere/at/all"}; }, "/nowhere"},
        {[](app::settings& s) { s.acme_directory = "letsencrypt"; }, "certificates.directory"},
        {[](app::settings& s) { s.acme_contact = {"me"}; }, "certificates.contact"},
        {[](app::settings& s) { s.acme_challenges = {"tls-sni-01"}; }, "certificates.challenges"},
        {[](app::settings& s) { s.acme_eab_id = "id"; }, "go together"},
        {[](app::settings& s) { s.sub_domains = {"-"}; }, "watch.sub-domains"},
        {[](app::settings& s) { s.zone_transfer = {"bind"}; }, "watch.zone-transfer"},
        {[](app::settings& s) { s.watch_cheap = std::chrono::seconds(1); }, "watch.cheap"},
    };
    for (const auto& row : rows) {
        app::settings from;
        row.set(from);
        const auto made = app::publish_settings_of(from);
        ASSERT_FALSE(made.has_value()) << row.says;
        EXPECT_THAT(made.error(), HasSubstr(row.says));
        EXPECT_THAT(made.error(), testing::Not(HasSubstr("c2VjcmV0"))) << "no secret in an error";
    }
}

TEST(publish_settings, the_sealing_key_is_made_once_for_its_owner_alone) {
    const scratch_folder folder;
    app::settings from;
    from.sealing_key_file = (folder.path() / "sub/sealing.key").string();
    EXPECT_FALSE(app::sealing_key_of(from, false).has_value()) << "only serve makes it";
    bool made = false;
    const auto first = app::sealing_key_of(from, true, &made);
    ASSERT_TRUE(first.has_value()) << first.error();
    EXPECT_TRUE(made);
    EXPECT_EQ(std::filesystem::status(from.sealing_key_file).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    made = false;
    const auto again = app::sealing_key_of(from, true, &made);
    ASSERT_TRUE(again.has_value());
    EXPECT_FALSE(made);
    EXPECT_EQ(again->open("a", first->seal("a", "secret")), "secret");
}

TEST(publish_settings, a_lost_sealing_key_is_not_replaced_while_something_is_sealed_with_it) {
    const scratch_folder folder;
    app::settings from;
    from.store_where = (folder.path() / "store.db").string();
    const auto file = folder.path() / "sealing.key";
    std::string id;
    {
        auto kept = store::open_domains({.where = from.store_where});
        ASSERT_TRUE(kept) << kept.error().message;
        const auto key = app::sealing_key_of(from, true);
        ASSERT_TRUE(key) << key.error() << ": an empty store asks for none";
        id = key->id();
        const auto account = key->seal("acme/account", "secret");
        EXPECT_EQ(base::sealing_key::id_of(account), id);
        ASSERT_TRUE((*kept)->put_secret("acme/account", account));
    }
    EXPECT_TRUE(app::sealing_key_of(from, true)) << "it is there";
    std::filesystem::rename(file, folder.path() / "elsewhere.key");
    for (const bool certificate : {false, true}) {
        const auto refused = app::sealing_key_of(from, true);
        ASSERT_FALSE(refused);
        EXPECT_THAT(refused.error(), HasSubstr("the key " + id));
        EXPECT_THAT(refused.error(), HasSubstr("publish.key-file"));
        EXPECT_FALSE(std::filesystem::exists(file)) << "no new one was made";
        auto kept = store::open_domains({.where = from.store_where});
        if (certificate) {
            ASSERT_TRUE((*kept)->remove_certificate("mta-sts.example.com"));
            continue;
        }
        ASSERT_TRUE((*kept)->put_secret("acme/account", ""));
        const auto held = (*kept)->take_lease("certificate/example.com", "this", std::chrono::seconds(60));
        const auto key = base::sealing_key::load((folder.path() / "elsewhere.key").string());
        ASSERT_TRUE(key && held && *held);
        ASSERT_TRUE((*kept)
                        ->save_certificate({.name = "mta-sts.example.com",
                                            .chain = "chain",
                                            .sealed_key = key->seal("certificate/mta-sts.example.com", "key"),
                                            .not_before = {},
                                            .not_after = base::utc_seconds(std::chrono::days(1)),
                                            .renew_at = {},
                                            .issuer = "folder"},
                                           (*held)->fence)
                        .value());
    }
    EXPECT_TRUE(app::sealing_key_of(from, true)) << "nothing is sealed any more";
    EXPECT_TRUE(std::filesystem::exists(file));
}

TEST(publish_settings, a_machine_carries_out_where_it_serves_unless_told_otherwise) {
    app::settings from;
    EXPECT_TRUE(app::carries_out(from)) << "pages, and a database of its own: nobody else would";
    from.store_where = "postgresql://db.example/mailtight";
    EXPECT_FALSE(app::carries_out(from)) << "of several machines one is told to";
    from.store_where.clear();
    from.web_listen.clear();
    EXPECT_FALSE(app::carries_out(from)) << "neither policies nor pages";
    from.carry_out = "yes";
    EXPECT_TRUE(app::carries_out(from)) << "policies that are hosted elsewhere";
    from.carry_out = "automatic";
    from.publish_plain_listen = {"127.0.0.1:8080"};
    EXPECT_TRUE(app::hosts_policies(from));
    EXPECT_TRUE(app::carries_out(from));
    from.carry_out = "no";
    EXPECT_FALSE(app::carries_out(from));
}

} // namespace
} // namespace mailtight::tests
