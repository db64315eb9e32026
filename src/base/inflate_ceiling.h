// SPDX-License-Identifier: Apache-2.0
// How much may come out of compressed bytes, and what it is called where they want more: one judgement for
// gzip and zip. Private to base/compress.
#pragma once

#include "base/compress.h"

#include <algorithm>

namespace mailtight::base {

struct inflate_ceiling {
    std::size_t bytes;
    inflate_problem beyond;
};
inline inflate_ceiling ceiling_of(std::size_t in, const inflate_limits& limits) {
    const std::size_t ratio = std::max<std::size_t>(limits.ratio, 1);
    const std::size_t by_ratio = in > limits.bytes / ratio ? limits.bytes : in * ratio;
    const std::size_t allowed = std::max(by_ratio, limits.ratio_free);
    if (allowed < limits.bytes)
        return {allowed, inflate_problem::bomb};
    return {limits.bytes, inflate_problem::too_large};
}

} // namespace mailtight::base
