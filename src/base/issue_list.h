// SPDX-License-Identifier: Apache-2.0
// A bounded list of what a parser has to say: a hostile text could otherwise give an issue for every byte.
// The first issue that decides the verdict always has its place.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace mailtight::base {

template<class Issue>
class issue_list {
public:
    static constexpr std::size_t capacity = 64; ///< more than a person reads

    explicit issue_list(std::vector<Issue>& into)
        : into_(into) {}

    /// An oddity that does not decide the verdict.
    void remark(Issue issue) {
        if (into_.size() < capacity)
            into_.push_back(std::move(issue));
    }
    /// Something that makes the text invalid.
    void fault(Issue issue) {
        insist(std::move(issue));
        faulty_ = true;
    }
    /// A remark that decides the verdict by itself, although the text can be used: it has its place as long
    /// as no fault speaks already.
    void insist(Issue issue) {
        if (into_.size() == capacity && !faulty_)
            into_.pop_back();
        remark(std::move(issue));
    }
    bool faulty() const { return faulty_; }

private:
    std::vector<Issue>& into_;
    bool faulty_ = false;
};

} // namespace mailtight::base
