// SPDX-License-Identifier: Apache-2.0
// One JSON object from outside, and its members read with errors that say where. Buffers are kept from call
// to call; what is read lives until the next call. Private to the readers of this room.
#pragma once

#include "base/ip.h"
#include "tally/read_datagram.h"

#include <simdjson.h>

#include <concepts>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace mailtight::tally {

/// Where a value stands: a chain on the stack, made into text only for an error.
struct place {
    const place* above = nullptr;
    std::string_view name; ///< of a member; "" : an element
    std::size_t index = 0;
};
std::string to_string(const place& where);

using read_failure = std::unexpected<read_error>;
read_failure refuse(read_error::kind code, const place& where, std::string words);

class json_input {
public:
    /// Bytes that are no UTF-8 are mended, since senders copy what the other side said; everything else that
    /// is no JSON is refused, and so is what is nested deeper than any result.
    std::expected<simdjson::dom::object, read_error> object(std::string_view bytes, std::size_t most);

private:
    simdjson::error_code parse(std::string_view bytes, simdjson::dom::element& into);

    simdjson::dom::parser parser_;
    std::string padded_;
};

/// JSON null and "" are as good as not there: what has no value is often written so.
bool is_absent(simdjson::dom::element value);
/// A text, cleaned; null gives "".
std::expected<std::string, read_error> read_text(simdjson::dom::element value, const place& at,
                                                 std::size_t most);
/// A whole number, or a text that is one; nothing where it is neither.
std::optional<std::int64_t> as_number(simdjson::dom::element value);
/// 0 or 1, false or true.
std::expected<bool, read_error> read_flag(simdjson::dom::element value, const place& at);
/// A domain in any spelling, as A-labels in lower case; nothing where it is none, or an address.
std::optional<std::string> as_domain(std::string_view text);
/// A host name in lower case without a final dot, or else the text, cleaned.
std::string as_host(std::string_view text, std::size_t most);
/// The text form of RFC 5952; "" where the text is no address.
std::string as_address(std::string_view text);

} // namespace mailtight::tally
