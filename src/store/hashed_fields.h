// SPDX-License-Identifier: Apache-2.0
// Fields under one hash, each with its length, so that no two lists of fields look alike. For this room.
#pragma once

#include "base/encode.h"
#include "base/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::store {

class hashed_fields {
public:
    hashed_fields& operator<<(std::string_view text) {
        *this << std::uint64_t{text.size()};
        bytes_ += text;
        return *this;
    }
    hashed_fields& operator<<(std::uint64_t number) {
        char raw[8];
        for (int i = 0; i < 8; ++i)
            raw[i] = static_cast<char>(number >> (8 * i) & 0xff);
        bytes_.append(raw, sizeof raw);
        return *this;
    }
    hashed_fields& operator<<(const std::optional<base::utc_seconds>& at) {
        *this << std::uint64_t{at.has_value()};
        return *this << (at ? static_cast<std::uint64_t>(at->time_since_epoch().count()) : 0);
    }
    hashed_fields& operator<<(const std::vector<std::string>& list) {
        *this << std::uint64_t{list.size()};
        for (const auto& item : list)
            *this << std::string_view(item);
        return *this;
    }
    /// SHA-256, 32 raw bytes.
    std::string digest() const { return base::sha256(bytes_); }

private:
    std::string bytes_;
};

} // namespace mailtight::store
