// SPDX-License-Identifier: Apache-2.0
// Any bytes as the journal's export format: bounded, and the same entries however they are cut.
#include "io/journal_export.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

using namespace mailtight;

namespace {

constexpr std::size_t message_bytes = 64;

std::vector<std::string> lines_of(std::string_view bytes, std::size_t piece) {
    std::vector<std::string> lines;
    io::journal_export_reader reader(message_bytes);
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
        reader.feed(bytes.substr(0, piece), [&](const io::journal_entry& one) {
            if (one.message.size() > message_bytes)
                std::abort();
            lines.push_back(one.cursor + "\n" + io::line_of(one));
            if (lines.back().find('\n', one.cursor.size() + 1) != std::string::npos)
                std::abort(); // one entry, one line
        });
    return lines;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (lines_of(bytes, bytes.size() + 1) != lines_of(bytes, data[0] % 40U + 1U))
        std::abort();
    return 0;
}
