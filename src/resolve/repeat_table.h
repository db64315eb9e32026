// SPDX-License-Identifier: Apache-2.0
// Replies that are ready to be given again: the bytes on the wire by the bytes of the question. The hot path
// of the service: one hash, one look at six tags, one comparison, one append; nothing is allocated, and of
// memory that is not in the processor's cache it touches as little as can be: a bucket is one line, an entry
// with its texts is one piece, and the entries lie together.
// Bounded: a question has six places, and what was not asked since the hand came by last gives way. One
// thread; the room's own.
#pragma once

#include "resolve/decision.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <vector>

namespace mailtight::resolve {

class repeat_table {
public:
    /// Room for about so many, at least six.
    explicit repeat_table(std::size_t replies);
    ~repeat_table();
    repeat_table(const repeat_table&) = delete;
    repeat_table& operator=(const repeat_table&) = delete;

    /// The texts stand behind it.
    struct entry {
        shared_decision decision;
        std::uint32_t question_size = 0, reply_size = 0;
        std::uint32_t given = 0; ///< times that it was given again
        std::uint8_t protocol = 0;
        std::string_view asked() const { return {texts(), question_size}; }
        std::string_view reply() const { return {texts() + question_size, reply_size}; }

    private:
        const char* texts() const { return reinterpret_cast<const char*>(this + 1); }
    };
    /// The reply, or null where there is none that still holds. `protocol` tells equal bytes of different
    /// protocols apart. Good until the next put().
    const entry* find(std::uint8_t protocol, std::string_view question, base::utc_seconds now);
    /// Takes a reply, where its decision allows that it be given again.
    void put(std::uint8_t protocol, std::string_view question, std::string_view reply,
             const shared_decision& decision, base::utc_seconds now);
    void clear();
    std::size_t size() const { return size_; }
    /// As policy_table::some().
    std::optional<std::size_t> some(std::size_t from, std::size_t limit,
                                    const std::function<void(const entry&)>& take) const;

private:
    static constexpr std::size_t places = 6;
    struct alignas(64) bucket {
        std::array<std::uint16_t, places> tags{}; ///< of the hash; 0: free
        std::uint8_t used = 0;                    ///< a bit for each place: asked since the hand came by
        std::uint8_t hand = 0;
        std::array<entry*, places> held{};
    };
    static_assert(sizeof(bucket) == 64);
    std::uint64_t hash_of(std::uint8_t protocol, std::string_view question) const;
    bucket& bucket_of(std::uint64_t hash) { return buckets_[((hash & 0xffff'ffff) * buckets_.size()) >> 32]; }
    static std::size_t place_of(const bucket& in, std::uint64_t hash, std::uint8_t protocol,
                                std::string_view question);
    static std::size_t free_place(bucket& in);
    entry* make(std::uint8_t protocol, std::string_view question, std::string_view reply);
    void destroy(entry* one);

    std::vector<bucket> buckets_;
    std::pmr::unsynchronized_pool_resource memory_; ///< of the entries
    std::uint64_t seed_;
    std::size_t size_ = 0;
};

} // namespace mailtight::resolve
