// SPDX-License-Identifier: Apache-2.0
// How much of what is dear is under way, for one caller and in all: who would be one too many is refused, and
// does not wait. Lives on the loop.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

namespace mailtight::api {

class few_at_once {
public:
    explicit few_at_once(std::size_t of_one = 2, std::size_t in_all = 8)
        : most_of_one_(of_one)
        , most_(in_all) {}

    /// Under way until it goes; it may outlive what counts it.
    using place = std::shared_ptr<void>;
    /// A place for this caller; null: there are too many, of theirs or in all.
    place take(const std::string& who) {
        const auto theirs = taken_->find(who);
        if (*all_ >= most_ || (theirs != taken_->end() && theirs->second >= most_of_one_))
            return nullptr;
        ++(*taken_)[who];
        ++*all_;
        return {taken_.get(), [taken = taken_, all = all_, who](void*) {
                    --*all;
                    if (const auto one = taken->find(who); --one->second == 0)
                        taken->erase(one);
                }};
    }
    std::size_t under_way() const { return *all_; }

private:
    std::size_t most_of_one_, most_;
    std::shared_ptr<std::map<std::string, std::size_t>> taken_ =
        std::make_shared<std::map<std::string, std::size_t>>();
    std::shared_ptr<std::size_t> all_ = std::make_shared<std::size_t>(0);
};

} // namespace mailtight::api
