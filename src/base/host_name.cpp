// SPDX-License-Identifier: Apache-2.0
#include "base/host_name.h"

#include "base/limits.h"
#include "base/text.h"

#include <algorithm>

namespace mailtight::base {

bool is_host_name(std::string_view text) {
    if (text.size() > limits::dns_name_text_max)
        return false;
    const auto allowed = [](char c) { return is_alnum(c) || c == '-' || c == '_'; };
    while (true) {
        const auto dot = text.find('.');
        const auto label = text.substr(0, dot);
        if (label.empty() || label.size() > limits::dns_label_max || !std::ranges::all_of(label, allowed))
            return false;
        if (dot == std::string_view::npos)
            return true;
        text.remove_prefix(dot + 1);
    }
}

} // namespace mailtight::base
