// SPDX-License-Identifier: Apache-2.0
// Texts that nearly keep to a grammar: pieces of it joined as they should be, then cut, swapped or spoilt in
// a place or two. Half of them should be valid, or a property over them says little.
#pragma once

#include <rapidcheck.h>

#include <string>
#include <vector>

namespace mailtight::tests {

/// `first`, then up to seven of `pieces` with a separator before each, perhaps one at the end; then up to two
/// bytes inserted, replaced or removed.
inline rc::Gen<std::string> near_text(std::string first, std::vector<std::string> separators,
                                      std::vector<std::string> pieces, std::string spoilers) {
    return rc::gen::exec([=] {
        std::string out = first;
        const auto separator = [&] { return *rc::gen::elementOf(separators); };
        for (int left = *rc::gen::inRange(0, 8); left > 0; --left)
            out += separator() + *rc::gen::elementOf(pieces);
        if (*rc::gen::inRange(0, 3) == 0)
            out += separator();
        for (int left = *rc::gen::weightedElement<int>({{5, 0}, {2, 1}, {1, 2}}); left > 0 && !out.empty();
             --left) {
            const auto at = *rc::gen::inRange<std::size_t>(0, out.size());
            const char with = *rc::gen::elementOf(spoilers);
            switch (*rc::gen::inRange(0, 3)) {
            case 0:
                out.insert(at, 1, with);
                break;
            case 1:
                out[at] = with;
                break;
            default:
                out.erase(at, 1);
            }
        }
        return out;
    });
}

} // namespace mailtight::tests
