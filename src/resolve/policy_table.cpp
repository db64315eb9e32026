// SPDX-License-Identifier: Apache-2.0
// Slots with one packed row each, and three orders over the slots: by the hash of the domain, by the time of
// the next refresh, by the last use. What must go is chosen when something is put in, never what is just put
// in.
#include "resolve/policy_table.h"

#include "base/keyed_hash.h"
#include "base/limits.h"
#include "resolve/policy_row.h"
#include "resolve/slot_heap.h"
#include "resolve/slot_index.h"
#include "resolve/use_order.h"

#include <algorithm>
#include <utility>

namespace mailtight::resolve {

using base::utc_seconds;

struct policy_table::state {
    std::size_t domains_max, bytes_max;
    base::hash_key key = base::random_hash_key(); // domains come from strangers
    std::vector<policy_row> rows;                 // by slot
    std::vector<std::uint32_t> free;              // slots without a row
    slot_index by_domain;
    slot_heap by_refresh, by_fetch;
    use_order by_use;
    std::size_t row_bytes = 0;
    counts counted;
    /// What an expired policy is measured by: a table has no clock. The last use that was told, even where
    /// it is before another: a clock that ran ahead and was put right is believed again.
    utc_seconds latest_use{};

    std::uint32_t hash(std::string_view domain) const {
        return static_cast<std::uint32_t>(base::keyed_hash(key, domain));
    }
    std::optional<std::uint32_t> find(std::string_view domain) const {
        return by_domain.find(hash(domain),
                              [&](std::uint32_t slot) { return rows[slot].domain() == domain; });
    }
    std::size_t size() const { return rows.size() - free.size(); }
    std::size_t bytes() const {
        return row_bytes + rows.capacity() * sizeof(policy_row) + free.capacity() * sizeof(std::uint32_t) +
               by_domain.bytes() + by_refresh.bytes() + by_fetch.bytes() + by_use.bytes();
    }

    std::size_t& count_of(const policy_row& row) {
        const auto held = row.holds();
        if (!held)
            return counted.without;
        return held->mode == sts::mode::enforce   ? counted.enforce
               : held->mode == sts::mode::testing ? counted.testing
                                                  : counted.none;
    }
    /// The row of this slot is new: into every order and figure.
    void enter(std::uint32_t slot) {
        const auto& row = rows[slot];
        row_bytes += row.bytes();
        ++count_of(row);
        counted.failing += row.failing() ? 1 : 0;
        const auto held = row.holds();
        by_refresh.set(slot, row.refresh_at());
        by_fetch.set(slot, held ? held->fetched_at : utc_seconds{});
        latest_use = std::max(latest_use, row.used_at()); // as it was kept: not when it is put
        order_by_use(slot);
    }
    /// The row of this slot is about to go or to be replaced: out of every figure.
    void discount(std::uint32_t slot) {
        const auto& row = rows[slot];
        row_bytes -= row.bytes();
        --count_of(row);
        counted.failing -= row.failing() ? 1 : 0;
    }
    void order_by_use(std::uint32_t slot) {
        const auto& row = rows[slot];
        const auto held = row.holds();
        const bool enforce = held && held->mode == sts::mode::enforce;
        by_use.set(slot, enforce ? use_order::rank::last : use_order::rank::first, row.used_at());
    }
    void remove(std::uint32_t slot) {
        discount(slot);
        by_domain.remove(hash(rows[slot].domain()), slot);
        by_refresh.remove(slot);
        by_fetch.remove(slot);
        by_use.remove(slot);
        rows[slot] = policy_row();
        free.push_back(slot);
    }
    std::uint32_t new_slot() {
        if (free.empty()) {
            rows.emplace_back();
            return static_cast<std::uint32_t>(rows.size() - 1);
        }
        const auto slot = free.back();
        free.pop_back();
        return slot;
    }
    std::optional<std::uint32_t> victim(std::uint32_t spared) const {
        const auto enforced = by_use.oldest(use_order::rank::last, spared);
        if (enforced && rows[*enforced].holds()->expires_at < latest_use)
            return enforced; // not in force any more, and unused for as long
        const auto other = by_use.oldest(use_order::rank::first, spared);
        return other ? other : enforced;
    }
};

policy_table::policy_table(std::size_t domains, std::size_t bytes)
    : state_(std::make_unique<state>(domains, bytes)) {}
policy_table::~policy_table() = default;

std::optional<model::kept_policy> policy_table::get(std::string_view domain) const {
    const auto slot = state_->find(domain);
    if (!slot)
        return std::nullopt;
    return state_->rows[*slot].unpack();
}

void policy_table::put(const model::kept_policy& value,
                       const std::function<void(std::string_view)>& dropped) {
    if (value.domain.size() > base::limits::dns_name_text_max)
        return; // no domain
    auto& all = *state_;
    auto slot = all.find(value.domain);
    if (slot) {
        all.discount(*slot);
        all.rows[*slot] = policy_row(value);
    } else {
        slot = all.new_slot();
        all.rows[*slot] = policy_row(value);
        all.by_domain.add(all.hash(value.domain), *slot);
    }
    all.enter(*slot);
    while (all.size() > all.domains_max || all.bytes() > all.bytes_max) {
        const auto goes = all.victim(*slot);
        if (!goes)
            return;
        if (dropped)
            dropped(all.rows[*goes].domain());
        all.remove(*goes);
    }
}

void policy_table::used(std::string_view domain, utc_seconds at) {
    const auto slot = state_->find(domain);
    if (!slot)
        return;
    state_->latest_use = at;
    if (at <= state_->rows[*slot].used_at())
        return;
    state_->rows[*slot].use(at);
    state_->order_by_use(*slot);
}

bool policy_table::erase(std::string_view domain) {
    const auto slot = state_->find(domain);
    if (slot)
        state_->remove(*slot);
    return slot.has_value();
}

void policy_table::clear() {
    state_ = std::make_unique<state>(state_->domains_max, state_->bytes_max);
}
std::size_t policy_table::size() const {
    return state_->size();
}
std::size_t policy_table::bytes() const {
    return state_->bytes();
}

void policy_table::each(const std::function<bool(const model::kept_policy&)>& take) const {
    for (const auto& row : state_->rows)
        if (row && !take(row.unpack()))
            return;
}

std::optional<std::size_t> policy_table::some(std::size_t from, std::size_t limit,
                                              const std::function<void(const model::kept_policy&)>& take,
                                              which wanted) const {
    const auto& rows = state_->rows;
    const std::size_t until = from + std::min(limit, rows.size() - std::min(from, rows.size()));
    for (; from < until; ++from)
        if (rows[from] && (wanted == which::all || !rows[from].holds()))
            take(rows[from].unpack());
    return until < rows.size() ? std::optional(until) : std::nullopt;
}

std::vector<std::string> policy_table::due(utc_seconds now, std::size_t limit) const {
    std::vector<std::string> out;
    for (const auto slot : state_->by_refresh.until(now, limit))
        out.emplace_back(state_->rows[slot].domain());
    return out;
}

policy_table::counts policy_table::counted() const {
    auto out = state_->counted;
    out.oldest_fetch = state_->by_fetch.first().value_or(utc_seconds{});
    return out;
}

} // namespace mailtight::resolve
