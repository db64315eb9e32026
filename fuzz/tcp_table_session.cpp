// SPDX-License-Identifier: Apache-2.0
// Any bytes at a tcp_table: the same answers however they are cut, one line for each, none longer than
// Postfix takes.
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
    const auto whole = converse(&front::tcp_table, bytes, std::string_view::npos, {});
    must(whole == converse(&front::tcp_table, bytes, piece, {}), "the cut makes a difference");
    std::ptrdiff_t answers = 0;
    for (std::string_view rest = whole.bytes; !rest.empty(); ++answers) {
        const auto end = rest.find('\n');
        must(end != rest.npos && end < 4'096, "no line");
        const auto line = rest.substr(0, end);
        must(line.starts_with("200 ") || line.starts_with("400 ") || line.starts_with("500 "), "no code");
        must(std::ranges::all_of(line, [](char c) { return c >= 0x20 && c < 0x7f; }), "not encoded");
        rest.remove_prefix(end + 1);
    }
    if (!whole.finished)
        must(answers == std::ranges::count(bytes, '\n'), "not as many answers as questions");
    return 0;
}
