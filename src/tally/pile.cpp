// SPDX-License-Identifier: Apache-2.0
// Open addressing with linear steps: `slots_` holds the number of an entry, plus one. Hashes are compared
// before bytes, bytes always in full.
#include "tally/pile.h"

#include <algorithm>
#include <utility>

namespace mailtight::tally {

namespace {

constexpr std::size_t first_slots = 1'024; // always a power of two

} // namespace

pile::pile(std::size_t bytes)
    : limit_(bytes)
    , key_(base::random_hash_key()) {}

bool pile::add(std::string_view what) {
    const auto hash = base::keyed_hash(key_, what);
    if (slots_.empty())
        slots_.resize(first_slots);
    auto at = hash & (slots_.size() - 1);
    for (; slots_[at] != 0; at = (at + 1) & (slots_.size() - 1)) {
        auto& known = entries_[slots_[at] - 1];
        if (known.hash == hash && bytes_of(known) == what) {
            ++known.times;
            ++inputs_;
            return true;
        }
    }
    // One that is larger than everything still has to pass somehow: alone.
    if (!entries_.empty() && bytes() + entry_bytes + what.size() > limit_)
        return false;
    entries_.push_back({.offset = text_.size(), .size = what.size(), .hash = hash, .times = 1});
    text_ += what;
    ++inputs_;
    slots_[at] = static_cast<std::uint32_t>(entries_.size());
    if (entries_.size() * 2 > slots_.size())
        grow();
    return true;
}

void pile::grow() {
    std::vector<std::uint32_t> wider(slots_.size() * 2);
    for (std::uint32_t i = 0; i < entries_.size(); ++i) {
        auto at = entries_[i].hash & (wider.size() - 1);
        while (wider[at] != 0)
            at = (at + 1) & (wider.size() - 1);
        wider[at] = i + 1;
    }
    slots_ = std::move(wider);
}

void pile::clear() {
    std::ranges::fill(slots_, 0);
    entries_.clear();
    text_.clear();
    inputs_ = 0;
}

} // namespace mailtight::tally
