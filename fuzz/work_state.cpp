// SPDX-License-Identifier: Apache-2.0
// Any bytes as what is kept beside a piece of work: the carrier's memo, the watch's notes, an order's memory,
// and the marks of a domain. What is read is the same when it was written and read again.
#include "publish/acme_order.h"
#include "publish/carrier_memo.h"
#include "publish/seen_marks.h"
#include "publish/watch_notes.h"

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace mailtight::publish;

namespace {

void must(bool holds) {
    if (!holds)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto noted = memo::parse(text);
    if (const auto again = noted.to_text(); again.size() <= 1U << 20U)
        must(memo::parse(again) == noted);
    const auto memory = read_order_memory(text);
    if (const auto again = to_json(memory); !memory.empty() && again.size() <= 65'536)
        must(read_order_memory(again) == memory);
    const auto notes = watch_notes::parse("example.com", text);
    const auto written = notes.to_text();
    must(watch_notes::parse("example.com", written).to_text() == written);
    if (const auto record = parse_record({.at = {}, .text = text}))
        must(parse_record({.at = {}, .text = to_text(*record)}) == record);
    return 0;
}
