// SPDX-License-Identifier: Apache-2.0
// Replies that are ready to be given again: the bytes on the wire by the bytes of the question. The hot path
// of the service: one hash, one look at eight tags, one comparison, one append; nothing is allocated.
// Bounded: a question has eight places, and what was not asked since the hand came by last gives way. One
// thread; the room's own.
#pragma once

#include "resolve/decision.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::resolve {

class repeat_table {
public:
    /// Room for about so many, at least eight.
    explicit repeat_table(std::size_t replies);

    struct entry {
        std::uint64_t hash = 0;
        std::uint32_t question = 0; ///< bytes of it
        std::uint8_t protocol = 0;
        std::uint32_t given = 0; ///< times that it was given again
        shared_decision decision;
        std::string both; ///< question, reply
        std::string_view asked() const { return std::string_view(both).substr(0, question); }
        std::string_view reply() const { return std::string_view(both).substr(question); }
    };
    /// The reply, or null where there is none that still holds. `protocol` tells equal bytes of different
    /// protocols apart. Good until the next put().
    const entry* find(std::uint8_t protocol, std::string_view question, base::utc_seconds now);
    /// Takes a reply, where its decision allows that it be given again.
    void put(std::uint8_t protocol, std::string_view question, std::string_view reply,
             const shared_decision& decision, base::utc_seconds now);
    void clear();
    std::size_t size() const { return size_; }
    void each(const std::function<void(const entry&)>& take) const;

private:
    static constexpr std::size_t places = 8;
    struct bucket {
        std::array<std::uint16_t, places> tags{}; ///< of the hash; 0: free
        std::uint8_t used = 0;                    ///< a bit for each place: asked since the hand came by
        std::uint8_t hand = 0;
        std::array<std::unique_ptr<entry>, places> held;
    };
    std::uint64_t hash_of(std::uint8_t protocol, std::string_view question) const;
    static std::size_t place_of(const bucket& in, std::uint64_t hash, std::uint8_t protocol,
                                std::string_view question);
    static std::size_t free_place(bucket& in);

    std::vector<bucket> buckets_;
    std::uint64_t seed_;
    std::size_t size_ = 0;
};

} // namespace mailtight::resolve
