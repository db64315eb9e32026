// SPDX-License-Identifier: Apache-2.0
// One remembered domain in one piece of memory: a head of fixed size, then its texts one behind the other.
// The parsed policy is not kept; it comes again from the body. Owns its memory; pure.
#pragma once

#include "model/sending.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mailtight::resolve {

class policy_row {
public:
    /// Texts for people are cut at `detail_max` bytes; times before 1970 are 1970.
    static constexpr std::size_t detail_max = 500;

    policy_row() = default;
    explicit policy_row(const model::kept_policy& value);
    policy_row(policy_row&& other) noexcept;
    policy_row& operator=(policy_row&& other) noexcept;
    ~policy_row();

    explicit operator bool() const { return memory_ != nullptr; }
    std::string_view domain() const;
    model::kept_policy unpack() const;
    std::size_t bytes() const; ///< of memory, what the allocator adds included

    base::utc_seconds used_at() const;
    void use(base::utc_seconds at);
    base::utc_seconds refresh_at() const;
    /// Of what is held: its mode, and the times; nothing where nothing is held.
    struct held {
        sts::mode mode;
        base::utc_seconds fetched_at, expires_at;
    };
    std::optional<held> holds() const;
    bool failing() const; ///< refreshes fail

private:
    struct head;
    head& at() const { return *memory_; }
    head* memory_ = nullptr;
};

} // namespace mailtight::resolve
