// SPDX-License-Identifier: Apache-2.0
// Any bytes as a report's container: gzip, zip or neither. Nothing grows beyond the limits, each body has its
// report or its error, and what is taken is the same when it is packed once more.
#include "base/compress.h"
#include "tlsrpt/read_report.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace mailtight;

namespace {
void must(bool holds) {
    if (!holds)
        std::abort();
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    tlsrpt::read_limits limits;
    limits.json_bytes = 1 << 18;
    limits.bodies = 16;
    tlsrpt::report_reader reader(limits);
    const auto bodies =
        reader.read(bytes, {.file_name = bytes.substr(0, 60), .media_type = bytes.substr(0, 40)});
    must(!bodies.empty() && bodies.size() <= limits.bodies);
    std::size_t total = 0;
    for (const auto& body : bodies) {
        total += body.json.size();
        must(body.result || !body.result.error().message.empty());
        must(!to_string(body.format).empty());
    }
    must(total <= std::max(2 * limits.json_bytes, size));

    const base::inflate_limits inflate{.bytes = limits.json_bytes, .members = 16};
    if (const auto out = base::gunzip(bytes, inflate))
        must(out->bytes.size() <= inflate.bytes && out->members <= inflate.members);
    const auto back = base::gunzip(base::gzip(bytes, 1), {.bytes = size});
    must(back && back->bytes == bytes && back->members == 1 && !back->trailing_garbage);
    return 0;
}
