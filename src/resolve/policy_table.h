// SPDX-License-Identifier: Apache-2.0
// Every Policy Domain that is remembered, in memory, packed: a million domains cost little beyond their
// policies' text. Bounded; of what must go, what was unused longest (by the hour) goes first, and an enforce
// policy in force last. One thread.
#pragma once

#include "model/sending.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::resolve {

class policy_table {
public:
    explicit policy_table(std::size_t domains, std::size_t bytes);
    ~policy_table();
    /// Unpacks; nothing where the domain is not known.
    std::optional<model::kept_policy> get(std::string_view domain) const;
    /// What had to go for it is told to `dropped`.
    void put(const model::kept_policy& value, const std::function<void(std::string_view)>& dropped = {});
    void used(std::string_view domain, base::utc_seconds at);
    bool erase(std::string_view domain);
    void clear();
    std::size_t size() const;
    std::size_t bytes() const; ///< of everything that it holds
    /// In no order; false ends it. The table must not change meanwhile.
    void each(const std::function<bool(const model::kept_policy&)>& take) const;
    /// A part of them, `limit` places on from a place, the first of which is 0; the next place, or nothing at
    /// the end. The table may change between two calls: who comes or goes then is told or not, the others
    /// are told once.
    enum class which { all, without_policy };
    std::optional<std::size_t> some(std::size_t from, std::size_t limit,
                                    const std::function<void(const model::kept_policy&)>& take,
                                    which wanted = which::all) const;
    /// The domains whose refresh is due, at most `limit`, the longest due first.
    std::vector<std::string> due(base::utc_seconds now, std::size_t limit) const;
    struct counts {
        std::size_t enforce = 0, testing = 0, none = 0, without = 0;
        base::utc_seconds oldest_fetch{}; ///< of a held policy; epoch: none is held
        std::size_t failing = 0;          ///< whose refresh fails
    };
    counts counted() const;
    struct state;

private:
    std::unique_ptr<state> state_;
};

} // namespace mailtight::resolve
