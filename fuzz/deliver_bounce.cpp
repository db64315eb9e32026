// SPDX-License-Identifier: Apache-2.0
// Bounces: whatever comes back into the mailbox. What is read names an id of our form and an address,
// bounded.
#include "deliver/bounce.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto read = mailtight::deliver::read_bounce({reinterpret_cast<const char*>(data), size});
    if (!read)
        return 0;
    for (const char c : read->report_id)
        if (c <= ' ' || c > '~')
            std::abort();
    if (read->tag.empty() || read->tag.size() > 900 || read->tag.find('.') != std::string::npos)
        std::abort();
    if (read->report_id.size() > 900 || read->report_id.find('@') == std::string::npos)
        std::abort();
    if (read->recipient.size() > 320 || read->recipient.find('@') == std::string::npos ||
        read->words.size() > 300)
        std::abort();
    for (const char c : read->words)
        if (c >= 0 && c < ' ')
            std::abort();
    return 0;
}
