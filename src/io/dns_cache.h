// SPDX-License-Identifier: Apache-2.0
// Outcomes kept by their TTL, the least recently used given up first where the bound is reached. Errors are
// kept for a few seconds (RFC 9520 §3.2). The loop's thread only.
#pragma once

#include "io/dns_lookup.h"
#include "io/loop.h"

#include <list>
#include <memory>
#include <string_view>
#include <unordered_map>

namespace mailtight::io {

class dns_cache {
public:
    /// At most `entries` of ordinary size; a large answer counts as several.
    explicit dns_cache(std::size_t entries)
        : capacity_(entries) {}

    struct hit {
        std::shared_ptr<const dns_lookup> lookup;
        std::uint32_t age = 0; ///< whole seconds since it came
    };
    /// `lookup` is empty where nothing fresh is held.
    hit find(const wire::dns_question& question, loop::time_point now);
    void store(const wire::dns_question& question, std::shared_ptr<const dns_lookup> lookup,
               loop::time_point now);
    void forget(const wire::dns_question& question);
    std::size_t size() const { return by_key_.size(); }
    std::size_t weight() const { return weight_; }

private:
    struct entry {
        std::string key;
        std::shared_ptr<const dns_lookup> lookup;
        loop::time_point came, expires;
        std::size_t weight;
    };
    using place = std::list<entry>::iterator;
    void drop(place which);

    std::size_t capacity_;
    std::size_t weight_ = 0;
    std::list<entry> entries_; ///< most recently used first
    std::unordered_map<std::string_view, place> by_key_;
};

/// A question as one string, for maps.
std::string dns_key(const wire::dns_question& question);

} // namespace mailtight::io
