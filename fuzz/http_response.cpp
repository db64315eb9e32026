// SPDX-License-Identifier: Apache-2.0
// The HTTP response reader: any bytes, in any cut, give the same, and keep both limits.
#include "wire/http_response.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

using namespace mailtight;

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

constexpr std::size_t body_limit = 512, head_limit = 256; // small, so that the limits are met often

struct summary {
    bool done, head_done;
    std::optional<wire::http_error> error;
    int status;
    std::string body, location, type, encoding;
    bool operator==(const summary&) const = default;
};

summary read(std::string_view bytes, std::size_t piece, bool in_order) {
    wire::http_response_reader reader(body_limit, head_limit);
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
        reader.feed(bytes.substr(0, piece));
        require(reader.response().body.size() <= body_limit);
    }
    reader.eof(in_order);
    require(reader.done() != reader.error().has_value());
    const auto& r = reader.response();
    require(!reader.done() || (r.status >= 200 && r.status <= 599));
    for (const auto* field : {&r.location, &r.content_type, &r.content_encoding, &r.reason}) {
        require(field->size() <= head_limit);
        require(field->find_first_of(std::string_view("\r\n\0\x1b", 4)) == field->npos);
    }
    return {reader.done(), reader.head_done(), reader.error(), r.status,
            r.body,        r.location,         r.content_type, r.content_encoding};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto whole = read(bytes, size + 1, true);
    require(whole == read(bytes, 1, true));
    require(whole == read(bytes, 7, true));
    const auto broken = read(bytes, size + 1, false);
    require(broken == whole || broken.error == wire::http_error::cut_short);
    return 0;
}
