// SPDX-License-Identifier: Apache-2.0
// The stories of tests/scenarios/sending, each under the rules that it proves.
#include "sending_script.h"

#include "support/proves.h"

#include <filesystem>
#include <set>

namespace mailtight::sts::tests {
namespace {

const std::filesystem::path folder = std::filesystem::path(MAILTIGHT_SOURCE_DIR) / "tests/scenarios/sending";

/// Plays the file of the test's name; its line `proves` must say what the test does.
void play() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    sending_script script(folder / (std::string(test->name()) + ".txt"));
    script.play();
    const auto& result = *test->result();
    ASSERT_EQ(result.test_property_count(), 1);
    EXPECT_EQ(script.proves(), result.GetTestProperty(0).value());
}

TEST(sending_scenario, absence_is_remembered) {
    PROVES("8461-3.1-o", "8461-3.1-p", "A14");
    play();
}

TEST(sending_scenario, changed_without_id) {
    PROVES("8461-3.3-q", "A12");
    play();
}

TEST(sending_scenario, clock_goes_back) {
    PROVES("8461-3.3-p", "8461-3.2-h");
    play();
}

TEST(sending_scenario, delivery_failure) {
    PROVES("8461-5-d", "8461-5.1-c");
    play();
}

TEST(sending_scenario, dns_fails_for_days) {
    PROVES("8461-3.1-q", "8461-3.3-p", "8461-6-b");
    play();
}

TEST(sending_scenario, fetch_fails_for_days) {
    PROVES("8461-3.3-p", "8461-3.3-r", "8461-6-b");
    play();
}

TEST(sending_scenario, id_rotation) {
    PROVES("8461-3.1-f", "8461-5.1-a");
    play();
}

TEST(sending_scenario, max_age_expiry) {
    PROVES("8461-3.2-h", "A12");
    play();
}

TEST(sending_scenario, max_age_zero) {
    PROVES("A5");
    play();
}

TEST(sending_scenario, mode_none_breaks_quietly) {
    PROVES("8461-3.3-r", "8461-6-b", "8461-5-c");
    play();
}

TEST(sending_scenario, nothing_held_and_dns_fails) {
    PROVES("A14");
    play();
}

TEST(sending_scenario, pause_after_failure) {
    PROVES("8461-3.3-l", "8461-3.3-o", "8461-6-a", "A13");
    play();
}

TEST(sending_scenario, record_changes_during_fetch) {
    PROVES("8461-3.1-f");
    play();
}

TEST(sending_scenario, record_removed) {
    PROVES("8461-3.1-q", "8461-3.3-p", "8461-6-b", "8461-3.3-q");
    play();
}

TEST(sending_scenario, removal) {
    PROVES("8461-5-c", "8461-3.1-q");
    play();
}

TEST(sending_scenario, short_life) {
    PROVES("8461-3.3-q");
    play();
}

TEST(sending_scenario, testing_raises_the_alarm) {
    PROVES("8461-3.3-r", "8461-6-b");
    play();
}

TEST(sending_scenario, year_of_refreshes) {
    PROVES("8461-3.3-q");
    play();
}

TEST(sending_scenarios, every_file_is_played) {
    std::set<std::string> played, files;
    const auto* suite = [] {
        const auto& all = *testing::UnitTest::GetInstance();
        for (int i = 0; i < all.total_test_suite_count(); ++i)
            if (std::string(all.GetTestSuite(i)->name()) == "sending_scenario")
                return all.GetTestSuite(i);
        throw std::logic_error("no scenarios");
    }();
    for (int i = 0; i < suite->total_test_count(); ++i)
        played.insert(suite->GetTestInfo(i)->name());
    for (const auto& file : std::filesystem::directory_iterator(folder))
        files.insert(file.path().stem());
    EXPECT_EQ(played, files);
}

} // namespace
} // namespace mailtight::sts::tests
