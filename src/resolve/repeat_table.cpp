// SPDX-License-Identifier: Apache-2.0
// Buckets of six with a clock hand each. The hash is seeded: who may ask must not be able to crowd one
// bucket with the questions of others.
#include "resolve/repeat_table.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>

namespace mailtight::resolve {

namespace {

constexpr std::size_t largest_question = 1'024, largest_reply = 16'384; // longer ones are rare and not kept

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint16_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint16_t>((hash >> 48) | 1); // never 0
}

bool holds(const tls_decision& decision, base::utc_seconds now) {
    return now < decision.good_until && !decision.superseded;
}

} // namespace

repeat_table::repeat_table(std::size_t replies)
    : buckets_(std::max<std::size_t>(1, replies / places))
    , seed_((static_cast<std::uint64_t>(std::random_device{}()) << 32) | std::random_device{}()) {}

repeat_table::~repeat_table() {
    clear();
}

repeat_table::entry* repeat_table::make(std::uint8_t protocol, std::string_view question,
                                        std::string_view reply) {
    void* const memory = memory_.allocate(sizeof(entry) + question.size() + reply.size(), alignof(entry));
    auto* const made = new (memory) entry;
    made->question_size = static_cast<std::uint32_t>(question.size());
    made->reply_size = static_cast<std::uint32_t>(reply.size());
    made->protocol = protocol;
    auto* const texts = reinterpret_cast<char*>(made + 1);
    std::ranges::copy(reply, std::ranges::copy(question, texts).out);
    return made;
}

void repeat_table::destroy(entry* one) {
    const std::size_t size = sizeof(entry) + one->question_size + one->reply_size;
    std::destroy_at(one);
    memory_.deallocate(one, size, alignof(entry));
}

// Eight bytes a step, multiplied and folded.
std::uint64_t repeat_table::hash_of(std::uint8_t protocol, std::string_view question) const {
    constexpr std::uint64_t odd = 0x9E37'79B9'7F4A'7C15ULL;
    std::uint64_t hash = mix(seed_ ^ protocol, odd ^ question.size());
    while (question.size() >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, question.data(), 8);
        hash = mix(hash ^ word, seed_ ^ odd);
        question.remove_prefix(8);
    }
    std::uint64_t rest = 0;
    if (!question.empty())
        std::memcpy(&rest, question.data(), question.size());
    return mix(hash ^ rest, odd);
}

std::size_t repeat_table::place_of(const bucket& in, std::uint64_t hash, std::uint8_t protocol,
                                   std::string_view question) {
    const std::uint16_t tag = tag_of(hash);
    for (std::size_t i = 0; i < places; ++i)
        if (in.tags[i] == tag && in.held[i]->protocol == protocol && in.held[i]->asked() == question)
            return i;
    return places;
}

const repeat_table::entry* repeat_table::find(std::uint8_t protocol, std::string_view question,
                                              base::utc_seconds now) {
    const std::uint64_t hash = hash_of(protocol, question);
    bucket& in = bucket_of(hash);
    const std::size_t at = place_of(in, hash, protocol, question);
    if (at == places || !holds(*in.held[at]->decision, now))
        return nullptr;
    in.used = static_cast<std::uint8_t>(in.used | (1U << at));
    ++in.held[at]->given;
    return in.held[at];
}

std::size_t repeat_table::free_place(bucket& in) {
    for (std::size_t i = 0; i < places; ++i)
        if (in.tags[i] == 0)
            return i;
    for (;;) { // ends: each step clears a bit
        const std::size_t at = in.hand;
        in.hand = static_cast<std::uint8_t>((in.hand + 1) % places);
        if ((in.used & (1U << at)) == 0)
            return at;
        in.used = static_cast<std::uint8_t>(in.used & ~(1U << at));
    }
}

void repeat_table::put(std::uint8_t protocol, std::string_view question, std::string_view reply,
                       const shared_decision& decision, base::utc_seconds now) {
    if (!decision || !holds(*decision, now) || question.size() > largest_question ||
        reply.size() > largest_reply)
        return;
    const std::uint64_t hash = hash_of(protocol, question);
    bucket& in = bucket_of(hash);
    std::size_t at = place_of(in, hash, protocol, question);
    std::uint32_t given = 0;
    if (at != places) {
        given = in.held[at]->given;
    } else {
        at = free_place(in);
        size_ += in.tags[at] == 0;
    }
    entry* const made = make(protocol, question, reply);
    made->given = given;
    made->decision = decision;
    if (in.held[at])
        destroy(in.held[at]);
    in.held[at] = made;
    in.tags[at] = tag_of(hash); // its bit stays clear: what is asked only once is the first to go
}

void repeat_table::clear() {
    for (auto& in : buckets_) {
        for (auto* const one : in.held)
            if (one)
                destroy(one);
        in = bucket{};
    }
    size_ = 0;
}

std::optional<std::size_t> repeat_table::some(std::size_t from, std::size_t limit,
                                              const std::function<void(const entry&)>& take) const {
    const std::size_t until = from + std::min(limit, buckets_.size() - std::min(from, buckets_.size()));
    for (; from < until; ++from)
        for (const auto* const one : buckets_[from].held)
            if (one)
                take(*one);
    return until < buckets_.size() ? std::optional(until) : std::nullopt;
}

} // namespace mailtight::resolve
