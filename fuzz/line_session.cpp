// SPDX-License-Identifier: Apache-2.0
// Any bytes at the line protocol: the same answers however they are cut, one printable line for each
// question.
#include "support/front_fuzz.h"

#include <algorithm>
#include <cstdint>

using namespace mailtight;
using namespace mailtight::resolve;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const std::size_t piece = data[0] % 40U + 1U;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto whole = converse(&front::lines, bytes, std::string_view::npos, {});
    must(whole == converse(&front::lines, bytes, piece, {}), "the cut makes a difference");
    must(std::ranges::all_of(whole.bytes, [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); }),
         "not printable");
    must(whole.bytes.empty() || whole.bytes.ends_with('\n'), "half a line");
    const auto asked = std::ranges::count(bytes, '\n') + (!bytes.empty() && !bytes.ends_with('\n'));
    if (!whole.finished)
        must(std::ranges::count(whole.bytes, '\n') == asked, "not as many answers as questions");
    return 0;
}
