// SPDX-License-Identifier: Apache-2.0
// Which domains a question asks for, as a condition over `looked_after d`. $1 is the limit. For this room.
#pragma once

#include "store/domains.h"
#include "store/sql.h"

#include <string>

namespace mailtight::store {

/// Refers to the question, and to itself: stays where it is.
class domain_filter {
public:
    explicit domain_filter(const domain_question& which);
    domain_filter(const domain_filter&) = delete;
    domain_filter& operator=(const domain_filter&) = delete;
    const std::string& where() const { return where_; }
    const sql::values& with() const { return with_; }

private:
    std::string where_, contains_;
    sql::values with_;
};

} // namespace mailtight::store
