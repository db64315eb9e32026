// SPDX-License-Identifier: Apache-2.0
// Searching for a part of a name. For this room.
#pragma once

#include "base/text.h"
#include "store/result_rows.h"

#include <string>
#include <string_view>

namespace mailtight::store {

/// What `like … escape '!'` takes for names, which are in lower case, that have this anywhere.
inline std::string anywhere(std::string_view part) {
    std::string out = "%";
    for (const char c : storable_text(base::lower(part))) {
        if (c == '%' || c == '_' || c == '!')
            out += '!';
        out += c;
    }
    return out + '%';
}

} // namespace mailtight::store
