// SPDX-License-Identifier: Apache-2.0
// Any bytes as a `_smtp._tls` text and as a typed report address: nothing crashes, the fast path agrees with
// the judge, what was understood can be written and read, and no address brings a control character along.
#include "tlsrpt/record.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace mailtight::tlsrpt;

namespace {
void must(bool holds) {
    if (!holds)
        std::abort();
}
void inspect(const report_uri& uri) {
    for (char c : uri.address + uri.host)
        must(c < 0 || (c >= ' ' && c != '\x7f'));
    must((uri.scheme == report_uri::scheme_type::other) == uri.host.empty());
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto judged = judge_record(text);
    must(read_record_view(text).has_value() == judged.valid);
    must(!judged.valid || judged.value);
    if (judged.value)
        for (const auto& uri : judged.value->rua)
            inspect(uri);
    for (const auto& issue : judged.issues)
        must(issue.offset <= size && issue.detail.size() <= size);
    if (const auto uri = understand_rua(text)) {
        inspect(*uri);
        const auto again = judge_record(format_record({{*uri}}));
        must(again.valid && again.value->rua.front() == *uri);
    } else {
        must(!uri.error().empty());
    }
    return 0;
}
