// SPDX-License-Identifier: Apache-2.0
// The looks at domains that people asked for in the last minutes, so that what reports tell of is joined with
// what is so now. Lives on the loop.
#pragma once

#include "app/live_look.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace mailtight::app {

class look_memory {
public:
    static constexpr std::chrono::minutes lasts{15};
    static constexpr std::size_t looks_most = 200;

    /// A full look that is done; its own time says when it was.
    void remember(live_look look);
    /// The last one of this domain; null where there is none of the last minutes.
    std::shared_ptr<const live_look> fresh(std::string_view domain, base::utc_seconds now) const;
    using by_domain = std::map<std::string, std::shared_ptr<const live_look>, std::less<>>;
    /// All of the last minutes.
    by_domain all(base::utc_seconds now) const;

private:
    by_domain looks_;
};

} // namespace mailtight::app
