// SPDX-License-Identifier: Apache-2.0
#include "store/words.h"

#include "base/encode.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace mailtight::store {
namespace {
constexpr std::size_t remembered_max = 50'000;
constexpr std::size_t long_text = 4'096; // longer ones are looked up each time
} // namespace

dictionary::dictionary(std::string_view table, std::string_view column)
    : select_(fmt::format("select id from {} where hash = $1", table))
    , insert_(
          fmt::format("insert into {} (hash, {}) values ($1, $2) on conflict (hash) do nothing returning id",
                      table, column))
    , by_number_(fmt::format("select {} from {} where id = $1", column, table)) {}

void dictionary::remember(std::string_view text, std::int64_t number) {
    if (text.size() > long_text)
        return;
    if (numbers_.size() >= remembered_max)
        numbers_.clear();
    numbers_.emplace(text, number);
}

std::optional<std::int64_t> dictionary::find(sql::connection& on, std::string_view text) {
    if (text.empty())
        return 0;
    if (const auto known = numbers_.find(text); known != numbers_.end())
        return known->second;
    const auto hash = base::sha256(text);
    const auto number = on.number(select_, {sql::bytes{hash}});
    if (number)
        remember(text, *number);
    return number;
}

std::int64_t dictionary::enter(sql::connection& on, std::string_view text) {
    if (const auto known = find(on, text))
        return *known;
    const auto hash = base::sha256(text);
    auto number = on.number(insert_, {sql::bytes{hash}, text});
    if (!number) // another writer has just entered it
        number = on.number(select_, {sql::bytes{hash}});
    if (!number)
        throw sql::failure{.error = {.what = store_error::kind::busy, .message = "a word comes and goes"},
                           .serialisation = true};
    remember(text, *number);
    fresh_.emplace_back(text);
    return *number;
}

std::string dictionary::text(sql::connection& on, std::int64_t number) {
    if (number == 0)
        return {};
    if (const auto known = texts_.find(number); known != texts_.end())
        return known->second;
    if (texts_.size() >= remembered_max)
        texts_.clear();
    std::string found;
    on.query(by_number_, {number}, [&](const sql::row& r) { found = r.string(0); });
    return texts_.emplace(number, std::move(found)).first->second;
}

void dictionary::settle() {
    fresh_.clear();
}
void dictionary::unsettle() {
    for (const auto& text : fresh_)
        numbers_.erase(text);
    fresh_.clear();
    texts_.clear();
}

std::string write_list(const std::vector<std::string>& list) {
    if (list.empty())
        return {};
    std::string out = "[";
    for (const auto& item : list) {
        if (out.size() > 1)
            out += ',';
        const bool plain = std::ranges::none_of(
            item, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; });
        if (plain)
            out.append("\"").append(item).append("\"");
        else
            out += boost::json::serialize(boost::json::string_view(item));
    }
    return out + "]";
}

std::vector<std::string> read_list(std::string_view column) {
    std::vector<std::string> out;
    if (column.empty())
        return out;
    boost::system::error_code problem;
    const auto parsed = boost::json::parse(column, problem);
    if (problem || !parsed.is_array())
        return out;
    for (const auto& item : parsed.get_array())
        if (item.is_string())
            out.emplace_back(item.get_string());
    return out;
}

} // namespace mailtight::store
