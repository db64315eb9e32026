// SPDX-License-Identifier: Apache-2.0
// Who goes first where something must go: two ranks, in each what was unused longest. Uses count by the hour,
// and within an hour by who came first: a use within the same hour moves nothing. Twelve bytes a slot.
#pragma once

#include "base/time.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace mailtight::resolve {

class use_order {
public:
    enum class rank : std::uint32_t { first, last };

    void set(std::uint32_t slot, rank of, base::utc_seconds used_at) {
        const std::uint32_t key = key_of(of, used_at);
        if (slot >= links_.size())
            links_.resize(slot + std::size_t{1});
        link& here = links_[slot];
        if (here.key == key)
            return;
        remove(slot);
        auto& row = rows_[key];
        here = {row.newest, none, key};
        (row.newest == none ? row.oldest : links_[row.newest].newer) = slot;
        row.newest = slot;
    }
    void remove(std::uint32_t slot) {
        if (slot >= links_.size() || links_[slot].key == absent)
            return;
        const link here = links_[slot];
        const auto row = rows_.find(here.key);
        (here.older == none ? row->second.oldest : links_[here.older].newer) = here.newer;
        (here.newer == none ? row->second.newest : links_[here.newer].older) = here.older;
        if (row->second.oldest == none)
            rows_.erase(row);
        links_[slot] = {};
    }
    /// The one that goes first of this rank, but for `spared`.
    std::optional<std::uint32_t> oldest(rank of, std::uint32_t spared) const {
        const std::uint32_t from = static_cast<std::uint32_t>(of) * rank_bit;
        for (auto row = rows_.lower_bound(from); row != rows_.end() && row->first < from + rank_bit; ++row) {
            std::uint32_t slot = row->second.oldest;
            if (slot == spared)
                slot = links_[slot].newer;
            if (slot != none)
                return slot;
        }
        return std::nullopt;
    }
    std::size_t bytes() const {
        constexpr std::size_t map_node = 48; // three pointers, a colour, what it holds, the allocator's share
        return links_.capacity() * sizeof(link) + rows_.size() * (map_node + sizeof(ends));
    }

private:
    static constexpr std::uint32_t none = 0xffff'ffff, absent = 0xffff'ffff, rank_bit = 0x4000'0000;
    struct link {
        std::uint32_t older = none, newer = none, key = absent;
    };
    struct ends {
        std::uint32_t oldest = none, newest = none;
    };
    static std::uint32_t key_of(rank of, base::utc_seconds at) {
        const auto hour = std::clamp<std::int64_t>(at.time_since_epoch().count() / 3600, 0, rank_bit - 1);
        return static_cast<std::uint32_t>(of) * rank_bit + static_cast<std::uint32_t>(hour);
    }

    std::vector<link> links_;            ///< by slot
    std::map<std::uint32_t, ends> rows_; ///< by rank and hour: as many as there were hours with uses
};

} // namespace mailtight::resolve
