// SPDX-License-Identifier: Apache-2.0
// Any bytes at a socketmap: the same answers however they are cut, one for each question, in netstrings that
// a client knows.
#include "support/front_fuzz.h"

#include <cstdint>

using namespace mailtight;
using namespace mailtight::resolve;

namespace {

/// How many netstrings stand at the beginning, by a reader of its own; npos where what follows is not one.
std::size_t questions(std::string_view bytes) {
    std::size_t count = 0;
    while (!bytes.empty()) {
        const auto colon = bytes.find(':');
        if (colon == 0 || colon == bytes.npos || colon > 5 ||
            bytes.substr(0, colon).find_first_not_of("0123456789") != bytes.npos ||
            (bytes[0] == '0' && colon > 1))
            return std::string_view::npos;
        const auto length = std::stoul(std::string(bytes.substr(0, colon)));
        if (length > 10'000 || bytes.size() < colon + 1 + length + 1 || bytes[colon + 1 + length] != ',')
            return std::string_view::npos;
        bytes.remove_prefix(colon + 1 + length + 1);
        ++count;
    }
    return count;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const std::size_t piece = data[0] % 40U + 1U;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const io::peer far = from("192.0.2.1"), near;
    const auto whole = converse(&front::socketmap, bytes, std::string_view::npos, far);
    must(whole == converse(&front::socketmap, bytes, piece, far), "the cut makes a difference");
    std::size_t answers = 0;
    for (std::string_view rest = whole.bytes; !rest.empty(); ++answers) {
        const auto one = wire::read_netstring(rest, reply_limit);
        must(one.what == wire::netstring_read::state::complete, "no netstring");
        must(one.payload.starts_with("OK ") || one.payload == "NOTFOUND " ||
                 one.payload.starts_with("TEMP ") || one.payload.starts_with("PERM "),
             "no answer");
        rest.remove_prefix(one.size);
    }
    if (const auto count = questions(bytes); count != std::string_view::npos && !whole.finished)
        must(answers == count, "not as many answers as questions");
    // Who is on this machine may say more; how long a look took differs.
    converse(&front::socketmap, bytes, piece, near);
    return 0;
}
