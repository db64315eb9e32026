// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "store/access.h"

#include <algorithm>

namespace mailtight::store {

bool is_access_name(std::string_view text) {
    return !text.empty() && text.size() <= 64 && base::is_alnum(text.front()) &&
           std::ranges::all_of(
               text, [](char c) { return base::is_alnum(c) || std::string_view("._@+-").contains(c); });
}

} // namespace mailtight::store
