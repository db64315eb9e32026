// SPDX-License-Identifier: Apache-2.0
// PROVES("8461-3.1-n", "G2-4"): the test in whose body it stands proves these rules of the RFCs or statements
// of the guides. tools/conformance and tools/guides read the calls from the source; the result file carries
// them too.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace mailtight::tests {
inline void proves(std::initializer_list<const char*> ids) {
    std::string all;
    for (const char* id : ids)
        all += (all.empty() ? "" : " ") + std::string(id);
    ::testing::Test::RecordProperty("proves", all);
}
} // namespace mailtight::tests

#define PROVES(...) ::mailtight::tests::proves({__VA_ARGS__})
