// SPDX-License-Identifier: Apache-2.0
// Both engines for one test: a fresh, empty database each time, thrown away after it.
#pragma once

#include "store/store.h"
#include "support/scratch.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace mailtight::store {

enum class engine { sqlite, postgres };

/// One database of its own, and stores opened on it.
class database {
public:
    explicit database(engine of);
    ~database();
    database(const database&) = delete;
    database& operator=(const database&) = delete;

    const std::string& where() const { return where_; }
    /// Opens it; the test fails where that fails.
    std::unique_ptr<store> open(bool read_only = false) const;

private:
    tests::scratch_folder folder_;
    std::string where_, name_;
};

/// TEST_P(conformance, ...) runs once for each engine.
class conformance : public testing::TestWithParam<engine> {
protected:
    database db{GetParam()};
    std::unique_ptr<store> open_store(bool read_only = false) const { return db.open(read_only); }
};

} // namespace mailtight::store
