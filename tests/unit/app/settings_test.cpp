// SPDX-License-Identifier: Apache-2.0
#include "app/settings.h"
#include "app/world.h"
#include "support/scratch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

using namespace mailtight;
using namespace mailtight::app;
using namespace std::chrono_literals;
using testing::HasSubstr;

namespace {

TEST(Settings, DurationsAreReadWithAndWithoutUnit) {
    EXPECT_EQ(parse_duration("5"), 5000ms);
    EXPECT_EQ(parse_duration("5s"), 5000ms);
    EXPECT_EQ(parse_duration("1500ms"), 1500ms);
    EXPECT_EQ(parse_duration("2m"), 120'000ms);
    EXPECT_EQ(parse_duration("24h"), 86'400'000ms);
    for (const char* bad : {"", "s", "-1", "1.5s", "5 s", "5x", "25h", "99999999999999999999"})
        EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Settings, TheExampleFileIsValidAndHoldsTheDefaults) {
    std::string uncommented;
    const std::string example = example_settings();
    std::size_t keys = 0;
    for (std::size_t begin = 0; begin < example.size();) {
        const auto end = example.find('\n', begin);
        std::string line = example.substr(begin, end - begin);
        begin = end + 1;
        for (const auto& key : setting_keys())
            if (line.starts_with("# " + std::string(key.name) + " = ")) {
                line.erase(0, 2);
                ++keys;
                break;
            }
        uncommented += line + "\n";
    }
    EXPECT_EQ(keys, setting_keys().size()) << "every key stands in the example";
    auto parsed = parse_settings(uncommented, "example");
    ASSERT_TRUE(parsed) << parsed.error();
    const settings defaults;
    EXPECT_EQ(parsed->dns_timeout, defaults.dns_timeout);
    EXPECT_EQ(parsed->dns_mode, defaults.dns_mode);
    EXPECT_EQ(parsed->dns_port, defaults.dns_port);
    EXPECT_EQ(parsed->connect_timeout, defaults.connect_timeout);
    EXPECT_EQ(parsed->smtp_timeout, defaults.smtp_timeout);
    EXPECT_EQ(parsed->https_timeout, defaults.https_timeout);
    EXPECT_EQ(parsed->smtp_port, defaults.smtp_port);
    EXPECT_EQ(parsed->https_port, defaults.https_port);
    EXPECT_EQ(parsed->smtp_control, defaults.smtp_control);
    EXPECT_EQ(parsed->scan_in_flight, defaults.scan_in_flight);
    EXPECT_EQ(parsed->smtp_connections, defaults.smtp_connections);
    EXPECT_EQ(parsed->connections_per_host, defaults.connections_per_host);
    for (const auto& key : setting_keys())
        std::visit(
            [&](auto field) {
                EXPECT_EQ((*parsed).*field, defaults.*field) << key.section << "." << key.name;
            },
            key.field);
}

TEST(Settings, EverySectionStandsOnceAndEveryKeyHasAFieldOfItsOwn) {
    std::vector<std::string_view> sections;
    for (const auto& key : setting_keys())
        if (sections.empty() || sections.back() != key.section)
            sections.push_back(key.section);
    EXPECT_EQ(std::set(sections.begin(), sections.end()).size(), sections.size());
    for (const auto& one : setting_keys())
        for (const auto& other : setting_keys())
            EXPECT_TRUE(&one == &other || one.field != other.field) << one.name << " and " << other.name;
}

TEST(Settings, AnUnderscoreIsAHyphen) {
    auto parsed = parse_settings("[reports]\ncount_unverified = true\ndkim_keys-file = 'keys'\n", "t");
    ASSERT_TRUE(parsed) << parsed.error();
    EXPECT_TRUE(parsed->count_unverified);
    EXPECT_EQ(parsed->dkim_keys_file, "keys");
}

TEST(Settings, EveryKeyIsTaken) {
    auto parsed = parse_settings(
        "[dns]\nservers = ['127.0.0.53:53']\nmode = 'recursive'\ntimeout = 3\n"
        "[network]\nallow-net = ['127.0.0.0/8']\nsmtp-port = 2525\nconnect-timeout = '1500ms'\n"
        "[scan]\nin-flight = 17\n",
        "t");
    ASSERT_TRUE(parsed) << parsed.error();
    EXPECT_EQ(parsed->dns_servers, (std::vector<std::string>{"127.0.0.53:53"}));
    EXPECT_EQ(parsed->dns_mode, "recursive");
    EXPECT_EQ(parsed->dns_timeout, 3000ms);
    EXPECT_EQ(parsed->allow_net, (std::vector<std::string>{"127.0.0.0/8"}));
    EXPECT_EQ(parsed->smtp_port, 2525);
    EXPECT_EQ(parsed->connect_timeout, 1500ms);
    EXPECT_EQ(parsed->scan_in_flight, 17u);
}

TEST(Settings, ErrorsNameFileLineAndTheNearestKey) {
    struct row {
        const char* text;
        const char* says;
    };
    const row rows[] = {
        {"[dns]\nserver = []\n", "line 2: unknown key server; did you mean servers?"},
        {"[netwrok]\n", "unknown key netwrok; did you mean network?"},
        {"[dns]\nzzzzzzzz = 1\n", "unknown key zzzzzzzz"},
        {"[dns]\ntimeout = 'soon'\n", "dns.timeout takes a duration"},
        {"[dns]\nservers = '127.0.0.1'\n", "dns.servers takes a list"},
        {"[network]\nsmtp-port = 70000\n", "network.smtp-port takes a port"},
        {"[network]\nsmtp-port = 'smtp'\n", "network.smtp-port takes a port"},
        {"[scan]\nin-flight = -1\n", "scan.in-flight takes a number"},
        {"[dns\n", "line 1"},
        {"[reports]\ncount-unverified = 'yes'\n", "reports.count-unverified takes true or false"},
        {"[reports]\ndomain = []\n", "did you mean domains?"},
        {"[log]\nlevel = 'loud'\n", "log.level takes one of debug, info, warning, error"},
        {"[alarms]\ndigest = 'daily'\n", "alarms.digest takes one of off, monday"},
        {"[store]\nkeep-bodies = '90 days'\n", "store.keep-bodies takes a number"},
    };
    for (const auto& row : rows) {
        auto parsed = parse_settings(row.text, "mailtight.toml");
        ASSERT_FALSE(parsed) << row.text;
        EXPECT_THAT(parsed.error(), HasSubstr(row.says));
        EXPECT_THAT(parsed.error(), HasSubstr("mailtight.toml"));
    }
}

TEST(Settings, AFileThatCannotBeReadIsAnErrorWithItsName) {
    const tests::scratch_folder folder;
    const auto missing = load_settings(folder / "missing.toml");
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error(), HasSubstr("No such file or directory"));
    for (const std::string& path : {folder / "", folder / "missing.toml"}) {
        const auto read = load_settings(path);
        ASSERT_FALSE(read) << path;
        EXPECT_THAT(read.error(), HasSubstr(path + ": cannot be read"));
    }
}

TEST(Endpoint, IsAnAddressWithOrWithoutPort) {
    EXPECT_EQ(parse_endpoint("127.0.0.53", 53)->to_string(), "127.0.0.53:53");
    EXPECT_EQ(parse_endpoint("127.0.0.53:5300", 53)->to_string(), "127.0.0.53:5300");
    EXPECT_EQ(parse_endpoint("::1", 53)->to_string(), "[::1]:53");
    EXPECT_EQ(parse_endpoint("[::1]", 53)->to_string(), "[::1]:53");
    EXPECT_EQ(parse_endpoint("[2001:db8::1]:5300", 53)->to_string(), "[2001:db8::1]:5300");
    for (const char* bad :
         {"", "localhost", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "[::1", "[::1]53", "127.0.0.1:5x"})
        EXPECT_FALSE(parse_endpoint(bad, 53)) << bad;
}

} // namespace
