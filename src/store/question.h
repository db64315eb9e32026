// SPDX-License-Identifier: Apache-2.0
// A statement put together from fixed pieces and bound values: no value ever becomes part of its text.
#pragma once

#include "store/key.h"
#include "store/sql.h"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::store {

class question {
public:
    explicit question(std::string_view begin)
        : text_(begin) {}
    question(question&&) = default; // kept_ stays in place; a copy would refer to the original's texts
    question& operator=(question&&) = delete;
    question& text(std::string_view piece) {
        text_ += piece;
        return *this;
    }
    question& bound(sql::value v) {
        with_.push_back(v);
        text_ += '$';
        text_ += std::to_string(with_.size());
        return *this;
    }
    /// ` and COLUMN in (...)`; nothing fits an empty list.
    question& any_text(std::string_view column, const std::vector<std::string>& texts) {
        return any(column, texts.size(),
                   [&](std::size_t i) { bound(kept_.emplace_back(storable(texts[i]))); });
    }
    question& any_number(std::string_view column, const std::vector<std::int64_t>& numbers) {
        return any(column, numbers.size(), [&](std::size_t i) { bound(numbers[i]); });
    }
    /// ` and COLUMN >= ... and COLUMN <= ...`, as far as they are given.
    question& days(std::string_view column, const std::optional<day>& from, const std::optional<day>& to) {
        if (from)
            text(" and ").text(column).text(" >= ").bound(*from);
        if (to)
            text(" and ").text(column).text(" <= ").bound(*to);
        return *this;
    }
    void ask(sql::connection& on, const sql::take_row& take) const { on.query(text_, with_, take); }

private:
    template<class Bind>
    question& any(std::string_view column, std::size_t count, Bind bind) {
        if (count == 0)
            return text(" and 1 = 0");
        text(" and ").text(column).text(" in (");
        for (std::size_t i = 0; i < count; ++i) {
            if (i > 0)
                text_ += ", ";
            bind(i);
        }
        return text(")");
    }

    std::string text_;
    sql::values with_;
    std::deque<std::string> kept_; ///< what values refer to; stays where it is
};

} // namespace mailtight::store
