// SPDX-License-Identifier: Apache-2.0
#include "base/base64url.h"

#include "base/encode.h"

#include <algorithm>

namespace mailtight::base {

std::string base64url(std::string_view bytes) {
    std::string out = base64(bytes);
    std::ranges::replace(out, '+', '-');
    std::ranges::replace(out, '/', '_');
    while (out.ends_with('='))
        out.pop_back();
    return out;
}

std::optional<std::string> unbase64url(std::string_view text) {
    if (text.find_first_of("+/") != std::string_view::npos)
        return std::nullopt;
    std::string usual(text);
    std::ranges::replace(usual, '-', '+');
    std::ranges::replace(usual, '_', '/');
    if (!usual.ends_with('='))
        usual.append((4 - usual.size() % 4) % 4, '=');
    return unbase64(usual);
}

} // namespace mailtight::base
