// SPDX-License-Identifier: Apache-2.0
// Slots in the order of a time, earliest first: a binary heap that knows where each slot stands, so that a
// time can change or go. Twelve bytes a slot. Times are whole seconds since 1970 in 32 bits; later ones (from
// 2106 on) are all equally late.
#pragma once

#include "base/time.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

namespace mailtight::resolve {

class slot_heap {
public:
    /// Puts the slot in, or moves it; the epoch takes it out.
    void set(std::uint32_t slot, base::utc_seconds at) {
        const auto seconds = std::clamp<std::int64_t>(at.time_since_epoch().count(), 0,
                                                      std::numeric_limits<std::uint32_t>::max());
        if (seconds == 0)
            return remove(slot);
        if (slot >= place_.size())
            place_.resize(slot + std::size_t{1}, nowhere);
        std::size_t i = place_[slot];
        if (i == nowhere) {
            i = heap_.size();
            heap_.emplace_back();
        }
        settle(i, {static_cast<std::uint32_t>(seconds), slot});
    }
    void remove(std::uint32_t slot) {
        if (slot >= place_.size() || place_[slot] == nowhere)
            return;
        const std::size_t gap = std::exchange(place_[slot], nowhere);
        const entry last = heap_.back();
        heap_.pop_back();
        if (gap < heap_.size())
            settle(gap, last);
    }
    /// The earliest time.
    std::optional<base::utc_seconds> first() const {
        if (heap_.empty())
            return std::nullopt;
        return base::utc_seconds(std::chrono::seconds(heap_.front().at));
    }
    /// The slots whose time has come, at most `limit`, the earliest first; looks at no others but their
    /// neighbours.
    std::vector<std::uint32_t> until(base::utc_seconds now, std::size_t limit) const {
        const auto later = [this](std::size_t a, std::size_t b) { return heap_[b] < heap_[a]; };
        std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(later)> open(later);
        const auto look = [&](std::size_t i) {
            if (i < heap_.size() && std::int64_t{heap_[i].at} <= now.time_since_epoch().count())
                open.push(i);
        };
        std::vector<std::uint32_t> out;
        for (look(0); !open.empty() && out.size() < limit;) {
            const std::size_t i = open.top();
            open.pop();
            out.push_back(heap_[i].slot);
            look(2 * i + 1);
            look(2 * i + 2);
        }
        return out;
    }
    std::size_t bytes() const {
        return heap_.capacity() * sizeof(entry) + place_.capacity() * sizeof(std::uint32_t);
    }

private:
    static constexpr std::uint32_t nowhere = 0xffff'ffff;
    struct entry {
        std::uint32_t at = 0, slot = 0;
        friend bool operator<(const entry& a, const entry& b) {
            return std::pair(a.at, a.slot) < std::pair(b.at, b.slot);
        }
    };

    void put(std::size_t i, entry value) {
        heap_[i] = value;
        place_[value.slot] = static_cast<std::uint32_t>(i);
    }
    /// Puts the value where it belongs, from the free place `i` on.
    void settle(std::size_t i, entry value) {
        while (i > 0 && value < heap_[(i - 1) / 2]) {
            put(i, heap_[(i - 1) / 2]);
            i = (i - 1) / 2;
        }
        for (;;) {
            std::size_t child = 2 * i + 1;
            if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child])
                ++child;
            if (child >= heap_.size() || !(heap_[child] < value))
                break;
            put(i, heap_[child]);
            i = child;
        }
        put(i, value);
    }

    std::vector<entry> heap_;
    std::vector<std::uint32_t> place_; ///< by slot
};

} // namespace mailtight::resolve
