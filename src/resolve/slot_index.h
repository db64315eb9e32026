// SPDX-License-Identifier: Apache-2.0
// From the hash of a key to the number of the slot that holds it: open addressing, eight bytes an entry, at
// most three quarters full, without gravestones (a removal closes its gap). Finding allocates nothing. The
// keys stay with the owner of the slots, who compares them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace mailtight::resolve {

class slot_index {
public:
    /// The slot of this hash for which `same(slot)` holds.
    template<class Same>
    std::optional<std::uint32_t> find(std::uint32_t hash, Same same) const {
        if (entries_.empty())
            return std::nullopt;
        for (std::size_t i = hash & mask();; i = (i + 1) & mask()) {
            const entry& here = entries_[i];
            if (here.slot == none)
                return std::nullopt;
            if (here.hash == hash && same(here.slot))
                return here.slot;
        }
    }
    /// The slot must not be in.
    void add(std::uint32_t hash, std::uint32_t slot) {
        if ((size_ + 1) * 4 > entries_.size() * 3)
            grow();
        place({hash, slot});
        ++size_;
    }
    /// The slot must be in, under this hash.
    void remove(std::uint32_t hash, std::uint32_t slot) {
        std::size_t gap = hash & mask();
        while (entries_[gap].slot != slot)
            gap = (gap + 1) & mask();
        // Whatever stands behind and may stand in the gap moves there, which leaves the next gap.
        for (std::size_t i = (gap + 1) & mask(); entries_[i].slot != none; i = (i + 1) & mask()) {
            const std::size_t home = entries_[i].hash & mask();
            if (((i - home) & mask()) >= ((i - gap) & mask()))
                entries_[std::exchange(gap, i)] = entries_[i];
        }
        entries_[gap] = {};
        --size_;
    }
    std::size_t bytes() const { return entries_.capacity() * sizeof(entry); }

private:
    static constexpr std::uint32_t none = 0xffff'ffff;
    static constexpr std::size_t least = 64;
    struct entry {
        std::uint32_t hash = 0, slot = none;
    };

    std::size_t mask() const { return entries_.size() - 1; }
    void place(entry value) {
        std::size_t i = value.hash & mask();
        while (entries_[i].slot != none)
            i = (i + 1) & mask();
        entries_[i] = value;
    }
    void grow() {
        const auto old =
            std::exchange(entries_, std::vector<entry>(entries_.empty() ? least : entries_.size() * 2));
        for (const entry& one : old)
            if (one.slot != none)
                place(one);
    }

    std::vector<entry> entries_; ///< a power of two
    std::size_t size_ = 0;
};

} // namespace mailtight::resolve
