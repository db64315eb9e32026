// SPDX-License-Identifier: Apache-2.0
// What holds of every plan, whatever happened: thousands of histories, and careless installations that must
// be caught. MAILTIGHT_HISTORIES says how many, MAILTIGHT_HISTORY_SEED begins elsewhere.
#include "simulation_history.h"

#include "support/proves.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace mailtight::plan::tests {
namespace {

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
    const char* given = std::getenv(name);
    return given ? std::strtoull(given, nullptr, 10) : otherwise;
}

TEST(plan_simulation, no_history_loses_mail) {
    PROVES("8461-3.1-e", "8461-8.1-b", "8461-8.1-c", "8461-8.3-a");
    const auto first = number_from("MAILTIGHT_HISTORY_SEED", 1);
    const auto count = number_from("MAILTIGHT_HISTORIES", 2'000);
    std::size_t deliveries = 0, actions = 0;
    for (auto seed = first; seed < first + count; ++seed) {
        const auto history = live(seed, carelessness::none);
        deliveries += history.deliveries;
        actions += history.actions;
        if (history.violation.empty() && history.ended)
            continue;
        for (const auto& line : history.diary)
            std::printf("%s\n", line.c_str());
        FAIL() << "MAILTIGHT_HISTORY_SEED=" << seed << ": " << history.violation;
    }
    RecordProperty("deliveries", std::to_string(deliveries));
    EXPECT_GT(deliveries, count * 20) << "the senders sleep";
    EXPECT_GT(actions, count * 8) << "nothing is carried out";
}

struct careless_row {
    carelessness how;
    const char* name;
    const char* noticed; ///< words of the violation
};
TEST(plan_simulation, notices_a_careless_installation) {
    const careless_row rows[] = {
        {carelessness::no_waits, "no waits", "before every policy has expired"},
        {carelessness::no_waits, "no waits", "ignores ids"},
        {carelessness::forgets_served, "forgets what was served", "before every policy has expired"},
        {carelessness::forgets_unknown, "takes an unknown past for none", "before every policy has expired"},
        {carelessness::reuses_ids, "reuses ids", "was used before"},
        {carelessness::record_first, "pushes the record first", "before its policy"},
        {carelessness::early_date, "goes by the early date", "ignores ids defers"},
    };
    for (const auto& row : rows) {
        bool noticed = false;
        for (std::uint64_t seed = 1; seed < 1'500 && !noticed; ++seed)
            noticed = live(seed, row.how).violation.find(row.noticed) != std::string::npos;
        EXPECT_TRUE(noticed) << row.name << ": " << row.noticed;
    }
}

} // namespace
} // namespace mailtight::plan::tests
