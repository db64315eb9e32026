// SPDX-License-Identifier: Apache-2.0
// Netstrings from any bytes: what the beginning decided stays decided, nothing is read beyond the end, and
// what was read is written back the same.
#include "wire/netstring.h"

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace mailtight;

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using state = wire::netstring_read::state;
    if (size == 0)
        return 0;
    const std::size_t limit = data[0] < 0xff ? data[0] : 10'000; // the rest is what a client sends
    std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);

    auto before = state::partial;
    for (std::size_t cut = 0; cut <= std::min<std::size_t>(bytes.size(), 300); ++cut) {
        const std::string piece(bytes.substr(0, cut)); // its own memory, so that its end is guarded
        const auto got = wire::read_netstring(piece, limit);
        require(before == state::partial || got.what == before);
        before = got.what;
    }
    for (;;) {
        const auto got = wire::read_netstring(bytes, limit);
        require((got.size > 0) == (got.what == state::complete));
        if (got.what != state::complete) {
            require(got.payload.empty());
            return 0;
        }
        require(got.payload.size() <= limit && got.size <= bytes.size());
        std::string again;
        wire::append_netstring(again, got.payload);
        require(again == bytes.substr(0, got.size));
        bytes.remove_prefix(got.size);
    }
}
