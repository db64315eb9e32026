// SPDX-License-Identifier: Apache-2.0
// One row of the tables of these tests: what is changed in the healthy domain, and exactly which codes
// follow.
#pragma once

#include "advise/advise.h"
#include "support/observations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>

namespace mailtight::tests {

using codes = std::multiset<std::string>;

inline codes codes_of(const std::vector<findings::finding>& found) {
    codes all;
    for (const auto& f : found)
        all.insert(f.code);
    return all;
}
inline codes codes_of(const model::observation& seen) {
    return codes_of(advise::judge(seen).findings);
}
inline const findings::finding* find(const advise::judgement& judged, std::string_view code) {
    const auto at = std::ranges::find(judged.findings, code, &findings::finding::code);
    return at == judged.findings.end() ? nullptr : &*at;
}

struct change {
    std::string why;
    codes expected;
    std::function<void(model::observation&)> broken;
    std::string verdict = "broken";
};

/// Each change gives exactly its codes and its verdict; and each code can be taken away by itself, with
/// nothing else changing among the findings.
inline void expect_exactly(const std::vector<change>& rows) {
    for (const change& row : rows) {
        SCOPED_TRACE(row.why);
        model::observation seen = healthy();
        row.broken(seen);
        const advise::judgement judged = advise::judge(seen);
        EXPECT_EQ(codes_of(judged.findings), row.expected);
        EXPECT_EQ(advise::to_string(judged.verdict), row.verdict);
        for (const findings::finding& f : judged.findings) {
            EXPECT_FALSE(f.subject.empty()) << f.code;
            EXPECT_FALSE(f.message.empty()) << f.code;
            EXPECT_EQ(f.fix.find('{'), std::string::npos) << f.fix;
            codes rest = row.expected;
            rest.erase(f.code);
            EXPECT_EQ(codes_of(advise::judge(seen, {.without = {f.code}}).findings), rest)
                << "without " << f.code;
        }
    }
}

} // namespace mailtight::tests
