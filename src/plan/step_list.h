// SPDX-License-Identifier: Apache-2.0
// Putting steps in their order: one may be done, those behind it come later. Pure; the room's own.
#pragma once

#include "plan/picture.h"

#include <vector>

namespace mailtight::plan {

class step_list {
public:
    explicit step_list(const picture& p)
        : p_(p) {}

    enum class so { done, ready, waits };
    /// `not_before` in the future makes a ready step wait. What is `aside`
    /// waits for no other step, and no other for it.
    void add(step one, so how, bool aside = false);
    /// Who acts: `who` where DNS, host and `leave` don't decide otherwise.
    step_actor who_writes_dns() const;
    step_actor who_serves() const;
    /// For enforce, for mode none and for taking things away: what `serve` does by itself only if told so.
    step_actor who_decides(step_actor else_by) const;
    bool open() const { return open_; } ///< no step is in the way of the next one
    std::vector<step> take() { return std::move(steps_); }

private:
    bool is_left_to_a_person(const step& one) const;
    const picture& p_;
    std::vector<step> steps_;
    bool open_ = true;
};

} // namespace mailtight::plan
