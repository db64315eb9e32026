// SPDX-License-Identifier: Apache-2.0
// What a report_reader keeps from call to call: its limits and the parser's buffers. Private to the reader.
#pragma once

#include "tlsrpt/read_report.h"

#include <simdjson.h>

namespace mailtight::tlsrpt {

struct report_reader::state {
    explicit state(const read_limits& l)
        : limits(l) {}

    /// `padded`: simdjson::SIMDJSON_PADDING bytes may be read behind the text.
    std::expected<report, read_error> read_json(std::string_view json, bool padded,
                                                const report_hints& hints);
    std::vector<read_body> read(std::string_view bytes, const report_hints& hints);
    /// Gives large buffers back: one large report must not cost its memory for ever.
    void release();

    read_limits limits;

private:
    static constexpr std::size_t kept_capacity = std::size_t{2} * 1024 * 1024;

    simdjson::error_code parse(std::string_view json, bool padded, simdjson::dom::element& into);

    simdjson::dom::parser parser;
};

} // namespace mailtight::tlsrpt
