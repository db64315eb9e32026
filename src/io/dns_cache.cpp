// SPDX-License-Identifier: Apache-2.0
#include "io/dns_cache.h"

#include <algorithm>

namespace mailtight::io {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds longest = 24h;
constexpr std::chrono::seconds longest_absent = 1h; // RFC 2308 §5 advises one to three hours
constexpr std::chrono::seconds of_an_error = 5s;
constexpr std::size_t ordinary_bytes = 512;

std::chrono::seconds lifetime(const dns_lookup& lookup) {
    switch (lookup.status) {
    case model::dns_status::ok:
        return std::min(std::chrono::seconds(lookup.ttl), longest);
    case model::dns_status::no_data:
    case model::dns_status::nx_domain:
        return std::min(std::chrono::seconds(lookup.ttl), longest_absent);
    default:
        return of_an_error;
    }
}

struct size_of {
    std::size_t operator()(const wire::dns_text& text) const { return text.joined.size(); }
    std::size_t operator()(const wire::dns_mx& mx) const { return mx.host.size(); }
    std::size_t operator()(const wire::dns_target& target) const { return target.name.size(); }
    std::size_t operator()(const wire::dns_tlsa& tlsa) const { return tlsa.data.size(); }
    std::size_t operator()(const wire::dns_caa& caa) const { return caa.tag.size() + caa.value.size(); }
    std::size_t operator()(const auto&) const { return 0; }
};

std::size_t weight_of(const dns_lookup& lookup) {
    std::size_t bytes = lookup.detail.size();
    for (const auto& target : lookup.chain)
        bytes += sizeof target + target.size();
    for (const auto& record : lookup.records)
        bytes += sizeof record + std::visit(size_of{}, record);
    return 1 + bytes / ordinary_bytes;
}

} // namespace

std::string dns_key(const wire::dns_question& question) {
    const auto type = static_cast<unsigned>(question.type);
    std::string key;
    key.reserve(question.name.size() + 2);
    key += static_cast<char>(type >> 8);
    key += static_cast<char>(type & 0xff);
    key += question.name;
    return key;
}

dns_cache::hit dns_cache::find(const wire::dns_question& question, loop::time_point now) {
    const auto key = dns_key(question);
    const auto found = by_key_.find(key);
    if (found == by_key_.end())
        return {};
    if (found->second->expires <= now) {
        drop(found->second);
        return {};
    }
    entries_.splice(entries_.begin(), entries_, found->second);
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - found->second->came).count();
    return {found->second->lookup, static_cast<std::uint32_t>(age)};
}

void dns_cache::store(const wire::dns_question& question, std::shared_ptr<const dns_lookup> lookup,
                      loop::time_point now) {
    auto key = dns_key(question);
    if (const auto old = by_key_.find(key); old != by_key_.end())
        drop(old->second);
    const auto lives = lifetime(*lookup);
    const auto weight = weight_of(*lookup);
    if (lives.count() == 0 || weight > capacity_)
        return;
    entries_.push_front({std::move(key), std::move(lookup), now, now + lives, weight});
    by_key_.emplace(entries_.front().key, entries_.begin());
    weight_ += weight;
    while (weight_ > capacity_)
        drop(std::prev(entries_.end()));
}

void dns_cache::forget(const wire::dns_question& question) {
    if (const auto old = by_key_.find(dns_key(question)); old != by_key_.end())
        drop(old->second);
}

void dns_cache::drop(place which) {
    weight_ -= which->weight;
    by_key_.erase(which->key);
    entries_.erase(which);
}

} // namespace mailtight::io
