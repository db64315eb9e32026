// SPDX-License-Identifier: Apache-2.0
// Equal inputs of a short while, each kept once with how often it came: most datagrams of a busy mail server
// say the same, so that most need not be read at all. Made to be filled by the thread that drains a socket.
// Bounded; the hash is keyed, so that nobody can make all of them meet. Holds bytes, understands nothing.
#pragma once

#include "base/keyed_hash.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::tally {

class pile {
public:
    explicit pile(std::size_t bytes = 32u << 20);
    /// False where it is full: hand it over first.
    bool add(std::string_view what);
    bool empty() const { return entries_.empty(); }
    std::uint64_t inputs() const { return inputs_; } ///< added, equal ones too
    /// What it holds in memory, about.
    std::size_t bytes() const { return text_.size() + entries_.size() * entry_bytes; }
    struct entry {
        std::size_t offset = 0, size = 0;
        std::uint64_t hash = 0, times = 0;
    };
    const std::vector<entry>& entries() const { return entries_; }
    std::string_view bytes_of(const entry& of) const {
        return std::string_view(text_).substr(of.offset, of.size);
    }
    void clear(); ///< keeps its memory

private:
    static constexpr std::size_t entry_bytes = sizeof(entry) + 2 * sizeof(std::uint32_t);
    void grow();
    std::size_t limit_;
    base::hash_key key_;
    std::string text_;
    std::vector<entry> entries_;
    std::vector<std::uint32_t> slots_;
    std::uint64_t inputs_ = 0;
};

} // namespace mailtight::tally
