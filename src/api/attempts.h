// SPDX-License-Identifier: Apache-2.0
// How often somebody may be wrong. Every key has a bucket of attempts that fills again with time. The table
// has a fixed size that no stranger can make grow, and nobody's count can be pushed out of it: keys share
// slots by a hash that nobody outside knows, and a key is out of attempts only when both of its slots are.
// Time is given by who asks; lives on the loop.
#pragma once

#include "base/keyed_hash.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mailtight::api {

class attempts {
public:
    using time_point = std::chrono::steady_clock::time_point;
    struct limit {
        std::uint32_t most = 10;             ///< at once
        std::chrono::seconds each_after{30}; ///< one more
    };
    explicit attempts(limit of, std::size_t slots = 8'192);

    /// Counts an attempt; false where there is none left.
    bool take(std::string_view key, time_point now);
    /// It was right after all: as if it had not been made.
    void give_back(std::string_view key, time_point now);
    /// Until there is one again; 0 where there is one.
    std::chrono::seconds wait(std::string_view key, time_point now) const;

private:
    struct slot {
        std::uint32_t used = 0;
        time_point since{}; ///< from when on `used` shrinks
    };
    using pair = std::array<std::size_t, 2>;
    pair slots_of(std::string_view key) const;
    /// How many are used now.
    slot settled(slot of, time_point now) const;

    limit limit_;
    base::hash_key key_;
    std::vector<slot> slots_;
};

} // namespace mailtight::api
