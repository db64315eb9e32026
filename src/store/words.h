// SPDX-License-Identifier: Apache-2.0
// Two dictionaries: words (reporters, types, hosts: the dimensions of the totals) and policy texts. Only what
// counted reports say is entered. What was looked up is remembered by this object, within bounds; what a
// transaction entered is forgotten where it is rolled back.
#pragma once

#include "store/sql.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mailtight::store {

class dictionary {
public:
    /// `table` and its column of text.
    dictionary(std::string_view table, std::string_view column);
    /// The number of a text, entered where it is new; "" is 0.
    std::int64_t enter(sql::connection& on, std::string_view text);
    /// The number of a text, or nothing; never enters.
    std::optional<std::int64_t> find(sql::connection& on, std::string_view text);
    /// The text of a number; a copy, since the next one that is looked up may end what is remembered.
    std::string text(sql::connection& on, std::int64_t number);
    void settle();   ///< what was entered is committed
    void unsettle(); ///< rolled back: what was entered is forgotten

private:
    void remember(std::string_view text, std::int64_t number);

    std::string select_, insert_, by_number_;
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };
    std::unordered_map<std::string, std::int64_t, text_hash, std::equal_to<>> numbers_;
    std::unordered_map<std::int64_t, std::string> texts_;
    std::vector<std::string> fresh_;
};

/// Lists of texts as they stand in a column: a JSON array; "" where the list is empty.
std::string write_list(const std::vector<std::string>& list);
std::vector<std::string> read_list(std::string_view column);

} // namespace mailtight::store
