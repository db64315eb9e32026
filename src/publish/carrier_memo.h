// SPDX-License-Identifier: Apache-2.0
// What the carrier writes down beside a domain's work, for whoever goes on with it: the action that was
// begun, so that the log of changes misses none, what a person is asked for, so that it becomes a reminder,
// and what failed last, so that the plan can say why. Never a part of the plan. Text in the store; unreadable
// text is an empty memo.
#pragma once

#include "base/time.h"
#include "plan/situation.h"

#include <optional>
#include <string>
#include <string_view>

namespace mailtight::publish {

struct memo {
    struct begun {
        std::string signature, what, to, why, who;
        friend bool operator==(const begun&, const begun&) = default;
    };
    struct asked {
        std::string kind; ///< of the step
        std::string title, text, fix;
        base::utc_seconds since{};
        friend bool operator==(const asked&, const asked&) = default;
    };
    std::optional<begun> doing;
    std::optional<asked> asks;
    std::optional<plan::failed_try> tried; ///< the last thing that was done, where it failed
    std::string to_text() const;
    static memo parse(std::string_view text);
    friend bool operator==(const memo&, const memo&) = default;
};

/// What the log of changes says of a step of this kind: "published record"; "" for none that changes
/// anything.
std::string_view log_words(std::string_view step_kind);

} // namespace mailtight::publish
