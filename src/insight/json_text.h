// SPDX-License-Identifier: Apache-2.0
// Remote text on its way into JSON, which holds UTF-8 alone. The room's own.
#pragma once

#include "base/text.h"
#include "base/time.h"

#include <boost/json.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::insight {

/// Bytes that are no UTF-8 become visible escapes.
inline boost::json::string safe(std::string_view bytes) {
    return boost::json::string(base::is_utf8(bytes) ? std::string(bytes)
                                                    : base::printable(bytes, bytes.size()));
}

template<class Range>
boost::json::array strings(const Range& texts) {
    boost::json::array all;
    for (const auto& text : texts)
        all.emplace_back(safe(text));
    return all;
}

/// A point in time, null where there is none (never 1970).
inline boost::json::value or_null(const std::optional<base::utc_seconds>& at) {
    return at ? boost::json::value(base::format_utc(*at)) : boost::json::value(nullptr);
}

} // namespace mailtight::insight
